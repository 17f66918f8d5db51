package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/spf13/cobra"
)

// demoTopology is what the tour shows unless told otherwise.
const demoTopology = "topologies/demo.yaml"

func demoCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "demo [PATH]",
		Short: "A guided tour on simulated routers",
		Long: `Simulates a fabric on loopback addresses, plans it, configures it over gNMI, shows that BGP comes up
and that a second plan is empty, adds a rack and a segment, breaks a session by a wrong AS number,
cuts a cable, makes a foreign change on one router, finds it and takes it back. Where sites are joined
by light it goes on: every channel is lit, a duct is cut, what goes with it is told as one cause, the
way around is shown as a plan and applied, and taken back when the fibres are mended. Every step is checked; one that
does not hold ends the tour with status 1.`,
		Example:           "  loom demo\n  loom demo topologies/twin.yaml\n  loom demo --stay",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: yamlFiles,
	}
	o := simulationFlags(c)
	stay := c.Flags().Bool("stay", false, "leave the routers running at the end, until interrupted")
	named := c.Flags().String("topology", "", "the same as PATH")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		path := cmp.Or(*named, demoTopology)
		if len(args) == 1 {
			path = args[0]
		}
		d := &demo{t: t, path: path, stay: *stay, how: o}
		if err := d.run(cmd.Context()); err != nil {
			return fmt.Errorf("step %d does not hold: %w", d.step, err)
		}
		return nil
	}
	return c
}

// demoStep is a step of the tour.
type demoStep struct {
	title string
	do    func(context.Context) error
}

// demo is the tour: what it has shown so far.
type demo struct {
	t    *terminal
	path string
	stay bool
	how  *simulation
	step int

	before, after *network // as the file says, and with the rack
	added         growth
	sim           *sim.Sim
	began         time.Time
	data          string // where its journal is
	cut           fabric.Outage
	cutID         string        // of the fault
	moves         []fabric.Move // around it
	around        *network      // with them
}

func (d *demo) run(ctx context.Context) error {
	d.began = time.Now()
	var err error
	if d.data, err = os.MkdirTemp("", "loom-demo-"); err != nil {
		return err
	}
	defer os.RemoveAll(d.data)
	steps := []demoStep{
		{"The topology file becomes a design and the configuration of every device", d.compile},
		{"Every device is simulated: a gNMI server each, as it comes from the factory", d.simulate},
		{"The first plan", d.firstPlan},
		{"Apply: armed on every router, read back, then confirmed and saved", d.firstApply},
		{"The fabric comes up: BGP by real speakers, from nothing but what was applied", d.comeUp},
		{"A second plan is empty", d.expectEmpty},
		{"One more rack and one more segment: a small plan", d.growthPlan},
		{"Apply it", d.growthApply},
		{"Somebody mistypes an AS number on a spine: exactly that session goes down", d.mistype},
		{"Apply mends it", d.revert},
		{"A cable is cut: every server is still known everywhere", d.cutCable},
		{"Somebody changes a router by hand; plan --against live finds it", d.foreignChange},
		{"Apply takes it back", d.revert},
	}
	for i := 0; i < len(steps); i++ {
		s := steps[i]
		d.step = i + 1
		d.t.printf("\n%s\n", d.bold(fmt.Sprintf("%d  %s", d.step, s.title)))
		if err := s.do(ctx); err != nil {
			if d.sim != nil {
				d.sim.Close()
			}
			return err
		}
		if i == 0 && len(d.before.design.Channels) > 0 {
			steps = append(steps, d.lightSteps()...)
		}
	}
	defer d.sim.Close()
	d.t.printf("\nAll %d steps hold, in %s.\n", len(steps), time.Since(d.began).Round(100*time.Millisecond))
	if d.stay {
		return d.linger(ctx)
	}
	return nil
}

func (d *demo) bold(s string) string {
	if !d.t.color {
		return s
	}
	return "\x1b[1m" + s + "\x1b[0m"
}

// table lines up columns, however long names and platforms are.
func (d *demo) table() *tabwriter.Writer { return tabwriter.NewWriter(d.t.out, 0, 0, 2, ' ', 0) }

// holds says that something was checked.
func (d *demo) holds(format string, args ...any) {
	mark := "ok"
	if d.t.color {
		mark = "\x1b[32mok\x1b[0m"
	}
	d.t.printf("   %s  %s\n", mark, fmt.Sprintf(format, args...))
}

func (d *demo) compile(context.Context) error {
	srcs, err := sources([]string{d.path})
	if err != nil {
		return err
	}
	if d.before, err = compileNetwork(d.t, srcs, nil); err != nil {
		return err
	}
	if d.added, err = grow(d.before); err != nil {
		return err
	}
	d.after, err = compileIntent(topology.New(d.added.intent), d.before.topo)
	if err != nil {
		return fmt.Errorf("with one more rack: %w", err)
	}
	d.holds("%s: %s", d.path, summary(d.before.validation()))
	return nil
}

func (d *demo) simulate(ctx context.Context) (err error) {
	if d.sim, err = d.how.start(ctx, d.after.design); err != nil {
		return err
	}
	d.holds("%s on loopback, the new rack already powered", sizes(len(d.after.design.Devices), "device"))
	return nil
}

func (d *demo) firstPlan(ctx context.Context) error {
	p, err := d.plan(ctx, d.before)
	if err != nil {
		return err
	}
	rows := d.table()
	for i := range p.Devices {
		dev := &p.Devices[i]
		fmt.Fprintf(rows, "   %s\t%s\t%s\t%4d leaves in %s\n", dev.Name, dev.Platform, dev.Release, len(dev.Changes), sizes(dev.Size.Operations(), "operation"))
	}
	rows.Flush()
	if len(p.Devices) != len(d.before.design.Devices) {
		return fmt.Errorf("%d of %d devices to change", len(p.Devices), len(d.before.design.Devices))
	}
	d.holds("every device is to change, in %s", sizes(len(p.Waves), "wave"))
	return nil
}

func (d *demo) firstApply(ctx context.Context) error { return d.apply(ctx, d.before) }

func (d *demo) expectEmpty(ctx context.Context) error {
	p, err := d.plan(ctx, d.before)
	if err != nil {
		return err
	}
	if !p.Empty() {
		return notEmpty(p)
	}
	d.holds("%s", "nothing to change: what is read back is what was intended")
	return nil
}

func notEmpty(p *plan.Plan) error {
	if len(p.Devices) == 0 {
		return fmt.Errorf("plan is not empty: not saved: %s", strings.Join(p.Unsaved, ", "))
	}
	c := p.Devices[0].Changes[0]
	return fmt.Errorf("plan is not empty: %s %s %s (%s → %s)", p.Devices[0].Name, c.Op, c.Path, c.Old, c.New)
}

func (d *demo) growthPlan(ctx context.Context) error {
	for _, line := range d.added.summary {
		d.t.printf("   + %s\n", line)
	}
	p, err := d.plan(ctx, d.after)
	if err != nil {
		return err
	}
	d.t.printf("\n")
	if err := p.Text(d.t.out, plan.Style{Color: d.t.color, Lines: 12}); err != nil {
		return err
	}
	for i := range p.Devices {
		dev := &p.Devices[i]
		if !d.added.touches(d.after.design.Device(dev.Name)) {
			return fmt.Errorf("%s changes, which has nothing to do with the rack", dev.Name)
		}
	}
	if len(p.Devices) == 0 {
		return errors.New("plan is empty")
	}
	d.holds("only the new rack and the spines it is cabled to change; nothing was renumbered")
	return nil
}

func (d *demo) growthApply(ctx context.Context) error { return d.apply(ctx, d.after) }

// foreignChange renames a fabric port on the first leaf, as an operator at the box would.
func (d *demo) foreignChange(ctx context.Context) error {
	dev, path := d.victim()
	if err := d.byHand(dev, path, `"do not touch, ask Bob"`); err != nil {
		return err
	}
	found, err := d.plan(ctx, d.after)
	if err != nil {
		return err
	}
	d.t.printf("\n")
	if err := found.Text(d.t.out, plan.Style{Color: d.t.color}); err != nil {
		return err
	}
	if len(found.Devices) != 1 || found.Devices[0].Name != dev || len(found.Devices[0].Changes) != 1 || found.Devices[0].Changes[0].Path != path {
		return fmt.Errorf("expected one change of %s on %s", path, dev)
	}
	d.holds("found on %s, and only there", dev)
	return nil
}

// byHand replaces a value on a device, as an operator at the box would.
func (d *demo) byHand(device, path, json string) error {
	val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(json)}}
	return d.sim.Device(device).Apply(&gnmi.SetRequest{Replace: []*gnmi.Update{{Path: mustPath(path).GNMI(), Val: val}}})
}

// victim is a leaf and the description of its first fabric port.
func (d *demo) victim() (device, path string) {
	for _, x := range d.before.design.Devices {
		if x.Role == fabric.Leaf && len(x.Links) > 0 {
			return x.Name, "/interface[name=" + x.Links[0].Port + "]/description"
		}
	}
	return d.before.design.Devices[0].Name, "/interface[name=system0]/description"
}

func (d *demo) revert(ctx context.Context) error {
	if err := d.apply(ctx, d.after); err != nil {
		return err
	}
	p, err := d.plan(ctx, d.after)
	if err != nil {
		return err
	}
	if !p.Empty() {
		return notEmpty(p)
	}
	d.holds("the plan is empty again")
	return nil
}

// plan compares a network with the simulated routers.
func (d *demo) plan(ctx context.Context, n *network) (*plan.Plan, error) {
	devices, names, err := d.connect(ctx, n)
	if err != nil {
		return nil, err
	}
	defer closeAll(devices)
	return planned(ctx, n, names, devices)
}

// planned is the plan that loom apply makes unless it is told otherwise, with stages, waves and risks.
func planned(ctx context.Context, n *network, names []string, devices map[string]*live) (*plan.Plan, error) {
	p, err := n.planDevices(ctx, names, devices)
	if err != nil {
		return nil, err
	}
	how := rollout{window: defaultWindow, maxDevices: plan.DefaultMaxDevices, drain: string(plan.DrainAuto)}
	return p, how.onto(n, p, nil)
}

func (d *demo) connect(ctx context.Context, n *network) (map[string]*live, []string, error) {
	r, err := newResolver(fabric.Login{}, d.sim.Inventory())
	if err != nil {
		return nil, nil, err
	}
	names, _, err := selectDevices(n.design, "")
	if err != nil {
		return nil, nil, err
	}
	devices, err := connect(ctx, n, r, names)
	return devices, names, err
}

// apply is what `loom apply --yes` does with every risk approved, and a look at every router's startup configuration.
func (d *demo) apply(ctx context.Context, n *network) error {
	devices, names, err := d.connect(ctx, n)
	if err != nil {
		return err
	}
	defer closeAll(devices)
	r, err := newResolver(fabric.Login{}, d.sim.Inventory())
	if err != nil {
		return err
	}
	p, err := planned(ctx, n, names, devices)
	if err != nil {
		return err
	}
	format := "text"
	o := &applyOptions{rollback: time.Minute, parallel: 16, format: &format, store: &storeFlags{}, gates: &gating{within: time.Minute}}
	k, err := o.store.keep(ctx, d.t, d.data, n.design.Name)
	if err != nil {
		return err
	}
	defer k.close()
	quiet := *d.t
	quiet.err = d.t.out
	if _, err := o.push(ctx, &quiet, &site{n, r, newJournal(k)}, p, devices); err != nil {
		return err
	}
	seen := 0
	for _, name := range names {
		if drivers[n.design.Device(name).OS].Manners.StartupFile == "" {
			continue // nobody can look at it
		}
		seen++
		if s := d.sim.Device(name); !config.Equal(s.Running(), s.Startup()) {
			return fmt.Errorf("%s: startup differs from running", name)
		}
	}
	where := "everywhere"
	if seen < len(names) {
		where = fmt.Sprintf("on all %d that show it", seen)
	}
	d.holds("%s changed; startup equals running %s", sizes(len(p.Devices), "device"), where)
	return nil
}

// linger leaves the routers running and says how to play with them.
func (d *demo) linger(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "loom-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	inventory, file := filepath.Join(dir, "sim.json"), filepath.Join(dir, "topology.yaml")
	if err := writeInventory(d.t, d.sim, inventory); err != nil {
		return err
	}
	if err := os.WriteFile(file, topology.Expand(d.after.topo), 0o644); err != nil {
		return err
	}
	d.t.printf("\nThe routers stay until you interrupt this. In another terminal:\n  loom plan %s --inventory %s\n", file, inventory)
	<-ctx.Done()
	return nil
}
