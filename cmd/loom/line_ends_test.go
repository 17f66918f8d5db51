package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/verify"
)

// Whatever stands at the ends of a line, amplifiers or none, every power that its devices show is the planned one, and nobody finds fault with it.
func TestEveryKindOfLineShowsWhatIsPlanned(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string // of the line
		ends  string // what its line has beside its ducts
		mode  string
		ducts string
	}{
		{"fibre", "", "400ZR unamplified", "river"},
		{"fibre-mux", ", mux: 2 dB", "400ZR unamplified", "river"},
		{"bare", ", amplifiers: EDFA", "OpenZR+ 400G", "river"},
		{"bare-long", ", amplifiers: EDFA", "OpenZR+ 400G", "long"},
		{"bare-hut", ", amplifiers: EDFA", "OpenZR+ 400G", "hill1, hill2"},
		{"bare-only-hut", ", amplifiers: {kind: EDFA, at: [hut]}", "400ZR unamplified", "hill1, hill2"},
		{"bare-begin", ", amplifiers: {kind: EDFA, at: [a]}", "400ZR", "river"},
		{"bare-end", ", amplifiers: {kind: EDFA, at: [b]}", "400ZR", "river"},
		{"mux", ", amplifiers: EDFA, mux: 5 dB", "OpenZR+ 400G", "long"},
		{"mux-grid", ", amplifiers: EDFA, mux: 5 dB, grid: 75 GHz", "OpenZR+ 400G", "hill1, hill2"},
		{"roadm", ", amplifiers: EDFA, ends: roadm", "OpenZR+ 400G", "long"},
		{"roadm-hut", ", amplifiers: EDFA, ends: roadm", "OpenZR+ 400G", "hill1, hill2"},
	}
	var lines, over strings.Builder
	for i, c := range cases {
		fmt.Fprintf(&lines, "  %s: {from: a, to: b, via: [%s]%s}\n", c.name, c.ducts, c.ends)
		fmt.Fprintf(&over, "        %d: {over: %s, mode: %s}\n", i+1, c.name, c.mode)
	}
	file := filepath.Join(t.TempDir(), "ends.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, `loom: v1
name: ends
defaults:
  underlay: {links: unnumbered}
  spines: {count: 1, platform: 7220-IXR-H3}
  leaves: {count: 1, platform: 7220-IXR-D2L}
  gateways: {count: 1, platform: 7250-IXR-X3b}
sites:
  a: {number: 1}
  b: {number: 2}
ducts:
  river: {from: a, to: b, km: 20}
  long:  {from: a, to: b, km: 70}
  hill1: {from: a, to: hut, km: 30}
  hill2: {from: hut, to: b, km: 40}
lines:
%sdci:
  a-b:
    number: 1
    wavelengths:
      count: %d
      mode: OpenZR+ 400G
      over: bare
      override:
%s`, lines.String(), len(cases), over.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	f := fleetOf(t, file, bgpComputed)
	f.configure(t)
	if err := f.until(t.Context(), time.Minute, f.incomplete); err != nil {
		t.Fatal(err)
	}
	seen := f.observer(t).observe(t.Context(), lightDevices(f.design))
	for _, g := range verify.Groups(verify.NewIndex(f.design).Check(seen)) {
		if g.Severity != verify.Notice {
			t.Errorf("%s %s %s: %s", g.Severity, g.Kind, g.Object, g.Message)
		}
	}
	expected, err := f.design.Expect()
	if err != nil {
		t.Fatal(err)
	}
	show := func(what string, got *float64, want optics.DBm) {
		if got == nil || !near(*got, float64(want), 0.2) { // readings scatter by 0.05 dB
			t.Errorf("%s: shows %s, planned are %.2f dBm", what, shown(got), want)
		}
	}
	for i := range f.design.Channels {
		c := &f.design.Channels[i]
		l := f.design.Line(c.Lines[0])
		for _, way := range []struct {
			from, to *fabric.Terminal
			plan     *optics.State
			power    optics.DBm // received
		}{{&c.A, &c.B, l.There.Today(), expected[c.Name].There.Light.Power}, {&c.B, &c.A, l.Back.Today(), expected[c.Name].Back.Light.Power}} {
			name := l.Name + " from " + way.from.Site
			show(name+", received", seen.Devices[way.to.Device].Optical[way.to.Port].Received, way.power)
			if end := f.design.Device(l.Name + "-" + way.from.Site); end != nil {
				set := way.plan.Setting
				show(name+", added", seen.Devices[end.Name].Media[end.Light.Media[0].Index].Added, set.Added+optics.DBm(set.Booster.Gain-set.Booster.VOA))
			}
			if end := f.design.Device(l.Name + "-" + way.to.Site); end != nil {
				show(name+", dropped", seen.Devices[end.Name].Media[end.Light.Media[0].Index].Dropped, way.power+optics.DBm(way.plan.Line.Demux))
			}
		}
		for _, name := range l.Devices {
			for _, a := range f.design.Device(name).Light.Amplifiers {
				show(name+", "+a.Name, seen.Devices[name].Amplifiers[a.Name].Output, a.Output)
			}
		}
	}
}

func shown(power *float64) string {
	if power == nil {
		return "nothing"
	}
	return fmt.Sprintf("%.2f dBm", *power)
}
