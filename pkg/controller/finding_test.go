package controller

import (
	"slices"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/verify"
)

func cut(causes ...string) verify.Finding {
	return verify.Finding{ID: "session-down/a - b", Kind: verify.SessionDown, Severity: verify.Error, Devices: []string{"a", "b"}, Object: "a - b", Message: "a - b is down", Causes: causes}
}

func dead(device string) verify.Finding {
	return verify.Finding{ID: "device-unreachable/" + device, Kind: verify.DeviceUnreachable, Severity: verify.Error, Devices: []string{device}, Object: device, Message: device + " cannot be read"}
}

func TestFindingsComeAndGoByWhatIsKnown(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var (
		seen   = map[string]Sight{}
		unseen = map[string]Sight{"a": Unseen}
		silent = map[string]Sight{"a": Silent}
		both   = map[string]Sight{"a": Silent, "b": Silent}
		aside  = map[string]Sight{"a": Aside}
		absent = map[string]Sight{"a": Foreign}
	)
	notice := cut()
	notice.Severity = verify.Notice
	withdrawn := cut()
	withdrawn.Withdrawn = true
	for _, tc := range []struct {
		name  string
		kept  []verify.Finding
		found []verify.Finding
		sight map[string]Sight
		after time.Duration // since it was first found
		want  []string      // kept in the end
	}{
		{"what is found for long comes", nil, []verify.Finding{cut()}, seen, settling, []string{cut().ID}},
		{"what is found for a moment does not", nil, []verify.Finding{cut()}, seen, settling - 1, nil},
		{"what may be of a moment that is over does not come", nil, []verify.Finding{cut()}, unseen, time.Hour, nil},
		{"what is not found any more goes", []verify.Finding{cut()}, nil, seen, 0, nil},
		{"it stays while one of its ends was not seen", []verify.Finding{cut()}, nil, unseen, time.Hour, []string{cut().ID}},
		{"it goes where the other end does not answer", []verify.Finding{cut()}, nil, silent, 0, nil},
		{"it stays where nobody answers", []verify.Finding{cut()}, nil, both, time.Hour, []string{cut().ID}},
		{"a device that answers again is not unreachable", []verify.Finding{dead("a")}, nil, seen, 0, nil},
		{"a device that is asked for the first time stays unreachable", []verify.Finding{dead("a")}, nil, unseen, time.Hour, []string{dead("a").ID}},
		{"what is of a device that is maintained goes", []verify.Finding{cut()}, []verify.Finding{cut()}, aside, 0, nil},
		{"what only follows from one that is maintained does not come", nil, []verify.Finding{dead("a"), {ID: "x", Devices: []string{"b"}, Causes: []string{dead("a").ID}, Severity: verify.Error}}, aside, time.Hour, nil},
		{"what is of a device that is no longer designed goes", []verify.Finding{dead("a")}, nil, absent, 0, nil},
		{"notices are not told", nil, []verify.Finding{notice}, seen, time.Hour, nil},
		{"what is to be away is not missed", nil, []verify.Finding{withdrawn}, seen, time.Hour, nil},
	} {
		s := Findings{Topology: "demo"}
		var kept []Finding
		for _, f := range tc.kept {
			kept = append(kept, Finding{Finding: f, Topology: "demo", Since: began, Said: began})
		}
		s.Restore(kept)
		sight := func(name string) Sight {
			if how, there := tc.sight[name]; there {
				return how
			}
			return Seen
		}
		for _, at := range []time.Duration{0, tc.after} {
			s.Keep(s.Look(tc.found, func(verify.Finding) string { return "demo.yaml:1:1" }, sight, began.Add(at)))
		}
		var got []string
		for id, f := range s.kept {
			got = append(got, id)
			if f.Since != began {
				t.Errorf("%s: since %v, want %v", tc.name, f.Since, began)
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}

// Numbers that are measured change all the time. They are kept now and then, as if nothing had happened.
func TestWhatAFindingSaysIsKeptNowAndThen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := Findings{Topology: "demo"}
	s.Restore([]Finding{{Finding: cut(), Topology: "demo", Since: now, Said: now}})
	kept := 0
	for i := range 3600 {
		f := cut()
		f.Message += time.Duration(i).String()
		n := s.Look([]verify.Finding{f}, func(verify.Finding) string { return "" }, func(string) Sight { return Seen }, now.Add(time.Duration(i)*time.Second))
		if len(n.Came)+len(n.Changed)+len(n.Gone)+len(n.Events(now)) > 0 {
			t.Fatalf("other words are news: %+v", n)
		}
		kept += len(n.Reworded)
		s.Keep(n)
	}
	if kept < 60 || kept > 70 {
		t.Errorf("kept %d times in an hour, want about once a minute", kept)
	}
}

func TestADeviceIsSeenAsItIsOrNotAtAll(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	grace := 5 * time.Second
	var s Sighting
	want := func(what string, at time.Duration, want Sight) {
		t.Helper()
		if _, got, _ := s.See(grace, now.Add(at)); got != want {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	want("before the first attempt has ended, however long it takes", time.Hour, Unseen)
	s.Lose("connection refused", now)
	want("when it has failed", grace-1, Unseen)
	want("when it has failed for longer than the grace", grace, Silent)
	s.Lose("connection refused", now.Add(grace))
	want("after another attempt", grace, Silent)
	asked := s.Ask()
	s.Show(verify.Device{LLDP: true}, asked, now.Add(grace))
	want("when it has answered", grace, Seen)
	asked = s.Ask()
	s.Busy(true)
	want("while a transaction changes it", grace, Unseen)
	s.Show(verify.Device{}, asked, now)
	want("and an answer to an earlier question", grace, Unseen)
	asked = s.Ask()
	s.Busy(false)
	s.Show(verify.Device{}, asked, now)
	want("and to a question from before it was over", grace, Unseen)
	if !s.Stale() {
		t.Error("nobody would ask again")
	}
	s.Show(verify.Device{}, s.Ask(), now)
	want("and to a later one", grace, Seen)
}
