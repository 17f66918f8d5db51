package sim

import (
	"context"
	"sync"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// sendFunc sends a message of a Subscribe.
type sendFunc func(*gnmi.SubscribeResponse) error

// streamKinds are about what a device tells its subscribers.
var streamKinds = []*Kind{
	{Name: "stall", At: AtDevice, Help: "streams stand still: nothing is sent, and TCP is alive", send: stall},
	{
		Name: "end-stream", At: AtDevice, Help: "a stream ends with a code at its next message",
		Takes: []string{"code", "message"}, Default: Fault{Code: codes.Unavailable},
		send: func(f *injected, _ *faultyStream, _ *gnmi.SubscribeResponse, _ sendFunc) error { return f.refusal() },
	},
	{
		Name: "sync", At: AtDevice, Help: "sync_response does not come once, after the first state", send: missync,
		Forms: []Form{{"missing", "it never comes"}, {"early", "it comes before the first update"}, {"twice", "it comes twice"}},
	},
	{
		Name: "unasked", At: AtDevice, Help: "an update arrives before anything was subscribed to",
		Takes: []string{"path", "value"}, Default: Fault{Value: `"unasked"`}, seat: &seat{leaf: true, state: true, counted: true, spoken: `"unasked"`}, open: speakFirst,
	},
	{
		Name: "drop", At: AtDevice, Help: "notifications are lost on their way, one of count by chance; the stream goes on as if nothing had been",
		Takes: []string{"count", "seed"}, Default: Fault{Count: 2}, heeds: unlucky,
		send: func(*injected, *faultyStream, *gnmi.SubscribeResponse, sendFunc) error { return nil },
	},
	{Name: "duplicate", At: AtDevice, Help: "every notification arrives twice", send: duplicate},
	{Name: "late", At: AtDevice, Help: "after each notification the one before it arrives once more, with its older timestamp", send: late},
	{
		Name: "timestamps", At: AtDevice, Help: "timestamps are not those of the changes", Takes: []string{"seed"}, send: misdate,
		Forms: []Form{
			{"backwards", "each is older than the one before"}, {"same", "all are the same"}, {"random", "any time of the last hour"},
			{"future", "ten years from now"}, {"zero", "1970"}, {"negative", "before 1970"},
		},
	},
	{Name: "atomic", At: AtDevice, Help: "some notifications say that they are atomic: all that there is below their prefix (gNMI specification 2.1.1)", Takes: []string{"seed"}, send: callAtomic},
	{
		Name: "delete-root", At: AtDevice, Help: "subscribers are told that the root was deleted", Takes: []string{"rate"},
		Default: Fault{Rate: 1}, pump: deleteRoot,
	},
}

// faultyStream is a Subscribe of a device that may have faults. Messages come from the subscription and
// from faults, so that they are sent one at a time.
type faultyStream struct {
	gnmi.GNMI_SubscribeServer
	device *Device

	sending sync.Mutex // held while a message is sent
	mu      sync.Mutex // guards what follows
	begun   bool       // something was sent
	last    *gnmi.SubscribeResponse
	stamp   int64 // of the last notification
}

// faultyStream is the way of everything that a Subscribe sends through the faults that are injected.
func (d *Device) faultyStream(stream gnmi.GNMI_SubscribeServer) gnmi.GNMI_SubscribeServer {
	s := &faultyStream{GNMI_SubscribeServer: stream, device: d}
	b := d.sim.faults
	b.mu.Lock()
	b.streams[s] = true
	b.mu.Unlock()
	context.AfterFunc(stream.Context(), func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.streams, s)
	})
	for _, f := range b.of(d, func(k *Kind) bool { return k.open != nil && k.pump == nil }) {
		f.kind.open(f, s)
	}
	for _, f := range b.of(d, func(k *Kind) bool { return k.pump != nil }) {
		f.pump(s)
	}
	return s
}

// streamsOf returns the open streams of a device.
func (b *book) streamsOf(d *Device) []*faultyStream {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []*faultyStream
	for s := range b.streams {
		if s.device == d {
			out = append(out, s)
		}
	}
	return out
}

// Send sends a message of the subscription, as the faults of the device will have it: the last one first.
func (s *faultyStream) Send(m *gnmi.SubscribeResponse) error {
	send := s.out
	for _, f := range s.device.sim.faults.of(s.device, func(k *Kind) bool { return k.send != nil }) {
		send = f.overStream(s, send)
	}
	return send(m)
}

// overStream returns how a stream sends that has this fault too.
func (f *injected) overStream(s *faultyStream, next sendFunc) sendFunc {
	return func(m *gnmi.SubscribeResponse) error {
		if f.kind.heeds != nil && !f.kind.heeds(f, m) || !f.strike() {
			return next(m)
		}
		defer f.release()
		return f.kind.send(f, s, m, next)
	}
}

// out sends a message for real.
func (s *faultyStream) out(m *gnmi.SubscribeResponse) error {
	s.sending.Lock()
	defer s.sending.Unlock()
	if err := s.Context().Err(); err != nil {
		return err
	}
	return s.GNMI_SubscribeServer.Send(m)
}

// pump sends what the fault makes until it or the stream ends. Numbers count from 0 in each stream.
func (f *injected) pump(s *faultyStream) {
	f.inBackground(func() {
		for n := 0; f.strike(); n++ {
			err := s.out(f.kind.pump(f, n))
			f.release()
			if err != nil || !f.pace(s.Context(), n) {
				return
			}
		}
	})
}

// pace waits until the next message is due, Rate of them a second. Timers are not finer than a few
// milliseconds, so faster messages come in bursts.
func (f *injected) pace(ctx context.Context, n int) bool {
	burst := max(1, f.Rate/100)
	if (n+1)%burst != 0 {
		return ctx.Err() == nil
	}
	return f.wait(ctx, time.Duration(burst)*time.Second/time.Duration(f.Rate))
}

func stall(f *injected, s *faultyStream, m *gnmi.SubscribeResponse, next sendFunc) error {
	select {
	case <-f.done:
		return next(m)
	case <-s.Context().Done():
		return s.Context().Err()
	}
}

func missync(f *injected, s *faultyStream, m *gnmi.SubscribeResponse, next sendFunc) error {
	s.mu.Lock()
	first := !s.begun
	s.begun = true
	s.mu.Unlock()
	switch {
	case f.Form == "missing" && m.GetSyncResponse():
		return nil
	case f.Form == "twice" && m.GetSyncResponse():
		if err := next(m); err != nil {
			return err
		}
	case f.Form == "early" && first && !m.GetSyncResponse():
		if err := next(syncResponse()); err != nil {
			return err
		}
	case f.Form == "early" && m.GetSyncResponse():
		return nil
	}
	return next(m)
}

func syncResponse() *gnmi.SubscribeResponse {
	return &gnmi.SubscribeResponse{Response: &gnmi.SubscribeResponse_SyncResponse{SyncResponse: true}}
}

// speakFirst sends an update before the request is read. An error shows when the subscription sends.
func speakFirst(f *injected, s *faultyStream) {
	if f.strike() {
		f.complain(s.out(f.update(0)))
		f.release()
	}
}

// unlucky tells whether a notification gets lost. sync_response is none.
func unlucky(f *injected, m *gnmi.SubscribeResponse) bool {
	return m.GetUpdate() != nil && f.pick(f.Count) == 0
}

func duplicate(_ *injected, _ *faultyStream, m *gnmi.SubscribeResponse, next sendFunc) error {
	if m.GetUpdate() != nil {
		if err := next(proto.CloneOf(m)); err != nil {
			return err
		}
	}
	return next(m)
}

func late(_ *injected, s *faultyStream, m *gnmi.SubscribeResponse, next sendFunc) error {
	if m.GetUpdate() == nil {
		return next(m)
	}
	s.mu.Lock()
	before := s.last
	s.last = proto.CloneOf(m)
	s.mu.Unlock()
	if err := next(m); err != nil || before == nil {
		return err
	}
	return next(before)
}

func misdate(f *injected, s *faultyStream, m *gnmi.SubscribeResponse, next sendFunc) error {
	n := m.GetUpdate()
	if n == nil {
		return next(m)
	}
	s.mu.Lock()
	if s.stamp == 0 {
		s.stamp = n.GetTimestamp()
	}
	switch now := f.sim.config.Clock.Now(); f.Form {
	case "backwards":
		s.stamp -= int64(time.Second)
		n.Timestamp = s.stamp
	case "same":
		n.Timestamp = s.stamp
	case "random":
		n.Timestamp = now.UnixNano() - int64(f.pick(int(time.Hour)))
	case "future":
		n.Timestamp = now.AddDate(10, 0, 0).UnixNano()
	case "zero":
		n.Timestamp = 0
	case "negative":
		n.Timestamp = -now.UnixNano()
	}
	s.mu.Unlock()
	return next(m)
}

func callAtomic(f *injected, _ *faultyStream, m *gnmi.SubscribeResponse, next sendFunc) error {
	if n := m.GetUpdate(); n != nil && f.pick(2) == 0 {
		n.Atomic = true
	}
	return next(m)
}

func deleteRoot(f *injected, _ int) *gnmi.SubscribeResponse {
	return f.notification(&gnmi.Notification{Delete: []*gnmi.Path{{}}})
}

// notification returns the message of a notification of now.
func (f *injected) notification(n *gnmi.Notification) *gnmi.SubscribeResponse {
	n.Timestamp = f.sim.config.Clock.Now().UnixNano()
	return &gnmi.SubscribeResponse{Response: &gnmi.SubscribeResponse_Update{Update: n}}
}
