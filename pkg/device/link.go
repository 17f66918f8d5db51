package device

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
)

// link is one grpc connection, the calls on it, and why it last failed to connect. After a failure it is
// retired: grpc would go on trying behind our back, and the result of an attempt that began before
// a device came back would be taken for news. The next call makes a new link.
type link struct {
	device *Device
	conn   *grpc.ClientConn

	mu      sync.Mutex
	err     error // of the attempt under way or the last one; nil while it goes well
	calls   int
	retired bool // closes with its last call: a server that shuts down gracefully still answers old calls
}

// newLink returns a link that has not connected yet.
func (d *Device) newLink() (*link, error) {
	l := &link{device: d}
	conn, err := grpc.NewClient("passthrough:///"+d.target.Address, l.options()...)
	if err != nil {
		return nil, err
	}
	l.conn = conn
	return l, nil
}

// options returns how the connection is made. TLS is not optional (gNMI spec §3.1). ReadBufferSize(0),
// with the write buffers that grpc shares by default, saves a third of the memory of an idle
// connection and costs nothing measurable. Proxies from the environment and retries by grpc are
// off: a Set is sent once, by us.
func (l *link) options() []grpc.DialOption {
	t := &l.device.target
	return []grpc.DialOption{
		grpc.WithTransportCredentials(l.credentials()),
		grpc.WithPerRPCCredentials(login{t.Username, t.Password}),
		grpc.WithContextDialer(l.dial),
		grpc.WithStatsHandler(sentHandler{}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithMaxHeaderListSize(maxHeader),
		grpc.WithReadBufferSize(0),
		grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(),
		grpc.WithNoProxy(),
		grpc.WithIdleTimeout(0),
	}
}

// A dead peer is noticed by the kernel after about half a minute. HTTP/2 pings are not used: a
// server may take more than one in five minutes for an attack (grpc's default) and hang up.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// dial opens the TCP connection of an attempt.
func (l *link) dial(ctx context.Context, addr string) (net.Conn, error) {
	l.note(nil)
	dialer := net.Dialer{KeepAliveConfig: keepAlive}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	l.note(err)
	return conn, err
}

// note keeps how the attempt goes.
func (l *link) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

// why returns the cause of a failed attempt. Where TCP and TLS went well the peer has hung up before
// it said a word of HTTP/2.
func (l *link) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		return errors.New("connection closed after the TLS handshake")
	}
	return l.err
}

// connect returns nil when the connection stands, and otherwise the error of one attempt.
func (l *link) connect(ctx context.Context) error {
	for {
		state := l.conn.GetState()
		switch state {
		case connectivity.Ready:
			return nil
		case connectivity.TransientFailure:
			return l.why()
		case connectivity.Shutdown:
			return errClosed
		case connectivity.Idle:
			l.conn.Connect()
		}
		if !l.conn.WaitForStateChange(ctx, state) {
			return ctx.Err()
		}
	}
}

// trying tells whether grpc tries to connect or has failed to without being asked by connect: a call
// found the connection lost, and grpc began anew for it.
func (l *link) trying() bool {
	state := l.conn.GetState()
	return state != connectivity.Ready && state != connectivity.Idle
}

// hold counts a call in.
func (l *link) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
}

// release counts a call out.
func (l *link) release() {
	l.mu.Lock()
	l.calls--
	last := l.retired && l.calls == 0
	l.mu.Unlock()
	if last {
		l.conn.Close()
	}
}

// retire closes the connection as soon as no call is on it.
func (l *link) retire() {
	l.mu.Lock()
	l.retired = true
	last := l.calls == 0
	l.mu.Unlock()
	if last {
		l.conn.Close()
	}
}
