package auth

import (
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func TestRights(t *testing.T) {
	t.Parallel()
	ann := Identity{Kind: Certificate, Name: "ann", Units: []string{"netops"}}
	leaf := Object{Name: "bj-leaf1", Topology: "demo", Sites: []string{"bj"}}
	for _, tt := range []struct {
		name       string
		who        Identity
		binding    Binding
		permission Permission
		object     Object
		want       bool
	}{
		{"nobody has nothing", ann, Binding{}, Read, leaf, false},
		{"a role is by name", ann, Binding{Subject: "certificate:ann", Role: "operator"}, Apply, leaf, true},
		{"and has what it has", ann, Binding{Subject: "certificate:ann", Role: "operator"}, Approve, leaf, false},
		{"by unit", ann, Binding{Subject: "unit:netops", Role: "viewer"}, Read, leaf, true},
		{"by organization", Identity{Kind: Certificate, Name: "x", Roles: []string{"acme"}}, Binding{Subject: "organization:acme", Role: "viewer"}, Read, leaf, true},
		{"by a role in the certificate", Identity{Kind: Certificate, Name: "x", Roles: []string{Admin}}, Binding{}, WriteAccess, Object{}, true},
		{"a role that there is none of is nothing", Identity{Kind: Certificate, Name: "x", Roles: []string{"loom:root"}}, Binding{}, Read, leaf, false},
		{"by group", Identity{Kind: Token, Name: "oidc:7", Groups: []string{"netops"}}, Binding{Subject: "group:netops", Role: "viewer"}, Read, leaf, true},
		{"by subject of a token", Identity{Kind: Token, Name: "oidc:7"}, Binding{Subject: "token:7", Role: "viewer"}, Read, leaf, true},
		{"a token of a name is no certificate of it", Identity{Kind: Token, Name: "oidc:ann"}, Binding{Subject: "certificate:ann", Role: "viewer"}, Read, leaf, false},
		{"nor a certificate a token", ann, Binding{Subject: "token:ann", Role: "viewer"}, Read, leaf, false},
		{"a group is no unit", Identity{Kind: Token, Name: "oidc:7", Groups: []string{"netops"}}, Binding{Subject: "unit:netops", Role: "viewer"}, Read, leaf, false},
		{"of its site", ann, Binding{Subject: "certificate:ann", Role: "viewer", Scope: Scope{Sites: []string{"bj"}}}, Read, leaf, true},
		{"not of another", ann, Binding{Subject: "certificate:ann", Role: "viewer", Scope: Scope{Sites: []string{"sh"}}}, Read, leaf, false},
		{"not of what is of two sites, with one of them", ann, Binding{Subject: "certificate:ann", Role: "viewer", Scope: Scope{Sites: []string{"bj"}}}, Read, Object{Topology: "demo", Sites: []string{"bj", "sh"}}, false},
		{"not of the topology as a whole, with a site", ann, Binding{Subject: "certificate:ann", Role: "viewer", Scope: Scope{Sites: []string{"bj"}}}, Read, Object{Topology: "demo"}, false},
		{"not of all, with a topology", ann, Binding{Subject: "certificate:ann", Role: "admin", Scope: Scope{Topologies: []string{"demo"}}}, WriteAccess, Object{}, false},
		{"all that a scope says has to hold", ann, Binding{Subject: "certificate:ann", Role: "viewer", Scope: Scope{Sites: []string{"bj"}, Tenants: []string{"red"}}}, Read, leaf, false},
		{"what is over is over", ann, Binding{Subject: "certificate:ann", Role: "viewer", Until: now}, Read, leaf, false},
		{"and not before", ann, Binding{Subject: "certificate:ann", Role: "viewer", Until: now.Add(time.Second)}, Read, leaf, true},
	} {
		r := RightsOf(tt.who, []Binding{tt.binding}, now)
		if _, got := r.May(tt.permission, tt.object); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestABrokenGlassIsUsedWhereNothingElseAllows(t *testing.T) {
	t.Parallel()
	ann := Identity{Kind: Certificate, Name: "ann"}
	glass := Binding{ID: "a", Subject: "certificate:ann", Role: "admin", Glass: true}
	r := RightsOf(ann, []Binding{glass, {ID: "b", Subject: "certificate:ann", Role: "viewer"}}, now)
	for permission, want := range map[Permission]string{Read: "b", Apply: "a"} {
		if by, ok := r.May(permission, Object{}); !ok || by.ID != want {
			t.Errorf("%s: by %q, want %q", permission, by.ID, want)
		}
	}
}

func TestRightsAreLookedAtAgainWhenSomethingEnds(t *testing.T) {
	t.Parallel()
	ann := Identity{Kind: Certificate, Name: "ann", Until: now.Add(time.Hour)}
	r := RightsOf(ann, []Binding{{Subject: "certificate:ann", Role: "viewer", Until: now.Add(time.Minute)}, {Subject: "certificate:bob", Role: "viewer", Until: now.Add(time.Second)}}, now)
	if got := r.Until(); !got.Equal(now.Add(time.Minute)) {
		t.Errorf("at %s", got)
	}
}

func TestADenialSaysWhoAllowsIt(t *testing.T) {
	t.Parallel()
	r := RightsOf(Identity{Kind: Certificate, Name: "ann"}, []Binding{{Subject: "certificate:ann", Role: "operator", Scope: Scope{Sites: []string{"bj"}}}}, now)
	err := &DeniedError{Rights: r, Permission: Apply, Object: Object{Name: "sh-leaf1", Topology: "demo", Sites: []string{"sh"}}}
	want := "ann may not apply sh-leaf1 (topology demo, site sh): it has operator of site bj; that takes operator or admin (loom role bind certificate:ann ROLE)"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Subject{"ann": "certificate:ann", "token:7": "token:7", "group:a b": "group:a b"} {
		if got, err := ParseSubject(text); got != want || err != nil {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for text, says := range map[string]string{"": "names nobody", "role:x": "no subject of kind", "group:": "names nobody", "organization:loom:admin": "roles already", "group:a\n": "names nobody"} {
		if _, err := ParseSubject(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want one that says %q", text, err, says)
		}
	}
}

func TestRevocationOfANameTakesWhatWasIssuedBefore(t *testing.T) {
	t.Parallel()
	r := Revocation{Name: "ann", At: now}
	for issued, want := range map[time.Time]bool{now.Add(-time.Hour): true, now.Add(-time.Second): true, now: false, now.Add(time.Second): false} {
		i := Identity{Kind: Certificate, Name: "ann", Issued: issued.Add(-backdate)}
		if got := r.Takes(i); got != want {
			t.Errorf("issued %s: %v", issued.Sub(now), got)
		}
		if i.Name = "bob"; r.Takes(i) {
			t.Error("of another name")
		}
	}
}
