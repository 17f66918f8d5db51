package sim

import (
	"fmt"
	"slices"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
)

// Hold gives the device configuration that its schema has no name or no value for, as a router has of a release
// or of an application that nobody knows. It takes the place of what is there. The device shows it, saves it and
// has it deleted; it cannot be set by gNMI, for nothing tells what may be set.
func (d *Device) Hold(u config.Unknown) error {
	if _, err := decode(u.JSON); err != nil || len(u.Path) == 0 {
		return fmt.Errorf("%s: %s: want a path below the root, and JSON: %v", d.spec.Name, u.Path, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	after := d.running
	after.unknown = append(slices.DeleteFunc(slices.Clone(after.unknown), func(o config.Unknown) bool { return o.Path.Equal(u.Path) }), u)
	if d.running.tree().Find(u.Path).Valid() {
		tree, err := config.Apply(d.running.tree(), &gnmi.SetRequest{Delete: []*gnmi.Path{u.Path.GNMI()}})
		if err != nil {
			return fmt.Errorf("%s: %w", d.spec.Name, err)
		}
		after = configured(tree, after.unknown)
	}
	d.run(after)
	if d.pending == nil {
		d.save()
	}
	return nil
}

// forget does the deletes of a request that name unknown parts, and returns what is left to do.
func (c configuration) forget(req *gnmi.SetRequest) (configuration, *gnmi.SetRequest) {
	if len(c.unknown) == 0 {
		return c, req
	}
	rest := &gnmi.SetRequest{Prefix: req.GetPrefix(), Replace: req.GetReplace(), Update: req.GetUpdate()}
	for _, p := range req.GetDelete() {
		path, err := config.FromGNMI(req.GetPrefix(), p)
		named := func(u config.Unknown) bool { return err == nil && u.Path.Equal(path) }
		if !slices.ContainsFunc(c.unknown, named) {
			rest.Delete = append(rest.Delete, p)
			continue
		}
		c.unknown = slices.DeleteFunc(slices.Clone(c.unknown), named)
	}
	return c, rest
}

// replaced leaves out the values that others have come in place of: a leaf has one. Those of a leaf-list too, for
// what an update adds to is not known.
func replaced(unknown []config.Unknown, t *config.Tree) []config.Unknown {
	return slices.DeleteFunc(slices.Clone(unknown), func(u config.Unknown) bool { return t.Find(u.Path).Valid() })
}
