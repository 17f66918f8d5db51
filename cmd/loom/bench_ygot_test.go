package main

import (
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/ygot/ygot"

	"github.com/loomfabric/loom/models/srlinux/ygotsrl"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/srlinux"
)

// BenchmarkLeaf does what a device costs, on the document of one leaf: time is Loom's, and beside it
// stands ygot's for the same work with structs generated from the same YANG. Loom has those in tests only.
func BenchmarkLeaf(b *testing.B) {
	tree, doc := leafDocument(b)
	twin := readTree(b, tree.Release(), doc)
	device, other := ygotRead(b, doc), ygotRead(b, doc)
	var buf []byte
	for _, step := range []struct {
		name       string
		loom, ygot func()
	}{
		{"parse", func() { readTree(b, tree.Release(), doc) }, func() { ygotRead(b, doc) }},
		{"validate", func() { applyNothing(b, tree) }, func() { ygotValidate(b, device) }},
		{"emit", func() { buf = tree.AppendJSON(buf[:0], false) }, func() { ygotEmit(b, device) }},
		{"diff equal", func() { config.Diff(tree, twin) }, func() { ygotDiff(b, device, other) }},
	} {
		b.Run(step.name, func(b *testing.B) { beside(b, step.loom, step.ygot) })
	}
}

// beside times Loom, and ygot a few times.
func beside(b *testing.B, loom, ygot func()) {
	var slow samples
	for range 3 {
		start := time.Now()
		ygot()
		slow.add(time.Since(start))
	}
	for b.Loop() {
		loom()
	}
	own := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(slow.median().Seconds()*1e6, "ygot-us")
	b.ReportMetric(slow.median().Seconds()/max(own, 1).Seconds(), "x_ygot")
}

func readTree(b *testing.B, release string, doc []byte) *config.Tree {
	tree, unknown, err := config.Parse(drivers[srlinux.OS].Schema, release, doc, config.ParseOptions{Strict: true})
	if err != nil || len(unknown) > 0 {
		b.Fatal(err, unknown)
	}
	return tree
}

// applyNothing makes the tree anew and checks it as a whole: references, mandatory leaves, sizes of
// lists. Types are checked when a document is read.
func applyNothing(b *testing.B, tree *config.Tree) {
	if _, err := config.Apply(tree, &gnmi.SetRequest{}); err != nil {
		b.Fatal(err)
	}
}

func ygotRead(b *testing.B, doc []byte) *ygotsrl.Device {
	d := &ygotsrl.Device{}
	if err := ygotsrl.Unmarshal(doc, d); err != nil {
		b.Fatal(err)
	}
	return d
}

// ygotValidate checks types and references.
func ygotValidate(b *testing.B, d *ygotsrl.Device) {
	if err := d.Validate(); err != nil {
		b.Fatal(err)
	}
}

func ygotEmit(b *testing.B, d *ygotsrl.Device) {
	if _, err := ygot.EmitJSON(d, &ygot.EmitJSONConfig{Format: ygot.RFC7951, SkipValidation: true,
		RFC7951Config: &ygot.RFC7951JSONConfig{AppendModuleName: true}}); err != nil {
		b.Fatal(err)
	}
}

func ygotDiff(b *testing.B, from, to *ygotsrl.Device) {
	if _, err := ygot.Diff(from, to); err != nil {
		b.Fatal(err)
	}
}
