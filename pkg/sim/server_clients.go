package sim

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

// reception takes the connections to a server, and hangs up on those that nobody uses.
type reception struct {
	net.Listener
	device *Device
}

// Accept returns the next connection.
func (r reception) Accept() (net.Conn, error) {
	conn, err := r.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l := &line{Conn: conn, device: r.device, disarm: func() {}}
	l.rest()
	return l, nil
}

// line is the connection of a client. It is closed when it had no RPC for as long as the server's
// timeout says (srl_nokia-grpc.yang, /system/grpc-server/timeout).
type line struct {
	net.Conn
	device *Device

	mu     sync.Mutex
	calls  int       // RPCs under way
	idle   time.Time // since when there are none
	disarm func()    // ends the timer
	closed bool
	seated bool // counts among the sessions that the server has room for
}

// end is the address of a client; RPCs find their connection by it.
type end struct {
	net.Addr
	line *line
}

// RemoteAddr returns the address of the client.
func (l *line) RemoteAddr() net.Addr { return end{l.Conn.RemoteAddr(), l} }

// lineOf returns the connection of an RPC.
func lineOf(ctx context.Context) *line {
	p, _ := peer.FromContext(ctx)
	return p.Addr.(end).line
}

// begin notes the beginning of an RPC.
func (l *line) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	l.disarm()
}

// seat makes a connection one of the sessions of a server that takes so many of all clients together, and tells whether there is
// room; 0: it takes any number. It is one until it is closed.
func (l *line) seat(most int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seated = l.seated || !l.closed && l.device.limits.connect(most)
	return l.seated
}

// finish notes its end.
func (l *line) finish() {
	l.mu.Lock()
	l.calls--
	busy := l.calls > 0
	l.mu.Unlock()
	if !busy {
		l.rest()
	}
}

// rest arms the timer, with the timeout that is configured now.
func (l *line) rest() {
	timeout, clock := l.device.serverConfig().Idle, l.device.sim.config.Clock
	if timeout <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls > 0 || l.closed {
		return
	}
	l.disarm()
	l.idle = clock.Now()
	l.disarm = clock.AfterFunc(timeout, func() { l.expire(timeout) })
}

// expire hangs up, unless the line was used since the timer was armed.
func (l *line) expire(timeout time.Duration) {
	l.mu.Lock()
	unused := l.calls == 0 && l.device.sim.config.Clock.Now().Sub(l.idle) >= timeout
	l.mu.Unlock()
	if unused {
		l.Close()
	}
}

// Close ends the connection.
func (l *line) Close() error {
	l.mu.Lock()
	if l.seated {
		l.device.limits.disconnect()
	}
	l.closed, l.seated = true, false
	l.disarm()
	l.mu.Unlock()
	return l.Conn.Close()
}

// clients are those whose subscriptions a server serves, as it lists them (srl_nokia-grpc.yang,
// /system/grpc-server/client): one entry for each Subscribe RPC. The zero value has none.
type clients struct {
	mu   sync.Mutex
	last uint32
	list []Client // by id
}

// add lists the client of an RPC, and returns how to take it off again.
func (c *clients) add(ctx context.Context) (remove func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	client := describe(ctx, c.last)
	c.list = append(c.list, client)
	return func() { c.remove(client.ID) }
}

func (c *clients) remove(id uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = slices.DeleteFunc(c.list, func(client Client) bool { return client.ID == id })
}

// describe returns what the server knows of a client.
func describe(ctx context.Context, id uint32) Client {
	client := Client{ID: id}
	if p, ok := peer.FromContext(ctx); ok {
		if addr, err := netip.ParseAddrPort(p.Addr.String()); err == nil {
			client.Host, client.Port = addr.Addr().String(), addr.Port()
		}
	}
	md, _ := metadata.FromIncomingContext(ctx)
	for _, agent := range md.Get("user-agent") {
		client.UserAgent = agent
	}
	return client
}

// serverState returns what the gNMI server shows of itself.
func (d *Device) serverState() ServerState {
	d.clients.mu.Lock()
	defer d.clients.mu.Unlock()
	return ServerState{Clients: slices.Clone(d.clients.list)}
}
