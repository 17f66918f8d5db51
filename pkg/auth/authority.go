package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"time"
)

// Lifetimes of what an authority makes.
const (
	AuthorityLife = 10 * 365 * 24 * time.Hour
	ServerLife    = 90 * 24 * time.Hour
	ClientLife    = 365 * 24 * time.Hour

	// renewBefore is the part of its life after which a certificate is renewed.
	renewBefore = 3 // a third is left
	backdate    = 5 * time.Minute
)

// Pair is a certificate with its key, both PEM. The key is a secret.
type Pair struct{ Certificate, Key []byte }

// Authority signs certificates.
type Authority struct {
	pair Pair
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes an authority of its own: a P-256 key and a certificate that it signs itself. name is for people to read.
func NewAuthority(name string, now time.Time, random io.Reader) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, err
	}
	template, err := template(name, now, AuthorityLife, random)
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	pair, err := sign(template, template, key, key, random)
	if err != nil {
		return nil, err
	}
	return ReadAuthority(pair)
}

// ReadAuthority is the authority of a certificate and its key. Errors: it is no authority, or the key is that of another one.
func ReadAuthority(p Pair) (*Authority, error) {
	pair, err := tls.X509KeyPair(p.Certificate, p.Key)
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("its key is no ECDSA key; use the one that was made with it")
	}
	if !pair.Leaf.IsCA {
		return nil, fmt.Errorf("%s may sign no certificates", pair.Leaf.Subject)
	}
	return &Authority{p, pair.Leaf, key}, nil
}

// Pair is the authority's own certificate with its key.
func (a *Authority) Pair() Pair { return a.pair }

// Pool are the certificates that trust what the authority signs.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// Server makes the certificate of a controller that is found under some names and addresses.
func (a *Authority) Server(hosts []string, now time.Time, random io.Reader) (Pair, error) {
	t, err := template(hosts[0], now, ServerLife, random)
	if err != nil {
		return Pair{}, err
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	return a.issue(t, random)
}

// Client makes the certificate of a person or a program. roles are what it may do: the organizations of its subject, as Kubernetes
// has it.
func (a *Authority) Client(name string, roles []string, now time.Time, random io.Reader) (Pair, error) {
	t, err := template(name, now, ClientLife, random)
	if err != nil {
		return Pair{}, err
	}
	t.ExtKeyUsage, t.Subject.Organization = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, roles
	return a.issue(t, random)
}

// Signed tells whether the authority has signed a certificate.
func (a *Authority) Signed(c *x509.Certificate) bool { return c.CheckSignatureFrom(a.cert) == nil }

func (a *Authority) issue(t *x509.Certificate, random io.Reader) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return Pair{}, err
	}
	t.KeyUsage, t.BasicConstraintsValid = x509.KeyUsageDigitalSignature, true
	if t.NotAfter.After(a.cert.NotAfter) {
		t.NotAfter = a.cert.NotAfter
	}
	return sign(t, a.cert, key, a.key, random)
}

// template is a certificate that begins a moment ago, as clocks differ.
func template(name string, now time.Time, life time.Duration, random io.Reader) (*x509.Certificate, error) {
	var serial [16]byte
	if _, err := io.ReadFull(random, serial[:]); err != nil {
		return nil, err
	}
	serial[0] &= 0x7f // RFC 5280 §4.1.2.2: positive
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial[:]), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-backdate), NotAfter: now.Add(life),
	}, nil
}

func sign(t, parent *x509.Certificate, key, signer *ecdsa.PrivateKey, random io.Reader) (Pair, error) {
	if t == parent { // RFC 5280 §4.2.1.2: how its children name it
		public, err := key.PublicKey.Bytes()
		if err != nil {
			return Pair{}, err
		}
		sum := sha256.Sum256(public)
		t.SubjectKeyId = sum[:20]
	}
	der, err := x509.CreateCertificate(random, t, parent, &key.PublicKey, signer)
	if err != nil {
		return Pair{}, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, err
	}
	return Pair{
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	}, nil
}

// Due tells whether a certificate is to be renewed: a third of its life is left, or less.
func Due(c *x509.Certificate, now time.Time) bool {
	return now.After(c.NotAfter.Add(-c.NotAfter.Sub(c.NotBefore) / renewBefore))
}
