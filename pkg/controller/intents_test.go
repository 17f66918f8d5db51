package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/topology"
)

// memory is a ledger for tests: what it keeps is gone with it.
type memory struct {
	mu        sync.Mutex
	history   map[string][]*Intent
	answers   map[string]Request
	events    []Event
	meanwhile func() // somebody else is faster; once
}

func (m *memory) Head(_ context.Context, name string) (*Intent, bool, error) {
	m.mu.Lock()
	all := m.history[name]
	m.mu.Unlock()
	if len(all) == 0 {
		return nil, false, nil
	}
	return all[len(all)-1], true, nil
}

func (m *memory) At(_ context.Context, name string, number int64) (*Intent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if all := m.history[name]; number >= 1 && number <= int64(len(all)) {
		return all[number-1], nil
	}
	return nil, ErrNoRevision
}

func (m *memory) Heads(context.Context) ([]Revision, error) { return nil, nil }

func (m *memory) History(_ context.Context, name string) ([]Revision, error) {
	var out []Revision
	for _, i := range slices.Backward(m.history[name]) {
		out = append(out, i.Revision)
	}
	return out, nil
}

func (m *memory) Append(_ context.Context, next *Intent, events []Event, r Request) error {
	if f := m.meanwhile; f != nil {
		m.meanwhile = nil
		f()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.answers[r.Key]; next.Number != int64(len(m.history[next.Topology]))+1 || r.Key != "" && there {
		return ErrMoved
	}
	m.history[next.Topology] = append(m.history[next.Topology], next)
	m.answers[r.Key] = r
	m.events = append(m.events, events...)
	return nil
}

func (m *memory) Answer(_ context.Context, key string) (Request, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.answers[key]
	return r, ok && key != "", nil
}

// lab is a topology with so many leaves.
func lab(leaves int) []topology.Source {
	return []topology.Source{{Name: "lab.yaml", Data: []byte(fmt.Sprintf(`loom: v1
name: lab
login: {username: env:U, password: env:P}
defaults:
  release: {srlinux: "25.3"}
  spines: {count: 1, platform: 7220-IXR-D3L}
  leaves: {count: %d, platform: 7220-IXR-D2L}
tenants:
  red:
    number: 1
    segments:
      web: {number: 10, gateway: 10.10.0.1/24}
ports:
  - {on: leaves, range: ethernet-1/1..2, segments: [web]}
`, leaves))}}
}

func newIntents() (*Intents, *memory) {
	m := &memory{history: map[string][]*Intent{}, answers: map[string]Request{}}
	return &Intents{Ledger: m, Check: func(_, _ *topology.Topology) (Effect, topology.Diagnostics) { return Effect{}, nil }, Now: func() time.Time { return noon }}, m
}

func expect(n int64) *int64 { return &n }

func put(t *testing.T, x *Intents, leaves int) *Written {
	t.Helper()
	w, err := x.Put(t.Context(), lab(leaves), Write{By: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestAReferenceIsAboutAResource(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"sites/bj": "sites/bj", "sites/bj/underlay#mtu": "sites/bj", "sites/bj/devices/bj-leaf3#release": "sites/bj/devices/bj-leaf3", "tenants/red/segments/web": "tenants/red/segments/web",
		"tenants/red#number": "tenants/red", "cables/leaf1:ethernet-1/49": "cables/leaf1:ethernet-1/49", "attachments/leaf1:ethernet-1/1#mtu": "attachments/leaf1:ethernet-1/1",
		"dci/north#service": "dci/north", "lines/north": "lines/north", "ducts/north1": "ducts/north1", "login": "", "": "", "sites/": "", "raw/1": "",
	} {
		if got := ResourceOf(ref); got != want {
			t.Errorf("%q: %q, want %q", ref, got, want)
		}
	}
}

func TestWritesOfATopology(t *testing.T) {
	t.Parallel()
	segment := func(mtu uint32) Edit {
		return Edit{"tenants/red/segments/web", &intent.Segment{Name: "web", Number: 10, Gateway: []string{"10.10.0.1/24"}, Mtu: mtu}}
	}
	for _, c := range []struct {
		name   string
		do     func(t *testing.T, x *Intents) (*Written, error)
		number int64
		same   bool
		want   error
		says   string
	}{
		{"the first makes revision 1", func(t *testing.T, x *Intents) (*Written, error) { return put(t, x, 2), nil }, 1, false, nil, ""},
		{"the next makes revision 2", func(t *testing.T, x *Intents) (*Written, error) { put(t, x, 2); return put(t, x, 3), nil }, 2, false, nil, ""},
		{"the same again makes none", func(t *testing.T, x *Intents) (*Written, error) { put(t, x, 2); return put(t, x, 2), nil }, 1, true, nil, ""},
		{"a dry run makes none", func(t *testing.T, x *Intents) (*Written, error) {
			put(t, x, 2)
			return x.Put(t.Context(), lab(3), Write{DryRun: true})
		}, 0, false, nil, ""},
		{"who expects another revision is told of it", func(t *testing.T, x *Intents) (*Written, error) {
			put(t, x, 2)
			put(t, x, 3)
			return x.Put(t.Context(), lab(4), Write{Expected: expect(1)})
		}, 0, false, ErrMoved, "lab: revision 1 was expected, and 2 is the newest"},
		{"who expects none is told of the one there is", func(t *testing.T, x *Intents) (*Written, error) {
			put(t, x, 2)
			return x.Put(t.Context(), lab(4), Write{Expected: expect(0)})
		}, 0, false, ErrMoved, "there is such a topology already, with revision 1"},
		{"a request with a key writes once", func(t *testing.T, x *Intents) (*Written, error) {
			for range 2 {
				if _, err := x.Put(t.Context(), lab(2), Write{Key: "k"}); err != nil {
					t.Fatal(err)
				}
			}
			put(t, x, 3)
			return x.Put(t.Context(), lab(2), Write{Key: "k"})
		}, 1, true, nil, ""},
		{"a key is for one request", func(t *testing.T, x *Intents) (*Written, error) {
			if _, err := x.Put(t.Context(), lab(2), Write{Key: "k"}); err != nil {
				t.Fatal(err)
			}
			return x.Put(t.Context(), lab(3), Write{Key: "k"})
		}, 0, false, ErrReused, "k: "},
		{"a resource is put", func(t *testing.T, x *Intents) (*Written, error) {
			put(t, x, 2)
			return x.Edit(t.Context(), "lab", segment(1400), Write{})
		}, 2, false, nil, ""},
		{"a resource that breaks a rule of the language is refused", func(t *testing.T, x *Intents) (*Written, error) {
			put(t, x, 2)
			return x.Edit(t.Context(), "lab", segment(7), Write{})
		}, 0, false, nil, "the expanded intent of lab:"},
		{"a resource that is not there cannot be deleted", func(t *testing.T, x *Intents) (*Written, error) {
			put(t, x, 2)
			return x.Edit(t.Context(), "lab", Edit{Name: "tenants/blue"}, Write{})
		}, 0, false, ErrNoResource, "tenants/blue"},
		{"a resource that was put is deleted again", func(t *testing.T, x *Intents) (*Written, error) {
			put(t, x, 2)
			app := Edit{"tenants/red/segments/app", &intent.Segment{Name: "app", Number: 11}}
			if _, err := x.Edit(t.Context(), "lab", app, Write{}); err != nil {
				t.Fatal(err)
			}
			return x.Edit(t.Context(), "lab", Edit{Name: app.Name}, Write{})
		}, 3, false, nil, ""},
		{"a resource says what its name says", func(t *testing.T, x *Intents) (*Written, error) {
			put(t, x, 2)
			return x.Edit(t.Context(), "lab", Edit{"tenants/red", &intent.Tenant{Name: "blue", Number: 1}}, Write{})
		}, 0, false, nil, "its value is that of tenants/blue"},
		{"an old revision comes back as a new one", func(t *testing.T, x *Intents) (*Written, error) {
			put(t, x, 2)
			put(t, x, 3)
			return x.Restore(t.Context(), "lab", 1, Write{})
		}, 3, false, nil, ""},
		{"a topology that is deleted is not there", func(t *testing.T, x *Intents) (*Written, error) {
			put(t, x, 2)
			if _, err := x.Delete(t.Context(), "lab", Write{}); err != nil {
				t.Fatal(err)
			}
			return x.Delete(t.Context(), "lab", Write{})
		}, 0, false, ErrNoTopology, "lab"},
		{"a topology that was deleted can be put again", func(t *testing.T, x *Intents) (*Written, error) {
			put(t, x, 2)
			if _, err := x.Delete(t.Context(), "lab", Write{}); err != nil {
				t.Fatal(err)
			}
			return x.Put(t.Context(), lab(2), Write{Expected: expect(0)})
		}, 3, false, nil, ""},
		{"somebody who is faster is no mistake where nothing is expected", func(t *testing.T, x *Intents) (*Written, error) {
			put(t, x, 2)
			x.Ledger.(*memory).meanwhile = func() { put(t, x, 3) }
			return x.Edit(t.Context(), "lab", segment(1400), Write{})
		}, 3, false, nil, ""},
		{"somebody who is faster is told of where a revision is expected", func(t *testing.T, x *Intents) (*Written, error) {
			put(t, x, 2)
			x.Ledger.(*memory).meanwhile = func() { put(t, x, 3) }
			return x.Edit(t.Context(), "lab", segment(1400), Write{Expected: expect(1)})
		}, 0, false, ErrMoved, "revision 1 was expected, and 2 is the newest"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x, _ := newIntents()
			w, err := c.do(t, x)
			if c.want != nil || c.says != "" {
				if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("%v; want %v that says %q", err, c.want, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if w.Revision.Number != c.number || w.Same != c.same {
				t.Errorf("revision %d, same %t; want %d, %t", w.Revision.Number, w.Same, c.number, c.same)
			}
		})
	}
}

func TestEveryResourceCanBePutAsItIsRead(t *testing.T) {
	t.Parallel()
	x, _ := newIntents()
	before := put(t, x, 2)
	for _, r := range Resources(before.Intent) {
		w, err := x.Edit(t.Context(), "lab", Edit(r), Write{})
		if err != nil {
			t.Errorf("%s: %v", r.Name, err)
			continue
		}
		if w.Revision.Hash != before.Revision.Hash {
			t.Errorf("%s: put as it was, it makes %v different", r.Name, w.Changes)
		}
	}
}

func TestWhatWasPutAsAResourceHasNoPlaceInAFile(t *testing.T) {
	t.Parallel()
	x, _ := newIntents()
	put(t, x, 2)
	if _, err := x.Edit(t.Context(), "lab", Edit{"tenants/red/segments/db", &intent.Segment{Name: "db", Number: 11}}, Write{}); err != nil {
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
	for name, file := range map[string]string{"tenants/red/segments/db": "", "tenants/red/segments/web": "lab.yaml", "cables/lab-leaf1:ethernet-1/49": "lab.yaml"} {
		if at := topo.At(name); at.File != file {
			t.Errorf("%s is said at %q, want file %q", name, at, file)
		}
	}
}
