package topology

import "github.com/loomfabric/loom/models/intent"

// Source is one file: its name as messages should print it, and its bytes.
type Source struct {
	Name string
	Data []byte
}

// Topology is an intent together with the places where it was written.
type Topology struct {
	// Intent is expanded: no shorthand, nothing inherited is missing. It must not be changed.
	Intent *intent.Topology
}

// New returns a topology for an intent that came from no file, as through the API. It has no positions.
func New(in *intent.Topology) *Topology { return &Topology{Intent: in} }

// Parse reads, merges, expands and checks the sources. It reports everything it finds in one run, sorted by
// place; the topology is nil if there is an error.
func Parse(sources ...Source) (*Topology, Diagnostics) {
	return nil, Diagnostics{{Severity: Error, Message: "topology: not built yet"}}
}

// At returns the position of an object of the intent ("sites/bj/devices/bj-leaf3") or of one of its fields
// ("sites/bj/underlay#mtu"). Where the file does not mention it, the nearest object around it answers.
func (t *Topology) At(ref string) Pos { return Pos{} }
