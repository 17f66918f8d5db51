//go:build crashpoints

package main

import (
	"slices"
	"strings"
	"time"
)

// Two sites that gateways on SR OS join, and what else can be asked for there.
const (
	joined    state = "joined.yaml"
	wider     state = "joined-wider.yaml"     // with a wavelength more
	stretched state = "joined-stretched.yaml" // with a segment more that both sites have
	withdrawn state = "joined-withdrawn.yaml" // without a tenant
)

// edits are the topologies that differ from a file of testdata, by texts there and what is in their place.
var edits = map[state]struct {
	of    state
	texts []string
}{
	wider:     {joined, []string{"count: 2, mode", "count: 3, mode"}},
	stretched: {joined, []string{"gateway: 10.10.0.1/24}}}", "gateway: 10.10.0.1/24}, app: {number: 11, gateway: 10.11.0.1/24}}}", "[web]", "[web, app]"}},
	withdrawn: {joined, []string{
		"  blue: {number: 2, segments: {shop: {number: 20, gateway: 10.20.0.1/24}}}\n", "",
		"  - {on: leaves, range: ethernet-1/2, segments: [shop], tagged: true}\n", "",
	}},
}

const (
	settled      = `{"rollback": 60000000000, "settle": 500000000, "patience": 20000000000, "staging": 1000000}`
	settledShort = `{"rollback": 60000000000, "settle": 500000000, "patience": 2500000000, "staging": 1000000}`
)

// joinedScenes are those of two sites that gateways on SR OS join. The program and a gateway die together. What tenants have
// at both sites is up when all is over, and while a gateway is away.
var joinedScenes = []*scene{
	{
		// From light to packets: ends of a line, lasers that come up in steps, a trunk. Gateways take back what is not confirmed.
		name: "wavelength", prior: []state{joined}, to: wider, args: atRest, limits: settled, commits: "honoured", joins: true, ways: []way{atOnce},
		between: func(f *routers) { f.sim.Device("bj-gateway1").Reboot() },
		only:    slices.Concat(decision, []string{"transaction send", "transaction confirm"}),
	},
	{
		// The gateway stays away until all is over. Then it comes back with what it has saved.
		name: "segment", prior: []state{joined}, to: stretched, args: atRest, limits: settledShort, commits: "honoured", joins: true, ends: true,
		ways:    []way{atOnce},
		lost:    []string{"bj-gateway1"},
		between: func(f *routers) { f.power("bj-gateway1", false) },
		mended:  func(f *routers) { f.power("bj-gateway1", true); f.clock.leap(time.Hour) },
		only:    slices.Concat(decision, []string{"transaction send", "transaction save"}),
	},
	{
		// A tenant goes, and gateways have no confirm timers: what one has not saved its restart takes back.
		name: "withdrawn", prior: []state{joined}, to: withdrawn, plant: joined, args: atRest, limits: settled, parts: 2, risky: true, joins: true, ends: true,
		ways:    []way{timersOver},
		between: func(f *routers) { f.sim.Device("sh-gateway2").Reboot() },
		only:    slices.Concat(decision, []string{"transaction send", "mend"}),
	},
}

func (f *routers) power(device string, on bool) {
	f.Helper()
	if err := f.sim.Power(device, on); err != nil {
		f.Fatal(err)
	}
	f.off[device] = !on
}

// reaches demands that what tenants have at both sites is up, as the topology of a place has it: every leaf knows the servers of the
// other site, and loom check finds nothing but that devices are away that may be.
func (p *victim) reaches(place string) {
	p.Helper()
	about := p.scene.to
	if place == atBase {
		about = p.scene.from()
	}
	if err := p.sim.Settle(p.Context()); err != nil {
		p.Fatal(err)
	}
	w := &watched{p.states[about].design, p.sim, wiring(p.states[p.scene.hardware()].design, hostsOfLeaf)}
	if err := w.until(p.Context(), 30*time.Second, w.unknownServer); err != nil {
		p.Errorf("at %s: %v", place, err)
	}
	e := p.loom(nil, "", slices.Concat([]string{"check", p.file(p, about)}, p.rims())...)
	switch lost := slices.DeleteFunc(slices.Clone(p.scene.lost), func(name string) bool { return !p.off[name] }); {
	case len(lost) == 0 && e.code != exitOK:
		p.Errorf("at %s, loom check ends with exit code %d:\n%s%s", place, e.code, e.out, e.err)
	case len(lost) > 0 && (e.code != exitChanges || strings.Count(e.out, "error: ") != 1 || !strings.Contains(e.out, lost[0]+" cannot be read")):
		p.Errorf("at %s, %s is away, and loom check says\n%s%s", place, lost[0], e.out, e.err)
	}
}
