package config

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestBesideReturnsWhatTheTreeDoesNotHave(t *testing.T) {
	t.Parallel()
	tree := parse(t, `{"system":{"name":"p1","mtu":9000,"dns":{"server":["b","a"]}},"interface":[{"name":"ethernet-1/1","mtu":1500,"vlan-tagging":true},{"name":"lag1","group":["p1","p2"]}],"routing":{"policy":[{"name":"p2"},{"name":"p1"}]}}`)
	const no = "another tree"
	for name, c := range map[string]struct{ doc, want string }{
		"the same":                               {string(tree.AppendJSON(nil, false)), `{}`},
		"the same, indented":                     {string(tree.AppendJSON(nil, true)), `{}`},
		"names without modules, and no defaults": {`{"system":{"name":"p1","dns":{"server":["b","a"]}},"interface":[{"name":"ethernet-1/1","mtu":1500,"vlan-tagging":true},{"name":"lag1","group":["p1","p2"]}],"routing":{"policy":[{"name":"p2"},{"name":"p1"}]}}`, `{}`},
		"members in another order":               {`{"routing":{"policy":[{"name":"p2"},{"name":"p1"}]},"interface":[{"name":"ethernet-1/1","vlan-tagging":true,"mtu":1500},{"name":"lag1","group":["p1","p2"]}],"acme":1,"system":{"dns":{"server":["b","a"]},"name":"p1"}}`, `{"acme":1}`},
		"a member is there twice, apart":         {`{"routing":{"policy":[{"name":"p2"},{"name":"p1"}]},"system":{"dns":{"server":["b","a"]},"name":"p1"},"interface":[{"name":"ethernet-1/1","vlan-tagging":true,"mtu":1500},{"name":"lag1","group":["p1","p2"]}],"routing":{"policy":[{"name":"p2"},{"name":"p1"}]}}`, no},
		"more of all": {`{"acme:x":[1],"system":{"name":"p1","banner":"a","dns":{"server":["b","a"]},"acme":{}},"interface":[{"name":"ethernet-1/1","mtu":1500,"vlan-tagging":true},{"name":"ethernet-1/2","mtu":"big"},{"name":"lag1","group":["p1","p2"]},{"name":"mgmt0"}],"routing":{"policy":[{"name":"p2"},{"name":"p1"}],"uplink":"lag1"},"bgp":{"autonomous-system":1}}`,
			`{"acme:x":[1],"ex-base:system":{"banner":"a","acme":{}},"ex-base:interface":[{"name":"ethernet-1/2","mtu":"big"},{"name":"mgmt0"}],"ex-base:routing":{"uplink":"lag1"},"bgp":{"autonomous-system":1}}`},
		"another value":                    {`{"system":{"name":"p2","dns":{"server":["b","a"]}},"interface":[{"name":"ethernet-1/1","mtu":1500,"vlan-tagging":true},{"name":"lag1","group":["p1","p2"]}],"routing":{"policy":[{"name":"p2"},{"name":"p1"}]}}`, no},
		"a longer number":                  {`{"system":{"name":"p1","dns":{"server":["b","a"]}},"interface":[{"name":"ethernet-1/1","mtu":15000,"vlan-tagging":true},{"name":"lag1","group":["p1","p2"]}],"routing":{"policy":[{"name":"p2"},{"name":"p1"}]}}`, no},
		"another value than the default":   {`{"system":{"name":"p1","mtu":9001,"dns":{"server":["b","a"]}},"interface":[{"name":"ethernet-1/1","mtu":1500,"vlan-tagging":true},{"name":"lag1","group":["p1","p2"]}],"routing":{"policy":[{"name":"p2"},{"name":"p1"}]}}`, no},
		"a leaf is missing":                {`{"system":{"name":"p1","dns":{"server":["b","a"]}},"interface":[{"name":"ethernet-1/1","vlan-tagging":true},{"name":"lag1","group":["p1","p2"]}],"routing":{"policy":[{"name":"p2"},{"name":"p1"}]}}`, no},
		"an entry is missing":              {`{"system":{"name":"p1","dns":{"server":["b","a"]}},"interface":[{"name":"ethernet-1/1","mtu":1500,"vlan-tagging":true}],"routing":{"policy":[{"name":"p2"},{"name":"p1"}]}}`, no},
		"a container is missing":           {`{"system":{"name":"p1","dns":{"server":["b","a"]}},"interface":[{"name":"ethernet-1/1","mtu":1500,"vlan-tagging":true},{"name":"lag1","group":["p1","p2"]}]}`, no},
		"an entry has more":                {`{"system":{"name":"p1","dns":{"server":["b","a"]}},"interface":[{"name":"ethernet-1/1","mtu":1500,"description":"a","vlan-tagging":true},{"name":"lag1","group":["p1","p2"]}],"routing":{"policy":[{"name":"p2"},{"name":"p1"}]}}`, no},
		"an entry is there twice":          {`{"system":{"name":"p1","dns":{"server":["b","a"]}},"interface":[{"name":"ethernet-1/1","mtu":1500,"vlan-tagging":true},{"name":"ethernet-1/1"},{"name":"lag1","group":["p1","p2"]}],"routing":{"policy":[{"name":"p2"},{"name":"p1"}]}}`, no},
		"a member is there twice":          {`{"system":{"name":"p1","name":"p1","dns":{"server":["b","a"]}},"interface":[{"name":"ethernet-1/1","mtu":1500,"vlan-tagging":true},{"name":"lag1","group":["p1","p2"]}],"routing":{"policy":[{"name":"p2"},{"name":"p1"}]}}`, no},
		"values in an order that is data":  {`{"system":{"name":"p1","dns":{"server":["a","b"]}},"interface":[{"name":"ethernet-1/1","mtu":1500,"vlan-tagging":true},{"name":"lag1","group":["p1","p2"]}],"routing":{"policy":[{"name":"p2"},{"name":"p1"}]}}`, no},
		"entries in an order that is data": {`{"system":{"name":"p1","dns":{"server":["b","a"]}},"interface":[{"name":"ethernet-1/1","mtu":1500,"vlan-tagging":true},{"name":"lag1","group":["p1","p2"]}],"routing":{"policy":[{"name":"p1"},{"name":"p2"}]}}`, no},
		"more where the order is data":     {`{"system":{"name":"p1","dns":{"server":["b","a"]}},"interface":[{"name":"ethernet-1/1","mtu":1500,"vlan-tagging":true},{"name":"lag1","group":["p1","p2"]}],"routing":{"policy":[{"name":"p2"},{"name":"p3"},{"name":"p1"}]}}`, no},
		"one value more":                   {`{"system":{"name":"p1","dns":{"server":["b","a"]}},"interface":[{"name":"ethernet-1/1","mtu":1500,"vlan-tagging":true},{"name":"lag1","group":["p1","p2","p3"]}],"routing":{"policy":[{"name":"p2"},{"name":"p1"}]}}`, no},
		"it goes on behind its end":        {string(tree.AppendJSON(nil, false)) + "{}", no},
		"it ends too early":                {string(tree.AppendJSON(nil, false)[:200]), no},
		"nothing":                          {`{}`, no},
		"no object":                        {`[]`, no},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rest, ok := Beside(tree, []byte(c.doc))
			if got := string(rest); ok && got != c.want || !ok && c.want != no {
				t.Errorf("got  %s, %t\nwant %s", got, ok, c.want)
			}
		})
	}
}

// What Beside says of a document is what parsing all of it would have said.
func TestTheTreeAndTheRestAreTheWhole(t *testing.T) {
	t.Parallel()
	met, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		whole := someTree(t, "whole")
		part := testScope.Owned(whole, whole)
		if rapid.Bool().Draw(t, "another") {
			part = neighbour(t, whole, "part")
		}
		doc := whole.AppendJSON(nil, rapid.Bool().Draw(t, "indented"))
		rest, ok := Beside(part, doc)
		if all++; !ok {
			return
		}
		met++
		beside, unknown, err := Parse(model, newRelease, rest, ParseOptions{})
		if err != nil || len(unknown) > 0 {
			t.Fatalf("%s: %v, unknown %v", rest, err, unknown)
		}
		has := map[string]bool{}
		for _, leaf := range flat(part) {
			has[leaf] = true
		}
		want := slices.DeleteFunc(flat(whole), func(leaf string) bool { return has[leaf] })
		if got := flat(beside); !slices.Equal(got, want) {
			t.Fatalf("%s\nbeside %s\ngot  %v\nwant %v", doc, part.AppendJSON(nil, false), got, want)
		}
		for _, c := range Diff(whole, part) { // what the whole does not have and the part does
			if c.To.Valid() {
				t.Fatalf("%s\nlacks %s of the tree", doc, c.At)
			}
		}
	})
	if !t.Failed() && met < all/10 {
		t.Errorf("%d of %d documents were nearly the tree; the property says too little", met, all)
	}
}
