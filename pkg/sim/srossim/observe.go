package srossim

import (
	"time"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// writer writes the state of one device; each feature file adds methods to it.
type writer struct {
	*config.Builder
	o       sim.Observation
	running config.Cursor
	before  config.Cursor // root of what was shown before; zero at first
	router  *network.Router
	state   *network.State
}

// observe adds the state leaves of a device. Before the network was looked at for the first time, nothing is up that needs another
// device.
func observe(b *config.Builder, o sim.Observation) {
	w := &writer{Builder: b, o: o, running: o.Running.Root(), router: o.Router, state: o.State}
	if o.Before != nil && o.Before.Release() == o.Running.Release() {
		w.before = o.Before.Root()
	}
	if w.router == nil {
		w.router = read(o.Hardware, o.Running)
	}
	if w.state == nil {
		w.state = &network.State{}
	}
	if w.state.Links == nil {
		state := *w.state
		state.Links = &network.Links{}
		w.state = &state
	}
	w.system()
	w.cards()
	w.ports()
	w.lags()
	w.lldp()
	w.interfaces()
	w.bfd()
	w.bgp()
	w.isis()
	w.tunnelTable()
	w.services()
	w.segments()
}

// base is the router that is no service's.
func (w *writer) base() *network.Instance {
	n, _ := w.instance(base)
	return n
}

// system writes /state/system and /state/chassis. What it is, its version and its platform, the simulator says.
func (w *writer) system() {
	w.Str(sros.StateSystemOperName, w.router.System)
	w.Uint(sros.StateSystemUpTime, uint64(w.o.Now.Sub(w.o.Booted)/(10*time.Millisecond)))
	w.Str(sros.StateSystemCurrentTime, stamp(w.o.Now))
	w.Str(sros.StateSystemBaseMacAddress, w.o.Hardware.MAC.String())
	w.Str(sros.StateSystemVersionVersionString, "TiMOS-"+version(w.o.Running.Release())+" both/x86_64 Nokia "+w.o.Hardware.Platform+", simulated")
	w.In2(sros.StateChassis, "router", "1", func() {
		w.Str(sros.StateChassisName, "Chassis")
		w.Str(sros.StateChassisRole, "standalone")
		w.Str(sros.StateChassisState, "ok")
		w.Str(sros.StateChassisHardwareDataSerialNumber, w.o.Hardware.Serial)
	})
	w.inBase(func() { w.Str(sros.StateRouterOperRouterId, w.base().RouterID.String()) })
}

// cards writes what is in the slots, whatever is provisioned.
func (w *writer) cards() {
	box, known := hardware.Lookup(w.o.Hardware.Platform)
	if !known {
		return
	}
	for _, card := range box.Cards {
		w.In(sros.StateCard, decimal(card.Slot), func() {
			w.Str(sros.StateCardEquippedType, card.Type)
			for _, mda := range card.MDAs {
				w.In(sros.StateCardMda, decimal(mda.Slot), func() { w.Str(sros.StateCardMdaEquippedType, mda.Type) })
			}
		})
	}
}

// stamp writes a time as /state/system/current-time does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0Z") }

// changed is when what is new came about.
func (w *writer) changed() string {
	if w.o.Changed.IsZero() {
		return stamp(w.o.Now)
	}
	return stamp(w.o.Changed)
}

// since returns the time that belongs to a value: that of before if the value was the same then. entry is what was shown before,
// value and time are leaves below it.
func (w *writer) since(entry config.Cursor, value, when config.ID, now string) string {
	if t := at(entry, when); t.Valid() && at(entry, value).Value() == now {
		return t.Value()
	}
	return w.changed()
}

// counted returns a counter of before, one more if this is the moment that it counts.
func (w *writer) counted(entry config.Cursor, counter config.ID, moment bool) uint64 {
	n := number(entry, counter)
	if moment {
		n++
	}
	return n
}

// upDown is oper-state as most nodes spell it.
func upDown(up bool) string {
	if up {
		return "up"
	}
	return "down"
}
