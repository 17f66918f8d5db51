package srlsim

import (
	"strconv"
	"time"

	srl "github.com/loomfabric/loom/models/srlinux"
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
	release int // index in the schema
}

// observe adds the state leaves of a device. Before the network was looked at for the first time, nothing is up
// that needs another device.
func observe(b *config.Builder, o sim.Observation) {
	w := &writer{Builder: b, o: o, running: o.Running.Root(), router: o.Router, state: o.State}
	w.release = srl.Schema.Release(o.Running.Release())
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
	w.platform()
	w.interfaces()
	w.lldp()
	w.bfd()
	w.instances()
	w.tunnels()
	w.segments()
}

// Times are in the form of /system/information/current-datetime.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// changed is when what is new came about.
func (w *writer) changed() string {
	if w.o.Changed.IsZero() {
		return stamp(w.o.Now)
	}
	return stamp(w.o.Changed)
}

// since returns the time that belongs to a value: that of before if the value was the same then.
// entry is what was shown before, value and time are leaves below it.
func (w *writer) since(entry config.Cursor, value, when config.ID, now string) string {
	if t := at(entry, when); t.Valid() && at(entry, value).Value() == now {
		return t.Value()
	}
	return w.changed()
}

// kept returns a leaf of before, or the time of the change where there is none.
func (w *writer) kept(entry config.Cursor, when config.ID) string {
	if t := at(entry, when); t.Valid() {
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

// because sets the reason of an oper-state, if it is down. A reason that the leaf has no word for is "other"
// where it has that, and otherwise not said.
func (w *writer) because(id config.ID, o network.Oper) {
	if o.Up || o.Reason == "" {
		return
	}
	for _, word := range []string{o.Reason, "other"} {
		if _, err := srl.Schema.Canonical(id, w.release, word); err == nil {
			w.Str(id, word)
			return
		}
	}
}

// item is the path of an entry of a list, by its keys in the order of its key statement.
func item(parent config.Path, list config.ID, keys ...string) config.Path {
	n := &srl.Schema.Nodes[list]
	e := config.Elem{Name: n.Name}
	for i, id := range n.Keys {
		e.Keys = append(e.Keys, config.KeyValue{Name: srl.Schema.Nodes[id].Name, Value: keys[i]})
	}
	return parent.Append(e)
}

// below is the path of a node below an entry, with containers in between.
func below(entry config.Path, list, id config.ID) config.Path {
	if id == list {
		return entry
	}
	n := &srl.Schema.Nodes[id]
	return below(entry, list, n.Parent).Child(n.Name)
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
