package config

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// testScope owns Ethernet interfaces whole, LAGs by entry, never the management port, and parts of
// the rest.
var testScope = Scope{
	{Path: mustPath("/interface[name=ethernet-*]"), Own: Whole},
	{Path: mustPath("/interface[name=ethernet-1/10]/group"), Own: Never},
	{Path: mustPath("/interface[name=lag*]"), Own: Entry},
	{Path: mustPath("/interface[name=mgmt0]"), Own: Never},
	{Path: mustPath("/interface[name=mgmt0]/description"), Own: Whole},
	{Path: mustPath("/system/mtu"), Own: Whole},
	{Path: mustPath("/system/dns/options"), Own: Whole},
	{Path: mustPath("/routing"), Own: Whole},
	{Path: mustPath("/routing/uplink"), Own: Never},
	{Path: mustPath("/bgp"), Own: Entry},
}

func mustPath(s string) Path {
	p, err := ParsePath(s)
	if err != nil {
		panic(err)
	}
	return p
}

const foreignDoc = `{"ex-base:system":{"name":"box","mtu":9100,"ex-more:dns":{"domain":"example.net","options":{"timeout":9}}},
	"ex-base:interface":[
		{"name":"ethernet-1/1","description":"ours"},
		{"name":"ethernet-1/10","mtu":9000,"group":["theirs"]},
		{"name":"lag1","description":"ours if intended"},
		{"name":"mgmt0","description":"theirs"}],
	"ex-base:routing":{"policy":[{"name":"p1"}],"uplink":"lag1"},
	"ex-base:bgp":{"autonomous-system":65000}}`

func TestOwnedReducesATreeToTheScope(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, intended, want string }{
		{"entries and presence containers that are not intended are not owned", `{}`,
			`{"ex-base:system":{"mtu":9100,"ex-more:dns":{"options":{"timeout":9}}},"ex-base:interface":[{"name":"ethernet-1/1","description":"ours"},{"name":"ethernet-1/10","mtu":9000}],"ex-base:routing":{"policy":[{"name":"p1"}]}}`},
		{"those that are intended are", `{"interface":[{"name":"lag1"}],"bgp":{"autonomous-system":1}}`,
			`{"ex-base:system":{"mtu":9100,"ex-more:dns":{"options":{"timeout":9}}},"ex-base:interface":[{"name":"ethernet-1/1","description":"ours"},{"name":"ethernet-1/10","mtu":9000},{"name":"lag1","description":"ours if intended"}],"ex-base:routing":{"policy":[{"name":"p1"}]},"ex-base:bgp":{"autonomous-system":65000}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := testScope.Owned(parse(t, foreignDoc), parse(t, c.intended))
			if diff := cmp.Diff(c.want, string(got.AppendJSON(nil, false))); diff != "" {
				t.Error(diff)
			}
			if again := parse(t, c.want); !Equal(got, again) || got.Leaves() != again.Leaves() {
				t.Error("the reduced tree is not the tree that its document parses to")
			}
		})
	}
}

func TestOwnsJudgesWhatNoTreeHasAsCoversWould(t *testing.T) {
	t.Parallel()
	intended := parse(t, `{"interface":[{"name":"lag1"}]}`)
	for p, want := range map[string]bool{
		"/system/new": false, "/system/mtu": true, "/system/dns": false, "/system/dns/options/new": true, "/interface[name=lag1]/new": true,
		"/interface[name=lag2]/new": false, "/interface[name=ethernet-9/9]": true, "/interface[name=weird]": false, "/interface": false,
		"/interface[name=ethernet-1/10]": false, "/interface[name=ethernet-1/10]/group": false, "/interface[name=ethernet-1/10]/new": true,
		"/interface[name=mgmt0]/new": false, "/interface[name=mgmt0]/description": false, "/routing/new": true, "/routing/uplink": false, "/new": false,
	} {
		if got := testScope.Owns(path(t, p), intended); got != want {
			t.Errorf("%s: got %v, want %v", p, got, want)
		}
	}
}

func TestCoversIsTrueOnlyWhereNothingBelowIsSomebodyElses(t *testing.T) {
	t.Parallel()
	tree := parse(t, foreignDoc)
	intended := parse(t, `{"interface":[{"name":"lag1"}]}`)
	want := map[string]bool{
		"/": false, "/system": false, "/system/mtu": true, "/system/dns": false, "/system/dns/options": true,
		"/interface": false, "/interface[name=ethernet-1/1]": true, "/interface[name=ethernet-1/1]/description": true,
		"/interface[name=ethernet-1/10]": false, "/interface[name=ethernet-1/10]/mtu": true, "/interface[name=ethernet-1/10]/group": false,
		"/interface[name=lag1]": true, "/interface[name=mgmt0]": false, "/interface[name=mgmt0]/description": false,
		"/routing": false, "/routing/policy": true, "/routing/policy[name=p1]": true, "/routing/uplink": false, "/bgp": false,
	}
	for p, w := range want {
		if got := testScope.Covers(tree.Find(path(t, p)), intended); got != w {
			t.Errorf("%s: got %v, want %v", p, got, w)
		}
	}
	if testScope.Covers(Cursor{}, intended) {
		t.Error("nothing is covered")
	}
	all := Scope{{Path: path(t, "/interface"), Own: Whole}}
	if !all.Covers(tree.Find(path(t, "/interface")), intended) {
		t.Error("a list whose path has no keys is owned with all its entries")
	}
}

func TestOutsideNamesTheLeavesThatADriverMustNotRender(t *testing.T) {
	t.Parallel()
	var got []string
	for _, p := range testScope.Outside(parse(t, foreignDoc)) {
		got = append(got, p.String())
	}
	want := []string{"/system/name", "/system/dns/domain", "/interface[name=ethernet-1/10]/group",
		"/interface[name=mgmt0]/description", "/routing/uplink"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if inside := testScope.Outside(testScope.Owned(parse(t, foreignDoc), EmptyTree(model, newRelease))); len(inside) != 0 {
		t.Errorf("what is owned lies inside, presence containers on the way too; have %v", inside)
	}
}

func TestAGlobStarStandsForAnyBytes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"ethernet-*", "ethernet-1/1", true}, {"ethernet-*", "ethernet", false}, {"*", "", true}, {"", "", true},
		{"a*b*c", "a-b-b-c", true}, {"a*b*c", "a-c-b", false}, {"lag1", "lag11", false}, {"*1", "lag11", true},
	} {
		if got := glob(c.pattern, c.s); got != c.want {
			t.Errorf("%s, %s: got %v", c.pattern, c.s, got)
		}
	}
}

func TestARequestWithinTheScopeLeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		device := someTree(t, "device")
		intended := ours(someTree(t, "intended"))
		covers := func(c Cursor) bool { return testScope.Covers(c, intended) }
		req := SetRequest(testScope.Owned(device, intended), intended, covers)
		after, err := Apply(device, req)
		if err != nil { // a reference of somebody else's may lose its target
			return
		}
		if got := testScope.Owned(after, intended); !Equal(got, intended) {
			t.Fatalf("device %s\nintended %s\nowned %s\nrequest %v", device.AppendJSON(nil, false), intended.AppendJSON(nil, false), got.AppendJSON(nil, false), req)
		}
		if before, later := theirs(device, intended), theirs(after, intended); !slices.Equal(before, later) {
			t.Fatalf("foreign leaves\n%q\nbecame\n%q\nby %v", before, later, req)
		}
	})
}

// ours reduces a tree to the scope, as a renderer would have made it.
func ours(tree *Tree) *Tree { return testScope.Owned(tree, tree) }

// theirs lists the leaves of a device that are not ours.
func theirs(tree, intended *Tree) []string {
	var out []string
	for c := range tree.All() {
		if h := testScope.holding(c.chain(nil), intended); !h.owned && c.IsLeaf() && !c.IsKey() {
			out = append(out, c.Path().String()+"="+c.Value())
		}
	}
	return out
}
