package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/spf13/cobra"
)

// How many ended transactions of a topology are kept without anybody asking. They go some at a time: to find what
// nobody refers to any more, all that is kept has to be read.
const (
	defaultKeep = 100
	keepSlack   = 10
)

// retention is what is kept of the transactions that have ended.
type retention struct {
	topology string        // of which; "": of all
	keep     int           // the newest of each topology; 0: as many as there are
	older    time.Duration // what ended longer ago goes; 0: nothing for its age
	dry      bool          // only tell
}

// forgotten is what was taken away.
type forgotten struct {
	Transactions   []string `json:"transactions"`
	Configurations int      `json:"configurations"`
	Kept           int      `json:"kept"`             // transactions
	Before         int64    `json:"before,omitempty"` // bytes of the database
	After          int64    `json:"after,omitempty"`
}

func transactionsPrune(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "prune", Short: "Forget old transactions, and the configurations that no other refers to", Args: noArguments,
		Long: fmt.Sprintf(`Forgets transactions that have ended: all but the newest N of each topology, or those that ended longer ago than --older
says. One that is open is never forgotten, and neither is a configuration that rollback of a kept one needs. The
database of --data is made as small as what is left; a cluster is its owner's to compact and defragment.

loom apply does the same at its end, once there are %d more than %d, and leaves the database to shrink by itself; so does a controller (--server).`, keepSlack, defaultKeep),
		Example: "  loom transactions prune --keep 20\n  loom transactions prune --older 720h --dry-run\n  loom transactions prune --keep 20 --server",
	}
	f, format, server := addStoreFlags(c), formatFlag(c, "text", "json"), serverFlag(c)
	r := retention{}
	c.Flags().IntVar(&r.keep, "keep", 0, fmt.Sprintf("forget all but the newest `N` of each topology (default %d, or all where --older is given)", defaultKeep))
	c.Flags().DurationVar(&r.older, "older", 0, "forget what ended longer ago than this `TIME`, such as 720h")
	c.Flags().BoolVar(&r.dry, "dry-run", false, "only tell what would be forgotten")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case r.keep < 0 || c.Flags().Changed("keep") && r.keep == 0:
			return fmt.Errorf("--keep %d: use 1 or more", r.keep)
		case r.older < 0 || c.Flags().Changed("older") && r.older == 0:
			return fmt.Errorf("--older %s: use a time such as 720h", r.older)
		case r.keep == 0 && r.older == 0:
			r.keep = defaultKeep
		}
		forget := func(ctx context.Context) (forgotten, error) { return f.prune(ctx, t, r) }
		if *server != "" {
			forget = func(ctx context.Context) (forgotten, error) { return pruneThere(ctx, *server, r) }
		}
		gone, err := forget(cmd.Context())
		if err != nil {
			return err
		}
		if *format == "json" {
			return t.json(gone)
		}
		gone.print(t, r.dry)
		return nil
	}
	return c
}

// prune forgets transactions of the store that flags name, and makes its database small.
func (f *storeFlags) prune(ctx context.Context, t *terminal, r retention) (forgotten, error) {
	if err := f.exists(); err != nil {
		return forgotten{}, err
	}
	s, err := f.openAfterReaders(ctx, t, dataDir(nil))
	if err != nil {
		return forgotten{}, err
	}
	gone, err := prune(ctx, s, r, time.Now())
	if err == nil && !r.dry && !s.Shared() {
		gone.Before, gone.After, err = s.Pack(ctx)
	}
	return gone, errors.Join(err, s.Close())
}

func (g *forgotten) print(t *terminal, dry bool) {
	verb := "forgot"
	if dry {
		verb = "would forget"
		for _, id := range g.Transactions {
			t.printf("%s\n", id)
		}
	}
	t.printf("%s %s and %s; %s kept\n", verb, sizes(len(g.Transactions), "transaction"), sizes(g.Configurations, "configuration"), sizes(g.Kept, "transaction"))
	if g.Before > 0 {
		t.printf("database: %s, was %s\n", bytesText(g.After), bytesText(g.Before))
	}
}

// bytesText is a size as people read it.
func bytesText(n int64) string {
	if n < 1e6 {
		return fmt.Sprintf("%d kB", (n+999)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// tidy forgets what is old of this topology, once there is enough of it.
func (j *journal) tidy(ctx context.Context) error {
	keys, err := j.store.Keys(ctx, "transactions/")
	if err != nil || len(distinctIDs(keys)) < defaultKeep+keepSlack {
		return err
	}
	_, err = prune(ctx, j.store, retention{topology: j.topology, keep: defaultKeep}, time.Now())
	return err
}

// prune forgets transactions that have ended, each whole or not at all, and then what nobody refers to any more. Others
// may work on the same store: who prepares a transaction puts its participants there before its configurations, and here
// they are read the other way round, so that a configuration that nobody refers to is one that nobody is about to.
func prune(ctx context.Context, s *store.Store, r retention, now time.Time) (forgotten, error) {
	gone := forgotten{Transactions: []string{}}
	configurations, err := s.Keys(ctx, "configurations/")
	if err != nil {
		return gone, err
	}
	keys, err := s.Keys(ctx, "transactions/")
	if err != nil {
		return gone, err
	}
	ids := distinctIDs(keys)
	old, err := outdated(ctx, s, r, keys, now)
	if err != nil {
		return gone, err
	}
	for _, id := range ids {
		if !old[id] {
			continue
		}
		gone.Transactions = append(gone.Transactions, id)
		if r.dry {
			continue
		}
		if _, err := s.Commit(ctx, store.Tx{Delete: []string{"participants/" + id, "requests/" + id}, Below: []string{"transactions/" + id + "/"}}); err != nil {
			return gone, err
		}
	}
	gone.Kept = len(ids) - len(gone.Transactions)
	used, err := referred(ctx, s, old, ids, now)
	if err != nil {
		return gone, err
	}
	configurations = slices.DeleteFunc(configurations, func(c store.Record) bool { return used[strings.TrimPrefix(c.Key, "configurations/")] })
	gone.Configurations = len(configurations)
	if r.dry {
		return gone, nil
	}
	return gone, deleteUnchanged(ctx, s, configurations)
}

// distinctIDs are the transactions of sorted keys of records, oldest first.
func distinctIDs(keys []store.Record) []string {
	var out []string
	for _, k := range keys {
		id, _, _ := strings.Cut(strings.TrimPrefix(k.Key, "transactions/"), "/")
		if len(out) == 0 || out[len(out)-1] != id {
			out = append(out, id)
		}
	}
	return out
}

// outdated are the transactions that are not to be kept.
func outdated(ctx context.Context, s *store.Store, r retention, keys []store.Record, now time.Time) (map[string]bool, error) {
	last := map[string]string{} // key of its last record
	for _, k := range keys {
		id, _, _ := strings.Cut(strings.TrimPrefix(k.Key, "transactions/"), "/")
		last[id] = k.Key
	}
	newer := map[string]int{} // transactions of a topology that have ended, and are newer
	old := map[string]bool{}
	for _, id := range slices.Backward(distinctIDs(keys)) {
		first, err := recordAt(ctx, s, recordKey(id, 0))
		if err != nil {
			return nil, err
		}
		if first.Spec == nil || r.topology != "" && first.Spec.Topology != r.topology {
			continue
		}
		end, err := recordAt(ctx, s, last[id])
		if err != nil {
			return nil, err
		}
		if end.Kind != transaction.Ended {
			continue
		}
		newer[first.Spec.Topology]++
		old[id] = r.keep > 0 && newer[first.Spec.Topology] > r.keep || r.older > 0 && end.At.Before(now.Add(-r.older))
	}
	return old, nil
}

func recordAt(ctx context.Context, s *store.Store, key string) (transaction.Record, error) {
	var out transaction.Record
	r, ok, err := s.Get(ctx, key)
	if err == nil && ok {
		err = unpack(r.Value, &out)
	}
	if err != nil {
		return out, fmt.Errorf("%s: %w", key, err)
	}
	return out, nil
}

// preparing is how long a transaction may be prepared for, that has participants and no journal yet.
const preparing = 24 * time.Hour

// referred are the hashes of the configurations that some transaction which is kept has, or one that is being prepared.
// What was prepared and never begun is forgotten.
func referred(ctx context.Context, s *store.Store, old map[string]bool, ids []string, now time.Time) (map[string]bool, error) {
	begun := map[string]bool{}
	for _, id := range ids {
		begun[id] = true
	}
	all, err := s.Keys(ctx, "participants/")
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	var never []store.Record
	for _, k := range all {
		id := strings.TrimPrefix(k.Key, "participants/")
		if old[id] {
			continue // of a dry run
		}
		if !begun[id] && id < idAt(now.Add(-preparing)) {
			never = append(never, k)
			continue
		}
		r, ok, err := s.Get(ctx, k.Key)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			continue // somebody else forgets as well
		}
		var members []participant
		if err := unpack(r.Value, &members); err != nil {
			return nil, fmt.Errorf("%s: %w; nothing more is forgotten, as it is not known what it needs", k.Key, err)
		}
		for i := range members {
			used[members[i].Intended] = true
			for _, hash := range members[i].Places {
				used[hash] = true
			}
		}
	}
	return used, deleteUnchanged(ctx, s, never)
}

// deleteUnchanged deletes records that nobody has written since they were listed.
func deleteUnchanged(ctx context.Context, s *store.Store, records []store.Record) error {
	for some := range slices.Chunk(records, s.Operations()) {
		err := deleteAll(ctx, s, some)
		switch {
		case err == nil:
		case !errors.Is(err, store.ErrConflict):
			return err
		case len(some) > 1: // some of them was written: the others go one by one
			for i := range some {
				if err := deleteUnchanged(ctx, s, some[i:i+1]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// deleteAll deletes records if nobody has written any of them.
func deleteAll(ctx context.Context, s *store.Store, records []store.Record) error {
	var tx store.Tx
	for _, r := range records {
		tx.If, tx.Delete = append(tx.If, store.Unchanged(r)), append(tx.Delete, r.Key)
	}
	_, err := s.Commit(ctx, tx)
	return err
}
