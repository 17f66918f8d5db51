package sim

import "github.com/loomfabric/loom/pkg/config"

// serverConfig returns how the running configuration wants the gNMI server to be.
func (d *Device) serverConfig() Server { return d.serverOf(d.Running()) }

// serverOf returns how a configuration wants the gNMI server to be.
func (d *Device) serverOf(c *config.Tree) Server {
	if sw := d.spec.Software; sw != nil && sw.Server != nil {
		return sw.Server(c)
	}
	return Server{}
}

// current returns the running configuration.
func (d *Device) current() configuration {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = d.sim.config.Clock.Now()
	return d.running
}

// snapshot returns what there is to see at and below some paths, with the defaults that are in use where they are
// wanted, and the configuration that it shows.
func (d *Device) snapshot(paths []config.Path, defaults bool) (*config.Tree, configuration) {
	for {
		view, changed := d.look(d.wantsLarge(paths), defaults)
		d.mu.Lock()
		running, same := d.running, d.changed == changed
		d.mu.Unlock()
		if same {
			return view, running
		}
	}
}
