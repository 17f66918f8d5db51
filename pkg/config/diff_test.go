package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lines prints changes in short: op, path, values.
func lines(changes []Change) []string {
	out := []string{}
	for _, c := range changes {
		s := string(c.Op) + " " + c.At.String()
		if v := c.From.Value(); v != "" {
			s += " from " + v
		}
		if v := c.To.Value(); v != "" {
			s += " to " + v
		}
		out = append(out, s)
	}
	return out
}

func TestDiffSaysWhatChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, from, to string
		want           []string
	}{
		{"a leaf that changes", `{"system":{"name":"a"}}`, `{"system":{"name":"b"}}`, []string{"~ /system/name from a to b"}},
		{"a default that appears is no change", `{}`, `{"system":{"mtu":9000}}`, []string{}},
		{"a default that goes is no change", `{"system":{"mtu":9000,"name":"a"}}`, `{"system":{"name":"a"}}`, []string{}},
		{"a leaf that leaves its default", `{}`, `{"system":{"mtu":1500}}`, []string{"+ /system"}},
		{"a leaf that leaves its explicit default", `{"system":{"mtu":9000}}`, `{"system":{"mtu":1500}}`, []string{"~ /system/mtu from 9000 to 1500"}},
		{"a leaf that goes back to its default", `{"system":{"mtu":1500,"name":"a"}}`, `{"system":{"name":"a"}}`, []string{"- /system/mtu from 1500"}},
		{"an entry that comes is one change", `{}`, `{"interface":[{"name":"lag1","mtu":1500,"subinterface":[{"index":1}]}]}`, []string{"+ /interface[name=lag1]"}},
		{"entries in natural order", `{"interface":[{"name":"ethernet-1/10"}]}`, `{"interface":[{"name":"ethernet-1/2"},{"name":"lag1"}]}`,
			[]string{"+ /interface[name=ethernet-1/2]", "- /interface[name=ethernet-1/10]", "+ /interface[name=lag1]"}},
		{"an entry with two keys", `{"interface":[{"name":"lag1","subinterface":[{"index":1,"acl":[{"name":"a","type":"enable"},{"name":"a","type":"disable"}]}]}]}`,
			`{"interface":[{"name":"lag1","subinterface":[{"index":1,"acl":[{"name":"a","type":"disable"},{"name":"b","type":"disable"}]}]}]}`,
			[]string{"- /interface[name=lag1]/subinterface[index=1]/acl[name=a][type=enable]", "+ /interface[name=lag1]/subinterface[index=1]/acl[name=b][type=disable]"}},
		{"a presence container", `{"system":{}}`, `{"system":{"dns":{}}}`, []string{"+ /system"}},
		{"a presence container beside others", `{"system":{"name":"a","dns":{}}}`, `{"system":{"name":"a"}}`, []string{"- /system/dns"}},
		{"values of a system-ordered leaf-list", `{"routing":{"community":["a","c"]}}`, `{"routing":{"community":["b","c"]}}`, []string{"- /routing/community from a", "+ /routing/community to b"}},
		{"the order of a system-ordered leaf-list does not count", `{"routing":{"community":["a","c"]}}`, `{"routing":{"community":["c","a"]}}`, []string{}},
		{"a leaf-list with a default", `{"interface":[{"name":"lag1","group":["p1","all"]}]}`, `{"interface":[{"name":"lag1"}]}`, []string{}},
		{"a leaf-list with a part of its defaults", `{"interface":[{"name":"lag1","group":["all"]}]}`, `{"interface":[{"name":"lag1"}]}`, []string{"- /interface[name=lag1]/group from all"}},
		{"the order of a user-ordered leaf-list", `{"routing":{"as-path":[1,2]}}`, `{"routing":{"as-path":[2,1]}}`, []string{"% /routing/as-path"}},
		{"the members of a user-ordered leaf-list", `{"routing":{"as-path":[1,2]}}`, `{"routing":{"as-path":[1,3]}}`, []string{"~ /routing/as-path"}},
		{"a user-ordered leaf-list that comes", `{"routing":{"uplink":"lag1"}}`, `{"routing":{"uplink":"lag1","as-path":[1,3]}}`, []string{"+ /routing/as-path"}},
		{"the order of a user-ordered list", `{"routing":{"policy":[{"name":"a"},{"name":"b"}]}}`, `{"routing":{"policy":[{"name":"b"},{"name":"a","action":"enable"}]}}`,
			[]string{"% /routing/policy", "+ /routing/policy[name=a]/action to enable"}},
		{"an insertion does not reorder", `{"routing":{"policy":[{"name":"a"},{"name":"b"}]}}`, `{"routing":{"policy":[{"name":"a"},{"name":"x"},{"name":"b"}]}}`, []string{"+ /routing/policy[name=x]"}},
		{"a removal does not reorder", `{"routing":{"policy":[{"name":"a"},{"name":"x"},{"name":"b"}]}}`, `{"routing":{"policy":[{"name":"a"},{"name":"b"}]}}`, []string{"- /routing/policy[name=x]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := lines(Diff(parse(t, c.from), parse(t, c.to)))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheCostOfADiffFollowsTheChange(t *testing.T) {
	t.Parallel()
	a := build(t, func(b *Builder) { leafSwitch(b, 9000) })
	same := build(t, func(b *Builder) { leafSwitch(b, 9000) })
	if d, w := DiffCounted(a, same); len(d) != 0 || w.Visited != 1 {
		t.Errorf("equal trees: %d changes, %d visited", len(d), w.Visited)
	}
	b := build(t, func(b *Builder) {
		leafSwitch(b, 9000)
		b.In(idInterface, portNames[63], func() { b.Add(idGroup, "x") })
	})
	if d, w := DiffCounted(a, b); len(d) != 1 || w.Visited > 90 || a.Len() < 2000 {
		t.Errorf("one leaf: %v, %d visited of %d", lines(d), w.Visited, a.Len())
	}
}

func TestTreesOfDifferentSchemasAreNotCompared(t *testing.T) {
	t.Parallel()
	a, b := EmptyTree(model, newRelease), EmptyTree(newModel(), newRelease)
	if Equal(a, b) {
		t.Error("equal")
	}
	for _, f := range []func(){func() { Diff(a, b) }, func() { SetRequest(a, b, nil) }} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("want a panic")
				}
			}()
			f()
		}()
	}
}
