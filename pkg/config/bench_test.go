package config

import (
	"fmt"
	"testing"
)

// leafSwitch builds a tree the size of a leaf switch's configuration, about 1,500 leaves.
func leafSwitch(b *Builder, mtu uint64) {
	b.Cause("dc1.yaml:1:1", "system")
	b.Str(idName, "leaf1")
	b.Uint(idAS, 65001)
	for i := range uint64(64) {
		b.Cause("dc1.yaml:12:3", "uplink")
		b.In(idInterface, portName(i), func() { leafPort(b, i, mtu) })
	}
	for i := range uint64(8) {
		b.In(idPolicy, policyNames[i], func() {
			b.Str(idAction, "enable")
			b.Str(idMatch, "10.0.0.0/8")
		})
	}
}

func leafPort(b *Builder, i, mtu uint64) {
	b.Str(idAdmin, "enable")
	b.Uint(idIfMTU, mtu)
	b.Str(idDescription, descriptions[i])
	b.Bool(idTagging, true)
	b.Str(idSpeed, "bridged")
	for s := range uint64(3) {
		b.In(idSub, small[s], func() {
			b.Cause("dc1.yaml:40:7", "subinterface")
			b.Str(idSubType, "routed")
			b.Str(idV4Admin, "enable")
			b.In(idAddress, addresses[i*3+s], func() { b.Empty(idPrimary) })
		})
	}
}

var (
	small        = []string{"1", "2", "3"}
	policyNames  = []string{"p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"}
	portNames    = texted(64, "ethernet-1/%d")
	descriptions = texted(64, "to spine1 ethernet-1/%d")
	addresses    = texted(192, "10.0.%d.0/31")
)

func portName(i uint64) string { return portNames[i] }

func texted(n int, format string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(format, i+1)
	}
	return out
}

func BenchmarkBuild(b *testing.B) {
	b.ReportAllocs()
	var tree *Tree
	for b.Loop() {
		tree = build(b, func(b *Builder) { leafSwitch(b, 9000) })
	}
	b.ReportMetric(float64(tree.Leaves()), "leaves")
}

func BenchmarkAppendJSON(b *testing.B) {
	b.ReportAllocs()
	tree := build(b, func(b *Builder) { leafSwitch(b, 9000) })
	dst := tree.AppendJSON(nil, false)
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		dst = tree.AppendJSON(dst[:0], false)
	}
}

func BenchmarkAppendJSONIndented(b *testing.B) {
	b.ReportAllocs()
	tree := build(b, func(b *Builder) { leafSwitch(b, 9000) })
	dst := tree.AppendJSON(nil, true)
	for b.Loop() {
		dst = tree.AppendJSON(dst[:0], true)
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	doc := build(b, func(b *Builder) { leafSwitch(b, 9000) }).AppendJSON(nil, false)
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, _, err := Parse(model, newRelease, doc, ParseOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDiffEqual(b *testing.B) {
	b.ReportAllocs()
	x := build(b, func(b *Builder) { leafSwitch(b, 9000) })
	y := build(b, func(b *Builder) { leafSwitch(b, 9000) })
	for b.Loop() {
		Diff(x, y)
	}
}

func BenchmarkEqual(b *testing.B) {
	x := build(b, func(b *Builder) { leafSwitch(b, 9000) })
	y := build(b, func(b *Builder) { leafSwitch(b, 9000) })
	for b.Loop() {
		Equal(x, y)
	}
}

// oneLeaf returns two big trees that differ in one leaf of the last interface.
func oneLeaf(b *testing.B) (x, y *Tree) {
	x = build(b, func(b *Builder) { leafSwitch(b, 9000) })
	y = build(b, func(b *Builder) {
		leafSwitch(b, 9000)
		b.In(idInterface, portNames[63], func() { b.Add(idGroup, "x") })
	})
	return x, y
}

func BenchmarkDiffOneLeaf(b *testing.B) {
	b.ReportAllocs()
	x, y := oneLeaf(b)
	for b.Loop() {
		Diff(x, y)
	}
}

func BenchmarkDiffEveryInterface(b *testing.B) {
	b.ReportAllocs()
	x := build(b, func(b *Builder) { leafSwitch(b, 9000) })
	y := build(b, func(b *Builder) { leafSwitch(b, 9100) })
	for b.Loop() {
		Diff(x, y)
	}
}

func BenchmarkSetRequestOneLeaf(b *testing.B) {
	b.ReportAllocs()
	x, y := oneLeaf(b)
	for b.Loop() {
		SetRequest(x, y, nil)
	}
}

func BenchmarkSetRequestEveryInterface(b *testing.B) {
	b.ReportAllocs()
	x := build(b, func(b *Builder) { leafSwitch(b, 9000) })
	y := build(b, func(b *Builder) { leafSwitch(b, 9100) })
	for b.Loop() {
		SetRequest(x, y, nil)
	}
}

func BenchmarkApplyOneLeaf(b *testing.B) {
	b.ReportAllocs()
	x, y := oneLeaf(b)
	req := SetRequest(x, y, nil)
	for b.Loop() {
		if _, err := Apply(x, req); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOwned(b *testing.B) {
	b.ReportAllocs()
	tree := build(b, func(b *Builder) { leafSwitch(b, 9000) })
	for b.Loop() {
		testScope.Owned(tree, tree)
	}
}

func BenchmarkBeside(b *testing.B) {
	b.ReportAllocs()
	tree := build(b, func(b *Builder) { leafSwitch(b, 9000) })
	doc := tree.AppendJSON(nil, false)
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if rest, ok := Beside(tree, doc); !ok || len(rest) != 2 {
			b.Fatalf("%s, %t", rest, ok)
		}
	}
}
