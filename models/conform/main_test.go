package main

import (
	"testing"

	"github.com/loomfabric/loom/models/gen/profile"
)

// Of a profile with two modules, configuration and state, that one may be compared which is there to compare with.
func TestWhatIsNotComparedIsLeftOut(t *testing.T) {
	module := func(name string) string {
		return "module " + name + " { namespace \"urn:" + name + "\"; prefix m; organization \"o\"; revision 2026-01-01; container " + name + "-top { leaf a { type string; } } }"
	}
	source := profile.Source{Modules: map[string]string{"conf.yang": module("conf"), "state.yang": module("state"), "types-a.yang": module("types-a")}, Releases: []string{"1"}}
	root, err := profile.Load(source)
	if err != nil {
		t.Fatal(err)
	}
	modules, err := profile.Modules(source)
	if err != nil {
		t.Fatal(err)
	}
	for patterns, want := range map[string]int{"conf.yang": 1, "conf.yang,types-*": 2, "*,!state.yang": 2, "*": 3, "none*": 0} {
		o := options{modules: patterns}
		if nodes, all := len(o.own(root).Children), len(o.ownModules(modules)); nodes != want || all != want {
			t.Errorf("%s: %d trees, %d modules, want %d", patterns, nodes, all, want)
		}
	}
	if len(root.Children) != 3 {
		t.Error("what is left out is gone for others as well")
	}
}
