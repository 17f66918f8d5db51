package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/loomfabric/loom/pkg/audit"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/spf13/cobra"
)

func auditCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "Who did what: the audit log, and the proof that nobody has changed it",
		Long: `The audit log tells of every call of a controller, and of every Set to a device before it leaves: who, what, the digest of
the request, the plan, and what came of it. It has no values of configurations. Its records are the leaves of a Merkle tree whose
root is signed again and again, so that nobody can change or take away a record that such a checkpoint has.

It is in the store (--data, --etcd). verify and export need no controller; list and show ask one with --server.`,
		Example: `  loom audit list --data /var/lib/loom --transaction loom-20261122-210412.387-9f3c
  loom audit list --server --who ann --since 24h
  loom audit verify --data /var/lib/loom --checkpoints /mnt/elsewhere/loom.checkpoints --key audit.pub`,
	}
	c.AddCommand(auditList(t), auditShow(t), auditVerify(t), auditExport(t))
	return group(c)
}

// auditFilter is what is wanted of the log.
type auditFilter struct {
	who, what, topology, device, transaction string
	since                                    string
	last                                     int
}

func (f *auditFilter) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.who, "who", "", "of this `NAME` alone")
	c.Flags().StringVar(&f.what, "what", "", "calls and Sets whose name has this `TEXT` in it, such as ApplyPlan or gnmi.Set")
	c.Flags().StringVar(&f.topology, "topology", "", "of this topology `NAME` alone")
	c.Flags().StringVar(&f.device, "device", "", "of this device `NAME` alone")
	c.Flags().StringVar(&f.transaction, "transaction", "", "of the transaction with this `ID` alone")
	c.Flags().StringVar(&f.since, "since", "", "of this `TIME` or later, or of so long ago: 2026-11-23T10:00:00Z, 24h")
	c.Flags().IntVar(&f.last, "last", 100, "the last `N` of them; 0: all")
}

// from is the time that --since means; zero: none.
func (f *auditFilter) from(now time.Time) (time.Time, error) {
	if f.since == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(f.since); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	at, err := time.Parse(time.RFC3339, f.since)
	if err != nil {
		return at, fmt.Errorf("--since %s: is no time; use one such as 2026-11-23T10:00:00Z, or 24h for a day ago", f.since)
	}
	return at, nil
}

func auditList(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "Tell who did what, the oldest first", Args: noArguments,
		Long: `Lists records of the audit log. What changes something has two: one before it is begun, and one of what came of it.
A Set without the second one may have reached its device: whoever sent it has died, or has not told yet.`,
		Example: "  loom audit list --last 20\n  loom audit list --device leaf3 --what gnmi.Set --since 24h --format json",
	}
	f, server, format := addStoreFlags(c), serverFlag(c), formatFlag(c, "text", "json")
	var want auditFilter
	want.flags(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		since, err := want.from(time.Now())
		if err != nil {
			return err
		}
		if want.last < 0 {
			return fmt.Errorf("--last %d: use 1 or more, or 0 for all", want.last)
		}
		var entries []audit.Entry
		var waiting int
		if *server != "" {
			entries, err = auditThere(cmd.Context(), *server, want, since)
		} else {
			entries, waiting, err = f.auditHere(cmd.Context(), t, want, since)
		}
		if err != nil {
			return err
		}
		if *format == "json" {
			return t.json(entries)
		}
		printEntries(t, entries)
		if waiting > 0 {
			t.notef("%s not in the log yet: the next loom serve or loom apply takes them in\n", sizes(waiting, "entry"))
		}
		return nil
	}
	return c
}

// fits tells whether an entry is one that is wanted.
func (f *auditFilter) fits(e *audit.Entry, since time.Time) bool {
	is := func(want, has string) bool { return want == "" || want == has }
	return is(f.who, e.Who.Name) && is(f.topology, e.Subject.Topology) && is(f.device, e.Subject.Device) && is(f.transaction, e.Subject.Transaction) &&
		strings.Contains(e.What, f.what) && !e.At.Before(since)
}

// auditHere reads the log of a store, and how many entries wait to be taken into it.
func (f *storeFlags) auditHere(ctx context.Context, t *terminal, want auditFilter, since time.Time) (out []audit.Entry, waiting int, err error) {
	books, _, closeBooks, err := f.books(ctx, t)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, closeBooks()) }()
	out = []audit.Entry{}
	for text, err := range auditText(ctx, books, 0) {
		if err != nil {
			return nil, 0, err
		}
		l, err := audit.ParseLine(text)
		if err != nil {
			return nil, 0, fmt.Errorf("the audit log: %w; loom audit verify tells more", err)
		}
		e, err := entryOf(l)
		if err != nil {
			return nil, 0, err
		}
		if want.fits(&e, since) {
			out = append(out, e)
			if want.last > 0 && len(out) > 2*want.last {
				out = append(out[:0], out[len(out)-want.last:]...)
			}
		}
	}
	if want.last > 0 && len(out) > want.last {
		out = out[len(out)-want.last:]
	}
	waiting, err = waitingFor(ctx, books)
	return out, waiting, err
}

// waitingFor is how many entries are not in the log yet.
func waitingFor(ctx context.Context, books ledger) (int, error) {
	queue, _, err := books.List(ctx, queuePrefix)
	n := 0
	for _, r := range queue {
		var entries []audit.Entry
		if err := unpack(r.Value, &entries); err != nil {
			return 0, fmt.Errorf("%s: %w", r.Key, err)
		}
		n += len(entries)
	}
	return n, err
}

func printEntries(t *terminal, entries []audit.Entry) {
	if len(entries) == 0 {
		t.printf("nothing\n")
		return
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RECORD\tTIME\tWHO\tWHAT\tSUBJECT\tOUTCOME")
	for _, e := range entries {
		what := e.What[strings.LastIndex(e.What, ".")+1:]
		if e.What == audit.Set {
			what = "Set " + e.Subject.Operation
		}
		outcome := e.Outcome.Code
		if e.Stage == audit.Before {
			outcome = "begins"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", e.Sequence, e.At.Local().Format("2006-01-02 15:04:05.000"), orDash(e.Who.Name), what, orDash(subjectText(e.Subject)), outcome)
	}
	_ = w.Flush()
}

// subjectText is what an entry is about, in a few words.
func subjectText(s audit.Subject) string {
	var parts []string
	for _, p := range []string{s.Topology, s.Device, s.Plan, s.Transaction} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, " ")
}

func auditShow(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "show RECORD", Short: "One record with all that it says", Args: one("a record"),
		Long:    "Prints a record as JSON, with the outcome of what it began, if that is known.",
		Example: "  loom audit show 4711\n  loom audit show 4711 --server",
	}
	f, server := addStoreFlags(c), serverFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		n, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("%s: is no number of a record; loom audit list shows them", args[0])
		}
		if *server != "" {
			return showThere(cmd.Context(), t, *server, n)
		}
		books, _, closeBooks, err := f.books(cmd.Context(), t)
		if err != nil {
			return err
		}
		l, err := auditLine(cmd.Context(), books)(n)
		if err == nil {
			var e audit.Entry
			if e, err = entryOf(l); err == nil {
				err = t.json(e)
			}
		}
		return errors.Join(err, closeBooks())
	}
	return c
}

func auditExport(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "export FILE", Short: "Write the whole log to one file, to be verified elsewhere", Args: one("a file"),
		Long: `Writes a line for each record (its number, the hashes that it completes, the entry as JSON), and the signed checkpoints
behind them. loom audit verify FILE --key audit.pub verifies it without the store. A file that is there is not overwritten.`,
		Example: "  loom audit export audit-2026.log --data /var/lib/loom\n  loom audit verify audit-2026.log --key audit.pub",
	}
	f := addStoreFlags(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		books, _, closeBooks, err := f.books(cmd.Context(), t)
		if err != nil {
			return err
		}
		n, err := exportAudit(cmd.Context(), books, args[0])
		if err = errors.Join(err, closeBooks()); err != nil {
			return err
		}
		t.printf("%s: %s\n", args[0], sizes(n, "record"))
		return nil
	}
	return c
}

// exportAudit writes the log to a new file.
func exportAudit(ctx context.Context, books ledger, name string) (n int, err error) {
	checkpoints, err := checkpointsIn(ctx, books)
	if err != nil {
		return 0, err
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for text, err := range auditText(ctx, books, 0) {
		if err == nil {
			_, err = file.Write(text)
		}
		if err != nil {
			return n, err
		}
		n++
	}
	if n == 0 {
		return 0, errors.Join(errors.New("there is nothing in the audit log"), os.Remove(name))
	}
	_, err = file.Write(append([]byte("\n"), bytes.Join(checkpoints, nil)...))
	return n, errors.Join(err, file.Sync())
}

func auditVerify(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "verify [FILE]", Short: "Prove that the log is as it was written, or name the first record that is not", Args: cobra.MaximumNArgs(1),
		Long: `Reads every record of the log, in the store (--data, --etcd), in a backup of one (loom store backup), or in an export of the
log; makes all hashes anew, and holds them against the signed checkpoints that are kept with the log and in the file that
--checkpoints names. No controller is needed, and where one runs it is asked for nothing but the records.

Checkpoints that are kept with the log prove it to who trusts the key of the controller alone. Those of another place prove
that nobody has written the log anew who has that key. Give --key the public key as it was when you first got it.

Exit code: 0 the log is as it was written, 1 it could not be read, 5 something is wrong; the first record that is, is named.`,
		Example: "  loom audit verify --data /var/lib/loom\n  loom audit verify backup.jsonl --checkpoints elsewhere.checkpoints --key audit.pub",
	}
	f, format := addStoreFlags(c), formatFlag(c, "text", "json")
	var places []string
	var key string
	c.Flags().StringSliceVar(&places, "checkpoints", nil, "`FILES` with signed checkpoints that are kept elsewhere (loom serve --audit-checkpoints)")
	c.Flags().StringVar(&key, "key", "", "`FILE` with the public key of who signs, or several (default: audit.pub of the data directory)")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		var others [][]byte
		for _, name := range places {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			signed := audit.SplitNotes(data)
			if len(signed) == 0 {
				return fmt.Errorf("%s: there is no checkpoint in it", name)
			}
			others = append(others, signed...)
		}
		if key == "" {
			key = filepath.Join(filepath.Dir(f.storeDir(dataDir(nil))), "pki", "audit.pub")
		}
		var r *audit.Report
		var waiting int
		var err error
		if len(args) == 1 {
			r, waiting, err = verifyFile(cmd.Context(), args[0], key, others)
		} else {
			r, waiting, err = f.verifyStore(cmd.Context(), t, key, others)
		}
		if err != nil {
			return err
		}
		return verdictOn(t, r, waiting, len(places) > 0, *format == "json")
	}
	return c
}

// exitAudit is the exit code of a log that is not as it was written.
const exitAudit = 5

// verdict is what `loom audit verify --format json` prints.
type verdict struct {
	Records     int64        `json:"records"` // that are as they were written
	Signed      int64        `json:"signed"`  // of these the first so many: a checkpoint has them
	Checkpoints int          `json:"checkpoints"`
	Waiting     int          `json:"waiting"` // entries that are not in the log yet
	Faults      []faultFound `json:"faults"`
}

type faultFound struct {
	Kind  audit.Kind `json:"kind"`
	First int64      `json:"first"`
	Last  int64      `json:"last"`
	Text  string     `json:"text"`
}

func verdictOn(t *terminal, r *audit.Report, waiting int, elsewhere, asJSON bool) error {
	v := verdict{r.Tree.Size, r.Signed, r.Checkpoints, waiting, []faultFound{}}
	var lines []string
	for _, f := range r.Faults {
		v.Faults = append(v.Faults, faultFound{f.Kind, f.First, f.Last, f.Error()})
		lines = append(lines, f.Error())
	}
	switch {
	case asJSON:
		if err := t.json(v); err != nil {
			return err
		}
	case len(lines) == 0:
		t.printf("%s, as they were written; %s agree, the largest of %d\n", sizes(int(v.Records), "record"), sizes(v.Checkpoints, "checkpoint"), v.Signed)
	}
	if v.Signed < v.Records && len(lines) == 0 {
		t.notef("the last %s: no checkpoint has them yet\n", sizes(int(v.Records-v.Signed), "record"))
	}
	if waiting > 0 {
		t.notef("%s not in the log yet: the next loom serve or loom apply takes them in\n", sizes(waiting, "entry"))
	}
	if !elsewhere && len(lines) == 0 {
		t.notef("no checkpoint of another place was given (--checkpoints): whoever has the key could have written all of it anew\n")
	}
	if len(lines) == 0 {
		return nil
	}
	return exit{exitAudit, fmt.Errorf("the audit log is not as it was written:\n%s", strings.Join(lines, "\n"))}
}

func (f *storeFlags) verifyStore(ctx context.Context, t *terminal, key string, others [][]byte) (*audit.Report, int, error) {
	books, _, closeBooks, err := f.books(ctx, t)
	if err != nil {
		return nil, 0, err
	}
	r, err := verifyAudit(ctx, books, key, others)
	waiting := 0
	if err == nil {
		waiting, err = waitingFor(ctx, books)
	}
	return r, waiting, errors.Join(err, closeBooks())
}

// verifyFile verifies the log in a backup of a store, or in an export.
func verifyFile(ctx context.Context, name, key string, others [][]byte) (*audit.Report, int, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, 0, err
	}
	if bytes.HasPrefix(data, []byte(`{"loom-store-backup"`)) {
		b, err := store.ReadBackup(data)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", name, err)
		}
		books := newShelf(b.Records)
		r, err := verifyAudit(ctx, books, key, others)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", name, err)
		}
		waiting, err := waitingFor(ctx, books)
		return r, waiting, err
	}
	known, err := auditKeys(key)
	if err != nil {
		return nil, 0, err
	}
	records, notes, _ := bytes.Cut(data, []byte("\n\n"))
	r, err := audit.Verify(audit.Log{Lines: auditLines(records), Checkpoints: append(audit.SplitNotes(notes), others...), Known: known})
	return r, 0, err
}

// auditLines are the lines of a text.
func auditLines(text []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for l := range bytes.Lines(text) {
			if !yield(l, nil) {
				return
			}
		}
	}
}

// shelf is the records of a backup, as a ledger.
type shelf struct {
	records []store.Record
	at      map[string]int
}

func newShelf(records []store.Record) *shelf {
	s := &shelf{records, map[string]int{}}
	for i, r := range records {
		s.at[r.Key] = i
	}
	return s
}

func (s *shelf) Get(_ context.Context, key string) (store.Record, bool, error) {
	i, ok := s.at[key]
	if !ok {
		return store.Record{}, false, nil
	}
	return s.records[i], true, nil
}

func (s *shelf) List(_ context.Context, prefix string) ([]store.Record, int64, error) {
	var out []store.Record
	for _, r := range s.records {
		if strings.HasPrefix(r.Key, prefix) {
			out = append(out, r)
		}
	}
	return out, 0, nil
}
