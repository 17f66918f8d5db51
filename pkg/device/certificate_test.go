package device_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// demanding runs a simulated leaf3 that asks for client certificates of its simulation's authority.
func demanding(t *testing.T) (*sim.Sim, device.Target) {
	t.Helper()
	var asks atomic.Pointer[sim.Server] // the authority is not there before the device is
	asks.Store(&sim.Server{})
	software := &sim.Software{Server: func(*config.Tree) sim.Server { return *asks.Load() }}
	s, err := sim.Start(t.Context(), sim.Config{
		Devices:  []sim.Spec{{Name: "leaf3", Platform: simtest.Platform, Release: simtest.New, Driver: simtest.Driver(), Software: software}},
		Username: "admin", Password: "secret",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	asks.Store(&sim.Server{ClientCA: []byte(s.Inventory().CA)})
	to := target(s.Inventory().Devices[0].Address, "")
	if to.CA, err = s.Inventory().Pool(); err != nil {
		t.Fatal(err)
	}
	return s, to
}

// clientOf returns a client certificate of a simulation's authority.
func clientOf(t *testing.T, s *sim.Sim) *tls.Certificate {
	t.Helper()
	cert, key, err := s.ClientCertificate("loom")
	if err != nil {
		t.Fatal(err)
	}
	c, err := device.ClientCertificate(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDialShowsACertificateToADeviceThatAsks(t *testing.T) {
	t.Parallel()
	s, to := demanding(t)
	other, _ := demanding(t)
	mine, foreign := clientOf(t, s), clientOf(t, other)
	for name, c := range map[string]struct {
		show *tls.Certificate
		want string // "": it gets in
	}{
		"with one of the device's authority": {mine, ""},
		"with none":                          {nil, "leaf3: connect: refused: leaf3 wants a client certificate (tls: certificate required); give one with --cert and --key"},
		"with one of another authority":      {foreign, "leaf3: connect: refused: leaf3 does not take our client certificate (tls: unknown certificate authority); use one of an authority that its TLS profile trusts"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := to
			to.Certificate = c.show
			d, err := device.Dial(t.Context(), to)
			switch {
			case c.want != "":
				if err == nil || err.Error() != c.want || !errors.Is(err, device.ErrRefused) {
					t.Errorf("got  %v\nwant %s", err, c.want)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			defer d.Close()
			if _, err := d.Identify(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// Until TLS 1.2 the device looks at our certificate before the handshake is over (RFC 5246 §7.4.8).
func TestDialSaysWhatAnOlderTLSMissed(t *testing.T) {
	t.Parallel()
	cert, pool, _ := newCertificate(t, "leaf3", time.Now().Add(time.Hour))
	s, _ := demanding(t)
	strict := &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MaxVersion: tls.VersionTLS12}
	to := target(serveTLS(t, grpc.Creds(credentials.NewTLS(strict))), "")
	to.CA, to.Certificate = pool, clientOf(t, s)
	_, err := device.Dial(t.Context(), to)
	if !errors.Is(err, device.ErrRefused) || !strings.Contains(err.Error(), "leaf3 does not take our client certificate") {
		t.Errorf("got %v", err)
	}
}

func TestClientCertificateNamesTheMistake(t *testing.T) {
	t.Parallel()
	s, _ := demanding(t)
	cert, key, err := s.ClientCertificate("loom")
	if err != nil {
		t.Fatal(err)
	}
	_, otherKey, err := s.ClientCertificate("loom")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cert, key []byte
		want      string
	}{
		"the key of another certificate": {cert, otherKey, "private key does not match public key"},
		"no key":                         {cert, nil, "a certificate without its key"},
		"no certificate":                 {nil, key, "a key without its certificate"},
		"something else":                 {[]byte("hello"), key, "failed to find any PEM data"},
		"key and certificate mixed up":   {key, cert, "PEM inputs may have been switched"},
	} {
		if _, err := device.ClientCertificate(c.cert, c.key); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestCheckCertificateLooksAtTheClock(t *testing.T) {
	t.Parallel()
	s, _ := demanding(t)
	c := clientOf(t, s)
	for at, want := range map[time.Time]string{
		c.Leaf.NotAfter:                    "",
		c.Leaf.NotBefore:                   "",
		c.Leaf.NotAfter.Add(time.Second):   "certificate of CN=loom expired on " + c.Leaf.NotAfter.UTC().Format(time.DateTime) + "; renew it",
		c.Leaf.NotBefore.Add(-time.Second): "certificate of CN=loom is valid from " + c.Leaf.NotBefore.UTC().Format(time.DateTime) + " on; check the clock",
	} {
		got := ""
		if err := device.CheckCertificate(c, at); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("at %s: got %q, want %q", at, got, want)
		}
	}
}

func TestAnInventoryHasOurCertificate(t *testing.T) {
	t.Parallel()
	s, to := demanding(t)
	inv := s.Inventory()
	cert, key, err := s.ClientCertificate("loom")
	if err != nil {
		t.Fatal(err)
	}
	inv.Cert, inv.Key = string(cert), string(key)
	again, err := device.ParseInventory(inv.JSON())
	if err != nil {
		t.Fatal(err)
	}
	if to.Certificate, err = again.Certificate(); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(cert)
	if leaf, err := x509.ParseCertificate(block.Bytes); err != nil || !to.Certificate.Leaf.Equal(leaf) {
		t.Errorf("the inventory gives another certificate back: %v", err)
	}
	dial(t, to)
	inv.Key = ""
	if _, err := device.ParseInventory(inv.JSON()); err == nil || err.Error() != "inventory: cert and key: a certificate without its key" {
		t.Errorf("got %v", err)
	}
}
