package driver

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
)

// Followed are paths that together cover all configuration below Manners.ReadPaths in a release, for who wants to hear when it
// changes, and none of Manners.Restless: what stands beside that is named one by one.
func (d *Driver) Followed(release string) []string {
	var out []string
	for _, path := range d.Manners.ReadPaths {
		id := config.Root
		for _, name := range names(path) {
			id, _ = d.Schema.Child(id, name) // a test holds that it is there
		}
		out = append(out, d.around(id, path, names(path), d.Schema.Release(release))...)
	}
	return out
}

// around is a subtree without what is restless: a path where it has nothing of the kind. at are the names on the way to it.
func (d *Driver) around(id config.ID, path string, at []string, release int) []string {
	if !slices.ContainsFunc(d.Manners.Restless, func(r string) bool { return leads(at, names(r)) }) {
		return []string{path}
	}
	if !strings.HasSuffix(path, "]") {
		for _, k := range d.Schema.Nodes[id].Keys {
			path += fmt.Sprintf("[%s=*]", d.Schema.Nodes[k].Name)
		}
	}
	var out []string
	for _, child := range d.Schema.Nodes[id].Children {
		n := d.Schema.Nodes[child]
		below := append(slices.Clip(at), n.Name)
		if n.State || !n.In.Has(release) || slices.ContainsFunc(d.Manners.Restless, func(r string) bool { return slices.Equal(below, names(r)) }) {
			continue
		}
		out = append(out, d.around(child, path+"/"+n.Name, below, release)...)
	}
	return out
}

// leads tells whether what is at a path lies below another one.
func leads(to, path []string) bool { return len(path) >= len(to) && slices.Equal(path[:len(to)], to) }

// names are the elements of a path without keys.
func names(path string) []string { return strings.Split(strings.TrimPrefix(path, "/"), "/") }
