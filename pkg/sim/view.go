package sim

import (
	"slices"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/light"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// fresh is how long a view is shown before what changes by itself in it, counters, is looked at anew.
const fresh = time.Second

// sighting is what the network last let a device see.
type sighting struct {
	plant   *network.Plant
	routing network.Routing
	light   *Light
	of      *shelf         // the configuration of the device that was looked at
	state   *network.State // made from plant and routing when somebody asks
}

// look returns the running configuration with the state that follows from it and from the network, and a
// channel that is closed when either changes. Large tables are part of it only where they are wanted: most
// who look do not, and they are most of the work. So are, where they are wanted, the defaults that are in use.
func (d *Device) look(large, defaults bool) (*config.Tree, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.sim.config.Clock.Now(); now.Sub(d.viewed) >= fresh && d.spec.Software != nil {
		d.forget()
		d.viewed = now
	}
	if defaults {
		return d.fullOf(large), d.changed
	}
	return d.viewOf(large), d.changed
}

// forget lets the views be made anew. The caller holds mu.
func (d *Device) forget() { d.view, d.full = [2]*config.Tree{}, [2]*config.Tree{} }

// fullOf returns the view of now with defaults. The caller holds mu.
func (d *Device) fullOf(large bool) *config.Tree {
	i := 0
	if large {
		i = 1
	}
	if d.full[i] == nil {
		d.full[i] = withDefaults(d.viewOf(large))
	}
	return d.full[i]
}

// PutAway makes every device that nobody has looked at for a while take less memory: what it has shown is packed, and what
// follows from other things is forgotten. Nobody can tell, but by the millisecond that looking takes longer. Whoever owns
// the process knows when it is worth it.
func (s *Sim) PutAway(unused time.Duration) {
	for _, d := range s.devices {
		d.putAway(unused)
	}
}

func (d *Device) putAway(unused time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sim.config.Clock.Now().Sub(d.asked) < unused {
		return
	}
	d.forget()
	for _, s := range []*shelf{d.shown, d.running.shelf, d.startup.shelf, d.former.shelf} {
		s.pack()
	}
	if s := d.sight; s != nil && s.state != nil {
		d.sight = &sighting{plant: s.plant, routing: s.routing, light: s.light, of: s.of}
	}
}

// viewOf returns the view of now, made when it is first asked for. The caller holds mu.
func (d *Device) viewOf(large bool) *config.Tree {
	i := 0
	if large {
		i = 1
	}
	d.asked = d.sim.config.Clock.Now()
	if d.view[i] == nil {
		d.view[i] = d.observe(large)
		d.shown = &shelf{whole: d.view[i]}
	}
	return d.view[i]
}

// View returns what a client sees of the device, configuration and state, and a channel that is closed when
// that changes. Counters are as they were when something last changed.
func (d *Device) View(large bool) (*config.Tree, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.viewOf(large), d.changed
}

// wantsLarge tells whether one of some paths leads to a large table, or may have one below it.
func (d *Device) wantsLarge(paths []config.Path) bool {
	sw := d.spec.Software
	return sw != nil && slices.ContainsFunc(paths, func(p config.Path) bool {
		return slices.ContainsFunc(sw.Large, func(table config.Path) bool { return meets(p, table) })
	})
}

// meets tells whether of two paths one may lie at or below the other, whatever their keys.
func meets(p, q config.Path) bool {
	for i := range min(len(p), len(q)) {
		switch p[i].Name {
		case anyLevels:
			return true
		case "*", q[i].Name:
		default:
			return false
		}
	}
	return true
}

// see shows a device what has become of the network.
func (d *Device) see(s *sighting) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sight = s
	d.stir()
}

// renew tells a device that what it sees follows from this sighting too. Nothing is new to those who look.
func (d *Device) renew(s sighting) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s.state = d.sight.state
	d.sight = &s
}

// stir tells those who look that there is something new. The caller holds mu.
func (d *Device) stir() {
	d.forget()
	d.stirred = d.sim.config.Clock.Now()
	d.viewed = d.stirred
	close(d.changed)
	d.changed = make(chan struct{})
}

// observe returns the running configuration with the state that follows from it. The caller holds mu.
func (d *Device) observe(large bool) *config.Tree {
	running := d.running.tree()
	b, err := config.NewBuilder(running.Schema(), running.Release())
	if err != nil {
		panic(err) // the release was checked when the device was made
	}
	b.Load(running)
	if sw := d.spec.Software; sw != nil && sw.Observe != nil {
		sw.Observe(b, d.observation(large))
	} else {
		interfaces(b, running)
	}
	d.identity(b)
	view, err := b.Tree()
	if err != nil {
		// The configuration was accepted, so this is a fault of ours: state is missing, not wrong.
		d.log.Error("state does not fit the schema", "error", err)
		return running
	}
	return view
}

// observation is what state is made from. The caller holds mu.
func (d *Device) observation(large bool) Observation {
	o := Observation{
		Running: d.running.tree(), Hardware: d.hardware(), Before: d.shown.tree(),
		Booted: d.booted(), Changed: d.stirred, Now: d.sim.config.Clock.Now(), Server: d.serverState(), Large: large,
		Noise: light.Noise{Seed: d.sim.config.Noise, Now: d.sim.config.Clock.Now()},
	}
	if s := d.sight; s != nil {
		if s.state == nil && s.plant.Routers[d.spec.Name] != nil {
			s.state = network.Observe(s.plant, s.routing, d.spec.Name)
		}
		o.Router, o.State, o.Light = s.plant.Routers[d.spec.Name], s.state, s.light
		if sw := d.spec.Software; s.of != d.running.shelf && sw.Read != nil {
			// The network has not looked at this configuration yet. What has to do with the others is as it was; what
			// is not configured any more has no state.
			r := sw.Read(o.Hardware, o.Running)
			r.Name, r.Boots = d.spec.Name, d.boots
			o.Router = r
		}
	}
	return o
}

// setIn sets one node of another tree.
func setIn(b *config.Builder, c config.Cursor) {
	switch kind := c.Node().Kind; {
	case kind == config.Leaf || c.IsValue():
		b.SetPath(c.Path(), c.Value())
	case kind == config.Presence || c.IsEntry():
		b.SetPath(c.Path(), "")
	}
}

// identity sets the leaves that say what the device is.
func (d *Device) identity(b *config.Builder) {
	b.SetPath(d.versionAt, d.image.Load().version)
	b.SetPath(d.chassisAt, d.chassis)
}

// interfaces sets the oper-state of each configured interface: up unless it is disabled. This is all the
// state of a device without software.
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

// configured returns what the network has to know of the device.
func (d *Device) configured() (network.Hardware, configuration, uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.hardware(), d.running, d.boots
}
