//go:build !race

package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
)

// A channel comes, is tuned anew, gets another mode and goes, each an ordinary change through its gates; the others on the line do not notice.
func TestOtherChannelsDoNotNoticeOneThatComesIsTunedAndGoes(t *testing.T) {
	t.Parallel()
	const wide = "frequency: 193.4 THz, mode: OpenROADM 800G-oFEC-131GbdE"
	f := &fleet{n: sharing(t, "")}
	f.design = f.n.design
	var err error
	if f.sim, err = (simulation{bgp: bgpComputed, hosts: 1}).start(t.Context(), sharing(t, wide).design); err != nil { // where everything is plugged in
		t.Fatal(err)
	}
	t.Cleanup(f.sim.Close)
	f.sim.Record(nil, 1000)
	f.configure(t)
	if err := f.sim.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := f.record(t)
	first := len(seen.since(0))
	const quiet = 0.3 // dB
	said := &strings.Builder{}
	d := &demo{t: &terminal{out: said, err: said}, sim: f.sim, data: t.TempDir()}
	for _, c := range []struct {
		name, third string
		steps       string // of the transponders at its ends
		power       bool   // a slot of another width has other powers, which the plan says
	}{
		{"a channel comes between two others", "frequency: 193.175 THz", "retune ramp change", false},
		{"it is tuned anew", "frequency: 193.325 THz", "dark retune ramp change", false},
		{"it gets another mode", "frequency: 193.325 THz, mode: OpenZR+ 400G HA", "dark retune ramp ramp change", false},
		{"it gets twice the rate, in a wider slot", wide, "dark retune ramp ramp change", true},
		{"and half of it again", "frequency: 193.4 THz", "dark retune ramp change", true},
		{"it goes", "", "dark change", false},
	} {
		before, sent := len(seen.since(0)), f.sentOf(t, "bj-transponder1")
		n := sharing(t, c.third)
		p, err := d.plan(t.Context(), n)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if !sameWave(p, "bj-transponder1", "sh-transponder1") {
			t.Errorf("%s: the ends are not in one wave: %v", c.name, p.Waves)
		}
		has := func(class plan.Class) bool { return slices.Contains(p.RiskClasses(), class) }
		if has(plan.Cord) || has(plan.Power) != c.power {
			t.Errorf("%s: risks %+v", c.name, p.Risks)
		}
		if err := d.apply(t.Context(), n); err != nil {
			t.Fatalf("%s: %v\n%s", c.name, err, said)
		}
		steps := stepNames(p.Device("bj-transponder1"))
		if steps != c.steps || steps != stepNames(p.Device("sh-transponder1")) || f.sentOf(t, "bj-transponder1")-sent != len(strings.Fields(steps)) {
			t.Errorf("%s: steps %s, and %d Sets", c.name, steps, f.sentOf(t, "bj-transponder1")-sent)
		}
		if again, err := d.plan(t.Context(), n); err != nil || !again.Empty() {
			t.Errorf("%s: %v, and the plan is not empty", c.name, err)
		}
		swing := quiet
		if c.power {
			swing = 2
		}
		if what := disturbed(f.design, append(slices.Clone(seen.since(0)[:first]), seen.since(before)...), swing); what != "" {
			t.Errorf("%s: %s", c.name, what)
		}
		if c.third == "" {
			continue
		}
		third := &n.design.Channels[channelIndex(n.design, "x/3")]
		for _, end := range []fabric.Terminal{third.A, third.B} {
			state := "/components/component[name=och-" + end.Port + "]/optical-channel/state/"
			f.comesTo(t, c.name, end.Device, state+"frequency", is(strconv.FormatUint(third.Slot.Centre(), 10)))
			f.comesTo(t, c.name, end.Device, "/terminal-device/logical-channels/channel[index=20002]/state/link-state", is("UP"))
			f.comesTo(t, c.name, end.Device, state+"pre-fec-ber/instant", keepsMargin(third))
		}
	}
	// What does disturb them is seen: 3 dB more at once.
	before := len(seen.since(0))
	gain := f.shown(t, "long-hut", "/optical-amplifier/amplifiers/amplifier[name=long-there]/config/target-gain")
	f.hand(t, "long-hut", "/optical-amplifier/amplifiers/amplifier[name=long-there]/config/target-gain", fmt.Sprintf("%q", fmt.Sprintf("%.2f", gain+3)))
	late := time.After(30 * time.Second)
	for disturbed(f.design, append(slices.Clone(seen.since(0)[:first]), seen.since(before)...), quiet) == "" {
		select {
		case <-seen.news:
		case <-late:
			t.Fatal("3 dB more have not been noticed")
		}
	}
}
