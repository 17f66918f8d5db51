package fabric

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/topology"
)

// draft is a design in the making: the intent, sorted and indexed, with what is decided so far.
// It lives for one compilation. Everything in it is in an order that does not depend on the order
// in which the intent lists things.
type draft struct {
	t        *topology.Topology
	in       *intent.Topology
	sites    []*site    // by number
	nodes    []*node    // routers, by site number, role, number
	stations []*station // what carries no packets: transponders by site number and number, then line systems by line, along it
	byName   map[string]*node
	names    map[string]Ref // of all devices
	ducts    map[string]*duct
	lines    []*line // by name
	dcis     []*dci  // by number
	wans     []*wan
	unjoined bool // a DCI has errors, so that nobody knows what it joins
	channels []*channel
	known    map[string]*planned // lines planned before, by direction and name
	plans    map[string]*planned // and now
	trials   map[string][]optics.Choice
	missed   misses
	tenants  []*tenant  // by number
	segments []*segment // by number
	wires    []wire
	external map[string]*node // routers outside Loom's control, by name
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
	block6     netip.Prefix // of IPv6 loopbacks; zero where there are none, or it cannot be read
	unnumbered bool
	spines     []*node // by number
	leaves     []*node // by number
	gateways   []*node // by number
	boxes      []*station
	advertise  []netip.Prefix
	abroad     []netip.Prefix // of advertise, what is of other sites
	wan        *wan           // nil: no DCI ends here
	mesh       []meeting      // with other sites, by number
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
	loopback6  netip.Addr // invalid where the site has no block of them
	management netip.Addr
	claims     []claim // sorted by port once all are made
	breakouts  []breakout
	segments   []*segment // by number
	vrfs       []*tenant  // by number
	trunks     []*trunk   // in the order of their wires
	wan        WAN
	raw        []int32 // indexes of intent.Topology.Raw
	light      Light
}

// newDraft sorts and indexes the intent.
func newDraft(t *topology.Topology) *draft {
	d := &draft{t: t, in: t.Intent, report: report{at: t.At}, plans: map[string]*planned{}, trials: map[string][]optics.Choice{}}
	if d.in == nil {
		d.in = &intent.Topology{}
	}
	count := 0
	for _, in := range d.in.GetSites() {
		count += len(in.GetDevices())
	}
	d.nodes = make([]*node, 0, count)
	d.byName, d.names = make(map[string]*node, count), make(map[string]Ref, count)
	for _, in := range sorted(d.in.GetSites(), func(s *intent.Site) uint32 { return s.GetNumber() }) {
		d.addSite(in)
	}
	for _, n := range d.nodes {
		d.pair(n)
	}
	d.readDucts()
	d.readLines()
	for i, raw := range d.in.GetRaw() {
		if s := d.station(raw.GetDevice()); s != nil {
			s.raw = append(s.raw, int32(i))
		} else if n := d.node(raw.GetDevice(), rawRef(i)); n != nil {
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
	d.readPool6(s)
	if in.GetManagement() != "" {
		s.management = d.prefix(s.ref+"#management", in.GetManagement())
	}
	d.sites = append(d.sites, s)
	first := len(d.nodes)
	all := make([]node, len(in.GetDevices())) // one allocation for all of a site
	for i, device := range in.GetDevices() {
		ref := Ref("sites/" + in.GetName() + "/devices/" + device.GetName())
		if device.GetRole() == intent.Role_ROLE_TRANSPONDER {
			d.addTransponder(s, device, ref)
			continue
		}
		all[i] = node{in: device, site: s, role: roleOf(device), ref: ref}
		d.nodes = append(d.nodes, &all[i])
	}
	slices.SortStableFunc(s.boxes, func(a, b *station) int { return cmp.Compare(a.number, b.number) })
	d.stations = append(d.stations, s.boxes...)
	slices.SortStableFunc(d.nodes[first:], byRoleAndNumber)
	for i, n := range d.nodes[first:] {
		n.index = int32(first + i)
		d.addNode(n)
	}
}

func byRoleAndNumber(a, b *node) int {
	return cmp.Or(cmp.Compare(a.role.rank(), b.role.rank()),
		cmp.Compare(a.in.GetNumber(), b.in.GetNumber()), strings.Compare(a.in.GetName(), b.in.GetName()))
}

// rank is the place of a role in a site.
func (r Role) rank() int {
	return slices.Index([]Role{Spine, Leaf, Gateway, Transponder, LineSystem}, r)
}

// name takes the name of a device, once.
func (d *draft) name(name string, ref Ref) {
	if other, taken := d.names[name]; taken {
		d.report.fail(ref, name+": two devices have this name", "", note{other, "the other one"})
	}
	d.names[name] = ref
}

func (d *draft) addNode(n *node) {
	d.name(n.name(), n.ref)
	d.byName[n.name()] = n
	d.checkPlatform(n)
	switch n.role {
	case Spine:
		n.site.spines = append(n.site.spines, n)
	case Gateway:
		n.site.gateways = append(n.site.gateways, n)
	default:
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
	switch in.GetRole() {
	case intent.Role_ROLE_SPINE:
		return Spine
	case intent.Role_ROLE_GATEWAY:
		return Gateway
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
	case n.role == Spine || n.role == Gateway:
		return n.site.in.GetName() + "/" + plural(n.role)
	case n.peer == nil:
		return ""
	}
	low := n.lower()
	return n.site.in.GetName() + "/leaf" + decimal(low.number()) + "+leaf" + decimal(low.peer.number())
}
