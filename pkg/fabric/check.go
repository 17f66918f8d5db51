package fabric

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/intent"
)

const leastMTU = 1280 // RFC 8200 §5

// checkPlatform finds the platform of a device, and reports what it or its release lacks for the role.
func (d *draft) checkPlatform(n *node) {
	p := d.platform(n.ref, n.name(), n.in.GetPlatform(), hardware.Router)
	if p == nil {
		return
	}
	n.platform = p
	features, ok := p.Releases[n.in.GetRelease()]
	if !ok {
		d.report.failEach(n.ref+"#release", n.name(), fmt.Sprintf("no release %s for %s", n.in.GetRelease(), p.Name), "use one of "+strings.Join(releases(p), ", "))
		return
	}
	if p.OS == stitcherOS && n.role != Gateway {
		d.report.failEach(n.ref+"#platform", n.name(), fmt.Sprintf("%s runs SR OS, which is built for gateways alone", p.Name), "use a platform with SR Linux for "+plural(n.role))
		return
	}
	if n.role != Leaf {
		return
	}
	for _, need := range []struct {
		has  bool
		what string
	}{{features.EVPN, "EVPN services"}, {features.VXLAN, "VXLAN"}, {features.MultiHoming || n.in.GetPeer() == "", "ethernet segments"}} {
		if !need.has {
			d.report.failEach(n.ref+"#platform", n.name(), fmt.Sprintf("%s has no %s on %s", p.Name, need.what, n.in.GetRelease()), "use another platform or release for leaves")
			return
		}
	}
}

// platform finds the platform of a device, or reports that there is none of the kind that it needs.
func (d *draft) platform(ref Ref, device, name string, kind hardware.Kind) *hardware.Platform {
	p, ok := hardware.Lookup(name)
	fix := oneOf(name, platforms(kind))
	switch {
	case !ok:
		d.report.failEach(ref+"#platform", device, "no platform "+name, fix)
		return nil
	case p.Kind != kind:
		d.report.failEach(ref+"#platform", device, fmt.Sprintf("%s is a %s, and a %s is needed", name, p.Kind, kind), fix)
		return nil
	}
	return p
}

func platforms(kind hardware.Kind) []string {
	return slices.DeleteFunc(hardware.Names(), func(name string) bool { p, _ := hardware.Lookup(name); return p.Kind != kind })
}

func releases(p *hardware.Platform) []string {
	var list []string
	for release := range p.Releases {
		list = append(list, release)
	}
	slices.Sort(list)
	return list
}

// check reports what no single decision sees.
func (d *draft) check() {
	for _, s := range d.sites {
		d.checkSettings(s)
		d.checkMTU(s)
		d.checkUplinks(s)
	}
	for _, n := range d.nodes {
		d.checkLAGs(n)
		d.checkGroups(n)
	}
	for i := range d.access {
		d.checkAccess(&d.access[i])
	}
	for _, s := range d.segments {
		d.checkSegmentMTU(s)
	}
	d.checkMeshes()
	d.checkWANSettings()
}

func (d *draft) checkSettings(s *site) {
	if n := s.in.GetNumber(); n < 1 || n > 255 {
		d.report.fail(s.ref+"#number", fmt.Sprintf("site %s: number %d: not in 1..255", s.in.GetName(), n), "")
	}
	if s.in.GetUnderlay().GetRouting() == intent.Routing_ROUTING_IBGP {
		d.report.fail(s.ref+"/underlay#routing", "underlay of site "+s.in.GetName()+": routing ibgp: not built yet", "use ebgp")
	}
	if len(s.spines) == 0 && len(s.leaves) > 1 {
		d.report.warn(s.ref, "site "+s.in.GetName()+": leaves without a spine: nothing joins them", "add spines")
	}
}

// checkMTU holds the underlay's MTU against what the platforms of a site can do. YANG allows more than some
// of them do.
func (d *draft) checkMTU(s *site) {
	mtu, ref := s.in.GetUnderlay().GetMtu(), s.ref+"/underlay#mtu"
	if mtu < leastMTU {
		d.report.fail(ref, fmt.Sprintf("underlay of site %s: mtu %d: at least %d is needed", s.in.GetName(), mtu, leastMTU), "")
	}
	if tight := s.tightest(); tight != nil && mtu > mostMTU(tight.platform) {
		most := mostMTU(tight.platform)
		d.report.fail(ref, fmt.Sprintf("underlay of site %s: mtu %d: %s of %s does at most %d", s.in.GetName(), mtu, tight.platform.Name, tight.name(), most), fmt.Sprintf("use at most %d", most))
	}
}

// tightest is the first router of a site whose links do the smallest MTU; nil where no platform is known.
func (s *site) tightest() *node {
	var tight *node
	for _, n := range slices.Concat(s.spines, s.leaves, s.gateways) {
		if n.platform != nil && (tight == nil || mostMTU(n.platform) < mostMTU(tight.platform)) {
			tight = n
		}
	}
	return tight
}

// mostMTU returns the largest IP MTU of fabric links.
func mostMTU(p *hardware.Platform) uint32 { return min(p.IPMTU, p.PortMTU-portMTU(0)) }

// checkAccess holds an attachment's wishes against its ports.
func (d *draft) checkAccess(a *access) {
	for _, m := range a.members {
		speeds := m.node.speedsOf(m.port)
		if want := a.in.GetSpeed(); want != "" && len(speeds) > 0 && !slices.Contains(speeds, want) {
			d.report.failEach(a.ref+"#speed", m.node.name()+":"+m.node.portName(m.port), "no speed "+want, "it runs at "+strings.Join(speeds, ", "))
		}
		if p := m.node.platform; a.in.GetMtu() > p.PortMTU {
			d.report.failEach(a.ref+"#mtu", m.node.name()+":"+m.node.portName(m.port), fmt.Sprintf("mtu %d: %s does at most %d", a.in.GetMtu(), p.Name, p.PortMTU), "")
		}
	}
}

// checkUplinks reports leaves that hang off the fabric unevenly. Derived cables are even by themselves.
func (d *draft) checkUplinks(s *site) {
	counts := make([]int, len(s.spines))
	for _, leaf := range slices.Concat(s.leaves, s.gateways) {
		clear(counts)
		listed, total := false, 0
		for _, c := range leaf.claims {
			if c.kind <= cableClaim && d.wires[c.what].trunk == nil && d.wires[c.what].joins == nil {
				w := &d.wires[c.what]
				counts[w.high.index-s.spines[0].index]++
				listed = listed || w.cable != nil
				total++
			}
		}
		switch explicit := s.in.GetCabling() == intent.Cabling_CABLING_EXPLICIT; {
		case explicit && total == 0 && leaf.platform != nil:
			d.report.fail(leaf.ref, leaf.name()+": no cable to any spine, and cabling is explicit", "list its cables, or set cabling: derived", note{s.ref + "#cabling", "explicit"})
		case listed && slices.Min(counts) != slices.Max(counts):
			d.report.warn(leaf.ref, fmt.Sprintf("%s: odd uplink counts: %s", leaf.name(), uplinkCounts(s.spines, counts)), "traffic will not spread evenly")
		}
	}
}

func uplinkCounts(spines []*node, counts []int) string {
	var list []string
	for i, spine := range spines {
		list = append(list, fmt.Sprintf("%d to %s", counts[i], spine.name()))
	}
	return strings.Join(list, ", ")
}
