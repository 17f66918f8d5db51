package sim

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
)

// update returns an update of the fault's path, or of some leaf where the kind takes none.
func (f *injected) update(n int) *gnmi.SubscribeResponse {
	path, value := f.Path, f.Value
	if path == "" {
		path = f.flooded()
	}
	if value == "" {
		value = quote(strconv.Itoa(n))
	}
	return f.notification(&gnmi.Notification{Update: []*gnmi.Update{update(numbered(path, n%max(1, f.Count)), []byte(value))}})
}

// flooded is the path of a leaf of text of the fault's device, with * for a number that counts. A device that has no
// such leaf, by another release, is told about its root.
func (f *injected) flooded() string {
	path, _ := f.sim.byName[f.Target].freeLeaf(textLeaf, "")
	return path
}

// textLeaf are leaves of configuration and state that take any text.
var textLeaf = &seat{leaf: true, state: true, counted: true, spoken: `"0"`}

// hasTextLeaf is the judge of kinds that need flooded.
func hasTextLeaf(s *Sim, f *Fault) error {
	_, err := s.byName[f.Target].freeLeaf(textLeaf, "")
	return err
}

// freeLeaf returns the path of the first leaf of the device's schema that lies in lists whose keys may count, and takes
// the value: what a fault is about that names no path.
func (d *Device) freeLeaf(s *seat, value string) (string, error) {
	schema := d.spec.Driver.Schema
	release := schema.Release(d.release())
	var found string
	var look func(parent config.ID, at string)
	look = func(parent config.ID, at string) {
		for _, id := range schema.Nodes[parent].Children {
			n := schema.Nodes[id]
			path := at + "/" + n.Name + wildKeys(schema, n)
			switch leaf := n.Kind == config.Leaf || n.Kind == config.LeafList; {
			case found != "" || !n.In.Has(release):
			case leaf && strings.Contains(path, "*") && s.judge(d, &Fault{Path: path, Value: value}) == nil:
				found = path
			case !leaf && d.counts(path):
				look(id, path)
			}
		}
	}
	if look(config.Root, ""); found == "" {
		return "", fmt.Errorf("path: no list of release %s has names that count and a leaf for this value; name a path", d.release())
	}
	return found, nil
}

// counts tells whether the keys of a path may be numbers that count.
func (d *Device) counts(path string) bool {
	_, err := d.node(numbered(path, 0), false)
	return err == nil
}

// wildKeys writes the keys of a list, each of them open: "[name=*]".
func wildKeys(s *config.Schema, list config.Node) string {
	var b strings.Builder
	for _, k := range list.Keys {
		fmt.Fprintf(&b, "[%s=*]", s.Nodes[k].Name)
	}
	return b.String()
}

// numbered returns a path with a number in place of each *.
func numbered(path string, n int) config.Path {
	return pathOf(strings.ReplaceAll(path, "*", "sim-"+strconv.Itoa(n)))
}
