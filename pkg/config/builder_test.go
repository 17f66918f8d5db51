package config

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestABuilderMakesTheCanonicalTree(t *testing.T) {
	t.Parallel()
	tree := build(t, func(b *Builder) {
		b.Cause("dc1.yaml:3:1", "loopback")
		b.In(idInterface, "ethernet-1/10", func() {
			b.In(idSub, "0", func() {
				b.In2(idACL, "a", "enable", func() { b.Uint(idACLEntry, 7) })
				b.In(idAddress, "10.0.0.1/31", func() { b.Empty(idPrimary) })
				b.Str(idSubType, "bridged")
			})
			b.Bool(idTagging, false)
		})
		b.Cause("dc1.yaml:9:5", "port")
		b.In(idInterface, "ethernet-1/2", func() { b.Str(idSpeed, "100") })
		b.In(idInterface, "ethernet-1/10", func() { b.Str(idDescription, `to "x"`) })
		b.SetPath(mustPath("/interface[name=ethernet-1/2]/subinterface[index=3]/type"), "routed")
		b.SetPath(mustPath("/system/dns"), "")
		b.SetPath(mustPath("/system/dns/server"), "192.0.2.53")
		b.SetPath(mustPath("/routing/policy[name=p]"), "")
		b.Add(idServer, "192.0.2.7")
		b.Add(idServer, "192.0.2.53")
		b.Add(idCommunity, "b")
		b.Add(idCommunity, "a")
		b.Str(idRatio, "-1.50")
		b.Uint(idHuge, 1<<63)
		b.Empty(idFlag)
	})
	want := `{"ex-base:system":{"ratio":"-1.5","huge":"9223372036854775808","flag":[null],` +
		`"ex-more:dns":{"server":["192.0.2.53","192.0.2.7"]}},` +
		`"ex-base:interface":[{"name":"ethernet-1/2","speed":100,"subinterface":[{"index":3,"type":"ex-base:routed"}]},` +
		`{"name":"ethernet-1/10","description":"to \"x\"","ex-more:vlan-tagging":false,"subinterface":[{"index":0,"type":"ex-more:bridged",` +
		`"ipv4":{"address":[{"ip-prefix":"10.0.0.1/31","primary":[null]}]},"ex-more:acl":[{"name":"a","type":"enable","number":7}]}]}],` +
		`"ex-base:routing":{"policy":[{"name":"p"}],"community":["a","b"]}}`
	if diff := cmp.Diff(want, string(tree.AppendJSON(nil, false))); diff != "" {
		t.Error(diff)
	}
	for p, want := range map[string]Cause{
		"/interface[name=ethernet-1/10]/vlan-tagging": {"dc1.yaml:3:1", "loopback"},
		"/interface[name=ethernet-1/10]/description":  {"dc1.yaml:9:5", "port"},
		"/interface[name=ethernet-1/10]":              {"dc1.yaml:3:1", "loopback"},
	} {
		if got := tree.Find(path(t, p)).Cause(); got != want {
			t.Errorf("%s: got %v, want %v", p, got, want)
		}
	}
}

func TestABuilderReportsAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	b, err := NewBuilder(model, oldRelease)
	if err != nil {
		t.Fatal(err)
	}
	if b.Has(idNewThing) || !b.Has(idName) {
		t.Error("1.0 has a name but not the new thing")
	}
	b.Cause("a.yaml:1:1", "mtu")
	b.Uint(idMTU, 1500)
	b.Cause("a.yaml:2:1", "other mtu")
	b.Uint(idMTU, 1600)
	b.Uint(idMTU, 1500)
	b.Str(idNewThing, "x")
	b.In(idInterface, "eth0", func() { t.Error("entered") })
	b.In(idInterface, "lag1", func() {
		b.Uint(idIfMTU, 100)
		b.Str(idName, "x")
		b.Str(idIfName, "lag2")
		b.Str(idSubType, "routed")
		b.In(idACL, "x", func() {})
		b.In2(idInterface, "x", "y", func() {})
	})
	b.In2(idACL, "a", "enable", func() {})
	b.Str(idServer, "x")
	b.Add(idServer, "\x01")
	b.Add(idName, "x")
	b.Presence(idSystem)
	b.Str(idUplink, "lag9")
	b.Str(idRouter, "x")
	for i := range 9 {
		b.Add(idCommunity, small[i%3]+policyNames[i/3])
	}
	for _, p := range [][2]string{{"/interface[name=lag1]/mtu/x", "1"}, {"/interface/mtu", "1"}, {"/system[name=x]/mtu", "1"},
		{"/system/mtu[a=b]", "1"}, {"/system/mtu", "1"}, {"/system", "x"}, {"/sytem", ""}, {"/", "x"}, {"/interface[name=lag1][x=y]/mtu", "2000"}} {
		b.SetPath(mustPath(p[0]), p[1])
	}
	tree, err := b.Tree()
	if tree != nil || err == nil {
		t.Fatal("want an error")
	}
	want := []string{
		`/system/mtu: is set to "1500" (a.yaml:1:1, mtu) and to "1600" (a.yaml:2:1, other mtu)`,
		`/system/new-thing: test 1.0 does not have it`,
		`/interface/name: "eth0" is not a valid port: want ^(?:(mgmt0|(ethernet|lag)[0-9/-]+))$`,
		`/interface[name=lag1]/mtu: 100 is out of range 1450..9412`,
		`/system/name: does not lie directly below /interface[name=lag1]`,
		`/interface[name=lag1]/name: is set to "lag1" (a.yaml:2:1, other mtu) and to "lag2" (a.yaml:2:1, other mtu)`,
		`/interface/subinterface/type: does not lie directly below /interface[name=lag1]`,
		`/interface[name=lag1]/subinterface/acl: is no list with 1 key(s)`,
		`/interface[name=lag1]: is no list with 2 key(s)`,
		`/interface[name=lag1]: is no list with 2 key(s)`,
		`/interface/subinterface/acl: does not lie directly below /`,
		`/system/dns/server: is no leaf`,
		`/system/dns/server: "\x01" has characters that YANG does not allow in a string`,
		`/system/name: is no leaf-list`,
		`/system: is no presence container`,
		`/interface[name=lag1]/mtu: unknown element "x"`,
		`/interface: missing key "name"`,
		`/system: no list, so it has no key "name"`,
		`/system/mtu[a=b]: no list, so it has no key "a"`,
		`/system/mtu: 1 is out of range 1450..9412`,
		`/system: is no leaf, so it cannot be "x"`,
		`/: unknown element "sytem": options are [system, interface, routing, bgp]`,
		`/: the root has no value`,
		`/interface: unknown key "x": options are [name]`,
		`/routing/community: has 9 elements, at most 8 are possible`,
		`/bgp/autonomous-system: is mandatory, but not there`,
		`/routing/uplink: "lag9" points at nothing: there is no such /interface/name`,
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
	if tree, err := b.Tree(); err != nil || tree.Len() != 1 {
		t.Errorf("after Tree a builder is empty: %v", err)
	}
}

func TestAnUnknownReleaseIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := NewBuilder(model, "9.9"); err == nil || err.Error() != "test: release 9.9 is not one of [1.0 2.0]" {
		t.Errorf("got %v", err)
	}
	if _, _, err := Parse(model, "9.9", []byte("{}"), ParseOptions{}); err == nil {
		t.Error("parse: want an error")
	}
	defer func() {
		if recover() == nil {
			t.Error("EmptyTree: want a panic")
		}
	}()
	EmptyTree(model, "9.9")
}

func TestCursorsWalkTheTree(t *testing.T) {
	t.Parallel()
	tree := parse(t, `{"system":{"mtu":9000},"interface":[{"name":"lag1","group":["b","a"],"subinterface":[{"index":1,"acl":[{"type":"enable","name":"x","number":1}]}]}]}`)
	acl := tree.Find(path(t, "/interface[name=lag1]/subinterface[index=01]/acl[type=enable][name=x]"))
	if got := acl.Keys(); !slices.Equal(got, []string{"x", "enable"}) || !acl.IsEntry() {
		t.Errorf("keys: got %q", got)
	}
	if got := acl.Path().String(); got != "/interface[name=lag1]/subinterface[index=1]/acl[name=x][type=enable]" {
		t.Errorf("path: got %s", got)
	}
	if acl.Parent().IsEntry() || acl.Parent().Entry("x", "enable") != acl || acl.Parent().Entry("x", "disable").Valid() {
		t.Error("an entry's parent is the list, which finds it by its keys")
	}
	if n := acl.Child(idACLEntry); n.Value() != "1" || !n.IsLeaf() || n.IsKey() || n.Node().Name != "number" || n.Tree() != tree {
		t.Error("a leaf")
	}
	var values []string
	for c := range tree.Root().Child(idInterface).Entry("lag1").Child(idGroup).Children() {
		values = append(values, c.Value())
		if !c.IsValue() || c.Path().String() != "/interface[name=lag1]/group" {
			t.Errorf("leaf-list value at %s", c.Path())
		}
	}
	if !slices.Equal(values, []string{"a", "b"}) {
		t.Errorf("values: got %q", values)
	}
	if !tree.Find(path(t, "/system")).IsDefault() || tree.Find(path(t, "/system")).Hash() != 0 || acl.IsDefault() {
		t.Error("a container with nothing but defaults is a default")
	}
	for _, p := range []string{"/sytem", "/system/mtu/x", "/system/name", "/interface[name=lag2]", "/interface[name=eth]", "/interface[nam=lag1]", "/interface/mtu", "/system[a=b]"} {
		if c := tree.Find(path(t, p)); c.Valid() {
			t.Errorf("%s is found", p)
		}
	}
	var zero Cursor
	if zero.Value() != "" || zero.Keys() != nil || zero.Child(1).Valid() || zero.Parent().Valid() || zero.Path() != nil || zero.Hash() != 0 ||
		zero.ID() != Root || zero.Cause() != (Cause{}) || zero.IsKey() || len(zero.AppendJSON(nil)) > 0 || zero.Entry("x").Valid() {
		t.Error("the zero cursor points at nothing")
	}
	for range zero.Children() {
		t.Error("the zero cursor has no children")
	}
	if tree.Schema() != model || tree.Release() != newRelease || tree.Leaves() != 8 || tree.Len() != len(slices.Collect(tree.All())) {
		t.Errorf("leaves: got %d of %d nodes", tree.Leaves(), tree.Len())
	}
}

func TestWhatLiesBesideTheTreeMayBePointedAt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		beside func(b *Builder)
		ok     bool
	}{
		{"nothing beside", func(*Builder) {}, false},
		{"the value", func(b *Builder) { b.Beside(idIfName, "lag1", "mgmt0") }, true},
		{"another value", func(b *Builder) { b.Beside(idIfName, "lag1") }, false},
		{"any value", func(b *Builder) { b.Beside(idIfName) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, err := NewBuilder(model, newRelease)
			if err != nil {
				t.Fatal(err)
			}
			c.beside(b)
			b.Str(idUplink, "mgmt0")
			if _, err := b.Tree(); (err == nil) != c.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAMistakeOfABuilderCarriesItsCause(t *testing.T) {
	t.Parallel()
	b, err := NewBuilder(model, newRelease)
	if err != nil {
		t.Fatal(err)
	}
	b.Cause("a.yaml:1:1", "mtu")
	b.Uint(idMTU, 1)
	b.Cause("a.yaml:2:1", "router")
	b.Str(idRouter, "x")
	b.Cause("a.yaml:3:1", "name")
	b.Str(idName, "x")
	_, err = b.Tree()
	var got []string
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		var caused *CausedError
		var value *ValueError
		if !errors.As(e, &caused) || !errors.As(e, &value) {
			t.Fatalf("%v has no cause", e)
		}
		got = append(got, caused.Cause.Ref+" "+value.Path.String())
	}
	want := []string{"a.yaml:1:1 /system/mtu", "a.yaml:2:1 /bgp/autonomous-system"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
