package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/topology"
)

// newLedger keeps intents in a store of its own; every one compiles.
func newLedger(t *testing.T) (*controller.Intents, *store.Store) {
	t.Helper()
	s, err := store.Open(t.Context(), tunedStore(store.Options{Dir: t.TempDir(), Owner: "test"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &controller.Intents{Ledger: &intentLedger{s}, Check: func(_, _ *topology.Topology) (controller.Effect, topology.Diagnostics) {
		return controller.Effect{}, nil
	}, Now: time.Now}, s
}

func smallLab(segments int) []topology.Source {
	text := "loom: v1\nname: lab\nlogin: {username: env:U, password: env:P}\ndefaults: {release: {srlinux: \"25.3\"}}\nspines: {count: 1, platform: 7220-IXR-D3L}\nleaves: {count: 1, platform: 7220-IXR-D2L}\n" +
		"tenants:\n  red:\n    number: 1\n    segments:\n"
	for i := range segments {
		text += fmt.Sprintf("      web%d: {number: %d}\n", i, 10+i)
	}
	return []topology.Source{{Name: "lab.yaml", Data: []byte(text)}}
}

func TestIntentsAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	x, _ := newLedger(t)
	comment := make([]byte, 3*filePart) // what cannot be compressed takes several parts
	for i := range comment {
		comment[i] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-"[rand.N(64)]
	}
	files := smallLab(2)
	files[0].Data = append(files[0].Data, "# "+string(comment)+"\n"...)
	if _, err := x.Put(t.Context(), files, controller.Write{By: "ann", Message: "why"}); err != nil {
		t.Fatal(err)
	}
	edit := controller.Edit{Name: "tenants/red/segments/web9", Value: &intent.Segment{Name: "web9", Number: 99}}
	if _, err := x.Edit(t.Context(), "lab", edit, controller.Write{By: "bob"}); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Edit(t.Context(), "lab", controller.Edit{Name: "tenants/red/segments/web0"}, controller.Write{By: "bob"}); err != nil {
		t.Fatal(err)
	}
	head, err := x.Head(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	topo, diags := head.Expand()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var names []string
	for _, r := range controller.Resources(topo.Intent) {
		names = append(names, r.Name)
	}
	if got, want := fmt.Sprint(names), "[sites/lab sites/lab/devices/leaf1 sites/lab/devices/spine1 tenants/red tenants/red/segments/web1 tenants/red/segments/web9]"; got != want {
		t.Errorf("has %s, want %s", got, want)
	}
	if string(head.Files[0].Data) != string(files[0].Data) {
		t.Error("the file is not as it was put")
	}
	history, err := x.Ledger.History(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	if len(history) != 3 || history[0].Number != 3 || history[2].By != "ann" || history[2].Message != "why" {
		t.Errorf("history %+v; want revisions 3 to 1, the first by ann", history)
	}
}

// Many write at once, each on top of what it has read: every revision has one writer, and nobody's is lost.
func TestWritersAtOnceMakeOneRevisionEach(t *testing.T) {
	t.Parallel()
	x, _ := newLedger(t)
	if _, err := x.Put(t.Context(), smallLab(1), controller.Write{}); err != nil {
		t.Fatal(err)
	}
	const writers, each = 8, 5
	var all sync.WaitGroup
	var mu sync.Mutex
	made := map[int64]string{}
	for w := range writers {
		all.Go(func() {
			for i := range each {
				name := fmt.Sprintf("tenants/red/segments/w%d-%d", w, i)
				e := controller.Edit{Name: name, Value: &intent.Segment{Name: fmt.Sprintf("w%d-%d", w, i), Number: uint32(100 + each*w + i)}}
				for {
					head, err := x.Head(t.Context(), "lab")
					if err != nil {
						t.Error(err)
						return
					}
					out, err := x.Edit(t.Context(), "lab", e, controller.Write{Expected: &head.Number})
					if errors.Is(err, controller.ErrMoved) {
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if other := made[out.Revision.Number]; other != "" {
						t.Errorf("revision %d is of %s and of %s", out.Revision.Number, other, name)
					}
					made[out.Revision.Number] = name
					mu.Unlock()
					break
				}
			}
		})
	}
	all.Wait()
	head, err := x.Head(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	if head.Number != 1+writers*each || len(head.Edits) != writers*each {
		t.Errorf("revision %d with %d edits; want %d with %d", head.Number, len(head.Edits), 1+writers*each, writers*each)
	}
}

// Who goes on behind an event misses none and gets none twice, wherever it stops.
func TestEventsAreFollowedWithoutAGap(t *testing.T) {
	t.Parallel()
	_, s := newLedger(t)
	x := &serving{store: s, wake: make(chan struct{}, 1)}
	const events = 200
	go func() {
		for i := range events {
			x.note(controller.Event{Kind: controller.ControllerEvent, Message: fmt.Sprint(i)})
			if i%7 == 0 {
				x.writePage()
			}
		}
		x.writePage()
	}()
	var after int64
	seen := 0
	stop := errors.New("enough")
	for seen < events {
		left := 1 + rand.N(9)
		err := x.Follow(t.Context(), after, func(e controller.Event) error {
			if e.Message != fmt.Sprint(seen) {
				t.Fatalf("event %s came, and %d was to come", e.Message, seen)
			}
			seen, after, left = seen+1, e.Sequence, left-1
			if left == 0 || seen == events {
				return stop
			}
			return nil
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
	}
}

// Who asks for what is forgotten is told so, and everybody else gets all that there is, with the same numbers.
func TestOldEventsAreForgottenAndNotSilently(t *testing.T) {
	t.Parallel()
	_, s := newLedger(t)
	x := &serving{store: s, wake: make(chan struct{}, 1)}
	for i := range 40 {
		x.note(controller.Event{Kind: controller.ControllerEvent, Message: fmt.Sprint(i)})
		if i%3 == 2 {
			x.writePage()
		}
	}
	x.writePage()
	before, _, err := x.Events(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := forgetEvents(t.Context(), s, 10); err != nil {
		t.Fatal(err)
	}
	after, _, err := x.Events(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(after) < 10 || len(after) > 12 || !slices.Equal(after, before[len(before)-len(after):]) {
		t.Fatalf("%d of %d events are left: %+v", len(after), len(before), after)
	}
	last := before[len(before)-len(after)-1].Sequence
	if _, _, err := x.Events(t.Context(), last-1); !errors.Is(err, controller.ErrForgotten) {
		t.Errorf("behind a forgotten one: %v, want ErrForgotten", err)
	}
	if got, _, err := x.Events(t.Context(), after[0].Sequence); err != nil || len(got) != len(after)-1 {
		t.Errorf("behind the oldest: %d events, %v; want %d", len(got), err, len(after)-1)
	}
	if err := x.Follow(t.Context(), before[0].Sequence, nil); !errors.Is(err, controller.ErrForgotten) {
		t.Errorf("following from a forgotten one: %v, want ErrForgotten", err)
	}
}
