package speaker

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// wire is what carries one session. It calls both speakers, each from the address that the other router has there,
// and once both have answered with an OPEN it passes their messages on. Speakers never call each other: so a wire may be
// cut or stalled, and a speaker that is not ready yet costs the other one nothing.
type wire struct {
	ends  [2]socket
	heard func(end int, code, subcode uint8, got bool) // an end sent a NOTIFICATION; the other got it

	stop context.CancelFunc
	done chan struct{}

	mu    sync.Mutex
	calls bool          // it may connect
	kick  chan struct{} // closed when calls changes; then replaced
	quit  context.CancelFunc
	live  *[2]*flow // messages from each end to the other; nil: not connected
	held  bool
}

// socket is where one end of a wire is plugged in.
type socket struct {
	speaker netip.AddrPort // that it calls
	from    netip.Addr     // as who: the internal address of the other router in this session
	id      identity
}

// Times between two calls of a speaker that does not answer. It does not while it is idle after a failure.
const (
	firstRetry = 20 * time.Millisecond
	lastRetry  = 500 * time.Millisecond
)

func newWire(ends [2]socket, heard func(end int, code, subcode uint8, got bool)) *wire {
	ctx, stop := context.WithCancel(context.Background())
	w := &wire{ends: ends, heard: heard, stop: stop, done: make(chan struct{}), kick: make(chan struct{})}
	go w.run(ctx)
	return w
}

// open lets it connect, and lets through what was held up.
func (w *wire) open() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.allow(true)
	w.hold(false)
}

// pause keeps it from connecting anew. What is connected stays until a speaker ends it.
func (w *wire) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.allow(false)
}

// stall swallows all that is said, as a path through the network does that is down somewhere in between: the hold
// timers decide (RFC 4271 §6.5).
func (w *wire) stall() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.allow(false)
	w.hold(true)
}

// cut ends the connections of both speakers at once, as BFD and fast-failover do.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.allow(false)
	w.drop()
}

// close cuts it for good and waits until it is gone.
func (w *wire) close() {
	w.stop()
	w.cut()
	<-w.done
}

// retire lets it go when the speakers have ended what is connected.
func (w *wire) retire() {
	w.pause()
	w.stop()
}

// connected tells whether there are connections, held up or not.
func (w *wire) connected() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.live != nil
}

func (w *wire) allow(calls bool) {
	if w.calls == calls {
		return
	}
	w.calls = calls
	close(w.kick)
	w.kick = make(chan struct{})
	if !calls && w.quit != nil {
		w.quit()
	}
}

func (w *wire) hold(held bool) {
	w.held = held
	if w.live != nil {
		w.live[0].hold(held)
		w.live[1].hold(held)
	}
}

func (w *wire) drop() {
	if w.live != nil {
		w.live[0].reset()
		w.live[1].reset()
	}
}

// run connects as often as it may, until it is stopped.
func (w *wire) run(ctx context.Context) {
	defer close(w.done)
	for {
		connect, ok := w.await(ctx)
		if !ok {
			return
		}
		if a, b := w.call(connect); a != nil && b != nil {
			w.relay(connect, a, b)
		} else {
			a.hangUp()
			b.hangUp()
		}
	}
}

// await waits until it may connect. The context that it returns ends when it no longer may.
func (w *wire) await(ctx context.Context) (context.Context, bool) {
	for {
		w.mu.Lock()
		calls, kick := w.calls, w.kick
		if calls && ctx.Err() == nil {
			connect, quit := context.WithCancel(ctx)
			w.quit = quit
			w.mu.Unlock()
			return connect, true
		}
		w.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, false
		case <-kick:
		}
	}
}

// answer is a speaker that has said its OPEN.
type answer struct {
	conn *net.TCPConn
	open message
}

func (a *answer) hangUp() {
	if a != nil {
		a.conn.Close()
	}
}

// call calls both ends until both have answered.
func (w *wire) call(ctx context.Context) (a, b *answer) {
	other := make(chan *answer, 1)
	go func() { other <- w.ends[1].call(ctx) }()
	a = w.ends[0].call(ctx)
	return a, <-other
}

// call calls a speaker until it answers with an OPEN; nil when there is no more need.
func (s socket) call(ctx context.Context) *answer {
	wait := firstRetry
	for {
		if a, err := s.try(ctx); err == nil {
			return a
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, lastRetry)
	}
}

func (s socket) try(ctx context.Context) (*answer, error) {
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(s.from, 0))}
	c, err := dialer.DialContext(ctx, "tcp4", s.speaker.String())
	if err != nil {
		return nil, err
	}
	conn := c.(*net.TCPConn)
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Now()) })()
	open, err := readMessage(conn, make([]byte, maxMessage))
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &answer{conn, slices.Clip(slices.Clone(open))}, nil
}

// relay passes messages on, both ways, until both connections are closed.
func (w *wire) relay(ctx context.Context, a, b *answer) {
	flows := [2]*flow{{to: b.conn}, {to: a.conn}}
	w.mu.Lock()
	if ctx.Err() != nil {
		w.mu.Unlock()
		a.hangUp()
		b.hangUp()
		return
	}
	for _, conn := range []*net.TCPConn{a.conn, b.conn} {
		conn.SetReadDeadline(time.Time{})
	}
	w.live = &flows
	w.mu.Unlock()

	back := make(chan struct{})
	go func() {
		defer close(back)
		w.pump(1, b, flows[1])
	}()
	w.pump(0, a, flows[0])
	<-back

	w.mu.Lock()
	w.live = nil
	w.mu.Unlock()
}

// pump passes on what one end says until it hangs up.
func (w *wire) pump(end int, a *answer, f *flow) {
	from, to := w.ends[end].id, w.ends[1-end].id
	buf := make([]byte, maxMessage)
	m, err := a.open, error(nil)
	for err == nil {
		m.translate(from, to)
		got := f.pass(m)
		if code, subcode, ok := m.notification(); ok {
			w.heard(end, code, subcode, got)
		}
		m, err = readMessage(a.conn, buf)
	}
	a.conn.Close()
	f.end()
}

// flow is what one end says to the other.
type flow struct {
	to *net.TCPConn

	mu    sync.Mutex
	held  bool
	queue []byte // said while it was held, at most mostHeld
	lost  bool   // some of what was said while it was held
	ended bool   // the sender has hung up
}

// mostHeld is how many bytes are kept for a receiver that they cannot get to. A router has some MB of buffers for a
// connection too. Whoever says more in the time of a hold timer starts anew when there is a way again.
const mostHeld = 4 << 20

// pass sends a message on, or keeps it; it tells whether it has sent it. An error shows where the other end is read.
func (f *flow) pass(m message) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held {
		f.keep(m)
		return false
	}
	f.to.Write(m)
	return true
}

// keep puts a message in the queue. Where one has been lost those that follow it are too.
func (f *flow) keep(m message) {
	if f.lost = f.lost || len(f.queue)+len(m) > mostHeld; f.lost {
		f.queue = nil
		return
	}
	f.queue = append(f.queue, m...)
}

// hold keeps back what is said, or sends on what was kept back. If some of that was lost the connection is reset.
func (f *flow) hold(held bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = held
	if held {
		return
	}
	if f.lost {
		f.reset()
		return
	}
	f.to.Write(f.queue)
	f.queue = nil
	if f.ended {
		f.to.Close()
	}
}

// end hangs up on the receiver too, unless it cannot know.
func (f *flow) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	if !f.held {
		f.to.Close()
	}
}

// reset ends the receiver's connection without a word.
func (f *flow) reset() {
	f.to.SetLinger(0)
	f.to.Close()
}
