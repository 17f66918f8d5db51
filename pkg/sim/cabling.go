package sim

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/loomfabric/loom/pkg/sim/light"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Cabling is what is built around devices and plugged into them.
type Cabling struct {
	Wiring    *network.Wiring
	Light     *light.Plant      // nil: no lines
	Platforms map[string]string // of all devices that it is for, by name
}

// File is a file that says what is plugged in, a topology for example.
type File struct {
	Name    string // for messages
	Content []byte
}

// Recabled is what a technician has done. Each list is sorted.
type Recabled struct {
	Plugged, Pulled []string // cables, and patch cords of coherent ports
	Built, Removed  []string // lines; one that was built in another way is in both
	Absent          []string // what would need a restart of the simulation: devices that it does not have, or as other boxes
	Idle            []string // devices that the cabling is not for: they run on, with nothing plugged in
}

// Cable plugs everything as a cabling says, as a technician does who was given new drawings: lines are built and taken
// down, cables and patch cords plugged and pulled, and the servers are those of the cabling. A cable that is pulled takes
// its cut along; other faults stay. Devices are neither added nor removed, and keep their configurations. Once it has
// returned, Settle waits until what follows is seen.
//
// It is refused while a fault has cables swapped: they would be swapped again when it ends.
func (s *Sim) Cable(c Cabling) (Recabled, error) {
	for _, f := range s.Faults() {
		if f.Kind == swapKind {
			return Recabled{}, fmt.Errorf("fault %s: %w", f.ID, errSwapped)
		}
	}
	out := s.misfits(c.Platforms)
	wiring := &network.Wiring{}
	if c.Wiring != nil {
		wiring.Hosts = c.Wiring.Hosts
		wiring.Cables = slices.DeleteFunc(slices.Clone(c.Wiring.Cables), func(k network.Cable) bool {
			return slices.ContainsFunc([]network.End{k.A, k.B}, func(e network.End) bool { return c.Platforms[e.Device] != "" && s.byName[e.Device] == nil })
		})
	}
	w := s.world
	w.mu.Lock()
	out.Pulled, out.Plugged = changed(cords(w.wiring, w.lines), cords(wiring, c.Light))
	out.Removed, out.Built = changed(lines(w.lines), lines(c.Light))
	if reflect.DeepEqual(w.wiring, wiring) && reflect.DeepEqual(w.lines, c.Light) {
		w.mu.Unlock()
		return out, nil
	}
	w.wiring, w.lines, w.altered = wiring, c.Light, true
	w.outages.Cables = maps.Clone(w.outages.Cables) // rounds read it without the lock
	maps.DeleteFunc(w.outages.Cables, func(id string, _ bool) bool {
		return !slices.ContainsFunc(wiring.Cables, func(k network.Cable) bool { return k.String() == id })
	})
	for _, d := range w.devices { // light may have nothing to do with them yet
		w.touched[d] = true
	}
	w.mu.Unlock()
	w.wake()
	s.faults.journal.write(Entry{Event: "cable"})
	return out, nil
}

var errSwapped = errors.New("has swapped cables, and swaps them again when it ends; clear it first")

// misfits compares the devices of a cabling with those that are simulated.
func (s *Sim) misfits(platforms map[string]string) (out Recabled) {
	for _, name := range slices.Sorted(maps.Keys(platforms)) {
		d := s.byName[name]
		switch {
		case d == nil:
			out.Absent = append(out.Absent, name)
		case d.Hardware().Platform != platforms[name]:
			out.Absent = append(out.Absent, fmt.Sprintf("%s as a %s", name, platforms[name]))
		}
	}
	for _, d := range s.devices {
		if platforms[d.Name()] == "" {
			out.Idle = append(out.Idle, d.Name())
		}
	}
	slices.Sort(out.Idle)
	return out
}

// cords are cables and patch cords in words; a channel of light is no cable.
func cords(w *network.Wiring, lines *light.Plant) map[string]any {
	out := map[string]any{}
	for _, c := range w.Cables {
		if lines.Terminal(c.A) == nil || lines.Terminal(c.B) == nil {
			out[c.String()] = nil
		}
	}
	if lines != nil {
		for i := range lines.Terminals {
			out[lines.Terminals[i].Cord()] = nil
		}
	}
	return out
}

// lines are lines by name. How their ROADMs level is set, not built.
func lines(p *light.Plant) map[string]any {
	out := map[string]any{}
	if p != nil {
		for i := range p.Lines {
			l := p.Lines[i]
			l.There.Level, l.Back.Level = 0, 0
			out["line "+l.Name] = l
		}
	}
	return out
}

// changed are the names of what is only in one of two, or another thing in each; sorted.
func changed(before, after map[string]any) (gone, come []string) {
	only := func(a, b map[string]any) (out []string) {
		for _, name := range slices.Sorted(maps.Keys(a)) {
			if other, both := b[name]; !both || !reflect.DeepEqual(a[name], other) {
				out = append(out, name)
			}
		}
		return out
	}
	return only(before, after), only(after, before)
}

// CableFiles is Cable with what files say.
func (s *Sim) CableFiles(files []File) (Recabled, error) {
	if s.config.Cabling == nil {
		return Recabled{}, errors.New("this simulation was started without a topology, and cannot be cabled by one")
	}
	c, err := s.config.Cabling(files)
	if err != nil {
		return Recabled{}, err
	}
	return s.Cable(c)
}
