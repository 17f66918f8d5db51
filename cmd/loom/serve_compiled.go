package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/topology"
)

// compilations make configuration of what is intended. What was compiled lately is kept by topology and number, and what differs
// little from what was compiled before costs little: devices that are decided from the same keep their configuration (see
// fabric.Compiler). The zero value is ready, and safe for concurrent use.
type compilations struct {
	mu   sync.Mutex
	each map[string]*compilation // by topology
	uses int64
}

// Limits of what is kept. Revisions of one topology share what they have in common.
const (
	mostCompiled  = 16 // topologies
	mostRevisions = 4  // of each
)

// compilation is one topology, from revision to revision.
type compilation struct {
	used int64 // guarded by compilations.mu

	mu        sync.Mutex
	compiler  fabric.Compiler
	renderer  renderer
	revisions []compiledRevision // the one that was asked for last is first
	work      compileWork
}

// compiledRevision is kept as it is: who changes it takes a copy.
type compiledRevision struct {
	controller.Revision
	network *network
}

// compileWork counts what compiling has cost.
type compileWork struct {
	Compiled int // intents
	Decided  int // devices that did not follow from the one before
	Rendered int // devices
}

// topology is where a topology is compiled. One that nobody has asked for longest makes place.
func (c *compilations) topology(name string) *compilation {
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.each[name]
	if x == nil {
		if c.each == nil {
			c.each = map[string]*compilation{}
		}
		if len(c.each) == mostCompiled {
			delete(c.each, slices.MinFunc(sortedKeys(c.each), func(a, b string) int { return cmp.Compare(c.each[a].used, c.each[b].used) }))
		}
		x = &compilation{}
		c.each[name] = x
	}
	c.uses++
	x.used = c.uses
	return x
}

// check is every mistake and warning of an intent, as far as configuration, and what it makes of devices.
func (c *compilations) check(before, after *topology.Topology) (controller.Effect, topology.Diagnostics) {
	x := c.topology(after.Intent.GetName())
	x.mu.Lock()
	defer x.mu.Unlock()
	was := &network{design: &fabric.Design{}}
	if before != nil {
		if n, diags := x.compile(before); !diags.HasErrors() { // or another release of Loom has put it
			was = n
		}
	}
	is, diags := x.compile(after)
	if diags.HasErrors() {
		return controller.Effect{}, diags
	}
	return effect(was, is), diags
}

// once compiles what nobody has put.
func (c *compilations) once(topo *topology.Topology) (*network, topology.Diagnostics) {
	x := c.topology(topo.Intent.GetName())
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.compile(topo)
}

// effect is what becomes of devices.
func effect(was, is *network) controller.Effect {
	var out controller.Effect
	for _, name := range sortedKeys(is.trees) {
		switch old, now := was.trees[name], is.trees[name]; {
		case old == nil:
			out.Added = append(out.Added, name)
		case !config.Equal(old, now):
			out.Devices = append(out.Devices, name)
		}
	}
	for _, name := range sortedKeys(was.trees) {
		if is.trees[name] == nil {
			out.Removed = append(out.Removed, name)
		}
	}
	return out
}

// compile takes a topology all the way to configuration. The network is nil if there is an error among the diagnostics.
func (x *compilation) compile(topo *topology.Topology) (*network, topology.Diagnostics) {
	x.work.Compiled++
	design, diags := x.compiler.Compile(topo)
	if diags.HasErrors() {
		return nil, diags
	}
	x.work.Decided += design.Work.Devices
	n := &network{topo: topo, places: topo, design: design}
	var err error
	n.trees, err = x.renderer.render(design)
	x.work.Rendered = x.renderer.work
	if err != nil {
		return nil, append(diags, n.mistakes(err, nil)...)
	}
	return n, diags
}

// kept is a revision that was compiled lately.
func (x *compilation) kept(number int64) *network {
	x.mu.Lock()
	defer x.mu.Unlock()
	i := slices.IndexFunc(x.revisions, func(r compiledRevision) bool { return r.Number == number })
	if i < 0 {
		return nil
	}
	r := x.revisions[i]
	x.revisions = slices.Insert(slices.Delete(x.revisions, i, i+1), 0, r)
	return r.network.copied()
}

// of compiles what is intended, and keeps it if it is a revision: those have a hash.
func (x *compilation) of(in *controller.Intent) (*network, error) {
	topo, diags := in.Expand()
	if diags.HasErrors() {
		return nil, &controller.InvalidError{Diagnostics: diags}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	n, diags := x.compile(topo)
	if diags.HasErrors() {
		return nil, &controller.InvalidError{Diagnostics: diags}
	}
	if in.Hash == "" {
		return n, nil
	}
	x.revisions = slices.DeleteFunc(x.revisions, func(r compiledRevision) bool { return r.Number == in.Number }) // somebody else was faster
	x.revisions = slices.Insert(x.revisions, 0, compiledRevision{in.Revision, n})
	x.revisions = x.revisions[:min(len(x.revisions), mostRevisions)]
	return n.copied(), nil
}

// copied is a network to which drains can be added without that another one of the same revision has them.
func (n *network) copied() *network {
	out := *n
	out.trees = maps.Clone(n.trees)
	return &out
}

// compile takes what is intended all the way to configuration.
func (s *serving) compile(in *controller.Intent) (*network, error) {
	x := s.compiled.topology(in.Topology)
	if in.Hash != "" {
		if n := x.kept(in.Number); n != nil {
			return n, nil
		}
	}
	return x.of(in)
}

// revision is a revision of a topology, compiled; 0 is the newest. What is kept is not read again.
func (s *serving) revision(ctx context.Context, name string, number int64) (*network, controller.Revision, error) {
	fail := func(err error) (*network, controller.Revision, error) { return nil, controller.Revision{}, err }
	r, err := s.revisionOf(ctx, name, number)
	if err != nil {
		return fail(err)
	}
	x := s.compiled.topology(name)
	if n := x.kept(r.Number); n != nil {
		return n, r, nil
	}
	in, err := s.intents.At(ctx, name, r.Number)
	if err != nil {
		return fail(err)
	}
	n, err := x.of(in)
	return n, r, err
}

// revisionOf is a revision without what it says; 0 is the newest.
func (s *serving) revisionOf(ctx context.Context, name string, number int64) (controller.Revision, error) {
	key, none := headKey(name), fmt.Errorf("%s: %w", name, controller.ErrNoTopology)
	if number != 0 {
		key, none = revisionKey("history", name, number), fmt.Errorf("%s: revision %d: %w", name, number, controller.ErrNoRevision)
	}
	var out controller.Revision
	r, ok, err := s.store.Get(ctx, key)
	if err == nil && !ok {
		err = none
	}
	if err == nil {
		err = unpack(r.Value, &out)
	}
	switch {
	case err != nil:
		return out, err
	case out.Deleted && number == 0:
		return out, none
	case out.Deleted:
		return out, controller.Kind(controller.ErrNoRevision, fmt.Errorf("%s: revision %d is its end, and says nothing; name an earlier one", name, number))
	}
	return out, nil
}
