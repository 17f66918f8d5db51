package sim

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"sync/atomic"
	"time"
)

// authority signs the certificates of all devices of one simulation, and of clients. It and the devices
// share one key: it never leaves the process, and a thousand devices start faster.
type authority struct {
	key    *ecdsa.PrivateKey
	cert   *x509.Certificate
	serial atomic.Int64
}

// life is how long certificates last. The simulation's clock does not touch it: TLS reads the host's.
const life = 10 * 365 * 24 * time.Hour

// Certificate says which certificate a device shows. The zero value is a good one.
type Certificate struct {
	Name        string    // that it is for; "" means the device's own
	From, Until time.Time // of the host's clock; zero means a good while
	Stranger    bool      // signed by an authority that nobody knows
	Vouched     bool      // signed by a new authority, whose certificate ours has signed
	List        string    // URL of a list of revoked certificates; "": it names none
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	a := &authority{key: key}
	template := a.template("loom sim")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	a.cert, err = x509.ParseCertificate(der)
	return a, err
}

// template returns what all certificates have in common.
func (a *authority) template(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.serial.Add(1)),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(life),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

// sign returns the certificate of a template for the holder of a key.
func (a *authority) sign(template *x509.Certificate, key *ecdsa.PrivateKey) (tls.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// certify returns a certificate for the device of a name at an address, host:port.
func (a *authority) certify(c Certificate, device, address string) (tls.Certificate, error) {
	if c.Vouched {
		return a.vouch(c, device, address)
	}
	if c.Stranger {
		var err error
		if a, err = newAuthority(); err != nil {
			return tls.Certificate{}, err
		}
	}
	name := cmp.Or(c.Name, device)
	template := a.template(name)
	template.DNSNames = []string{name}
	if host, _, err := net.SplitHostPort(address); err == nil && name == device {
		template.IPAddresses = []net.IP{net.ParseIP(host)}
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if c.List != "" {
		template.CRLDistributionPoints = []string{c.List}
	}
	if !c.From.IsZero() {
		template.NotBefore = c.From
	}
	if !c.Until.IsZero() {
		template.NotAfter = c.Until
	}
	return a.sign(template, a.key)
}

// vouch returns a certificate of a new authority, with one of ours for that authority: who trusts either trusts it. So
// authorities are changed in two steps.
func (a *authority) vouch(c Certificate, device, address string) (tls.Certificate, error) {
	other, err := newAuthority()
	if err != nil {
		return tls.Certificate{}, err
	}
	c.Vouched = false
	cert, err := other.certify(c, device, address)
	if err != nil {
		return cert, err
	}
	bridge, err := x509.CreateCertificate(rand.Reader, other.cert, a.cert, other.key.Public(), a.key)
	cert.Certificate = append(cert.Certificate, bridge)
	return cert, err
}

// fingerprint returns the SHA-256 of a certificate in hex.
func fingerprint(c tls.Certificate) string {
	sum := sha256.Sum256(c.Certificate[0])
	return hex.EncodeToString(sum[:])
}

// ClientCertificate returns a new certificate of the simulation's authority for a client, and its key,
// both as PEM. It is good for devices whose trust anchor is the inventory's authority.
func (s *Sim) ClientCertificate(name string) (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := s.authority.template(name)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	signed, err := s.authority.sign(template, private)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed.Certificate[0]})
	return cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// pem returns the authority's certificate for inventories.
func (a *authority) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
}
