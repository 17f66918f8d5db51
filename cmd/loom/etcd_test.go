package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
)

// etcd is a cluster as a user has it, on a port of loopback.
type etcd struct {
	testing.TB
	dir      string
	endpoint string            // where it listens, again after a stop
	tls      transport.TLSInfo // of its https; the zero value: none
	stop     func()
}

func (c *etcd) start() {
	c.Helper()
	at, err := url.Parse(c.endpoint)
	if err != nil {
		c.Fatal(err)
	}
	nowhere := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	e := embed.NewConfig()
	e.Dir, e.Name = c.dir, "etcd"
	e.ListenPeerUrls, e.AdvertisePeerUrls = nil, nowhere
	e.ListenClientUrls, e.AdvertiseClientUrls = []url.URL{*at}, []url.URL{*at}
	e.ClientTLSInfo = c.tls
	e.InitialCluster = e.InitialClusterFromName(e.Name)
	e.TickMs, e.ElectionMs = 20, 100
	e.UnsafeNoFsync = true // it is not what dies here
	e.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	server, err := embed.StartEtcd(e)
	if err != nil {
		c.Fatal(err)
	}
	c.stop = sync.OnceFunc(server.Close)
	c.Cleanup(c.stop)
	<-server.Server.ReadyNotify()
	c.endpoint = at.Scheme + "://" + server.Clients[0].Addr().String()
}

// authority signs certificates, and keeps them as files.
type authority struct {
	testing.TB
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{TB: t, dir: t.TempDir()}
	a.cert, a.key = a.issue("ca")
	return a
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name+".pem") }
func (a *authority) keys(name string) string { return filepath.Join(a.dir, name+".key") }

// issue makes a certificate for loopback, the first one of the authority itself.
func (a *authority) issue(name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: a.cert == nil,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	by, with := a.cert, a.key
	if by == nil {
		by, with = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, key.Public(), with)
	if err != nil {
		a.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{a.file(name): {Type: "CERTIFICATE", Bytes: der}, a.keys(name): {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			a.Fatal(err)
		}
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		a.Fatal(err)
	}
	return made, key
}

func TestAClusterIsReachedWithCertificatesAlone(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t), newAuthority(t)
	ours.issue("etcd")
	ours.issue("ann")
	theirs.issue("ann")
	c := &etcd{TB: t, dir: t.TempDir(), endpoint: "https://127.0.0.1:0", tls: transport.TLSInfo{
		CertFile: ours.file("etcd"), KeyFile: ours.keys("etcd"), TrustedCAFile: ours.file("ca"), ClientCertAuth: true,
	}}
	c.start()
	for _, tt := range []struct {
		name string
		f    storeFlags
		want string // part of the error; "" where it opens
	}{
		{"with a certificate of its authority", storeFlags{ca: ours.file("ca"), cert: ours.file("ann"), key: ours.keys("ann")}, ""},
		{"without a certificate", storeFlags{ca: ours.file("ca")}, "certificate required"},
		{"with a certificate of somebody else's", storeFlags{ca: ours.file("ca"), cert: theirs.file("ann"), key: theirs.keys("ann")}, "unknown certificate authority"},
		{"as one whose authority is unknown", storeFlags{ca: theirs.file("ca"), cert: ours.file("ann"), key: ours.keys("ann")}, "unknown authority"},
		{"with half of what it takes", storeFlags{ca: ours.file("ca"), cert: ours.file("ann")}, "--etcd-cert and --etcd-key belong together"},
		{"with a key that is not the certificate's", storeFlags{ca: ours.file("ca"), cert: ours.file("ann"), key: theirs.keys("ann")}, "private key does not match public key"},
		{"without TLS", storeFlags{etcd: []string{strings.Replace(c.endpoint, "https", "http", 1)}, ca: ours.file("ca")}, "certificates are for https"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.f.etcd == nil {
				tt.f.etcd = []string{c.endpoint}
			}
			s, err := tt.f.open(t.Context(), &terminal{out: io.Discard, err: io.Discard}, "")
			switch {
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want == "":
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			case err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "--etcd"):
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// What a program tells its user to say reaches the store that it uses.
func TestTheFlagsOfAStoreAreNamedToOtherCommands(t *testing.T) {
	f := storeFlags{etcd: []string{"https://a:2379", "https://b:2379"}, ca: "ca.pem", cert: "ann.pem", key: "ann.key"}
	if got, want := f.flags(""), " --etcd https://a:2379,https://b:2379 --etcd-ca ca.pem --etcd-cert ann.pem --etcd-key ann.key"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
