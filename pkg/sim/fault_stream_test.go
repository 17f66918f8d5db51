package sim_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
)

var streamFaults = map[string]func(*stage){
	"stall": func(s *stage) {
		stream := s.subscribe(&gnmi.SubscriptionList{UpdatesOnly: true}, mtuAt)
		s.untilSync(stream)
		id := s.inject("stall", "leaf1")
		s.mustSet(s.mtu("9000")) // the device is alive, only its streams are not
		s.struck(id)
		got := make(chan []string, 1)
		go func() { got <- s.next(stream) }()
		select {
		case said := <-got:
			s.Errorf("said %v", said)
		default: // what was to be said is with the fault
		}
		s.clear(id)
		s.wants(<-got, mtuAt+" 9000")
	},
	"end-stream": func(s *stage) {
		s.inject("end-stream", "leaf1", "code=RESOURCE_EXHAUSTED", "times=1")
		_, err := s.subscribe(&gnmi.SubscriptionList{}, mtuAt).Recv()
		s.refuses(err, codes.ResourceExhausted, "")
		s.untilSync(s.subscribe(&gnmi.SubscriptionList{}, mtuAt))
	},
	"sync/missing": func(s *stage) { s.hears("sync", "missing", "host", "mtu") },
	"sync/early":   func(s *stage) { s.hears("sync", "early", "sync", "host", "mtu") },
	"sync/twice":   func(s *stage) { s.hears("sync", "twice", "host", "sync", "sync", "mtu") },
	"unasked": func(s *stage) {
		s.inject("unasked", "leaf1", "path=/interface[name=e7]/mtu", "value=1500")
		stream, err := s.gnmi.Subscribe(s.ctx)
		s.check(err)
		s.wants(s.next(stream), "/interface[name=e7]/mtu 1500") // nothing was sent to the device
	},
	"drop": func(s *stage) {
		id := s.inject("drop", "leaf1", "count=1")
		stream := s.subscribe(&gnmi.SubscriptionList{}, mtuAt, "/system/name/host-name")
		s.untilSync(stream) // the host name was lost, and sync_response is none of those that are
		s.mustSet(s.mtu("9000"))
		s.soon("lost", func() bool { return s.sim.Faults()[0].Struck == 2 })
		s.clear(id)
		s.mustSet(s.mtu("9001"))
		s.wants(s.next(stream), mtuAt+" 9001")
		s.inject("drop", "leaf1", "times=1", "seed=1")
		for mtu := 1500; len(s.sim.Faults()) > 0; mtu++ { // it counts what is lost, not what is sent
			s.mustSet(s.mtu(fmt.Sprint(mtu)))
		}
	},
	"duplicate": func(s *stage) { s.hears("duplicate", "", "host", "host", "sync", "mtu", "mtu") },
	"late": func(s *stage) {
		s.hears("late", "", "host", "sync", "mtu", "host")
	},
	"timestamps/backwards": func(s *stage) {
		s.dated("backwards", func(first, second, now int64) bool { return second < first && first < now })
	},
	"timestamps/same": func(s *stage) {
		s.dated("same", func(first, second, now int64) bool { return first == second })
	},
	"timestamps/random": func(s *stage) {
		s.dated("random", func(first, second, now int64) bool {
			return first != second && max(first, second) <= now && min(first, second) > now-int64(time.Hour)
		})
	},
	"timestamps/future": func(s *stage) {
		s.dated("future", func(first, second, now int64) bool { return min(first, second) > now+int64(9*365*24*time.Hour) })
	},
	"timestamps/zero": func(s *stage) {
		s.dated("zero", func(first, second, now int64) bool { return first == 0 && second == 0 })
	},
	"timestamps/negative": func(s *stage) {
		s.dated("negative", func(first, second, now int64) bool { return first < 0 && second < 0 })
	},
	"atomic": func(s *stage) {
		s.inject("atomic", "leaf1", "seed=1")
		stream := s.subscribe(&gnmi.SubscriptionList{UpdatesOnly: true}, mtuAt)
		s.untilSync(stream)
		seen := map[bool]bool{}
		for mtu := 1500; !seen[true] || !seen[false]; mtu++ {
			s.mustSet(s.mtu(fmt.Sprint(mtu)))
			seen[s.notification(stream).GetAtomic()] = true
		}
	},
	"delete-root": func(s *stage) {
		stream := s.subscribe(&gnmi.SubscriptionList{UpdatesOnly: true}, mtuAt)
		s.untilSync(stream)
		s.inject("delete-root", "leaf1", "times=1")
		s.wants(s.next(stream), "-/")
		s.mustSet(s.mtu("9000"))
		s.wants(s.next(stream), mtuAt+" 9000")
	},
}

// struck waits until a fault has struck.
func (s *stage) struck(id string) {
	s.Helper()
	s.soon("struck", func() bool {
		for _, f := range s.sim.Faults() {
			if f.ID == id {
				return f.Struck > 0
			}
		}
		return true
	})
}

// hears shows what a client hears that subscribes to the host name and a leaf that is set afterwards.
func (s *stage) hears(kind, form string, want ...string) {
	s.Helper()
	parameters := []string{}
	if form != "" {
		parameters = []string{"form=" + form}
	}
	s.inject(kind, "leaf1", parameters...)
	stream := s.subscribe(&gnmi.SubscriptionList{}, "/system/name/host-name", mtuAt)
	for i, w := range want {
		if i > 0 && w == "mtu" && want[i-1] != "mtu" {
			s.mustSet(s.mtu("9000"))
		}
		resp, err := stream.Recv()
		s.check(err)
		said := "sync"
		if !resp.GetSyncResponse() {
			said = strings.Join(told(resp.GetUpdate()), "")
		}
		if !strings.Contains(said, w) {
			s.Errorf("message %d: %s, want %s", i, said, w)
		}
	}
	s.sim.Clear("f1")
	s.mustSet(s.mtu("9001"))
	if said := s.next(stream); len(said) != 1 || said[0] != mtuAt+" 9001" {
		s.Errorf("after it: %v", said)
	}
}

// dated shows the timestamps of two notifications.
func (s *stage) dated(form string, right func(first, second, now int64) bool) {
	s.Helper()
	s.clock.Advance(time.Hour)
	s.inject("timestamps", "leaf1", "form="+form)
	stream := s.subscribe(&gnmi.SubscriptionList{UpdatesOnly: true}, mtuAt)
	s.untilSync(stream)
	var stamps []int64
	for _, mtu := range []string{"9000", "9001"} {
		s.clock.Advance(time.Second)
		s.mustSet(s.mtu(mtu))
		stamps = append(stamps, s.notification(stream).GetTimestamp())
	}
	if !right(stamps[0], stamps[1], s.clock.Now().UnixNano()) {
		s.Errorf("%d", stamps)
	}
}

// notification returns the next notification of a stream.
func (s *stage) notification(stream gnmi.GNMI_SubscribeClient) *gnmi.Notification {
	s.Helper()
	for {
		resp, err := stream.Recv()
		s.check(err)
		if resp.GetUpdate() != nil {
			return resp.GetUpdate()
		}
	}
}

var garbageFaults = map[string]func(*stage){
	"garbage/random":    func(s *stage) { s.undecodable("random") },
	"garbage/truncated": func(s *stage) { s.undecodable("truncated") },
	"garbage/utf8":      func(s *stage) { s.undecodable("utf8") },
	"garbage/huge": func(s *stage) {
		_, err := s.garbage("huge", "count=5000000").Recv()
		s.refuses(err, codes.ResourceExhausted, "received message larger than max")
	},
	"garbage/deep": func(s *stage) {
		if n := len(s.firstUpdate("deep").GetPath().GetElem()); n != 10_000 {
			s.Errorf("%d elements", n)
		}
	},
	"garbage/huge-key": func(s *stage) {
		if n := len(s.firstUpdate("huge-key").GetPath().GetElem()[0].GetKey()["name"]); n != 1<<20 {
			s.Errorf("%d bytes", n)
		}
	},
	"garbage/nan": func(s *stage) {
		if v := s.firstUpdate("nan").GetVal().GetDoubleVal(); !math.IsNaN(v) {
			s.Errorf("%v", v)
		}
	},
	"garbage/distinct": func(s *stage) {
		s.inject("garbage", "leaf1", "form=distinct", "count=5000", "rate=1000")
		stream := s.subscribe(&gnmi.SubscriptionList{UpdatesOnly: true}, mtuAt)
		seen := map[string]bool{}
		for len(seen) < 5000 {
			if n := s.pumped(stream); n != nil {
				for _, said := range told(n) {
					seen[said] = true
				}
			}
		}
		if n := s.pumped(stream); !seen[told(n)[0]] {
			s.Error("more paths than asked for")
		}
	},
	"garbage/no-value": func(s *stage) {
		if u := s.firstUpdate("no-value"); u.GetVal() != nil || u.GetPath() != nil {
			s.Errorf("%v", u)
		}
	},
	"garbage/no-json": func(s *stage) {
		if v := s.firstUpdate("no-json").GetVal().GetJsonIetfVal(); string(v) != `{"` {
			s.Errorf("%s", v)
		}
	},
	"garbage/unknown": func(s *stage) {
		if n := s.firstUpdate("unknown").GetPath().GetElem()[0].GetName(); n != "no" {
			s.Errorf("%s", n)
		}
	},
	"garbage/empty": func(s *stage) {
		resp, err := s.garbage("empty").Recv()
		if err != nil || resp.GetResponse() != nil {
			s.Errorf("%v, %v", resp, err)
		}
	},
	"firehose": func(s *stage) {
		s.inject("firehose", "leaf1", "rate=5000", "count=10")
		stream := s.subscribe(&gnmi.SubscriptionList{UpdatesOnly: true}, mtuAt)
		began := s.clock.Now()
		for i := range 2000 {
			n := s.pumped(stream)
			want := fmt.Sprintf(`/interface[name=sim-%d]/description "%d"`, i%10, i)
			if got := told(n); len(got) != 1 || got[0] != want {
				s.Fatalf("got %v, want %s", got, want)
			}
		}
		if took := s.clock.Now().Sub(began); took < 390*time.Millisecond || took > time.Second {
			s.Errorf("2,000 updates at 5,000 a second took %s", took)
		}
	},
}

// pumped returns the next notification of a stream, and lets the time pass that it needs.
func (s *stage) pumped(stream gnmi.GNMI_SubscribeClient) *gnmi.Notification {
	s.Helper()
	got := make(chan *gnmi.Notification, 1)
	go func() { got <- s.notification(stream) }()
	for {
		select {
		case n := <-got:
			return n
		case d := <-s.time.armed:
			s.clock.Advance(d)
		}
	}
}

// garbage returns a stream that gets one message of garbage.
func (s *stage) garbage(form string, parameters ...string) gnmi.GNMI_SubscribeClient {
	s.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	s.Cleanup(cancel)
	stream, err := s.gnmi.Subscribe(ctx)
	s.check(err)
	// The RPC is at the device when the device has said something about it.
	s.check(stream.Send(&gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: &gnmi.SubscriptionList{
		Encoding: gnmi.Encoding_JSON_IETF, UpdatesOnly: true,
		Subscription: []*gnmi.Subscription{{Path: s.path(mtuAt).GNMI(), Mode: gnmi.SubscriptionMode_ON_CHANGE}},
	}}}))
	s.untilSync(stream)
	s.inject("garbage", "leaf1", append(parameters, "form="+form, "times=1")...)
	return stream
}

// firstUpdate returns the update that is the garbage.
func (s *stage) firstUpdate(form string) *gnmi.Update {
	s.Helper()
	return s.notification(s.garbage(form)).GetUpdate()[0]
}

// undecodable shows garbage that no client can read, and that the device serves others.
func (s *stage) undecodable(form string) {
	s.Helper()
	_, err := s.garbage(form).Recv()
	s.refuses(err, codes.Internal, "failed to unmarshal")
	s.untilSync(s.subscribe(&gnmi.SubscriptionList{}, mtuAt))
}

// fingerprint is what the inventory says of the device's certificate.
func (s *stage) fingerprint() string {
	entry, _ := s.sim.Inventory().Find("leaf1")
	return entry.Fingerprint
}

// peerFingerprint is that of the certificate that it shows.
func (s *stage) peerFingerprint() string {
	s.Helper()
	conn, err := tls.Dial("tcp", s.device.Address(), &tls.Config{RootCAs: authority(s.T, s.sim), ServerName: "leaf1", NextProtos: []string{"h2"}})
	s.check(err)
	defer conn.Close()
	sum := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].Raw)
	return hex.EncodeToString(sum[:])
}
