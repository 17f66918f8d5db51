package sim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// Cables returns the ids of all cables, sorted: "leaf1:ethernet-1/49 - spine1:ethernet-1/1".
func (s *Sim) Cables() []string {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	var ids []string
	for _, c := range s.world.wiring.Cables {
		ids = append(ids, c.String())
	}
	slices.Sort(ids)
	return ids
}

// Cut cuts a cable, or mends it. A cable is named by its id or by one of its ends.
func (s *Sim) Cut(cable string, down bool) error {
	return s.world.alter(func(w *network.Wiring, o *network.Outages) error {
		i, err := find(w, cable)
		if err != nil {
			return err
		}
		set(o.Cables, w.Cables[i].String(), down)
		return nil
	})
}

// Swap plugs the far ends of two cables into each other's place, as somebody does who mixes them up.
// Swapping them again mends it.
func (s *Sim) Swap(one, other string) error {
	return s.world.alter(func(w *network.Wiring, o *network.Outages) error {
		i, err := find(w, one)
		if err != nil {
			return err
		}
		j, err := find(w, other)
		if err != nil {
			return err
		}
		if i == j {
			return fmt.Errorf("%q and %q are the same cable; name two to swap", one, other)
		}
		for _, k := range []int{i, j} {
			if s.world.isChannel(w.Cables[k]) {
				return fmt.Errorf("%s: is a channel of light, which nobody plugs; swap cables", w.Cables[k])
			}
		}
		a, b := &w.Cables[i], &w.Cables[j]
		cut := [2]bool{o.Cables[a.String()], o.Cables[b.String()]}
		set(o.Cables, a.String(), false)
		set(o.Cables, b.String(), false)
		a.B, b.B = b.B, a.B
		set(o.Cables, a.String(), cut[0])
		set(o.Cables, b.String(), cut[1])
		return nil
	})
}

// PortDown takes the light from a port, or gives it back: both sides of its cable see none.
func (s *Sim) PortDown(device, port string, down bool) error {
	if err := s.hasPort(device, port); err != nil {
		return err
	}
	return s.world.alter(func(_ *network.Wiring, o *network.Outages) error {
		set(o.Ports, network.End{Device: device, Port: port}, down)
		return nil
	})
}

// hasPort tells what is wrong with the name of a port, or of a channel of one.
func (s *Sim) hasPort(device, port string) error {
	d := s.byName[device]
	if d == nil {
		return s.missing(device)
	}
	body := d.Hardware()
	if !slices.ContainsFunc(body.Ports, func(j network.Jack) bool { return j.Name == port || strings.HasPrefix(port, j.Name+"/") }) {
		return fmt.Errorf("device %s: no port %q on a %s", device, port, body.Platform)
	}
	return nil
}

// Power switches a device off, or on again: it then boots its startup configuration.
func (s *Sim) Power(device string, on bool) error {
	d := s.byName[device]
	if d == nil {
		return s.missing(device)
	}
	if on {
		d.Reboot()
	} else {
		d.Stop()
	}
	return s.world.alter(func(_ *network.Wiring, o *network.Outages) error {
		set(o.Devices, device, !on)
		return nil
	})
}

// find returns the index of a cable.
func find(w *network.Wiring, name string) (int, error) {
	i := slices.IndexFunc(w.Cables, func(c network.Cable) bool {
		return c.String() == name || c.A.String() == name || c.B.String() == name
	})
	if i < 0 {
		return 0, fmt.Errorf("cable %q: there is none between or at these ports", name)
	}
	return i, nil
}

func set[K comparable](m map[K]bool, key K, on bool) {
	if on {
		m[key] = true
	} else {
		delete(m, key)
	}
}
