package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/crash"
)

// Limits of one transaction: etcd's own defaults, which a cluster has unless its owner changed them.
const (
	MaxOperations = 128         // puts and deletes together; conditions are counted apart
	MaxBytes      = 1536 * 1024 // of keys and values
)

// overhead is an upper bound of what encoding adds to an operation: tags, lengths and the frame.
const overhead = 64

var (
	beforeCommit = crash.New("store.commit.before")
	afterCommit  = crash.New("store.commit.after")
)

// Condition holds if the record has exactly this revision; 0: if there is none.
type Condition struct {
	Key      string
	Revision int64
	path     string // of a lock; empty for a record
	lock     string // its name
	there    bool   // holds if there is a record, of whichever revision
}

// Absent holds if there is no record under the key.
func Absent(key string) Condition { return Condition{Key: key} }

// Unchanged holds while the record is as it was read.
func Unchanged(r Record) Condition { return Condition{Key: r.Key, Revision: r.Revision} }

// Tx is a transaction: if every condition holds, all puts and deletes are made, else none is.
type Tx struct {
	If     []Condition
	Put    map[string][]byte
	Touch  []string // a record gets the transaction's revision, and keeps its value; that there is one is a condition
	Delete []string // a key without a record is no error
	Below  []string // every record whose key begins with one of these is deleted, however many there are
}

// Commit makes a transaction and returns its revision. When it returns without an error, the
// transaction is on the disk: of this member, or of a majority of the cluster.
//
// Errors: *ConflictError or *LostError (ErrConflict), ErrTooLarge: nothing was written. ErrUnknown, ErrStopped:
// perhaps written, read it back. Any other: nothing was written.
func (s *Store) Commit(ctx context.Context, tx Tx) (int64, error) {
	began := time.Now()
	revision, err := s.commit(ctx, tx)
	if s.options.Committed != nil {
		s.options.Committed(time.Since(began), err)
	}
	return revision, err
}

func (s *Store) commit(ctx context.Context, tx Tx) (int64, error) {
	if err := tx.check(len(s.path("")), s.options.Operations); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("store: commit: %w", err)
	}
	tx.If = tx.conditions()
	beforeCommit.Here()
	answer, err := ask(ctx, s, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		return s.client.Txn(ctx).If(s.compares(tx)...).Then(s.operations(tx)...).Else(s.reads(tx)...).Commit()
	})
	if err != nil {
		return 0, fmt.Errorf("store: commit: %w", outcome(err))
	}
	if !answer.Succeeded {
		return 0, conflict(tx, answer)
	}
	afterCommit.Here()
	s.committed(answer.Header.Revision)
	return answer.Header.Revision, nil
}

// conditions are those that are given, and behind them those of what is touched.
func (tx Tx) conditions() []Condition {
	out := slices.Clip(tx.If)
	for _, key := range tx.Touch {
		out = append(out, Condition{Key: key, there: true})
	}
	return out
}

// check refuses what etcd would refuse, in words of ours. path is the length of what etcd's key has
// before ours, most the number of operations that it takes.
func (tx Tx) check(path, most int) error {
	n, size := len(tx.Put)+len(tx.Touch)+len(tx.Delete)+len(tx.Below), 0
	path += overhead
	switch {
	case n == 0:
		return errors.New("store: commit: nothing to put or delete")
	case n > most:
		return fmt.Errorf("store: commit: %d puts and deletes, at most %d: %w; Batch is for independent puts", n, most, ErrTooLarge)
	case len(tx.If)+len(tx.Touch) > most:
		return fmt.Errorf("store: commit: %d conditions, at most %d: %w", len(tx.If)+len(tx.Touch), most, ErrTooLarge)
	}
	for key, value := range tx.Put {
		if key == "" {
			return errors.New("store: commit: a put without a key")
		}
		size += path + len(key) + len(value)
	}
	for _, key := range tx.Touch {
		if _, put := tx.Put[key]; put || key == "" || slices.Contains(tx.Delete, key) {
			return fmt.Errorf("store: commit: key %q is touched and put or deleted, or empty", key)
		}
		size += 3 * (path + len(key)) // and its condition
	}
	for _, key := range tx.Delete {
		if _, put := tx.Put[key]; put || key == "" {
			return fmt.Errorf("store: commit: key %q is put and deleted, or empty", key)
		}
		size += path + len(key)
	}
	for _, prefix := range tx.Below {
		if prefix == "" {
			return errors.New("store: commit: a delete of every record that there is")
		}
		size += 2 * (path + len(prefix))
	}
	for _, c := range tx.If {
		size += 2 * (path + len(c.Key))
	}
	if size > MaxBytes {
		return fmt.Errorf("store: commit: %d bytes, at most %d: %w; Batch is for independent puts", size, MaxBytes, ErrTooLarge)
	}
	return nil
}

func (s *Store) compares(tx Tx) []clientv3.Cmp {
	out := make([]clientv3.Cmp, len(tx.If))
	for i, c := range tx.If {
		is := "="
		if c.there {
			is = ">"
		}
		out[i] = clientv3.Compare(clientv3.ModRevision(s.where(c)), is, c.Revision)
	}
	return out
}

func (s *Store) operations(tx Tx) []clientv3.Op {
	out := make([]clientv3.Op, 0, len(tx.Put)+len(tx.Touch)+len(tx.Delete)+len(tx.Below))
	for _, key := range slices.Sorted(maps.Keys(tx.Put)) {
		out = append(out, clientv3.OpPut(s.path(key), string(seal(key, tx.Put[key]))))
	}
	for _, key := range tx.Touch {
		out = append(out, clientv3.OpPut(s.path(key), "", clientv3.WithIgnoreValue()))
	}
	for _, key := range tx.Delete {
		out = append(out, clientv3.OpDelete(s.path(key)))
	}
	for _, prefix := range tx.Below {
		out = append(out, clientv3.OpDelete(s.path(prefix), clientv3.WithPrefix()))
	}
	return out
}

// reads are made instead if a condition does not hold: which one is then known as of the same instant.
func (s *Store) reads(tx Tx) []clientv3.Op {
	out := make([]clientv3.Op, len(tx.If))
	for i, c := range tx.If {
		if out[i] = clientv3.OpGet(s.where(c)); c.path == "" {
			out[i] = clientv3.OpGet(s.where(c), clientv3.WithKeysOnly())
		}
	}
	return out
}

func (s *Store) where(c Condition) string {
	if c.path != "" {
		return c.path
	}
	return s.path(c.Key)
}

func conflict(tx Tx, answer *clientv3.TxnResponse) error {
	for i, c := range tx.If {
		var has int64
		if kvs := answer.Responses[i].GetResponseRange().GetKvs(); len(kvs) == 1 {
			has = kvs[0].GetModRevision()
		}
		switch {
		case c.there && has == 0:
			return &ConflictError{Key: c.Key, Want: -1}
		case c.there:
		case has != c.Revision && c.path != "":
			return lostIn(c, answer.Responses[i].GetResponseRange().GetKvs())
		case has != c.Revision:
			return &ConflictError{Key: c.Key, Want: c.Revision, Revision: has}
		}
	}
	return fmt.Errorf("store: commit: %w, but every condition holds", ErrConflict)
}

// lostIn is the error of a transaction whose lock is lost, given the lock as it is.
func lostIn(c Condition, kvs []*mvccpb.KeyValue) error {
	lost := &LostError{Name: c.lock}
	var has holding
	if len(kvs) == 1 && decode(locks+c.lock, kvs[0].GetValue(), kvs[0].GetModRevision(), &has) == nil {
		lost.By, lost.Since = has.Who, has.Since
	}
	return lost
}

// outcome adds ErrUnknown to an error after which a transaction may have been made: whatever does not
// say that it was refused before it entered the log.
func outcome(err error) error {
	if errors.Is(err, ErrStopped) || errors.Is(err, ErrClosed) {
		return err
	}
	var etcd rpctypes.EtcdError
	code := status.Code(err)
	if errors.As(err, &etcd) {
		code = etcd.Code()
	}
	switch code {
	case codes.InvalidArgument, codes.ResourceExhausted, codes.PermissionDenied, codes.Unauthenticated,
		codes.FailedPrecondition, codes.OutOfRange, codes.NotFound, codes.AlreadyExists, codes.Unimplemented:
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnknown, err)
}

// batchFlight is how many transactions of a batch are under way at once. The member writes what waits
// with one fsync.
const batchFlight = 8

// Batch makes many independent puts, as few transactions as the limits allow, several at a time; each
// is made only if the conditions hold. It is not all or nothing: after an error any of them may have
// been made. The conditions should not be about keys that it puts.
func (s *Store) Batch(ctx context.Context, put map[string][]byte, conditions ...Condition) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(batchFlight)
	for _, tx := range chunks(put, conditions, len(s.path("")), s.options.Operations) {
		group.Go(func() error {
			_, err := s.Commit(ctx, tx)
			return err
		})
	}
	return group.Wait()
}

func chunks(put map[string][]byte, conditions []Condition, path, most int) []Tx {
	var out []Tx
	path += overhead
	room, fixed := 0, 0
	for _, c := range conditions {
		fixed += 2 * (path + len(c.Key))
	}
	for _, key := range slices.Sorted(maps.Keys(put)) {
		size := path + len(key) + len(put[key])
		if len(out) == 0 || size > room || len(out[len(out)-1].Put) == most {
			out = append(out, Tx{If: conditions, Put: map[string][]byte{}})
			room = MaxBytes - fixed
		}
		out[len(out)-1].Put[key] = put[key]
		room -= size
	}
	return out
}
