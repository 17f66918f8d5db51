package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
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

// Authority signs certificates. Others may be trusted beside it: the one before, or the one that is to come.
type Authority struct {
	pair   Pair
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	beside []*x509.Certificate
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

// ReadAuthority is the authority of a certificate and its key. Certificates that follow are those that are trusted beside it. Errors: it
// is no authority, or the key is that of another one.
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
	a := &Authority{pair: p, cert: pair.Leaf, key: key}
	for _, der := range pair.Certificate[1:] {
		other, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		if !other.IsCA {
			return nil, fmt.Errorf("%s may sign no certificates", other.Subject)
		}
		a.beside = append(a.beside, other)
	}
	return a, nil
}

// Trusting is the authority with others that are trusted beside it, instead of those that were.
func (a *Authority) Trusting(others ...*Authority) *Authority {
	out := &Authority{pair: Pair{Certificate: encoded(a.cert), Key: a.pair.Key}, cert: a.cert, key: a.key}
	for _, o := range others {
		out.beside = append(out.beside, o.cert)
		out.pair.Certificate = append(out.pair.Certificate, encoded(o.cert)...)
	}
	return out
}

// Certificate is the authority's own.
func (a *Authority) Certificate() *x509.Certificate { return a.cert }

func encoded(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// Pair is the authority's own certificate, with those that are trusted beside it behind it, and its key.
func (a *Authority) Pair() Pair { return a.pair }

// Pool are the certificates that trust what the authority signs.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	for _, c := range a.beside {
		pool.AddCert(c)
	}
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

// Sign makes the certificate of a key that its holder keeps. request is in PKCS #10 (RFC 2986), DER, of which only the key is taken: its
// signature shows that the holder has it. Errors: the request is none, or its key is too weak.
func (a *Authority) Sign(request []byte, name string, roles []string, life time.Duration, now time.Time, random io.Reader) ([]byte, *x509.Certificate, error) {
	r, err := x509.ParseCertificateRequest(request)
	if err == nil {
		err = r.CheckSignature()
	}
	if err == nil {
		err = strong(r.PublicKey)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("request: %w", err)
	}
	t, err := template(name, now, life, random)
	if err != nil {
		return nil, nil, err
	}
	t.ExtKeyUsage, t.Subject.Organization = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, roles
	t.KeyUsage, t.BasicConstraintsValid = x509.KeyUsageDigitalSignature, true
	if t.NotAfter.After(a.cert.NotAfter) {
		t.NotAfter = a.cert.NotAfter
	}
	der, err := x509.CreateCertificate(random, t, a.cert, r.PublicKey, a.key)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	return encoded(cert), cert, nil
}

// strong tells what is wrong with a key.
func strong(key any) error {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if k.Curve.Params().BitSize >= 256 {
			return nil
		}
	case *rsa.PublicKey:
		if k.N.BitLen() >= 2048 {
			return nil
		}
	case ed25519.PublicKey:
		return nil
	}
	return errors.New("its key is too weak, or of a kind that is not known; use ECDSA on P-256, Ed25519, or RSA with 2048 bits or more")
}

// Request makes a key and a request for a certificate of it, as Sign takes it.
func Request(random io.Reader) (request, key []byte, err error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, nil, err
	}
	if request, err = x509.CreateCertificateRequest(random, &x509.CertificateRequest{}, k); err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	return request, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
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
