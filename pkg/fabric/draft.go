package fabric

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/topology"
)

// draft is a design in the making: the intent, sorted and indexed, with what is decided so far.
// It lives for one compilation. Everything in it is in an order that does not depend on the order
// in which the intent lists things.
type draft struct {
	t        *topology.Topology
	in       *intent.Topology
	sites    []*site // by number
	nodes    []*node // by site number, role, number
	byName   map[string]*node
	tenants  []*tenant  // by number
	segments []*segment // by number
	wires    []wire
	servers  []serverCable
	access   []access
	report   report
}

// site is a datacenter with its settings read.
type site struct {
	in         *intent.Site
	ref        Ref
	pool       netip.Prefix // zero where it cannot be read
	management netip.Prefix // zero where there is none
	unnumbered bool
	spines     []*node // by number
	leaves     []*node // by number
	advertise  []netip.Prefix
	// Overlay sessions by role of the device that has them: leaves meet spines, spines meet leaves.
	leafSessions, spineSessions []OverlayNeighbor
}

// node is a device with what is decided about it.
type node struct {
	in         *intent.Device
	site       *site
	index      int32 // in draft.nodes
	role       Role
	ref        Ref
	platform   *hardware.Platform // nil where it is unknown
	peer       *node              // the other leaf of its pair
	asn        uint32
	loopback   netip.Addr
	management netip.Addr
	claims     []claim // sorted by port once all are made
	breakouts  []breakout
	segments   []*segment // by number
	vrfs       []*tenant  // by number
	raw        []int32    // indexes of intent.Topology.Raw
}

// newDraft sorts and indexes the intent.
func newDraft(t *topology.Topology) *draft {
	d := &draft{t: t, in: t.Intent, report: report{at: t.At}}
	if d.in == nil {
		d.in = &intent.Topology{}
	}
	count := 0
	for _, in := range d.in.GetSites() {
		count += len(in.GetDevices())
	}
	d.nodes = make([]*node, 0, count)
	d.byName = make(map[string]*node, count)
	for _, in := range sorted(d.in.GetSites(), func(s *intent.Site) uint32 { return s.GetNumber() }) {
		d.addSite(in)
	}
	for _, n := range d.nodes {
		d.pair(n)
	}
	for i, raw := range d.in.GetRaw() {
		if n := d.node(raw.GetDevice(), rawRef(i)); n != nil {
			n.raw = append(n.raw, int32(i))
		}
	}
	return d
}

// sorted returns a copy sorted by number; the intent itself is the caller's.
func sorted[T any](list []T, number func(T) uint32) []T {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Compare(number(a), number(b)) })
	return list
}

func (d *draft) addSite(in *intent.Site) {
	s := &site{in: in, ref: Ref("sites/" + in.GetName())}
	s.unnumbered = in.GetUnderlay().GetLinks() != intent.Links_LINKS_NUMBERED
	s.pool = d.prefix(s.ref+"#pool", in.GetPool())
	if s.pool.IsValid() && !s.pool.Addr().Is4() {
		d.report.fail(s.ref+"#pool", "pool "+in.GetPool()+": not IPv4", "")
		s.pool = netip.Prefix{}
	}
	if in.GetManagement() != "" {
		s.management = d.prefix(s.ref+"#management", in.GetManagement())
	}
	d.sites = append(d.sites, s)
	first := len(d.nodes)
	all := make([]node, len(in.GetDevices())) // one allocation for all of a site
	for i, device := range in.GetDevices() {
		all[i] = node{in: device, site: s, role: roleOf(device)}
		all[i].ref = Ref("sites/" + in.GetName() + "/devices/" + device.GetName())
		d.nodes = append(d.nodes, &all[i])
	}
	slices.SortStableFunc(d.nodes[first:], byRoleAndNumber)
	for _, n := range d.nodes[first:] {
		n.index = int32(first + len(s.spines) + len(s.leaves))
		d.addNode(n)
	}
}

func byRoleAndNumber(a, b *node) int {
	return cmp.Or(strings.Compare(string(b.role), string(a.role)), // "spine" before "leaf"
		cmp.Compare(a.in.GetNumber(), b.in.GetNumber()), strings.Compare(a.in.GetName(), b.in.GetName()))
}

func (d *draft) addNode(n *node) {
	if other := d.byName[n.name()]; other != nil {
		d.report.fail(n.ref, n.name()+": two devices have this name", "", note{other.ref, "the other one"})
	}
	d.byName[n.name()] = n
	d.checkPlatform(n)
	if n.role == Spine {
		n.site.spines = append(n.site.spines, n)
	} else {
		n.site.leaves = append(n.site.leaves, n)
	}
}

// pair finds the other leaf of a leaf's pair.
func (d *draft) pair(n *node) {
	if n.in.GetPeer() == "" {
		return
	}
	peer := d.byName[n.in.GetPeer()]
	if peer == nil || peer == n || peer.role != Leaf || n.role != Leaf || peer.site != n.site || peer.in.GetPeer() != n.name() {
		d.report.fail(n.ref+"#peer", n.name()+": no pair with "+n.in.GetPeer(), "name two leaves of one site as each other's peer")
		return
	}
	n.peer = peer
}

// node returns the device with the given name, or nil after saying that there is none.
func (d *draft) node(name string, ref Ref) *node {
	n := d.byName[name]
	if n == nil {
		d.report.fail(ref, name+": no such device", "")
	}
	return n
}

// prefix reads a prefix without host bits; the zero Prefix if it cannot.
func (d *draft) prefix(ref Ref, text string) netip.Prefix {
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Masked() != p {
		d.report.fail(ref, text+": not a prefix", "write it like 10.1.0.0/16, with no bits set behind the length")
		return netip.Prefix{}
	}
	return p
}

func (n *node) name() string   { return n.in.GetName() }
func (n *node) number() uint32 { return n.in.GetNumber() }

func roleOf(in *intent.Device) Role {
	if in.GetRole() == intent.Role_ROLE_SPINE {
		return Spine
	}
	return Leaf
}

// lower returns the leaf of a pair that both derive shared numbers from; n itself without a pair.
func (n *node) lower() *node {
	if n.peer != nil && n.peer.number() < n.number() {
		return n.peer
	}
	return n
}

// group names the devices that must never change together with this one.
func (n *node) group() string {
	switch {
	case n.role == Spine:
		return n.site.in.GetName() + "/spines"
	case n.peer == nil:
		return ""
	}
	low := n.lower()
	return n.site.in.GetName() + "/leaf" + decimal(low.number()) + "+leaf" + decimal(low.peer.number())
}
