package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/fabric"
	"google.golang.org/protobuf/proto"
)

// growth is an intent with one more rack and one more segment, and what was added.
type growth struct {
	intent  *intent.Topology
	leaves  []string // names of the new leaves
	summary []string // a line per addition
}

// touches tells whether a device has to do with the new rack: it is in it, or cabled to it.
func (g growth) touches(d *fabric.Device) bool {
	if slices.Contains(g.leaves, d.Name) {
		return true
	}
	return slices.ContainsFunc(d.Links, func(l fabric.Link) bool { return slices.Contains(g.leaves, l.PeerName) })
}

// grow adds a rack like the last one to the first site, and a segment on its first port to the
// first tenant: what an operator does on an ordinary day.
func grow(n *network) (growth, error) {
	g := growth{intent: proto.CloneOf(n.topo.Intent)}
	site := g.intent.Sites[0]
	leaf, spines := lastLeaf(site)
	if leaf == nil {
		return g, fmt.Errorf("site %s has no leaf to add one like it", site.Name)
	}
	g.addLeaves(site, leaf)
	if site.Cabling == intent.Cabling_CABLING_EXPLICIT {
		if err := g.addCables(site, leaf, spines); err != nil {
			return g, err
		}
	}
	if len(g.intent.Tenants) > 0 {
		g.addSegment(g.intent.Tenants[0])
	}
	return g, nil
}

func lastLeaf(site *intent.Site) (leaf *intent.Device, spines []*intent.Device) {
	for _, d := range site.Devices {
		switch {
		case d.Role == intent.Role_ROLE_SPINE:
			spines = append(spines, d)
		case d.Role == intent.Role_ROLE_LEAF && (leaf == nil || d.Number > leaf.Number):
			leaf = d
		}
	}
	return leaf, spines
}

// addLeaves adds one leaf, or a pair where the last leaf is one of a pair.
func (g *growth) addLeaves(site *intent.Site, like *intent.Device) {
	count := uint32(1)
	if like.Peer != "" {
		count = 2
	}
	var added []*intent.Device
	for i := range count {
		d := proto.CloneOf(like)
		d.Number = like.Number + 1 + i
		d.Name = fmt.Sprintf("%sleaf%d", site.Prefix, d.Number)
		d.Asn, d.Loopback, d.Management, d.Fingerprint, d.Peer = 0, "", "", "", ""
		added = append(added, d)
		g.leaves = append(g.leaves, d.Name)
	}
	what := "one leaf"
	if count == 2 {
		added[0].Peer, added[1].Peer = added[1].Name, added[0].Name
		what = "a pair"
	}
	site.Devices = append(site.Devices, added...)
	g.summary = append(g.summary, fmt.Sprintf("%s (%s): %s", strings.Join(g.leaves, ", "), like.Platform, what))
}

// addCables joins each new leaf to every spine, on the first ports that no listed cable uses.
func (g *growth) addCables(site *intent.Site, like *intent.Device, spines []*intent.Device) error {
	for _, name := range g.leaves {
		for _, spine := range spines {
			a, b := g.freePort(name, like.Platform, true), g.freePort(spine.Name, spine.Platform, false)
			if a == "" || b == "" {
				return fmt.Errorf("no free port for a cable between %s and %s", name, spine.Name)
			}
			g.intent.Cables = append(g.intent.Cables, &intent.Cable{A: &intent.End{Device: name, Port: a}, B: &intent.End{Device: spine.Name, Port: b}})
			g.summary = append(g.summary, fmt.Sprintf("cable %s:%s - %s:%s", name, a, spine.Name, b))
		}
	}
	return nil
}

// freePort is the first port without a cable: an uplink of a leaf, any port of a spine.
func (g *growth) freePort(device, platform string, uplink bool) string {
	used := map[string]bool{}
	for _, c := range g.intent.Cables {
		for _, e := range []*intent.End{c.A, c.B} {
			if e.Device == device {
				used[e.Port] = true
			}
		}
	}
	p, _ := hardware.Lookup(platform)
	ports := p.Uplinks
	if !uplink {
		ports = nil
		for _, x := range p.Ports {
			ports = append(ports, x.Name)
		}
	}
	if i := slices.IndexFunc(ports, func(name string) bool { return !used[name] }); i >= 0 {
		return ports[i]
	}
	return ""
}

// freeSegment is the first number from 100 that no segment has, so that it is good for a VLAN too.
func (g *growth) freeSegment() uint32 {
	used := map[uint32]bool{}
	for _, t := range g.intent.Tenants {
		for _, s := range t.Segments {
			used[s.Number] = true
		}
	}
	n := uint32(100)
	for used[n] {
		n++
	}
	return n
}

// addSegment adds a routed segment with a free number, on the first port of the new rack.
func (g *growth) addSegment(t *intent.Tenant) {
	number := g.freeSegment()
	s := &intent.Segment{Name: fmt.Sprintf("new%d", number), Number: number, Gateway: []string{fmt.Sprintf("198.18.%d.1/24", number%256)}}
	t.Segments = append(t.Segments, s)
	a := &intent.Attachment{Tagged: []string{t.Name + "/" + s.Name}, Lag: len(g.leaves) == 2}
	for _, name := range g.leaves {
		a.Members = append(a.Members, &intent.End{Device: name, Port: "ethernet-1/1"})
	}
	g.intent.Attachments = append(g.intent.Attachments, a)
	g.summary = append(g.summary, fmt.Sprintf("segment %s/%s, number %d, gateway %s, on ethernet-1/1 of the new rack", t.Name, s.Name, number, s.Gateway[0]))
}
