package config

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

func TestARequestTurnsOneTreeIntoTheOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := someTree(t, "a")
		b := neighbour(t, a, "b")
		turns(t, a, b, SetRequest(a, b, nil))
		turns(t, b, a, SetRequest(b, a, nil))
	})
}

func TestARequestWithoutReplacesOfContainersDoesToo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := someTree(t, "a")
		b := neighbour(t, a, "b")
		// What goes may be deleted as a whole, or it could not go; nothing may be replaced.
		turns(t, a, b, SetRequest(a, b, func(c Cursor) bool { return c.Tree() == a }))
	})
}

// turns checks that a request does what it is for, and that it is well formed.
func turns(t fatal, a, b *Tree, req *gnmi.SetRequest) {
	t.Helper()
	got, err := Apply(a, req)
	if err != nil {
		t.Fatalf("apply: %v\n%v", err, req)
	}
	if !Equal(got, b) {
		t.Fatalf("request %v\nturns %s\ninto  %s\nwant  %s", req, a.AppendJSON(nil, false), got.AppendJSON(nil, false), b.AppendJSON(nil, false))
	}
	if empty := proto.Size(req) == 0; empty != Equal(a, b) {
		t.Fatalf("request %v for trees that are equal: %v", req, Equal(a, b))
	}
	for _, u := range slices.Concat(req.Replace, req.Update) {
		if p, _ := FromGNMI(nil, u.Path); u.Val.GetJsonIetfVal()[0] == '[' && b.Find(p).node().shape == listShape {
			t.Fatalf("array at the path of a list: %v", u)
		}
	}
	for _, u := range req.Replace {
		if len(u.Path.Elem) == 0 {
			t.Fatalf("replace of the root")
		}
	}
}

func TestEqualTreesAndOnlyThoseHaveNoDiff(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := someTree(t, "a")
		b := neighbour(t, a, "b")
		if d := Diff(a, a); len(d) > 0 {
			t.Fatalf("diff of a tree with itself: %v", d)
		}
		if d := Diff(a, b); (len(d) == 0) != Equal(a, b) {
			t.Fatalf("diff %v, equal %v", d, Equal(a, b))
		}
		if same := slices.Equal(flat(a), flat(b)); same != (a.Root().Hash() == b.Root().Hash()) {
			t.Fatalf("same nodes: %v, same hash: %v", same, !same)
		}
	})
}

// What names a configuration across processes tells apart what Equal does, written-out defaults or not.
func TestEqualTreesAndOnlyThoseMeanTheSameBytes(t *testing.T) {
	t.Parallel()
	writtenOut := 0
	rapid.Check(t, func(t *rapid.T) {
		a := someTree(t, "a")
		b := neighbour(t, a, "b")
		x, y := a.AppendMeaning(nil), b.AppendMeaning(nil)
		if same := string(x) == string(y); same != Equal(a, b) {
			t.Fatalf("equal: %v, same bytes: %v\n%s\n%s", !same, same, x, y)
		}
		if !json.Valid(x) {
			t.Fatalf("no JSON: %s", x)
		}
		if Equal(a, b) && string(a.AppendJSON(nil, false)) != string(b.AppendJSON(nil, false)) {
			writtenOut++
		}
	})
	if bare, full := defaults(t, false), defaults(t, true); !Equal(bare, full) || string(bare.AppendMeaning(nil)) != string(full.AppendMeaning(nil)) {
		t.Errorf("a default that is written out makes another name:\n%s\n%s", bare.AppendMeaning(nil), full.AppendMeaning(nil))
	}
	t.Logf("%d pairs differed by defaults alone", writtenOut)
}

// defaults is a tree with an interface, its defaults written out or not.
func defaults(t *testing.T, out bool) *Tree {
	t.Helper()
	b, err := NewBuilder(model, newRelease)
	if err != nil {
		t.Fatal(err)
	}
	b.Str(idName, "a")
	if out {
		b.Uint(idMTU, 9000)
	}
	tree, err := b.Tree()
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestTheInverseOfADiffIsTheDiffOfTheInverse(t *testing.T) {
	t.Parallel()
	inverse := map[Op]Op{Create: Delete, Delete: Create, Modify: Modify, Reorder: Reorder}
	rapid.Check(t, func(t *rapid.T) {
		a := someTree(t, "a")
		b := neighbour(t, a, "b")
		there, back := Diff(a, b), Diff(b, a)
		want := map[string]int{}
		for _, c := range there {
			want[string(inverse[c.Op])+c.At.String()+c.To.Value()+">"+c.From.Value()]++
		}
		for _, c := range back {
			want[string(c.Op)+c.At.String()+c.From.Value()+">"+c.To.Value()]--
		}
		for k, n := range want {
			if n != 0 {
				t.Fatalf("%s is %d times more in one direction", k, n)
			}
		}
	})
}

func TestWhatIsPrintedParsesToTheSameTree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := someTree(t, "a")
		for _, indent := range []bool{false, true} {
			doc := a.AppendJSON(nil, indent)
			b, unknown, err := Parse(model, newRelease, doc, ParseOptions{Strict: true})
			if err != nil || len(unknown) > 0 {
				t.Fatalf("%s: %v, unknown %v", doc, err, unknown)
			}
			if !Equal(a, b) || a.Len() != b.Len() || string(b.AppendJSON(nil, indent)) != string(doc) {
				t.Fatalf("%s\nbecame\n%s", doc, b.AppendJSON(nil, indent))
			}
		}
	})
}

func TestEveryNodeIsFoundByItsPathAndParsesAtIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := someTree(t, "a")
		for c := range a.All() {
			p, err := ParsePath(c.Path().String())
			if err != nil || !p.Equal(c.Path()) {
				t.Fatalf("path %s: %v", c.Path(), err)
			}
			if c.IsValue() {
				continue
			}
			if a.Find(p) != c {
				t.Fatalf("%s is not found", p)
			}
			doc := c.AppendJSON(nil)
			b, _, err := Parse(model, newRelease, doc, ParseOptions{At: p, Strict: true})
			if err != nil || b.Find(p).Hash() != c.Hash() {
				t.Fatalf("%s: %s: %v", p, doc, err)
			}
		}
	})
}

func TestTheOrderOfBuildingDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ports := rapid.Permutation([]string{"ethernet-1/1", "ethernet-1/2", "ethernet-1/10", "lag1"}).Draw(t, "ports")
		fields := rapid.Permutation([]int{0, 1, 2, 3}).Draw(t, "fields")
		a := build(t, func(b *Builder) {
			fill(b, []string{"ethernet-1/1", "ethernet-1/2", "ethernet-1/10", "lag1"}, []int{0, 1, 2, 3})
		})
		b := build(t, func(b *Builder) { fill(b, ports, fields) })
		if !Equal(a, b) || string(a.AppendJSON(nil, false)) != string(b.AppendJSON(nil, false)) {
			t.Fatalf("%s", b.AppendJSON(nil, true))
		}
	})
}

func TestALoadedTreeIsTheSameTree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tree := someTree(t, "tree")
		b := newBuilder(t, tree)
		b.Load(tree)
		loaded, err := b.Tree()
		if err != nil || string(loaded.AppendJSON(nil, false)) != string(tree.AppendJSON(nil, false)) {
			t.Errorf("got %s and %v, want %s", loaded.AppendJSON(nil, false), err, tree.AppendJSON(nil, false))
		}
	})
}

func TestDefaultsAddLeavesAndMeanNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tree := someTree(t, "tree")
		b := newBuilder(t, tree)
		b.Load(tree)
		b.Defaults()
		full, err := b.Tree()
		if err != nil || !Equal(tree, full) {
			t.Fatalf("%v: %s means something else than %s", err, full.AppendJSON(nil, false), tree.AppendJSON(nil, false))
		}
		for c := range full.All() {
			s := c.Tree().Schema()
			if k := c.Node().Kind; k == Leaf || k == LeafList || k == List && !c.IsEntry() {
				continue
			}
			for _, id := range c.Node().Children {
				n := &s.Nodes[id]
				if n.HasDefault && !n.State && n.In.Has(full.release) && s.Types[n.Type].Base != Leafref && !c.Child(id).Valid() && tree.Find(c.Path()).Valid() {
					t.Errorf("%s has no %s", c.Path(), n.Name)
				}
			}
		}
	})
}

func newBuilder(t fatal, like *Tree) *Builder {
	b, err := NewBuilder(like.Schema(), like.Release())
	if err != nil {
		t.Fatalf("%v", err)
	}
	return b
}

func fill(b *Builder, ports []string, fields []int) {
	for _, port := range ports {
		for _, f := range fields {
			b.In(idInterface, port, func() {
				[]func(){
					func() { b.Str(idDescription, port) },
					func() { b.Uint(idIfMTU, 9000) },
					func() { b.In(idSub, "10", func() { b.Str(idSubType, "bridged") }) },
					func() { b.In(idSub, "9", func() { b.Str(idSubType, "routed") }) },
				}[f]()
			})
			b.Add(idCommunity, port)
		}
	}
}

// flat lists what a device would see of a tree, without hashes: paths and values, less defaults.
func flat(tree *Tree) []string {
	var out []string
	tree.Walk(func(c Cursor) bool {
		n, s := c.node(), c.Node()
		switch {
		case n.shape == leafListShape && s.HasDefault && strings.Join(values(c), " ") == s.Default:
			return false
		case n.shape == leafShape && s.HasDefault && c.Value() == s.Default:
		case n.shape == leafShape || n.shape == valueShape || n.shape == entryShape || s.Kind == Presence:
			out = append(out, c.Path().String()+"="+c.Value())
		}
		return true
	})
	return out
}

func values(c Cursor) []string {
	var out []string
	for v := range c.Children() {
		out = append(out, v.Value())
	}
	return out
}
