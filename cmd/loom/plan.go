package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/spf13/cobra"
)

func planCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "plan [PATH...]",
		Short: "Show what would change",
		Long: `Compares the intended configuration with what is there, and shows every change with its
before, its after and the line of the topology that asks for it. Nothing is changed.

What is there is read from the devices (--against live, the default), from a directory that
loom render wrote (--against DIR), or compiled from the topology as it was at a revision
(--against git:REV), which needs no device and serves pull requests.

Shown are also the waves in which apply would change the devices, the risks that it would want
approved by their class, and the hash by which a plan that was looked at can be applied: two plans
that do the same to the same devices have the same. While a transaction is not over there is no hash:
loom apply ends it before it plans.

Exit code: 0 no changes, 2 changes, 1 error. Devices that the topology no longer has are changes too,
though Loom leaves them as they are; with --limit they are not looked for. So is a transaction that is not over.`,
		Example: `  loom plan topologies/demo.yaml --inventory sim.json
  loom plan topologies/demo.yaml --against git:main --format markdown
  loom plan topologies/demo.yaml --against out --limit leaves
  loom plan topologies/demo.yaml --canary label:lab --waves 8 --soak 2m`,
		ValidArgsFunction: yamlFiles,
	}
	against := c.Flags().String("against", "live", "what to compare with: live, a rendered `DIR`, or git:REV")
	all := c.Flags().Bool("all", false, "show every line of large changes")
	limit := limitFlag(c)
	releases := releaseFlag(c)
	format := formatFlag(c, "text", "json", "markdown")
	a := accessFlags(c)
	how := rolloutFlags(c)
	drains := addStoreFlags(c)
	server := serverFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := how.check(); err != nil {
			return err
		}
		srcs, err := sources(args)
		if err != nil {
			return err
		}
		if *server != "" {
			there, made, p, err := planThere(cmd.Context(), t, *server, comparison{args, *against, *limit, *releases, a, how}, what{files: srcs}, *format, *all)
			if err != nil {
				return err
			}
			if made.GetHash() != "" || len(p.Removed) > 0 {
				err = exit{code: exitChanges}
			}
			return errors.Join(err, there.Close())
		}
		n, err := compileNetwork(t, srcs, *releases)
		if err != nil {
			return err
		}
		var open *plan.Unfinished
		if *against == "live" {
			if open, err = n.recall(cmd.Context(), t, drains, dataDir(srcs)); err != nil {
				return err
			}
		}
		p, err := n.plan(cmd.Context(), t, comparison{args, *against, *limit, *releases, a, how})
		if err != nil {
			return err
		}
		p.Unfinished = open
		if err := printPlan(t, p, *format, *all); err != nil {
			return err
		}
		if !p.Empty() || len(p.Removed) > 0 || p.Unfinished != nil {
			return exit{code: exitChanges}
		}
		return nil
	}
	return c
}

// comparison is what a plan is made against.
type comparison struct {
	paths    []string // of the topology, for git
	against  string
	limit    string
	releases map[string]string
	access   *access
	how      *rollout
}

// maxLines is how many change lines of one device a terminal gets without --all.
const maxLines = 60

func printPlan(t *terminal, p *plan.Plan, format string, all bool) error {
	switch format {
	case "json":
		return p.JSON(t.out)
	case "markdown":
		return p.Markdown(t.out)
	case "none":
		return nil
	}
	lines := maxLines
	if all {
		lines = 0
	}
	return p.Text(t.out, plan.Style{Color: t.color, Lines: lines})
}

// plan compares the network with what is there.
func (n *network) plan(ctx context.Context, t *terminal, c comparison) (*plan.Plan, error) {
	names, skipped, err := selectDevices(n.design, c.limit)
	if err != nil {
		return nil, err
	}
	var p *plan.Plan
	reach := n.reach(nil)
	switch rev, git := strings.CutPrefix(c.against, "git:"); {
	case git:
		p, err = n.planGit(ctx, t, rev, names, c)
	case c.against == "live":
		p, reach, err = n.planLive(ctx, names, c.access)
	default:
		p, err = n.planDir(c.against, names)
	}
	if err != nil {
		return nil, err
	}
	p.Limit, p.Skipped = c.limit, skipped
	if c.limit != "" {
		p.Removed = nil // a selector names devices that there are
	}
	return p, c.how.onto(n, p, reach)
}

// input is what plan.New needs of one device.
func (n *network) input(name string) plan.Input {
	d := n.design.Device(name)
	return plan.Input{
		Device: plan.Device{
			Name: d.Name, Site: d.Site, Role: string(d.Role), OS: d.OS,
			Platform: d.Platform.Name, Release: d.Release,
		},
		Scope:    drivers[d.OS].Scope(d),
		Intended: n.trees[name],
	}
}

// planLive reads every device's running configuration, and tells where each was reached.
func (n *network) planLive(ctx context.Context, names []string, a *access) (*plan.Plan, map[string]netip.Addr, error) {
	r, err := a.resolve(n)
	if err != nil {
		return nil, nil, err
	}
	devices, err := connect(ctx, n, r, names)
	if err != nil {
		return nil, nil, err
	}
	defer closeAll(devices)
	p, err := n.planDevices(ctx, names, devices)
	return p, n.reach(r), err
}

func (n *network) planDevices(ctx context.Context, names []string, devices map[string]*live) (*plan.Plan, error) {
	inputs := make(map[string]plan.Input, len(names))
	var mu sync.Mutex
	err := sideBySide(n.watch.meter("read", len(names)), names, func(name string) error {
		in := n.input(name)
		var err error
		if in.Running, in.Unknown, err = devices[name].running(ctx); err != nil {
			return err
		}
		if n.asIs[name] {
			if err := n.keepAsIs(&in); err != nil {
				return err
			}
			devices[name].intended = in.Intended
		}
		in.Marked = drivers[in.Device.OS].Mark(in.Running, n.design.Device(name))
		in.Unsaved = in.Marked && !devices[name].saved(in.Running)
		devices[name].owner = drivers[in.Device.OS].Owner(in.Running)
		mu.Lock()
		defer mu.Unlock()
		inputs[name] = in
		return nil
	})
	if err != nil {
		return nil, err
	}
	n.outdate(devices)
	p := n.newPlan("live", names, inputs)
	for i := range p.Devices {
		devices[p.Devices[i].Name].remember(p.Devices[i].Before)
	}
	return p, nil
}

func (n *network) newPlan(against string, names []string, inputs map[string]plan.Input) *plan.Plan {
	list := make([]plan.Input, 0, len(names))
	groups, far := groups(n.design), farEnds(n.design)
	for _, name := range names {
		in := inputs[name]
		in.Device.Groups, in.Device.Together = groups[name], far[name]
		list = append(list, in)
	}
	p := plan.New(n.design.Name, against, list, n.at)
	p.Weaker, p.Out = slices.Concat(n.untimed(p), unseen(p), unnamed(p)), slices.Concat(n.out, n.over)
	return p
}

// unseen says which devices do not show what they start with.
func unseen(p *plan.Plan) []string {
	var names []string
	for i := range p.Devices {
		if d := &p.Devices[i]; drivers[d.OS].Manners.StartupFile == "" {
			names = append(names, d.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{list(names) + " without a startup configuration that can be read: whether the change outlives a restart is for the device to see to"}
}

// unnamed says which devices lose something that nothing but a backup brings back.
func unnamed(p *plan.Plan) []string {
	var names []string
	for i := range p.Devices {
		if d := &p.Devices[i]; len(d.Unnamed()) > 0 {
			names = append(names, d.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{list(names) + " with configuration that goes and that the profile of the release does not have: it comes back while a confirm timer runs, and not by loom rollback or where what was confirmed is undone; loom apply saves the whole configuration first"}
}

// planDir compares with documents that loom render wrote.
func (n *network) planDir(dir string, names []string) (*plan.Plan, error) {
	list, err := readInventory(dir)
	if err != nil {
		return nil, fmt.Errorf("--against %s: %w; name a directory that loom render wrote, git:REV, or live", dir, err)
	}
	files := map[string]rendered{}
	for _, r := range list {
		files[r.Name] = r
	}
	inputs := map[string]plan.Input{}
	for _, name := range names {
		in := n.input(name)
		in.Offline = true
		if in.Running, in.Unknown, err = readRendered(dir, files[name], in.Intended); err != nil {
			return nil, err
		}
		inputs[name] = in
	}
	p := n.newPlan(dir, names, inputs)
	for _, r := range list {
		if n.design.Device(r.Name) == nil {
			p.Removed = append(p.Removed, r.Name)
		}
	}
	return p, nil
}

// readRendered reads one document; a device that has none had nothing.
func readRendered(dir string, r rendered, like *config.Tree) (*config.Tree, []config.Unknown, error) {
	if r.File == "" {
		return config.EmptyTree(like.Schema(), like.Release()), nil, nil
	}
	name := filepath.Join(dir, filepath.Base(r.File))
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	tree, unknown, err := config.Parse(like.Schema(), like.Release(), data, config.ParseOptions{})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return tree, unknown, nil
}
