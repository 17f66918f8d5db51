package sim_test

import (
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/sim"
)

const mtuAt = "/interface[name=e1]/mtu"

var setFaults = map[string]func(*stage){
	"slow-set": func(s *stage) {
		s.inject("slow-set", "leaf1", "delay=30s")
		done := s.begin(s.mtu("9000"))
		s.armed(30 * time.Second)
		s.has(mtuAt, "")
		s.clock.Advance(30 * time.Second)
		if err := <-done; err != nil {
			s.Error(err)
		}
		s.has(mtuAt, "9000")
	},
	"slow-answer": func(s *stage) {
		s.inject("slow-answer", "leaf1", "delay=30s", "times=1")
		done := s.begin(s.mtu("9000"))
		s.armed(30 * time.Second)
		s.has(mtuAt, "9000")
		select {
		case err := <-done:
			s.Errorf("answered at once: %v", err)
		default:
		}
		s.clock.Advance(30 * time.Second)
		if err := <-done; err != nil {
			s.Error(err)
		}
	},
	"refuse/plain": func(s *stage) {
		for c := codes.Canceled; c <= codes.Unauthenticated; c++ {
			s.inject("refuse", "leaf1", "times=1", "code="+c.String(), "message=go away")
			s.refuses(s.set(s.mtu("9000")), c, "go away")
		}
		s.has(mtuAt, "")
	},
	"refuse/details": func(s *stage) {
		s.inject("refuse", "leaf1", "form=details", "on=confirm")
		s.mustSet(open(s.mtu("9000"), "a", time.Minute))
		err := s.set(confirm("a"))
		s.refuses(err, codes.Aborted, "")
		if len(status.Convert(err).Details()) != 1 {
			s.Errorf("%v has no details", err)
		}
		if s.device.Pending() != "a" {
			s.Error("the commit is not open any more")
		}
	},
	"disconnect/before":           func(s *stage) { s.disconnects("before", "") },
	"disconnect/after":            func(s *stage) { s.disconnects("after", "9000") },
	"malformed-result/missing":    func(s *stage) { s.results("missing") },
	"malformed-result/extra":      func(s *stage) { s.results("extra", "D a", "D a", "U b") },
	"malformed-result/reversed":   func(s *stage) { s.results("reversed", "U b", "D a") },
	"malformed-result/paths":      func(s *stage) { s.results("paths", "D elsewhere", "U elsewhere") },
	"malformed-result/operations": func(s *stage) { s.results("operations", "I a", "I b") },
	"half-applied": func(s *stage) {
		s.inject("half-applied", "leaf1", "code=INTERNAL", "on=commit")
		req := &gnmi.SetRequest{Update: []*gnmi.Update{s.update(mtuAt, "9000"), s.update("/interface[name=e2]/mtu", "9001"), s.update("/interface[name=e3]/mtu", "9002")}}
		s.refuses(s.set(open(req, "a", time.Minute)), codes.Internal, "")
		s.has(mtuAt, "9000")
		s.has("/interface[name=e2]/mtu", "9001")
		s.has("/interface[name=e3]/mtu", "")
		s.refuses(s.set(confirm("a")), codes.FailedPrecondition, "")
	},
	"leaf-ignored": func(s *stage) {
		s.inject("leaf-ignored", "leaf1", "path="+mtuAt)
		stream := s.subscribe(&gnmi.SubscriptionList{UpdatesOnly: true}, "/interface[name=e1]/mtu", "/interface[name=e1]/vlan-tagging")
		s.untilSync(stream)
		req := &gnmi.SetRequest{Update: []*gnmi.Update{s.update("/interface[name=e1]", `{"mtu":9000,"vlan-tagging":true}`)}}
		resp, err := s.gnmi.Set(s.ctx, req)
		if err != nil || len(resp.GetResponse()) != 1 {
			s.Fatal(resp, err)
		}
		s.has(mtuAt, "")
		s.wants(s.next(stream), "/interface[name=e1]/vlan-tagging true") // and never the other
	},
	"nothing-applied": func(s *stage) {
		s.inject("nothing-applied", "leaf1", "on=change")
		s.mustSet(open(s.mtu("9000"), "a", time.Minute))
		s.has(mtuAt, "")
		s.refuses(s.set(confirm("a")), codes.FailedPrecondition, "no commit")
	},
	"extension-ignored": func(s *stage) {
		s.inject("extension-ignored", "leaf1", "times=2")
		s.mustSet(confirm("a")) // an empty Set, once the extension is gone
		s.mustSet(open(s.mtu("9000"), "a", time.Minute))
		s.has(mtuAt, "9000")
		if id := s.device.Pending(); id != "" {
			s.Errorf("commit %s is open", id)
		}
		s.clock.Advance(time.Hour)
		s.has(mtuAt, "9000")
		s.refuses(s.set(confirm("a")), codes.FailedPrecondition, "no commit")
	},
	"normalise": func(s *stage) {
		s.inject("normalise", "leaf1", "path=/interface[name=e1]/description", `value="rack 1"`)
		s.mustSet(s.put("/interface[name=e1]/description", `" RACK 1"`))
		s.has("/interface[name=e1]/description", `"rack 1"`)
		s.inject("normalise", "leaf1", "path="+mtuAt)
		s.mustSet(s.mtu("9000"))
		s.has(mtuAt, "")
	},
	"revert": func(s *stage) {
		s.inject("revert", "leaf1", "delay=1m", "times=1")
		s.mustSet(s.mtu("9000"))
		s.mustSet(s.put("/interface[name=e1]/vlan-tagging", "true"))
		s.has(mtuAt, "9000")
		s.clock.Advance(time.Minute)
		s.has(mtuAt, "")
		s.has("/interface[name=e1]/vlan-tagging", "true")
	},
}

// disconnects shows a Set that is lost with its connection, and what became of it.
func (s *stage) disconnects(form, mtu string) {
	s.Helper()
	s.inject("disconnect", "leaf1", "form="+form, "times=1")
	s.refuses(s.set(s.mtu("9000")), codes.Unavailable, "")
	s.reconnect()
	s.has(mtuAt, mtu)
	s.mustSet(s.mtu("9001"))
	if boots := s.device.Boots(); boots != 0 {
		s.Errorf("it has booted %d times", boots)
	}
}

// results shows what a client gets for the results of a Set that deletes a and updates b.
func (s *stage) results(form string, want ...string) {
	s.Helper()
	s.inject("malformed-result", "leaf1", "form="+form)
	resp, err := s.gnmi.Set(s.ctx, &gnmi.SetRequest{
		Delete: []*gnmi.Path{s.path("/policy[name=a]").GNMI()},
		Update: []*gnmi.Update{s.update("/policy[name=b]", "{}")},
	})
	if err != nil {
		s.Fatal(err)
	}
	var got []string
	for _, r := range resp.GetResponse() {
		at := r.GetPath().GetElem()[0]
		name := at.GetName()
		if key := at.GetKey()["name"]; key != "" {
			name = key
		}
		got = append(got, r.GetOp().String()[:1]+" "+name)
	}
	s.wants(got, want...)
	if !s.device.Running().Find(s.path("/policy[name=b]")).Valid() {
		s.Error("the Set was not done")
	}
}

var configFaults = map[string]func(*stage){
	"foreign-change": func(s *stage) {
		s.inject("foreign-change", "leaf1", "path=/interface[name=e2]/mtu", "value=1500")
		s.has("/interface[name=e2]/mtu", "1500")
		s.inject("foreign-change", "leaf1", "path=/interface[name=e2]/mtu", "on=commit", "times=1")
		s.mustSet(open(s.mtu("9000"), "a", time.Minute))
		s.has("/interface[name=e2]/mtu", "")
		if s.device.Pending() != "a" {
			s.Error("the commit is not open any more")
		}
		if _, err := s.tryInject("foreign-change", "leaf1", "path=/no/such"); err == nil {
			s.Error("a change that the device refuses was accepted")
		}
	},
	"foreign-commit": func(s *stage) {
		id := s.inject("foreign-commit", "leaf1", "path=/interface[name=e2]/mtu", "value=1500")
		s.refuses(s.set(s.mtu("9000")), codes.FailedPrecondition, `commit "foreign-f1" is waiting`)
		s.refuses(s.set(confirm("a")), codes.InvalidArgument, "")
		s.clear(id)
		s.has("/interface[name=e2]/mtu", "")
		s.inject("foreign-commit", "leaf1", "delay=10s")
		s.refuses(s.set(s.mtu("9000")), codes.FailedPrecondition, "")
		s.clock.Advance(10 * time.Second)
		s.mustSet(s.mtu("9000"))
	},
	"expire-commit": func(s *stage) {
		s.mustSet(open(s.mtu("9000"), "a", time.Hour))
		s.inject("expire-commit", "leaf1")
		s.has(mtuAt, "9000")
		s.refuses(s.set(confirm("a")), codes.FailedPrecondition, "no commit")
		s.has(mtuAt, "")
		s.mustSet(open(s.mtu("9000"), "b", time.Hour))
		s.inject("expire-commit", "leaf1", "on="+sim.Now)
		s.has(mtuAt, "")
	},
}
