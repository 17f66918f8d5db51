package main

import (
	"testing"

	"github.com/loomfabric/loom/pkg/transaction"
)

// A device that has what is intended is known by its answer, and by its startup file, without that either is parsed: what is left
// of them is what is not Loom's.
func TestAConfigurationAsIntendedIsNotParsed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if res := b.run(t.Context(), nil); res.Outcome != transaction.Done {
		t.Fatal(res.Err)
	}
	for name, l := range b.devices {
		answer, err := l.ask(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rest, ok := answer.Beside(l.intended)
		if !ok || !l.ownsNothing(rest.Tree) || rest.Tree.Leaves() == 0 {
			t.Errorf("%s: as intended: %t", name, ok)
		}
		running, startup, ok, err := l.Both(t.Context(), l.intended)
		if err != nil || !ok || !l.ownsNothing(running.Tree) || !l.ownsNothing(startup.Tree) {
			t.Errorf("%s: running and startup as intended: %t, %v", name, ok, err)
		}
	}
}
