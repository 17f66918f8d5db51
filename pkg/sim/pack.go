package sim

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"sync"

	"github.com/loomfabric/loom/pkg/config"
)

// shelf keeps a tree that is seldom needed: whole while it is, and packed, in a tenth of the memory, when nobody has
// needed it for a while. A nil shelf keeps none. Its methods may be called from any goroutine.
type shelf struct {
	mu     sync.Mutex
	whole  *config.Tree // nil: packed
	packed packed       // once it was packed
}

// tree returns the tree; nil of a nil shelf.
func (s *shelf) tree() *config.Tree {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.whole == nil {
		s.whole = s.packed.unpack()
	}
	return s.whole
}

// pack packs the tree. For that of a leaf it takes a millisecond, and tree takes as long afterwards.
func (s *shelf) pack() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.packed.document == nil {
		s.packed = pack(s.whole)
	}
	s.whole = nil
}

// packed is a tree as a compressed document.
type packed struct {
	schema   *config.Schema
	release  string
	document []byte
}

// presses are compressors that wait: one has 600 KB of tables.
var presses = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is one that there is
	}
	return w
}}

func pack(t *config.Tree) packed {
	var b bytes.Buffer
	w := presses.Get().(*flate.Writer)
	defer presses.Put(w)
	w.Reset(&b)
	if _, err := w.Write(t.AppendJSON(nil, false)); err != nil {
		panic(err) // a buffer takes all there is
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return packed{t.Schema(), t.Release(), bytes.Clone(b.Bytes())}
}

// unpack returns a tree that is equal to the packed one.
func (p packed) unpack() *config.Tree {
	document, err := io.ReadAll(flate.NewReader(bytes.NewReader(p.document)))
	if err == nil {
		var t *config.Tree
		if t, _, err = config.Parse(p.schema, p.release, document, config.ParseOptions{State: true, Strict: true}); err == nil {
			return t
		}
	}
	panic(fmt.Sprintf("a packed tree cannot be read again: %v", err)) // we have written it ourselves
}
