package controller

import (
	"github.com/loomfabric/loom/pkg/config"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// after is a configuration after some notifications (gNMI specification §3.5.2.3): within one, what is deleted goes first. Leaves of
// state, and what the profile does not have, are left out. leaves is how many leaves counted, and replaced how many of them a
// later one took the place of.
func after(t *config.Tree, all []*gnmi.Notification) (out *config.Tree, leaves, replaced int64, err error) {
	var steps []step
	at := map[string]int{}
	for _, n := range all {
		for _, p := range n.GetDelete() {
			path, err := config.FromGNMI(n.GetPrefix(), p)
			if err != nil {
				return nil, 0, 0, err
			}
			if !known(t.Schema(), path) {
				continue
			}
			leaves++
			steps = append(steps, step{path: path})
			clear(at) // what came before it may go with it, and what comes behind it stays
		}
		for _, u := range n.GetUpdate() {
			path, err := config.FromGNMI(n.GetPrefix(), u.GetPath())
			if err != nil {
				return nil, 0, 0, err
			}
			if !known(t.Schema(), path) {
				continue
			}
			leaves++
			key := path.String()
			if i := at[key]; i > 0 && steps[i-1].value != nil {
				steps[i-1].value = u.GetVal()
				replaced++
				continue
			}
			steps = append(steps, step{path, u.GetVal()})
			at[key] = len(steps)
		}
	}
	// A request deletes first, so one is made for each run of deletions and the updates behind it.
	for len(steps) > 0 && err == nil {
		req := &gnmi.SetRequest{}
		for len(steps) > 0 && (steps[0].value == nil) && len(req.Replace) == 0 {
			req.Delete = append(req.Delete, steps[0].path.GNMI())
			steps = steps[1:]
		}
		for len(steps) > 0 && steps[0].value != nil {
			req.Replace = append(req.Replace, &gnmi.Update{Path: steps[0].path.GNMI(), Val: steps[0].value})
			steps = steps[1:]
		}
		t, err = config.Apply(t, req)
	}
	return t, leaves, replaced, err
}

// step is one thing that happened to a configuration: a value came, or with none something went.
type step struct {
	path  config.Path
	value *gnmi.TypedValue
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
