package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// asking is a command that asks a controller, with its context and format.
func (t *terminal) asking(c *cobra.Command, do func(ctx context.Context, there *client, format string, args []string) error) *cobra.Command {
	name, format := contextFlag(c), formatFlag(c, "text", "json")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		there, err := reach(*name)
		if err != nil {
			return err
		}
		defer there.Close()
		return there.failed(do(cmd.Context(), there, *format, args))
	}
	return c
}

// message prints an answer as JSON.
func (t *terminal) message(m proto.Message) error {
	data, err := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}.Marshal(m)
	if err != nil {
		return err
	}
	return t.json(jsonText(data))
}

// jsonText is JSON that is there already.
type jsonText []byte

// MarshalJSON implements json.Marshaler.
func (j jsonText) MarshalJSON() ([]byte, error) { return j, nil }

func devicesCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "devices [TOPOLOGY]",
		Short: "Where each device stands, as the controller sees it",
		Long: `Lists the devices that a controller (loom serve) takes care of: whether each has what is intended, and why not.

  in sync       it has what is intended, as a reading after the last change has shown
  pending       it has what an older revision intends, or nothing yet: plan and apply
  drifted       it has what nobody intended: loom drift
  applying      a transaction changes it
  unreachable   it does not answer
  refused       it is another box than the topology says, and is left alone
  failed        a transaction left it neither as before nor as planned
  syncing       it is being read`,
		Example: "  loom devices\n  loom devices demo --limit leaves\n  loom devices demo --wait 1m",
		Args:    cobra.MaximumNArgs(1),
	}
	limit, wait := limitFlag(c), waitFlag(c, "each to be in sync")
	c.AddCommand(deviceConfiguration(t))
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		var topology string
		if len(args) > 0 {
			topology = args[0]
		}
		var all *api.ListDevicesResponse
		read := func(ctx context.Context) (err error) {
			all, err = there.devices(ctx, topology, *limit)
			return err
		}
		late := there.waited(ctx, *wait, read, func() error { return inSync(all.GetDevices()) })
		if all == nil {
			return late
		}
		if format == "json" {
			return errors.Join(t.message(all), late)
		}
		var rows [][]string
		for _, d := range all.GetDevices() {
			applied := "-"
			if d.GetAppliedRevision() > 0 {
				applied = strconv.FormatInt(d.GetAppliedRevision(), 10)
			}
			why := d.GetReason()
			if m := d.GetMaintenance(); m != nil {
				why = strings.TrimPrefix(why+"; "+maintenanceOf(m).String(), "; ")
			}
			rows = append(rows, []string{d.GetTopology(), d.GetName(), statusWord(d.GetStatus()), applied, why})
		}
		return errors.Join(t.table("TOPOLOGY\tDEVICE\tSTATUS\tREVISION\tWHY", rows), late)
	})
}

// devices are those that a controller takes care of; an empty topology: those of all.
func (c *client) devices(ctx context.Context, topology, limit string) (*api.ListDevicesResponse, error) {
	r := &api.ListDevicesRequest{Topology: topology, Limit: limit, PageSize: 1000}
	all := &api.ListDevicesResponse{}
	for {
		m, err := api.NewDeviceServiceClient(c).ListDevices(ctx, r)
		if err != nil {
			return nil, err
		}
		all.Devices = append(all.Devices, m.GetDevices()...)
		if r.PageToken = m.GetNextPageToken(); r.PageToken == "" {
			return all, nil
		}
	}
}

// drifts are what devices of a topology have that nobody intended.
func (c *client) drifts(ctx context.Context, topology, limit string) (*api.ListDriftResponse, error) {
	r := &api.ListDriftRequest{Topology: topology, Limit: limit, PageSize: 1000}
	all := &api.ListDriftResponse{}
	for {
		m, err := api.NewDeviceServiceClient(c).ListDrift(ctx, r)
		if err != nil {
			return nil, err
		}
		all.Drifts = append(all.Drifts, m.GetDrifts()...)
		if r.PageToken = m.GetNextPageToken(); r.PageToken == "" {
			return all, nil
		}
	}
}

func deviceConfiguration(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "config TOPOLOGY DEVICE", Short: "What is intended of a device, or what it runs", Args: cobra.ExactArgs(2),
		Long: "Prints the configuration of a device as JSON (RFC 7951): what the newest revision intends, or another one,\nor what the device runs as far as Loom owns it.",
	}
	revision := c.Flags().Int64("revision", 0, "what this `REVISION` intends; 0: the newest")
	running := c.Flags().Bool("running", false, "what the device runs")
	return t.asking(c, func(ctx context.Context, there *client, _ string, args []string) error {
		r := &api.GetConfigurationRequest{Topology: args[0], Device: args[1], Revision: *revision, Datastore: api.Datastore_DATASTORE_INTENDED}
		if *running {
			r.Datastore = api.Datastore_DATASTORE_RUNNING
		}
		m, err := api.NewDeviceServiceClient(there).GetConfiguration(ctx, r)
		if err != nil {
			return err
		}
		return t.json(jsonText(m.GetJson()))
	})
}

// statusWord is a status as people read it.
func statusWord(s api.DeviceStatus) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(s.String(), "DEVICE_STATUS_")), "_", " ")
}

func driftCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "drift",
		Short: "What devices have that nobody intended",
		Long: `The controller (loom serve) finds within a second what is changed on a device by somebody else, as far as Loom owns it.
list shows it; revert takes it back, by a transaction with its gates.`,
		Example: "  loom drift list demo\n  loom drift revert demo --limit leaf3\n  loom drift revert demo 5d41402abc4b2a76",
	}
	list := &cobra.Command{Use: "list TOPOLOGY", Short: "Each difference with what was intended", Args: one("a topology")}
	limit, wait := limitFlag(list), waitFlag(list, "something to be there")
	c.AddCommand(t.asking(list, func(ctx context.Context, there *client, format string, args []string) error {
		var all *api.ListDriftResponse
		read := func(ctx context.Context) (err error) {
			all, err = there.drifts(ctx, args[0], *limit)
			return err
		}
		late := there.waited(ctx, *wait, read, func() error {
			if len(all.GetDrifts()) == 0 {
				return notYet{fmt.Errorf("devices of %s have nothing that nobody intended", args[0])}
			}
			return nil
		})
		if all == nil {
			return late
		}
		if format == "json" {
			return errors.Join(t.message(all), late)
		}
		var rows [][]string
		for _, d := range all.GetDrifts() {
			x := d.GetChange()
			since := d.GetSince().AsTime().Local().Format(time.DateTime)
			if d.GetMaintenance() {
				since += "  (in maintenance)"
			}
			rows = append(rows, []string{d.GetId(), d.GetDevice(), x.GetPath(), orNothing(x.GetOld()), orNothing(x.GetNew()), since})
		}
		return errors.Join(t.table("ID\tDEVICE\tPATH\tINTENDED\tHAS\tSINCE", rows), late)
	}))
	revert := &cobra.Command{Use: "revert TOPOLOGY [ID...]", Short: "Take differences back: those named, or all of the devices", Args: cobra.MinimumNArgs(1)}
	of := limitFlag(revert)
	c.AddCommand(t.asking(revert, func(ctx context.Context, there *client, format string, args []string) error {
		m, err := api.NewDeviceServiceClient(there).RevertDrift(ctx, &api.RevertDriftRequest{Topology: args[0], Ids: args[1:], Limit: *of})
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m)
		}
		t.printf("%s: %s\n", m.GetTransaction(), m.GetOutcome())
		if m.GetOutcome() != "done" {
			return exit{exitRolledBack, fmt.Errorf("%s: %s; loom transactions show has more", m.GetTransaction(), m.GetOutcome())}
		}
		return nil
	}))
	accept := &cobra.Command{
		Use: "accept TOPOLOGY ID...", Short: "Suggest how the topology would have to change to say what devices have", Args: cobra.MinimumNArgs(2),
		Long: `Prints a patch of the files that are intended, for patch -p1 or git apply: where they say a value literally the other value, and
leaves under raw where nothing is intended so far. Nothing changes: put the patched files with loom intent put. Each suggestion was compiled, and comes to
what the device has, and to nothing else. What the language cannot say is told, with the reason, and the exit code is 1.`,
		Example: "  loom drift accept demo 5d41402abc4b2a76 > accepted.patch",
	}
	c.AddCommand(t.asking(accept, func(ctx context.Context, there *client, format string, args []string) error {
		m, err := api.NewDeviceServiceClient(there).AcceptDrift(ctx, &api.AcceptDriftRequest{Topology: args[0], Ids: args[1:]})
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m)
		}
		t.printf("%s", m.GetPatch())
		var errs []error
		for _, id := range sortedKeys(m.GetImpossible()) {
			errs = append(errs, fmt.Errorf("%s: %s", id, m.GetImpossible()[id]))
		}
		return errors.Join(errs...)
	}))
	policy := &cobra.Command{
		Use: "policy TOPOLOGY [DEVICE] report|enforce|none", Short: "What becomes of drift: it is reported, or taken back", Args: cobra.RangeArgs(2, 3),
		Long: `Decides what becomes of drift: of a topology, or of one device of it. none takes that back; then that of the topology holds, or
report.

  report    it is told of, and people decide
  enforce   it is taken back, by a transaction with its gates: of a device that drifts again and again ever later, and after the fifth
            time within an hour not at all; of --unattended devices within an hour at most; never in maintenance`,
	}
	c.AddCommand(t.asking(policy, func(ctx context.Context, there *client, format string, args []string) error {
		words := map[string]api.DriftPolicy{"report": api.DriftPolicy_DRIFT_POLICY_REPORT, "enforce": api.DriftPolicy_DRIFT_POLICY_ENFORCE, "none": api.DriftPolicy_DRIFT_POLICY_UNSPECIFIED}
		word := args[len(args)-1]
		p, ok := words[word]
		if !ok {
			return fmt.Errorf("%s: no policy; use report, enforce or none", word)
		}
		r := &api.SetDriftPolicyRequest{Topology: args[0], Policy: p}
		if len(args) == 3 {
			r.Device = args[1]
		}
		m, err := api.NewDeviceServiceClient(there).SetDriftPolicy(ctx, r)
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m)
		}
		t.printf("%s\n", strings.ToLower(strings.TrimPrefix(m.GetPolicy().String(), "DRIFT_POLICY_")))
		return nil
	}))
	return group(c)
}

func eventsCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "events",
		Short: "What has happened, as the controller has seen it",
		Long: `Lists what has happened: revisions, plans, transactions, devices that come and go, drift. With --watch it goes on until
it is interrupted, and misses nothing in between: --after takes up where a token of an earlier run left off.`,
		Example: "  loom events --limit 20\n  loom events --watch --kind drift",
		Args:    cobra.NoArgs,
	}
	watch := c.Flags().Bool("watch", false, "go on with what happens")
	kinds := c.Flags().StringSlice("kind", nil, "only these `KINDS`: intent, plan, transaction, device, drift, finding, source, controller")
	topology := c.Flags().String("topology", "", "only of this `TOPOLOGY`")
	device := c.Flags().String("device", "", "only of this `DEVICE`")
	after := c.Flags().String("after", "", "what happened behind this `TOKEN`")
	return t.asking(c, func(ctx context.Context, there *client, format string, _ []string) error {
		events := api.NewEventServiceClient(there)
		show := func(e *api.Event) error {
			if format == "json" {
				return t.message(e)
			}
			where := e.GetTopology()
			if e.GetDevice() != "" {
				where += "/" + e.GetDevice()
			}
			t.printf("%s  %-11s  %-20s  %s\n", e.GetAt().AsTime().Local().Format("2006-01-02 15:04:05.000"), e.GetKind(), where, e.GetMessage())
			return nil
		}
		if !*watch {
			r := &api.ListEventsRequest{Topology: *topology, Device: *device, Kinds: *kinds, PageSize: 1000}
			if *after != "" {
				n, err := strconv.ParseInt(*after, 10, 64)
				if err != nil {
					return fmt.Errorf("--after %s: is no token; use the one that an earlier run ended with", *after)
				}
				r.After = n
			}
			for {
				m, err := events.ListEvents(ctx, r)
				if err != nil {
					return err
				}
				for _, e := range m.GetEvents() {
					if err := show(e); err != nil {
						return err
					}
				}
				if r.PageToken = m.GetNextPageToken(); r.PageToken == "" {
					if format == "text" {
						t.notef("to go on from here: --after %s\n", m.GetResumeToken())
					}
					return nil
				}
			}
		}
		stream, err := events.WatchEvents(ctx, &api.WatchEventsRequest{Topology: *topology, Device: *device, Kinds: *kinds, ResumeToken: *after})
		if err != nil {
			return err
		}
		for {
			m, err := stream.Recv()
			if errors.Is(err, io.EOF) || ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			if m.GetEvent() != nil {
				if err := show(m.GetEvent()); err != nil {
					return err
				}
			}
		}
	})
}

func intentCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "intent",
		Short: "What a controller intends, revision by revision",
		Long: `A controller (loom serve) keeps what is intended of each topology, revision by revision. put replaces it and changes no
device; loom apply --server puts and applies at once. Going back is a new revision that says what an old one said.`,
		Example: "  loom intent put topologies/demo.yaml\n  loom intent history demo\n  loom intent restore demo 3\n  loom intent apply demo",
	}
	message := func(x *cobra.Command) *string {
		return x.Flags().StringP("message", "m", "", "`WHY`, for those who read the history")
	}
	expected := func(x *cobra.Command) func() *int64 {
		n := x.Flags().Int64("expect", -1, "only if this `REVISION` is the newest; 0: only if there is none of the name")
		return func() *int64 {
			if *n < 0 {
				return nil
			}
			return n
		}
	}
	put := &cobra.Command{Use: "put PATH...", Short: "Intend what files say", Args: namedFiles, ValidArgsFunction: yamlFiles}
	putWhy, putOn, dry := message(put), expected(put), put.Flags().Bool("dry-run", false, "only say what would come of it")
	t.asking(put, func(ctx context.Context, there *client, format string, args []string) error {
		srcs, err := sources(args)
		if err != nil {
			return err
		}
		m, err := api.NewIntentServiceClient(there).PutTopology(ctx, &api.PutTopologyRequest{Files: filesOf(srcs), ExpectedRevision: putOn(), DryRun: *dry, Message: *putWhy})
		if err != nil {
			return err
		}
		for _, w := range m.GetWarnings() {
			t.notef("%s\n", diagnostic(w))
		}
		if format == "json" {
			return t.message(m)
		}
		t.written(m.GetRevision(), m.GetChanges(), *dry)
		return nil
	})

	list := &cobra.Command{Use: "list", Short: "The topologies with their newest revisions", Args: cobra.NoArgs}
	t.asking(list, func(ctx context.Context, there *client, format string, _ []string) error {
		m, err := api.NewIntentServiceClient(there).ListTopologies(ctx, &api.ListTopologiesRequest{PageSize: 1000})
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m)
		}
		return t.revisions("TOPOLOGY\tREVISION\tAT\tBY\tWHY", m.GetRevisions())
	})

	history := &cobra.Command{Use: "history TOPOLOGY", Short: "Its revisions, the newest first", Args: one("a topology")}
	t.asking(history, func(ctx context.Context, there *client, format string, args []string) error {
		m, err := api.NewIntentServiceClient(there).ListRevisions(ctx, &api.ListRevisionsRequest{Topology: args[0], PageSize: 1000})
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m)
		}
		return t.revisions("TOPOLOGY\tREVISION\tAT\tBY\tWHY", m.GetRevisions())
	})

	restore := &cobra.Command{Use: "restore TOPOLOGY [REVISION]", Short: "Intend what an old revision said; without one, the one before the newest", Args: cobra.RangeArgs(1, 2)}
	restoreWhy, restoreOn := message(restore), expected(restore)
	t.asking(restore, func(ctx context.Context, there *client, format string, args []string) error {
		r := &api.RestoreRevisionRequest{Topology: args[0], Message: *restoreWhy, ExpectedRevision: restoreOn()}
		if len(args) == 2 {
			n, err := strconv.ParseInt(args[1], 10, 64)
			if err != nil || n < 1 {
				return fmt.Errorf("%s: no revision; use a number that loom intent history shows", args[1])
			}
			r.Revision = n
		}
		m, err := api.NewIntentServiceClient(there).RestoreRevision(ctx, r)
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m)
		}
		t.written(m.GetRevision(), m.GetChanges(), false)
		return nil
	})

	remove := &cobra.Command{Use: "delete TOPOLOGY", Short: "Forget a topology; its devices keep what they have", Args: one("a topology")}
	removeWhy, removeOn := message(remove), expected(remove)
	t.asking(remove, func(ctx context.Context, there *client, format string, args []string) error {
		m, err := api.NewIntentServiceClient(there).DeleteTopology(ctx, &api.DeleteTopologyRequest{Topology: args[0], Message: *removeWhy, ExpectedRevision: removeOn()})
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m)
		}
		t.printf("%s: ended with revision %d\n", args[0], m.GetRevision().GetNumber())
		return nil
	})
	c.AddCommand(put, intentGet(t), list, history, intentDiff(t), restore, remove, intentResource(t), intentApply(t))
	return group(c)
}

func (t *terminal) revisions(head string, all []*api.Revision) error {
	var rows [][]string
	for _, r := range all {
		why := r.GetMessage()
		if r.GetRestores() > 0 {
			why = strings.TrimSpace(fmt.Sprintf("restores %d %s", r.GetRestores(), why))
		}
		rows = append(rows, []string{r.GetTopology(), strconv.FormatInt(r.GetNumber(), 10), r.GetAt().AsTime().Local().Format(time.DateTime), r.GetBy(), why})
	}
	return t.table(head, rows)
}

func intentApply(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "apply TOPOLOGY", Short: "Make the devices as its newest revision intends", Args: one("a topology"),
		Long: `Does what loom apply --server does, for what is intended already: after loom intent put, or after going back with
loom intent restore.`,
	}
	name, limit, format := contextFlag(c), limitFlag(c), formatFlag(c, "text", "json")
	o := &applyOptions{given: c.Flags(), limit: limit, format: format}
	c.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&o.all, "all", false, "show every line of large changes")
	c.Flags().BoolVar(&o.takeOver, "take-over", false, "overwrite foreign configuration on devices met for the first time")
	c.Flags().DurationVar(&o.rollback, "rollback", 5*time.Minute, "time after which a device takes back an unconfirmed change")
	c.Flags().DurationVar(&o.hold, "hold", 0, "keep the change unconfirmed so long, for somebody to look and to confirm it")
	c.Flags().StringVar(&o.plan, "plan", "", "carry out only the plan with this `HASH`, and do not ask")
	c.Flags().StringSliceVar(&o.approved, "approve", nil, "`CLASSES` of risks that are approved")
	o.how, o.gates = rolloutFlags(c), gateFlags(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := errors.Join(o.how.check(), o.gates.validate(), o.checkApproval(t)); err != nil {
			return err
		}
		if o.rollback < leastRollback {
			return fmt.Errorf("--rollback %s: too short to confirm in; use at least %s", o.rollback, leastRollback)
		}
		server := *name
		if server == "" {
			server = currentContext
		}
		return o.applyThere(cmd.Context(), t, server, what{topology: args[0]})
	}
	return c
}
