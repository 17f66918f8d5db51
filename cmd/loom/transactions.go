package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/spf13/cobra"
)

func transactionsCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "transactions",
		Short: "Changes that were made, and the one that is being made",
		Long: `Every loom apply is a transaction with a journal: which devices, what happened to each and when,
and how it ended. The journal is kept beside the topology (.loom), or where --data or --etcd say. list, show,
watch, confirm, cancel and prune look in the directory in which they are started: elsewhere say --data DIR/.loom.

While loom apply --hold waits, confirm makes the change permanent and cancel takes it back. With --server they ask a
controller, which has the journal of all that it takes care of.`,
		Example: `  loom transactions list
  loom transactions show loom-20261122-210412.387-9f3c
  loom transactions confirm loom-20261122-210412.387-9f3c`,
	}
	c.AddCommand(transactionsList(t), transactionsShow(t), transactionsWatch(t), transactionsResume(t), transactionsPrune(t),
		transactionsAsk(t, "confirm", "Say that all is well, so that the change is kept", "Ends the wait of loom apply --hold: every device keeps the change."),
		transactionsAsk(t, "cancel", "Take back a change that is not decided yet", "Before the decision every device goes back to what it was. After it there is loom rollback."),
	)
	return group(c)
}

// books opens what can be read: the store itself, or the one that another process holds. That one has its
// socket a little later than the store, and gives it up a little earlier.
func (f *storeFlags) books(ctx context.Context, t *terminal) (ledger, asker, func() error, error) {
	if err := f.exists(); err != nil {
		return nil, nil, nil, err
	}
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for until := time.Now().Add(holderMoves); ; {
		s, err := f.open(ctx, t, dataDir(nil))
		switch {
		case err == nil && s.Shared():
			return s, &clusterAsker{s, hearing}, s.Close, nil
		case err == nil:
			return s, nobody{}, s.Close, nil
		}
		if h := (*store.HeldError)(nil); !errors.As(err, &h) || h.Dir == "" {
			return nil, nil, nil, err
		}
		r, dialErr := dialControl(f.storeDir(dataDir(nil)))
		if dialErr == nil {
			return r, r, func() error { return nil }, nil
		}
		if time.Now().After(until) {
			return nil, nil, nil, errors.Join(err, dialErr)
		}
		select {
		case <-ctx.Done():
			return nil, nil, nil, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// holderMoves is how long a process may hold a store without a socket.
const holderMoves = 5 * time.Second

// exists tells whether there is a journal where it is looked for; looking begins none.
func (f *storeFlags) exists() error {
	if len(f.etcd) > 0 {
		return nil
	}
	dir := f.storeDir(dataDir(nil))
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: no journal here, so no transaction yet; that of a topology elsewhere is beside it: --data %s",
			dir, filepath.Join("DIR-OF-THE-TOPOLOGY", ".loom"))
	}
	return nil
}

// storeDir is the directory of the store.
func (f *storeFlags) storeDir(dir string) string {
	if f.dir != "" {
		dir = f.dir
	}
	return filepath.Join(dir, "store")
}

// account is a line of `loom transactions list`.
type account struct {
	ID       string                        `json:"id"`
	Topology string                        `json:"topology"`
	By       string                        `json:"by"`
	Began    time.Time                     `json:"began"`
	Ended    time.Time                     `json:"ended,omitzero"`
	Phase    transaction.Phase             `json:"phase"`
	Outcome  transaction.Outcome           `json:"outcome,omitempty"`
	Why      string                        `json:"why,omitempty"`
	Undoes   string                        `json:"undoes,omitempty"`
	Devices  map[string]transaction.Status `json:"devices"`
	Errors   map[string]string             `json:"errors,omitempty"`
	Timeline []moment                      `json:"timeline,omitempty"`
	Until    time.Time                     `json:"held_until,omitzero"` // somebody may say that all is well; a controller knows it

	rollback time.Duration // after which armed devices take it back
	plan     string        // hash of the plan that it carries out
	revision int64         // that it brings devices to; 0: none
}

// moment is when something happened.
type moment struct {
	At     time.Time          `json:"at"`
	Device string             `json:"device,omitempty"`
	Status transaction.Status `json:"status,omitempty"`
	What   string             `json:"what,omitempty"`
}

// summarize makes of a journal what people want to know.
func summarize(records []transaction.Record) (account, error) {
	s, err := transaction.Replay(records)
	if err != nil {
		return account{}, err
	}
	spec := s.Spec
	out := account{ID: spec.ID, Topology: spec.Topology, By: spec.By, Began: spec.Began, Phase: s.Phase, Undoes: spec.Undoes, rollback: spec.Limits.Rollback, plan: spec.Plan, revision: spec.Revision, Devices: map[string]transaction.Status{}}
	for _, j := range spec.Jobs {
		out.Devices[j.Device] = s.Status(j.Device)
	}
	for _, name := range spec.Saves {
		out.Devices[name] = s.Status(name)
	}
	for _, r := range records {
		out.Timeline = append(out.Timeline, moments(r)...)
		if r.Kind == transaction.Ended {
			out.Ended, out.Outcome, out.Why, out.Errors = r.At, r.Outcome, r.Why, r.Errors
			maps.Copy(out.Devices, r.Devices)
		}
	}
	return out, nil
}

// moments are what a record says happened.
func moments(r transaction.Record) []moment {
	switch r.Kind {
	case transaction.Planned:
		return []moment{{At: r.At, What: fmt.Sprintf("planned by %s", r.Spec.By)}}
	case transaction.Sending:
		return []moment{{At: r.At, What: fmt.Sprintf("wave %d is sent", r.Wave+1)}}
	case transaction.Decided:
		m := moment{At: r.At, What: "decided: " + string(r.Decision)}
		if r.Why != "" {
			m.What += ": " + r.Why
		}
		return []moment{m}
	case transaction.Ended:
		return []moment{{At: r.At, What: "ended: " + string(r.Outcome)}}
	}
	var out []moment
	for _, m := range r.Moments {
		out = append(out, moment{At: m.At, Device: m.Device, Status: m.Status})
	}
	return out
}

func transactionsList(t *terminal) *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "All transactions of the journal, the newest first", Args: noArguments}
	f, format, server := addStoreFlags(c), formatFlag(c, "text", "json"), serverFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if *server != "" {
			all, err := accountsThere(cmd.Context(), *server)
			if err != nil {
				return err
			}
			return t.accounts(all, *format)
		}
		books, _, closeBooks, err := f.books(cmd.Context(), t)
		if err != nil {
			return err
		}
		defer closeBooks()
		ids, err := transactionIDs(cmd.Context(), books)
		if err != nil {
			return err
		}
		slices.Reverse(ids)
		all := []account{}
		for _, id := range ids {
			s, err := readAccount(cmd.Context(), books, id)
			if err != nil {
				return err
			}
			s.Timeline = nil
			all = append(all, s)
		}
		return t.accounts(all, *format)
	}
	return c
}

func (t *terminal) accounts(all []account, format string) error {
	if format == "json" {
		return t.json(all)
	}
	return printAccounts(t, all)
}

// transactionRecords reads the journal of a transaction that there has to be.
func transactionRecords(ctx context.Context, books ledger, id string) ([]transaction.Record, error) {
	records, err := readRecords(ctx, books, id)
	if err == nil && len(records) == 0 {
		err = noSuch(ctx, books, id)
	}
	return records, err
}

// noSuch says that there is no such transaction, and which may be meant.
func noSuch(ctx context.Context, books ledger, id string) error {
	ids, err := transactionIDs(ctx, books)
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: no such transaction%s; loom transactions list shows all", id, meantID(id, ids))
}

// meantID suggests the transaction that somebody may have meant: the one that was named in part, or else the nearest.
func meantID(id string, ids []string) string {
	var parts []string
	for _, other := range ids {
		if id != "" && strings.Contains(other, id) {
			parts = append(parts, other)
		}
	}
	switch {
	case len(parts) == 1:
		return "; did you mean " + parts[0]
	case len(parts) > 1:
		return fmt.Sprintf("; %d have that in their name, the last is %s", len(parts), parts[len(parts)-1])
	}
	if near := topology.Nearest(id, ids); near != "" {
		return "; did you mean " + near
	}
	return ""
}

func readAccount(ctx context.Context, books ledger, id string) (account, error) {
	records, err := transactionRecords(ctx, books, id)
	if err != nil {
		return account{}, err
	}
	s, err := summarize(records)
	if err != nil {
		return s, fmt.Errorf("%s: %w", id, err)
	}
	return s, nil
}

func printAccounts(t *terminal, all []account) error {
	if len(all) == 0 {
		t.printf("no transactions yet\n")
		return nil
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TRANSACTION\tTOPOLOGY\tBEGAN\tDEVICES\tHOW IT STANDS")
	for _, s := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", s.ID, s.Topology, s.Began.Local().Format(time.DateTime), len(s.Devices), s.stands())
	}
	return w.Flush()
}

func (s *account) stands() string {
	if s.Outcome != "" {
		return string(s.Outcome)
	}
	return "not over: " + string(s.Phase)
}

func transactionsShow(t *terminal) *cobra.Command {
	c := &cobra.Command{Use: "show TRANSACTION", Short: "One transaction, with a timeline of each device", Args: one("a transaction")}
	f, format, server := addStoreFlags(c), formatFlag(c, "text", "json"), serverFlag(c)
	show := func(s account) error {
		if *format == "json" {
			return t.json(s)
		}
		s.print(t)
		return nil
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if *server != "" {
			s, err := accountThere(cmd.Context(), *server, args[0])
			if err != nil {
				return err
			}
			return show(s)
		}
		books, _, closeBooks, err := f.books(cmd.Context(), t)
		if err != nil {
			return err
		}
		defer closeBooks()
		s, err := readAccount(cmd.Context(), books, args[0])
		if err != nil {
			return err
		}
		return show(s)
	}
	return c
}

// print shows one transaction: what was decided, and a line per device.
func (s *account) print(t *terminal) {
	t.printf("%s  %s\n", s.ID, s.stands())
	t.printf("topology %s, by %s, began %s\n", s.Topology, s.By, s.Began.Local().Format(time.DateTime))
	if s.Undoes != "" {
		t.printf("takes back %s\n", s.Undoes)
	}
	if !s.Until.IsZero() {
		t.printf("unconfirmed until %s, then taken back\n", s.Until.Local().Format(time.TimeOnly))
	}
	lines := map[string][]string{}
	for _, m := range s.Timeline {
		after := m.At.Sub(s.Began).Round(time.Millisecond)
		if m.Device == "" {
			t.printf("  %8s  %s\n", after, m.What)
			continue
		}
		lines[m.Device] = append(lines[m.Device], fmt.Sprintf("%s %s", m.Status, after))
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	for _, name := range slices.Sorted(maps.Keys(s.Devices)) {
		fmt.Fprintf(w, "%s\t%s\t%s\n", name, s.Devices[name], strings.Join(lines[name], ", "))
		if why := s.Errors[name]; why != "" {
			fmt.Fprintf(w, "\t\t%s\n", why)
		}
	}
	w.Flush()
}
