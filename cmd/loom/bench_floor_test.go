package main

import (
	"crypto/sha256"
	"hash/maphash"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/loomfabric/loom/pkg/config"
)

// floor is the cheapest program that we know to write the documents of a fabric: the YAML library
// reads the file, and then every value that a device has is interned, hashed and stored in an array
// as a recording says, and the documents come from these arrays. It decides, checks and explains
// nothing: what it stores was decided, in order, when it was recorded.
type floor struct {
	between  []string // what stands between two values of a document, each text once
	devices  []recording
	interned map[string]uint32
	values   []string
	hashes   []uint64
	seed     maphash.Seed
}

// recording is what a renderer that knew everything would say of one device.
type recording struct {
	name  string
	calls []call
	flat  []uint64 // between<<32 | value, in document order
	hash  uint64
}

// call is one value, as the document writes it, and what stands before it.
type call struct {
	before uint32
	value  string
}

// record takes the documents apart.
func record(trees map[string]*config.Tree) *floor {
	f := &floor{seed: maphash.MakeSeed()}
	between := map[string]uint32{}
	var doc []byte
	for name, tree := range trees {
		doc = tree.AppendJSON(doc[:0], false)
		r := recording{name: name}
		for rest := string(doc); rest != ""; {
			start, end := nextValue(rest)
			before, ok := between[rest[:start]]
			if !ok {
				before = uint32(len(f.between))
				f.between = append(f.between, rest[:start])
				between[rest[:start]] = before
			}
			r.calls = append(r.calls, call{before, rest[start:end]})
			rest = rest[end:]
		}
		f.devices = append(f.devices, r)
		f.write(&f.devices[len(f.devices)-1])
	}
	return f
}

// nextValue finds the next scalar in a compact document: a string that no colon follows, or a bare
// word. At the end of the document it is empty.
func nextValue(s string) (start, end int) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{', '}', '[', ']', ',', ':':
			continue
		}
		end := i
		for quoted := false; end < len(s); end++ {
			if c := s[end]; c == '\\' {
				end++
			} else if c == '"' {
				quoted = !quoted
			} else if !quoted && (c == ',' || c == '}' || c == ']' || c == ':') {
				break
			}
		}
		if end == len(s) || s[end] != ':' {
			return i, end
		}
		i = end
	}
	return len(s), len(s)
}

// run does everything once, with empty tables.
func (f *floor) run(tb testing.TB, data []byte) sums {
	var file yaml.Node
	if err := yaml.Unmarshal(data, &file); err != nil {
		tb.Fatal(err)
	}
	f.interned, f.values, f.hashes = nil, nil, nil
	out := make(sums, len(f.devices))
	var doc []byte
	for i := range f.devices {
		d := &f.devices[i]
		f.write(d)
		doc = f.emit(doc[:0], d.flat)
		out[d.name] = sha256.Sum256(doc)
	}
	return out
}

// write makes the array of a device, and a hash by which two of them can be compared.
func (f *floor) write(r *recording) {
	r.flat = make([]uint64, 0, len(r.calls))
	for i := range r.calls {
		c := &r.calls[i]
		v := f.intern(c.value)
		r.flat = append(r.flat, uint64(c.before)<<32|uint64(v))
		r.hash = (r.hash^f.hashes[v])*0x9e3779b97f4a7c15 + uint64(c.before)
	}
}

func (f *floor) intern(value string) uint32 {
	if i, ok := f.interned[value]; ok {
		return i
	}
	if f.interned == nil {
		f.interned = map[string]uint32{}
	}
	i := uint32(len(f.values))
	f.interned[value] = i
	f.values = append(f.values, value)
	f.hashes = append(f.hashes, maphash.String(f.seed, value))
	return i
}

func (f *floor) emit(doc []byte, flat []uint64) []byte {
	for _, v := range flat {
		doc = append(doc, f.between[v>>32]...)
		doc = append(doc, f.values[uint32(v)]...)
	}
	return doc
}
