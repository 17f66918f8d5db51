// Package driver says what a kind of device is to the rest of Loom: a value that holds its
// schema, how a design is rendered for it, which part of its configuration Loom owns, and its
// manners as a gNMI server. Adding a driver touches no other package.
package driver

import (
	"slices"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/verify"
)

// Driver is one operating system. All its functions are pure.
type Driver struct {
	OS     string // "srlinux"
	Schema *config.Schema
	// Render decides the intended configuration of one device, every leaf with its cause. The tree
	// lies inside Scope.
	Render func(*fabric.Device) (*config.Tree, error)
	// Scope is the part of a device's configuration that Loom owns, for a device as designed.
	Scope func(*fabric.Device) config.Scope
	// Mark tells whether a running configuration says that Loom made it, for this very device of this
	// very topology. Without the mark, contact is the first one.
	Mark func(running *config.Tree, d *fabric.Device) bool
	// Owner is what the mark of a running configuration says, "topology/device"; "" without a mark.
	Owner func(running *config.Tree) string
	// Factory is the configuration that a new device has before Loom first speaks to it, as RFC 7951
	// JSON; the simulator boots with it.
	Factory func(name, platform, release string) []byte
	// Observe reads what a device shows of itself, a tree with state of what lies at ObservePaths. What the
	// device does not show is absent: Observe invents nothing, and knows nothing of drift.
	Observe func(state *config.Tree, d *fabric.Device) verify.Device
	// ObservePaths are what Observe needs: leaves by wildcards, no routes and no counters of traffic.
	ObservePaths []string
	// LightPaths are what Observe needs besides of a device that has to do with light. Others of the same operating
	// system may not have the paths, and refuse them.
	LightPaths []string
	// Asks reads what a configuration asks its device to show, in the words of Observe: what is enabled is there.
	// Whether anything is up, and what depends on other devices, is left zero.
	Asks func(*config.Tree) verify.Device
	// Identity finds in a device's state who it is. Paths are what has to be read for it.
	Identity Identity
	Manners  Manners
	// Guards say what changes of its configuration are risky.
	Guards Guards
	// Drain returns a configuration of the device, or the part of one that Loom owns, with its traffic moved
	// away; the same tree where it is already. It adds nothing outside Scope, and the tree that it was given
	// is the way back. An error says what cannot be drained, and what to do about it; ErrNothingToMove that the
	// device never has traffic of its own to move.
	Drain func(*config.Tree, *fabric.Device) (*config.Tree, error)
	// Undrain returns a configuration of the device without what a drain has added, and otherwise as it is, also where
	// the topology asks for something else by now; the same tree where nothing is drained. Of what Drain overwrites it
	// takes what intended has. Undrain(Drain(t), t) is t.
	Undrain func(t, intended *config.Tree, d *fabric.Device) (*config.Tree, error)
	// Disruptive is what interrupts traffic that could be moved away before.
	Disruptive []Disruption
	// Stages are the configurations on the way from one to another, in order and without both ends, where the change
	// must not be made at once; none where it may, or where nil. They hold nothing that neither end has a place for,
	// and the way back is the same way.
	Stages func(from, to *config.Tree, d *fabric.Device) ([]Stage, error)
	// Dims tells whether all that a change does to light is to make less of it: it goes before what amplifies. Where nil, no
	// change does.
	Dims func(from, to *config.Tree) bool
}

// Observed are all paths that Observe needs of a device as designed.
func (d *Driver) Observed(of *fabric.Device) []string {
	if l := &of.Light; len(l.Coherent)+len(l.Amplifiers)+len(l.Media) == 0 {
		return d.ObservePaths
	}
	return slices.Concat(d.ObservePaths, d.LightPaths)
}

// Identity is how a device says what it is.
type Identity struct {
	// Version and Chassis are the paths of the leaves to read.
	Version, Chassis string
	// Release turns the version leaf ("v25.3.1-149-g...") into a release ("25.3").
	Release func(version string) string
	// Platform turns the chassis leaf ("7220 IXR-D3L") into a platform name ("7220-IXR-D3L").
	Platform func(chassis string) string
}

// Manners is how an operating system's gNMI server behaves, as data that both the client and the
// simulator read.
type Manners struct {
	Port        int                       // gNMI port
	GNMIVersion string                    // "0.10.0"
	Rollback    time.Duration             // default confirm timer (gNMI commit-confirmed extension)
	Confirm     func(release string) bool // whether a release has the commit-confirmed extension
	Ask         bool                      // nobody has published whether the others have it: a device is asked
	Arbitrate   func(release string) bool // whether a release honours master arbitration; nil: none is known to
	SaveOn      string                    // path of a boolean leaf: while true every commit is saved to startup; "" if none
	StartupFile string                    // gNOI path of the startup configuration, RFC 7951 JSON; "" where nobody can look at it
	Preamble    string                    // member of the startup file that tells who wrote it when, and is no configuration; "" if none
	ReadPaths   []string                  // subtrees to Get for a read-back of everything inside any scope
	Restless    []string                  // state below ReadPaths that changes all the time or has no end, such as counters and routes: nobody subscribes to it
	SetTimeout  time.Duration             // longest time a commit may take
	Sessions    int                       // gRPC sessions that it has for all clients together; 0: none is known to be refused
	Channels    int                       // calls in these at once, of all clients; 0: as sessions
}
