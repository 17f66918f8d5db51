package audit

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is as much of a Merkle tree as it takes to add records and to know its root: the roots of its complete subtrees, the largest
// first. The zero value is the empty tree.
type Tree struct {
	Size int64       `json:"size"`
	Edge []tlog.Hash `json:"edge,omitempty"`
}

// Add adds a record and returns the hashes that it completes: its own, and those of the subtrees whose last record it is, from the
// smallest to the largest. These are the hashes that tlog stores for it.
func (t *Tree) Add(record []byte) []tlog.Hash {
	h := tlog.RecordHash(record)
	done := []tlog.Hash{h}
	edge := t.Edge[:len(t.Edge):len(t.Edge)]
	for n := t.Size; n&1 == 1; n >>= 1 {
		last := len(edge) - 1
		h = tlog.NodeHash(edge[last], h)
		edge, done = edge[:last], append(done, h)
	}
	t.Edge = append(edge[:len(edge):len(edge)], h)
	t.Size++
	return done
}

// Root is the hash of the whole tree.
func (t Tree) Root() tlog.Hash {
	if len(t.Edge) == 0 {
		root, _ := tlog.TreeHash(0, nil)
		return root
	}
	root := t.Edge[len(t.Edge)-1]
	for i := len(t.Edge) - 2; i >= 0; i-- {
		root = tlog.NodeHash(t.Edge[i], root)
	}
	return root
}

// Check tells whether a tree has as many subtrees as its size says.
func (t Tree) Check() error {
	if t.Size < 0 || len(t.Edge) != bits.OnesCount64(uint64(t.Size)) {
		return fmt.Errorf("a tree of %d records with %d subtrees is none", t.Size, len(t.Edge))
	}
	return nil
}

// Line is a record of a log as it is kept and exported:
//
//	SEQUENCE HASH[,HASH...] ENTRY
//
// with hashes in base64, those that Tree.Add returns, and the entry as Entry.Encode writes it. Lines are sorted, and there is none for
// anything but a record.
type Line struct {
	Sequence int64
	Hashes   []tlog.Hash
	Record   []byte // encoding of the entry
}

// Append appends the line to a text, with its end.
func (l Line) Append(to []byte) []byte {
	to = strconv.AppendInt(to, l.Sequence, 10)
	for i, h := range l.Hashes {
		to = append(to, " ,"[min(i, 1)])
		to = base64.StdEncoding.AppendEncode(to, h[:])
	}
	to = append(to, ' ')
	return append(append(to, l.Record...), '\n')
}

// ParseLine reads a line, with or without its end.
func ParseLine(text []byte) (Line, error) {
	number, rest, ok := bytes.Cut(bytes.TrimSuffix(text, []byte("\n")), []byte(" "))
	hashes, record, also := bytes.Cut(rest, []byte(" "))
	if !ok || !also {
		return Line{}, fmt.Errorf("it is no record: a record is a number, hashes and an entry")
	}
	var l Line
	var err error
	if l.Sequence, err = strconv.ParseInt(string(number), 10, 64); err != nil || strconv.FormatInt(l.Sequence, 10) != string(number) {
		return Line{}, fmt.Errorf("%q is no number of a record", number)
	}
	for part := range strings.SplitSeq(string(hashes), ",") {
		h, err := tlog.ParseHash(part)
		if err != nil || base64.StdEncoding.EncodeToString(h[:]) != part { // each has one spelling
			return Line{}, fmt.Errorf("%q is no hash", part)
		}
		l.Hashes = append(l.Hashes, h)
	}
	l.Record = bytes.Clone(record)
	return l, nil
}

// Build adds entries to a tree, with the numbers that they have there, and returns them as lines.
func (t *Tree) Build(entries []Entry) []Line {
	out := make([]Line, len(entries))
	for i, e := range entries {
		e.Sequence = t.Size
		record := e.Encode()
		out[i] = Line{e.Sequence, t.Add(record), record}
	}
	return out
}

// Lines are where hashes of a tree are found for proofs, by the number of a record.
type Lines func(sequence int64) (Line, error)

// ReadHashes implements tlog.HashReader: the hash of a complete subtree is kept with its last record.
func (read Lines) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		last := (n+1)<<level - 1
		l, err := read(last)
		if err != nil {
			return nil, err
		}
		if level >= len(l.Hashes) {
			return nil, fmt.Errorf("record %d has %d hashes, and the one of level %d is wanted", last, len(l.Hashes), level)
		}
		out[i] = l.Hashes[level]
	}
	return out, nil
}

// ProveRecord proves that a record is in the tree of the first size records. Whoever has the record and the checkpoint checks it with
// tlog.CheckRecord (RFC 6962 §2.1.1).
func ProveRecord(size, sequence int64, read Lines) (tlog.RecordProof, error) {
	return tlog.ProveRecord(size, sequence, read)
}

// ProveTree proves that the tree of the first size records begins with that of the first older ones (RFC 6962 §2.1.2).
func ProveTree(size, older int64, read Lines) (tlog.TreeProof, error) {
	return tlog.ProveTree(size, older, read)
}
