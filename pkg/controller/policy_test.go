package controller

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

func TestPolicyOfADevice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		all  Policies
		want Policy
	}{
		{"nobody has said anything", Policies{}, Report},
		{"that of the topology", Policies{Topology: Enforce}, Enforce},
		{"its own wins", Policies{Topology: Enforce, Devices: map[string]Policy{"leaf1": Report}}, Report},
		{"that of another one says nothing", Policies{Devices: map[string]Policy{"leaf2": Enforce}}, Report},
	} {
		if got := c.all.Of("leaf1"); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A device that drifts at once whenever it was taken back is changed five times, ever later, and then left to people for an hour.
func TestADeviceThatDriftsAgainAndAgainIsLeft(t *testing.T) {
	t.Parallel()
	e := &Enforcer{PerHour: 100}
	now, newest := noon, noon
	var at []time.Duration
	for now.Before(noon.Add(59 * time.Minute)) {
		due, left, wait := e.Due([]Candidate{{"leaf1", newest}}, now)
		if len(due) > 0 {
			at = append(at, now.Sub(noon))
			e.Enforced = e.Tried(due, now)
			newest = now
			continue
		}
		if len(left) > 0 {
			break
		}
		if wait <= 0 {
			t.Fatalf("at %v nothing is due, and nothing will be", now.Sub(noon))
		}
		now = now.Add(wait)
	}
	want := "[1s 11s 31s 1m11s 2m31s]"
	if got := fmt.Sprint(at); got != want {
		t.Errorf("changed after %s, want %s", got, want)
	}
	if due, _, _ := e.Due([]Candidate{{"leaf1", newest}}, now.Add(forgetting)); len(due) != 1 {
		t.Error("after an hour it is left still")
	}
}

func TestUnattendedChangesHaveACap(t *testing.T) {
	t.Parallel()
	e := &Enforcer{PerHour: 3, AtOnce: 2}
	var all []Candidate
	for i := range 9 {
		all = append(all, Candidate{fmt.Sprintf("leaf%d", i+1), noon})
	}
	changed := map[string]bool{}
	for now := noon; now.Before(noon.Add(2 * time.Hour)); now = now.Add(time.Second) {
		due, _, _ := e.Due(all, now)
		if len(due) > 2 {
			t.Fatalf("%v at once", due)
		}
		e = again(t, &Enforcer{PerHour: e.PerHour, AtOnce: e.AtOnce, Enforced: e.Tried(due, now)})
		for _, name := range due {
			changed[name] = true
		}
		if len(e.Spent) > 3 {
			t.Fatalf("%d within an hour", len(e.Spent))
		}
	}
	if len(changed) == 0 {
		t.Error("nothing was changed")
	}
	none := &Enforcer{}
	if due, _, _ := none.Due(all, noon.Add(time.Minute)); len(due) > 0 {
		t.Errorf("%v are changed, and nobody may be", due)
	}
}

// again is an enforcer that goes on with what another one has kept.
func again(t *testing.T, e *Enforcer) *Enforcer {
	t.Helper()
	data, err := json.Marshal(e.Enforced)
	out := &Enforcer{PerHour: e.PerHour, AtOnce: e.AtOnce}
	if err == nil {
		err = json.Unmarshal(data, &out.Enforced)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}
