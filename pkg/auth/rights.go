package auth

import (
	"fmt"
	"strings"
	"time"
)

// Rights are what an identity may do at one time. What nothing allows is denied.
type Rights struct {
	Who      Identity
	bindings []Binding
	until    time.Time
}

// RightsOf are the rights that bindings, and the roles of a certificate, give to an identity.
func RightsOf(who Identity, all []Binding, now time.Time) Rights {
	r := Rights{Who: who, until: who.Until}
	for _, org := range who.Roles {
		if role := roleIn(org); role != nil {
			r.bindings = append(r.bindings, Binding{ID: org, Subject: SubjectOf(who), Role: role.Name, By: "its certificate"})
		}
	}
	if who.Kind == Itself {
		r.bindings = append(r.bindings, Binding{ID: "controller", Role: "admin"})
	}
	for _, b := range all {
		if !b.Subject.is(who) || !b.Holds(now) {
			continue
		}
		r.bindings = append(r.bindings, b)
		if !b.Until.IsZero() && (r.until.IsZero() || b.Until.Before(r.until)) {
			r.until = b.Until
		}
	}
	return r
}

// Until is when the rights are to be looked at again, as something ends then; zero: never.
func (r Rights) Until() time.Time { return r.until }

// Bindings are what the rights come from.
func (r Rights) Bindings() []Binding { return r.bindings }

// May tells whether something is allowed with an object, and by which binding. One that was made by breaking the glass is the last
// to be asked.
func (r Rights) May(p Permission, o Object) (by Binding, ok bool) {
	for _, b := range r.bindings {
		if RoleOf(b.Role).May(p) && b.Scope.Covers(o) {
			if by, ok = b, true; !b.Glass {
				return by, true
			}
		}
	}
	return by, ok
}

// MaySomewhere tells whether something is allowed with anything of a topology; with an empty name, of any.
func (r Rights) MaySomewhere(p Permission, topology string) (by Binding, ok bool) {
	for _, b := range r.bindings {
		if RoleOf(b.Role).May(p) && (topology == "" || within(b.Scope.Topologies, []string{topology})) {
			if by, ok = b, true; !b.Glass {
				return by, true
			}
		}
	}
	return by, ok
}

// DeniedError says why something is not allowed, and who allows it.
type DeniedError struct {
	Rights     Rights
	Permission Permission
	Object     Object
}

// Error names who, what, and what to do.
func (e *DeniedError) Error() string {
	what := string(e.Permission)
	if e.Object.Name != "" {
		what += " " + e.Object.Name
	}
	var of []string
	for _, x := range []struct {
		kind string
		list []string
	}{{"topology", only(e.Object.Topology != "" && e.Object.Topology != e.Object.Name, e.Object.Topology)}, {"site", e.Object.Sites}, {"tenant", e.Object.Tenants}} {
		if len(x.list) > 0 {
			of = append(of, x.kind+" "+strings.Join(x.list, ","))
		}
	}
	if len(of) > 0 {
		what += " (" + strings.Join(of, ", ") + ")"
	}
	has := "nothing"
	if len(e.Rights.bindings) > 0 {
		var all []string
		for _, b := range e.Rights.bindings {
			all = append(all, b.Role+" of "+b.Scope.String())
		}
		has = strings.Join(all, "; ")
	}
	return fmt.Sprintf("%s may not %s: it has %s; that takes %s (loom role bind %s ROLE)", e.Rights.Who.Name, what, has, strings.Join(rolesWith(e.Permission), " or "), SubjectOf(e.Rights.Who))
}

// ControllerRights are those of the controller itself.
func ControllerRights() Rights { return RightsOf(Controller, nil, time.Time{}) }
