package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
)

// journalBench is a journal over a store of its own, for changes of descriptions.
type journalBench struct {
	*pruneBench
	*journal
	begun int
}

func newJournalBench(t *testing.T) *journalBench {
	t.Helper()
	b := newPruneBench(t)
	lease, err := b.store.Hold(t.Context(), "fabric/red", store.Holder{Who: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	return &journalBench{b, newJournal(&keeper{store: b.store, lease: lease, topology: "red", bounds: bounds{Patience: time.Minute}}), 0}
}

// described is a configuration with one description.
func (b *journalBench) described(text string) *config.Tree {
	b.Helper()
	tree, unknown, err := config.Parse(drivers["srlinux"].Schema, "24.10", fmt.Appendf(nil, `{"srl_nokia-interfaces:interface":[{"name":"ethernet-1/1","description":%q}]}`, text), config.ParseOptions{})
	if err != nil || len(unknown) > 0 {
		b.Fatal(err, unknown)
	}
	return tree
}

// prepared is the prelude of a transaction that leads through places, with a description each.
func (b *journalBench) prepared(places ...string) (string, *prelude) {
	b.Helper()
	b.begun++
	id := fmt.Sprintf("%s-%d", idAt(b.now.Add(time.Duration(b.begun)*time.Second)), b.begun)
	m := participant{Name: "leaf1", OS: "srlinux", Release: "24.10"}
	trees := map[string]*config.Tree{}
	for _, place := range places {
		tree := b.described(place)
		m.Places = append(m.Places, plan.Hash(tree))
		trees[plan.Hash(tree)] = tree
	}
	if err := b.prepare(b.Context(), id, []participant{m}, trees); err != nil {
		b.Fatal(err)
	}
	p := b.with[id]
	if p == nil {
		return id, nil
	}
	if err := b.ready(b.Context(), id, p); err != nil {
		b.Fatal(err)
	}
	return id, p
}

// carry begins a transaction and ends it.
func (b *journalBench) carry(id string) {
	b.Helper()
	b.append(id, transaction.Record{Kind: transaction.Planned, At: b.now, Spec: &transaction.Spec{ID: id, Topology: "red", Began: b.now}})
	b.append(id, transaction.Record{Kind: transaction.Ended, At: b.now, Outcome: transaction.Done})
}

func (b *journalBench) append(id string, r transaction.Record) {
	b.Helper()
	if err := b.Append(b.Context(), id, []transaction.Record{r}); err != nil {
		b.Fatal(err)
	}
}

// whole tells whether a transaction can be gone on with, and taken back: it has its devices, and all their places.
func (b *journalBench) whole(id string) {
	b.Helper()
	members, err := b.participants(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	for i := range members {
		for _, hash := range members[i].Places {
			if _, err := b.configuration(b.Context(), &members[i], hash); err != nil {
				b.Errorf("transaction %s: %v", id, err)
			}
		}
	}
}

func (b *journalBench) Context() context.Context { return b.pruneBench.Context() }

func (b *journalBench) revision() int64 {
	b.Helper()
	_, at, err := b.pruneBench.store.List(b.Context(), "open/")
	if err != nil {
		b.Fatal(err)
	}
	return at
}

func (b *journalBench) key(text string) string {
	return "configurations/" + plan.Hash(b.described(text))
}

// forget does what somebody does who forgets.
func (b *journalBench) forget(keys ...string) {
	b.Helper()
	if _, err := b.pruneBench.store.Commit(b.Context(), store.Tx{Delete: keys}); err != nil {
		b.Fatal(err)
	}
}

func configurationsOf(put map[string][]byte) []string {
	keys := slices.Sorted(maps.Keys(put))
	return slices.DeleteFunc(keys, func(key string) bool { return !strings.HasPrefix(key, "configurations/") })
}

func TestAChangeWritesTheConfigurationThatTheJournalLacks(t *testing.T) {
	t.Parallel()
	b := newJournalBench(t)
	first, p := b.prepared("one", "two")
	if got := len(configurationsOf(p.put)); got != 2 || len(p.touch) != 0 {
		t.Errorf("the first change writes %d configurations and touches %v, want 2 and none", got, p.touch)
	}
	b.carry(first)
	before := b.revision()
	second, p := b.prepared("two", "three")
	if got, want := configurationsOf(p.put), []string{b.key("three")}; !slices.Equal(got, want) || !slices.Equal(p.touch, []string{b.key("two")}) {
		t.Errorf("the second writes %v and touches %v, want %v", got, p.touch, want)
	}
	if b.revision() != before {
		t.Error("something is written before the first record")
	}
	b.carry(second)
	if got := b.revision() - before; got != 2 {
		t.Errorf("the journal made %d writes of two records, want 2", got)
	}
	b.whole(first)
	b.whole(second)
}

func TestWhatIsForgottenBetweenLookingAndWritingIsWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		write func(b *journalBench, id string, p *prelude) error
	}{
		{"with the first record", func(*journalBench, string, *prelude) error { return nil }},
		{"ahead of it", func(b *journalBench, id string, p *prelude) error { return b.writeAhead(b.Context(), id, p) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newJournalBench(t)
			first, _ := b.prepared("one", "two")
			b.carry(first)
			second, p := b.prepared("two", "three")
			b.forget(b.key("two"))
			if err := c.write(b, second, p); err != nil {
				t.Fatal(err)
			}
			b.carry(second)
			b.whole(first)
			b.whole(second)
		})
	}
}

func TestWhatIsTooMuchForOneWriteIsThereBeforeTheFirstRecord(t *testing.T) {
	t.Parallel()
	b := newJournalBench(t)
	var places []string
	for i := range store.MaxOperations {
		places = append(places, fmt.Sprint("place ", i))
	}
	for range 2 { // the second time all is there
		id, p := b.prepared(places...)
		if p != nil {
			t.Error("it is left to the first record")
		}
		b.whole(id)
		b.carry(id)
	}
}

// Somebody else has found out what nobody refers to, and is about to forget it.
func TestWhatATransactionRefersToIsNotForgottenByWhoLookedBefore(t *testing.T) {
	t.Parallel()
	b := newJournalBench(t)
	first, _ := b.prepared("one", "two")
	b.carry(first)
	listed, err := b.pruneBench.store.Keys(t.Context(), "configurations/")
	if err != nil {
		t.Fatal(err)
	}
	b.forget("participants/"+first, recordKey(first, 0), recordKey(first, 1))
	second, _ := b.prepared("two", "three")
	b.carry(second)
	if err := deleteUnchanged(t.Context(), b.pruneBench.store, listed); err != nil {
		t.Fatal(err)
	}
	b.whole(second)
	if has, err := b.pruneBench.store.Has(t.Context(), []string{b.key("one")}); err != nil || has[b.key("one")] {
		t.Errorf("what nobody refers to is there: %v", err)
	}
}
