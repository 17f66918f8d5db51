package device

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	"github.com/loomfabric/loom/pkg/crash"
	"github.com/loomfabric/loom/pkg/driver"
)

// Target says where a device is, how it is trusted, and what it should be.
type Target struct {
	Name       string         // of the device, as the topology has it; in every error
	Address    string         // host:port of its gRPC server
	CA         *x509.CertPool // authorities that may have signed its certificate
	ServerName string         // name that the certificate must hold; "" means Name
	// Fingerprint is the SHA-256 of the device's certificate in hex. If set it alone decides whether
	// the device is trusted, so that a self-signed certificate will do.
	Fingerprint string
	// Certificate is shown to a device that asks for one (mutual TLS, gNMI spec §3.1); nil: none is shown.
	Certificate        *tls.Certificate
	Username, Password string
	Driver             *driver.Driver
	// Election is the number that goes with every Set, where the device honours master arbitration: it
	// refuses those of a writer with a lower one (gNMI master arbitration §3.1). 0: none.
	Election uint64
	Announce Announce      // of each Set before it leaves; nil: nobody wants to know
	Release  string        // release of Driver.Schema that its configuration is read by; "" means the newest
	Timeout  time.Duration // of a call that has no deadline; 0 means 30 s. Sets take Driver.Manners.SetTimeout
}

const (
	defaultTimeout    = 30 * time.Second
	defaultSetTimeout = time.Minute
	// A Get of everything exceeds grpc's 4 MiB on a real router; a hostile device must not have more than this.
	maxMessage = 64 << 20
	// Metadata of an answer; grpc's own limit is 16 MiB.
	maxHeader = 64 << 10
)

// errClosed is the error of a call after Close.
var errClosed = errors.New("connection closed by us")

// Device is a connection to one device. Its methods may be called from several goroutines.
type Device struct {
	target Target
	turn   chan struct{} // held while connecting: one attempt at a time

	mu     sync.Mutex
	link   *link // nil until the first attempt and after a failed one
	closed bool
	timers answer // of a device that had to be asked
}

// Dial connects to a device and returns when the TLS session stands, or says why it does not. It
// says nothing to the device yet. The connection is made again when a later call finds it lost: each
// call makes one attempt at once, and pacing further ones is up to the caller.
func Dial(ctx context.Context, t Target) (*Device, error) {
	d, err := New(t)
	if err != nil {
		return nil, err
	}
	l, err := d.connect(ctx, connecting)
	if err != nil {
		return nil, err
	}
	l.release()
	return d, nil
}

// connecting is the operation of an error before there is a connection.
const connecting = "connect"

// New is a device that is connected to by the first call: for one that may be out of reach for now.
func New(t Target) (*Device, error) {
	d := &Device{target: t, turn: make(chan struct{}, 1)}
	if err := d.target.fill(); err != nil {
		return nil, &Error{Device: t.Name, Op: connecting, Class: Refused, Err: err}
	}
	return d, nil
}

// Target is where the device is and what it should be, with nothing left out.
func (d *Device) Target() Target { return d.target }

// fill checks a target and gives its zero fields their meaning.
func (t *Target) fill() error {
	if t.Driver == nil || t.Driver.Schema == nil || len(t.Driver.Schema.Releases) == 0 {
		return errors.New("no driver for this device")
	}
	if _, _, err := net.SplitHostPort(t.Address); err != nil {
		return fmt.Errorf("address %q: want host:port", t.Address)
	}
	if t.ServerName == "" {
		t.ServerName = t.Name
	}
	if t.Timeout == 0 {
		t.Timeout = defaultTimeout
	}
	releases := t.Driver.Schema.Releases
	if t.Release == "" {
		t.Release = releases[len(releases)-1]
	}
	if t.Driver.Schema.Release(t.Release) < 0 {
		return fmt.Errorf("release %q is not one of %v that %s is known in", t.Release, releases, t.Driver.OS)
	}
	return t.checkTrust()
}

// Name returns the name of the device.
func (d *Device) Name() string { return d.target.Name }

// Close ends the connection and every call on it.
func (d *Device) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.link == nil {
		return nil
	}
	err := d.link.conn.Close()
	d.link = nil
	return err
}

// connect returns a link that stands, held for one call, or says why the one attempt failed.
func (d *Device) connect(ctx context.Context, op string) (*link, error) {
	ctx, cancel := withDefault(ctx, d.target.Timeout)
	defer cancel()
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return nil, d.connectError(op, ctx.Err())
	}
	l, err := d.current()
	if err != nil {
		return nil, d.connectError(op, err)
	}
	if err := l.connect(ctx); err != nil {
		d.drop(l)
		l.release()
		return nil, d.connectError(op, err)
	}
	return l, nil
}

// current returns the link, a new one if need be, held for one call. The caller holds the turn.
func (d *Device) current() (*link, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errClosed
	}
	if d.link != nil && d.link.trying() {
		d.link.retire()
		d.link = nil
	}
	if d.link == nil {
		l, err := d.newLink()
		if err != nil {
			return nil, err
		}
		d.link = l
	}
	d.link.hold()
	return d.link, nil
}

// drop retires a link, so that the next call makes a new one.
func (d *Device) drop(l *link) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l.retire()
	if d.link == l {
		d.link = nil
	}
}

// call runs one RPC: it connects, sets the deadline, and classifies the error. write tells an RPC
// that can change the device.
func (d *Device) call(ctx context.Context, op string, write bool, limit time.Duration, rpc func(context.Context, *grpc.ClientConn) error) error {
	ctx, cancel := withDefault(ctx, limit)
	defer cancel()
	l, err := d.connect(ctx, op)
	if err != nil {
		return err
	}
	defer l.release()
	sent := &departure{point: leaving[op]}
	err = rpc(context.WithValue(ctx, sentKey{}, sent), l.conn)
	return d.rpcError(op, err, write, sent.gone.Load())
}

// withDefault gives a context a deadline, unless it has one.
func withDefault(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

// sentKey is the context key of the departure of an RPC.
type sentKey struct{}

// departure is how far a request is on its way.
type departure struct {
	gone  atomic.Bool  // its headers go out
	point *crash.Point // passed when all of it is with the transport; nil for what changes nothing
}

// sentHandler notes departures. Before the headers are out nothing of a request can have reached the device.
type sentHandler struct{}

func (sentHandler) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (sentHandler) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (sentHandler) HandleConn(context.Context, stats.ConnStats)                       {}

func (sentHandler) HandleRPC(ctx context.Context, s stats.RPCStats) {
	sent, ok := ctx.Value(sentKey{}).(*departure)
	if !ok {
		return
	}
	switch s.(type) {
	case *stats.OutHeader:
		sent.gone.Store(true)
	case *stats.OutPayload:
		if sent.point != nil {
			sent.point.Here()
		}
	}
}
