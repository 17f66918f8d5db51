package sim

import (
	"github.com/loomfabric/loom/pkg/config"
)

// look returns the running configuration with the state that follows from it, and a channel that is
// closed when that changes.
func (d *Device) look() (*config.Tree, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.view == nil {
		d.view = d.observe(d.running.tree)
	}
	return d.view, d.changed
}

// observe returns a configuration with the state that follows from it.
func (d *Device) observe(running *config.Tree) *config.Tree {
	b, err := config.NewBuilder(running.Schema(), running.Release())
	if err != nil {
		panic(err) // the release was checked when the device was made
	}
	copyInto(b, running)
	d.identity(b)
	interfaces(b, running)
	view, err := b.Tree()
	if err != nil {
		// The configuration was accepted, so this is a fault of ours: state is missing, not wrong.
		d.log.Error("state does not fit the schema", "error", err)
		return running
	}
	return view
}

// copyInto sets everything that a tree has.
func copyInto(b *config.Builder, t *config.Tree) {
	for c := range t.All() {
		switch kind := c.Node().Kind; {
		case kind == config.Leaf || c.IsValue():
			b.SetPath(c.Path(), c.Value())
		case kind == config.Presence || c.IsEntry():
			b.SetPath(c.Path(), "")
		}
	}
}

// identity sets the leaves that say what the device is.
func (d *Device) identity(b *config.Builder) {
	b.SetPath(d.versionAt, d.version)
	b.SetPath(d.chassisAt, d.chassis)
}

// interfaces sets the oper-state of each configured interface: up unless it is disabled. There are no
// cables yet.
func interfaces(b *config.Builder, running *config.Tree) {
	list, ok := running.Schema().Child(config.Root, "interface")
	if !ok {
		return
	}
	admin, _ := running.Schema().Child(list, "admin-state")
	oper, ok := running.Schema().Child(list, "oper-state")
	if !ok || !b.Has(oper) {
		return
	}
	c := running.Root().Child(list)
	if !c.Valid() {
		return
	}
	for entry := range c.Children() {
		state := "up"
		if a := entry.Child(admin); a.Valid() && a.Value() == "disable" {
			state = "down"
		}
		b.SetPath(entry.Path().Child("oper-state"), state)
	}
}
