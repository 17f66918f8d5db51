package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/transaction"
	"google.golang.org/grpc/codes"
)

// What a transaction makes of devices that fail: D1 to D8 of docs/faults.md. Simulated SR Linux routers
// fail, a real transaction runs, and what must hold is read from the devices and from the simulator's own
// record of every Set. D9 is in pkg/transaction.

// D1: of the three waves leaf1 is the first, leaf2 the second.
func TestADeviceThatIsOutOfReachForAWhileEndsAsTheOthersDo(t *testing.T) {
	t.Parallel()
	b := newFaultBench(t)
	for _, kind := range []string{"unreachable", "device-down", "blackhole", "half-open", "slow-network"} {
		for moment, at := range map[string]transaction.Event{
			"before its Set": {Device: "leaf1", Status: transaction.Verified},
			"during its Set": {Device: "leaf2", Status: transaction.Armed},
			"after its Set":  {Device: "leaf2", Status: transaction.Verified},
		} {
			b.hurry("leaf2", 200*time.Millisecond)
			id := ""
			res := b.begin(attempt{at: func(e transaction.Event) {
				switch {
				case id == "" && e.Device == at.Device && e.Status == at.Status:
					if id = "-"; kind == "slow-network" {
						id = b.inject(kind, "leaf2", "rate", "1")
					} else {
						id = b.inject(kind, "leaf2")
					}
				case id != "" && e.Device == "leaf2" && e.Err != nil:
					_ = b.sim.Clear(id) // it was missed, and comes back
				}
			}})
			what := kind + " " + moment
			b.wantWhole(what, res, either)
			if n := len(b.sets("leaf2", "commit")); n > 1 {
				t.Errorf("%s: the change was sent %d times", what, n)
			}
			b.reset()
		}
	}
}

func TestADeviceThatHangsKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"slow-set", "slow-answer"} {
		b := newFaultBench(t)
		id := b.inject(kind, "leaf1", "delay", "1h", "on", "commit")
		var verified []string
		res := b.begin(attempt{together: true, parallel: 1, at: func(e transaction.Event) {
			if e.Status != transaction.Verified {
				return
			}
			if verified = append(verified, e.Device); len(verified) == 2 {
				b.check(b.sim.Clear(id)) // nothing else ends the hour
			}
		}})
		b.wantWhole(kind, res, allDone)
		if len(verified) != 3 || verified[2] != "leaf1" {
			t.Errorf("%s: verified in the order %v", kind, verified)
		}
	}
}

// D2: what a device does after nobody waits any more is read, and never sent again.
func TestASetWhoseAnswerIsTooLateIsReadBackAndNotRepeated(t *testing.T) {
	t.Parallel()
	b := newFaultBench(t)
	for _, c := range []struct {
		kind, on string
		want     []transaction.Outcome
	}{
		{"slow-answer", "commit", allDone}, // it was done
		{"slow-set", "commit", takenOut},   // it was given up with the call
		{"slow-answer", "confirm", allDone},
		{"slow-set", "confirm", allDone},
	} {
		b.hurry("leaf2", 200*time.Millisecond)
		b.inject(c.kind, "leaf2", "delay", "1h", "on", c.on, "times", "1")
		res := b.begin(attempt{})
		what := c.kind + " of a " + c.on
		b.wantWhole(what, res, c.want)
		if n := len(b.sets("leaf2", "commit")); n != 1 {
			t.Errorf("%s: the change was sent %d times", what, n)
		}
		b.reset()
	}
}

// D3: gNMI specification §3.4.7, and §2.5: what a device has judged is not sent again.
func TestOnlyWhatADeviceWasTooBusyForIsSentAgain(t *testing.T) {
	t.Parallel()
	b := newFaultBench(t)
	for _, c := range []struct {
		code codes.Code
		sets int
		want []transaction.Outcome
	}{
		{codes.Aborted, 1, takenOut}, {codes.NotFound, 1, takenOut}, {codes.InvalidArgument, 1, takenOut},
		{codes.Unimplemented, 1, takenOut}, {codes.Unauthenticated, 1, takenOut}, {codes.PermissionDenied, 1, takenOut},
		{codes.AlreadyExists, 1, takenOut}, {codes.OutOfRange, 1, takenOut}, {codes.FailedPrecondition, 1, takenOut},
		// These leave open whether it was done: read, not sent again.
		{codes.Internal, 1, takenOut}, {codes.Unavailable, 1, takenOut}, {codes.Unknown, 1, takenOut},
		{codes.DataLoss, 1, takenOut}, {codes.DeadlineExceeded, 1, takenOut}, {codes.Canceled, 1, takenOut},
		{codes.ResourceExhausted, 3, allDone}, // a limit of the rate: nothing has happened
	} {
		for _, form := range []string{"plain", "details"} {
			times := "1"
			if c.sets > 1 {
				times = "2"
			}
			b.inject("refuse", "leaf2", "code", c.code.String(), "form", form, "on", "commit", "times", times)
			res := b.begin(attempt{})
			what := fmt.Sprintf("%s, %s", c.code, form)
			b.wantWhole(what, res, c.want)
			if n := len(b.sets("leaf2", "commit")); n != c.sets {
				t.Errorf("%s: sent %d times, want %d", what, n, c.sets)
			}
			if n := len(b.sets("spine1", "commit")); n > 0 && res.Outcome != transaction.Done {
				t.Errorf("%s: the wave behind it was sent", what)
			}
			if res.Outcome != transaction.Done && !strings.Contains(fmt.Sprint(res.Err), "leaf2: ") {
				t.Errorf("%s: %v does not name the device", what, res.Err)
			}
			b.reset()
		}
	}
}

func TestAMalformedResultIsDecidedByWhatIsReadBack(t *testing.T) {
	t.Parallel()
	b := newFaultBench(t)
	for _, form := range []string{"missing", "extra", "reversed", "paths", "operations"} {
		b.inject("malformed-result", "leaf1", "form", form, "on", "any")
		b.wantWhole(form, b.begin(attempt{}), either)
		if b.struck() == 0 {
			t.Errorf("%s: nothing was malformed", form)
		}
		b.reset()
	}
}

// lies is how many Sets of each kind do less than they say, seeded; fault_lies_test.go has more of them.
const lies = 5

// D4
func TestADeviceThatDoesLessThanItSaysIsCaught(t *testing.T) {
	t.Parallel()
	lie(t, lies)
}

func lie(t *testing.T, lies int) {
	b := newFaultBench(t)
	caught := 0
	try := func(what, kind string, want []transaction.Outcome, parameters ...string) {
		b.inject(kind, "leaf1", append(parameters, "on", "commit", "times", "1")...)
		res := b.begin(attempt{only: "leaf1"})
		b.wantWhole(what, res, want)
		if b.struck() != 1 {
			t.Errorf("%s: struck %d times", what, b.struck())
		}
		if res.Outcome == transaction.RolledBack {
			caught++
		} else if len(want) > 1 { // the leaf means what it meant before, or is not Loom's: at its target all the same
			b.reset()
			return
		}
		if text := fmt.Sprint(res.Err); !strings.Contains(text, "leaf1: ") || kind == "leaf-ignored" && !strings.Contains(text, "first /") {
			t.Errorf("%s: %v does not say what differs", what, res.Err)
		}
		b.reset()
	}
	try("nothing", "nothing-applied", takenOut)
	for i := range lies {
		try(fmt.Sprintf("leaf, seed %d", i), "leaf-ignored", either, "seed", fmt.Sprint(i+1))
		try(fmt.Sprintf("the first %d", i+1), "half-applied", takenOut, "count", fmt.Sprint(i+1))
	}
	if caught < lies*3/2 {
		t.Errorf("%d of %d lies were none", 2*lies+1-caught, 2*lies+1)
	}
}

// D5: what goes back by itself is no change that was made.
func TestAChangeThatGoesBackByItselfIsNotCalledDone(t *testing.T) {
	t.Parallel()
	b := newFaultBench(t)
	for _, on := range []string{"commit", "confirm"} {
		b.inject("revert", "leaf1", "delay", "1ms", "on", on, "times", "1")
		b.wantWhole("revert of a "+on, b.begin(attempt{}), either)
		b.reset()
	}
	b.inject("normalise", "leaf1", "path", "/system/name/host-name", "value", `"other"`, "on", "commit")
	b.inject("normalise", "leaf1", "path", "/network-instance[name=red]/description", "value", `"other"`, "on", "commit")
	b.wantWhole("another value", b.begin(attempt{}), either)
}

// D6: RFC 6241 §8.4: a device that reboots while a commit is pending comes back as before it.
func TestARebootAtAnyStepLeavesAllAsPlannedAllAsBeforeOrOneByName(t *testing.T) {
	t.Parallel()
	b := newFaultBench(t)
	for _, boot := range []string{"startup", "running", "factory"} {
		for _, step := range []struct{ on, form string }{
			{"commit", "before"}, {"commit", "unanswered"}, {"commit", "answered"},
			{"confirm", "before"}, {"confirm", "unanswered"}, {"confirm", "answered"}, {"now", ""},
		} {
			what := fmt.Sprintf("reboot with %s, %s %s", boot, step.on, step.form)
			at := func(transaction.Event) {}
			if step.form == "answered" { // what comes next waits for the reboot
				at = func(e transaction.Event) {
					if e.Device == "leaf2" && (e.Status == transaction.Verified || e.Status == transaction.Confirmed) && (step.on == "confirm") == (e.Status == transaction.Confirmed) {
						b.until("the reboot", func() bool { return len(b.sim.Faults()) == 0 })
					}
				}
			}
			if step.on == "now" { // its change is verified and waits for the decision
				at = when("leaf2", transaction.Verified, func() { b.inject("reboot", "leaf2", "boot", boot) })
			} else {
				b.inject("reboot", "leaf2", "boot", boot, "on", step.on, "form", step.form, "times", "1")
			}
			res := b.begin(attempt{at: at})
			if boot == "factory" {
				b.lost = ""
				if step.on == "confirm" && step.form == "answered" {
					b.lost = "leaf2" // saved first, and reset then
				}
				b.wantWhole(what, res, append(either, transaction.Mixed), "leaf2")
				if s := res.Devices["leaf2"]; res.Outcome == transaction.Mixed && s != transaction.Foreign {
					t.Errorf("%s: leaf2 is called %s", what, s)
				}
			} else {
				b.wantWhole(what, res, either)
			}
			if n := len(b.sets("leaf2", "commit")); n != 1 {
				t.Errorf("%s: the change was sent %d times", what, n)
			}
			b.reset()
		}
	}
}

// D7
func TestAnotherBoxInPlaceOfADeviceGetsNoSet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, kind string
		parameters []string
	}{
		{"another chassis with the same configuration", "other-chassis", []string{"boot", "running"}},
		{"another chassis as new", "other-chassis", nil},
		{"another chassis of another platform", "other-chassis", []string{"platform", "7220-IXR-D3L"}},
		{"a certificate for another name", "certificate", []string{"form", "name"}},
		{"a certificate of a stranger", "certificate", []string{"form", "stranger"}},
		{"a certificate that is over", "certificate", []string{"form", "expired"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			b := newFaultBench(t)
			d, since := b.sim.Device("leaf2"), 0
			res := b.begin(attempt{at: when("leaf1", transaction.Verified, func() {
				d.Stop() // a client that is connected knows whom it speaks to
				b.inject(c.kind, "leaf2", c.parameters...)
				d.Restart()
				since = len(b.sets("leaf2", "plain"))
			})})
			if res.Outcome != transaction.RolledBack || !strings.Contains(fmt.Sprint(res.Err), "leaf2: ") {
				t.Errorf("%s: %v", res.Outcome, res.Err)
			}
			if err := b.connect([]string{"leaf1", "leaf2", "spine1"}); err == nil {
				t.Error("it is connected to again")
			}
			for _, kind := range []string{"plain", "commit", "confirm", "cancel", "extend"} {
				if n := len(b.sets("leaf2", kind)); kind != "plain" && n > 0 || kind == "plain" && n > since {
					t.Errorf("it got a Set: %s", kind)
				}
			}
			for _, name := range []string{"leaf1", "spine1"} {
				d := b.sim.Device(name)
				if !config.Equal(b.owned(name, d.Running()), b.base[name]) || !config.Equal(b.owned(name, d.Startup()), b.base[name]) || d.Pending() != "" {
					t.Errorf("%s is not as before", name)
				}
			}
		})
	}
}

// D8
func TestWhatSomebodyElseHasPendingIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := newFaultBench(t)
	res := b.begin(attempt{at: when("leaf1", transaction.Verified, func() { b.inject("foreign-commit", "leaf2", "delay", "1h") })})
	if res.Outcome != transaction.RolledBack {
		t.Errorf("%s: %v", res.Outcome, res.Err)
	}
	if id := b.sim.Device("leaf2").Pending(); id == "" || id == "test" {
		t.Errorf("pending is %q, want what somebody else has opened", id)
	}
	for _, kind := range []string{"commit", "confirm", "cancel", "plain"} {
		for _, e := range b.sets("leaf2", kind) {
			if e.Code == "OK" {
				t.Errorf("leaf2 took a Set: %s", kind)
			}
		}
	}
	if err := probe(t.Context(), b.plan, b.devices); err == nil || !strings.Contains(err.Error(), "somebody else's change waits there") {
		t.Errorf("the next plan is begun: %v", err)
	}
}

func TestSomebodyElseDecidesAboutOurCommit(t *testing.T) {
	t.Parallel()
	b := newFaultBench(t)
	leaf1 := b.sim.Device("leaf1")
	for _, c := range []struct {
		what string
		do   func()
		fail bool // leaf2 refuses, so that all goes back
		want []transaction.Outcome
	}{
		{"confirmed at the box, and kept", func() { b.check(leaf1.Accept()) }, false, allDone},
		{"confirmed at the box, and taken back", func() { b.check(leaf1.Accept()) }, true, takenOut},
		{"cancelled by another client, and given again", func() { b.check(b.devices["leaf1"].Cancel(t.Context(), "test")) }, false, allDone},
		{"cancelled by another client, as is right", func() { b.check(b.devices["leaf1"].Cancel(t.Context(), "test")) }, true, takenOut},
		{"taken back, with another commit open", func() {
			b.check(b.devices["leaf1"].Cancel(t.Context(), "test"))
			b.inject("foreign-commit", "leaf1", "delay", "100ms")
		}, false, allDone},
	} {
		if c.fail {
			b.inject("refuse", "leaf2", "on", "commit")
		}
		b.wantWhole(c.what, b.begin(attempt{at: when("leaf1", transaction.Verified, c.do)}), c.want)
		b.reset()
	}
}

func TestAStormOfFailedPreconditionsEndsWithAWhole(t *testing.T) {
	t.Parallel()
	b := newFaultBench(t)
	for _, times := range []string{"1", "3"} {
		for _, on := range []string{"commit", "confirm", "cancel"} {
			what := fmt.Sprintf("%s times FAILED_PRECONDITION of a %s", times, on)
			b.inject("refuse", "leaf1", "on", on, "code", "FAILED_PRECONDITION", "times", times)
			if on == "cancel" {
				b.inject("refuse", "leaf2", "on", "commit")
			}
			b.wantWhole(what, b.begin(attempt{}), either)
			b.reset()
		}
	}
}

func TestSomebodyElseWritesWhileOurCommitIsPending(t *testing.T) {
	t.Parallel()
	b := newFaultBench(t)
	b.inject("foreign-change", "leaf1", "on", "commit", "path", "/system/name/host-name", "value", `"somebody"`, "times", "1")
	b.wantWhole("written at once", b.begin(attempt{}), takenOut)
	b.reset()
	// After it was read back the decision is made without it. What somebody else has written is not overwritten then.
	res := b.begin(attempt{at: when("spine1", transaction.Verified, func() {
		b.hand(t, "leaf1", "/system/name/host-name", `"somebody"`)
	})})
	b.wantWhole("written late", res, append(either, transaction.Mixed), "leaf1")
	if s := res.Devices["leaf1"]; res.Outcome == transaction.Mixed && s != transaction.Foreign {
		t.Errorf("leaf1 is called %s", s)
	}
}
