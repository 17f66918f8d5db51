package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/topology"
)

// The fabrics that benchmarks compile. docs/benchmarks.md says what each line of output means.
var (
	// derived is 1,000 devices from counts: 20 sites of 4 spines and 46 leaves.
	derived = starter{name: "bench", sites: 20, spines: 4, leaves: 46, parallel: 1,
		spine: "7220-IXR-H4", leaf: "7220-IXR-D2L", tenants: 4, segments: 6}
	// listed is 1,008 devices with 21,504 cables, each of them listed: as many as 64-port spines and
	// 36-port leaves have room for.
	listed = starter{name: "bench", sites: 21, spines: 16, leaves: 32, parallel: 2,
		spine: "7220-IXR-H4", leaf: "7220-IXR-D4", tenants: 1, segments: 4, explicit: true}
)

// small is a fabric of sites of 10 devices each, whose cables are listed.
func small(sites int) starter {
	return starter{name: "bench", sites: sites, spines: 2, leaves: 8, parallel: 1,
		spine: "7220-IXR-D5", leaf: "7220-IXR-D3L", tenants: 1, segments: 4, explicit: true}
}

// sums are the SHA-256 of documents, by device.
type sums map[string][sha256.Size]byte

// cold takes a file to validated trees and the digests of their canonical documents.
func cold(tb testing.TB, data []byte) (*network, sums) {
	tb.Helper()
	n, err := compileNetwork(&terminal{out: io.Discard, err: io.Discard}, []topology.Source{{Name: "bench.yaml", Data: data}}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return n, digests(n.trees)
}

func digests(trees map[string]*config.Tree) sums {
	out := make(sums, len(trees))
	var doc []byte
	for name, tree := range trees {
		doc = tree.AppendJSON(doc[:0], false)
		out[name] = sha256.Sum256(doc)
	}
	return out
}

// BenchmarkDiff1000Unchanged compares two compilations of one file that share no tree.
func BenchmarkDiff1000Unchanged(b *testing.B) {
	data := derived.yaml()
	before, _ := cold(b, data)
	after, _ := cold(b, data)
	var from, to []*config.Tree
	for name, t := range before.trees {
		from, to = append(from, t), append(to, after.trees[name])
	}
	for b.Loop() {
		for i := range from {
			if len(config.Diff(from[i], to[i])) > 0 {
				b.Fatal("two compilations of one file differ")
			}
		}
	}
	b.ReportMetric(20, "goal-us")
}

// BenchmarkOneCable moves one cable to another port of its leaf, and back. What follows from the new
// design (render, diff) costs the same in any fabric; compiling looks at the whole intent.
func BenchmarkOneCable(b *testing.B) {
	for _, sites := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("%d devices", 10*sites), func(b *testing.B) { benchmarkOneCable(b, sites) })
	}
}

func benchmarkOneCable(b *testing.B, sites int) {
	e := newEditor(b, small(sites))
	var compile, follow samples
	for b.Loop() {
		start := time.Now()
		e.compile(b)
		compile.add(time.Since(start))
		start = time.Now()
		if changes, _ := e.follow(b); changes == 0 {
			b.Fatal("no change")
		}
		follow.add(time.Since(start))
	}
	b.ReportMetric(compile.median().Seconds()*1e6, "compile-us")
	b.ReportMetric(follow.median().Seconds()*1e6, "render+diff-us")
}

// samples are durations of one thing. A median forgives the pauses of a busy machine.
type samples []time.Duration

func (s *samples) add(d time.Duration) { *s = append(*s, d) }

func (s samples) median() time.Duration {
	slices.Sort(s)
	return s[len(s)/2]
}

// editor holds two versions of a topology in memory and goes back and forth between them.
type editor struct {
	versions [2]*topology.Topology
	at       int
	compiler fabric.Compiler
	renderer renderer
	design   *fabric.Design
	trees    map[string]*config.Tree
}

// movedCable is the one that an editor moves; the cable from leaf 1 to spine 1 of the first site.
const movedCable, movedTo = "leaf1:ethernet-1/32 - ", "leaf1:ethernet-1/20 - "

func newEditor(tb testing.TB, s starter) *editor {
	e := &editor{}
	data := s.yaml()
	for i, text := range [][]byte{data, replaceOnce(tb, data, movedCable, movedTo)} {
		topo, diags := topology.Parse(topology.Source{Name: "bench.yaml", Data: text})
		if diags.HasErrors() {
			tb.Fatal(diags)
		}
		e.versions[i] = topo
	}
	e.compile(tb)
	e.follow(tb)
	return e
}

// compile goes to the other version.
func (e *editor) compile(tb testing.TB) {
	e.at = 1 - e.at
	design, diags := e.compiler.Compile(e.versions[e.at])
	if diags.HasErrors() {
		tb.Fatal(diags)
	}
	e.design = design
}

// follow renders the design and compares it with the one before. It returns the number of changes
// and of pairs of nodes that were looked at in devices that are not the same.
func (e *editor) follow(tb testing.TB) (changes, visited int) {
	trees, err := e.renderer.render(e.design)
	if err != nil {
		tb.Fatal(err)
	}
	for name, tree := range trees {
		if before := e.trees[name]; before != nil && before != tree {
			list, work := config.DiffCounted(before, tree)
			changes += len(list)
			visited += work.Visited
		}
	}
	e.trees = trees
	return changes, visited
}

// BenchmarkEmit writes the document of one leaf.
func BenchmarkEmit(b *testing.B) {
	tree, doc := leafDocument(b)
	floor := record(map[string]*config.Tree{"leaf": tree})
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	var loom, least samples
	for b.Loop() {
		start := time.Now()
		doc = tree.AppendJSON(doc[:0], false)
		loom.add(time.Since(start))
		b.StopTimer()
		start = time.Now()
		doc = floor.emit(doc[:0], floor.devices[0].flat)
		least.add(time.Since(start))
		b.StartTimer()
	}
	b.ReportMetric(float64(loom.median())/float64(least.median()), "x_floor")
	b.ReportMetric(2.5, "goal_x")
}

// leafDocument is the tree and the document of one leaf of the derived fabric.
func leafDocument(tb testing.TB) (*config.Tree, []byte) {
	tb.Helper()
	s := derived
	s.sites = 1
	n, _ := cold(tb, s.yaml())
	tree := n.trees["leaf1"]
	return tree, tree.AppendJSON(nil, false)
}

func replaceOnce(tb testing.TB, data []byte, old, new string) []byte {
	tb.Helper()
	if !bytes.Contains(data, []byte(old)) {
		tb.Fatalf("the topology has no %q", old)
	}
	return bytes.Replace(data, []byte(old), []byte(new), 1)
}
