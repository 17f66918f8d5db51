package controller

import (
	"github.com/loomfabric/loom/pkg/config"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// inbox is what a device has said of its configuration and nobody has looked at: the last value of each leaf (gNMI specification
// §3.5.2.3), in the order in which they came.
type inbox struct {
	steps    []step
	at       map[string]int // of a path: index in steps of its last value, from 1
	received int64          // leaves that came, also those that were replaced
}

// step is one thing that happened to a configuration: a value came, or with none something went.
type step struct {
	path  config.Path
	value *gnmi.TypedValue
}

// take takes a notification, and tells how many leaves of it are configuration. State, and what the profile does not have, is left
// out. Within a notification what is deleted goes first. Errors: a path makes no sense.
func (b *inbox) take(s *config.Schema, n *gnmi.Notification) (leaves int64, err error) {
	if b.at == nil {
		b.at = map[string]int{}
	}
	for _, p := range n.GetDelete() {
		path, err := config.FromGNMI(n.GetPrefix(), p)
		if err != nil {
			return leaves, err
		}
		if known(s, path) {
			leaves++
			b.steps = append(b.steps, step{path: path})
			clear(b.at) // what came before may go with it, and what comes behind it stays
		}
	}
	for _, u := range n.GetUpdate() {
		path, err := config.FromGNMI(n.GetPrefix(), u.GetPath())
		if err != nil {
			return leaves, err
		}
		if !known(s, path) {
			continue
		}
		leaves++
		key := path.String()
		if i := b.at[key]; i > 0 {
			b.steps[i-1].value = u.GetVal()
			continue
		}
		b.steps = append(b.steps, step{path, u.GetVal()})
		b.at[key] = len(b.steps)
	}
	b.received += leaves
	return leaves, nil
}

// empty forgets everything, and tells how many leaves that was.
func (b *inbox) empty() (received int64) {
	received = b.received
	*b = inbox{}
	return received
}

// idle tells whether a configuration plainly has all that is in the inbox; absent, whether something is told of that it does not have at
// all.
func (b *inbox) idle(t *config.Tree) (idle, absent bool) {
	idle = true
	for _, s := range b.steps {
		if s.value == nil || !t.Says(s.path, s.value) {
			idle, absent = false, absent || !t.Find(s.path).Valid()
		}
	}
	return idle, absent
}

// onto is a configuration after what is in the inbox.
func (b *inbox) onto(t *config.Tree) (*config.Tree, error) {
	for steps := b.steps; len(steps) > 0; {
		req := &gnmi.SetRequest{} // deletes first, so there is one for each run of deletions and the values behind it
		for ; len(steps) > 0 && steps[0].value == nil; steps = steps[1:] {
			req.Delete = append(req.Delete, steps[0].path.GNMI())
		}
		for ; len(steps) > 0 && steps[0].value != nil; steps = steps[1:] {
			req.Replace = append(req.Replace, &gnmi.Update{Path: steps[0].path.GNMI(), Val: steps[0].value})
		}
		var err error
		if t, err = config.Apply(t, req); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// known tells whether a path is one of configuration that the schema has.
func known(s *config.Schema, p config.Path) bool {
	id := config.Root
	for _, e := range p {
		next, ok := s.Child(id, e.Name)
		if !ok || s.Nodes[next].State {
			return false
		}
		id = next
	}
	return len(p) > 0
}
