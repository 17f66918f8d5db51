package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/audit"
	"github.com/loomfabric/loom/pkg/store"
	"golang.org/x/mod/sumdb/note"
)

// The audit log in a store:
//
//	audit/queue/TIME-WRITER-NUMBER   entries that are not in the log yet, written with what they tell of: JSON, zstd-compressed
//	audit/log/NUMBER                 records of the log, 64 in each, as audit.Line, zstd-compressed
//	audit/head                       auditHead: how far the log goes, signed
//	audit/checkpoints/SIZE           signed checkpoints, the last ones
//
// Whoever does something puts entries into the queue; one at a time takes them from there into the log, in the order in which they were
// written (auditLog.take).
const (
	queuePrefix      = "audit/queue/"
	headOfAudit      = "audit/head"
	auditPrefix      = "audit/log/"
	checkpointPrefix = "audit/checkpoints/"
)

// auditBlock is how many records of the log are under one key.
const auditBlock = 64

func blockKey(block int64) string { return fmt.Sprintf("%s%012d", auditPrefix, block) }

// auditHead says how far the log goes.
type auditHead struct {
	Origin     string      `json:"origin"`
	Tree       audit.Tree  `json:"tree"`
	Checkpoint string      `json:"checkpoint"` // of the tree, signed
	Taken      []auditTurn `json:"taken"`      // from the queue, of the writers that were heard of last, the latest at the end
}

// auditTurn is how far the queue of one writer was taken into the log. Where it is not known whether something was written, it is
// written again, under the same number, and so it is taken once.
type auditTurn struct {
	Writer string `json:"writer"`
	Number int64  `json:"number"`
}

// writersKnown is how many writers a head knows.
const writersKnown = 64

// took notes that a number of a writer was taken. It tells whether it had been already.
func (h *auditHead) took(writer string, number int64) bool {
	t := auditTurn{writer, number}
	i := slices.IndexFunc(h.Taken, func(t auditTurn) bool { return t.Writer == writer })
	if i >= 0 {
		if h.Taken[i].Number >= number {
			return true
		}
		h.Taken = slices.Delete(slices.Clone(h.Taken), i, i+1)
	}
	h.Taken = append(h.Taken[max(0, len(h.Taken)-writersKnown+1):len(h.Taken):len(h.Taken)], t)
	return false
}

// auditQueue names what one process writes into the queue.
type auditQueue struct {
	writer string // random
	number int64
}

func newAuditQueue() *auditQueue {
	var b [6]byte
	_, _ = rand.Read(b[:])
	return &auditQueue{writer: hex.EncodeToString(b[:])}
}

// id is one that no other entry has.
func (q *auditQueue) id() string {
	q.number++
	return fmt.Sprintf("%s-%d", q.writer, q.number)
}

// key is where the next entries go.
func (q *auditQueue) key(now time.Time) string {
	q.number++
	return fmt.Sprintf("%s%020d-%s-%d", queuePrefix, now.UnixNano(), q.writer, q.number)
}

// queued is how many entries are under one key of the queue: as many as one transaction can take into the log.
func queued(operations int) int { return auditBlock * max(1, operations-4) }

// enqueue adds entries to what is written in a transaction of the store.
func (q *auditQueue) enqueue(tx *store.Tx, operations int, now time.Time, entries []audit.Entry) error {
	for some := range slices.Chunk(entries, queued(operations)) {
		data, err := pack(some)
		if err != nil {
			return err
		}
		if tx.Put == nil {
			tx.Put = map[string][]byte{}
		}
		tx.Put[q.key(now)] = data
	}
	return nil
}

// turnOf is the writer and the number of a key of the queue.
func turnOf(key string) (writer string, number int64) {
	rest := strings.TrimPrefix(key, queuePrefix)
	_, rest, _ = strings.Cut(rest, "-")
	writer, text, _ := strings.Cut(rest, "-")
	_, _ = fmt.Sscan(text, &number)
	return writer, number
}

// auditLog takes what is queued into the log.
type auditLog struct {
	store  *store.Store
	signer note.Signer
	lease  *store.Lease // of who does so; nil: nobody else can, or it does not matter as the head tells
	kept   *vault       // second place for checkpoints; nil: none
	now    func() time.Time

	last   time.Time // when a checkpoint was kept
	size   int64     // of that
	knows  bool      // last and size are known
	counts []string  // keys of the checkpoints in the store
}

// How often a checkpoint is kept beside the head.
const (
	checkpointEvery = 1000 // records
	checkpointAfter = 10 * time.Second
	checkpointsKept = 1000 // in the store
)

// auditLogOf takes what is queued in a store into the log, and signs with the key of a data directory.
func auditLogOf(s *store.Store, dir string) (*auditLog, error) {
	signer, err := auditKey(filepath.Join(dir, "pki"))
	if err != nil {
		return nil, err
	}
	return &auditLog{store: s, signer: signer, now: time.Now}, nil
}

// take takes all that is queued into the log, and returns how many records that were. A checkpoint is kept when it is due, or when it
// is asked for. Whoever is killed in between has taken something or has not: a transaction of the store has the records, the new head
// and the end of what was queued, on the condition that the head is the old one.
func (l *auditLog) take(ctx context.Context, checkpoint bool) (int, error) {
	total := 0
	for {
		n, more, err := l.takeSome(ctx, checkpoint)
		total += n
		if errors.Is(err, store.ErrConflict) && !errors.As(err, new(*store.LostError)) || errors.Is(err, store.ErrUnknown) && ctx.Err() == nil {
			continue // somebody else has taken something; or perhaps this was: look again
		}
		if err != nil || !more {
			return total, err
		}
	}
}

func (l *auditLog) takeSome(ctx context.Context, checkpoint bool) (taken int, more bool, err error) {
	queue, _, err := l.store.List(ctx, queuePrefix)
	if err != nil {
		return 0, false, err
	}
	head, record, err := readHead(ctx, l.store)
	if err != nil {
		return 0, false, err
	}
	if len(queue) == 0 {
		return 0, false, l.keepDue(ctx, head, checkpoint)
	}
	tx := store.Tx{Put: map[string][]byte{}, If: []store.Condition{store.Absent(headOfAudit)}}
	if record != nil {
		tx.If[0] = store.Unchanged(*record)
	} else {
		var b [8]byte
		_, _ = rand.Read(b[:])
		head.Origin = audit.Origin(b[:])
	}
	if l.lease != nil {
		tx.If = append(tx.If, l.lease.Condition())
	}
	slices.SortStableFunc(queue, func(a, b store.Record) int {
		if a.Revision != b.Revision {
			return int(max(-1, min(1, a.Revision-b.Revision)))
		}
		return strings.Compare(a.Key, b.Key)
	})
	before := head.Tree.Size
	lines, n, err := l.lines(head, queue, &tx)
	if err != nil {
		return 0, false, err
	}
	if err := putBlocks(ctx, l.store, &tx, before, lines); err != nil {
		return 0, false, err
	}
	signed, err := audit.Checkpoint{Origin: head.Origin, Size: head.Tree.Size, Root: head.Tree.Root()}.Sign(l.signer)
	if err != nil {
		return 0, false, err
	}
	head.Checkpoint = string(signed)
	if tx.Put[headOfAudit], err = pack(head); err != nil {
		return 0, false, err
	}
	if _, err := l.store.Commit(ctx, tx); err != nil {
		return 0, false, fmt.Errorf("audit log: %w", err)
	}
	more = n < len(queue)
	return len(lines), more, l.keepDue(ctx, head, checkpoint && !more)
}

// lines makes lines of as much of the queue as one transaction takes, and has it deleted there.
func (l *auditLog) lines(head *auditHead, queue []store.Record, tx *store.Tx) (lines []audit.Line, n int, err error) {
	blocks := func(more int) int {
		from, to := head.Tree.Size-int64(len(lines)), head.Tree.Size+int64(more)
		return int((to+auditBlock-1)/auditBlock - from/auditBlock)
	}
	size := 0
	for _, r := range queue {
		var entries []audit.Entry
		if err := unpack(r.Value, &entries); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", r.Key, err)
		}
		// the blocks, the head, and what is deleted
		if n > 0 && (blocks(len(entries))+1+n+1 > l.store.Operations() || size > store.MaxBytes/8) {
			break
		}
		n++
		tx.Delete = append(tx.Delete, r.Key)
		size += len(r.Value)
		if head.took(turnOf(r.Key)) {
			continue
		}
		lines = append(lines, head.Tree.Build(entries)...)
	}
	return lines, n, nil
}

// putBlocks writes lines behind the first so many records.
func putBlocks(ctx context.Context, books ledger, tx *store.Tx, size int64, lines []audit.Line) error {
	var text []byte
	if size%auditBlock != 0 && len(lines) > 0 {
		var err error
		if text, err = readBlock(ctx, books, size/auditBlock); err != nil {
			return err
		}
	}
	for i, l := range lines {
		text = l.Append(text)
		if (l.Sequence+1)%auditBlock == 0 || i == len(lines)-1 {
			tx.Put[blockKey(l.Sequence/auditBlock)] = encoder().EncodeAll(text, nil)
			text = nil
		}
	}
	return nil
}

// keepDue keeps a checkpoint, in the store and in the second place, if it is time or asked for.
func (l *auditLog) keepDue(ctx context.Context, head *auditHead, asked bool) error {
	now := l.now()
	if !l.knows {
		if err := l.recall(ctx); err != nil {
			return err
		}
	}
	if head.Tree.Size <= l.size || !asked && head.Tree.Size < l.size+checkpointEvery && now.Sub(l.last) < checkpointAfter {
		return nil
	}
	key := fmt.Sprintf("%s%016d", checkpointPrefix, head.Tree.Size)
	tx := store.Tx{Put: map[string][]byte{key: []byte(head.Checkpoint)}}
	if len(l.counts) >= checkpointsKept {
		tx.Delete = l.counts[:1]
	}
	if _, err := l.store.Commit(ctx, tx); err != nil {
		return fmt.Errorf("audit log: checkpoint: %w", err)
	}
	l.counts = append(l.counts[len(tx.Delete):], key)
	if l.kept != nil {
		if err := l.kept.add([]byte(head.Checkpoint)); err != nil {
			return fmt.Errorf("--audit-checkpoints: %w", err)
		}
	}
	l.last, l.size = now, head.Tree.Size
	return nil
}

// recall finds out which checkpoint was kept last: that of the place that has less.
func (l *auditLog) recall(ctx context.Context) error {
	l.counts, l.size = nil, 0
	keys, err := l.store.Keys(ctx, checkpointPrefix)
	if err != nil {
		return err
	}
	for _, k := range keys {
		l.counts = append(l.counts, k.Key)
		_, _ = fmt.Sscan(strings.TrimLeft(strings.TrimPrefix(k.Key, checkpointPrefix), "0"), &l.size)
	}
	if l.kept != nil {
		l.size = min(l.size, l.kept.size)
	}
	l.last, l.knows = l.now(), true
	return nil
}

// readHead reads how far the log goes; the record is nil where there is none yet.
func readHead(ctx context.Context, books ledger) (*auditHead, *store.Record, error) {
	h := &auditHead{}
	r, ok, err := books.Get(ctx, headOfAudit)
	if err != nil || !ok {
		return h, nil, err
	}
	if err = unpack(r.Value, h); err == nil {
		err = h.Tree.Check()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", r.Key, err)
	}
	return h, &r, nil
}

// readBlock reads the text of some records.
func readBlock(ctx context.Context, books ledger, block int64) ([]byte, error) {
	r, ok, err := books.Get(ctx, blockKey(block))
	if err != nil || !ok {
		return nil, err
	}
	text, err := decoder().DecodeAll(r.Value, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Key, err)
	}
	return text, nil
}

// auditText are the lines of a log in a store, from a record on. What it has behind what it should have is among them.
func auditText(ctx context.Context, books ledger, from int64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for block := from / auditBlock; block < math.MaxInt64; block++ {
			text, err := readBlock(ctx, books, block)
			if err != nil {
				yield(nil, err)
				return
			}
			if text == nil {
				return
			}
			i := block * auditBlock
			for line := range bytes.Lines(text) {
				if i >= from && !yield(line, nil) {
					return
				}
				i++
			}
		}
	}
}

// auditLine reads one record, of which it is known that it is there.
func auditLine(ctx context.Context, books ledger) audit.Lines {
	var block int64 = -1
	var lines [][]byte
	return func(sequence int64) (audit.Line, error) {
		if b := sequence / auditBlock; b != block {
			text, err := readBlock(ctx, books, b)
			if err != nil {
				return audit.Line{}, err
			}
			block, lines = b, slices.Collect(bytes.Lines(text))
		}
		i := int(sequence % auditBlock)
		if sequence < 0 || i >= len(lines) {
			return audit.Line{}, fmt.Errorf("record %d: the audit log does not have it", sequence)
		}
		return audit.ParseLine(lines[i])
	}
}

// vault is the second place of checkpoints: a file to whose end they are written.
type vault struct {
	name string
	size int64 // of the log, as the last one says
}

// openVault opens a second place: a file, or a directory, in which each log has a file of its own name.
func openVault(name, owner string) (*vault, error) {
	if at, err := os.Stat(name); err == nil && at.IsDir() {
		name = filepath.Join(name, "loom-audit-"+strings.Map(func(r rune) rune {
			if r == '/' || r == ' ' {
				return '-'
			}
			return r
		}, owner)+".checkpoints")
	}
	v := &vault{name: name}
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	whole := 0
	for _, signed := range audit.SplitNotes(data) {
		if !bytes.HasSuffix(signed, []byte("\n")) || !bytes.Contains(signed, []byte("\n\n— ")) {
			break // cut off by a crash
		}
		whole += len(signed)
		if lines := strings.SplitN(string(signed), "\n", 3); len(lines) == 3 {
			_, _ = fmt.Sscan(lines[1], &v.size)
		}
	}
	if rest := bytes.TrimSpace(data[whole:]); len(rest) > 0 && bytes.Contains(rest, []byte("\n\n— ")) && bytes.HasSuffix(data, []byte("\n")) {
		return nil, fmt.Errorf("%s: there is something in it that is no checkpoint; look at it, and name another file", name)
	}
	if whole < len(data) {
		if err := os.Truncate(name, int64(whole)); err != nil {
			return nil, err
		}
	}
	return v, v.write(nil) // now, rather than when there is something to be lost
}

// add writes a checkpoint, and returns when it is on the disk.
func (v *vault) add(signed []byte) error { return v.write(signed) }

func (v *vault) write(data []byte) error {
	f, err := os.OpenFile(v.name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// auditKey reads the key that signs checkpoints, and makes one where there is none:
//
//	audit.key   private, for the user of the controller alone
//	audit.pub   public: to be kept where the log is verified
func auditKey(dir string) (note.Signer, error) {
	private := filepath.Join(dir, "audit.key")
	data, err := os.ReadFile(private)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		key, public, err := audit.NewKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(replaceFile(filepath.Join(dir, "audit.pub"), []byte(public+"\n")), replaceFile(private, []byte(key+"\n"))); err != nil {
			return nil, err
		}
		data = []byte(key)
	} else if err != nil {
		return nil, err
	}
	s, err := audit.Signer(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w; take it away, and another is made: who verifies the log then needs both public keys", private, err)
	}
	return s, nil
}

// entryOf is the entry of a line.
func entryOf(l audit.Line) (audit.Entry, error) {
	e, err := audit.Decode(l.Record)
	if err != nil {
		return e, fmt.Errorf("record %d: %w; loom audit verify tells more", l.Sequence, err)
	}
	return e, nil
}
