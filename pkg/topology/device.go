package topology

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/intent"
)

// device is one device while it is expanded.
type device struct {
	out   *intent.Device
	site  *site
	place *place
	index int32 // in the order of the intent
}

// roleNames are what a role is called, by its place in inner.roles.
var roleNames = [...]struct {
	kind      intent.Role
	key, word string
	example   string // of a platform
}{
	{intent.Role_ROLE_SPINE, "spines", "spine", "7220-IXR-D3L"},
	{intent.Role_ROLE_LEAF, "leaves", "leaf", "7220-IXR-D3L"},
	{intent.Role_ROLE_GATEWAY, "gateways", "gateway", "7250-IXR-X3b"},
	{intent.Role_ROLE_TRANSPONDER, "transponders", "transponder", "openconfig-transponder"},
}

// places of roles in roleNames
const (
	spineRole = iota
	leafRole
)

func roleWord(kind intent.Role) string {
	for _, r := range roleNames {
		if r.kind == kind {
			return r.word
		}
	}
	return ""
}

func roleExample(kind intent.Role) string {
	for _, r := range roleNames {
		if r.kind == kind {
			return r.example
		}
	}
	return ""
}

// roleWords are the words of all roles, and of several devices of each.
func roleWords() (one, many []string) {
	for _, r := range roleNames {
		one, many = append(one, r.word), append(many, r.key)
	}
	return one, many
}

// spec reads the overrides of a role.
func (p *parser) spec(b *block) *spec {
	sp := &spec{block: b}
	if b.has("count") && b.has("numbers") {
		p.fault(b.get("numbers").keyAt(), b.name("numbers")+": stands beside count", "keep one of them",
			Note{p.pos(b.get("count").keyAt()), "count given here"})
	}
	e := b.get("override")
	if e.value == nil {
		return sp
	}
	for i := 0; i+1 < len(e.value.Content); i += 2 {
		if o := p.override(sp, entry{e.source, e.value.Content[i], e.value.Content[i+1]}); o != nil {
			sp.overrides = append(sp.overrides, o)
		}
	}
	return sp
}

func (p *parser) override(sp *spec, e entry) *override {
	label := sp.name("override")
	if !p.bare(e.source, e.key) || !p.single(label, e.source, e.key) || !p.checkText(numbersForm, label, e.source, e.key) {
		return nil
	}
	o := &override{block: new(block), key: e}
	if !p.read(o.block, sp.keys.List[sp.keys.find("override")].Of, e, join(label, e.key.Value)) {
		return nil
	}
	o.spans, _, _ = parseNumbers(e.key.Value)
	for _, before := range sp.overrides {
		if n := overlap(before.spans, o.spans); n > 0 {
			p.fault(e.keyAt(), fmt.Sprintf("%s: number %d has two overrides", label, n), "put all of it into one of them",
				Note{p.pos(before.key.keyAt()), "first override here"})
		}
	}
	p.oneEach(o)
	return o
}

// oneEach reports values that only one device can have, given for several.
func (p *parser) oneEach(o *override) {
	if len(o.spans) == 1 && o.spans[0].from == o.spans[0].to {
		return
	}
	for _, key := range []string{"asn", "loopback", "loopback6", "management", "fingerprint", "node-sid", "frequency", "slot", "ports"} {
		if o.has(key) {
			p.fault(o.get(key).at(), o.name(key)+": one value for several numbers", "give each number an override of its own")
			o.found[o.keys.find(key)].value = nil
		}
	}
}

// overlap returns the smallest number in both sets, or 0.
func overlap(a, b []span) uint32 {
	for _, x := range a {
		for _, y := range b {
			if n := max(x.from, y.from); n <= min(x.to, y.to) {
				return n
			}
		}
	}
	return 0
}

func holds(spans []span, n uint32) bool { return overlap(spans, []span{{n, n}}) == n }

// expandRoles makes the devices of a site from counts and numbers.
func (p *parser) expandRoles(s *site) {
	for i, r := range roleNames {
		var specs []*spec
		for _, in := range s.inner {
			if in.roles[i] != nil {
				specs = append(specs, in.roles[i])
			}
		}
		if len(specs) == 0 {
			p.unknowable(r.kind, s.own.broken || p.defaults != nil && p.defaults.broken)
			continue
		}
		pl := s.place
		for _, sp := range slices.Backward(specs) {
			pl = sp.block.place(pl)
			pl.rename("count", "number")
			pl.rename("numbers", "number")
			pl.rename("pairs", "peer")
			sp.place = pl
		}
		numbers, at := p.numbers(s, r.key, specs)
		if len(numbers) == 0 {
			p.unknowable(r.kind, p.unsound)
			continue
		}
		p.overridesExist(s, r.word, specs, numbers)
		p.addRole(s, r.kind, specs, numbers, at)
	}
}

// unknowable notes that there may be more devices of a role than are known, because of what was refused.
func (p *parser) unknowable(kind intent.Role, because bool) {
	if because && !slices.Contains(p.partial, roleWord(kind)) {
		p.partial = append(p.partial, roleWord(kind), plural(kind))
	}
}

// excused reports whether a name that is not known may be that of a device that was refused: it holds the word of
// its role.
func (p *parser) excused(text string) bool {
	return p.lost() || slices.ContainsFunc(p.partial, func(word string) bool { return strings.Contains(text, word) })
}

// numbers returns which numbers of a role a site has, and where that is said.
func (p *parser) numbers(s *site, key string, specs []*spec) ([]span, spot) {
	for _, sp := range specs {
		if sp.given("numbers") {
			spans, _, _ := parseNumbers(sp.text("numbers"))
			if !sp.has("numbers") {
				spans = nil
			}
			return spans, sp.get("numbers").at()
		}
		if sp.given("count") {
			if n := sp.number("count"); n > 0 {
				return []span{{1, n}}, sp.get("count").at()
			}
			return nil, sp.get("count").at()
		}
	}
	if s.own.has(key) && specs[0].misses("count") && specs[0].misses("numbers") {
		p.fault(specs[0].at, specs[0].label+": no count", "add count: 4, or numbers: 1..4")
	}
	return nil, spot{}
}

// overridesExist reports overrides of a site that no device has; those of the defaults may be for other sites.
func (p *parser) overridesExist(s *site, word string, specs []*spec, numbers []span) {
	for _, sp := range specs {
		for _, o := range sp.overrides {
			for _, r := range o.spans {
				if !covered(r, numbers) && sp.own(s) {
					p.fault(o.key.keyAt(), fmt.Sprintf("%s: %s has no such %s", sp.name("override"), show(o.key.key.Value), word),
						"the numbers are "+spansText(numbers))
					break
				}
			}
			o.used = o.used || overlap(o.spans, numbers) > 0 || sp.own(s)
		}
	}
}

// own reports whether the block is the site's, and not the defaults'.
func (sp *spec) own(s *site) bool { return slices.Contains(s.inner[0].roles[:], sp) }

// covered reports whether every number of r is in the set.
func covered(r span, numbers []span) bool {
	n := uint64(0)
	for _, x := range numbers {
		if lo, hi := max(x.from, r.from), min(x.to, r.to); lo <= hi {
			n += uint64(hi - lo + 1)
		}
	}
	return n == uint64(r.to-r.from+1)
}

func spansText(spans []span) string {
	text := ""
	for i, r := range spans {
		if i > 0 {
			text += ","
		}
		text += strconv.Itoa(int(r.from))
		if r.to > r.from {
			text += ".." + strconv.Itoa(int(r.to))
		}
	}
	return text
}

// unusedOverrides reports overrides in the defaults that no site has a device for.
func (p *parser) unusedOverrides() {
	if p.common == nil {
		return
	}
	for i, sp := range p.common.roles {
		if sp == nil {
			continue
		}
		for _, o := range sp.overrides {
			if !o.used && !p.unsound {
				p.fault(o.key.keyAt(), fmt.Sprintf("%s: %s: no site has such a %s", sp.name("override"), show(o.key.key.Value), roleNames[i].word), "take it out")
			}
		}
	}
}

func (p *parser) addRole(s *site, kind intent.Role, specs []*spec, numbers []span, at spot) {
	total := 0
	for _, r := range numbers {
		total += int(r.to - r.from + 1)
	}
	if p.total += total; p.total > maxDevices {
		p.fault(at, fmt.Sprintf("%s: more than %d devices in all", specs[0].label, maxDevices), "write a smaller number")
		return
	}
	outs := make([]intent.Device, total)
	devices := make([]device, total)
	i := 0
	for _, r := range numbers {
		for n := r.from; n <= r.to; n++ {
			p.fill(s, &outs[i], kind, n, specs)
			devices[i] = device{out: &outs[i], site: s, place: placeOf(specs, n)}
			s.devices = append(s.devices, &devices[i])
			i++
		}
	}
	p.havePlatform(specs, devices)
}

// placeOf returns where number n is declared: its override, or its role.
func placeOf(specs []*spec, n uint32) *place {
	pl := specs[0].place
	for _, sp := range slices.Backward(specs) {
		for _, o := range sp.overrides {
			if holds(o.spans, n) {
				pl = o.placed(pl)
			}
		}
	}
	return pl
}

// placed returns the override's place; all devices of an override share it.
func (o *override) placed(up *place) *place {
	if o.made == nil || o.made.up != up {
		o.made = o.block.place(up)
	}
	return o.made
}

// fill resolves one device of a role.
func (p *parser) fill(s *site, out *intent.Device, kind intent.Role, n uint32, specs []*spec) {
	var buf [8]*block
	var own layers = buf[:0]
	for _, sp := range specs {
		for _, o := range sp.overrides {
			if holds(o.spans, n) {
				own = append(own, o.block)
			}
		}
	}
	out.Name = s.out.Prefix + roleWord(kind) + strconv.Itoa(int(n))
	out.Role, out.Number = kind, n
	out.Asn = own.number("asn", 0)
	out.Loopback = own.text("loopback", "")
	out.Loopback6 = own.text("loopback6", "")
	out.Management = own.text("management", "")
	out.Fingerprint = own.text("fingerprint", "")
	out.NodeSid = own.number("node-sid", 0)
	for _, sp := range specs {
		own = append(own, sp.block)
	}
	out.Platform = own.text("platform", "")
	if b := own.first("labels"); b != nil {
		out.Labels = b.texts("labels")
	}
	given := len(own)
	own = append(own, s.layers...)
	out.Release, out.UnusedPorts = own.release(out, given), own.unusedPorts()
}

func (ls layers) unusedPorts() intent.UnusedPorts {
	if ls.text("unused-ports", "untouched") == "disabled" {
		return intent.UnusedPorts_UNUSED_PORTS_DISABLED
	}
	return intent.UnusedPorts_UNUSED_PORTS_UNTOUCHED
}

// havePlatform reports the first device of a role without a platform.
func (p *parser) havePlatform(specs []*spec, devices []device) {
	for _, sp := range specs {
		if !sp.misses("platform") {
			return // given, or refused and reported
		}
	}
	for _, d := range devices {
		if d.out.Platform == "" {
			p.fault(specs[0].at, d.out.Name+": no platform", "add platform: "+roleExample(d.out.Role)+" to "+specs[0].label)
			return
		}
	}
}

// listedDevices adds the devices that are spelled out.
func (p *parser) listedDevices(s *site) {
	e := s.own.get("devices")
	if e.value == nil {
		return
	}
	if p.total += len(e.value.Content); p.total > maxDevices {
		p.fault(e.at(), fmt.Sprintf("%s: more than %d devices in all", s.own.name("devices"), maxDevices), "list fewer")
		return
	}
	for _, n := range e.value.Content {
		b := new(block)
		if p.read(b, deviceKeys, entry{source: e.source, value: n}, s.own.name("devices")) {
			p.listed(s, b)
		}
	}
}

func (p *parser) listed(s *site, b *block) {
	own := append(layers{b}, s.layers...)
	kind := intent.Role_ROLE_LEAF
	for _, r := range roleNames {
		if r.word == b.text("role") {
			kind = r.kind
		}
	}
	out := &intent.Device{
		Name: s.out.Prefix + roleWord(kind) + strconv.Itoa(int(b.number("number"))),
		Role: kind, Number: b.number("number"),
		Platform: b.text("platform"), UnusedPorts: own.unusedPorts(), Labels: b.texts("labels"),
		Asn: b.number("asn"), Loopback: b.text("loopback"), Loopback6: b.text("loopback6"), Management: b.text("management"), Fingerprint: b.text("fingerprint"),
		Peer: b.text("peer"), NodeSid: b.number("node-sid"),
	}
	out.Release = own.release(out, 1)
	if !b.has("role") || !b.has("number") {
		return
	}
	if b.has("name") && b.text("name") != out.Name {
		p.fault(b.get("name").at(), b.name("name")+": "+b.text("name")+" does not follow from prefix, role and number", "write "+out.Name+" or leave it out")
	}
	if b.has("node-sid") && kind != intent.Role_ROLE_GATEWAY {
		p.fault(b.get("node-sid").keyAt(), b.name("node-sid")+": "+out.Name+" is a "+roleWord(kind), "take it out; gateways have one")
	}
	s.devices = append(s.devices, &device{out: out, site: s, place: b.place(s.place)})
}

// orderDevices sorts a site's devices and reports numbers that two of them have.
func (p *parser) orderDevices(s *site) {
	slices.SortStableFunc(s.devices, func(a, b *device) int {
		return cmp.Or(cmp.Compare(a.out.Role, b.out.Role), cmp.Compare(a.out.Number, b.out.Number))
	})
	for i, d := range s.devices {
		if i > 0 && s.devices[i-1].out.Role == d.out.Role && s.devices[i-1].out.Number == d.out.Number {
			p.twice(d.out.Name, s.devices[i-1].place.at, d.place.at)
			continue
		}
		p.places.objects["sites/"+s.out.Name+"/devices/"+d.out.Name] = d.place
		s.out.Devices = append(s.out.Devices, d.out)
	}
	p.complete(s)
}

// complete reports a site that cannot be a fabric.
func (p *parser) complete(s *site) {
	if p.unsound {
		return // devices may be missing because of what was refused
	}
	name := cmp.Or(s.label, "topology")
	switch spines, leaves := s.count(intent.Role_ROLE_SPINE), s.count(intent.Role_ROLE_LEAF); {
	case len(s.devices) == 0:
		p.fault(s.at, name+": no devices", "add spines: {count: 2, platform: 7220-IXR-D3L} and leaves: {count: 4, platform: 7220-IXR-D2L}")
	case spines == 0 && leaves > 1:
		at := s.at
		for _, in := range slices.Backward(s.inner) {
			if sp := in.roles[spineRole]; sp != nil {
				at = sp.at
			}
		}
		p.fault(at, fmt.Sprintf("%s: %d leaves and no spines", name, leaves), "add spines: {count: 2, platform: 7220-IXR-D3L}")
	}
}

// managed reports a management address outside of the site's network.
func (p *parser) managed(d *device) {
	network, err := netip.ParsePrefix(d.site.out.Management)
	address, _ := netip.ParseAddr(d.out.Management)
	if err == nil && address.IsValid() && !network.Contains(address) {
		p.fault(d.at("management"), d.out.Name+": management: "+d.out.Management+" is not in "+d.site.out.Management,
			"write an address of that network", Note{p.pos(d.site.own.get("management").at()), "network given here"})
	}
}

// at returns where a field of the device is given.
func (d *device) at(key string) spot {
	if s, ok := d.place.find(key); ok {
		return s
	}
	return d.place.at
}
