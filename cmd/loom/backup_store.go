package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/spf13/cobra"
)

func storeCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "store",
		Short: "Back up, restore and check the store of transactions and drains",
		Long: `The store keeps transactions, the configurations that they lead from and to, and who is drained. It is a directory
(.loom beside the topology, or --data) or a cluster (--etcd). A backup is one file, of either; it is restored to a
directory. What a cluster has is restored by its owner, with etcdctl.`,
		Example: "  loom store backup loom-store.jsonl\n  loom store check\n  loom store restore loom-store.jsonl",
	}
	c.AddCommand(storeBackup(t), storeRestore(t), storeCheck(t))
	return group(c)
}

func storeBackup(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "backup FILE", Short: "Write all that the store has to one file", Args: one("a file"),
		Long: `Writes every record, all as of one moment, to a file that only its owner reads: configurations may hold secrets. It
does so while a change is under way, too. The file is there whole, with a checksum, or not at all; one that is there
already is not overwritten.`,
	}
	f := addStoreFlags(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		books, _, closeBooks, err := f.books(cmd.Context(), t)
		if err != nil {
			return err
		}
		records, revision, err := books.List(cmd.Context(), "")
		if err = errors.Join(err, closeBooks()); err != nil {
			return err
		}
		size, err := writeBackup(args[0], store.NewBackup(records, revision, time.Now().UTC()))
		if err != nil {
			return err
		}
		t.printf("%s: %s, %s\n", args[0], sizes(len(records), "record"), bytesText(size))
		return nil
	}
	return c
}

// writeBackup writes a new file, whole or not at all.
func writeBackup(name string, b *store.Backup) (int64, error) {
	made, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // with mode 0600
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, errors.Unwrap(err)) // the name of this file is of no interest
	}
	defer os.Remove(made.Name())
	size, err := b.WriteTo(made)
	if err == nil {
		err = made.Sync()
	}
	if err = errors.Join(err, made.Close()); err != nil {
		return 0, err
	}
	if err := os.Link(made.Name(), name); errors.Is(err, fs.ErrExist) {
		return 0, fmt.Errorf("%s is there already, and stays as it is; name another file", name)
	} else if err != nil {
		return 0, err
	}
	return size, nil
}

func storeRestore(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "restore FILE", Short: "Make a store of a backup, where there is none", Args: one("a backup"),
		Long: `Checks a backup, and makes the directory of --data of it. A store that is there already is not touched: move it away
first. What was done after the backup is not in it: look with loom plan before anything else. A transaction that was
open then is open again, and the next loom apply would end it as the journal of then says.`,
	}
	c.Flags().String("data", "", "`DIR` for journal and locks (default: $LOOM_DATA, or else .loom beside the topology)")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		f := &storeFlags{}
		f.dir, _ = cmd.Flags().GetString("data")
		data, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		b, err := store.ReadBackup(data)
		if err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
		dir := f.storeDir(dataDir(nil))
		if err := store.Restore(cmd.Context(), dir, b); err != nil {
			return err
		}
		t.printf("%s: %s as of %s\n", dir, sizes(len(b.Records), "record"), b.At.Local().Format(time.DateTime))
		return f.remember(t, b)
	}
	return c
}

// remember makes known what a restored store says is not over: drains, to commands that only look, and transactions, to
// who has restored it.
func (f *storeFlags) remember(t *terminal, b *store.Backup) error {
	drained, unfinished, timed := false, false, false
	for _, r := range b.Records {
		if topology, open := strings.CutPrefix(r.Key, "open/"); open {
			t.notef("%s: transaction %s was open when the backup was made, and is again; if it has ended since, look with loom plan before loom apply ends it once more\n", topology, r.Value)
		}
		drained = drained || strings.HasPrefix(r.Key, "drains/")
		timed = timed || strings.HasPrefix(r.Key, "timers/")
		unfinished = unfinished || strings.HasPrefix(r.Key, "open/")
	}
	m := f.marks(dataDir(nil))
	return errors.Join(m.drains.say(drained), m.open.say(unfinished), m.timers.say(timed))
}

func storeCheck(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "check", Short: "Read the whole store, and tell what is damaged or missing", Args: noArguments,
		Long: `Reads every record, and holds what they say together: a transaction has all its records, its devices, and their
configurations, each with the content that its name is the hash of. Nothing is changed.

Exit code: 0 all is well, 1 something is not.`,
	}
	f := addStoreFlags(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		books, _, closeBooks, err := f.books(cmd.Context(), t)
		if err != nil {
			return err
		}
		records, _, err := books.List(cmd.Context(), "")
		if err != nil {
			return errors.Join(err, closeBooks())
		}
		found, wrong := checkBooks(cmd.Context(), books, records)
		if err := closeBooks(); err != nil {
			return err
		}
		t.printf("%s\n", found)
		if wrong != nil {
			return fmt.Errorf("the store is damaged; keep a copy, and use loom store restore with a backup:\n%w", wrong)
		}
		return nil
	}
	return c
}

// checkBooks holds the records of a store together. It returns what there is, and all that is wrong.
func checkBooks(ctx context.Context, books ledger, records []store.Record) (found string, wrong error) {
	c := bookCheck{configurations: map[string][]byte{}, looked: map[string]bool{}, participants: map[string][]participant{}, open: map[string]string{}}
	var ids []string
	for _, r := range records {
		c.record(r)
		if id, of := strings.CutPrefix(r.Key, "transactions/"); of {
			id, _, _ = strings.Cut(id, "/")
			ids = append(ids, id)
		}
	}
	ids = slices.Compact(ids) // List is sorted
	for _, id := range ids {
		c.transaction(ctx, books, id)
	}
	for _, id := range sortedKeys(c.open) {
		c.say("%s: transaction %s is open, and has no journal", c.open[id], id)
	}
	return fmt.Sprintf("%s: %s, %s", sizes(len(records), "record"), sizes(len(ids), "transaction"), sizes(len(c.configurations), "configuration")), errors.Join(c.wrong...)
}

// bookCheck is what a store has, and what is wrong with it.
type bookCheck struct {
	configurations map[string][]byte // compressed, by their hash
	looked         map[string]bool   // those that were read, as a transaction would
	participants   map[string][]participant
	open           map[string]string // topologies, by the transaction that is open
	wrong          []error
}

func (c *bookCheck) say(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Errorf(format, args...))
}

// record takes one record, and looks at it alone.
func (c *bookCheck) record(r store.Record) {
	switch kind, name, _ := strings.Cut(r.Key, "/"); kind {
	case "configurations":
		c.configurations[name] = r.Value
		if _, err := decoder().DecodeAll(r.Value, nil); err != nil {
			c.looked[name] = true
			c.say("%s: %w", r.Key, err)
		}
	case "participants":
		var members []participant
		if err := unpack(r.Value, &members); err != nil {
			c.say("%s: %w", r.Key, err)
		}
		c.participants[name] = members
	case "open":
		c.open[string(r.Value)] = name
	}
}

// transaction looks whether a transaction has all that belongs to it.
func (c *bookCheck) transaction(ctx context.Context, books ledger, id string) {
	_, open := c.open[id]
	delete(c.open, id)
	journal, err := readRecords(ctx, books, id)
	if err == nil {
		_, err = transaction.Replay(journal)
	}
	if err != nil {
		c.say("%w", err)
		return
	}
	if ended := journal[len(journal)-1].Kind == transaction.Ended; open == ended {
		c.say("transaction %s: its last record and what is said to be open do not go together", id)
	}
	members, ok := c.participants[id]
	if !ok {
		c.say("transaction %s: its devices are missing", id)
	}
	for i := range members {
		for _, hash := range members[i].Places {
			c.configuration(id, &members[i], hash)
		}
	}
}

// configuration looks whether a device's configuration is there, and what its hash says.
func (c *bookCheck) configuration(id string, p *participant, hash string) {
	packed, ok := c.configurations[hash]
	if !ok {
		c.say("transaction %s: configuration %.12s of %s is missing", id, hash, p.Name)
		return
	}
	if c.looked[hash] {
		return
	}
	c.looked[hash] = true
	if _, err := p.understand(packed, hash); err != nil {
		c.say("configurations/%s: %w", hash, err)
	}
}
