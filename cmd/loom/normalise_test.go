//go:build !race

package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// D5: a router writes a value as it likes, and leaves out what is the default. That is no difference; another
// value always is, and so is none where there is no default. On random leaves of real documents, none may be taken for the
// other.
func TestHowARouterWritesAValueIsNoDifferenceAndAnotherValueIs(t *testing.T) {
	t.Parallel()
	const leaves = 1000
	rng := rand.New(rand.NewPCG(5, 5))
	trees := documents(t, "tiny.yaml", "two-sites.yaml", "ebgp-overlay.yaml")
	count := map[string]int{}
	for range leaves {
		tree := trees[rng.IntN(len(trees))]
		all := leavesOf(tree)
		leaf := all[rng.IntN(len(all))]
		at := tree.Find(leaf)
		for _, text := range spellings(at) {
			count["spelled otherwise"]++
			if got := put(t, tree, leaf, text); got == nil || len(got) > 0 {
				t.Errorf("%s: %s is refused, or taken for something else than %s", leaf, text, at.AppendJSON(nil))
			}
		}
		gone := put(t, tree, leaf, "")
		if at.IsDefault() {
			count["default left out"]++
			if len(gone) > 0 {
				t.Errorf("%s: without its default %s it is taken for something else", leaf, at.AppendJSON(nil))
			}
		} else if gone != nil {
			count["left out"]++
			if len(gone) == 0 {
				t.Errorf("%s: nobody misses %s", leaf, at.AppendJSON(nil))
			}
		}
		for _, text := range others(at) {
			changes := put(t, tree, leaf, text)
			if changes == nil {
				continue // the type does not have it
			}
			count["another value"]++
			if len(changes) != 1 || !changes[0].At.Equal(leaf) {
				t.Errorf("%s: %s instead of %s is seen as %d changes", leaf, text, at.AppendJSON(nil), len(changes))
			}
		}
	}
	t.Logf("%d leaves: %v", leaves, count)
	for _, what := range []string{"spelled otherwise", "default left out", "left out", "another value"} {
		if count[what] < 50 {
			t.Errorf("%s: only %d cases", what, count[what])
		}
	}
}

// documents are the intended configurations of all devices of some topologies.
func documents(t *testing.T, files ...string) (out []*config.Tree) {
	t.Helper()
	for _, file := range files {
		srcs, err := sources([]string{filepath.Join(topologiesDir(t), file)})
		if err != nil {
			t.Fatal(err)
		}
		n, err := compileNetwork(&terminal{}, srcs, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range sortedKeys(n.trees) {
			out = append(out, n.trees[name])
		}
	}
	return out
}

func leavesOf(tree *config.Tree) (out []config.Path) {
	tree.Walk(func(c config.Cursor) bool {
		if c.IsLeaf() && !c.IsKey() {
			out = append(out, c.Path())
		}
		return true
	})
	return out
}

// put is what differs once a leaf is written as a text of JSON, or left out where that is empty; nil where it cannot be.
func put(t *testing.T, tree *config.Tree, leaf config.Path, text string) []config.Change {
	t.Helper()
	req := &gnmi.SetRequest{Delete: []*gnmi.Path{leaf.GNMI()}}
	if text != "" {
		val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(text)}}
		req = &gnmi.SetRequest{Replace: []*gnmi.Update{{Path: leaf.GNMI(), Val: val}}}
	}
	after, err := config.Apply(tree, req)
	if err != nil {
		return nil
	}
	return append([]config.Change{}, config.Diff(tree, after)...)
}

// spellings are other ways to write the value of a leaf: RFC 7950 §9 and RFC 7951 §6.
func spellings(c config.Cursor) (out []string) {
	text := string(c.AppendJSON(nil))
	out = append(out, " "+text+" ")
	var s string
	if json.Unmarshal([]byte(text), &s) != nil {
		return out
	}
	escaped := ""
	for _, r := range s {
		escaped += fmt.Sprintf(`\u%04x`, r)
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return r > 0xffff }) {
		out = append(out, `"`+escaped+`"`)
	}
	if _, local, ok := strings.Cut(s, ":"); ok && strings.HasPrefix(s, "srl_nokia-") { // RFC 7951 §6.8: of the same module, without its name
		out = append(out, strconv.Quote(local))
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Is6() {
		out = append(out, strconv.Quote(a.StringExpanded()), strconv.Quote(strings.ToUpper(s)))
	}
	return out
}

// others are values that a leaf of the same type may have, or not.
func others(c config.Cursor) (out []string) {
	text := string(c.AppendJSON(nil))
	var s string
	switch n, err := strconv.ParseInt(text, 10, 64); {
	case text == "true":
		out = append(out, "false")
	case text == "false":
		out = append(out, "true")
	case err == nil:
		out = append(out, strconv.FormatInt(n+1, 10), strconv.FormatInt(n-1, 10))
	case json.Unmarshal([]byte(text), &s) == nil:
		out = append(out, strconv.Quote(s+"1"), `"enable"`, `"disable"`)
	}
	return slices.DeleteFunc(out, func(o string) bool { return o == text })
}
