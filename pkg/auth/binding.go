package auth

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Subject is whom a binding is about: "certificate:ann" (the common name), "organization:netops" and "unit:netops" (of a
// certificate's subject), "token:SUBJECT" and "group:netops" (of a token).
type Subject string

// kinds of subjects, and what of an identity has to be it.
var subjects = []struct {
	kind string
	of   func(Identity) []string
}{
	{"certificate", func(i Identity) []string { return only(i.Kind == Certificate, i.Name) }},
	{"organization", func(i Identity) []string { return i.Roles }},
	{"unit", func(i Identity) []string { return i.Units }},
	{"token", func(i Identity) []string { return only(i.Kind == Token, strings.TrimPrefix(i.Name, tokenPrefix)) }},
	{"group", func(i Identity) []string { return i.Groups }},
}

// tokenPrefix keeps names of tokens apart from those of certificates.
const tokenPrefix = "oidc:"

func only(is bool, s string) []string {
	if !is {
		return nil
	}
	return []string{s}
}

// SubjectOf is the subject that an identity itself is.
func SubjectOf(i Identity) Subject {
	if i.Kind == Token {
		return Subject("token:" + strings.TrimPrefix(i.Name, tokenPrefix))
	}
	return Subject("certificate:" + i.Name)
}

// ParseSubject reads a subject; without a kind it is the name of a certificate.
func ParseSubject(s string) (Subject, error) {
	kind, name, ok := strings.Cut(s, ":")
	if !ok {
		kind, name = "certificate", s
	}
	names := make([]string, len(subjects))
	for i, x := range subjects {
		names[i] = x.kind
	}
	switch {
	case !slices.Contains(names, kind):
		return "", fmt.Errorf("%q: there is no subject of kind %q; use %s, as in certificate:ann", s, kind, strings.Join(names, ", "))
	case name == "" || len(name) > 256 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
		return "", fmt.Errorf("%q: names nobody; use such as certificate:ann", s)
	case kind == "organization" && strings.HasPrefix(name, organization):
		return "", fmt.Errorf("%q: organizations that begin with %q are roles already", s, organization)
	}
	return Subject(kind + ":" + name), nil
}

// is tells whether an identity is the subject.
func (s Subject) is(i Identity) bool {
	kind, name, _ := strings.Cut(string(s), ":")
	for _, x := range subjects {
		if x.kind == kind {
			return slices.Contains(x.of(i), name)
		}
	}
	return false
}

// Scope is what a binding is about. Where several of its lists say something, all of them have to hold.
type Scope struct {
	Topologies []string `json:"topologies,omitempty"` // none: all
	Sites      []string `json:"sites,omitempty"`      // none: all
	Tenants    []string `json:"tenants,omitempty"`    // none: all
}

// Object is what somebody wants to do something with.
type Object struct {
	Name     string   // for people: "leaf3"
	Topology string   // empty: of none
	Sites    []string // that it is in; none: it is of the topology as a whole, or of tenants
	Tenants  []string // that it belongs to; none: it is of the topology as a whole, or of sites
}

// Covers tells whether an object is in the scope. What is of no site is in no scope that names sites, and so of tenants.
func (s Scope) Covers(o Object) bool {
	return within(s.Topologies, only(o.Topology != "", o.Topology)) && within(s.Sites, o.Sites) && within(s.Tenants, o.Tenants)
}

func within(allowed, has []string) bool {
	if len(allowed) == 0 {
		return true
	}
	return len(has) > 0 && !slices.ContainsFunc(has, func(h string) bool { return !slices.Contains(allowed, h) })
}

// String is the scope in words.
func (s Scope) String() string {
	var parts []string
	for _, p := range []struct {
		what string
		list []string
	}{{"topology", s.Topologies}, {"site", s.Sites}, {"tenant", s.Tenants}} {
		if len(p.list) > 0 {
			parts = append(parts, p.what+" "+strings.Join(p.list, ","))
		}
	}
	if len(parts) == 0 {
		return "everything"
	}
	return strings.Join(parts, ", ")
}

// Binding gives a role to a subject, within a scope.
type Binding struct {
	ID      string    `json:"id"`
	Subject Subject   `json:"subject"`
	Role    string    `json:"role"`
	Scope   Scope     `json:"scope,omitzero"`
	At      time.Time `json:"at"`              // when it was made
	Until   time.Time `json:"until,omitzero"`  // zero: until it is taken back
	By      string    `json:"by"`              // who has made it
	Why     string    `json:"why,omitempty"`   // in words
	Glass   bool      `json:"glass,omitempty"` // it was made by breaking the glass: each use is told
}

// Holds tells whether the binding holds at a time.
func (b *Binding) Holds(now time.Time) bool { return b.Until.IsZero() || now.Before(b.Until) }

// Check tells what is wrong with a binding.
func (b *Binding) Check(now time.Time) error {
	if _, err := ParseSubject(string(b.Subject)); err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	if RoleOf(b.Role) == nil {
		return fmt.Errorf("role: there is no role %q; use %s", b.Role, strings.Join(RoleNames(), ", "))
	}
	if !b.Holds(now) {
		return fmt.Errorf("until: %s is over", b.Until.UTC().Format(time.RFC3339))
	}
	return nil
}
