package topology

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
)

// manyCables is a topology of 1,000 devices and 20,000 listed cables.
func manyCables() Source {
	var b strings.Builder
	b.WriteString("loom: v1\nname: large\ndefaults:\n  cabling: explicit\n  spines: {count: 20, platform: 7220-IXR-D5}\n" +
		"  leaves: {count: 230, platform: 7220-IXR-D2L, pairs: true}\nsites:\n")
	for site := 1; site <= 4; site++ {
		fmt.Fprintf(&b, "  s%d: {number: %d}\n", site, site)
	}
	b.WriteString("cables:\n")
	for n := range 20_000 {
		site, n := n%4+1, n/4
		leaf, spine := n%230+1, n/230%20+1
		fmt.Fprintf(&b, "  - s%d/leaf%d:ethernet-1/%d - s%d/spine%d:ethernet-1/%d\n", site, leaf, 49+n/230, site, spine, leaf+300*(n/4600))
	}
	return Source{"large.yaml", []byte(b.String())}
}

// The parser must stay near the library under it: compare these two.
func BenchmarkParse20000Cables(b *testing.B) {
	src := manyCables()
	b.SetBytes(int64(len(src.Data)))
	b.ReportAllocs()
	for b.Loop() {
		if top, ds := Parse(src); top == nil {
			b.Fatal(ds.Error())
		}
	}
}

func BenchmarkYAML20000Cables(b *testing.B) {
	src := manyCables()
	b.SetBytes(int64(len(src.Data)))
	b.ReportAllocs()
	for b.Loop() {
		var doc yaml.Node
		if err := yaml.Unmarshal(src.Data, &doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScan20000Cables(b *testing.B) {
	src := manyCables()
	b.SetBytes(int64(len(src.Data)))
	for b.Loop() {
		scan(src.Data, nil)
	}
}

func BenchmarkFormat20000Cables(b *testing.B) {
	src := manyCables()
	b.ReportAllocs()
	for b.Loop() {
		Format(src)
	}
}

// What the parser allocates beyond the library is bounded; time is for the benchmarks.
func TestManyCablesAreCheap(t *testing.T) {
	src := manyCables()
	library := allocated(func() {
		var doc yaml.Node
		if err := yaml.Unmarshal(src.Data, &doc); err != nil {
			t.Fatal(err)
		}
	})
	var top *Topology
	whole := allocated(func() { top = mustParse(t, src) })
	if n := len(top.Intent.Cables); n != 20_000 {
		t.Fatalf("%d cables", n)
	}
	if size := proto.Size(top.Intent); size > 2<<20 {
		t.Errorf("the intent has %d kB on the wire", size>>10)
	}
	if whole > library+(12<<20) {
		t.Errorf("the parser allocates %d MB, the library alone %d MB", whole>>20, library>>20)
	}
}

// allocated is how many bytes a function allocates, collected or not.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
