package verify_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/loomfabric/loom/pkg/verify"
)

func TestAChangeAnswersForWhatItBroughtAbout(t *testing.T) {
	t.Parallel()
	up := verify.Finding{ID: "session-down/a", Severity: verify.Error, Devices: []string{"leaf1", "spine1"}}
	absent, notice, follows := up, up, up
	absent.Absent = true
	notice.Absent, notice.Severity = true, verify.Notice
	follows.ID, follows.Causes, follows.Absent = "tunnel-missing/a", []string{up.ID}, true
	after := func(list ...verify.Finding) []verify.Finding { return list }
	for _, c := range []struct {
		name          string
		before, after []verify.Finding
		waits         string
		want          int
	}{
		{"nothing is wrong", nil, nil, "", 0},
		{"what broke is new", nil, after(up), "", 1},
		{"what was broken is not", after(up), after(up), "", 0},
		{"what was absent should be there now", after(absent), after(up), "", 1},
		{"what is still absent should be there now", after(absent), after(absent), "", 1},
		{"an end waits for its change", nil, after(up), "spine1", 0},
		{"somebody else waits", nil, after(up), "leaf9", 1},
		{"nothing may be plugged into a new port", after(notice), after(notice), "", 0},
		{"something was plugged in", nil, after(notice), "", 1},
		{"what was absent cannot come up over what was broken", after(up, follows), after(up, follows), "", 0},
		{"what stood over something broken fell", after(up), after(up, follows), "", 1},
		{"what was absent waits for who waits", after(follows), after(up, follows), "spine1", 0},
	} {
		var waiting func(string) bool
		if c.waits != "" {
			waiting = func(device string) bool { return device == c.waits }
		}
		if got := verify.New(c.before, c.after, waiting); len(got) != c.want {
			t.Errorf("%s: got %v, want %d", c.name, got, c.want)
		}
	}
}

// moments are what is found of fabrics with some of the faults.
func moments(t *testing.T, r *rand.Rand) []verify.Finding {
	w := newWorld(t, small)
	for range r.IntN(4) {
		faults[r.IntN(len(faults))].do(w)
	}
	first := verify.Check(w.design, w.Observed)
	if diff := cmp.Diff(first, verify.Check(w.design, w.Observed)); diff != "" {
		t.Errorf("two checks of one observation differ:\n%s", diff)
	}
	return first
}

func TestPropertiesOfFindings(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	names := []string{"spine1", "spine2", "leaf1", "leaf2", "leaf3", "leaf4"}
	for range 100 {
		before, after := moments(t, r), moments(t, r)
		known, inGroup := map[string]bool{}, map[string]bool{}
		for _, f := range after {
			if known[f.ID] {
				t.Errorf("%s is there twice", f.ID)
			}
			known[f.ID] = true
		}
		for _, g := range verify.Groups(after) {
			inGroup[g.ID] = true
			for _, id := range g.Takes {
				inGroup[id] = true
			}
		}
		for _, f := range after {
			if !inGroup[f.ID] {
				t.Errorf("%s has no root", f.ID)
			}
			for _, cause := range f.Causes {
				if !known[cause] {
					t.Errorf("%s: its cause %s is no finding", f.ID, cause)
				}
			}
		}
		waits := names[r.IntN(len(names))]
		properties(t, before, after, waits)
	}
}

// properties are what New promises for any two moments.
func properties(t *testing.T, before, after []verify.Finding, waits string) {
	t.Helper()
	waiting := func(device string) bool { return device == waits }
	has := func(list []verify.Finding, id string) *verify.Finding {
		i := slices.IndexFunc(list, func(f verify.Finding) bool { return f.ID == id })
		if i < 0 {
			return nil
		}
		return &list[i]
	}
	got := verify.New(before, after, waiting)
	for _, f := range got {
		if has(after, f.ID) == nil {
			t.Errorf("%s is not among those of after", f.ID)
		}
		if slices.Contains(f.Devices, waits) {
			t.Errorf("%s involves %s, which waits", f.ID, waits)
		}
		if old := has(before, f.ID); old != nil && !old.Absent {
			t.Errorf("%s was there before", f.ID)
		}
	}
	for _, f := range after {
		if has(before, f.ID) == nil && !slices.Contains(f.Devices, waits) && has(got, f.ID) == nil {
			t.Errorf("%s is new, and missed", f.ID)
		}
	}
	if all := verify.New(before, after, func(string) bool { return true }); len(all) > 0 {
		t.Errorf("everybody waits, and yet: %v", all)
	}
	if diff := cmp.Diff(after, verify.New(nil, after, nil), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("after a fabric in which all was well, all is new:\n%s", diff)
	}
}
