package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/topology"
)

// known holds a path or pattern against the schemas of some devices: it is a mistake where none has it.
func (n *network) known(names []string, p config.Path) error {
	var err error
	for _, name := range names {
		d := n.design.Device(name)
		if err = inSchema(drivers[d.OS].Schema, d.Release, p); err == nil {
			return nil
		}
	}
	return err
}

// inSchema follows a path through a schema; an element or a key of * stands for any.
func inSchema(s *config.Schema, release string, p config.Path) error {
	at := []config.ID{config.Root}
	for i, e := range p {
		var below []config.ID
		var names []string
		for _, child := range children(s, release, at) {
			names = append(names, s.Nodes[child].Name)
			if e.Name == "*" || e.Name == s.Nodes[child].Name {
				below = append(below, child)
			}
		}
		if len(below) == 0 {
			return fmt.Errorf("%s: no such element in loom's profile of %s %s; %s", p[:i+1], s.OS, release, meant(e.Name, names))
		}
		for _, k := range e.Keys {
			if names := keyNames(s, below); !slices.Contains(names, k.Name) {
				return fmt.Errorf("%s: no key %s; %s", p[:i+1], k.Name, meant(k.Name, names))
			}
		}
		at = below
	}
	return nil
}

func children(s *config.Schema, release string, at []config.ID) (out []config.ID) {
	r := s.Release(release)
	for _, id := range at {
		for _, c := range s.Nodes[id].Children {
			if r >= 0 && s.Nodes[c].In.Has(r) {
				out = append(out, c)
			}
		}
	}
	return out
}

func keyNames(s *config.Schema, lists []config.ID) (out []string) {
	for _, id := range lists {
		for _, k := range s.Nodes[id].Keys {
			out = append(out, s.Nodes[k].Name)
		}
	}
	return out
}

// meant suggests what a name was meant to be, of those that there are.
func meant(name string, names []string) string {
	if near := topology.Nearest(name, names); near != "" {
		return "did you mean " + near
	}
	if len(names) == 0 {
		return "there is nothing of the kind here"
	}
	return "there is " + strings.Join(names, ", ")
}
