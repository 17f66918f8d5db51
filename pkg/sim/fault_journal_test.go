package sim_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/loomfabric/loom/pkg/sim"
)

func TestTheJournalHasEverySetAndEveryFault(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.mustSet(s.mtu("1500")) // before anybody asked
	var file bytes.Buffer
	s.sim.Record(&file, 100)
	s.mustSet(s.mtu("9000"))
	s.clock.Advance(time.Second)
	s.inject("refuse", "leaf1", "times=1")
	s.refuses(s.set(s.mtu("9001")), codes.Aborted, "")
	s.inject("foreign-change", "leaf1", "path="+mtuAt, "value=1501")
	if err := s.set(s.mtu("1")); err == nil {
		t.Error("an MTU of 1 was accepted")
	}
	all, err := s.sim.Journal()
	s.check(err)
	var events []string
	for i, e := range all {
		if e.Number != uint64(i+1) || e.Device != "leaf1" {
			t.Errorf("entry %d: %+v", i, e)
		}
		events = append(events, e.Event+" "+e.Code+e.Fault)
	}
	s.wants(events,
		"set OK", "inject f1 refuse leaf1 --on=any --form=plain --code=ABORTED --times=1", "strike f1 refuse leaf1 --on=any --form=plain --code=ABORTED --times=1",
		"clear f1 refuse leaf1 --on=any --form=plain --code=ABORTED --times=1", "set Aborted",
		"inject f2 foreign-change leaf1 --on=now --path='/interface[name=e1]/mtu' --value=1501 --times=1",
		"strike f2 foreign-change leaf1 --on=now --path='/interface[name=e1]/mtu' --value=1501 --times=1",
		"clear f2 foreign-change leaf1 --on=now --path='/interface[name=e1]/mtu' --value=1501 --times=1", "set InvalidArgument")
	first, refused, last := all[0], all[4], all[8]
	if first.Order != 1 || refused.Order != 0 || last.Order != 2 {
		t.Errorf("orders %d, %d, %d", first.Order, refused.Order, last.Order)
	}
	if first.Before == first.After || last.Before != last.After || last.Before == first.After {
		t.Errorf("hashes %v", all)
	}
	if !refused.Time.Equal(first.Time.Add(time.Second)) {
		t.Errorf("times %s, %s", first.Time, refused.Time)
	}
	var got gnmi.SetRequest
	if err := proto.Unmarshal(refused.Request, &got); err != nil || !proto.Equal(&got, s.mtu("9001")) {
		t.Errorf("%v, %v", &got, err)
	}
	var written sim.Entry
	lines := strings.Split(strings.TrimSpace(file.String()), "\n")
	s.check(json.Unmarshal([]byte(lines[8]), &written))
	if len(lines) != 9 || written.Message != last.Message || written.After != last.After || last.Message == "" {
		t.Errorf("%d lines, the last is %s", len(lines), lines[8])
	}
}

// An auditor of a controller has to tell what the controller did from what somebody else did at the box.
func TestTheJournalHasWhatIsDoneByHand(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.sim.Record(nil, 100)
	s.mustSet(open(s.mtu("9000"), "c1", time.Minute))
	if err := s.sim.Save("leaf1"); err == nil { // refused: nothing was done
		t.Error("saved what is not confirmed")
	}
	_, err := s.sim.Accept("leaf1")
	s.check(err)
	s.check(s.device.Save())
	if err := s.device.Accept(); err == nil {
		t.Error("a commit was accepted twice")
	}
	all, err := s.sim.Journal()
	s.check(err)
	var events []string
	for _, e := range all {
		events = append(events, strings.TrimSpace(e.Device+" "+e.Event+" "+e.Code+e.Commit))
	}
	s.wants(events, "leaf1 set OK", "leaf1 accept c1", "leaf1 save")
}

func TestTheJournalIsBounded(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.sim.Record(broken{}, 2)
	for range 5 {
		s.mustSet(s.mtu("9000"))
	}
	all, err := s.sim.Journal()
	if len(all) != 2 || all[0].Number != 4 || !errors.Is(err, errBroken) {
		t.Errorf("%v, %v", all, err)
	}
}

var errBroken = errors.New("disk full")

// broken is a disk that is full.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }
