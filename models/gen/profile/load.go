// Package profile reads YANG modules into one ordered tree in which every node, enum value, identity and
// pattern says which releases have it. It is what the generator and the comparison with the vendor's
// models have in common, and it runs only at build time.
//
// The rule that matters most: order comes from the text of the modules (goyang keeps children in maps), so
// that the same modules always give the same tree.
package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/openconfig/goyang/pkg/yang"

	"github.com/loomfabric/loom/pkg/config"
)

// A Source is a set of YANG modules with what is needed to read them.
type Source struct {
	Modules  map[string]string // "name.yang" to YANG text
	Path     []string          // directories in which imported modules are looked for
	Releases []string          // oldest first
	Partial  bool              // leafrefs may point at what is not among the modules
	// Availability tells which releases a statement is for, given those of what contains it.
	// The zero Source uses Marks: the loom:since and loom:until extensions.
	Availability func(n yang.Node, parent config.Releases) config.Releases
}

// ReadDir returns the text of every *.yang file below dir that keep accepts.
func ReadDir(fsys fs.FS, keep func(path string) bool) (map[string]string, error) {
	modules := map[string]string{}
	err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yang" || !keep(path) {
			return err
		}
		text, err := fs.ReadFile(fsys, path)
		modules[filepath.Base(path)] = string(text)
		return err
	})
	return modules, err
}

// All releases of a source.
func (s Source) all() config.Releases { return 1<<len(s.Releases) - 1 }

// Load parses the modules and returns the root of their data tree.
func Load(s Source) (*Node, error) {
	if s.Availability == nil {
		s.Availability = s.Marks
	}
	ms := yang.NewModules()
	ms.ParseOptions.IgnoreSubmoduleCircularDependencies = true // SR OS's include each other; all are merged into their module all the same
	ms.AddPath(s.Path...)
	var errs []error
	for _, file := range sortedKeys(s.Modules) {
		errs = append(errs, ms.Parse(s.Modules[file], file))
	}
	errs = append(errs, ms.Process()...)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	l := &loader{Source: s}
	root := &Node{In: s.all()}
	for _, name := range sortedKeys(ms.Modules) {
		m := ms.Modules[name]
		if _, given := s.Modules[m.Name+".yang"]; given && name == m.Name { // goyang also lists a module by name@revision
			l.children(root, yang.ToEntry(m), s.all())
		}
	}
	if err := errors.Join(l.errs...); err != nil {
		return nil, err
	}
	l.leafrefs(root)
	return root, errors.Join(l.errs...)
}

// Marks reads loom:since and loom:until, which name a release each and are inclusive.
func (s Source) Marks(n yang.Node, in config.Releases) config.Releases {
	for _, ext := range n.Exts() {
		i := slices.Index(s.Releases, ext.Argument)
		switch _, word, _ := strings.Cut(ext.Keyword, ":"); {
		case word == "since" && i >= 0:
			in &^= 1<<i - 1
		case word == "until" && i >= 0:
			in &= 1<<(i+1) - 1
		}
	}
	return in
}

type loader struct {
	Source
	errs []error
}

func (l *loader) fail(n *Node, format string, args ...any) {
	l.errs = append(l.errs, fmt.Errorf("%s: %s", n.Path(), fmt.Sprintf(format, args...)))
}

// children appends the data nodes of e to parent, in the order of the text; choices and cases are transparent.
func (l *loader) children(parent *Node, e *yang.Entry, in config.Releases) {
	for _, c := range ordered(e) {
		if c.RPC != nil || c.Kind == yang.NotificationEntry {
			continue
		}
		here := l.Availability(c.Node, in)
		if a := augmentOf(e, c); a != nil {
			here = l.Availability(a, here)
		}
		if c.IsChoice() || c.IsCase() {
			l.children(parent, c, here)
			continue
		}
		n := l.node(parent, c, here)
		parent.Children = append(parent.Children, n)
		l.children(n, c, here)
		n.keysFirst()
	}
}

// augmentOf is the augment that brought a child to its parent, itself or by a grouping that it uses; nil if none did. What
// holds of the augment holds of all its nodes (RFC 7950 §7.17).
func augmentOf(parent, child *yang.Entry) yang.Node {
	for _, a := range parent.Augmented {
		if a.Dir[child.Name] != nil {
			return a.Node
		}
	}
	return nil
}

func (l *loader) node(parent *Node, e *yang.Entry, in config.Releases) *Node {
	n := &Node{Name: e.Name, Parent: parent, Kind: kind(e), In: in, State: e.ReadOnly(), Mandatory: e.Mandatory == yang.TSTrue && !conditional(e.Node)}
	var err error
	if n.Module, err = e.InstantiatingModule(); err != nil {
		l.fail(n, "%v", err)
	}
	if ns := e.Namespace(); ns != nil {
		n.Namespace = ns.Name
	}
	if e.Key != "" {
		n.Keys = strings.Fields(e.Key)
	}
	if e.ListAttr != nil {
		n.UserOrdered = e.ListAttr.OrderedByUser
		if e.ListAttr.MaxElements < 1<<32 {
			n.MaxElements = uint32(e.ListAttr.MaxElements)
		}
	}
	if ast := typeStatement(e.Node); ast != nil {
		n.Type = l.typeOf(ast, in)
		n.Defaults = defaults(e, n.Type)
	}
	return n
}

// conditional tells whether a node is there only under a condition (RFC 7950 §7.21.5). Where that is false the node is not
// mandatory, and the tables know no conditions.
func conditional(n yang.Node) bool {
	return n.Statement() != nil && slices.ContainsFunc(n.Statement().SubStatements(), func(s *yang.Statement) bool { return s.Keyword == "when" })
}

func kind(e *yang.Entry) config.Kind {
	switch {
	case e.IsList():
		return config.List
	case e.IsLeafList():
		return config.LeafList
	case e.IsLeaf():
		return config.Leaf
	}
	if c, ok := e.Node.(*yang.Container); ok && c.Presence != nil {
		return config.Presence
	}
	return config.Container
}

func typeStatement(n yang.Node) *yang.Type {
	switch n := n.(type) {
	case *yang.Leaf:
		return n.Type
	case *yang.LeafList:
		return n.Type
	}
	return nil
}

// defaults returns the default values in canonical form: identities as module:name.
func defaults(e *yang.Entry, t *Type) []string {
	values := e.DefaultValues()
	if t.Base != config.Identityref {
		return values
	}
	out := make([]string, len(values))
	for i, v := range values {
		local := v[strings.Index(v, ":")+1:]
		out[i] = v
		for _, id := range t.Enums {
			if id.Name == local {
				out[i] = id.Module + ":" + id.Name
			}
		}
	}
	return out
}
