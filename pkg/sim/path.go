package sim

import (
	"slices"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
)

// resolve joins a path of a read to its prefix and checks it against the schema. Names and keys may
// be "*", keys may be missing; both mean any.
func (d *Device) resolve(prefix, p *gnmi.Path) (config.Path, error) {
	for _, p := range []*gnmi.Path{prefix, p} {
		if err := checkOrigin(p); err != nil {
			return nil, err
		}
	}
	path, err := config.FromGNMI(prefix, p)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "Path not valid - %v", err)
	}
	schema := d.spec.Driver.Schema
	release := schema.Release(d.spec.Release)
	at := []config.ID{config.Root}
	for i, e := range path {
		next := step(schema, release, at, e)
		if len(next) == 0 {
			return nil, pathStatus(&config.PathError{Path: path[:i], Element: e.Name, Options: options(schema, release, at)})
		}
		if err := checkKeys(schema, next, e); err != nil {
			return nil, err
		}
		at = next
	}
	return path, nil
}

// step returns the schema nodes that an element may mean, below some nodes.
func step(s *config.Schema, release int, at []config.ID, e config.Elem) []config.ID {
	var next []config.ID
	for _, parent := range at {
		for _, id := range s.Nodes[parent].Children {
			n := s.Nodes[id]
			if n.In.Has(release) && (e.Name == "*" || e.Name == n.Name) {
				next = append(next, id)
			}
		}
	}
	return next
}

// options returns the names that could have followed.
func options(s *config.Schema, release int, at []config.ID) []string {
	var names []string
	for _, id := range step(s, release, at, config.Elem{Name: "*"}) {
		names = append(names, s.Nodes[id].Name)
	}
	return names
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

// matches tells whether an element fits a pattern.
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

// below tells whether a path lies at or below what a pattern names.
func below(p, pattern config.Path) bool {
	if len(p) < len(pattern) {
		return false
	}
	for i := range pattern {
		if !matches(p[i], pattern[i]) {
			return false
		}
	}
	return true
}
