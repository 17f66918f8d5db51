package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
)

// foresee says what is left while devices of a plan are drained, and which last ways that takes. What a device
// is drained from for its change alone passes over it still where there is no other way; a drain that stays
// has to be approved there.
func (n *network) foresee(p *plan.Plan) {
	out := n.drained()
	var fresh []string
	for _, name := range names(n.out) {
		if p.Device(name) != nil {
			fresh = append(fresh, name)
		}
	}
	o := newOutage(n.design, out, fresh)
	p.Forecast = o.forecast()
	p.Risks = append(p.Risks, o.uplinks()...)
	p.Risks = append(p.Risks, o.segments()...)
	p.Risks = append(p.Risks, o.reflectors()...)
	for _, wave := range p.Waves {
		o := newOutage(n.design, n.drained(), nil)
		for _, name := range wave {
			if p.Device(name).Drain != nil {
				o.out[name] = true
				o.fresh = append(o.fresh, name)
			}
		}
		p.Forecast = append(p.Forecast, o.forecast()...)
		p.Risks = append(p.Risks, o.segments()...)
	}
}

// outage is a design with some devices drained.
type outage struct {
	design *fabric.Design
	out    map[string]bool // all that are drained
	fresh  []string        // those of them that are so by the plan
}

func newOutage(d *fabric.Design, out map[string]bool, fresh []string) *outage {
	return &outage{d, out, fresh}
}

// forecast is a line or more for each device that is drained anew.
func (o *outage) forecast() []string {
	var out []string
	for _, name := range o.fresh {
		d := o.design.Device(name)
		for _, line := range slices.Concat(o.passed(d), o.between(d), o.shared(d), o.alone(d)) {
			out = append(out, name+": "+line)
		}
	}
	return out
}

// left is what a device has of its links over devices that are not drained.
type left struct {
	links, all  int
	speed, full uint64 // Gbit/s
}

func (o *outage) left(d *fabric.Device) left {
	var x left
	for i := range d.Links {
		l := &d.Links[i]
		speed := gigabits(d, l.Port, l.Speed)
		x.all, x.full = x.all+1, x.full+speed
		if !o.out[l.PeerName] {
			x.links, x.speed = x.links+1, x.speed+speed
		}
	}
	return x
}

// gigabits is the speed of a port, its own where none is given.
func gigabits(d *fabric.Device, port, speed string) uint64 {
	if i := d.Platform.PortIndex(port); speed == "" && i >= 0 {
		speed = d.Platform.Ports[i].Speeds[0]
	}
	n, _ := strconv.ParseUint(strings.TrimSuffix(speed, "G"), 10, 64) // the profile has checked it
	return n
}

// passed is what the leaves of a spine have left, those that have the same in a line.
func (o *outage) passed(d *fabric.Device) []string {
	if d.Role != fabric.Spine {
		return nil
	}
	by := map[left][]string{}
	var order []left
	for _, leaf := range o.design.Devices {
		if leaf.Role != fabric.Leaf || !slices.ContainsFunc(leaf.Links, func(l fabric.Link) bool { return l.PeerName == d.Name }) {
			continue
		}
		x := o.left(leaf)
		if by[x] == nil {
			order = append(order, x)
		}
		by[x] = append(by[x], leaf.Name)
	}
	var out []string
	for _, x := range order {
		out = append(out, fmt.Sprintf("%d of %d uplinks, %d of %d Gbit/s are left to each of %s", x.links, x.all, x.speed, x.full, list(by[x])))
	}
	return out
}

// ends are the devices of every ethernet segment, by ESI.
func (o *outage) ends() map[string][]*fabric.Device {
	out := map[string][]*fabric.Device{}
	for _, d := range o.design.Devices {
		for i := range d.LAGs {
			if esi := d.LAGs[i].ESI; esi != "" {
				out[esi] = append(out[esi], d)
			}
		}
	}
	return out
}

// shared is over whom the ethernet segments of a leaf go on.
func (o *outage) shared(d *fabric.Device) []string {
	ends := o.ends()
	over := map[string]int{}
	for i := range d.LAGs {
		if d.LAGs[i].ESI == "" {
			continue
		}
		var rest []string
		for _, e := range ends[d.LAGs[i].ESI] {
			if !o.out[e.Name] {
				rest = append(rest, e.Name)
			}
		}
		over[join(rest)]++
	}
	var out []string
	for _, rest := range sortedKeys(over) {
		if rest == "" {
			out = append(out, sizes(over[rest], "ethernet segment")+" cut off: all ends are drained")
			continue
		}
		out = append(out, fmt.Sprintf("%s left to %s", sizes(over[rest], "ethernet segment"), rest))
	}
	return out
}

// alone is what hangs on this leaf only.
func (o *outage) alone(d *fabric.Device) []string {
	var ports []string
	tenants := map[string]bool{}
	add := func(port, description string, subs []fabric.SubPort) {
		if description != "" {
			port += " (" + description + ")"
		}
		ports = append(ports, port)
		for _, s := range subs {
			tenant, _, _ := strings.Cut(s.Segment, "/")
			tenants[tenant] = true
		}
	}
	for i := range d.Ports {
		if p := &d.Ports[i]; p.LAG == 0 {
			add(p.Port, p.Description, p.Subs)
		}
	}
	for i := range d.LAGs {
		if l := &d.LAGs[i]; l.ESI == "" {
			add("lag"+strconv.FormatUint(uint64(l.Number), 10), l.Description, l.Subs)
		}
	}
	if len(ports) == 0 {
		return nil
	}
	of := ""
	if len(tenants) > 0 {
		of = " of " + join(sortedKeys(tenants))
	}
	return []string{fmt.Sprintf("%s%s on this leaf only: connected while it is drained, cut off when it goes down", list(ports), of)}
}

// anew tells whether one of some devices is drained by the plan.
func (o *outage) anew(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(o.fresh, n) })
}

// uplinks are the leaves of which all spines are drained.
func (o *outage) uplinks() []plan.Risk {
	var out []plan.Risk
	for _, d := range o.design.Devices {
		var peers []string
		for i := range d.Links {
			peers = append(peers, d.Links[i].PeerName)
		}
		if x := o.left(d); d.Role == fabric.Leaf && x.all > 0 && x.links == 0 && o.anew(peers) {
			out = append(out, plan.Risk{
				Class: plan.LastUplink, Device: d.Name, Change: fmt.Sprintf("uplinks over spines that are not drained: %d → none", x.all),
				Why: "all its traffic has to pass over drained spines; should they go down, the leaf is cut off",
			})
		}
	}
	return out
}

// segments are the ethernet segments of which all ends are drained.
func (o *outage) segments() []plan.Risk {
	var out []plan.Risk
	ends := o.ends()
	for _, d := range o.design.Devices {
		for i := range d.LAGs {
			all := ends[d.LAGs[i].ESI]
			if d.LAGs[i].ESI == "" || all[0] != d {
				continue
			}
			var in []string
			for _, e := range all {
				if o.out[e.Name] {
					in = append(in, e.Name)
				}
			}
			if len(in) == len(all) && o.anew(in) {
				out = append(out, plan.Risk{
					Class: plan.LastUplink, Device: d.Name, Change: fmt.Sprintf("ends of ethernet segment %s that are not drained: %d → none", d.LAGs[i].ESName, len(all)),
					Why: "servers on the segment are cut off",
				})
			}
		}
	}
	return out
}

// reflectors are the sites of which all route reflectors are drained.
func (o *outage) reflectors() []plan.Risk {
	sites := map[string][]string{}
	for _, d := range o.design.Devices {
		if d.Overlay.Reflector {
			sites[d.Site] = append(sites[d.Site], d.Name)
		}
	}
	var out []plan.Risk
	for _, site := range sortedKeys(sites) {
		if all := sites[site]; o.anew(all) && !slices.ContainsFunc(all, func(n string) bool { return !o.out[n] }) {
			out = append(out, plan.Risk{
				Class: plan.RouteReflector, Change: fmt.Sprintf("site %s: all that reflect routes are drained: %s", site, list(all)),
				Why: "should they go down, leaves of the site learn no routes from each other",
			})
		}
	}
	return out
}
