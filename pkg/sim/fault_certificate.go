package sim

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"time"
)

// tlsKinds are about how a device proves who it is, and how it secures its connections (gNMI spec §3.1).
var tlsKinds = []*Kind{
	{
		Name: "certificate", At: AtDevice, Help: "a device shows a certificate that is not to be trusted; cleared, it shows a good new one",
		Forms: []Form{
			{"expired", "its time is over"}, {"early", "its time has not come"},
			{"stranger", "of an authority that nobody knows"}, {"name", "for another device"},
			{"revoked", "on the list of revoked certificates that it names, which is served meanwhile"},
		},
		start: showCertificate,
	},
	{
		Name: "rotation", At: AtDevice, Help: "a device has a good new certificate for the connections that come; those that stand go on",
		Default: Fault{On: Now}, start: rotate,
		Forms: []Form{
			{"certificate", "of the same authority"},
			{"authority", "of a new authority, for which the old one vouches: the chain has its certificate"},
		},
	},
	{
		Name: "transport", At: AtDevice, Help: "a device does not secure connections as it should; those that stand break, also when it is cleared",
		Forms: []Form{
			{"plaintext", "it speaks no TLS"}, {"old", "it speaks TLS 1.0 and nothing newer"},
			{"mutual", "it wants a certificate of clients, of an authority that has signed none"},
		},
		start: misspeak,
	},
}

// showCertificate serves with another certificate. The device goes on as it was otherwise: as after a commit
// that names another TLS profile, connections break.
func showCertificate(f *injected) error {
	f.mend(func() { f.complain(f.device.present(Certificate{})) })
	if f.Form == "revoked" {
		return f.revoke()
	}
	return f.device.present(badCertificate(f.Form, time.Now()))
}

// badCertificate returns a certificate with one mistake.
func badCertificate(form string, now time.Time) Certificate {
	switch form {
	case "expired":
		return Certificate{From: now.Add(-2 * time.Hour), Until: now.Add(-time.Hour)}
	case "early":
		return Certificate{From: now.Add(time.Hour)}
	case "stranger":
		return Certificate{Stranger: true}
	}
	return Certificate{Name: "somebody-else"}
}

// present makes the device show another certificate.
func (d *Device) present(c Certificate) error {
	return d.renewed(func() error {
		cert, err := d.recertify(&c)
		if err == nil {
			d.certificate.Store(&cert)
		}
		return err
	})
}

// renewed changes how a device serves: all connections break.
func (d *Device) renewed(do func() error) error {
	d.power.Lock()
	defer d.power.Unlock()
	if d.retired {
		return nil
	}
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", d.spec.Name, err)
	}
	if d.on {
		d.halt()
		d.start()
	}
	return nil
}

// revoke makes the device show a certificate that the authority has revoked: it names a list (RFC 5280 §4.2.1.13),
// which this serves until the fault is cleared.
func (f *injected) revoke() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("list of revoked certificates: %w", err)
	}
	err = f.device.present(Certificate{List: "http://" + listener.Addr().String() + "/revoked.crl"})
	var list []byte
	if err == nil {
		list, err = f.sim.authority.revoked(f.device.certificate.Load())
	}
	if err != nil {
		listener.Close()
		return err
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/pkix-crl") // RFC 2585 §4.2
		_, _ = w.Write(list)
	})}
	f.mend(func() { server.Close(); listener.Close() })
	f.sim.faults.run(func() { _ = server.Serve(listener) })
	return nil
}

// revoked returns the list of revoked certificates with one on it (RFC 5280 §5).
func (a *authority) revoked(c *tls.Certificate) ([]byte, error) {
	cert, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(a.serial.Add(1)), ThisUpdate: now, NextUpdate: now.Add(life),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: cert.SerialNumber, RevocationTime: now}},
	}, a.cert, a.key)
}

// rotate gives the device a new certificate, as a rotation without a restart does (gNSI certz). It is over at once.
func rotate(f *injected) error {
	f.strike()
	defer f.release()
	d := f.device
	d.power.Lock()
	defer d.power.Unlock()
	cert, err := d.recertify(&Certificate{Vouched: f.Form == "authority"})
	if err == nil {
		d.certificate.Store(&cert)
	}
	return err
}

// speech is how a device secures its connections where a fault has its say.
type speech uint8

const (
	sound  speech = iota // as it is configured
	plain                // without TLS
	old                  // TLS 1.0
	mutual               // with a certificate of clients that none has
)

func misspeak(f *injected) error {
	d := f.device
	err := d.renewed(func() error {
		if d.speech != sound {
			return errors.New("does not secure connections as it should already; clear that fault first")
		}
		d.speech = map[string]speech{"plaintext": plain, "old": old, "mutual": mutual}[f.Form]
		return nil
	})
	if err != nil {
		return err
	}
	f.mend(func() { f.complain(d.renewed(func() error { d.speech = sound; return nil })) })
	return nil
}

// distort returns the TLS of a server as a fault will have it. Go refuses to speak what is older than 1.2 unless it
// is told to.
func (s speech) distort(c *tls.Config) *tls.Config {
	switch s {
	case old:
		c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
		// What TLS 1.0 has for such a certificate, and HTTP/2 forbids: gRPC would leave it out.
		c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA}
	case mutual:
		c.ClientAuth, c.ClientCAs, c.GetConfigForClient = tls.RequireAndVerifyClientCert, x509.NewCertPool(), nil
	}
	return c
}
