package plan_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/srlinux"
)

func drainer(string) plan.Drainer {
	return plan.Drainer{
		Drain:      func(t *config.Tree) (*config.Tree, error) { return srlinux.Drain(t, &fabric.Device{Name: "leaf1"}) },
		Disruptive: srlinux.Driver().Disruptive,
	}
}

// bonded is router with a bond of two ports that is one end of an ethernet segment.
var bonded = router.with(
	"/interface[name=lag1]/lag/lag-type lacp",
	"/interface[name=lag1]/lag/lacp/system-id-mac 02:00:00:00:00:01",
	"/interface[name=ethernet-1/7]/ethernet/aggregate-id lag1",
	"/interface[name=ethernet-1/8]/admin-state enable",
	"/interface[name=ethernet-1/8]/ethernet/aggregate-id lag1",
	"/interface[name=ethernet-1/9]/ethernet/port-speed 10G",
	"/system/network-instance/protocols/bgp-vpn/bgp-instance[id=1]/id 1",
	"/system/network-instance/protocols/evpn/ethernet-segments/bgp-instance[id=1]/ethernet-segment[name=es1]/interface[ethernet-interface=lag1]/ethernet-interface lag1",
)

func TestAChangeThatInterruptsTrafficIsMadeWhileItIsElsewhere(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		before lines
		after  lines
		mode   plan.DrainMode
		why    string // the paths of the interruptions; "-": not drained
		steps  string
	}{
		{"another AS number", router, router.without(bgp + "/autonomous-system").with(bgp + "/autonomous-system 65002"), "", bgp + "/autonomous-system", "drain change undrain"},
		{"a session goes", router, router.without(bgp + "/neighbor[peer-address=192.0.2.3]"), "", bgp + "/neighbor[peer-address=192.0.2.3]", "drain change undrain"},
		{"a session comes", router, router.with(bgp + "/neighbor[peer-address=192.0.2.5]/peer-group g"), "", "-", ""},
		{"a fabric link has another speed", router, router.with("/interface[name=ethernet-1/1]/ethernet/port-speed 100G"), "", "/interface[name=ethernet-1/1]/ethernet/port-speed", "drain change undrain"},
		{"a port of a server has another speed", bonded, bonded.without("/interface[name=ethernet-1/9]").with("/interface[name=ethernet-1/9]/ethernet/port-speed 25G"), "", "-", ""},
		{"a fabric link is shut", router, router.without("/interface[name=ethernet-1/1]/admin-state").with("/interface[name=ethernet-1/1]/admin-state disable"), "", "/interface[name=ethernet-1/1]/admin-state", "drain change undrain"},
		{"a fabric link that was shut is opened", router.without("/interface[name=ethernet-1/1]/admin-state").with("/interface[name=ethernet-1/1]/admin-state disable"), router, "", "-", ""},
		{"a port leaves the bond of an ethernet segment", bonded, bonded.without("/interface[name=ethernet-1/8]/ethernet/aggregate-id"), "", "/interface[name=ethernet-1/8]/ethernet/aggregate-id", "drain change undrain"},
		{"a port joins the bond of an ethernet segment", bonded, bonded.with("/interface[name=ethernet-1/10]/ethernet/aggregate-id lag1"), "", "-", ""},
		{"a bond shows servers another system", bonded, bonded.without("/interface[name=lag1]/lag/lacp").with("/interface[name=lag1]/lag/lacp/system-id-mac 02:00:00:00:00:02"), "", "/interface[name=lag1]/lag/lacp", "drain change undrain"},
		{"a description", router, router.with("/interface[name=ethernet-1/1]/description x"), "", "-", ""},
		{"a description, where all changes are asked for", router, router.with("/interface[name=ethernet-1/1]/description x"), plan.DrainAlways, "", "drain change undrain"},
		{"another AS number, where none is asked for", router, router.without(bgp + "/autonomous-system").with(bgp + "/autonomous-system 65002"), plan.DrainNever, "-", ""},
		{"a router that is new", nil, router, plan.DrainAlways, "-", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := judged(t, tt.before, tt.after)
			if err := p.Drain(tt.mode, drainer); err != nil {
				t.Fatal(err)
			}
			d := &p.Devices[0]
			if got := whyText(d); got != tt.why {
				t.Errorf("because of %q, want %q", got, tt.why)
			}
			if got := stepsText(d); got != tt.steps {
				t.Errorf("steps %q, want %q", got, tt.steps)
			}
		})
	}
}

func whyText(d *plan.Device) string {
	if d.Drain == nil {
		return "-"
	}
	var out []string
	for _, w := range d.Drain.Why {
		out = append(out, w.Path)
	}
	return strings.Join(out, " ")
}

func stepsText(d *plan.Device) string {
	var out []string
	for _, s := range d.Steps {
		out = append(out, s.Name)
	}
	return strings.Join(out, " ")
}

var renumbered = router.without(bgp + "/autonomous-system").with(bgp + "/autonomous-system 65002")

func TestEveryStepOfADrainLeadsToTheNextPlace(t *testing.T) {
	t.Parallel()
	p := judged(t, router, renumbered)
	if err := p.Drain("", drainer); err != nil {
		t.Fatal(err)
	}
	d := &p.Devices[0]
	at := d.Before
	for _, s := range d.Steps {
		got, err := config.Apply(at, s.Request)
		if err != nil || !config.Equal(got, s.To) || plan.Hash(got) != s.Target {
			t.Fatalf("%s: %v", s.Name, err)
		}
		at = got
	}
	if !config.Equal(at, d.After) {
		t.Error("the last step does not lead to what is intended")
	}
}

// A device that stays drained needs no more; one that is drained, or carries traffic again, is no risk by that.
func TestWhatIsDrainedAlreadyIsNotDrainedForItsChange(t *testing.T) {
	t.Parallel()
	out := func(l lines) *config.Tree {
		tree, err := drainer("").Drain(l.tree(t))
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	for _, tt := range []struct {
		name          string
		before, after *config.Tree
		steps         string
		risks         []plan.Class
	}{
		{"another AS number while it is drained", out(router), out(renumbered), "", []plan.Class{plan.Renumber}},
		{"a drain", router.tree(t), out(router), "", nil},
		{"the end of a drain", out(router), router.tree(t), "", nil},
		{"a drain and another AS number", router.tree(t), out(renumbered), "drain change", []plan.Class{plan.Renumber}},
	} {
		in := input(t, "leaf1", "", tt.before, tt.after)
		in.Scope = config.Scope{{Own: config.Whole}}
		p := plan.New("demo", "live", []plan.Input{in}, at)
		if err := p.Drain("", drainer); err != nil {
			t.Fatal(err)
		}
		if got := stepsText(&p.Devices[0]); got != tt.steps {
			t.Errorf("%s: steps %q, want %q", tt.name, got, tt.steps)
		}
		p.Risks = plan.Risks(p, guards, plan.RiskOptions{})
		if got := p.RiskClasses(); !slices.Equal(got, tt.risks) {
			t.Errorf("%s: risks %v, want %v", tt.name, got, tt.risks)
		}
	}
}

func TestADrainIsPartOfThePlansHash(t *testing.T) {
	t.Parallel()
	seen := map[string]plan.DrainMode{}
	for _, mode := range []plan.DrainMode{"", plan.DrainNever, plan.DrainAlways} {
		p := judged(t, router, renumbered)
		if err := p.Drain(mode, drainer); err != nil {
			t.Fatal(err)
		}
		p.Cut(plan.WaveOptions{Drain: mode})
		if other, known := seen[p.Hash()]; known {
			t.Errorf("%q and %q have one hash", mode, other)
		}
		seen[p.Hash()] = mode
	}
}

func TestAWaveWithDrainedDevicesEndsAtACheckpoint(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Devices: slices.Clone(rack)}
	for i := range p.Devices {
		if name := p.Devices[i].Name; name == "leaf3" || name == "spine1" || name == "gateway1" {
			p.Devices[i].Drain = &plan.Drain{}
		}
	}
	p.Cut(plan.WaveOptions{Canaries: plan.NoCanary})
	if got, want := wavesText(p), "leaf1 leaf3 leaf10*|leaf2 leaf4|spine1*|spine2|gateway1"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestADeviceThatCannotBeDrainedIsNotChangedUnlessAskedFor(t *testing.T) {
	t.Parallel()
	stuck := func(string) plan.Drainer {
		d := drainer("")
		d.Drain = func(*config.Tree) (*config.Tree, error) { return nil, errors.New("leaf1: drain: no") }
		return d
	}
	if err := judged(t, router, renumbered).Drain("", stuck); err == nil || !strings.Contains(err.Error(), "--drain never") {
		t.Errorf("got %v", err)
	}
	if err := judged(t, router, renumbered).Drain(plan.DrainNever, stuck); err != nil {
		t.Error(err)
	}
}
