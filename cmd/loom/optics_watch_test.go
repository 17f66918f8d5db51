package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/verify"
)

// What simulated light looks like is what verify takes for light that is well. Then a duct is cut: one finding, once, with what is left and
// how what is lost can be led over another line; and gone when it is mended.
func TestAWatchSaysOfACutWhatItTakesAndWhatCanBeDone(t *testing.T) {
	t.Parallel()
	f := litFleet(t, bgpComputed)
	if err := f.until(t.Context(), time.Minute, f.incomplete); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	s := &lightScreen{t: &terminal{out: &out, err: &out}, progress: &progress{t: &terminal{out: &out, err: &out}}}
	w := newLightWatch(f.n, proposal{paths: []string{"lit.yaml"}, to: "restored.yaml", flags: " --inventory sim.json"})
	well := f.observer(t).observe(t.Context(), lightDevices(f.design))
	look := func(seen verify.Observed, after time.Duration) {
		seen.At = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC).Add(after)
		s.show(w.next(seen), w, seen)
	}
	look(well, 0)
	if out.Len() > 0 || w.verdict() != nil {
		t.Fatalf("of a healthy network:\n%s", out.String())
	}
	for i := range f.design.Channels {
		name := f.design.Channels[i].Name
		if m, known := w.margins[name]; !known || m < f.design.Channels[i].Asked {
			t.Errorf("%s: margin %v, known %t", name, m, known)
		}
	}
	cut := f.darkened(well, "bj-sh/1")
	look(cut, 10*time.Second)
	look(cut, 20*time.Second)
	if w.verdict() == nil {
		t.Error("with a duct cut nothing is wrong")
	}
	look(well, 30*time.Second)
	want := `12:00:10  found     error: river is cut: dark passes no light between bj and sh, one channel alone tells: a cord or connector at bj-gateway1:ethernet-1/1 or sh-gateway1:ethernet-1/1 would look the same; takes with it: 1 channel, 1 port, 1 DCI
                    channels: bj-sh/1
                    links: bj-gateway1:ethernet-1/1 - sh-gateway1:ethernet-1/1
                    bj-sh carries 800 of 1200 Gb/s between bj and sh
12:00:10  proposal  bj-sh/1 goes over long instead of dark, at 191.37500 THz instead of 191.36250 THz, with 1.63 dB of margin at the end of life
                       to be plugged: bj-gateway1:ethernet-1/1 into add-drop-1 of long-bj
                       to be plugged: sh-gateway1:ethernet-1/1 into add-drop-1 of long-sh
                    loom optics restore lit.yaml --cut river --to restored.yaml && loom apply restored.yaml --inventory sim.json
12:00:30  cleared   river is cut: dark passes no light between bj and sh, one channel alone tells: a cord or connector at bj-gateway1:ethernet-1/1 or sh-gateway1:ethernet-1/1 would look the same (was so for 20s)
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if table := strings.Join(w.table(cut), "\n"); !strings.Contains(table, "bj-sh/1") || strings.Count(table, " down ") != 1 {
		t.Errorf("table:\n%s", table)
	}
	out.Reset()
	s.json = true
	look(cut, 40*time.Second)
	var events []string
	for line := range strings.Lines(out.String()) {
		var e struct{ Event, Command string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		events = append(events, e.Event)
	}
	if got := strings.Join(events, " "); got != "found proposal margins" {
		t.Errorf("as JSON: %s", got)
	}
}

// darkened is what is seen when no light of a channel comes through.
func (f *fleet) darkened(seen verify.Observed, channel string) verify.Observed {
	seen.Devices = maps.Clone(seen.Devices)
	c := f.design.Channels[channelIndex(f.design, channel)]
	for _, end := range []struct{ device, port string }{{c.A.Device, c.A.Port}, {c.B.Device, c.B.Port}} {
		d := seen.Devices[end.device]
		d.Optical, d.Interfaces = maps.Clone(d.Optical), maps.Clone(d.Interfaces)
		p, dark := d.Optical[end.port], -50.0
		p.Received, p.Total, p.BER, p.OSNR = &dark, &dark, nil, nil
		d.Optical[end.port], d.Interfaces[end.port] = p, verify.Interface{Enabled: true}
		seen.Devices[end.device] = d
	}
	return seen
}

// Cuts that are seen in one look are answered by one proposal, that leads over none of them.
func TestTwoCutsAtOnceAreOneProposal(t *testing.T) {
	t.Parallel()
	f := litFleet(t, bgpComputed)
	if err := f.until(t.Context(), time.Minute, f.incomplete); err != nil {
		t.Fatal(err)
	}
	for _, duct := range []string{"river", "north1"} {
		fault, err := sim.ParseFault("fibre-cut", duct, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.sim.Inject(fault); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.sim.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := newLightWatch(f.n, proposal{paths: []string{"lit.yaml"}, to: "restored.yaml"})
	var events []string
	cut := map[string]bool{}
	for _, e := range w.next(f.observer(t).observe(t.Context(), lightDevices(f.design))) {
		events = append(events, e.Event)
		if e.Event == "found" {
			cut[e.Finding.Object] = true
		}
		if e.Event == "proposal" && (len(e.Moves) > 0 || len(e.Stays) != 4 || strings.Contains(e.sentence, "goes over")) {
			t.Errorf("with every way between bj and sh cut: %s", e.sentence)
		}
	}
	if got := strings.Join(events, " "); got != "found found proposal margins" || !cut["river"] || !cut["north1"] {
		t.Errorf("events %s, of %v", got, cut)
	}
}
