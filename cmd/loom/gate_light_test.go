package main

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/verify"
)

// What a line system passes follows from lasers of other devices, and nothing that a gate subscribes to changes with it.
// A gate that has found a media channel dark opens all the same when the light comes.
func TestAGateOpensWhenLightComes(t *testing.T) {
	t.Parallel()
	f := litFleet(t, bgpComputed)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	line := []string{"ab-bj", "ab-sh"}
	g := f.n.gate(ctx, f.observer(t), line, f.asks(line...))
	g.within = 20 * time.Second
	dark := make(chan struct{}, 1)
	g.tell = func(w gateWait) {
		if slices.ContainsFunc(w.findings, func(f verify.Finding) bool { return f.Kind == verify.SpectrumShut && f.Devices[0] == "ab-bj" }) {
			select {
			case dark <- struct{}{}:
			default:
			}
		}
	}
	laser := func(on string) {
		t.Helper()
		f.hand(t, "bj-transponder1", "/components/component[name=transceiver-line-1]/transceiver/physical-channels/channel[index=0]/config/tx-laser", on)
		if err := f.sim.Settle(ctx); err != nil {
			t.Fatal(err)
		}
	}
	laser("false")
	passed := make(chan error, 1)
	go func() { passed <- g.pass(ctx, line, nil) }()
	select {
	case <-dark:
	case err := <-passed:
		t.Fatalf("the gate has not waited for light: %v", err)
	}
	laser("true")
	if err := <-passed; err != nil {
		t.Error(err)
	}
}
