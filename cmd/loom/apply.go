package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func applyCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "apply PATH...",
		Short: "Make the devices as intended",
		Long: `Plans, asks, and pushes: wave by wave every device gets its change in one gNMI Set that it
takes back by itself unless confirmed, and is read back. Behind each wave is a gate: the devices that
changed and their neighbors show nothing wrong that was not wrong before (see loom check), and the
commands of --check agree. Only when all have the change is it confirmed, saved to startup, and
verified. A failure or an interrupt before that undoes everything; after the decision everything
else goes on to the end.

Every step is in a journal (.loom beside the topology, --data, or --etcd) before it is made. Should
this program be killed, the next loom apply goes on from there: undecided changes are taken back,
decided ones are carried to the end.

To save, apply turns a router's saving of commits on (SR Linux: /system/configuration/auto-save);
while a change is unconfirmed it is off. What others left unsaved on the router is saved with it.

A device that Loom meets for the first time and that holds configuration of somebody else where
Loom writes is not touched without --take-over; its whole configuration is saved first.

A plan with risks is carried out only if each class of them is approved: typed when asked, or by
--approve. Where nobody is asked, --approve and --plan come together: what is approved is the plan
that was looked at. A plan that would cut Loom's own way to a device is always refused.

Exit code: 0 done, 1 error before any change, 3 rolled back, 4 ended in a named mixed state.`,
		Example: `  loom apply topologies/demo.yaml --inventory sim.json
  loom apply topologies/demo.yaml --limit leaf3 --yes
  loom apply topologies/demo.yaml --plan 3fa91c0be7d2 --approve guard-removed`,
		Args:              namedFiles,
		ValidArgsFunction: yamlFiles,
	}
	o := pushFlags(c)
	c.Flags().BoolVar(&o.takeOver, "take-over", false, "overwrite foreign configuration on devices met for the first time")
	o.limit = limitFlag(c)
	o.releases = releaseFlag(c)
	server := serverFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := errors.Join(o.check(), o.how.check(), o.gates.validate(), o.checkApproval(t)); err != nil {
			return err
		}
		srcs, err := sources(args)
		if err != nil {
			return err
		}
		if *server != "" {
			return o.applyThere(cmd.Context(), t, *server, what{files: srcs})
		}
		n, err := compileNetwork(t, srcs, *o.releases)
		if err != nil {
			return err
		}
		return n.apply(cmd.Context(), t, o, dataDir(srcs))
	}
	return c
}

// pushFlags are those of every command that changes devices.
func pushFlags(c *cobra.Command) *applyOptions {
	o := &applyOptions{access: accessFlags(c), given: c.Flags()}
	c.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&o.all, "all", false, "show every line of large changes")
	c.Flags().DurationVar(&o.rollback, "rollback", 5*time.Minute, "time after which a device takes back an unconfirmed change")
	c.Flags().IntVar(&o.parallel, "parallel", 16, "devices of a wave that are changed at the same time")
	c.Flags().StringVar(&o.plan, "plan", "", "carry out only the plan with this `HASH`, and do not ask")
	c.Flags().StringSliceVar(&o.approved, "approve", nil, "`CLASSES` of risks that are approved")
	c.Flags().IntVar(&o.unverified, "unverified", 64, "devices at most that were changed and not read back")
	c.Flags().DurationVar(&o.hold, "hold", 0, "keep the change unconfirmed so long, for somebody to look and to say with loom transactions confirm that all is well")
	c.Flags().StringVar(&o.backupDir, "backup", filepath.Join(".loom", "backup"), "`DIR` for backups of devices that lose what nothing else brings back")
	o.how, o.gates, o.store = rolloutFlags(c), gateFlags(c), addStoreFlags(c)
	o.format = formatFlag(c, "text", "json")
	return o
}

type applyOptions struct {
	given      *pflag.FlagSet // of the command; nil: none
	access     *access
	yes        bool
	all        bool
	takeOver   bool
	backupDir  string
	rollback   time.Duration
	parallel   int
	unverified int
	hold       time.Duration
	store      *storeFlags
	undoes     string // the transaction that is taken back; "" for none
	limit      *string
	releases   *map[string]string
	format     *string
	how        *rollout
	gates      *gating       // nil: none
	drains     *drainRequest // nil: none is asked for
	plan       string        // hash of the one plan that may be applied, or its beginning
	approved   []string      // classes of risks

	by       string                                       // who asked for it; empty: who runs this process
	revision int64                                        // of the intent, where a controller keeps it
	began    func(transaction string)                     // the transaction begins; nil: nobody wants to know
	with     func(transaction string) (*companion, error) // what is written with its journal; nil: nothing
	hear     func(transaction.Event)                      // what happens to devices; nil: nobody wants to know
	shows    func(look)                                   // how it stands, whenever that changes; nil: nobody wants to know
	waits    func(until time.Time)                        // it waits for somebody to say that all is well; nil: nobody wants to know
}

// leastRollback is the shortest confirm timer: a device commits for seconds, and so does its neighbour.
const leastRollback = 10 * time.Second

func (o *applyOptions) check() error {
	if o.rollback < leastRollback {
		return fmt.Errorf("--rollback %s: too short to confirm in; use at least %s", o.rollback, leastRollback)
	}
	switch {
	case o.hold < 0:
		return fmt.Errorf("--hold %s: use a time such as 10m, or leave it out", o.hold)
	case o.store.wait < 0:
		return fmt.Errorf("--wait %s: use a time such as 10m, or leave it out", o.store.wait)
	case o.unverified < 0:
		return fmt.Errorf("--unverified %d: use 1 or more, or 0 for no limit", o.unverified)
	case o.parallel < 1:
		return fmt.Errorf("--parallel %d: use 1 or more", o.parallel)
	}
	return nil
}

// applied is what `loom apply --format json` prints.
type applied struct {
	Plan   *plan.Plan          `json:"plan"`
	Result *transaction.Result `json:"result,omitempty"` // absent where nothing was begun
}

// apply is the whole of `loom apply` on a compiled network. dir is where the journal is, unless told
// otherwise.
func (n *network) apply(ctx context.Context, t *terminal, o *applyOptions, dir string) error {
	names, skipped, err := selectDevices(n.design, *o.limit)
	if err != nil {
		return err
	}
	w, err := o.open(ctx, t, n, dir)
	if err != nil {
		return err
	}
	defer w.close()
	devices, err := connect(ctx, n, w.r, names)
	if err != nil {
		return err
	}
	defer closeAll(devices)
	p, err := n.planDevices(ctx, names, devices)
	if err != nil {
		return err
	}
	p.Limit, p.Skipped = *o.limit, skipped
	return o.carryOut(ctx, t, w, p, devices)
}

// site is where a change is made: a network, the way to its devices, and the journal.
type site struct {
	n *network
	r *resolver
	j *journal
}

// open makes a network ready to be changed: it takes the lock on the fabric, ends what an earlier run has left open,
// and has the network expect who is drained.
func (o *applyOptions) open(ctx context.Context, t *terminal, n *network, dir string) (*site, error) {
	r, err := o.access.resolve(n)
	if err != nil {
		return nil, err
	}
	k, err := o.store.keep(ctx, t, dir, n.design.Name)
	if err != nil {
		return nil, err
	}
	r.election, r.sets = uint64(k.lease.Epoch), k.sets
	w := &site{n, r, newJournal(k)}
	if err = o.finish(ctx, t, w.j, r); err == nil {
		err = n.intendDrains(ctx, w.j, o.drains)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// close lets others change the fabric.
func (w *site) close() { w.j.close() }

// finish ends what an earlier run has left open. What it leaves in a mixed state has to be looked at
// before anything else is changed.
func (o *applyOptions) finish(ctx context.Context, t *terminal, j *journal, r *resolver) error {
	shown, stop := newProgress(t, *o.format == "json")
	defer stop()
	res, err := j.resume(ctx, t, r, o.parallel, shown)
	if err != nil {
		return err
	}
	if res == nil {
		return j.marks.open.say(false)
	}
	t.notef("transaction %s: %s\n", res.ID, res.Outcome)
	if res.Outcome == transaction.Mixed || res.Outcome == transaction.Interrupted {
		return exit{exitMixed, fmt.Errorf("transaction %s, left by an earlier run, ended in a mixed state: %w\n%s", res.ID, res.Err, stateText(*res))}
	}
	return nil
}

// carryOut cuts a plan into waves, makes the change, and prints how it ended.
func (o *applyOptions) carryOut(ctx context.Context, t *terminal, w *site, p *plan.Plan, devices map[string]*live) error {
	if err := o.how.onto(w.n, p, w.n.reach(w.r)); err != nil {
		return err
	}
	out := applied{Plan: p}
	err := o.change(ctx, t, w, &out, devices)
	if *o.format == "json" {
		return errors.Join(t.json(out), err)
	}
	return err
}

// change shows the plan, gets leave for it, and pushes it.
func (o *applyOptions) change(ctx context.Context, t *terminal, w *site, out *applied, devices map[string]*live) error {
	if err := probe(ctx, out.Plan, devices); err != nil {
		return err
	}
	if err := w.j.keepTimers(ctx, out.Plan, devices); err != nil {
		return err
	}
	if !out.Plan.Empty() {
		out.Plan.Weaker = weaker(out.Plan, devices, w.j.store.Shared())
	}
	if *o.format != "json" {
		if err := printPlan(t, out.Plan, "text", o.all); err != nil {
			return err
		}
	}
	if err := o.expected(out.Plan); err != nil {
		return err
	}
	if out.Plan.Empty() {
		_, err := w.n.during(ctx, w.j, o.drains, func() (transaction.Result, error) { return transaction.Result{}, nil })
		return err
	}
	if err := refused(out.Plan); err != nil {
		return err
	}
	if err := o.contact(ctx, t, out.Plan, devices); err != nil {
		return err
	}
	if err := o.approveRisks(ctx, t, out.Plan); err != nil {
		return err
	}
	if err := o.approve(ctx, t, out.Plan); err != nil {
		return err
	}
	res, err := w.n.during(ctx, w.j, o.drains, func() (transaction.Result, error) { return o.push(ctx, t, w, out.Plan, devices) })
	if res.Outcome != "" {
		out.Result = &res
	}
	return err
}

// contact stops at devices that hold somebody else's configuration, or backs them up; and those that lose what the
// journal cannot keep, because the profile does not have it.
func (o *applyOptions) contact(ctx context.Context, t *terminal, p *plan.Plan, devices map[string]*live) error {
	foreign := foreignDevices(p)
	if len(foreign) > 0 && !o.takeOver {
		return foreignError(foreign, devices)
	}
	for i := range p.Devices {
		d := &p.Devices[i]
		if len(d.Foreign) == 0 && len(d.Unnamed()) == 0 {
			continue
		}
		file, err := backup(ctx, devices[d.Name], o.backupDir)
		if err != nil {
			return fmt.Errorf("%s: backup of what nothing else brings back: %w", d.Name, err)
		}
		t.notef("%s: backed up to %s\n", d.Name, file)
	}
	return nil
}

func foreignDevices(p *plan.Plan) []*plan.Device {
	var out []*plan.Device
	for i := range p.Devices {
		if len(p.Devices[i].Foreign) > 0 {
			out = append(out, &p.Devices[i])
		}
	}
	return out
}

// maxForeign is how many foreign leaves of a device an error lists.
const maxForeign = 10

func foreignError(foreign []*plan.Device, devices map[string]*live) error {
	var b strings.Builder
	for _, d := range foreign {
		whose := "met for the first time"
		if owner := devices[d.Name].owner; owner != "" {
			whose = "managed by Loom as " + owner + ", not by this topology"
		}
		fmt.Fprintf(&b, "\n%s: %s, and %d of its settings would go or change:", d.Name, whose, len(d.Foreign))
		for i, c := range d.Foreign {
			if i == maxForeign {
				fmt.Fprintf(&b, "\n  … %d more", len(d.Foreign)-i)
				break
			}
			fmt.Fprintf(&b, "\n  %s %s", c.Path, c.Old)
		}
	}
	return fmt.Errorf("foreign configuration where Loom writes; look at it, then use --take-over (a backup is made first):%s", b.String())
}

// approve asks unless told not to. Without a terminal there is nobody to ask.
func (o *applyOptions) approve(ctx context.Context, t *terminal, p *plan.Plan) error {
	if o.yes || o.plan != "" {
		return nil
	}
	if !t.ask {
		return errors.New("nobody to ask here; look at the plan and use --plan HASH, or --yes")
	}
	question := fmt.Sprintf("\nChange %s? Type yes: ", sizes(len(p.Devices), "device"))
	if len(p.Devices) == 0 {
		question = fmt.Sprintf("\nSave %s? Type yes: ", sizes(len(p.Unsaved), "device"))
	}
	yes, err := t.confirm(ctx, question, "yes")
	if err != nil || yes {
		return err
	}
	return errors.New("not approved; nothing was changed")
}

// push runs the transaction and turns its outcome into an exit code.
func (o *applyOptions) push(ctx context.Context, t *terminal, w *site, p *plan.Plan, devices map[string]*live) (transaction.Result, error) {
	if err := probe(ctx, p, devices); err != nil {
		return transaction.Result{}, err
	}
	c, err := newChange(p, devices, newID(), o.limits(p))
	if err != nil {
		return transaction.Result{}, err
	}
	c.spec.Undoes, c.spec.Plan, c.spec.By, c.spec.Revision = o.undoes, p.Hash(), cmp.Or(o.by, c.spec.By), o.revision
	quiet := *o.format == "json"
	start := time.Now()
	shown, stop := newProgress(t, quiet)
	defer stop()
	shown.publish = o.shows
	if shown.hear = o.hear; o.began != nil {
		o.began(c.spec.ID)
	}
	if o.gates != nil {
		o.gates.tell = shown.waits
	}
	if o.with != nil {
		if w.j.companion, err = o.with(c.spec.ID); err != nil {
			return transaction.Result{}, err
		}
	}
	c.gate, c.back = o.gates.between(ctx, w.n, w.r, p, c.spec.ID)
	c.gate = proven(devices, c.gate)
	c.holding = func(until time.Time) {
		shown.above("   unconfirmed until %s, then taken back; say so before with\n     loom transactions confirm %[2]s%[3]s\n     loom transactions cancel %[2]s%[3]s\n",
			until.Local().Format(time.TimeOnly), c.spec.ID, w.j.flags)
		if o.waits != nil {
			o.waits(until)
		}
	}
	res, err := w.j.carryOut(ctx, c, devices, o.parallel, shown)
	if err != nil {
		return res, err
	}
	if res.Outcome != transaction.Interrupted {
		if err := w.j.tidy(context.WithoutCancel(ctx)); err != nil {
			t.notef("old transactions were not forgotten: %v\n", err) // the change itself is over
		}
	}
	res.Weaker = weaker(p, devices, w.j.store.Shared())
	if !quiet {
		t.printf("\n%s: %s in %s\n", p.Topology, outcomeText(res, p), time.Since(start).Round(time.Millisecond))
		if res.Outcome == transaction.Mixed {
			t.printf("%s", stateText(res))
		}
	}
	return res, outcomeError(res)
}

// limits bound the transaction. Devices are asked for as long as a timer may run once it is decided.
func (o *applyOptions) limits(p *plan.Plan) transaction.Limits {
	return tuned(transaction.Limits{
		Rollback: o.rollback, Unverified: o.unverified, Patience: o.rollback + time.Minute, Settle: min(o.rollback, 15*time.Second),
		Retries: 4, Hold: o.hold, Moving: o.gates.moves(), Staging: o.gates.settles(), Soak: time.Duration(p.Rollout.Soak),
	})
}

// probe asks the devices that change for their confirm timers.
func probe(ctx context.Context, p *plan.Plan, devices map[string]*live) error {
	names := make([]string, 0, len(p.Devices))
	for i := range p.Devices {
		names = append(names, p.Devices[i].Name)
	}
	return sideBySide(nil, names, func(name string) error { return devices[name].probe(ctx) })
}

// carryOut begins a transaction and goes on until it is over.
func (j *journal) carryOut(ctx context.Context, c *change, devices map[string]*live, parallel int, shown *progress) (transaction.Result, error) {
	if err := j.prepare(ctx, c.spec.ID, c.members, c.trees); err != nil {
		return transaction.Result{}, err
	}
	run := j.runner(devices, c.work)
	run.Parallel, run.Gate, run.Back, run.Holding = parallel, c.gate, c.back, c.holding
	j.watched(shown).onto(run)
	ctx, release, stop, err := j.listen(ctx, c.spec.ID)
	if err != nil {
		return transaction.Result{}, err
	}
	defer stop()
	run.Release = release
	return run.Run(ctx, transaction.New(c.spec, time.Now())), nil
}

// outcomeError is nil for a transaction that did what it was for.
func outcomeError(res transaction.Result) error {
	switch res.Outcome {
	case transaction.Done:
		return nil
	case transaction.RolledBack:
		return exit{exitRolledBack, fmt.Errorf("rolled back: %w", res.Err)}
	case transaction.Mixed:
		return exit{exitMixed, fmt.Errorf("mixed state: %w\n%s", res.Err, advice(res))}
	case transaction.Interrupted:
		if errors.Is(res.Err, store.ErrLost) {
			return exit{exitMixed, fmt.Errorf("this process does not have the lock on the fabric any more, so nothing more was done here: %w; who has it goes on from the journal, as does the next loom apply", res.Err)}
		}
		return exit{exitMixed, fmt.Errorf("the journal failed, so nothing more was done; routers that are armed take the change back by themselves, and the next loom apply goes on from the journal: %w", res.Err)}
	}
	return res.Err
}

func outcomeText(res transaction.Result, p *plan.Plan) string {
	switch res.Outcome {
	case transaction.Done:
		if len(p.Devices) == 0 {
			return sizes(len(p.Unsaved), "device") + " saved"
		}
		return sizes(len(p.Devices), "device") + " changed, confirmed and saved"
	case transaction.RolledBack:
		return "rolled back, every device as before"
	case transaction.Mixed:
		return "ended in a mixed state"
	}
	return "nothing was changed"
}

// meanings says what a state means for who has to go on from it.
var meanings = []struct {
	state transaction.Status
	text  string
}{
	{transaction.Saved, "have the change, saved"},
	{transaction.Confirmed, "have the change"},
	{transaction.Unsaved, "have the change, but not in their startup configuration"},
	{transaction.Armed, "have the change and may take it back by themselves"},
	{transaction.Verified, "have the change and may take it back by themselves"},
	{transaction.Restored, "are as before"},
	{transaction.Waiting, "were not touched"},
	{transaction.Drained, "have their traffic moved away"},
	{transaction.Staged, "are between two stages of their change"},
	{transaction.Set, "may have the change, and do not take it back by themselves"},
	{transaction.Foreign, "have something that is neither; somebody else wrote there"},
	{transaction.Refused, "refuse to be brought to where they should be"},
	{transaction.Unreachable, "could not be read again"},
}

// stateText names the devices of every state.
func stateText(res transaction.Result) string {
	var b strings.Builder
	for _, m := range meanings {
		var names []string
		for _, name := range sortedKeys(res.Devices) {
			if res.Devices[name] == m.state {
				names = append(names, name)
			}
		}
		if len(names) > 0 {
			fmt.Fprintf(&b, "  %-11s  %s: %s\n", m.state, strings.Join(names, " "), m.text)
		}
	}
	return b.String()
}

// advice says what to do after a mixed end.
func advice(res transaction.Result) string {
	when := ""
	if !res.Deadline.IsZero() {
		when = fmt.Sprintf("wait until %s, when the last confirm timer has run out; then ", res.Deadline.Add(time.Second).Format(time.TimeOnly))
	}
	return when + "look with loom plan, and go on with loom apply"
}

// newID names a transaction on devices and in logs: the time it began, to the millisecond so that
// names are in order, and two random bytes.
func newID() string {
	var b [2]byte
	_, _ = rand.Read(b[:])
	return idAt(time.Now()) + "-" + hex.EncodeToString(b[:])
}

// idAt is how the names of transactions begin that began at a time.
func idAt(t time.Time) string { return "loom-" + t.UTC().Format("20060102-150405.000") }

// backup saves the whole running configuration of a device and returns the file's name.
func backup(ctx context.Context, l *live, dir string) (string, error) {
	doc, err := l.Document(ctx)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	name := filepath.Join(dir, fmt.Sprintf("%s-%s.json", l.design.Name, time.Now().UTC().Format("20060102T150405Z")))
	return name, writePrivate(name, doc)
}

// writePrivate writes a file that may hold secrets: only its owner reads it.
func writePrivate(name string, data []byte) error { return os.WriteFile(name, data, 0o600) }
