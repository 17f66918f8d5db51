package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/verify"
)

// BenchmarkGate passes the gate behind a wave of all devices. First right after all have got their configuration, so that
// the time the simulation needs to work out the network is in it; then once more, with nothing to wait for but that every device
// is read, and the second for which the network stays at rest. Devices and Loom share a process.
func BenchmarkGate(b *testing.B) {
	for _, sites := range []int{2, 20} {
		s := derived
		s.sites = sites
		b.Run(fmt.Sprintf("%d devices", sites*(s.spines+s.leaves)), func(b *testing.B) { benchmarkGate(b, s) })
	}
}

func benchmarkGate(b *testing.B, s starter) {
	n, _ := cold(b, s.yaml())
	simulated, err := (simulation{bgp: bgpComputed}).start(b.Context(), n.design)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(simulated.Close)
	r, err := newResolver(fabric.Login{}, simulated.Inventory())
	if err != nil {
		b.Fatal(err)
	}
	names := sortedKeys(n.trees)
	asked := map[string]verify.Device{}
	for _, name := range names {
		asked[name] = drivers[n.design.Device(name).OS].Asks(n.trees[name])
	}
	var before, settled, rest spans
	for b.Loop() {
		since := stopwatch()
		g := n.gate(b.Context(), newObserver(n, r, lookAtOne), names, asked)
		before.add(since())
		g.within, g.soak = 20*time.Minute, defaultRest
		(&fleet{watched: watched{sim: simulated}, n: n}).configureSome(b, names...)
		for _, took := range []*spans{&settled, &rest} {
			since = stopwatch()
			if err := g.pass(b.Context(), names, func(string) bool { return false }); err != nil {
				b.Fatal(err)
			}
			took.add(since())
		}
	}
	b.ReportMetric(0, "ns/op")
	for what, took := range map[string]spans{"before": before, "settled": settled, "rest": rest} {
		b.ReportMetric(took.wall.median().Seconds(), what+"-s")
		b.ReportMetric(took.cpu.median().Seconds(), what+"-cpu-s")
	}
}
