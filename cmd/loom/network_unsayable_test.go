package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// A policy that live speakers cannot be told does what it says all the same: while a device has it, BGP is computed. Here it
// is one that keeps a leaf's loopback from everybody, by calling another.
func TestAPolicyThatSpeakersCannotBeToldStillFails(t *testing.T) {
	t.Parallel()
	computed := newFleet(t, "tiny.yaml", bgpComputed)
	lines := make(lineWriter, 16)
	live := &fleet{watched: computed.watched, n: computed.n}
	var err error
	handler := slog.NewTextHandler(lines, &slog.HandlerOptions{Level: slog.LevelWarn})
	if live.sim, err = (simulation{bgp: bgpLive, hosts: 2}).startLogged(t.Context(), live.design, slog.New(handler)); err != nil {
		t.Fatal(err)
	}
	defer live.sim.Close()
	both := func(do func(*fleet)) { do(live); do(computed) }
	says := func(want string) {
		t.Helper()
		select {
		case line := <-lines:
			if !strings.Contains(line, want) {
				t.Errorf("the log says %s, nothing with %q", line, want)
			}
		case <-time.After(liveTime):
			t.Fatalf("the log does not say %q", want)
		}
	}

	both(func(f *fleet) { f.configure(t) })
	if err := live.until(t.Context(), liveTime, live.incomplete); err != nil {
		t.Fatal(err)
	}
	const policy = "/routing-policy/policy[name=loom-underlay-export]"
	both(func(f *fleet) {
		f.hand(t, "leaf1", "/routing-policy/policy[name=all]", `{"default-action": {"policy-result": "accept"}}`)
		f.hand(t, "leaf1", policy, `{"default-action": {"policy-result": "accept"},
			"statement": [{"name": "10", "match": {"call-policy": ["all"]}, "action": {"policy-result": "reject"}}]}`)
	})
	says("policy loom-underlay-export: matching by a policy")
	live.agrees(t, computed)
	if live.incomplete() == "" {
		t.Error("a leaf whose loopback nobody is told of has all its sessions")
	}

	intended := live.n.trees["leaf1"].Find(mustPath(policy))
	both(func(f *fleet) { f.hand(t, "leaf1", policy, string(intended.AppendJSON(nil))) })
	says("live speakers again")
	live.agrees(t, computed)
	if why := live.incomplete(); why != "" {
		t.Error(why)
	}
}

// lineWriter passes on what is written.
type lineWriter chan string

func (w lineWriter) Write(line []byte) (int, error) {
	w <- string(line)
	return len(line), nil
}
