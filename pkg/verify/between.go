package verify

import (
	"fmt"
	"maps"
	"slices"

	"github.com/loomfabric/loom/pkg/fabric"
)

// parted returns the broken links that cut a device off from another: those that lead out of what it still reaches. None where it
// reaches the other. Leaves are no way: they announce nothing but themselves.
func (k *checker) parted(a, b string) []string {
	reached := map[string]bool{a: true}
	var broken []string
	trunks := overTrunks(k.index.design.Device(a), k.index.design.Device(b))
	for todo := []string{a}; len(todo) > 0; todo = todo[1:] {
		d := k.index.design.Device(todo[0])
		if d == nil {
			todo = append(todo, k.index.behind(todo[0], reached)...)
			continue
		}
		if d.Role == fabric.Leaf && d.Name != a {
			continue
		}
		for i := range d.Links {
			if trunks && d.Links[i].Trunk == "" {
				continue
			}
			far := d.Links[i].PeerName
			if down := k.brokenWay(d, &d.Links[i]); len(down) > 0 {
				broken = append(broken, down...)
			} else if !reached[far] {
				reached[far] = true
				todo = append(todo, far)
			}
		}
	}
	if reached[b] {
		return nil
	}
	return k.leadingOut(broken, reached)
}

// leadingOut are findings of links of which one end is reached and the other is not.
func (k *checker) leadingOut(broken []string, reached map[string]bool) []string {
	return slices.DeleteFunc(broken, func(one string) bool {
		c := k.byID[one].contract
		return reached[c.Device] == reached[c.Far[0]]
	})
}

// afar returns why two devices of different sites do not hear each other's EVPN routes: sessions that are down, where every way has
// one, from one of them over a reflector of its site and one of the other's. False where there is no such way by the design.
func (k *checker) afar(a, b string) (down []string, designed bool) {
	all := map[string]bool{}
	for _, near := range k.index.neighborsOf(a) {
		for _, far := range k.index.neighborsOf(b) {
			if !k.index.speaks[near][far] {
				continue
			}
			designed = true
			broken := k.downSessions(pairObject(a, near), pairObject(near, far), pairObject(far, b))
			if len(broken) == 0 {
				return nil, true
			}
			for _, one := range broken {
				all[one] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all)), designed
}

// capacities says of each DCI whose channels or cables are down what it still carries, and what tenants whose packets take it have left.
func (k *checker) capacities() {
	lost := map[string]int{}
	for i := range k.index.design.Channels {
		if c := &k.index.design.Channels[i]; k.byID[id(ChannelDown, c.Name)] != nil {
			lost[c.DCI] += c.Mode.Rate
		}
	}
	for i := range k.index.design.DCIs {
		if x := &k.index.design.DCIs[i]; len(x.Circuits) > 0 {
			if gone := x.Cables - x.Carried(func(c *fabric.Circuit) bool { return k.byID[circuitDown(c)] != nil }); gone > 0 {
				lost[x.Name] += gone
			}
		}
	}
	if len(lost) == 0 {
		return
	}
	usual, now := k.index.design.Reaches(nil), k.index.design.Reaches(lost)
	for i := range k.index.design.DCIs {
		x := &k.index.design.DCIs[i]
		if lost[x.Name] == 0 {
			continue
		}
		f := k.capacity(x, lost[x.Name])
		for j, r := range now {
			if r.Less() && slices.Contains(usual[j].Over, x.Name) {
				f.evidence = append(f.evidence, r.String())
			}
		}
	}
}

// capacity drafts what is left of a DCI.
func (k *checker) capacity(x *fabric.DCI, lost int) *draft {
	all := x.Cables
	c := &Contract{Object: x.Name, Ref: x.Ref}
	var causes []string
	follows := func(down string) {
		if k.byID[down] != nil {
			causes = append(causes, down)
			c.Far = append(c.Far, k.byID[down].Devices...)
		}
	}
	for _, name := range x.Channels {
		all += k.index.light().channels[name].Mode.Rate
		follows(id(ChannelDown, name))
	}
	for i := range x.Circuits {
		follows(circuitDown(&x.Circuits[i]))
	}
	severity := Warning
	if lost == all {
		severity = Error
	}
	c.Device, c.Far = c.Far[0], c.Far[1:]
	f := k.draft(CapacityLost, severity, c, fmt.Sprintf("carries %d of %d Gb/s between %s and %s", all-lost, all, x.A, x.B))
	f.farther = causes
	return f
}

// circuitDown is the ID of the finding that a cable between sites is down.
func circuitDown(c *fabric.Circuit) string {
	return id(InterfaceDown, pairObject(Far{c.Device, c.Port}.String(), Far{c.Far, c.FarPort}.String()))
}

// behind are the devices that cables join with a router that Loom does not manage, and that nothing reached before: it passes on what
// it is sent, as far as anybody here knows.
func (x *Index) behind(router string, reached map[string]bool) []string {
	var out []string
	for _, c := range x.design.Cables {
		if c.B.External && c.B.Device == router && !reached[c.A.Device] {
			reached[c.A.Device] = true
			out = append(out, c.A.Device)
		}
	}
	return out
}
