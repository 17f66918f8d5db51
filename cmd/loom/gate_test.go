package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/verify"
)

// observer returns an observer of the fleet that does not wait for dead devices.
func (f *fleet) observer(t *testing.T) *observer {
	t.Helper()
	inv, err := device.ParseInventory(f.sim.Inventory().JSON())
	if err != nil {
		t.Fatal(err)
	}
	r, err := newResolver(fabric.Login{}, inv)
	if err != nil {
		t.Fatal(err)
	}
	return newObserver(f.n, r, 10*time.Second)
}

// asks is what devices are to show once they are configured as intended.
func (f *fleet) asks(names ...string) map[string]verify.Device {
	out := map[string]verify.Device{}
	for _, name := range names {
		out[name] = drivers[f.design.Device(name).OS].Asks(f.n.trees[name])
	}
	return out
}

// A leaf gets its configuration in one wave and the spine in the next: the first gate asks for nothing that the spine
// has a part in, the second one for all, and it waits until it is there. Then something breaks.
func TestAGateOpensWhenNothingNewIsWrong(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "tiny.yaml", bgpComputed)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	g := f.n.gate(ctx, f.observer(t), []string{"leaf1", "leaf2", "spine1"}, f.asks("leaf1", "leaf2", "spine1"))
	waits := map[string]bool{"spine1": true, "leaf1": true, "leaf2": true}
	waiting := func(name string) bool { return waits[name] }
	for _, wave := range [][]string{{"leaf1"}, {"leaf2"}, {"spine1"}} {
		f.configureSome(t, wave...)
		for _, name := range wave {
			waits[name] = false
		}
		if err := g.pass(ctx, wave, waiting); err != nil {
			t.Fatalf("%v: %v", wave, err)
		}
	}
	for _, found := range verify.Check(f.design, f.observer(t).observe(ctx, []string{"spine1", "leaf1", "leaf2"})) {
		if found.Severity > verify.Notice {
			t.Errorf("behind the last gate: %s", found.Message)
		}
	}

	leaf1 := f.design.Device("leaf1").Loopback.String()
	f.hand(t, "spine1", "/network-instance[name=default]/protocols/bgp/neighbor[peer-address="+leaf1+"]/peer-as", "64999")
	g.within = 3 * time.Second // a busy machine has read all of it by then
	g.soak = time.Hour         // whoever is just about to fall has time to
	err := g.pass(ctx, []string{"spine1"}, nil)
	var shut *gateError
	if !errors.As(err, &shut) || len(shut.findings) == 0 {
		t.Fatalf("got %v, want a gate that stays shut", err)
	}
	if want := "leaf1 - spine1 has no overlay session"; !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestAGateDoesNotWaitForDevicesThatWereDeadBefore(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "tiny.yaml", bgpComputed)
	f.configureSome(t, "leaf1", "spine1")
	f.sim.Device("leaf2").Stop()
	o := f.observer(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	g := f.n.gate(ctx, o, []string{"leaf1", "spine1"}, f.asks("leaf1", "spine1"))
	if err := g.pass(ctx, []string{"leaf1", "spine1"}, nil); err != nil {
		t.Error(err)
	}

	f.sim.Device("leaf1").Stop()
	g.retry = time.Millisecond
	g.within = 2 * time.Second
	g.soak = time.Hour
	err := g.pass(ctx, []string{"spine1"}, nil)
	if err == nil || !strings.Contains(err.Error(), "leaf1 cannot be read") {
		t.Errorf("got %v, want a gate that misses leaf1", err)
	}
	ended, end := context.WithCancel(ctx)
	end()
	if err := g.pass(ended, []string{"spine1"}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
}

func TestADeviceThatTakesLongToBeReadIsReadLessOften(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]time.Duration{
		time.Millisecond:       pace,
		80 * time.Millisecond:  320 * time.Millisecond,
		time.Second:            slowest,
		-10 * time.Millisecond: pace, // a clock may be set back
	} {
		if got := breath(took); got != want {
			t.Errorf("after %v: %v, want %v", took, got, want)
		}
	}
	if slowest >= defaultRest {
		t.Errorf("what happens while a device is left alone for %v is not seen in the %v that a network has to rest", slowest, defaultRest)
	}
}

func TestAWaveKeepsItsNumberWhenItIsLookedAtAgain(t *testing.T) {
	p := &plan.Plan{Waves: [][]string{{"leaf1", "leaf2"}, {"spine1"}}}
	g := &gating{checks: []string{`test "$LOOM_WAVE $LOOM_DEVICES" = "1 leaf1 leaf2" -o "$LOOM_WAVE $LOOM_DEVICES" = "2 spine1"`}}
	pass, _ := g.between(t.Context(), nil, nil, p, "loom-test")
	for _, wave := range [][]string{p.Waves[0], p.Waves[0], p.Waves[1]} { // the second time after the soak
		if err := pass(t.Context(), wave); err != nil {
			t.Error(err)
		}
	}
}
