package sim_test

import (
	"context"
	"slices"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
)

var wireFaults = map[string]func(*stage){
	"blackhole": func(s *stage) {
		s.mustAsk("before")
		id := s.inject("blackhole", "leaf1")
		old := s.begin(s.mtu("9000"))
		s.hangs()
		s.reconnect()
		s.hangs()
		select {
		case err := <-old:
			s.Errorf("answered: %v", err)
		default:
		}
		s.clear(id)
		s.check(<-old)
		s.has(mtuAt, "9000")
		s.inject("blackhole", "leaf1") // and it can be closed like that
	},
	"half-open": func(s *stage) {
		s.mustAsk("before")
		id := s.inject("half-open", "leaf1")
		old := s.begin(s.mtu("9000"))
		s.hangs()
		s.reconnect()
		s.has(mtuAt, "")
		s.clear(id)
		s.refuses(<-old, codes.Unavailable, "")
	},
	"slow-network": func(s *stage) {
		s.mustAsk("before")
		s.inject("slow-network", "leaf1", "rate=100")
		done := s.begin(s.put("/interface[name=e1]/description", `"`+string(slices.Repeat([]byte("x"), 1000))+`"`))
		began := s.clock.Now()
		for {
			select {
			case err := <-done:
				s.check(err)
				if took := s.clock.Now().Sub(began); took < 10*time.Second || took > 30*time.Second {
					s.Errorf("1,000 bytes at 100 a second took %s", took)
				}
				return
			case d := <-s.time.armed:
				s.clock.Advance(d)
			}
		}
	},
}

// hangs fails unless an RPC is not answered within a moment.
func (s *stage) hangs() {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, 200*time.Millisecond)
	defer cancel()
	_, err := s.gnmi.Capabilities(ctx, &gnmi.CapabilityRequest{})
	s.refuses(err, codes.DeadlineExceeded, "")
}
