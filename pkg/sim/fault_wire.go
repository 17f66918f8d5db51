package sim

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// wireKinds are about the management network, or what of it can be had without rights: bytes that wait in a
// userspace proxy. The kernel goes on answering keepalives.
var wireKinds = []*Kind{
	{Name: "blackhole", At: AtDevice, Help: "packets are dropped: connections hang, new ones too; cleared, they go on", start: dropPackets},
	{Name: "half-open", At: AtDevice, Help: "connections that stand hang, new ones work; cleared, the old ones are reset", start: hangUp},
	{Name: "slow-network", At: AtDevice, Help: "each connection carries rate bytes a second in each direction", Needs: []string{"rate"}, start: throttle},
}

// wire is what bytes go through between a device and its clients.
type wire struct {
	clock Clock

	mu    sync.Mutex // guards what follows
	conns map[*wiredConn]bool
	hole  chan struct{} // closed at the end of the blackhole; nil: there is none
	rate  int           // bytes a second; 0: as fast as it goes
	quick chan struct{} // closed when it goes fast again; nil: it does
}

// wire returns the wire of the device.
func (d *Device) wire() *wire {
	b := d.sim.faults
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wires[d] == nil {
		b.wires[d] = &wire{clock: b.clock, conns: map[*wiredConn]bool{}}
	}
	return b.wires[d]
}

// faultyDoor is the way of every connection to a device through the faults that are injected.
func (d *Device) faultyDoor(l net.Listener) *wiredListener {
	return &wiredListener{Listener: l, wire: d.wire()}
}

// wiredListener accepts connections that run over a wire. Closing it, as a server that ends does, resets those
// that hang: nobody else would end them. A server that still has to answer spares them for a while.
type wiredListener struct {
	net.Listener
	wire  *wire
	spare atomic.Bool
}

// Accept returns the next connection.
func (l *wiredListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.wire.take(conn), nil
}

// Close ends Accept and the connections.
func (l *wiredListener) Close() error {
	err := l.Listener.Close()
	if !l.spare.Load() {
		l.hangUp()
	}
	return err
}

func (l *wiredListener) hangUp() {
	for _, c := range l.wire.all() {
		c.Close()
	}
}

// wiredConn is a connection over a wire.
type wiredConn struct {
	net.Conn
	wire   *wire
	closed chan struct{}
	once   sync.Once
	hung   chan struct{} // closed when nothing gets through any more
	cut    sync.Once
}

func (w *wire) take(conn net.Conn) *wiredConn {
	c := &wiredConn{Conn: conn, wire: w, closed: make(chan struct{}), hung: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[c] = true
	return c
}

func (w *wire) all() []*wiredConn {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []*wiredConn
	for c := range w.conns {
		out = append(out, c)
	}
	return out
}

// Read reads what has come through. An error of the connection is not held up: the peer is gone.
func (c *wiredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(c.portion(p))
	if err != nil {
		return n, err
	}
	return n, c.pass(n)
}

// Write sends in such portions as the wire carries.
func (c *wiredConn) Write(p []byte) (sent int, err error) {
	for len(p) > 0 {
		portion := c.portion(p)
		if err := c.pass(len(portion)); err != nil {
			return sent, err
		}
		n, err := c.Conn.Write(portion)
		sent += n
		if err != nil {
			return sent, err
		}
		p = p[n:]
	}
	return sent, nil
}

// Close ends the connection, and whatever waits for the wire.
func (c *wiredConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	c.wire.mu.Lock()
	delete(c.wire.conns, c)
	c.wire.mu.Unlock()
	return c.Conn.Close()
}

// portion returns what of p goes over the wire in a tenth of a second.
func (c *wiredConn) portion(p []byte) []byte {
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	if c.wire.rate == 0 {
		return p
	}
	return p[:min(len(p), max(1, c.wire.rate/10))]
}

// errGone is what those get who waited on a connection that was closed.
var errGone = errors.New("connection closed while nothing came through")

// pass waits until n bytes are through.
func (c *wiredConn) pass(n int) error {
	c.wire.mu.Lock()
	hole, rate, quick := c.wire.hole, c.wire.rate, c.wire.quick
	c.wire.mu.Unlock()
	if rate > 0 {
		up := make(chan struct{})
		defer c.wire.clock.AfterFunc(time.Duration(n)*time.Second/time.Duration(rate), func() { close(up) })()
		select {
		case <-up:
		case <-quick:
		case <-c.closed:
			return errGone
		}
	}
	if hole != nil {
		select {
		case <-hole:
		case <-c.closed:
			return errGone
		}
	}
	select {
	case <-c.hung:
		<-c.closed
		return errGone
	default:
		return nil
	}
}

func dropPackets(f *injected) error {
	w := f.device.wire()
	if !w.change(func() bool {
		free := w.hole == nil
		if free {
			w.hole = make(chan struct{})
		}
		return free
	}) {
		return errors.New("it is in a blackhole already; clear that fault first")
	}
	f.mend(func() {
		w.change(func() bool { close(w.hole); w.hole = nil; return true })
	})
	return nil
}

func throttle(f *injected) error {
	w := f.device.wire()
	if !w.change(func() bool {
		free := w.rate == 0
		if free {
			w.rate, w.quick = f.Rate, make(chan struct{})
		}
		return free
	}) {
		return errors.New("its network is slow already; clear that fault first")
	}
	f.mend(func() {
		w.change(func() bool { close(w.quick); w.rate, w.quick = 0, nil; return true })
	})
	return nil
}

// change changes a wire, and tells what do says.
func (w *wire) change(do func() bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return do()
}

func hangUp(f *injected) error {
	hung := f.device.wire().all()
	for _, c := range hung {
		c.cut.Do(func() { close(c.hung) })
	}
	f.mend(func() {
		for _, c := range hung {
			reset(c.Conn)
			c.Close()
		}
	})
	return nil
}
