package sim

import (
	"net"
	"sync"
)

// gate is the socket of a device. It stays open while the device is stopped, so that nobody else takes
// its address; connections are then reset.
type gate struct {
	net.Listener
	done chan struct{} // closed when the accepting goroutine has ended

	mu   sync.Mutex
	open *doorway // nil while shut
}

// doorway is what a server listens on, between Restart and Stop.
type doorway struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// newGate returns a gate that is shut.
func newGate(l net.Listener) *gate {
	g := &gate{Listener: l, done: make(chan struct{})}
	go g.accept()
	return g
}

// accept passes connections on until the socket is closed.
func (g *gate) accept() {
	defer close(g.done)
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return
		}
		g.mu.Lock()
		d := g.open
		g.mu.Unlock()
		if d == nil {
			reset(conn)
			continue
		}
		select {
		case d.conns <- conn:
		case <-d.closed:
			reset(conn)
		}
	}
}

// unlock lets connections through to a new doorway.
func (g *gate) unlock() *doorway {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = &doorway{addr: g.Addr(), conns: make(chan net.Conn), closed: make(chan struct{})}
	return g.open
}

// shut lets no further connection through.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = nil
}

// demolish gives the address back.
func (g *gate) demolish() {
	g.Listener.Close()
	<-g.done
}

// reset breaks a connection without a word.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// Accept returns the next connection.
func (d *doorway) Accept() (net.Conn, error) {
	select {
	case conn := <-d.conns:
		return conn, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (d *doorway) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

// Addr returns the address of the gate.
func (d *doorway) Addr() net.Addr { return d.addr }
