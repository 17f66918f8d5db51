package srlsim

import (
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
	"github.com/loomfabric/loom/pkg/srlinux"
)

// A device that nobody looks at puts away what it has shown. It still knows since when each thing is as it is, and how often
// it has changed.
func TestWhatIsPutAwayIsNotForgotten(t *testing.T) {
	t.Parallel()
	clock := sim.NewManualClock(now)
	s, err := sim.Start(t.Context(), sim.Config{Clock: clock, Devices: []sim.Spec{{
		Name: "leaf1", Platform: "7220-IXR-D2L", Driver: srlinux.Driver(), Software: Software(),
		Ports: []network.Jack{{Name: "ethernet-1/1", Speed: "25G"}, {Name: "ethernet-1/2", Speed: "25G"}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d := s.Device("leaf1")
	set := func(port, state string) {
		t.Helper()
		path := config.Path{{Name: "interface", Keys: []config.KeyValue{{Name: "name", Value: port}}}, {Name: "admin-state"}}
		val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(`"` + state + `"`)}}
		if err := d.Apply(&gnmi.SetRequest{Update: []*gnmi.Update{{Path: path.GNMI(), Val: val}}}); err != nil {
			t.Fatal(err)
		}
		if err := s.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	changed := func(port string) string {
		view, _ := d.View(false)
		path := config.Path{{Name: "interface", Keys: []config.KeyValue{{Name: "name", Value: port}}}, {Name: "last-change"}}
		return view.Find(path).Value()
	}
	set("ethernet-1/1", "enable")
	before := changed("ethernet-1/1")
	for range 3 {
		clock.Advance(time.Hour)
		s.PutAway(time.Minute)
		set("ethernet-1/2", "enable")
		set("ethernet-1/2", "disable")
		if got := changed("ethernet-1/1"); got != before {
			t.Errorf("last-change of a port that nobody has touched was %s and is %s", before, got)
		}
	}
}
