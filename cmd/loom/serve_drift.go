package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
)

// unattended is by whom what nobody asked for is done.
const unattended = "loom serve"

// policyKey is where the policy of a topology is kept, or of a device of it.
//
//	policy/TOPOLOGY
//	policy/TOPOLOGY/DEVICE
func policyKey(topology, device string) string {
	if device == "" {
		return "policy/" + topology
	}
	return "policy/" + topology + "/" + device
}

// keptPolicy is a policy in the store.
type keptPolicy struct {
	Policy controller.Policy `json:"policy"`
	By     string            `json:"by,omitempty"`
}

// policies are those of a topology.
func (s *serving) policies(ctx context.Context, topology string) (controller.Policies, error) {
	out := controller.Policies{Devices: map[string]controller.Policy{}}
	records, _, err := s.store.List(ctx, policyKey(topology, ""))
	if err != nil {
		return out, err
	}
	for _, r := range records {
		var p keptPolicy
		if err := unpack(r.Value, &p); err != nil {
			return out, fmt.Errorf("%s: %w", r.Key, err)
		}
		if r.Key == policyKey(topology, "") {
			out.Topology = p.Policy
		} else if name, ok := strings.CutPrefix(r.Key, policyKey(topology, "")+"/"); ok {
			out.Devices[name] = p.Policy
		}
	}
	return out, nil
}

// SetPolicy implements controller.Operations.
func (s *serving) SetPolicy(ctx context.Context, topology, device string, p controller.Policy, by string) (controller.Policy, error) {
	f, err := s.fabric(topology)
	if err != nil {
		return "", err
	}
	if n, _ := f.current(); device != "" && n.design.Device(device) == nil {
		return "", fmt.Errorf("%s: %w in %s", device, controller.ErrNoDevice, topology)
	}
	f.deciding.Lock()
	defer f.deciding.Unlock()
	all, err := s.policies(ctx, topology)
	if err != nil {
		return "", err
	}
	now := all.With(device, p).Of(device)
	key := policyKey(topology, device)
	tx := store.Tx{Delete: []string{key}}
	if p != "" {
		data, err := pack(keptPolicy{p, by})
		if err != nil {
			return "", err
		}
		tx = store.Tx{Put: map[string][]byte{key: data}}
	}
	told := controller.Event{At: time.Now().UTC(), Kind: controller.DriftEvent, Topology: topology, Device: device, By: by, Message: "policy for drift: " + string(now)}
	if err := tellIn(&tx, told); err != nil {
		return "", err
	}
	if err := writesPolicy.commit(ctx, s.store, tx); err != nil {
		return "", fmt.Errorf("policy of %s: %w", topology, err)
	}
	leaveWord(f.drifted)
	return now, nil
}

// enforcedKey is where it is kept what was done unattended to a topology: a controller.Enforced.
//
//	enforced/TOPOLOGY
func enforcedKey(topology string) string { return "enforced/" + topology }

// enforcer is one that goes on where another one has ended.
func (f *fabricRun) enforcer(ctx context.Context) (*controller.Enforcer, error) {
	e := &controller.Enforcer{PerHour: f.s.unattended, AtOnce: max(1, f.s.unattended/4)}
	r, ok, err := f.s.store.Get(ctx, enforcedKey(f.name))
	if err == nil && ok {
		if err = unpack(r.Value, &e.Enforced); err != nil {
			err = fmt.Errorf("%s: %w", r.Key, err)
		}
	}
	return e, err
}

// enforce takes drift back where the policy says so, until ctx ends.
func (f *fabricRun) enforce(ctx context.Context, e *controller.Enforcer) {
	for ctx.Err() == nil {
		wait, err := f.takeBack(ctx, e)
		if err != nil && ctx.Err() == nil {
			f.s.log.Error("drift was not taken back", "topology", f.name, "error", err)
		}
		var later <-chan time.Time // nil: never
		if wait > 0 {
			later = time.After(wait)
		}
		select {
		case <-f.drifted:
		case <-later:
		case <-ctx.Done():
		}
	}
}

// retryEnforcing is how long enforcing waits where somebody else changes the fabric, or the store does not answer.
const retryEnforcing = 5 * time.Second

// takeBack takes back what is due, and tells how long nothing else will be.
func (f *fabricRun) takeBack(ctx context.Context, e *controller.Enforcer) (wait time.Duration, err error) {
	all, err := f.candidates(ctx)
	if err != nil {
		return retryEnforcing, err
	}
	due, given, wait := e.Due(all, time.Now())
	if err := f.giveUp(ctx, e, given); err != nil {
		return retryEnforcing, err
	}
	if len(due) == 0 {
		return wait, nil
	}
	next := e.Tried(due, time.Now())
	data, err := pack(next)
	if err != nil {
		return retryEnforcing, err
	}
	along := map[string][]byte{enforcedKey(f.name): data} // with the transaction: a controller that dies has counted it
	res, err := f.revert(ctx, controller.RevertRequest{Topology: f.name, Limit: strings.Join(due, ","), By: unattended}, &task{along: along})
	if errors.Is(err, controller.ErrNotNow) && res.ID == "" {
		return retryEnforcing, nil // somebody else changes the fabric, or it is as intended again
	}
	e.Enforced = next
	if res.ID == "" {
		err = errors.Join(err, f.keepEnforced(ctx, next))
	}
	if err == nil && res.Outcome != transaction.Done && res.Outcome != "" {
		err = fmt.Errorf("transaction %s: %s", res.ID, res.Outcome)
	}
	if err != nil {
		f.s.note(controller.Event{Kind: controller.DriftEvent, Topology: f.name, By: unattended, Subject: res.ID,
			Message: fmt.Sprintf("drift of %s was not taken back: %v", strings.Join(due, ", "), err)})
	}
	return time.Second, err
}

// giveUp tells of devices that are left to people, of each once.
func (f *fabricRun) giveUp(ctx context.Context, e *controller.Enforcer, left []string) error {
	if slices.Equal(e.Left, left) {
		return nil
	}
	var events []controller.Event
	for _, name := range left {
		if !slices.Contains(e.Left, name) {
			events = append(events, controller.Event{At: time.Now().UTC(), Kind: controller.DriftEvent, Topology: f.name, Device: name, By: unattended,
				Message: "left as it is: it was taken back again and again and came again; find out who changes it, and take it back with loom drift revert"})
		}
	}
	next := e.Enforced
	next.Left = left
	if err := f.keepEnforced(ctx, next, events...); err != nil {
		return err
	}
	e.Enforced = next
	return nil
}

func (f *fabricRun) keepEnforced(ctx context.Context, e controller.Enforced, events ...controller.Event) error {
	data, err := pack(e)
	if err != nil {
		return err
	}
	tx := store.Tx{If: []store.Condition{f.keep.lease.Condition()}, Put: map[string][]byte{enforcedKey(f.name): data}}
	if err := tellIn(&tx, events...); err != nil {
		return err
	}
	_, err = f.s.store.Commit(ctx, tx)
	return err
}

// candidates are devices whose drift may be taken back without people.
func (f *fabricRun) candidates(ctx context.Context) ([]controller.Candidate, error) {
	policies, err := f.s.policies(ctx, f.name)
	if err != nil {
		return nil, err
	}
	n, _ := f.current()
	var out []controller.Candidate
	for _, d := range n.design.Devices {
		if policies.Of(d.Name) != controller.Enforce || f.maintained(d.Name) != nil {
			continue
		}
		f.mu.Lock()
		a := f.agents[d.Name]
		f.mu.Unlock()
		if a == nil {
			continue
		}
		s, _, _ := a.standing()
		if s.Status != controller.Drifted {
			continue // above all nobody who is refused
		}
		c := controller.Candidate{Device: d.Name}
		for _, x := range s.Drifts {
			if x.Since.After(c.Newest) {
				c.Newest = x.Since
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// Configuration implements controller.Operations.
func (s *serving) Configuration(ctx context.Context, topology, device string, revision int64, running bool) (json []byte, hash string, err error) {
	f, err := s.fabric(topology)
	if err != nil {
		return nil, "", err
	}
	n, _ := f.current()
	if !running {
		in, err := s.intents.At(ctx, topology, revision)
		if err != nil {
			return nil, "", err
		}
		if n, err = s.compile(in); err != nil {
			return nil, "", err
		}
		if err := n.intendDrains(ctx, newJournal(f.keep), nil); err != nil {
			return nil, "", err
		}
	}
	tree := n.trees[device]
	if tree == nil {
		return nil, "", fmt.Errorf("%s: %w in %s", device, controller.ErrNoDevice, topology)
	}
	if running {
		f.mu.Lock()
		a := f.agents[device]
		f.mu.Unlock()
		if tree = a.owned(); tree == nil {
			return nil, "", fmt.Errorf("%s: %w: it was not read yet; wait until it answers", device, controller.ErrNotNow)
		}
	}
	return tree.AppendJSON(nil, false), plan.Hash(tree), nil
}

// Accept implements controller.Operations.
func (s *serving) Accept(ctx context.Context, topology string, ids []string) (controller.Suggestion, string, error) {
	none := controller.Suggestion{}
	f, err := s.fabric(topology)
	if err != nil {
		return none, "", err
	}
	views, err := s.Devices(ctx, topology, "")
	if err != nil {
		return none, "", err
	}
	var all []controller.Drift
	for _, v := range views {
		for _, d := range v.Standing.Drifts {
			if slices.Contains(ids, d.ID) {
				all = append(all, d)
			}
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(d controller.Drift) bool { return d.ID == id }) {
			return none, "", fmt.Errorf("%s: %w: there is no such drift; loom drift list shows those there are", id, controller.ErrInvalid)
		}
	}
	head, err := s.intents.Head(ctx, topology)
	if err != nil {
		return none, "", err
	}
	has := func(device string) *config.Tree {
		f.mu.Lock()
		a := f.agents[device]
		f.mu.Unlock()
		return a.owned()
	}
	out, err := controller.Accept(head, all, has, func(in *controller.Intent) (controller.Compiled, error) {
		n, err := s.compile(in)
		if err != nil {
			return controller.Compiled{}, err
		}
		return controller.Compiled{Trees: n.trees, At: n.places.At}, nil
	})
	if err != nil {
		return none, "", err
	}
	return out, patchOf(out), nil
}

// patchOf is a suggestion as a patch, for `patch -p1` and `git apply`.
func patchOf(s controller.Suggestion) string {
	var out strings.Builder
	for i, f := range s.Files {
		name := filepath.ToSlash(filepath.Clean(f.Name))
		if !filepath.IsLocal(name) {
			name = path.Base(name)
		}
		out.Write(diff.Diff("a/"+name, s.Before[i].Data, "b/"+name, f.Data))
	}
	return out.String()
}
