package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/verify"
)

// Whatever breaks on a dark fibre, an amplified line between transponders or a ring of ROADMs: one finding says what and where, as read from the
// devices, and the rest follows from it. Routers and transponders are as easy to read.
func TestEachFaultOfLightHasOneCauseAndItsPlace(t *testing.T) {
	t.Parallel()
	f := fleetOf(t, filepath.Join("testdata", "ring.yaml"), bgpComputed)
	f.configure(t)
	if err := f.until(t.Context(), time.Minute, f.incomplete); err != nil {
		t.Fatal(err)
	}
	o, index := f.observer(t), verify.NewIndex(f.design)
	wantLost := []string{"channels: a-b/1, a-b/2", "links: a-gateway1:ethernet-1/17 - b-gateway1:ethernet-1/17, a-gateway1:ethernet-1/19 - b-gateway1:ethernet-1/19",
		"sessions: a-gateway1:ethernet-1/17 - b-gateway1:ethernet-1/17, a-gateway1:ethernet-1/19 - b-gateway1:ethernet-1/19"}
	const fibre, amplified, ring = "a-gateway1:ethernet-1/3", "a-transponder1:line-1", "c-transponder1:line-2"
	for _, c := range []struct {
		kind, target, parameter string
		want                    string // severity, kind and object
		says                    string // what it says, in part
	}{
		{"fibre-cut", "river", "", "error fibre-cut river", "dark passes no light between a and b"},
		{"fibre-cut", "hill2", "", "error fibre-cut hill2", "between amp-b and amp-hut"},
		{"fibre-cut", "amp", "", "error fibre-cut hill1", "between amp-a and amp-hut"},
		{"fibre-cut", "amp:hill2", "", "error fibre-cut hill2", "between amp-b and amp-hut"},
		{"fibre-cut", "east", "", "error fibre-cut east", "between bc-b and bc-c"},
		{"fibre-loss", "river", "loss=4", "error fibre-loss river", "4.0 dB more than planned from a to b"},
		{"fibre-loss", "hill2", "loss=3", "warning fibre-loss hill2", "3.0 dB more than planned from amp-hut to amp-b"},
		{"fibre-loss", "hill2", "loss=12", "error fibre-loss hill2", "12.0 dB more than planned from amp-hut to amp-b"},
		{"fibre-loss", "north", "loss=3", "warning fibre-loss north", "3.0 dB more than planned from ab-a to ab-b"},
		{"amplifier-failure", "amp-hut:amp-there", "", "error amplifier amp-hut:amp-there", "does not amplify"},
		{"amplifier-failure", "ab-b:ab-there", "", "error amplifier ab-b:ab-there", "does not amplify"},
		{"amplifier-noise", "amp-hut:amp-there", "loss=8", "warning noise amp from a to b", "of amp-a:amp-there, amp-hut:amp-there, amp-b:amp-there nothing tells which"},
		{"amplifier-noise", "ab-b:ab-there", "loss=14", "error noise ab from a to b", "c-transponder1 sees an OSNR of"},
		{"amplifier-noise", "bc-c:bc-back", "loss=8", "error noise bc from c to b", "b-transponder3 sees an OSNR of"},
		{"dirty-connector", fibre, "loss=2.5", "warning connector a-b/3", "has a bad connector or cord: a-b/3 loses 2.5 dB more than planned from a to b, a-b/3 loses 2.5 dB more than planned from b to a, at a-gateway1:ethernet-1/3 or at b-gateway1:ethernet-1/3, which this line does not tell"},
		{"dirty-connector", amplified, "loss=4", "warning connector a-b/1 at " + amplified, "has a bad connector or cord: a-b/1 loses 4.0 dB more than planned from a to amp-a, a-b/1 loses 4.0 dB more than planned from amp-a to a"},
		{"dirty-connector", ring, "loss=4", "warning connector a-c/4 at " + ring, "has a bad connector or cord: a-c/4 loses 4.0 dB more than planned from bc-c to c"},
		{"dirty-connector", fibre, "loss=100", "error connector a-b/3", "is not plugged in, or has a broken cord"},
		{"dirty-connector", amplified, "loss=100", "error connector a-b/1 at " + amplified, "is not plugged in, or has a broken cord"},
		{"dirty-connector", ring, "loss=100", "error connector a-c/4 at " + ring, "is not plugged in, or has a broken cord"},
		{"cut", fibre, "", "error connector a-b/3", "is not plugged in, or has a broken cord"},
		{"frequency-drift", fibre, "shift=5000", "error tuning " + fibre + " (a-b/3)", "has a laser that has left its frequency: b-gateway1 hears no channel"},
		{"frequency-drift", amplified, "shift=-5000", "error tuning " + amplified + " (a-b/1)", "has a laser that has left its frequency: b-transponder1 hears no channel"},
		{"frequency-drift", ring, "shift=5000", "error tuning " + ring + " (a-c/4)", "has a laser that has left its frequency: a-transponder1 hears no channel"},
		{"frequency-drift", fibre, "shift=60000", "error connector a-b/3", "one way only: one fibre of the cord, or a laser far from its frequency"},
		{"frequency-drift", amplified, "shift=60000", "error connector a-b/1 at " + amplified, "one way only: one fibre of the cord, or a laser far from its frequency"},
		{"frequency-drift", ring, "shift=60000", "error connector a-c/4 at " + ring, "one way only: one fibre of the cord, or a laser far from its frequency"},
		{"port-down", fibre, "", "error laser-off " + fibre + " (a-b/3)", "sends no light with its laser on"},
		{"port-down", amplified, "", "error laser-off " + amplified + " (a-b/1)", "sends no light with its laser on"},
		{"port-down", ring, "", "error laser-off " + ring + " (a-c/4)", "sends no light with its laser on"},
	} {
		parameters := map[string]string{}
		if name, value, given := strings.Cut(c.parameter, "="); given {
			parameters[name] = value
		}
		fault, err := sim.ParseFault(c.kind, c.target, parameters)
		if err != nil {
			t.Fatal(err)
		}
		id, err := f.sim.Inject(fault)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.sim.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		findings := index.Check(o.observe(t.Context(), lightDevices(f.design)))
		groups := slices.DeleteFunc(verify.Groups(findings), func(g verify.Group) bool { return g.Severity == verify.Notice })
		var got []string
		for _, g := range groups {
			got = append(got, fmt.Sprintf("%s %s %s", g.Severity, g.Kind, g.Object))
		}
		if c.target == "amp" && !slices.Equal(lost(findings, groups[0].Takes), wantLost) {
			t.Errorf("between transponders it takes %q, want each link once: %q", lost(findings, groups[0].Takes), wantLost)
		}
		if got, want := takes(groups[0], kindsOf(findings)), "; takes with it: 2 channels, 2 ports, 2 sessions, 1 DCI"; c.target == "amp" && got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if !slices.Equal(got, []string{c.want}) || !strings.Contains(groups[0].Message, c.says) {
			t.Errorf("%s %s %s: want %q that says %q, got %q", c.kind, c.target, c.parameter, c.want, c.says, got)
			for _, g := range groups {
				t.Logf("  %s", g.Message)
			}
		}
		if err := f.sim.Clear(id); err != nil {
			t.Fatal(err)
		}
	}
}
