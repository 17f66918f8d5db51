package audit

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Kind is what is wrong with a log.
type Kind string

// The kinds of faults.
const (
	Unreadable Kind = "unreadable" // it is no record, or not written as Loom writes it
	Edited     Kind = "edited"     // it is not what was hashed
	Missing    Kind = "missing"    // it is not there, and records behind it are
	Twice      Kind = "twice"      // it is there again, or another one has its number
	Reordered  Kind = "reordered"  // it is there, behind others
	Truncated  Kind = "truncated"  // it and all behind it are not there, and a checkpoint has them
	Added      Kind = "added"      // it and all behind it are there, and the log does not know of them
	Rewritten  Kind = "rewritten"  // records and hashes agree with each other, and not with a checkpoint
	Fork       Kind = "fork"       // two checkpoints of one size do not agree: two logs have one name
	Stranger   Kind = "stranger"   // a checkpoint that no known key has signed, or of another log
)

// Fault is what is wrong at one place. Every record before First is proven to be as it was written, as far as the checkpoints reach.
type Fault struct {
	Kind  Kind
	First int64 // the first record that is wrong, or may be; of a Stranger the size that it names, or -1
	Last  int64 // the last one that may be: where hashes were made to fit, only the whole between two checkpoints is known to be wrong
	Why   string
}

// Error names the record.
func (f *Fault) Error() string {
	switch {
	case f.Kind == Stranger:
		return fmt.Sprintf("checkpoint: %s", f.Why)
	case f.First == f.Last:
		return fmt.Sprintf("record %d: %s: %s", f.First, f.Kind, f.Why)
	}
	return fmt.Sprintf("records %d to %d: %s: %s", f.First, f.Last, f.Kind, f.Why)
}

// Log is what there is of a log.
type Log struct {
	Lines       iter.Seq2[[]byte, error] // of records, as Line; an error ends the verification
	Checkpoints [][]byte                 // signed, from wherever they are kept, in any order
	Known       note.Verifiers           // who may have signed them
	Origin      string                   // of the log; empty: that of the first checkpoint that is signed
	Size        int64                    // records that whoever keeps it says it has; 0: not known
}

// Report is what a verification has found.
type Report struct {
	Tree        Tree     // of the records that are as they were written
	Signed      int64    // size of the largest checkpoint that they agree with: what is behind it nobody has vouched for
	Checkpoints int      // that they agree with
	Faults      []*Fault // sorted: of the records the first, and every checkpoint that is wrong
}

// Verify reads a log, and tells what is wrong with it. The error is one of reading.
func Verify(log Log) (*Report, error) {
	v := &verifier{log: log, report: &Report{}}
	v.open()
	if err := v.read(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(v.report.Faults, func(a, b *Fault) int { return cmp.Compare(a.First, b.First) })
	return v.report, nil
}

type verifier struct {
	log         Log
	report      *Report
	checkpoints []Checkpoint // by size, without doubles
	last        []byte       // record that was read
	prefix      []byte
	tree        Tree
	wrong       bool // a record is: the rest is read to find out what became of it
}

func (v *verifier) fault(kind Kind, first, last int64, format string, args ...any) {
	v.report.Faults = append(v.report.Faults, &Fault{kind, first, last, fmt.Sprintf(format, args...)})
	v.wrong = v.wrong || kind != Stranger
}

// open opens the checkpoints.
func (v *verifier) open() {
	for _, signed := range v.log.Checkpoints {
		c, err := OpenCheckpoint(signed, v.log.Known)
		size := c.Size
		if err != nil {
			size = sizeOf(signed)
		}
		switch {
		case err != nil && size < 0:
			v.fault(Stranger, size, size, "%v", err)
		case err != nil:
			v.fault(Stranger, size, size, "of %d records: %v", size, err)
		case v.log.Origin == "" || v.log.Origin == c.Origin:
			v.log.Origin = c.Origin
			v.checkpoints = append(v.checkpoints, c)
		default:
			v.fault(Stranger, size, size, "of %d records: it is of another log, %s; this one is %s", size, c.Origin, v.log.Origin)
		}
	}
	slices.SortFunc(v.checkpoints, func(a, b Checkpoint) int {
		return cmp.Or(cmp.Compare(a.Size, b.Size), bytes.Compare(a.Root[:], b.Root[:]))
	})
	v.checkpoints = slices.Compact(v.checkpoints)
}

// sizeOf is the size that a note names which does not open; -1: none.
func sizeOf(signed []byte) int64 {
	text, _, _ := bytes.Cut(signed, []byte("\n\n"))
	c, err := parseCheckpoint(string(text) + "\n")
	if err != nil {
		return -1
	}
	return c.Size
}

// read reads the records, and holds them against their hashes and against the checkpoints.
func (v *verifier) read() error {
	var odd *oddity
	for text, err := range v.log.Lines {
		if err != nil {
			return err
		}
		switch {
		case odd != nil:
			odd.look(text)
		case !v.wrong:
			odd = v.record(text)
		}
	}
	switch {
	case odd != nil:
		v.place(odd)
	case !v.wrong:
		v.held()
		v.end()
	}
	v.report.Tree = v.tree
	return nil
}

// record takes the next record. It returns one that has another number than its place.
func (v *verifier) record(text []byte) *oddity {
	v.held()
	if v.wrong {
		return nil
	}
	n := v.tree.Size
	l, err := ParseLine(text)
	if err != nil {
		v.fault(Unreadable, n, n, "%v", err)
		return nil
	}
	if l.Sequence != n {
		return &oddity{place: n, line: l}
	}
	before := v.tree
	if hashes := v.tree.Add(l.Record); !slices.Equal(hashes, l.Hashes) {
		v.tree = before
		v.differs(n, hashes, l.Hashes)
		return nil
	}
	if !bytes.HasPrefix(l.Record, v.begin(n)) {
		v.tree = before
		v.fault(Edited, n, n, "it does not say itself that it is record %d", n)
		return nil
	}
	v.last = l.Record
	return nil
}

// differs tells of a record whose hashes are others than those that were kept. The first is of the record alone; of the others each is
// of twice as many records before it, any of which may have been changed with its own hash.
func (v *verifier) differs(n int64, is, kept []tlog.Hash) {
	if len(is) != len(kept) {
		v.fault(Edited, n, n, "it has %d hashes, and its place asks for %d", len(kept), len(is))
		return
	}
	for level := range is {
		if is[level] == kept[level] {
			continue
		}
		if level == 0 {
			v.fault(Edited, n, n, "its hash is another")
			return
		}
		v.fault(Edited, max(n+1-int64(1)<<level, min(v.report.Signed, n)), n, "the hash over these records is another")
		return
	}
}

// begin is how the encoding of an entry with a number begins.
func (v *verifier) begin(n int64) []byte {
	v.prefix = strconv.AppendInt(append(v.prefix[:0], `{"v":`+strconv.Itoa(Version)+`,"seq":`...), n, 10)
	v.prefix = append(v.prefix, ',')
	return v.prefix
}

// held holds the tree against the checkpoints of its size.
func (v *verifier) held() {
	for len(v.checkpoints) > 0 && v.checkpoints[0].Size == v.tree.Size && !v.wrong {
		size, root := v.tree.Size, v.tree.Root()
		var of []Checkpoint
		for len(v.checkpoints) > 0 && v.checkpoints[0].Size == size {
			of, v.checkpoints = append(of, v.checkpoints[0]), v.checkpoints[1:]
		}
		fits := slices.ContainsFunc(of, func(c Checkpoint) bool { return c.Root == root })
		switch from := v.report.Signed; {
		case len(of) > 1:
			v.fault(Fork, min(from, max(size-1, 0)), max(size-1, 0), "%d checkpoints of %d records do not agree: somebody was shown another log", len(of), size)
		case !fits:
			v.fault(Rewritten, min(from, max(size-1, 0)), max(size-1, 0), "their hashes fit each other, and not the checkpoint of %d records", size)
		default:
			v.report.Signed = size
			v.report.Checkpoints++
		}
	}
}

// end tells what is missing at the end.
func (v *verifier) end() {
	n := v.tree.Size
	switch {
	case v.wrong:
	case len(v.checkpoints) > 0:
		last := v.checkpoints[len(v.checkpoints)-1].Size
		v.fault(Truncated, n, last-1, "not there, and there is a checkpoint of %d records", last)
	case v.log.Size > n:
		v.fault(Truncated, n, v.log.Size-1, "not there, and the log says that it has %d records", v.log.Size)
	case v.log.Size > 0 && v.log.Size < n:
		v.fault(Added, v.log.Size, n-1, "there, and the log says that it has %d records", v.log.Size)
	}
}

// oddity is a record with another number than its place has.
type oddity struct {
	place int64
	line  Line
	later bool // the record that belongs here is behind it
}

func (o *oddity) look(text []byte) {
	if l, err := ParseLine(text); err == nil && l.Sequence == o.place {
		o.later = true
	}
}

// place tells what has become of a record that is not in its place.
func (v *verifier) place(o *oddity) {
	switch n, is := o.place, o.line.Sequence; {
	case is == n-1 && !bytes.Equal(o.line.Record, v.last):
		v.fault(Twice, is, n, "there are two with number %d, and they differ", is)
	case is < n && is >= 0:
		v.fault(Twice, n, n, "in its place record %d is there again", is)
	case o.later:
		v.fault(Reordered, n, n, "record %d is before it", is)
	default:
		v.fault(Missing, n, n, "the next one is record %d", is)
	}
}
