package controller

import (
	"runtime"
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/protobuf/proto"
)

// BenchmarkHear takes notifications of one leaf each, of 48 leaves in turn that are as intended, and looks at them ten times in a
// second of 100,000. The floor is that somebody parses them.
func BenchmarkHear(b *testing.B) {
	mtus := map[int]int{}
	for port := range 48 {
		mtus[port+1] = 9000
	}
	want := tree(b, mtus)
	d, _ := device(b)
	d.Want(Target{2, want}, noon)
	d.Read(want, d.Ask(), noon)
	var wire [][]byte
	for port := range 48 {
		data, err := proto.Marshal(&gnmi.Notification{Timestamp: noon.UnixNano(), Update: []*gnmi.Update{mtuOf(port+1, 9000)}})
		if err != nil {
			b.Fatal(err)
		}
		wire = append(wire, data)
	}
	parse := func(i int) *gnmi.Notification {
		n := &gnmi.Notification{}
		if err := proto.Unmarshal(wire[i%len(wire)], n); err != nil {
			b.Fatal(err)
		}
		return n
	}
	const some = 10000
	var floor, loom time.Duration
	turns := 0
	for b.Loop() {
		start := time.Now()
		for i := range some {
			parse(i)
		}
		floor += time.Since(start)
		start = time.Now()
		for i := range some {
			d.Hear(parse(i))
		}
		d.Look(noon)
		loom += time.Since(start)
		turns++
	}
	if d.Stale() || d.Received != d.Coalesced {
		b.Fatalf("%d of %d coalesced, stale %t", d.Coalesced, d.Received, d.Stale())
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(turns*some)/loom.Seconds(), "leaves/s")
	b.ReportMetric(float64(turns*some)/floor.Seconds(), "floor-leaves/s")
	b.ReportMetric(loom.Seconds()/floor.Seconds(), "x_floor")
}

// BenchmarkHeardMemory is what a device that has said as much as is kept costs until somebody looks.
func BenchmarkHeardMemory(b *testing.B) {
	var before, after runtime.MemStats
	for b.Loop() {
		d, _ := device(b)
		runtime.GC()
		runtime.ReadMemStats(&before)
		for port := range mostHeard {
			d.Hear(&gnmi.Notification{Update: []*gnmi.Update{mtuOf(port, 1500)}})
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(d)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e3, "KB/device")
	b.ReportMetric(250, "goal-KB")
}
