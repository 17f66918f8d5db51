package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/openconfig/goyang/pkg/yang"

	"github.com/loomfabric/loom/models/gen/profile"
	"github.com/loomfabric/loom/pkg/config"
)

// A featureSet tells whether one platform has a feature.
type featureSet func(name string) bool

// The two bits of config.Releases where no list of features is known: what some platform may have, and what every
// platform has because no feature guards it.
const (
	possible config.Releases = 1 << iota
	certain
)

// featureLists reads what each known platform of a release reports. The vendor's models guard nodes with features,
// and only the platform's list says which dialect it speaks.
func featureLists(dir, release string) []featureSet {
	files, _ := filepath.Glob(filepath.Join(dir, release+".*"))
	var sets []featureSet
	for _, file := range files {
		text, err := os.ReadFile(file)
		if dir == "" || err != nil {
			continue
		}
		have := strings.Fields(string(text))
		sets = append(sets, func(name string) bool { return slices.Contains(have, name) })
	}
	return sets
}

// loadVendor reads those of the vendor's modules of one release that are compared with; other modules are read only
// where they are imported. In of a node is the set of platforms that have it, not of releases.
func loadVendor(dir string, compared func(file string) bool, platforms []featureSet) (*profile.Node, []profile.Module, error) {
	keep := func(path string) bool { return compared(path) && !isSubmodule(filepath.Join(dir, path)) }
	modules, err := profile.ReadDir(os.DirFS(dir), keep)
	if err != nil {
		return nil, nil, err
	}
	source := vendorSource(modules, directories(dir), platforms)
	root, err := profile.Load(source)
	if err != nil {
		return nil, nil, err
	}
	published, err := profile.Modules(source)
	return root, published, err
}

func vendorSource(modules map[string]string, path []string, platforms []featureSet) profile.Source {
	source := profile.Source{Modules: modules, Path: path, Partial: true}
	if len(platforms) == 0 {
		source.Releases = []string{"possible", "certain"}
		source.Availability = func(n yang.Node, in config.Releases) config.Releases {
			if len(conditions(n)) > 0 {
				in &= possible
			}
			return in
		}
		return source
	}
	source.Releases = make([]string, min(len(platforms), 8))
	source.Availability = func(n yang.Node, in config.Releases) config.Releases {
		return gate(conditions(n), in, platforms)
	}
	return source
}

func isSubmodule(file string) bool {
	text, err := os.ReadFile(file)
	return err == nil && strings.HasPrefix(strings.TrimSpace(string(text)), "submodule")
}

func directories(root string) (dirs []string) {
	filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	return dirs
}

// conditions are the if-feature expressions of a statement; all must hold (RFC 7950 §7.20.2).
func conditions(n yang.Node) (out []string) {
	if n.Statement() == nil {
		return nil
	}
	for _, s := range n.Statement().SubStatements() {
		if s.Keyword == "if-feature" {
			out = append(out, s.Argument)
		}
	}
	return out
}

// gate removes the platforms that a condition excludes.
func gate(conditions []string, in config.Releases, platforms []featureSet) config.Releases {
	for _, c := range conditions {
		words := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(c))
		for i, has := range platforms[:min(len(platforms), 8)] {
			if e := (expression{words, has}); !e.or() {
				in &^= 1 << i
			}
		}
	}
	return in
}

// An expression is the rest of an if-feature expression.
type expression struct {
	words []string
	has   featureSet
}

func (e *expression) next() (word string) {
	if len(e.words) > 0 {
		word, e.words = e.words[0], e.words[1:]
	}
	return word
}

func (e *expression) accept(word string) bool {
	if len(e.words) == 0 || e.words[0] != word {
		return false
	}
	e.next()
	return true
}

func (e *expression) or() bool {
	v := e.and()
	for e.accept("or") {
		w := e.and()
		v = v || w
	}
	return v
}

func (e *expression) and() bool {
	v := e.factor()
	for e.accept("and") {
		w := e.factor()
		v = v && w
	}
	return v
}

func (e *expression) factor() bool {
	switch {
	case e.accept("not"):
		return !e.factor()
	case e.accept("("):
		v := e.or()
		e.accept(")")
		return v
	}
	name := e.next()
	return e.has(name[strings.Index(name, ":")+1:])
}
