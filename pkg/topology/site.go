package topology

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/loomfabric/loom/models/intent"
)

// Bounds of what a file may expand to: a few bytes can ask for any number of devices.
const (
	maxDevices = 10_000
	maxPorts   = 1_000_000 // touched by rules, each time counted
	maxRaw     = 50_000
)

// site is one site while it is expanded.
type site struct {
	at      spot
	own     *block
	label   string   // what messages call it; empty for the implicit site
	layers  layers   // its own keys, then the defaults
	inner   []*inner // of the layers
	out     *intent.Site
	devices []*device
	place   *place
}

// spec is a block with numbers and its overrides: the `spines` or `leaves` of a site, the `wavelengths` of a DCI.
type spec struct {
	*block
	overrides []*override
	place     *place
}

// override is what differs for some numbers of a role.
type override struct {
	*block
	key   entry
	spans []span
	used  bool
	made  *place
}

// layers are blocks with the same keys, the most specific first.
type layers []*block

// first returns the most specific block that gives one of the keys, or nil.
func (ls layers) first(keys ...string) *block {
	for _, b := range ls {
		for _, k := range keys {
			if b.has(k) {
				return b
			}
		}
	}
	return nil
}

func (ls layers) text(key, otherwise string) string {
	if b := ls.first(key); b != nil {
		return b.text(key)
	}
	return otherwise
}

func (ls layers) number(key string, otherwise uint32) uint32 {
	if b := ls.first(key); b != nil {
		return b.number(key)
	}
	return otherwise
}

// expand turns the merged keys into the intent, and checks it.
func (p *parser) expand() {
	p.topology()
	p.readDefaults()
	if p.top.given("sites") {
		p.namedSites()
	} else {
		p.implicitSite()
	}
	slices.SortStableFunc(p.sites, func(a, b *site) int { return cmp.Compare(a.out.Number, b.out.Number) })
	for _, s := range p.sites {
		p.expandSite(s)
		p.out.Sites = append(p.out.Sites, s.out)
	}
	p.unusedOverrides()
	p.indexDevices()
	p.checkSites()
	p.expandCables()
	p.expandLight()
	p.expandTenants()
	p.expandAttachments()
	p.expandRaw()
}

// topology reads what concerns the whole network.
func (p *parser) topology() {
	p.top.at = p.top.get("loom").keyAt()
	p.places.objects["topology"] = p.top.place(nil)
	if p.top.misses("name") && !p.shapeless {
		p.fault(p.top.get("loom").at(), "topology: no name", "add name: demo")
	}
	p.out.Name = p.top.text("name")
	p.out.OverlayAs = 65000
	if p.top.has("overlay-as") {
		p.out.OverlayAs = p.top.number("overlay-as")
	}
	var login block
	if p.child(&login, &p.top, "login") {
		p.out.Login = &intent.Login{Username: login.text("username"), Password: login.text("password"), Ca: login.text("ca")}
		p.places.objects["topology/login"] = login.place(nil)
	}
}

// child reads the block below a key, if the key is there.
func (p *parser) child(b *block, of *block, key string) bool {
	e := of.get(key)
	if e.value == nil {
		return false
	}
	k := &of.keys.List[of.keys.find(key)]
	return p.read(b, k.Of, e, of.name(key))
}

func (p *parser) readDefaults() {
	var b block
	if p.child(&b, &p.top, "defaults") {
		p.defaults = &b
		p.common = p.inner(p.defaults)
	}
}

func (p *parser) namedSites() {
	for i := range ownAndFabric {
		if e := p.top.get(ownAndFabric[i].Name); e.key != nil {
			p.fault(e.keyAt(), e.key.Value+": stands beside sites", "move it below a site, or below defaults for all of them")
		}
	}
	p.named("sites", p.parts.sites, func(name string, e entry) {
		b := new(block)
		if p.read(b, siteKeys, e, name) {
			p.addSite(name, b, e.keyAt())
		}
	})
	if len(p.sites) == 0 && len(p.findings) == 0 {
		p.fault(p.top.get("sites").at(), "sites: none", "add a site, as bj: {number: 1}")
	}
	for _, s := range p.sites {
		if s.own.misses("number") && len(p.sites) > 1 {
			s.out.Number = p.freeNumber()
			p.fault(s.at, s.label+": no number", fmt.Sprintf("add number: %d; it is never to change", s.out.Number))
		}
	}
}

// freeNumber returns the smallest number that no site has.
func (p *parser) freeNumber() uint32 {
	n := uint32(1)
	for slices.ContainsFunc(p.sites, func(s *site) bool { return s.own.number("number") == n }) {
		n++
	}
	return n
}

func (p *parser) addSite(name string, b *block, at spot) *site {
	s := &site{at: at, own: b, label: name, layers: layers{b}}
	if p.defaults != nil {
		s.layers = append(s.layers, p.defaults)
	}
	number := uint32(1)
	if b.has("number") {
		number = b.number("number")
	}
	s.out = &intent.Site{Name: name, Number: number, Prefix: name + "-"}
	if b.has("prefix") {
		s.out.Prefix = b.text("prefix")
	}
	p.sites = append(p.sites, s)
	return s
}

// implicitSite makes the one site of a file without sites from the keys at the top.
func (p *parser) implicitSite() {
	s := p.addSite(p.out.Name, &p.top, p.top.get("loom").at())
	s.label = ""
	if !p.top.has("prefix") {
		s.out.Prefix = ""
	}
}

// expandSite resolves what a site inherits.
func (p *parser) expandSite(s *site) {
	out := s.out
	out.Pool = s.layers[:1].text("pool", fmt.Sprintf("10.%d.0.0/16", out.Number))
	out.Management = s.own.text("management")
	out.Asns = 4200000000 + 10000*out.Number
	if s.own.has("asns") {
		out.Asns = s.own.asns()
	}
	out.Domain = s.own.text("domain")
	s.place = s.own.place(p.defaults.place(nil))
	s.place.at = s.at
	p.places.objects["sites/"+out.Name] = s.place

	s.inner = []*inner{p.inner(s.own)}
	if p.common != nil {
		s.inner = append(s.inner, p.common)
	}
	out.Underlay = p.underlay(s)
	out.Overlay = p.overlay(s)
	out.Cabling = intent.Cabling_CABLING_DERIVED
	if s.layers.text("cabling", "derived") == "explicit" {
		out.Cabling = intent.Cabling_CABLING_EXPLICIT
	}
	p.expandRoles(s)
	p.listedDevices(s)
	p.pairs(s)
	out.LinksPerSpine = p.linksPerSpine(s)
	p.orderDevices(s)
}

// asns reads "4200010000+".
func (b *block) asns() uint32 {
	text := b.text("asns")
	if n := len(text); text[n-1] == '+' {
		text = text[:n-1]
	}
	n, _ := parseNumber(text, 1, 1<<32-1)
	return n
}

// inner are the blocks inside a site or the defaults, read once, so that each mistake in them is reported once.
type inner struct {
	underlay, overlay *block
	roles             [len(roleNames)]*spec
}

func (p *parser) inner(b *block) *inner {
	in := &inner{underlay: p.childOrNil(b, "underlay"), overlay: p.childOrNil(b, "overlay")}
	for i := range roleNames {
		if r := p.childOrNil(b, roleNames[i].key); r != nil {
			in.roles[i] = p.spec(r)
		}
	}
	if b.has("links-per-spine") && b.has("uplinks") {
		p.fault(b.get("uplinks").keyAt(), b.name("uplinks")+": stands beside links-per-spine", "keep one of them",
			Note{p.pos(b.get("links-per-spine").keyAt()), "links-per-spine given here"})
	}
	return in
}

func (p *parser) childOrNil(b *block, key string) *block {
	c := new(block)
	if !p.child(c, b, key) {
		return nil
	}
	return c
}

func (p *parser) underlay(s *site) *intent.Underlay {
	var ls layers
	pl := s.place
	for _, in := range slices.Backward(s.inner) {
		pl = in.underlay.place(pl)
	}
	for _, in := range s.inner {
		ls = append(ls, in.underlay)
	}
	p.places.objects["sites/"+s.out.Name+"/underlay"] = pl
	out := &intent.Underlay{
		Routing:  intent.Routing_ROUTING_EBGP,
		Links:    intent.Links_LINKS_UNNUMBERED,
		Mtu:      ls.number("mtu", 9214),
		MaxPaths: ls.number("max-paths", 64), Loopbacks6: ls.text("loopbacks6", ""),
	}
	if ls.text("links", "unnumbered") == "numbered" {
		out.Links = intent.Links_LINKS_NUMBERED
	}
	if multiplier, interval, _, _ := parseBFD(ls.text("bfd", "off")); multiplier > 0 {
		out.Bfd = &intent.Bfd{Multiplier: multiplier, IntervalMs: interval}
	}
	return out
}

func (p *parser) overlay(s *site) *intent.Overlay {
	var ls layers
	pl := s.place
	for _, in := range slices.Backward(s.inner) {
		pl = in.overlay.place(pl)
	}
	for _, in := range s.inner {
		ls = append(ls, in.overlay)
	}
	p.places.objects["sites/"+s.out.Name+"/overlay"] = pl
	if ls.text("routing", "ibgp") == "ebgp" {
		p.reflectorsIn(ls.first("routing"))
		return &intent.Overlay{Routing: intent.Routing_ROUTING_EBGP}
	}
	return &intent.Overlay{Routing: intent.Routing_ROUTING_IBGP, ClusterId: ls.text("cluster-id", "")}
}

// reflectorsIn reports what an eBGP overlay cannot have. What it would inherit from elsewhere is left out.
func (p *parser) reflectorsIn(b *block) {
	for _, key := range []string{"reflectors", "cluster-id"} {
		if e := b.get(key); e.key != nil {
			p.fault(e.keyAt(), b.name(key)+": an ebgp overlay has no route reflectors", "take it out, or write routing: ibgp")
		}
	}
}

// parallelIn reports what a site without derived cables cannot have. What it would inherit from elsewhere is left out.
func (p *parser) parallelIn(b *block) {
	for _, key := range []string{"links-per-spine", "uplinks"} {
		if e := b.get(key); e.key != nil {
			p.fault(e.keyAt(), b.name(key)+": with explicit cabling no cable is derived", "take it out, or write cabling: derived")
		}
	}
}

// linksPerSpine returns the parallel cables between a leaf and a spine, from whichever key says so.
func (p *parser) linksPerSpine(s *site) uint32 {
	if s.out.Cabling == intent.Cabling_CABLING_EXPLICIT {
		p.parallelIn(s.own)
		return 1
	}
	b := s.layers.first("links-per-spine", "uplinks")
	if b == nil || b.has("links-per-spine") {
		return s.layers.number("links-per-spine", 1)
	}
	uplinks, spines := b.number("uplinks"), s.count(intent.Role_ROLE_SPINE)
	thing := join(s.label, "uplinks") + ": " + strconv.Itoa(int(uplinks))
	switch {
	case spines == 0:
		return 1 // a site without spines is reported as such
	case uplinks%spines != 0:
		low := uplinks / spines * spines
		choices := []string{strconv.Itoa(int(low + spines))}
		if low > 0 {
			choices = append([]string{strconv.Itoa(int(low))}, choices...)
		}
		p.fault(b.get("uplinks").at(), fmt.Sprintf("%s cables per leaf do not spread evenly over %d spines", thing, spines), "write "+words(choices))
		return 1
	case uplinks/spines > 64:
		p.fault(b.get("uplinks").at(), fmt.Sprintf("%s cables per leaf are more than 64 to each of %d spines", thing, spines), "write fewer")
		return 1
	}
	return uplinks / spines
}

// count returns the number of devices with a role.
func (s *site) count(kind intent.Role) (n uint32) {
	for _, d := range s.devices {
		if d.out.Role == kind {
			n++
		}
	}
	return n
}
