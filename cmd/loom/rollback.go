package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/spf13/cobra"
)

func rollbackCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "rollback TRANSACTION PATH...",
		Short: "Take back what a transaction did",
		Long: `Plans the inverse of a transaction against what its devices have today, asks, and carries it out as
loom apply does, as a transaction of its own. What others changed since, elsewhere on the devices,
stays. Where somebody has changed the very same settings since, rollback lists them and stops;
--overwrite takes them back too.

Behind each wave is the gate of loom apply. What is missed there is what the devices are to have when the
transaction is taken back: not what it brought and the topology still asks for, but what they had before it.

The topology still asks for what is taken back: change the file as well, or the next apply brings it
again. PATH says how to log in and which fabric is locked; with --server the controller knows that by the transaction.

Exit code: 0 done, 1 error before any change, 3 rolled back, 4 ended in a named mixed state.`,
		Example: `  loom transactions list
  loom rollback loom-20261122-210412.387-9f3c topologies/demo.yaml`,
		Args: func(c *cobra.Command, args []string) error {
			switch there := c.Flags().Changed("server"); {
			case there && len(args) == 1:
				return nil
			case there:
				return errors.New("rollback: with --server name the transaction alone (loom transactions list --server shows them)")
			case len(args) < 2:
				return errors.New("rollback: name the transaction (loom transactions list shows them) and the topology files")
			}
			return nil
		},
	}
	o := pushFlags(c)
	server := serverFlag(c)
	overwrite := c.Flags().Bool("overwrite", false, "take back what others changed since, where the transaction had changed it")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := errors.Join(o.check(), o.how.check(), o.gates.validate(), o.checkApproval(t)); err != nil {
			return err
		}
		if *server != "" {
			return o.rollbackThere(cmd.Context(), t, *server, args[0], *overwrite)
		}
		srcs, err := sources(args[1:])
		if err != nil {
			return err
		}
		n, err := compileNetwork(t, srcs, nil)
		if err != nil {
			return err
		}
		return n.rollback(cmd.Context(), t, o, dataDir(srcs), args[0], *overwrite)
	}
	return c
}

// rollback is the whole of `loom rollback`.
func (n *network) rollback(ctx context.Context, t *terminal, o *applyOptions, dir, id string, overwrite bool) error {
	w, err := o.open(ctx, t, n, dir)
	if err != nil {
		return err
	}
	defer w.close()
	u, err := w.j.undoing(ctx, w.r, id)
	if u != nil {
		defer closeAll(u.devices)
	}
	if err != nil {
		return err
	}
	if len(u.clashes) > 0 && !overwrite {
		return u.clashError()
	}
	o.undoes = id
	p := u.plan(n)
	if err := o.carryOut(ctx, t, w, p, u.devices); err != nil || p.Empty() || *o.format == "json" {
		return err
	}
	return u.remind(ctx, t, w.j)
}

// remind says what still asks for what was taken back.
func (u *undoing) remind(ctx context.Context, t *terminal, j *journal) error {
	drains, err := readDrains(ctx, j.store, j.topology)
	if err != nil {
		return err
	}
	drained := slices.DeleteFunc(names(drains), func(name string) bool { return !slices.Contains(u.names, name) })
	if len(drained) > 0 {
		t.printf("still to be drained, and will be by the next apply: %s; loom undrain ends that\n", list(drained))
		return nil
	}
	t.printf("the topology still asks for what was taken back; change the file too\n")
	return nil
}

// undoing is a transaction that is to be taken back: what its devices have today, and what they
// should have.
type undoing struct {
	id      string
	devices map[string]*live
	members map[string]participant
	names   []string
	today   map[string]*config.Tree
	wanted  map[string]*config.Tree
	bases   map[string]*config.Tree // what they had before it
	targets map[string]*config.Tree // what it brought them to
	clashes []clash
}

// clash is a setting that the transaction changed, and that somebody has changed since.
type clash struct{ device, path string }

// undoing reads a finished transaction, and its devices as they are.
func (j *journal) undoing(ctx context.Context, r *resolver, id string) (*undoing, error) {
	records, err := j.records(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, noSuch(ctx, j.store, id)
	}
	s, err := transaction.Resume(records, records[len(records)-1].At)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	if s.Spec.Topology != j.topology {
		return nil, fmt.Errorf("%s is of topology %s, not of %s; name its files", id, s.Spec.Topology, j.topology)
	}
	if o := s.Result().Outcome; o == transaction.RolledBack || o == transaction.Unchanged {
		return nil, fmt.Errorf("%s ended %s: there is nothing of it to take back", id, o)
	}
	members, err := j.participants(ctx, id)
	if err != nil {
		return nil, err
	}
	members = slices.DeleteFunc(members, func(m participant) bool { return len(m.Places) == 0 })
	devices, work, err := j.revive(ctx, r, &s.Spec, members)
	u := &undoing{id: id, devices: devices, members: map[string]participant{}, today: map[string]*config.Tree{}, wanted: map[string]*config.Tree{},
		bases: map[string]*config.Tree{}, targets: map[string]*config.Tree{}}
	if err != nil {
		return u, err
	}
	for _, m := range members {
		u.members[m.Name] = m
		u.names = append(u.names, m.Name)
		places := work[m.Name].Places
		if err := u.add(ctx, m.Name, places[0], places[len(places)-1]); err != nil {
			return u, err
		}
	}
	return u, nil
}

// add reads one device and finds what it should have: what it has today, without what the transaction
// made of base.
func (u *undoing) add(ctx context.Context, name string, base, target *config.Tree) error {
	l := u.devices[name]
	id, err := l.Identify(ctx)
	if err == nil {
		err = id.Check(l.Target().Release, l.platform)
	}
	if err != nil {
		return prefixed(name, err)
	}
	l.scope = widened(l.scope, base, target)
	l.intended = target
	today, err := l.Read(ctx)
	if err != nil {
		return err
	}
	u.today[name], u.wanted[name], u.bases[name], u.targets[name] = today, base, base, target
	for _, path := range bothChanged(base, target, today) {
		u.clashes = append(u.clashes, clash{name, path})
	}
	if !config.Equal(today, target) {
		whole := func(c config.Cursor) bool { return c.Tree() == target } // what goes, goes as a whole; nothing is replaced
		if u.wanted[name], err = config.Apply(today, config.SetRequest(target, base, whole)); err != nil {
			return fmt.Errorf("%s: what it has today and what it had before do not go together: %w", name, err)
		}
	}
	l.intended = u.wanted[name]
	return nil
}

// widened is a scope that owns every entry which either tree has, so that one that only the newer had goes.
func widened(s config.Scope, trees ...*config.Tree) config.Scope {
	out, seen := slices.Clone(s), map[string]bool{}
	for _, t := range trees {
		t.Walk(func(c config.Cursor) bool {
			if c.IsEntry() && s.Covers(c, t) {
				if p := c.Path(); !seen[p.String()] {
					seen[p.String()] = true
					out = append(out, config.Rule{Path: p, Own: config.Whole, Why: "of the transaction that is taken back"})
				}
				return false
			}
			return true
		})
	}
	return out
}

// bothChanged lists what the way from base to target changed, and somebody changed again since.
func bothChanged(base, target, today *config.Tree) []string {
	ours := config.Diff(base, target)
	var out []string
	for _, theirs := range config.Diff(target, today) {
		if slices.ContainsFunc(ours, func(c config.Change) bool { return overlap(c.At.String(), theirs.At.String()) }) {
			out = append(out, theirs.At.String())
		}
	}
	return out
}

// overlap tells whether one path is the other, or lies above it.
func overlap(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return strings.HasPrefix(b, a) && (len(a) == len(b) || b[len(a)] == '/' || b[len(a)] == '[')
}

// maxClashes is how many settings an error lists.
const maxClashes = 10

func (u *undoing) clashError() error {
	var b strings.Builder
	for i, c := range u.clashes {
		if i == maxClashes {
			fmt.Fprintf(&b, "\n  … %d more", len(u.clashes)-i)
			break
		}
		fmt.Fprintf(&b, "\n  %s %s", c.device, c.path)
	}
	return fmt.Errorf("%s: somebody has changed since what it had changed; look at it, then use --overwrite:%s", u.id, b.String())
}

// plan is the way from today to what is wanted.
func (u *undoing) plan(n *network) *plan.Plan {
	var inputs []plan.Input
	for _, name := range u.names {
		m := u.members[name]
		in := plan.Input{
			Device:   plan.Device{Name: name, OS: m.OS, Platform: m.Platform, Release: m.Release},
			Scope:    u.devices[name].scope,
			Running:  u.today[name],
			Intended: u.wanted[name],
			Marked:   true,
		}
		if d := n.design.Device(name); d != nil {
			in.Device.Site, in.Device.Role = d.Site, string(d.Role)
			in.Device.Groups, in.Device.Together = groups(n.design)[name], farEnds(n.design)[name]
		}
		inputs = append(inputs, in)
	}
	return plan.New(n.design.Name, "live, to take back "+u.id, inputs, nil)
}
