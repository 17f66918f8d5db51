package auth

import (
	"slices"
	"strings"
)

// Permission is a kind of thing that somebody may do. Each call of the API needs one.
type Permission string

// The permissions.
const (
	Read         Permission = "read"
	WriteIntent  Permission = "intent.write"
	Plan         Permission = "plan"
	Approve      Permission = "approve"
	Apply        Permission = "apply"
	Maintain     Permission = "maintain"
	WriteSources Permission = "sources.write"
	ReadAudit    Permission = "audit.read"
	ReadAccess   Permission = "access.read"
	WriteAccess  Permission = "access.write"
	Operate      Permission = "operate"
	BreakGlass   Permission = "break-glass"
)

// Permissions are all that there are, with what they are for.
var Permissions = []struct {
	Name Permission
	For  string
}{
	{Read, "see what is intended, devices, plans, transactions, findings, events and sources, and ask questions"},
	{WriteIntent, "change what is intended"},
	{Plan, "have a plan made"},
	{Approve, "approve risks of a plan"},
	{Apply, "carry plans out, confirm and cancel transactions, take drift back, drain"},
	{Maintain, "begin and end maintenance, decide what becomes of drift"},
	{WriteSources, "say which sources are followed"},
	{ReadAudit, "see the audit log"},
	{ReadAccess, "see who may do what, and which certificates there are"},
	{WriteAccess, "say who may do what, issue and revoke certificates, renew the authority"},
	{Operate, "look into the controller itself: profiles; forget its old transactions"},
	{BreakGlass, "take every permission for a stated time, which everybody is told of"},
}

// Role is a name for permissions that go together.
type Role struct {
	Name        string
	For         string // in a few words
	Permissions []Permission
}

// Roles are all that there are.
var Roles = []Role{
	{"viewer", "sees everything, and changes nothing", []Permission{Read}},
	{"planner", "says what is intended, and plans it", []Permission{Read, WriteIntent, Plan}},
	{"operator", "plans, carries out, drains, maintains", []Permission{Read, Plan, Apply, Maintain}},
	{"approver", "approves what others have planned", []Permission{Read, Approve, ReadAudit}},
	{"admin", "may do everything", []Permission{Read, WriteIntent, Plan, Approve, Apply, Maintain, WriteSources, ReadAudit, ReadAccess, WriteAccess, Operate}},
	{"break-glass", "sees everything, and can make itself admin for a while", []Permission{Read, BreakGlass}},
}

// RoleOf is the role of a name; nil: there is none.
func RoleOf(name string) *Role {
	i := slices.IndexFunc(Roles, func(r Role) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return &Roles[i]
}

// May tells whether the role has a permission.
func (r *Role) May(p Permission) bool { return r != nil && slices.Contains(r.Permissions, p) }

// RoleNames are the names of all roles.
func RoleNames() []string { return rolesWith("") }

// rolesWith are the names of the roles that have a permission; empty: of all.
func rolesWith(p Permission) []string {
	var out []string
	for _, r := range Roles {
		if p == "" || r.May(p) {
			out = append(out, r.Name)
		}
	}
	return out
}

// organization is before the name of a role in the subject of a certificate.
const organization = "loom:"

// Admin is the role that may do everything, as certificates have it.
const Admin = organization + "admin"

// Replica is what the certificates of replicas have: it is no role, and lets nobody do anything but say whose calls it passes on.
const Replica = organization + "replica"

// Organization is a role as certificates have it: an organization of the subject.
func Organization(role string) string { return organization + role }

// roleIn is the role that an organization of a certificate means; nil: none.
func roleIn(org string) *Role {
	name, ok := strings.CutPrefix(org, organization)
	if !ok {
		return nil
	}
	return RoleOf(name)
}
