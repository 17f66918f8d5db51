package sim_test

import (
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"

	"github.com/loomfabric/loom/pkg/sim"
)

const operAt = "/interface[name=e1]/oper-state"

var plantFaults = map[string]func(*stage){
	"cut": func(s *stage) {
		s.shows(operAt, "up")
		id := s.inject("cut", cableOne)
		s.shows(operAt, "down")
		s.clear(id)
		s.shows(operAt, "up")
	},
	"flap": func(s *stage) {
		s.inject("flap", "leaf2:e1", "delay=5s", "times=2")
		for range 2 {
			s.shows(operAt, "down")
			s.clock.Advance(5 * time.Second)
			s.shows(operAt, "up")
			s.clock.Advance(5 * time.Second)
		}
		if got := s.sim.Faults(); len(got) != 0 {
			s.Errorf("active: %+v", got)
		}
	},
	"swap": func(s *stage) {
		id := s.inject("swap", cableOne, "with="+cableTwo)
		s.shows("/interface[name=e1]/description", "leaf2:e2")
		s.shows("/interface[name=e2]/description", "leaf2:e1")
		s.clear(id)
		s.shows("/interface[name=e1]/description", "leaf2:e1")
	},
	"port-down": func(s *stage) {
		id := s.inject("port-down", "leaf2:e1")
		s.shows(operAt, "down")
		s.shows("/interface[name=e2]/oper-state", "up")
		s.clear(id)
		s.shows(operAt, "up")
	},
}

var powerFaults = map[string]func(*stage){
	"device-down": func(s *stage) {
		s.mustSet(s.mtu("9000"))
		id := s.inject("device-down", "leaf1")
		s.refuses(s.ask(), codes.Unavailable, "")
		s.clear(id)
		s.reconnect()
		s.has(mtuAt, "") // it was not saved
		id = s.inject("device-down", "leaf2")
		s.shows(operAt, "down")
		s.clear(id)
		s.shows(operAt, "up")
	},
	"unreachable": func(s *stage) {
		s.mustSet(s.mtu("9000"))
		s.mustSet(open(s.put(mtuAt, "9001"), "a", time.Minute))
		id := s.inject("unreachable", "leaf1")
		s.refuses(s.ask(), codes.Unavailable, "")
		s.clock.Advance(time.Minute)
		s.clear(id)
		s.reconnect()
		s.has(mtuAt, "9000") // the commit was taken back meanwhile
	},
	"reboot/before":     func(s *stage) { s.rebootsAt("before", sim.Change, codes.Unavailable, "") },
	"reboot/unanswered": func(s *stage) { s.rebootsAt("unanswered", sim.Change, codes.Unavailable, "9000") },
	"reboot/answered": func(s *stage) {
		s.rebootsAt("answered", sim.Change, codes.OK, "9000")
		s.inject("reboot", "leaf1", "form=answered", "on=commit", "times=1")
		s.mustSet(open(s.put(mtuAt, "9001"), "a", time.Minute))
		s.boots(2)
		s.has(mtuAt, "") // what was not confirmed was not saved
		s.refuses(s.set(confirm("a")), codes.FailedPrecondition, "no commit")
		s.rebootsWith()
	},
	"other-chassis": func(s *stage) {
		before := s.device.Hardware()
		s.mustSet(s.mtu("9000"))
		s.inject("other-chassis", "leaf1")
		if after := s.device.Hardware(); after.Serial == before.Serial || after.MAC == before.MAC {
			s.Errorf("still %s, %s", after.Serial, after.MAC)
		}
		s.reconnect()
		s.has(mtuAt, "")
		if s.peerFingerprint() == s.fingerprint() {
			s.Error("it shows the certificate of the box before")
		}
	},
}

// rebootsAt shows a reboot at a Set that changes a leaf, with a running configuration that survives.
func (s *stage) rebootsAt(form, on string, code codes.Code, after string) {
	s.Helper()
	s.inject("reboot", "leaf1", "form="+form, "on="+on, "boot=running", "times=1")
	s.refuses(s.set(s.mtu("9000")), code, "")
	s.boots(1)
	s.has(mtuAt, after)
	s.mustSet(&gnmi.SetRequest{Delete: []*gnmi.Path{s.path(mtuAt).GNMI()}})
	if err := s.device.Save(); err != nil {
		s.Fatal(err)
	}
}

// boots waits until the device is back from a boot, and connects to it anew.
func (s *stage) boots(n uint64) {
	s.Helper()
	s.soon("booted", func() bool { return s.device.Boots() == n })
	s.soon("reachable", func() bool { s.reconnect(); return s.ask() == nil })
}

// rebootsWith shows what a device comes back with.
func (s *stage) rebootsWith() {
	s.Helper()
	s.mustSet(s.mtu("1501"))
	s.check(s.device.Save())
	s.mustSet(s.mtu("1502"))
	s.check(s.device.Save())
	s.mustSet(s.mtu("1503"))
	for _, c := range []struct{ boot, value, mtu string }{
		{"startup", "", "1502"}, {"previous", "", "1501"}, {"running", "", "1501"},
		{"given", `{"interface":[{"name":"e1","mtu":1504}]}`, "1504"}, {"factory", "", ""},
	} {
		s.inject("reboot", "leaf1", "boot="+c.boot, "value="+c.value)
		s.reconnect()
		s.has(mtuAt, c.mtu)
	}
	boots := s.device.Boots()
	s.inject("reboot", "leaf1", "delay=5m")
	s.armed(5 * time.Minute)
	s.refuses(s.ask(), codes.Unavailable, "")
	s.clock.Advance(5 * time.Minute)
	s.boots(boots + 1)
}

func (s *stage) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}
