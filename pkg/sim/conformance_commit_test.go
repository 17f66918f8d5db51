package sim_test

import (
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// commit adds the extension to a request.
func commit(req *gnmi.SetRequest, c *gnmi_ext.Commit) *gnmi.SetRequest {
	req.Extension = []*gnmi_ext.Extension{{Ext: &gnmi_ext.Extension_Commit{Commit: c}}}
	return req
}

func open(req *gnmi.SetRequest, id string, d time.Duration) *gnmi.SetRequest {
	c := &gnmi_ext.CommitRequest{}
	if d != 0 {
		c.RollbackDuration = durationpb.New(d)
	}
	return commit(req, &gnmi_ext.Commit{Id: id, Action: &gnmi_ext.Commit_Commit{Commit: c}})
}

func confirm(id string) *gnmi.SetRequest {
	return commit(&gnmi.SetRequest{}, &gnmi_ext.Commit{Id: id, Action: &gnmi_ext.Commit_Confirm{}})
}

func cancel(id string) *gnmi.SetRequest {
	return commit(&gnmi.SetRequest{}, &gnmi_ext.Commit{Id: id, Action: &gnmi_ext.Commit_Cancel{}})
}

func extend(id string, d time.Duration) *gnmi.SetRequest {
	return commit(&gnmi.SetRequest{}, &gnmi_ext.Commit{Id: id, Action: &gnmi_ext.Commit_SetRollbackDuration{
		SetRollbackDuration: &gnmi_ext.CommitSetRollbackDuration{RollbackDuration: durationpb.New(d)}}})
}

const mtu = "/interface[name=e1]/mtu"

// state fails unless the running MTU and the id of the open commit are as told.
func (b *bench) state(when, value, pending string) {
	b.Helper()
	if got := b.running(mtu); got != value || b.device.Pending() != pending {
		b.Errorf("%s: mtu = %q, pending = %q, want %q, %q", when, got, b.device.Pending(), value, pending)
	}
}

// Commit confirmed §3.1: no action without an id, and none without an action.
func TestACommitNeedsAnIDAndAnAction(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	for _, req := range []*gnmi.SetRequest{open(b.put(mtu, "9000"), "", 0), confirm(""), cancel(""), extend("", time.Minute)} {
		b.unchanged(req, codes.InvalidArgument, "id is missing")
	}
	b.unchanged(commit(b.put(mtu, "9000"), &gnmi_ext.Commit{Id: "a"}), codes.InvalidArgument, "without an action")
}

// Commit confirmed §3.2.1: while a commit is open every other Set, with the extension or without, even an
// empty one, is FAILED_PRECONDITION.
func TestThereIsOneCommitAtATime(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(open(b.put(mtu, "9000"), "a", time.Minute))
	for _, req := range []*gnmi.SetRequest{
		b.put(mtu, "9001"), {}, open(b.put(mtu, "9001"), "b", time.Minute), open(b.put(mtu, "9001"), "a", time.Minute), b.unites("/", `{"types":{"small":1}}`),
	} {
		b.unchanged(req, codes.FailedPrecondition, `commit "a" is waiting`)
	}
	b.state("after the refusals", "9000", "a")
}

// Commit confirmed §3.2.2 to §3.2.4: without an open commit FAILED_PRECONDITION, with another one's id
// INVALID_ARGUMENT. A commit is decided once.
func TestADecisionIsAboutTheOpenCommit(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	none := func() {
		t.Helper()
		for _, req := range []*gnmi.SetRequest{confirm("a"), cancel("a"), extend("a", time.Minute)} {
			b.unchanged(req, codes.FailedPrecondition, "no commit is waiting")
		}
	}
	none()
	b.mustSet(open(b.put(mtu, "9000"), "a", time.Minute))
	for _, req := range []*gnmi.SetRequest{confirm("b"), cancel("b"), extend("b", time.Minute)} {
		b.unchanged(req, codes.InvalidArgument, `not "b"`)
	}
	b.mustSet(confirm("a"))
	none()
	b.clock.Advance(time.Hour)
	b.state("an hour after confirm", "9000", "")
}

// Commit confirmed §2: a commit cannot be amended, by none of its decisions.
func TestACommitCannotBeAmended(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(open(b.put(mtu, "9000"), "a", time.Minute))
	for _, req := range []*gnmi.SetRequest{confirm("a"), cancel("a"), extend("a", time.Minute)} {
		req.Update = []*gnmi.Update{b.update(mtu, "9001")}
		b.unchanged(req, codes.InvalidArgument, "cannot be amended")
	}
	b.state("after the refusals", "9000", "a")
}

// gNMI §3.4.3: a commit that is refused opens nothing.
func TestACommitThatIsRefusedOpensNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.unchanged(open(b.put(mtu, "9600"), "a", time.Minute), codes.InvalidArgument, "9600")
	b.state("after the refusal", "", "")
}

// Commit confirmed §3.2.1 and §3.2.3: what is not confirmed is taken back as a whole, in time or by cancel.
func TestACommitIsTakenBackWhateverHappensToTheDevice(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*bench){
		"its time passes":                      func(b *bench) { b.clock.Advance(time.Minute) },
		"its time passes while nobody can see": func(b *bench) { b.device.Stop(); b.clock.Advance(time.Minute) },
		"it is cancelled":                      func(b *bench) { b.mustSet(cancel("a")) },
		"the device reboots": func(b *bench) { // RFC 6241 §8.4.1, from which the extension comes
			b.device.Reboot()
			b.clock.Advance(time.Hour)
		},
		"somebody else changes the same leaf": func(b *bench) {
			if err := b.device.Apply(b.put(mtu, "9100")); err != nil {
				b.Fatal(err)
			}
			b.state("after the foreign change", "9100", "a")
			b.clock.Advance(time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, simtest.New)
			before := b.device.Running().AppendJSON(nil, false)
			b.mustSet(open(b.unites("/", `{"types":{"small":1}}`, mtu, "9000"), "a", time.Minute))
			do(b)
			b.state("afterwards", "", "")
			if got := b.device.Running().AppendJSON(nil, false); string(got) != string(before) {
				t.Errorf("running = %s", got)
			}
		})
	}
}

// Commit confirmed §3.2.1: ten minutes, where neither the request nor the operating system says otherwise.
func TestTheTimerIsTenMinutesByDefault(t *testing.T) {
	t.Parallel()
	for own, want := range map[time.Duration]time.Duration{0: 10 * time.Minute, time.Hour: time.Hour} {
		driver := with(func(d *driver.Driver) { d.Manners.Rollback = own })
		b := newBenchOf(t, sim.Spec{Name: "leaf1", Platform: simtest.Platform, Driver: driver})
		b.mustSet(open(b.put(mtu, "9000"), "a", 0))
		b.clock.Advance(want - 1)
		b.state("just before", "9000", "a")
		b.clock.Advance(1)
		b.state("in time", "", "")
	}
}

// Commit confirmed §3.2.4: a new duration starts from now, it is not added to what is left.
func TestANewDurationReplacesTheOld(t *testing.T) {
	t.Parallel()
	for name, wanted := range map[string]time.Duration{"shorter": time.Second, "longer": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, simtest.New)
			b.mustSet(open(b.put(mtu, "9000"), "a", time.Minute))
			b.clock.Advance(30 * time.Second)
			b.mustSet(extend("a", wanted))
			b.clock.Advance(wanted - 1)
			b.state("just before", "9000", "a")
			b.clock.Advance(1)
			b.state("at the new time", "", "")
		})
	}
}

// Commit confirmed §3.2.4: a duration that is missing, zero or less is INVALID_ARGUMENT.
func TestADurationIsMoreThanZero(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.unchanged(open(b.put(mtu, "9000"), "a", -time.Second), codes.InvalidArgument, "greater than 0")
	b.mustSet(open(b.put(mtu, "9000"), "a", time.Minute))
	missing := extend("a", 0)
	missing.Extension[0].GetCommit().GetSetRollbackDuration().RollbackDuration = nil
	for _, req := range []*gnmi.SetRequest{extend("a", 0), extend("a", -1), missing} {
		b.unchanged(req, codes.InvalidArgument, "greater than 0")
	}
	b.clock.Advance(time.Minute)
	b.state("at the old time", "", "")
}

// gNMI §2.8: a release that does not know the extension does not see it.
func TestAReleaseWithoutTheExtensionDoesNotSeeIt(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.Old)
	b.mustSet(open(b.put(mtu, "9000"), "a", time.Minute))
	b.state("at once", "9000", "")
	b.clock.Advance(time.Hour)
	b.state("an hour later", "9000", "")
}

// SR Linux, gnmi/commit-confirmed-timeout: a Set without the extension has to be confirmed too, under the
// server's id or at the box. One that changes nothing has not.
func TestAServerMayWantEverySetConfirmed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		decide func(b *bench, id string) error
		want   string
	}{
		"nobody confirms":     {func(b *bench, _ string) error { b.clock.Advance(time.Minute); return nil }, ""},
		"the client confirms": {func(b *bench, id string) error { return b.set(confirm(id)) }, "9000"},
		"the client cancels":  {func(b *bench, id string) error { return b.set(cancel(id)) }, ""},
		"the operator does":   {func(b *bench, _ string) error { return b.device.Accept() }, "9000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := configured(t, sim.Server{Confirm: time.Minute})
			b.mustSet(&gnmi.SetRequest{})
			b.state("after an empty Set", "", "")
			b.mustSet(b.put(mtu, "9000"))
			id := b.device.Pending()
			if id == "" {
				t.Fatal("the Set is final")
			}
			b.unchanged(b.put(mtu, "9001"), codes.FailedPrecondition, id)
			if err := c.decide(b, id); err != nil {
				t.Fatal(err)
			}
			b.clock.Advance(time.Hour)
			b.state("an hour later", c.want, "")
			if err := b.device.Accept(); err == nil {
				t.Error("an operator can confirm what is not open")
			}
		})
	}
}

// saved fails unless the startup configuration has an MTU.
func (b *bench) saved(want, when string) {
	b.Helper()
	if got := b.device.Startup().Find(b.path(mtu)).Value(); got != want {
		b.Errorf("startup has mtu %q %s, want %q", got, when, want)
	}
}

// A Set changes the running configuration. What is final reaches startup only if the configuration wants it
// (SR Linux: /system/configuration/auto-save), what may yet be taken back never.
func TestStartupFollowsOnlyWhatIsFinalAndWantsIt(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	apply := func(req *gnmi.SetRequest) {
		t.Helper()
		if err := b.device.Apply(req); err != nil {
			t.Fatal(err)
		}
	}
	b.mustSet(b.put(mtu, "9000"))
	b.saved("", "before it is saved")
	b.mustSet(b.put("/system/configuration/auto-save", "true"))
	b.saved("9000", "after it is saved")
	b.mustSet(open(b.put(mtu, "9100"), "a", time.Minute))
	b.saved("9000", "while a commit is open")
	b.mustSet(cancel("a"))
	b.saved("9000", "after cancel")
	b.mustSet(open(b.put(mtu, "9200"), "a", time.Minute))
	apply(b.put("/interface[name=e1]/description", `"x"`))
	b.saved("9000", "after a foreign change while a commit is open")
	b.mustSet(confirm("a"))
	b.saved("9200", "after confirm")
	apply(b.put(mtu, "9300"))
	b.saved("9300", "after a foreign change")
	b.mustSet(b.put("/system/configuration/auto-save", "false"))
	b.mustSet(b.put(mtu, "9400"))
	b.saved("9300", "after saving is off again")
}
