package config

import (
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"
	"pgregory.net/rapid"
)

// What a tree says is what applying it leaves as it is.
func TestWhatATreeSaysChangesNothing(t *testing.T) {
	t.Parallel()
	said := 0
	rapid.Check(t, func(r *rapid.T) {
		tree := someTree(r, "tree")
		for c := range tree.All() {
			if !c.IsLeaf() {
				continue
			}
			p := c.Path()
			text := c.Value()
			if rapid.Bool().Draw(r, "another") {
				text = rapid.SampledFrom([]string{"", "0", "1", "true", "false", "a", `a"b`, "[", "null"}).Draw(r, "text")
			}
			v := &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: text}}
			if rapid.Bool().Draw(r, "JSON") {
				v = &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(rapid.SampledFrom([]string{text, `"` + text + `"`}).Draw(r, "quoted"))}}
			}
			if !tree.Says(p, v) {
				continue
			}
			said++
			after, err := Apply(tree, &gnmi.SetRequest{Update: []*gnmi.Update{{Path: p.GNMI(), Val: v}}})
			if err == nil && !Equal(tree, after) {
				r.Fatalf("%s says %s, and %v makes something else of it", p, c.Value(), v)
			}
		}
	})
	if said == 0 {
		t.Error("no tree says anything")
	}
}
