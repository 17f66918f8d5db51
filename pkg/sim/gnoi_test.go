package sim_test

import (
	"testing"
	"time"

	"github.com/openconfig/gnoi/system"
	"github.com/openconfig/gnoi/types"
	"google.golang.org/grpc/codes"

	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// system returns the client of the bench for the whole box.
func (b *bench) system() system.SystemClient { return system.NewSystemClient(b.conn) }

// reboot asks for a reboot over gNOI.
func (b *bench) reboot(delay time.Duration, change ...func(*system.RebootRequest)) error {
	req := &system.RebootRequest{Method: system.RebootMethod_COLD, Delay: uint64(delay), Message: "maintenance"}
	for _, c := range change {
		c(req)
	}
	_, err := b.system().Reboot(b.ctx, req)
	return err
}

// planned returns the status of a reboot.
func (b *bench) planned() *system.RebootStatusResponse {
	b.Helper()
	resp, err := b.system().RebootStatus(b.ctx, &system.RebootStatusRequest{})
	if err != nil {
		b.Fatal(err)
	}
	return resp
}

// gNOI system.proto, Time.
func TestTimeIsTheDevices(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.clock.Advance(time.Hour)
	resp, err := b.system().Time(b.ctx, &system.TimeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if got := time.Unix(0, int64(resp.GetTime())); !got.Equal(b.clock.Now()) {
		t.Errorf("got %s, want %s", got, b.clock.Now())
	}
}

// gNOI system.proto, Reboot: at once the processor that answers is gone.
func TestARebootAtOnceBreaksTheConnection(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(b.put(mtu, "9000"))
	b.refuses(b.reboot(0), codes.Unavailable, "")
	b.soon("the device is back with its startup configuration", func() bool {
		return b.ask() == nil && b.device.Boots() == 1 && b.running(mtu) == ""
	})
	if got := b.planned(); got.GetActive() || got.GetCount() != 1 {
		t.Errorf("got %v after the reboot", got)
	}
}

// gNOI system.proto, Reboot, RebootStatus, CancelReboot: with a delay there is time to think again.
func TestARebootWaitsForItsTimeUnlessItIsCancelled(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	for _, cancel := range []bool{true, false} {
		if err := b.reboot(time.Minute); err != nil {
			t.Fatal(err)
		}
		b.refuses(b.reboot(time.Hour), codes.FailedPrecondition, "another reboot is pending")
		b.clock.Advance(20 * time.Second)
		got := b.planned()
		if !got.GetActive() || time.Duration(got.GetWait()) != 40*time.Second || got.GetReason() != "maintenance" ||
			!time.Unix(0, int64(got.GetWhen())).Equal(b.clock.Now().Add(40*time.Second)) || got.GetMethod() != system.RebootMethod_COLD {
			t.Errorf("got %v", got)
		}
		if cancel {
			if _, err := b.system().CancelReboot(b.ctx, &system.CancelRebootRequest{}); err != nil {
				t.Fatal(err)
			}
			b.clock.Advance(time.Hour)
			if b.planned().GetActive() || b.device.Boots() != 0 {
				t.Error("it was not cancelled")
			}
		}
	}
	b.clock.Advance(time.Minute)
	if b.device.Boots() != 1 {
		t.Error("it did not come")
	}
}

// A device that boots for another reason forgets what it had planned.
func TestAPlannedRebootDoesNotOutliveABoot(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	if err := b.reboot(time.Minute); err != nil {
		t.Fatal(err)
	}
	b.rebootWith(sim.Boot{})
	b.clock.Advance(time.Hour)
	if got := b.device.Boots(); got != 1 {
		t.Errorf("%d boots", got)
	}
}

// gNOI system.proto, RebootMethod and force.
func TestRebootsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.refuses(b.reboot(0, func(r *system.RebootRequest) { r.Method = system.RebootMethod_UNKNOWN }), codes.InvalidArgument, "use COLD")
	b.refuses(b.reboot(0, func(r *system.RebootRequest) { r.Method = system.RebootMethod_HALT }), codes.InvalidArgument, "HALT is not supported")
	b.refuses(b.reboot(0, func(r *system.RebootRequest) { r.Subcomponents = []*types.Path{{}} }), codes.InvalidArgument, "subcomponents")
	b.mustSet(open(b.put(mtu, "9000"), "a", time.Minute))
	b.refuses(b.reboot(time.Second), codes.FailedPrecondition, `commit "a" is waiting`)
	if err := b.reboot(time.Second, func(r *system.RebootRequest) { r.Force = true }); err != nil {
		t.Error(err)
	}
}
