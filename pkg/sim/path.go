package sim

import (
	"cmp"
	"errors"
	"slices"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
)

// anyLevels is the name of an element that stands for any number of levels, also none (gNMI path
// conventions, "Wildcards in paths").
const anyLevels = "..."

// resolve joins a path of a read to its prefix and checks it against the schema. Names and keys may be "*",
// keys may be missing, which both mean any, and an element may be anyLevels.
func (d *Device) resolve(prefix, p *gnmi.Path) (config.Path, error) {
	if err := checkOrigins(d.serverConfig().Origin, prefix, p); err != nil {
		return nil, err
	}
	path, err := join(prefix, p)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "Path not valid - %v", err)
	}
	schema := d.spec.Driver.Schema
	release := schema.Release(d.release())
	at := []config.ID{config.Root}
	for i, e := range path {
		next := step(schema, release, at, e)
		if len(next) == 0 {
			return nil, d.pathStatus(&config.PathError{Path: path[:i], Element: e.Name, Options: options(schema, release, at)})
		}
		if err := checkKeys(schema, next, e); err != nil {
			return nil, err
		}
		at = next
	}
	return path, nil
}

// checkOrigins refuses the schemas that a simulated device does not have: OpenConfig and the command line.
// An origin that it does not know SR Linux takes for its own. A request names its origin in one place only
// (gNMI spec §2.7); unsaid is what paths without one mean.
func checkOrigins(unsaid string, prefix *gnmi.Path, paths ...*gnmi.Path) error {
	for _, p := range paths {
		switch o := cmp.Or(p.GetOrigin(), prefix.GetOrigin(), unsaid); {
		case p.GetOrigin() != "" && prefix.GetOrigin() != "":
			return status.Errorf(codes.InvalidArgument, "Path not valid - origin '%s' is in the path, '%s' in the prefix: give one", o, prefix.GetOrigin())
		case o == "openconfig" || o == "cli":
			return status.Errorf(codes.Unimplemented, "origin '%s' is not supported", o)
		}
	}
	return nil
}

// join joins a prefix and a path. Package config knows no anyLevels.
func join(prefix, p *gnmi.Path) (config.Path, error) {
	if err := errors.Join(config.Structured(prefix), config.Structured(p)); err != nil {
		return nil, err
	}
	var path config.Path
	for _, e := range slices.Concat(prefix.GetElem(), p.GetElem()) {
		one := config.Path{{Name: anyLevels}}
		if e.GetName() != anyLevels {
			var err error
			if one, err = config.FromGNMI(nil, &gnmi.Path{Elem: []*gnmi.PathElem{e}}); err != nil {
				return nil, err
			}
		}
		path = append(path, one...)
	}
	return path, nil
}

// step returns the schema nodes that an element may mean, below some nodes.
func step(s *config.Schema, release int, at []config.ID, e config.Elem) []config.ID {
	var next []config.ID
	if e.Name == anyLevels {
		next = append(next, at...)
	}
	for _, parent := range at {
		for _, id := range s.Nodes[parent].Children {
			n := s.Nodes[id]
			switch {
			case !n.In.Has(release):
			case e.Name == anyLevels:
				next = append(next, step(s, release, []config.ID{id}, e)...)
			case e.Name == "*" || e.Name == n.Name:
				next = append(next, id)
			}
		}
	}
	slices.Sort(next) // IDs are in schema order
	return slices.Compact(next)
}

// options returns the names that could have followed some nodes. After anyLevels these are so many that
// nobody reads them.
func options(s *config.Schema, release int, at []config.ID) []string {
	const most = 500
	var names []string
	for _, id := range step(s, release, at, config.Elem{Name: "*"}) {
		names = append(names, s.Nodes[id].Name)
	}
	return names[:min(len(names), most)]
}

// checkKeys refuses keys that none of the nodes has.
func checkKeys(s *config.Schema, nodes []config.ID, e config.Elem) error {
	for _, k := range e.Keys {
		has := func(id config.ID) bool {
			return slices.ContainsFunc(s.Nodes[id].Keys, func(key config.ID) bool { return s.Nodes[key].Name == k.Name })
		}
		if !slices.ContainsFunc(nodes, has) {
			return status.Errorf(codes.InvalidArgument, "Path not valid - '%s' is not a key of '%s'", k.Name, e.Name)
		}
	}
	return nil
}

// definite returns how many elements of a path name exactly one node each.
func definite(s *config.Schema, p config.Path) int {
	id, ok := config.Root, true
	for i, e := range p {
		if id, ok = s.Child(id, e.Name); !ok || len(e.Keys) < len(s.Nodes[id].Keys) {
			return i
		}
		if slices.ContainsFunc(e.Keys, func(k config.KeyValue) bool { return k.Value == "*" }) {
			return i
		}
	}
	return len(p)
}

// matches tells whether an element fits one of a path that may have wildcards.
func matches(e, pattern config.Elem) bool {
	if pattern.Name != "*" && pattern.Name != e.Name {
		return false
	}
	for _, k := range pattern.Keys {
		if v, ok := e.Key(k.Name); k.Value != "*" && (!ok || v != k.Value) {
			return false
		}
	}
	return true
}

// below tells whether a path lies at or below what one with wildcards names.
func below(p, wild config.Path) bool {
	rest := patternOf(wild)
	for _, e := range p {
		rest = rest.after(e)
	}
	return rest.all()
}

// pattern is what is still to be matched below a node: one of several ends of the same path, because it is
// not known how many levels anyLevels stands for.
type pattern []config.Path

// patternOf returns the pattern that a path is before its first element is matched.
func patternOf(p config.Path) pattern { return pattern{}.or(p) }

// or adds an end of the path that may have to be matched.
func (p pattern) or(end config.Path) pattern {
	if slices.ContainsFunc(p, func(q config.Path) bool { return len(q) == len(end) }) {
		return p
	}
	p = append(p, end)
	if len(end) > 0 && end[0].Name == anyLevels {
		return p.or(end[1:])
	}
	return p
}

// all tells whether the node and everything below it is covered.
func (p pattern) all() bool {
	return slices.ContainsFunc(p, func(end config.Path) bool { return len(end) == 0 })
}

// after returns what is still to be matched below an element; it is empty where nothing can be.
func (p pattern) after(e config.Elem) pattern {
	if p.all() {
		return pattern{nil}
	}
	var out pattern
	for _, end := range p {
		switch {
		case end[0].Name == anyLevels:
			out = out.or(end)
		case matches(e, end[0]):
			out = out.or(end[1:])
		}
	}
	return out
}
