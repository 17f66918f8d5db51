package main

import (
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// risky is a plan with risks of two classes.
func risky() *plan.Plan {
	return &plan.Plan{
		Topology: "demo", Devices: []plan.Device{{Name: "leaf1", Base: "1", Target: "2"}},
		Risks: []plan.Risk{{Class: plan.GuardRemoved, Device: "leaf1"}, {Class: plan.TermOrder, Device: "leaf1"}},
	}
}

func TestRisksAreApprovedByTheirClass(t *testing.T) {
	t.Parallel()
	hash := risky().Hash()
	tests := []struct {
		name    string
		options applyOptions
		answers string // what is typed; "" where nobody is asked
		want    string // part of the error; "" where the plan goes on
	}{
		{"nobody is asked and nothing approved", applyOptions{yes: true}, "", "risks that are not approved: guard-removed, term-order"},
		{"all classes and the plan", applyOptions{plan: hash, approved: []string{"term-order", "guard-removed"}}, "", ""},
		{"the beginning of the hash", applyOptions{plan: hash[:plan.ShortHash], approved: []string{"term-order", "guard-removed"}}, "", ""},
		{"one class of two", applyOptions{plan: hash, approved: []string{"guard-removed"}}, "", "not approved: term-order"},
		{"another plan", applyOptions{plan: strings.Repeat("0", 64), approved: []string{"guard-removed", "term-order"}}, "", "today's plan is " + hash[:plan.ShortHash]},
		{"too little of a hash", applyOptions{plan: hash[:8]}, "", "no hash of a plan"},
		{"approval of a plan that nobody names", applyOptions{yes: true, approved: []string{"guard-removed"}}, "", "say which plan"},
		{"a class that there is not", applyOptions{plan: hash, approved: []string{"guards"}}, "", "classes are management-path, guard-removed"},
		{"every class is typed", applyOptions{}, "guard-removed\nterm-order\n", ""},
		{"one is approved and the other typed", applyOptions{approved: []string{"guard-removed"}}, "term-order\n", ""},
		{"yes is no class", applyOptions{}, "yes\n", "guard-removed is not approved"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at := &terminal{in: strings.NewReader(tt.answers), out: io.Discard, err: io.Discard, ask: tt.answers != ""}
			err := tt.options.checkApproval(at)
			if err == nil {
				err = tt.options.expected(risky())
			}
			if err == nil {
				err = tt.options.approveRisks(t.Context(), at, risky())
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// Whatever makes a plan is named to who has to give it again; a flag that is new is, until somebody says otherwise.
func TestFlagsThatMakeAPlanAreNamedWithItsHash(t *testing.T) {
	t.Parallel()
	makes := map[string][]string{
		"apply":    {"canary", "drain", "limit", "max-devices", "order", "release", "soak", "waves", "window"},
		"rollback": {"canary", "drain", "max-devices", "order", "soak", "waves", "window"},
		"drain":    {"canary", "drain", "max-devices", "order", "release", "soak", "waves", "window"},
		"undrain":  {"canary", "drain", "max-devices", "order", "release", "soak", "waves", "window"},
	}
	var known []string
	for name, want := range makes {
		root := newRoot(&terminal{out: io.Discard, err: io.Discard})
		c, _, err := root.Find([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		c.InitDefaultHelpFlag()
		var got []string
		c.Flags().VisitAll(func(f *pflag.Flag) {
			known = append(known, f.Name)
			if !slices.Contains(besidePlan, f.Name) {
				got = append(got, f.Name)
			}
		})
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s: %v make the plan, want %v", name, got, want)
		}
	}
	for _, name := range besidePlan {
		if !slices.Contains(known, name) {
			t.Errorf("--%s: no command has it", name)
		}
	}
}

func TestTheOptionsOfAPlanAreNamedAsTheyWereGiven(t *testing.T) {
	t.Parallel()
	c := &cobra.Command{}
	o := pushFlags(c)
	o.limit, o.releases = limitFlag(c), releaseFlag(c)
	if err := c.ParseFlags([]string{"--yes", "--drain", "never", "--window", "4", "--limit", "spine*,leaf1", "--gate", "0", "--soak=90s", "--release", "srlinux=24.10", "--plan", strings.Repeat("0", 12)}); err != nil {
		t.Fatal(err)
	}
	const want = " --drain never --limit 'spine*,leaf1' --release srlinux=24.10 --soak 1m30s --window 4"
	if got := o.options(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for what, err := range map[string]error{
		"another plan": o.expected(risky()),
		"open risks":   o.approveRisks(t.Context(), &terminal{out: io.Discard, err: io.Discard}, risky()),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", what, err, want)
		}
	}
}

func TestRolloutFlagsAreChecked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		how  rollout
		want string
	}{
		{"less than no device", rollout{waves: -1, maxDevices: 1}, "--waves -1"},
		{"no devices at all", rollout{}, "--max-devices 0"},
		{"time that runs back", rollout{soak: -1, maxDevices: 1}, "--soak -1ns"},
		{"a role that there is not", rollout{order: "leaf,core", maxDevices: 1}, `"core" is no role`},
		{"roles in plural", rollout{order: "spines, leaves", maxDevices: 1}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := tt.how.check(); tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestLeavesThatShareASegmentAreAGroup(t *testing.T) {
	t.Parallel()
	leaf := func(name string, number uint32, group string, segments ...string) *fabric.Device {
		d := &fabric.Device{Name: name, Site: "s", Role: fabric.Leaf, Number: number, Group: group}
		for _, esi := range segments {
			d.LAGs = append(d.LAGs, fabric.LAG{ESI: esi})
		}
		return d
	}
	got := groups(&fabric.Design{Devices: []*fabric.Device{
		leaf("leaf1", 1, "s/leaf1+leaf2", "a"), leaf("leaf2", 2, "s/leaf1+leaf2", "a", "b"),
		leaf("leaf3", 3, "", "b", ""), leaf("leaf4", 4, "", "", "c"),
	}})
	want := map[string][]string{"leaf1": {"s/leaf1+leaf2"}, "leaf2": {"s/leaf1+leaf2", "s/leaf2+leaf3"}, "leaf3": {"s/leaf2+leaf3"}, "leaf4": nil}
	for name, groups := range want {
		if !slices.Equal(got[name], groups) {
			t.Errorf("%s is in %v, want %v", name, got[name], groups)
		}
	}
}

// What users do every day must ask for no approval, or approvals are given without a look.
func TestGrowthIsNoRisk(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"demo.yaml", "ebgp-overlay.yaml", "tiny.yaml"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			srcs, err := sources([]string{filepath.Join(root, "topologies", file)})
			if err != nil {
				t.Fatal(err)
			}
			before, err := compileNetwork(&terminal{out: io.Discard, err: io.Discard}, srcs, nil)
			if err != nil {
				t.Fatal(err)
			}
			more, err := grow(before)
			if err != nil {
				t.Fatal(err)
			}
			after, err := compileIntent(topology.New(more.intent), before.topo)
			if err != nil {
				t.Fatal(err)
			}
			p := between(t, before, after)
			if len(p.Devices) == 0 || len(p.Risks) > 0 {
				t.Errorf("%d devices change; risks %+v", len(p.Devices), p.Risks)
			}
			if back := between(t, after, before); len(back.Devices) == 0 || len(back.Risks) > 0 {
				t.Errorf("taking it away: %d devices change; risks %+v", len(back.Devices), back.Risks)
			}
		})
	}
}

// between plans the way from one network to another, on the devices of the other.
func between(t *testing.T, from, to *network) *plan.Plan {
	t.Helper()
	inputs := map[string]plan.Input{}
	var names []string
	for _, d := range to.design.Devices {
		in := to.input(d.Name)
		in.Offline, in.Running = true, from.trees[d.Name]
		if in.Running == nil {
			in.Running = config.EmptyTree(in.Intended.Schema(), in.Intended.Release())
		}
		inputs[d.Name] = in
		names = append(names, d.Name)
	}
	p := to.newPlan("before", names, inputs)
	if err := (&rollout{maxDevices: plan.DefaultMaxDevices}).onto(to, p, to.reach(nil)); err != nil {
		t.Fatal(err)
	}
	return p
}

// The guards are a table of paths: it has to name what the driver renders.
func TestTheGuardsSeeWhatLoomRenders(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"demo.yaml", "ebgp-overlay.yaml"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			srcs, err := sources([]string{filepath.Join(root, "topologies", file)})
			if err != nil {
				t.Fatal(err)
			}
			n, err := compileNetwork(&terminal{out: io.Discard, err: io.Discard}, srcs, nil)
			if err != nil {
				t.Fatal(err)
			}
			bare := &network{design: n.design, topo: n.topo, trees: map[string]*config.Tree{}}
			for name, tree := range n.trees {
				req := &gnmi.SetRequest{Delete: []*gnmi.Path{mustPath("/network-instance[name=default]").GNMI(), mustPath("/routing-policy").GNMI()}}
				if bare.trees[name], err = config.Apply(tree, req); err != nil {
					t.Fatal(err)
				}
			}
			p := between(t, n, bare)
			found := map[string]int{}
			for _, r := range p.Risks {
				found[string(r.Class)+" "+r.Device]++
			}
			for _, d := range n.design.Devices {
				for _, class := range []string{"last-uplink ", "last-session ", "guard-removed "} {
					if found[class+d.Name] == 0 {
						t.Errorf("%s%s is not found", class, d.Name)
					}
				}
			}
			if found["route-reflector "] == 0 {
				t.Error("route-reflector is not found")
			}
		})
	}
}
