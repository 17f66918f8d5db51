package profile

import (
	"slices"
	"sort"
	"strings"

	"github.com/openconfig/goyang/pkg/yang"

	"github.com/loomfabric/loom/pkg/config"
)

// A Node is one data node of the tree. The root has no name.
type Node struct {
	Name        string
	Module      string // module whose namespace the node has
	Namespace   string
	Parent      *Node
	Children    []*Node // keys first, then the order of the text, then augments by module name
	Kind        config.Kind
	In          config.Releases
	State       bool // config false
	UserOrdered bool
	Mandatory   bool
	Defaults    []string // canonical values; more than one only on a leaf-list
	Keys        []string
	MaxElements uint32 // 0: unbounded
	Type        *Type  // of leaves and leaf-lists
}

// Path returns the schema path: "/interface/mtu".
func (n *Node) Path() string {
	if n.Parent == nil {
		return ""
	}
	return n.Parent.Path() + "/" + n.Name
}

// Child returns the child with a local name, or nil.
func (n *Node) Child(name string) *Node {
	for _, c := range n.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// All returns n and everything below it, depth first.
func (n *Node) All() []*Node {
	out := []*Node{n}
	for _, c := range n.Children {
		out = append(out, c.All()...)
	}
	return out
}

// keysFirst moves the key leaves of a list to the front, in the order of the key statement.
func (n *Node) keysFirst() {
	rank := func(c *Node) int {
		if i := slices.Index(n.Keys, c.Name); i >= 0 {
			return i
		}
		return len(n.Keys)
	}
	sort.SliceStable(n.Children, func(i, j int) bool { return rank(n.Children[i]) < rank(n.Children[j]) })
}

// ordered returns the children of an entry in the order of the text, with uses expanded in place and
// what other modules add at the end, by module name.
func ordered(e *yang.Entry) []*yang.Entry {
	var out []*yang.Entry
	seen := map[string]bool{}
	add := func(name string) {
		if c := e.Dir[name]; c != nil && !seen[name] {
			seen[name] = true
			out = append(out, c)
		}
	}
	for _, name := range names(e.Node) {
		add(name)
	}
	rest := sortedKeys(e.Dir)
	sort.SliceStable(rest, func(i, j int) bool { return origin(e.Dir[rest[i]]) < origin(e.Dir[rest[j]]) })
	for _, name := range rest {
		add(name)
	}
	return out
}

// origin is the module that adds an entry by augment.
func origin(e *yang.Entry) string {
	m, _ := e.InstantiatingModule()
	return m
}

// names lists the data nodes that the text of a statement holds, in order.
func names(n yang.Node) []string {
	if n == nil || n.Statement() == nil {
		return nil
	}
	var out []string
	for _, s := range n.Statement().SubStatements() {
		switch s.Keyword {
		case "container", "list", "leaf", "leaf-list", "choice", "case":
			out = append(out, s.Argument)
		case "uses":
			if g := yang.FindGrouping(n, s.Argument, map[string]bool{}); g != nil {
				out = append(out, names(g)...)
			}
		}
	}
	return out
}

// leafrefs resolves what leafrefs point at, which needs the whole tree.
func (l *loader) leafrefs(root *Node) {
	for _, n := range root.All() {
		if n.Type != nil {
			l.point(n, n.Type)
		}
	}
}

func (l *loader) point(n *Node, t *Type) {
	for _, m := range t.Members {
		l.point(n, m)
	}
	if t.Base != config.Leafref || t.Members != nil {
		return
	}
	target := follow(n, t.path)
	if target == nil && l.Partial {
		return
	}
	if target == nil {
		l.fail(n, "leafref %s points at nothing", t.path)
		return
	}
	t.Members = []*Type{target.Type}
	if !t.optional {
		t.Target = target.Path()
	}
}

// follow walks a leafref path from a leaf, by local names and without predicates.
func follow(from *Node, path string) *Node {
	at := from
	if strings.HasPrefix(path, "/") {
		for at.Parent != nil {
			at = at.Parent
		}
	}
	for _, step := range strings.Split(strings.Trim(withoutPredicates(path), "/"), "/") {
		step = strings.TrimSpace(step)
		if step == ".." {
			at = at.Parent
		} else {
			at = at.Child(step[strings.Index(step, ":")+1:])
		}
		if at == nil {
			return nil
		}
	}
	return at
}

func withoutPredicates(path string) string {
	var b strings.Builder
	depth := 0
	for _, r := range path {
		switch {
		case r == '[':
			depth++
		case r == ']':
			depth--
		case depth == 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
