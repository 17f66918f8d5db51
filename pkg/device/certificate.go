package device

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"
)

// ClientCertificate makes what we show to devices of a certificate, with those that lead to its authority, and its key, all
// PEM. Whether it is still good is for CheckCertificate: that takes a clock.
// Errors: no certificate, no key, the key of another certificate.
func ClientCertificate(cert, key []byte) (*tls.Certificate, error) {
	switch {
	case len(cert) == 0:
		return nil, errors.New("a key without its certificate")
	case len(key) == 0:
		return nil, errors.New("a certificate without its key")
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	return &pair, nil
}

// CheckCertificate says why devices would refuse our certificate now: it is not valid yet, or no more.
func CheckCertificate(c *tls.Certificate, now time.Time) error {
	switch leaf := c.Leaf; {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("certificate of %s expired on %s; renew it", leaf.Subject, leaf.NotAfter.UTC().Format(time.DateTime))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("certificate of %s is valid from %s on; check the clock", leaf.Subject, leaf.NotBefore.UTC().Format(time.DateTime))
	}
	return nil
}
