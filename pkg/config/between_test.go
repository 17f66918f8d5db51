package config

import (
	"slices"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"
	"pgregory.net/rapid"
)

func TestHalfARequestLeadsToATreeInBetween(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := someTree(t, "a")
		b := neighbour(t, a, "b")
		req := SetRequest(a, b, nil)
		half := &gnmi.SetRequest{
			Delete:  req.Delete[:rapid.IntRange(0, len(req.Delete)).Draw(t, "deletes")],
			Replace: req.Replace[:rapid.IntRange(0, len(req.Replace)).Draw(t, "replaces")],
			Update:  req.Update[:rapid.IntRange(0, len(req.Update)).Draw(t, "updates")],
		}
		got, err := Apply(a, half)
		if err != nil {
			t.Skip("half a request that no device accepts")
		}
		if !Between(got, a, b) {
			t.Fatalf("half of %v turns %s\ninto %s\nwhich is not on the way to %s", req, a.AppendJSON(nil, false), got.AppendJSON(nil, false), b.AppendJSON(nil, false))
		}
	})
}

func TestATreeInBetweenHasNothingThatNeitherHas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := someTree(t, "a")
		b := neighbour(t, a, "b")
		c := neighbour(t, a, "c")
		if !Between(a, a, b) || !Between(b, a, b) {
			t.Fatalf("the ends are not on the way")
		}
		if Equal(a, b) && !Equal(a, c) && Between(c, a, b) {
			t.Fatalf("there is no way from a tree to itself, and %s is on it", c.AppendJSON(nil, false))
		}
		if !Between(c, a, b) {
			return
		}
		for _, leaf := range flat(c) {
			if !slices.Contains(flat(a), leaf) && !slices.Contains(flat(b), leaf) {
				t.Fatalf("%s is in between and has %s, which neither end has", c.AppendJSON(nil, false), leaf)
			}
		}
	})
}
