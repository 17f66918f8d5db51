package device_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/loomfabric/loom/pkg/device"
)

// serveTLS runs a gRPC server without services, over TLS if it gets a certificate.
func serveTLS(t *testing.T, opts ...grpc.ServerOption) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(opts...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(l)
	}()
	t.Cleanup(func() { s.Stop(); <-done })
	return l.Addr().String()
}

func TestDialTrustsWhatItIsToldToTrust(t *testing.T) {
	t.Parallel()
	cert, pool, sum := newCertificate(t, "leaf3", time.Now().Add(time.Hour))
	_, otherPool, otherSum := newCertificate(t, "leaf3", time.Now().Add(time.Hour))
	expired, expiredPool, expiredSum := newCertificate(t, "leaf3", time.Now().Add(-time.Minute))
	good := serveTLS(t, grpc.Creds(credentials.NewServerTLSFromCert(&cert)))
	old := serveTLS(t, grpc.Creds(credentials.NewServerTLSFromCert(&expired)))
	plain := serveTLS(t)

	for name, c := range map[string]struct {
		change func(*device.Target)
		want   string // "" means trusted
	}{
		"an authority and the right name":  {func(d *device.Target) { d.CA = pool }, ""},
		"the pinned certificate":           {func(d *device.Target) { d.Fingerprint = sum }, ""},
		"the pin as openssl prints it":     {func(d *device.Target) { d.Fingerprint = strings.ToUpper(sum[:2] + ":" + sum[2:]) }, ""},
		"the pin decides alone":            {func(d *device.Target) { d.Fingerprint, d.CA, d.ServerName = sum, otherPool, "other" }, ""},
		"the pin outlives the certificate": {func(d *device.Target) { d.Address, d.Fingerprint = old, expiredSum }, ""},
		"another authority": {func(d *device.Target) { d.CA = otherPool },
			"leaf3: connect: refused: certificate of leaf3 is not signed by the given authority; check --inventory or run `loom trust leaf3`"},
		"another pin": {func(d *device.Target) { d.Fingerprint, d.CA = otherSum, pool },
			"leaf3: connect: refused: certificate of leaf3 is not the one that was trusted; if it was renewed run `loom trust leaf3`"},
		"another name": {func(d *device.Target) { d.CA, d.ServerName = pool, "leaf4" },
			"certificate of leaf3 is not made out to leaf4"},
		"an expired certificate": {func(d *device.Target) { d.Address, d.CA = old, expiredPool },
			"certificate of leaf3 is not valid"},
		"a server without TLS": {func(d *device.Target) { d.Address, d.CA = plain, pool },
			"leaf3 does not speak TLS on 127.0.0.1:"},
		"nothing to trust by": {func(*device.Target) {},
			"leaf3: connect: refused: neither authority nor fingerprint is known; give --inventory or run `loom trust leaf3`"},
		"half a pin":      {func(d *device.Target) { d.Fingerprint = "abcd" }, "is not a SHA-256 in hex"},
		"no port":         {func(d *device.Target) { d.Address, d.CA = "127.0.0.1", pool }, "want host:port"},
		"a wrong release": {func(d *device.Target) { d.Release, d.CA = "19.6", pool }, `release "19.6" is not one of [23.10 24.10 25.3]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := target(good, "")
			c.change(&to)
			d, err := device.Dial(t.Context(), to)
			if err == nil {
				d.Close()
			}
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got  %v\nwant %s", err, c.want)
			case c.want != "" && !errors.Is(err, device.ErrRefused):
				t.Errorf("%v is not ErrRefused", err)
			}
		})
	}
}

func TestDialSaysThatADeviceIsNotThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = device.Dial(t.Context(), target(l.Addr().String(), strings.Repeat("00", 32)))
	if !errors.Is(err, device.ErrRetry) || !strings.Contains(err.Error(), "leaf3: connect: not now: ") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
}

func TestDialEndsWithItsContextWhereADeviceDoesNotAnswer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		conn, err := l.Accept()
		cancel()
		if err == nil {
			t.Cleanup(func() { conn.Close() })
		}
	}()
	_, err = device.Dial(ctx, target(l.Addr().String(), strings.Repeat("00", 32)))
	if !errors.Is(err, device.ErrRetry) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want ErrRetry by context.Canceled", err)
	}
}

func TestFetchFingerprintShowsTheCertificate(t *testing.T) {
	t.Parallel()
	cert, _, want := newCertificate(t, "leaf3", time.Now().Add(time.Hour))
	addr := serveTLS(t, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{cert}})))
	sum, subject, err := device.FetchFingerprint(t.Context(), addr)
	if err != nil || sum != want || subject != "CN=leaf3" {
		t.Errorf("got %s, %s, %v, want %s, CN=leaf3", sum, subject, err, want)
	}
	if _, _, err := device.FetchFingerprint(t.Context(), serveTLS(t)); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without TLS: got %v", err)
	}
}
