package fabric

import (
	"fmt"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/topology"
)

// diverse is two sites with lines over ducts of their own, and a third over which ROADMs pass on what has lost its way.
const diverse = `
loom: v1
name: diverse
defaults:
  underlay: {links: unnumbered}
  spines: {count: 1, platform: 7220-IXR-H3}
  gateways: {count: 2, platform: 7250-IXR-X3b}
sites: {bj: {number: 1}, sh: {number: 2}, sz: {number: 3}}
ducts:
  river: {from: bj, to: sh, km: 20}
  north: {from: bj, to: sh, km: 80, shares: [bridge]}
  south: {from: bj, to: sh, km: 95}
  rail:  {from: bj, to: sz, km: 50}
  coast: {from: sz, to: sh, km: 50, shares: [bridge]}
lines:
  dark: {from: bj, to: sh, via: [river]}
  one:  {from: bj, to: sh, via: [north], amplifiers: EDFA, mux: 5 dB, grid: 75 GHz%s}
  two:  {from: sh, to: bj, via: [south], amplifiers: EDFA, mux: 5 dB, grid: 75 GHz%s}
  ab:   {from: bj, to: sz, via: [rail], amplifiers: EDFA, ends: roadm}
  bc:   {from: sz, to: sh, via: [coast], amplifiers: EDFA, ends: roadm}
dci:
  bj-sh:
    number: 1
    wavelengths: {numbers: 1..5, mode: OpenZR+ 400G, over: one, margin: %s, override: {5: {over: dark, mode: 400ZR unamplified}, 4: {over: two, frequency: 191.375 THz}}}
`

// restored is what a restoration comes to, as people read it.
func restored(t *testing.T, one, two, margin string, failed ...string) string {
	t.Helper()
	topo, diags := topology.Parse(topology.Source{Name: "diverse.yaml", Data: fmt.Appendf(nil, diverse, one, two, margin)})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	before := topology.Expand(topo)
	r, err := Restore(topo, failed)
	if err != nil {
		return err.Error() + "\n"
	}
	if string(topology.Expand(topo)) != string(before) {
		t.Error("the intent that was given has changed")
	}
	again, diags := topology.Parse(topology.Source{Name: "restored.yaml", Data: topology.Expand(r.Topology)})
	if diags.HasErrors() {
		t.Fatalf("what is proposed cannot be written down: %v", diags)
	}
	design := compile(t, again.Intent)
	var out strings.Builder
	for _, m := range r.Moves {
		c := design.Channels[channelNumber(design, m.Channel)]
		if c.Slot.Centre() != m.Now || strings.Join(c.Lines, "+") != strings.Join(m.To, "+") || m.Left < c.Asked {
			t.Errorf("%s: proposed %+v, compiled to %v over %v with %v asked", m.Channel, m, c.Slot, c.Lines, c.Asked)
		}
		fmt.Fprintf(&out, "%s from %s to %s, %d to %d MHz\n", m.Channel, strings.Join(m.From, " + "), strings.Join(m.To, " + "), m.Was, m.Now)
		for _, p := range m.Plugs {
			fmt.Fprintf(&out, "  plug %v\n", p)
		}
	}
	for _, s := range r.Stays {
		fmt.Fprintf(&out, "%s stays: %s\n", s.Channel, s.Why)
	}
	return out.String()
}

func channelNumber(d *Design, name string) int {
	for i := range d.Channels {
		if d.Channels[i].Name == name {
			return i
		}
	}
	return -1
}

func TestChannelsThatLostTheirWayAreLedOverAnother(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	for _, c := range []struct {
		name, one, two, margin string
		failed                 []string
	}{
		{"there is room, and one frequency is taken there", "", "", "1 dB", []string{"north"}},
		{"what goes over ducts that are left stays", "", "", "1 dB", []string{"rail"}},
		{"a single channel goes beside others", "", "", "1 dB", []string{"river"}},
		{"ROADMs pass on what has no line of its own left", "", "", "0.5 dB", []string{"north", "south"}},
		{"what ducts share takes the way around with it", "", "", "1 dB", []string{"bridge", "south", "river"}},
		{"there is room for some", "", ", band: 191.3..191.490 THz", "1 dB", []string{"north"}},
		{"the way around closes, but not with the margin", "", "", "1 dB", []string{"north", "south"}},
		{"nobody knows the duct", "", "", "1 dB", []string{"nort"}},
	} {
		fmt.Fprintf(&out, "-- %s --\n%s", c.name, restored(t, c.one, c.two, c.margin, c.failed...))
	}
	golden(t, "restore.golden.txt", []byte(out.String()))
}

func TestARingWithoutROADMsIsToldWhatItLacks(t *testing.T) {
	t.Parallel()
	topo, diags := topology.Parse(topology.Source{Name: "ring.yaml", Data: read(t, "ring.yaml")})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	r, err := Restore(topo, []string{"bridge"})
	if err != nil || len(r.Moves) != 0 || len(r.Stays) != 2 {
		t.Fatalf("%+v %v", r, err)
	}
	want := "no line that is left leads from bj to sh, and west + south pass nothing on from one to the next without ROADMs: give west and south ends: roadm"
	if got := r.Stays[0].Why; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
