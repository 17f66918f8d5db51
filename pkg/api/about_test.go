package api

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/topology"
)

// TestAWriteIsAllowedByWhatItChanges changes a topology of two sites and two tenants, as people whose role is of a part of it.
func TestAWriteIsAllowedByWhatItChanges(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../topologies/two-sites.yaml")
	if err != nil {
		t.Fatal(err)
	}
	was := string(data)
	site := func(names ...string) auth.Scope { return auth.Scope{Sites: names} }
	tenant := func(names ...string) auth.Scope { return auth.Scope{Tenants: names} }
	for _, tt := range []struct {
		name     string
		old, new string
		scope    auth.Scope
		denied   string // what is named; empty: it is allowed
	}{
		{"who has everything changes what is common", "overlay-as: 65010", "overlay-as: 65011", auth.Scope{}, ""},
		{"who has the topology, too", "overlay-as: 65010", "overlay-as: 65011", auth.Scope{Topologies: []string{"two-sites"}}, ""},
		{"who has another one does not", "overlay-as: 65010", "overlay-as: 65011", auth.Scope{Topologies: []string{"demo"}}, "two-sites"},
		{"who has a site does not", "overlay-as: 65010", "overlay-as: 65011", site("bj", "sh"), "two-sites"},
		{"a segment is of its tenant", "web: {number: 10,", "web: {number: 10, mtu: 9000,", tenant("red"), ""},
		{"and not of another one", "web: {number: 10,", "web: {number: 10, mtu: 9000,", tenant("blue"), "tenants/red/segments/web"},
		{"nor of a site", "web: {number: 10,", "web: {number: 10, mtu: 9000,", site("bj"), "tenants/red/segments/web"},
		{"a site is its own", "bj: {number: 1, management: 172.20.1.0/24}", "bj: {number: 1, management: 172.20.3.0/24}", site("bj"), ""},
		{"and no other one's", "bj: {number: 1, management: 172.20.1.0/24}", "bj: {number: 1, management: 172.20.3.0/24}", site("sh"), "sites/bj"},
		{"ports are of their site and of the tenants on them: by site", "ethernet-1/1..16, segments: [train], mtu: 9100", "ethernet-1/1..16, segments: [train], mtu: 9000", site("sh"), ""},
		{"by tenant", "ethernet-1/1..16, segments: [train], mtu: 9100", "ethernet-1/1..16, segments: [train], mtu: 9000", tenant("blue"), ""},
		{"by both", "ethernet-1/1..16, segments: [train], mtu: 9100", "ethernet-1/1..16, segments: [train], mtu: 9000", auth.Scope{Sites: []string{"sh"}, Tenants: []string{"blue"}}, ""},
		{"by another site", "ethernet-1/1..16, segments: [train], mtu: 9100", "ethernet-1/1..16, segments: [train], mtu: 9000", site("bj"), "attachments/sh-leaf5:ethernet-1/1"},
		{"what goes to another tenant is of both", "ethernet-1/1..24, lag: pair, segments: [red/web, db]", "ethernet-1/1..24, lag: pair, segments: [red/web]", tenant("red"), ""},
		{"what is put on somebody else's segment is not one's own", "ethernet-1/1..16, segments: [train], mtu: 9100", "ethernet-1/1..16, segments: [blue/web], mtu: 9100", tenant("red"), "attachments/sh-leaf5:ethernet-1/1"},
		{"words that change nothing are nobody's", "# Two datacenters", "# 2 datacenters", site("bj"), ""},
		{"two things of two people are refused for the one that is not one's own", "number: 1\n    sites: [bj]", "number: 3\n    sites: [bj]", tenant("blue"), "tenants/red"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(was, tt.old) {
				t.Fatalf("the topology does not say %q", tt.old)
			}
			ctx := context.WithValue(t.Context(), callerKey{}, &calling{who: auth.Identity{Kind: auth.Token, Name: "oidc:ann"}, of: bindingsOf{{Subject: "token:ann", Role: "planner", Scope: tt.scope}}})
			err := AllowWrite(ctx, "two-sites", written(t, was, strings.Replace(was, tt.old, tt.new, 1)))
			switch {
			case tt.denied == "" && err != nil:
				t.Error(err)
			case tt.denied != "" && (err == nil || !strings.Contains(err.Error(), "may not intent.write "+tt.denied)):
				t.Errorf("%v, want one that names %s", err, tt.denied)
			}
		})
	}
}

func TestNobodyWritesAndTheControllerDoes(t *testing.T) {
	t.Parallel()
	w := &controller.Written{}
	if err := AllowWrite(t.Context(), "demo", w); err == nil {
		t.Error("nobody may write")
	}
	if err := AllowWrite(Itself(t.Context()), "demo", w); err != nil {
		t.Error(err)
	}
}

// bindingsOf are those of everybody.
type bindingsOf []auth.Binding

func (b bindingsOf) Rights(who auth.Identity) (auth.Rights, error) {
	return auth.RightsOf(who, b, time.Time{}), nil
}
func (bindingsOf) Token(context.Context, string) (auth.Identity, error) { return auth.Identity{}, nil }
func (bindingsOf) Changed() <-chan struct{}                             { return nil }
func (bindingsOf) Used(auth.Identity, auth.Binding, string)             {}

func written(t *testing.T, before, after string) *controller.Written {
	t.Helper()
	parse := func(text string) *topology.Topology {
		topo, diags := topology.Parse(topology.Source{Name: "two-sites.yaml", Data: []byte(text)})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		return topo
	}
	was, is := parse(before).Intent, parse(after).Intent
	return &controller.Written{Before: was, Intent: is, Changes: controller.Compare(was, is)}
}
