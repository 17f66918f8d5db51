package sim

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
)

// powerKinds are about a device as a whole: whether it runs, with which configuration, and which it is.
var powerKinds = []*Kind{
	{Name: "device-down", At: AtDevice, Help: "a device is switched off; cleared, it boots its startup configuration", start: switchOff},
	{Name: "unreachable", At: AtDevice, Help: "a device refuses connections and breaks those that stand; it goes on working, and so do its timers", start: refuseConnections},
	{
		Name: "reboot", At: AtDevice, Help: "a device boots, now or at a Set, and is back after the delay, with the startup configuration unless boot says otherwise; with boot given, value is the whole configuration",
		Takes: []string{"on", "delay", "boot", "value", "release"}, Default: Fault{On: Now, Boot: "startup"}, judge: canBoot,
		Forms: []Form{
			{"before", "before the Set is done, which is never answered"},
			{"unanswered", "after the Set is done, which is never answered"},
			{"answered", "after the Set is answered: on commit, while it is pending; on confirm, after it"},
		},
		start: onlyNow(rebootNow), set: rebootAtSet,
	},
	{
		Name: "other-chassis", At: AtDevice, Help: "another box comes back in place of the device: serial number and MAC addresses are others, and so is its certificate; it is of the same platform and release unless others are given",
		Takes: []string{"boot", "value", "platform", "release"}, Default: Fault{On: Now, Boot: "factory"}, judge: canBoot, start: exchange,
	},
}

// answered is how long, by the host's clock, an answer takes from the end of its RPC to the socket: gRPC does
// not tell.
const answered = 100 * time.Millisecond

// sources are the values of Fault.Boot.
var sources = []struct {
	name   string
	source Source
}{{"startup", Saved}, {"running", Kept}, {"previous", Former}, {"factory", Factory}, {bootGiven, Given}}

// bootGiven is the value of Fault.Boot that goes with Fault.Value.
const bootGiven = "given"

func boots() []string {
	var out []string
	for _, s := range sources {
		out = append(out, s.name)
	}
	return out
}

// bootOf returns what a fault says that a device boots.
func (d *Device) bootOf(f *Fault) (b Boot, err error) {
	for _, s := range sources {
		if s.name == f.Boot {
			b.Source = s.source
		}
	}
	b.Release = cmp.Or(f.Release, d.release())
	if b.Source == Given {
		if b.Tree, err = d.document(b.Release, f.Value); err != nil {
			return b, fmt.Errorf("value: is not a configuration of release %s; correct it or leave it out: %w", b.Release, err)
		}
	}
	if f.Kind != "other-chassis" {
		return b, nil
	}
	b.Chassis, b.Certificate = &Chassis{Platform: f.Platform}, &Certificate{}
	if known := d.sim.config.Platforms; f.Platform != "" && known != nil {
		ports, ok := known[f.Platform]
		if !ok {
			return b, fmt.Errorf("platform %q: there is %s", f.Platform, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		b.Chassis.Ports = ports
	}
	return b, nil
}

// document returns a whole configuration that somebody wrote: all of it known to the release, and valid.
func (d *Device) document(release, text string) (*config.Tree, error) {
	schema := d.spec.Driver.Schema
	if schema.Release(release) < 0 {
		return nil, unknownRelease(schema, release)
	}
	return config.Apply(config.EmptyTree(schema, release), &gnmi.SetRequest{Update: []*gnmi.Update{update(nil, []byte(text))}})
}

// canBoot tells why a device cannot boot what a fault wants.
func canBoot(s *Sim, f *Fault) error {
	d := s.byName[f.Target]
	b, err := d.bootOf(f)
	if err != nil {
		return err
	}
	d.power.Lock()
	defer d.power.Unlock()
	_, err = d.prepare(b)
	return err
}

func switchOff(f *injected) error {
	if err := f.sim.Power(f.Target, false); err != nil {
		return err
	}
	f.mend(func() { f.complain(f.sim.Power(f.Target, true)) })
	return nil
}

func refuseConnections(f *injected) error {
	f.device.Stop()
	f.mend(f.device.Restart)
	return nil
}

// reboot boots the device, which stays away for the delay.
func (f *injected) reboot(b Boot) error {
	if f.Delay == 0 {
		return f.device.RebootWith(b)
	}
	f.device.Stop()
	f.keep()
	f.sim.faults.run(func() {
		defer f.release()
		f.wait(context.Background(), f.Delay)
		f.complain(f.device.RebootWith(b))
	})
	return nil
}

func rebootNow(f *injected) error {
	b, err := f.device.bootOf(&f.Fault)
	if err != nil {
		return err
	}
	return f.reboot(b)
}

// rebootAtSet boots the device in the middle of a Set. A device cannot end while one of its RPCs waits for
// that, so another goroutine does it.
func rebootAtSet(f *injected, ctx context.Context, req *gnmi.SetRequest, next setFunc) (*gnmi.SetResponse, error) {
	b, err := f.device.bootOf(&f.Fault)
	if err != nil {
		f.complain(err)
		return next(ctx, req)
	}
	if f.Form == "before" {
		f.inBackground(func() { f.complain(f.reboot(b)) })
		return nil, lost(ctx)
	}
	resp, err := next(ctx, req)
	if err != nil {
		return nil, err
	}
	if f.Form == "unanswered" {
		f.inBackground(func() { f.complain(f.reboot(b)) })
		return nil, lost(ctx)
	}
	f.inBackground(func() {
		<-ctx.Done() // the RPC has ended, and its answer is on its way
		<-time.After(answered)
		f.complain(f.reboot(b))
	})
	return resp, nil
}

// inBackground does something while the fault is kept.
func (f *injected) inBackground(do func()) {
	f.keep()
	f.sim.faults.run(func() {
		defer f.release()
		do()
	})
}

// lost waits until the connection of an RPC is gone.
func lost(ctx context.Context) error {
	<-ctx.Done()
	return status.FromContextError(ctx.Err()).Err()
}

func exchange(f *injected) error {
	b, err := f.device.bootOf(&f.Fault)
	if err != nil {
		return err
	}
	f.strike()
	defer f.release()
	return f.device.RebootWith(b)
}
