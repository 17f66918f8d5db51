package auth

import (
	"crypto/x509"
	"errors"
	"slices"
)

// Identity is who calls.
type Identity struct {
	Name  string   // common name of the certificate's subject
	Roles []string // organizations of the subject
}

// Admin is the role that may do everything.
const Admin = "loom:admin"

// Has tells whether the identity has a role.
func (i Identity) Has(role string) bool { return slices.Contains(i.Roles, role) }

// IdentityOf is who a verified certificate belongs to. Errors: it names nobody.
func IdentityOf(c *x509.Certificate) (Identity, error) {
	if c.Subject.CommonName == "" {
		return Identity{}, errors.New("the certificate has no common name, and so it is nobody's; have one issued with a name")
	}
	return Identity{c.Subject.CommonName, c.Subject.Organization}, nil
}
