package device_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnoi/file"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newCertificate returns a self-signed certificate for a name and its fingerprint.
func newCertificate(t *testing.T, name string, until time.Time) (tls.Certificate, *x509.CertPool, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: until.Add(-time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	sum := sha256.Sum256(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool, hex.EncodeToString(sum[:])
}

// hostile is a gNMI server made by hand. What a test does not set is unimplemented.
type hostile struct {
	gnmi.UnimplementedGNMIServer
	file.UnimplementedFileServer
	get     func(context.Context, *gnmi.GetRequest) (*gnmi.GetResponse, error)
	set     func(context.Context, *gnmi.SetRequest) (*gnmi.SetResponse, error)
	able    func(context.Context, *gnmi.CapabilityRequest) (*gnmi.CapabilityResponse, error)
	follow  func(*gnmi.SubscribeRequest, gnmi.GNMI_SubscribeServer) error
	startup []*file.GetResponse
}

func (h *hostile) Capabilities(ctx context.Context, r *gnmi.CapabilityRequest) (*gnmi.CapabilityResponse, error) {
	return h.able(ctx, r)
}

func (h *hostile) Set(ctx context.Context, r *gnmi.SetRequest) (*gnmi.SetResponse, error) {
	return h.set(ctx, r)
}

// gnmiSide keeps the two services' methods named Get apart.
type gnmiSide struct{ *hostile }

func (g gnmiSide) Get(ctx context.Context, r *gnmi.GetRequest) (*gnmi.GetResponse, error) {
	return g.get(ctx, r)
}

// Subscribe hands on the first message.
func (g gnmiSide) Subscribe(stream gnmi.GNMI_SubscribeServer) error {
	r, err := stream.Recv()
	if err != nil {
		return err
	}
	return g.follow(r, stream)
}

// fileSide is the other one.
type fileSide struct {
	file.UnimplementedFileServer
	h *hostile
}

func (f fileSide) Get(_ *file.GetRequest, stream file.File_GetServer) error {
	for _, r := range f.h.startup {
		if err := stream.Send(r); err != nil {
			return err
		}
	}
	return nil
}

// run serves h until the test ends, and returns its target and a way to end it earlier.
func (h *hostile) run(t *testing.T) (device.Target, *grpc.Server) {
	t.Helper()
	cert, _, sum := newCertificate(t, "leaf3", time.Now().Add(time.Hour))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&cert)))
	gnmi.RegisterGNMIServer(s, gnmiSide{h})
	file.RegisterFileServer(s, fileSide{h: h})
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(l)
	}()
	t.Cleanup(func() { s.Stop(); <-done })
	return target(l.Addr().String(), sum), s
}

// target returns a target called leaf3 that trusts one certificate.
func target(addr, fingerprint string) device.Target {
	return device.Target{
		Name: "leaf3", Address: addr, Fingerprint: fingerprint, Username: "admin", Password: "secret",
		Driver: simtest.Driver(), Release: simtest.New,
	}
}

// dial connects for the length of a test.
func dial(t *testing.T, target device.Target) *device.Device {
	t.Helper()
	d, err := device.Dial(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// simulate runs one device called leaf3 and returns it with a connection and its clock.
func simulate(t *testing.T, release string) (*sim.Device, *device.Device, *sim.ManualClock) {
	t.Helper()
	clock := sim.NewManualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	s, err := sim.Start(t.Context(), sim.Config{
		Devices:  []sim.Spec{{Name: "leaf3", Platform: simtest.Platform, Release: release, Driver: simtest.Driver()}},
		Username: "admin", Password: "secret", Clock: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	inv := s.Inventory()
	pool, err := inv.Pool()
	if err != nil {
		t.Fatal(err)
	}
	to := target(inv.Devices[0].Address, "")
	to.CA, to.Release = pool, release
	return s.Device("leaf3"), dial(t, to), clock
}

// path parses a path that the test knows to be right.
func path(t *testing.T, s string) config.Path {
	t.Helper()
	p, err := config.ParsePath(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// put returns a request that updates one path.
func put(t *testing.T, at, value string) *gnmi.SetRequest {
	t.Helper()
	return &gnmi.SetRequest{Update: []*gnmi.Update{jsonUpdate(t, at, value)}}
}

// jsonUpdate returns one update in JSON_IETF.
func jsonUpdate(t *testing.T, at, value string) *gnmi.Update {
	t.Helper()
	return &gnmi.Update{Path: path(t, at).GNMI(), Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(value)}}}
}
