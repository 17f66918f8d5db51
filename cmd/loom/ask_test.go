package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/store"
)

// A word is heard however much of its history the store has forgotten.
func TestAWordIsHeardInAStoreThatWasPacked(t *testing.T) {
	t.Parallel()
	b := newPruneBench(t)
	for i := range 3 {
		b.put("x", i)
	}
	if _, _, err := b.store.Pack(t.Context()); err != nil {
		t.Fatal(err)
	}
	j := newJournal(&keeper{store: b.store})
	_, release, stop, err := j.listen(t.Context(), "id")
	if err != nil {
		t.Fatal(err)
	}
	if err := request(t.Context(), b.store, "id", "confirm", time.Minute); err != nil {
		t.Fatal(err)
	}
	<-release
	stop()
}

// A word that nobody hears is not left for somebody to hear later, and who said it learns why.
func TestAWordThatNobodyHears(t *testing.T) {
	t.Parallel()
	b := newPruneBench(t)
	a := &clusterAsker{b.store, 50 * time.Millisecond}
	if err := a.ask(t.Context(), "red", "id", "confirm"); !errors.Is(err, errNobody) {
		t.Errorf("where nobody holds the fabric: %v", err)
	}
	lease, err := b.store.Hold(t.Context(), "fabric/red", store.Holder{Who: "ann@host pid 4711 loom apply"})
	if err != nil {
		t.Fatal(err)
	}
	defer lease.Release(t.Context())
	err = a.ask(t.Context(), "red", "id", "confirm")
	if got := fmt.Sprint(err); !strings.Contains(got, "held by ann@host pid 4711 loom apply, since") || !strings.Contains(got, "not heard it in 50ms") {
		t.Errorf("where who holds it is gone: %v", err)
	}
	if got := b.has("requests/"); got != "" {
		t.Errorf("there is still a word: %s", got)
	}
}
