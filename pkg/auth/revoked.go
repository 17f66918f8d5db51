package auth

import (
	"fmt"
	"time"
)

// Issued is a certificate that was issued, or one that is not to be accepted any more.
type Issued struct {
	Serial    string    `json:"serial"` // in hex
	Name      string    `json:"name"`
	Roles     []string  `json:"roles,omitempty"` // names of roles
	At        time.Time `json:"at,omitzero"`
	Until     time.Time `json:"until,omitzero"`
	By        string    `json:"by,omitempty"`
	Renewable bool      `json:"renewable,omitempty"` // its holder may renew it

	Revoked   time.Time `json:"revoked,omitzero"` // zero: it is good
	RevokedBy string    `json:"revoked_by,omitempty"`
	Why       string    `json:"why,omitempty"` // it was revoked
}

// Revocation is that certificates of a name are not accepted, if they were issued before: also those that nobody has kept a record of.
type Revocation struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Why  string    `json:"why,omitempty"`
}

// Takes tells whether it is about a certificate that no record is kept of. Certificates tell their time in seconds, and begin a
// moment before they are issued.
func (r *Revocation) Takes(i Identity) bool {
	return i.Kind == Certificate && i.Name == r.Name && i.Issued.Add(backdate).Before(r.At.Truncate(time.Second))
}

// RevokedError is that a certificate is not accepted any more.
type RevokedError struct {
	Name, Serial string
	At           time.Time
}

// Error says what to do, too.
func (e *RevokedError) Error() string {
	return fmt.Sprintf("the certificate %s of %s was revoked at %s; have another one issued", e.Serial, e.Name, e.At.UTC().Format(time.RFC3339))
}

// Key sorts certificates by name, and by when they were issued.
func (c Issued) Key() string {
	return c.Name + "\x00" + c.At.UTC().Format("20060102150405.000000000") + "\x00" + c.Serial
}
