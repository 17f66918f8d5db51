package device_test

import (
	"errors"
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// asked is a device of an operating system of which nobody knows whether it has confirm timers.
func asked(t *testing.T, does sim.Extension) (*sim.Device, *device.Device) {
	t.Helper()
	simulated, to := askable(t, does)
	return simulated, dial(t, to)
}

// askable is the same, and how to reach it.
func askable(t *testing.T, does sim.Extension) (*sim.Device, device.Target) {
	t.Helper()
	drv := simtest.Driver()
	drv.Manners.Confirm, drv.Manners.Ask = func(string) bool { return false }, true
	s, err := sim.Start(t.Context(), sim.Config{
		Devices:  []sim.Spec{{Name: "leaf3", Platform: simtest.Platform, Release: simtest.New, Driver: drv, Commits: does}},
		Username: "admin", Password: "secret", Clock: sim.NewManualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	inv := s.Inventory()
	pool, err := inv.Pool()
	if err != nil {
		t.Fatal(err)
	}
	to := target(inv.Devices[0].Address, "")
	to.CA, to.Release, to.Driver = pool, simtest.New, drv
	return s.Device("leaf3"), to
}

// While a commit waits, a device that is asked says only that. Who goes on for another process knows what it has said before, and
// closes the commit.
func TestWhoGoesOnWithACommitKnowsThatThereAreTimers(t *testing.T) {
	t.Parallel()
	simulated, to := askable(t, sim.Honoured)
	change := &gnmi.SetRequest{Update: []*gnmi.Update{{Path: path(t, mtuPath).GNMI(), Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte("9000")}}}}}
	for _, end := range []func(*device.Device) error{
		func(d *device.Device) error { return d.Cancel(t.Context(), "one") },
		func(d *device.Device) error { return d.Confirm(t.Context(), "one") },
	} {
		if err := dial(t, to).Set(t.Context(), change, &device.Commit{ID: "one", Rollback: time.Minute}); err != nil {
			t.Fatal(err)
		}
		if err := end(dial(t, to)); !errors.Is(err, device.ErrRefused) || simulated.Pending() != "one" {
			t.Errorf("who knows nothing: %v, pending %q", err, simulated.Pending())
		}
		successor := dial(t, to)
		successor.Answered(true)
		if err := end(successor); err != nil || simulated.Pending() != "" {
			t.Errorf("who knows: %v, pending %q", err, simulated.Pending())
		}
	}
}

// Commit-confirmed is never assumed: only a device that refuses to confirm what nobody has armed has it.
func TestADeviceIsAskedForConfirmTimers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		does sim.Extension
		want bool
	}{
		"one that honours the extension":      {sim.Honoured, true},
		"one that refuses it":                 {sim.AsReleased, false},
		"one that takes it and does not heed": {sim.Ignored, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			simulated, d := asked(t, c.does)
			before := simulated.Running()
			for range 2 { // the second time without asking
				got, err := d.Timed(t.Context())
				if err != nil || got != c.want {
					t.Fatalf("got %v, %v, want %v", got, err, c.want)
				}
			}
			// Whatever it says, a change that is to be taken back is sent only where it would be.
			change := &gnmi.SetRequest{Update: []*gnmi.Update{{Path: path(t, mtuPath).GNMI(), Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte("9000")}}}}}
			err := d.Set(t.Context(), change, &device.Commit{ID: "one", Rollback: time.Minute})
			if c.want {
				if err != nil || simulated.Pending() != "one" {
					t.Errorf("%v, pending %q", err, simulated.Pending())
				}
				return
			}
			if !errors.Is(err, device.ErrRefused) || !config.Equal(simulated.Running(), before) {
				t.Errorf("got %v, and the change was made: %v", err, !config.Equal(simulated.Running(), before))
			}
		})
	}
}
