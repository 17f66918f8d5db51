package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/crash"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
)

// journal keeps transactions in a store:
//
//	open/TOPOLOGY              the id of the transaction that is not over
//	transactions/ID/NNNNNN     its records, in their order
//	participants/ID            what is needed to go on with it: devices, scopes, hashes of configurations
//	configurations/SHA256      the part of a configuration that Loom owns, canonical JSON
//
// Values but the first are zstd-compressed JSON.
type journal struct {
	*keeper
	next       map[string]int      // number of the next record
	with       map[string]*prelude // what is written with the first record of a transaction
	*companion                     // what else is written with records; nil: nothing
}

func newJournal(k *keeper) *journal {
	return &journal{keeper: k, next: map[string]int{}, with: map[string]*prelude{}}
}

// prelude is what the journal has to have of a transaction before its records mean anything.
type prelude struct {
	members []participant
	trees   map[string]*config.Tree // by their keys
	put     map[string][]byte       // nil: it is not known yet what the store lacks
	touch   []string                // keys of trees that it had when it was asked
}

// participant is what is kept of a device beside the job: enough to go on after the topology file
// has changed.
type participant struct {
	Name        string   `json:"name"`
	OS          string   `json:"os"`
	Release     string   `json:"release"`
	Platform    string   `json:"platform"`
	Address     string   `json:"address"`
	Fingerprint string   `json:"fingerprint,omitempty"`
	Scope       []owning `json:"scope"`
	Intended    string   `json:"intended"`         // hash of what the design wants
	Places      []string `json:"places,omitempty"` // hashes, as in the job
}

// owning is a config.Rule as text.
type owning struct {
	Path string           `json:"path"`
	Own  config.Ownership `json:"own"`
	Why  string           `json:"why,omitempty"`
}

func ruleTexts(s config.Scope) []owning {
	out := make([]owning, 0, len(s))
	for _, r := range s {
		out = append(out, owning{r.Path.String(), r.Own, r.Why})
	}
	return out
}

func scopeOf(rules []owning) (config.Scope, error) {
	out := make(config.Scope, 0, len(rules))
	for _, r := range rules {
		p, err := config.ParsePath(r.Path)
		if err != nil {
			return nil, err
		}
		out = append(out, config.Rule{Path: p, Own: r.Own, Why: r.Why})
	}
	return out, nil
}

var (
	encoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err != nil {
			panic(err) // options of ours
		}
		return e
	})
	decoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			panic(err)
		}
		return d
	})
)

func pack(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return encoder().EncodeAll(data, nil), nil
}

func unpack(data []byte, v any) error {
	raw, err := decoder().DecodeAll(data, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}

// Where a test kills the process: around what is kept of a transaction before its journal begins.
var (
	beforePrepare = crash.New("journal prepare before")
	afterPrepare  = crash.New("journal prepare after")
)

// prepare keeps what a transaction needs to be gone on with: configurations by their hash. It is durable before
// the first record, or with it where that is one write.
//
// What the store has is not written again, but touched, so that it is as if it were: who forgets what nobody refers to
// (see prune) forgets nothing that has been written since it looked.
func (j *journal) prepare(ctx context.Context, id string, members []participant, trees map[string]*config.Tree) error {
	p := &prelude{members: members, trees: make(map[string]*config.Tree, len(trees))}
	for hash, tree := range trees {
		p.trees["configurations/"+hash] = tree
	}
	beforePrepare.Here()
	j.with[id] = p
	if len(trees) > few {
		if err := j.ready(ctx, id, p); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	afterPrepare.Here()
	return nil
}

// few configurations are looked for and compressed with the first record, while the devices are read.
const few = 8

// ready finds out what the store lacks of a prelude, and compresses it. What is too much to be written with the first
// record is written now.
func (j *journal) ready(ctx context.Context, id string, p *prelude) error {
	if p.put != nil {
		return nil
	}
	has, _ := j.store.Has(ctx, sortedKeys(p.trees)) // what is not known to be there is written, which waits for a cluster that is away
	if err := p.divide(id, has); err != nil || p.size(j.store.Operations()) <= together {
		return err
	}
	return j.writeAhead(ctx, id, p)
}

// divide makes what is to be put of all that the store does not have.
func (p *prelude) divide(id string, has map[string]bool) error {
	refers, err := pack(p.members)
	if err != nil {
		return err
	}
	p.touch = nil
	lacking := map[string]*config.Tree{}
	for _, key := range sortedKeys(p.trees) {
		if has[key] {
			p.touch = append(p.touch, key)
		} else {
			lacking[key] = p.trees[key]
		}
	}
	p.put = packTrees(lacking)
	p.put["participants/"+id] = refers
	return nil
}

// writeAhead makes a prelude durable before the first record, and its participants before all else: they refer to it, and
// what nobody refers to may be forgotten (see prune).
func (j *journal) writeAhead(ctx context.Context, id string, p *prelude) error {
	held, first := j.lease.Condition(), "participants/"+id
	if _, err := j.store.Commit(ctx, store.Tx{If: []store.Condition{held}, Put: map[string][]byte{first: p.put[first]}}); err != nil {
		return err
	}
	delete(p.put, first)
	for keys := range slices.Chunk(p.touch, max(j.store.Operations()-1, 1)) { // the lock is a condition, too
		_, err := j.store.Commit(ctx, store.Tx{If: []store.Condition{held}, Touch: keys})
		if p.forgotten(err) {
			for _, key := range keys {
				maps.Copy(p.put, packTrees(map[string]*config.Tree{key: p.trees[key]}))
			}
		} else if err != nil {
			return err
		}
	}
	if err := j.store.Batch(ctx, p.put, held); err != nil {
		return err
	}
	delete(j.with, id)
	return nil
}

// forgotten tells whether an error says that a configuration was gone when it was to be touched.
func (p *prelude) forgotten(err error) bool {
	c := (*store.ConflictError)(nil)
	return errors.As(err, &c) && slices.Contains(p.touch, c.Key)
}

// together is how much may be written with the first record: a part of what one transaction of the store takes.
const together = store.MaxBytes / 4

// size is what it takes in the store, or more than together where that is too much for one transaction of it,
// which has at most so many operations.
func (p *prelude) size(operations int) int {
	if len(p.put)+len(p.touch) >= operations/2 {
		return together + 1
	}
	n := 0
	for key, value := range p.put {
		n += len(key) + len(value)
	}
	return n
}

// packTrees compresses configurations, each under its key, on all processors.
func packTrees(trees map[string]*config.Tree) map[string][]byte {
	put := make(map[string][]byte, len(trees)+1)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for some := range slices.Chunk(sortedKeys(trees), max(1, (len(trees)-1)/runtime.GOMAXPROCS(0)+1)) {
		wg.Go(func() {
			buf := make([]byte, 0, 64<<10) // most fit
			for _, key := range some {
				buf = trees[key].AppendJSON(buf[:0], false)
				packed := encoder().EncodeAll(buf, make([]byte, 0, len(buf)/8))
				mu.Lock()
				put[key] = packed
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return put
}

// Append makes records durable, in one transaction of the store, and only while the lock on the fabric
// is held.
func (j *journal) Append(ctx context.Context, id string, records []transaction.Record) error {
	ctx, cancel := context.WithTimeout(ctx, j.bounds.Patience)
	defer cancel()
	p := j.with[id]
	if p != nil {
		if err := j.ready(ctx, id, p); err != nil {
			return err
		}
	}
	tx, err := j.entries(id, records)
	if err != nil {
		return err
	}
	told, err := j.sets.onto(&tx, records)
	if err != nil {
		return err
	}
	_, begins := tx.Put["open/"+j.topology]
	if begins { // rather a mark without a transaction than a transaction without it
		if err := j.marks.open.say(true); err != nil {
			return err
		}
	}
	err = j.durable(ctx, tx)
	if p != nil && p.forgotten(err) { // since it was looked for: all is written as if none of it had been there
		if err = p.divide(id, nil); err == nil {
			err = j.writeAhead(ctx, id, p)
		}
		if err == nil {
			return j.Append(ctx, id, records)
		}
	}
	if err != nil {
		return err
	}
	j.sets.kept(told)
	j.next[id] += len(records)
	delete(j.with, id)
	if begins && j.companion != nil && j.kept != nil {
		j.kept()
	}
	if slices.Contains(tx.Delete, "open/"+j.topology) {
		_ = j.marks.open.say(false) // one that stays costs others a look
	}
	return nil
}

// entries are records as the store takes them; the first of a transaction brings its prelude, unless that is there.
func (j *journal) entries(id string, records []transaction.Record) (store.Tx, error) {
	tx := store.Tx{If: []store.Condition{j.lease.Condition()}, Put: map[string][]byte{}}
	for i, r := range records {
		data, err := pack(r)
		if err != nil {
			return tx, err
		}
		key := recordKey(id, j.next[id]+i)
		tx.Put[key] = data
		tx.If = append(tx.If, store.Absent(key))
		switch r.Kind {
		case transaction.Planned:
			tx.Put["open/"+j.topology] = []byte(id)
			tx.If = append(tx.If, store.Absent("open/"+j.topology))
			if p := j.with[id]; p != nil {
				maps.Copy(tx.Put, p.put)
				tx.Touch = p.touch
			}
		case transaction.Ended:
			tx.Delete = append(tx.Delete, "open/"+j.topology)
		}
		if err := j.companion.onto(&tx, r); err != nil {
			return tx, err
		}
	}
	return tx, nil
}

// durable makes a transaction of records that are new, and makes it again until the context ends while it is not known
// whether it was made, as when a cluster is away. As its records must not be there before, it is made once.
func (j *journal) durable(ctx context.Context, tx store.Tx) error {
	_, err := j.store.Commit(ctx, tx)
	for wait := 50 * time.Millisecond; errors.Is(err, store.ErrUnknown) && ctx.Err() == nil; wait = min(2*wait, time.Second) {
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
		if _, err = j.store.Commit(ctx, tx); errors.Is(err, store.ErrConflict) && j.made(ctx, tx) {
			return nil
		}
	}
	return err
}

// made tells whether every record of a transaction is there as it puts it.
func (j *journal) made(ctx context.Context, tx store.Tx) bool {
	for key, value := range tx.Put {
		if r, ok, err := j.store.Get(ctx, key); err != nil || !ok || !bytes.Equal(r.Value, value) {
			return false
		}
	}
	return true
}

func recordKey(id string, n int) string { return fmt.Sprintf("transactions/%s/%06d", id, n) }

// unfinished is the id of the transaction on the fabric that is not over; "" if there is none.
func (j *journal) unfinished(ctx context.Context) (string, error) {
	r, ok, err := j.store.Get(ctx, "open/"+j.topology)
	if err != nil || !ok {
		return "", err
	}
	return string(r.Value), nil
}

// records reads the journal of one transaction.
func (j *journal) records(ctx context.Context, id string) ([]transaction.Record, error) {
	out, err := readRecords(ctx, j.store, id)
	j.next[id] = len(out)
	return out, err
}

func readRecords(ctx context.Context, s ledger, id string) ([]transaction.Record, error) {
	list, _, err := s.List(ctx, "transactions/"+id+"/")
	if err != nil {
		return nil, err
	}
	out := make([]transaction.Record, len(list))
	for i, r := range list {
		if r.Key != recordKey(id, i) {
			return nil, fmt.Errorf("transaction %s: record %d is missing from the journal; restore the store from a backup", id, i)
		}
		if err := unpack(r.Value, &out[i]); err != nil {
			return nil, fmt.Errorf("transaction %s: record %d: %w", id, i, err)
		}
	}
	return out, nil
}

// transactionIDs lists all transactions that the store knows, oldest first.
func transactionIDs(ctx context.Context, s ledger) ([]string, error) {
	list, _, err := s.List(ctx, "transactions/")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range list {
		id, _, _ := strings.Cut(strings.TrimPrefix(r.Key, "transactions/"), "/")
		if len(out) == 0 || out[len(out)-1] != id {
			out = append(out, id)
		}
	}
	return out, nil
}

// participants reads what is needed to go on with a transaction, or to take it back.
func (j *journal) participants(ctx context.Context, id string) ([]participant, error) {
	r, ok, err := j.store.Get(ctx, "participants/"+id)
	if err == nil && !ok {
		err = errors.New("the journal does not have its devices; restore the store from a backup")
	}
	var out []participant
	if err == nil {
		err = unpack(r.Value, &out)
	}
	if err != nil {
		return nil, fmt.Errorf("transaction %s: %w", id, err)
	}
	return out, nil
}

// configuration reads a configuration by its hash.
func (j *journal) configuration(ctx context.Context, p *participant, hash string) (*config.Tree, error) {
	r, ok, err := j.store.Get(ctx, "configurations/"+hash)
	if err == nil && !ok {
		err = errors.New("not in the journal; restore the store from a backup")
	}
	var tree *config.Tree
	if err == nil {
		tree, err = p.understand(r.Value, hash)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: configuration %.12s: %w", p.Name, hash, err)
	}
	return tree, nil
}

// understand is the configuration that the store has under a hash, as it is for a device. Whoever wrote it may have
// written out a default that this device does not know: what it means is what counts.
func (p *participant) understand(packed []byte, hash string) (*config.Tree, error) {
	raw, err := decoder().DecodeAll(packed, nil)
	if err != nil {
		return nil, err
	}
	drv := drivers[p.OS]
	if drv == nil {
		return nil, fmt.Errorf("%s is no operating system that this program knows", p.OS)
	}
	tree, unknown, err := config.Parse(drv.Schema, p.Release, raw, config.ParseOptions{})
	if err != nil || plan.Hash(tree) == hash {
		return tree, err
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("has %s, which this program does not know", unknown[0].Path)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != hash { // of its text: so the first versions named it
		return nil, errors.New("is not what its hash says")
	}
	return tree, nil
}

func jobOf(spec *transaction.Spec, device string) *transaction.Job {
	i := slices.IndexFunc(spec.Jobs, func(j transaction.Job) bool { return j.Device == device })
	if i < 0 {
		return nil
	}
	return &spec.Jobs[i]
}
