package audit_test

import (
	"bytes"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/audit"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// chance is a source of bytes for keys that are the same each time.
type chance struct{ *rand.Rand }

func (c chance) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(c.Uint32())
	}
	return len(b), nil
}

func rng(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 8)) }

// key is a signer and who knows it.
func key(t testing.TB, seed uint64) (note.Signer, note.Verifiers) {
	t.Helper()
	private, public, err := audit.NewKey(chance{rng(seed)})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := audit.Signer(private)
	if err != nil {
		t.Fatal(err)
	}
	known, err := audit.Verifiers(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, &remembering{Verifiers: known}
}

// remembering asks about each signature once: 10,000 logs have the same ones.
type remembering struct {
	note.Verifiers
	mu   sync.Mutex
	fits map[string]bool
}

func (r *remembering) Verifier(name string, hash uint32) (note.Verifier, error) {
	v, err := r.Verifiers.Verifier(name, hash)
	return &rememberingOne{v, r}, err
}

type rememberingOne struct {
	note.Verifier
	all *remembering
}

func (r *rememberingOne) Verify(text, signature []byte) bool {
	r.all.mu.Lock()
	defer r.all.mu.Unlock()
	asked := string(text) + "\n" + string(signature)
	fits, known := r.all.fits[asked]
	if !known {
		if r.all.fits == nil {
			r.all.fits = map[string]bool{}
		}
		fits = r.Verifier.Verify(text, signature)
		r.all.fits[asked] = fits
	}
	return fits
}

func entry(i int) audit.Entry {
	return audit.Entry{
		At: time.Unix(1_800_000_000+int64(i), 5).UTC(), Replica: "a", Who: audit.Who{Name: "ann", Credential: "certificate", Address: "192.0.2.7:4711"},
		What: "/loom.v1.PlanService/ApplyPlan", Stage: audit.Before, ID: fmt.Sprint("id-", i),
		Subject: audit.Subject{Topology: "demo", Plan: "plan-1", PlanHash: audit.DigestOf([]byte("plan"))}, Digest: audit.DigestOf([]byte{byte(i)}),
	}
}

const origin = "loom-audit/1234"

// book is a log as it is kept, with the checkpoints that somebody else has.
type book struct {
	t       testing.TB
	signer  note.Signer
	known   note.Verifiers
	entries []audit.Entry
	lines   [][]byte
	sizes   []int64 // of the checkpoints
	signed  [][]byte
}

// newBook is a log of so many entries, with a checkpoint behind each of some sizes.
func newBook(t testing.TB, n int, sizes ...int64) *book {
	b := &book{t: t, sizes: sizes}
	b.signer, b.known = key(t, 1)
	for i := range n {
		b.entries = append(b.entries, entry(i))
	}
	b.lines = b.built(b.entries)
	for _, size := range sizes {
		b.signed = append(b.signed, b.checkpoint(b.entries[:size], b.signer))
	}
	return b
}

// built are entries as the lines of a log.
func (b *book) built(entries []audit.Entry) (out [][]byte) {
	var tree audit.Tree
	for _, l := range tree.Build(entries) {
		out = append(out, l.Append(nil))
	}
	return out
}

func (b *book) checkpoint(of []audit.Entry, by note.Signer) []byte {
	b.t.Helper()
	var tree audit.Tree
	tree.Build(of)
	signed, err := audit.Checkpoint{Origin: origin, Size: tree.Size, Root: tree.Root()}.Sign(by)
	if err != nil {
		b.t.Fatal(err)
	}
	return signed
}

// copy is another log with the same in it.
func (b *book) copy() *book {
	c := *b
	c.lines, c.signed = slices.Clone(b.lines), slices.Clone(b.signed)
	return &c
}

func each(lines [][]byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, l := range lines {
			if !yield(l, nil) {
				return
			}
		}
	}
}

func (b *book) verify() *audit.Report {
	b.t.Helper()
	r, err := audit.Verify(audit.Log{Lines: each(b.lines), Checkpoints: b.signed, Known: b.known})
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func line(t testing.TB, text []byte) audit.Line {
	t.Helper()
	l, err := audit.ParseLine(text)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// mutation does something to a log, drawn by chance. It returns the kinds that may be found, and the first record that is another one
// now; of a checkpoint -1.
type mutation struct {
	name string
	do   func(b *book, r *rand.Rand) (p int64, kinds []audit.Kind)
}

// forged is an entry that says something else.
func forged(e audit.Entry, r *rand.Rand) audit.Entry {
	switch r.IntN(4) {
	case 0:
		e.Who.Name = fmt.Sprint("eve", r.Uint32())
	case 1:
		e.At = e.At.Add(time.Duration(1 + r.IntN(1e9)))
	case 2:
		e.Subject.PlanHash = audit.DigestOf([]byte(fmt.Sprint(r.Uint64())))
	default:
		e.Digest = audit.DigestOf([]byte(fmt.Sprint(r.Uint64())))
	}
	return e
}

// below is a record that some checkpoint has.
func (b *book) below(r *rand.Rand) int64 { return r.Int64N(b.sizes[len(b.sizes)-1]) }

// rewrite has the log have other entries from one on, with all hashes made to fit.
func (b *book) rewrite(p int64, entries []audit.Entry) {
	var tree audit.Tree
	for _, l := range b.lines[:p] {
		tree.Add(line(b.t, l).Record)
	}
	b.lines = b.lines[:p]
	for _, l := range tree.Build(entries[p:]) {
		b.lines = append(b.lines, l.Append(nil))
	}
}

var mutations = []mutation{
	{"an entry is edited", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		p := r.Int64N(int64(len(b.lines)))
		l := line(b.t, b.lines[p])
		e := forged(b.entries[p], r)
		e.Sequence = p
		l.Record = e.Encode()
		b.lines[p] = l.Append(nil)
		return p, []audit.Kind{audit.Edited}
	}},
	{"a byte is flipped", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		p := r.Int64N(int64(len(b.lines)))
		text := slices.Clone(b.lines[p])
		text[r.IntN(len(text)-1)] ^= byte(1 << r.IntN(7))
		b.lines[p] = text
		return p, []audit.Kind{audit.Edited, audit.Unreadable, audit.Missing, audit.Twice}
	}},
	{"an entry is edited with its own hash", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		p := b.below(r)
		l := line(b.t, b.lines[p])
		e := forged(b.entries[p], r)
		e.Sequence = p
		l.Record = e.Encode()
		l.Hashes[0] = tlog.RecordHash(l.Record)
		b.lines[p] = l.Append(nil)
		return p, []audit.Kind{audit.Edited, audit.Rewritten}
	}},
	{"an entry is edited, and all hashes are made to fit", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		p := b.below(r)
		entries := slices.Clone(b.entries)
		entries[p] = forged(entries[p], r)
		b.rewrite(p, entries)
		return p, []audit.Kind{audit.Rewritten}
	}},
	{"an entry is deleted", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		p := r.Int64N(int64(len(b.lines) - 1))
		b.lines = slices.Delete(b.lines, int(p), int(p)+1)
		return p, []audit.Kind{audit.Missing}
	}},
	{"an entry is deleted, and all hashes are made to fit", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		p := b.below(r)
		b.rewrite(p, slices.Delete(slices.Clone(b.entries), int(p), int(p)+1))
		return p, []audit.Kind{audit.Rewritten}
	}},
	{"an entry is inserted", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		p := b.below(r)
		e := forged(b.entries[p], r)
		e.Sequence = p
		l := line(b.t, b.lines[p])
		l.Record = e.Encode()
		l.Hashes[0] = tlog.RecordHash(l.Record)
		b.lines = slices.Insert(b.lines, int(p), l.Append(nil))
		return p, []audit.Kind{audit.Twice, audit.Edited, audit.Rewritten}
	}},
	{"an entry is inserted, and all hashes are made to fit", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		p := b.below(r)
		b.rewrite(p, slices.Insert(slices.Clone(b.entries), int(p), forged(b.entries[p], r)))
		return p, []audit.Kind{audit.Rewritten}
	}},
	{"two entries change places", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		p, q := r.IntN(len(b.lines)), r.IntN(len(b.lines)-1)
		if q >= p {
			q++
		}
		b.lines[p], b.lines[q] = b.lines[q], b.lines[p]
		return int64(min(p, q)), []audit.Kind{audit.Reordered}
	}},
	{"two entries change places, and all hashes are made to fit", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		p := b.below(r)
		q := (p + 1) % b.sizes[len(b.sizes)-1]
		entries := slices.Clone(b.entries)
		entries[p], entries[q] = entries[q], entries[p]
		b.rewrite(min(p, q), entries)
		return min(p, q), []audit.Kind{audit.Rewritten}
	}},
	{"the end is cut off", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		p := b.below(r)
		b.lines = b.lines[:p]
		return p, []audit.Kind{audit.Truncated}
	}},
	{"the end is cut off, and the log goes on", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		p := b.below(r)
		entries := slices.Clone(b.entries)
		for i := p; i < int64(len(entries)); i++ {
			entries[i] = forged(entries[i], r)
		}
		b.rewrite(p, entries)
		return p, []audit.Kind{audit.Rewritten}
	}},
	{"an old entry is replayed", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		p := 1 + r.IntN(len(b.lines))
		b.lines = slices.Insert(b.lines, p, b.lines[r.IntN(p)])
		return int64(p), []audit.Kind{audit.Twice}
	}},
	{"a hash is flipped", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		p := r.Int64N(int64(len(b.lines)))
		l := line(b.t, b.lines[p])
		l.Hashes[r.IntN(len(l.Hashes))][r.IntN(32)] ^= byte(1 << r.IntN(8))
		b.lines[p] = l.Append(nil)
		return p, []audit.Kind{audit.Edited}
	}},
	{"there are two logs of one name", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		i := r.IntN(len(b.sizes))
		size := b.sizes[i]
		entries := slices.Clone(b.entries[:size])
		p := r.Int64N(size)
		if i > 0 {
			p = b.sizes[i-1] + r.Int64N(size-b.sizes[i-1])
		}
		entries[p] = forged(entries[p], r)
		b.signed = append(b.signed, b.checkpoint(entries, b.signer))
		return p, []audit.Kind{audit.Fork}
	}},
	{"a checkpoint is edited", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		i := r.IntN(len(b.signed))
		text := slices.Clone(b.signed[i])
		text[r.IntN(len(text)-1)] ^= byte(1 << r.IntN(7))
		b.signed[i] = text
		return -1, []audit.Kind{audit.Stranger}
	}},
	{"a stranger signs a checkpoint", func(b *book, r *rand.Rand) (int64, []audit.Kind) {
		stranger, _ := key(b.t, 2+r.Uint64N(4))
		i := r.IntN(len(b.signed))
		b.signed[i] = b.checkpoint(b.entries[:b.sizes[i]], stranger)
		return -1, []audit.Kind{audit.Stranger}
	}},
}

func TestMutationsAreFound(t *testing.T) {
	t.Parallel()
	mutationsAreFound(t, 300)
}

// Whatever is done to a log that others have checkpoints of, the verification finds it, and names the first record that is another
// one: alone, or, where hashes were made to fit, the records between the checkpoint before it and the one behind it.
func mutationsAreFound(t *testing.T, many int) {
	sizes := []int64{16, 17, 64, 99, 140}
	whole := newBook(t, 145, sizes...)
	if r := whole.verify(); len(r.Faults) > 0 || r.Signed != 140 || r.Tree.Size != 145 || r.Checkpoints != len(sizes) {
		t.Fatalf("of a log that nobody has touched: %+v", r)
	}
	for i := range many {
		m := mutations[i%len(mutations)]
		r := rng(uint64(i))
		b := whole.copy()
		p, kinds := m.do(b, r)
		report := b.verify()
		if len(report.Faults) != 1 {
			t.Fatalf("%d: %s at %d: found %v", i, m.name, p, report.Faults)
		}
		f := report.Faults[0]
		first, last := f.First, f.Last
		if p >= 0 && (first > p || last < p) || !slices.Contains(kinds, f.Kind) {
			t.Fatalf("%d: %s at %d: found %v", i, m.name, p, f)
		}
		if p >= 0 && first != p {
			exact := f.Kind != audit.Rewritten && f.Kind != audit.Fork && f.Kind != audit.Edited && f.Kind != audit.Twice
			before := int64(0)
			for _, s := range sizes {
				if s <= p {
					before = s
				}
			}
			if exact || first < before {
				t.Fatalf("%d: %s at %d, behind the checkpoint of %d: found %v", i, m.name, p, before, f)
			}
		}
	}
}

// What is found is told so that somebody can go there and look.
func TestFaultsAreToldInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(b *book)
		want string
	}{
		{"an entry is gone", func(b *book) { b.lines = slices.Delete(b.lines, 5, 6) }, "record 5: missing: the next one is record 6"},
		{"an entry is changed", func(b *book) { b.lines[5] = bytes.Replace(b.lines[5], []byte("ann"), []byte("bob"), 1) }, "record 5: edited: its hash is another"},
		{"the end is gone", func(b *book) { b.lines = b.lines[:12] }, "records 12 to 15: truncated: not there, and there is a checkpoint of 16 records"},
		{"a record is there again", func(b *book) { b.lines = slices.Insert(b.lines, 7, b.lines[3]) }, "record 7: twice: in its place record 3 is there again"},
		{"two have changed places", func(b *book) { b.lines[3], b.lines[4] = b.lines[4], b.lines[3] }, "record 3: reordered: record 4 is before it"},
		{"hashes were made to fit", func(b *book) {
			entries := slices.Clone(b.entries)
			entries[10].Who.Name = "bob"
			b.rewrite(10, entries)
		}, "records 8 to 15: rewritten: their hashes fit each other, and not the checkpoint of 16 records"},
		{"another log has the same name", func(b *book) {
			entries := slices.Clone(b.entries[:8])
			entries[2].Who.Name = "bob"
			b.signed = append(b.signed, b.checkpoint(entries, b.signer))
		}, "records 0 to 7: fork: 2 checkpoints of 8 records do not agree: somebody was shown another log"},
		{"nobody known has signed", func(b *book) { b.known = note.VerifierList() }, "checkpoint: of 8 records: no known key has signed it\ncheckpoint: of 16 records: no known key has signed it"},
		{"a line is none", func(b *book) { b.lines[2] = []byte("\n") }, "record 2: unreadable: it is no record: a record is a number, hashes and an entry"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBook(t, 20, 8, 16)
			c.do(b)
			var got []string
			for _, f := range b.verify().Faults {
				got = append(got, f.Error())
			}
			if text := strings.Join(got, "\n"); text != c.want {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
		})
	}
}

// What whoever keeps a log says of its size counts where no checkpoint reaches.
func TestTheSizeOfALogIsItsOwn(t *testing.T) {
	t.Parallel()
	b := newBook(t, 20, 8)
	for size, want := range map[int64]audit.Kind{20: "", 21: audit.Truncated, 19: audit.Added} {
		r, err := audit.Verify(audit.Log{Lines: each(b.lines), Checkpoints: b.signed, Known: b.known, Size: size})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Faults) != min(len(want), 1) || want != "" && r.Faults[0].Kind != want {
			t.Errorf("a log of 20 that says it has %d: %v", size, r.Faults)
		}
	}
}
