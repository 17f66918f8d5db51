package auth

import (
	"crypto/x509"
	"errors"
	"slices"
	"time"
)

// Kind is what somebody has shown to say who calls.
type Kind string

// The kinds of credentials.
const (
	Certificate Kind = "certificate"
	Token       Kind = "token"
	Itself      Kind = "controller" // what the controller does by itself, asked by nobody
)

// Identity is who calls.
type Identity struct {
	Kind   Kind
	Name   string   // common name of the certificate's subject; of a token "oidc:" and its subject, or the claim that is asked for
	Roles  []string // organizations of the certificate's subject
	Units  []string // organizational units of it
	Groups []string // of the token

	Serial string    // of the certificate, in hex; empty: a token
	Issued time.Time // when its validity begins
	Until  time.Time // when its validity ends
}

// Controller is who does what the controller does by itself.
var Controller = Identity{Kind: Itself, Name: "controller"}

// Has tells whether the certificate has an organization.
func (i Identity) Has(role string) bool { return slices.Contains(i.Roles, role) }

// IdentityOf is who a verified certificate belongs to. Errors: it names nobody.
func IdentityOf(c *x509.Certificate) (Identity, error) {
	if c.Subject.CommonName == "" {
		return Identity{}, errors.New("the certificate has no common name, and so it is nobody's; have one issued with a name")
	}
	return Identity{
		Kind: Certificate, Name: c.Subject.CommonName, Roles: c.Subject.Organization, Units: c.Subject.OrganizationalUnit,
		Serial: SerialOf(c), Issued: c.NotBefore, Until: c.NotAfter,
	}, nil
}

// SerialOf is the serial number of a certificate in hex.
func SerialOf(c *x509.Certificate) string { return c.SerialNumber.Text(16) }
