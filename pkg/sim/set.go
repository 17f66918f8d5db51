package sim

import (
	"context"
	"slices"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
)

// Set is one transaction on the running configuration: all of it, or nothing (gNMI spec §3.4.3).
func (s *server) Set(ctx context.Context, req *gnmi.SetRequest) (*gnmi.SetResponse, error) {
	return s.faulty(ctx, req, s.set)
}

// set does what a request asks for, as faults will have it.
func (s *server) set(req *gnmi.SetRequest, bends ...bender) (*gnmi.SetResponse, error) {
	s.mu.Lock()
	err := s.judge(req, bends)
	s.mu.Unlock()
	if err != nil {
		s.log.Info("set refused", "error", err)
		return nil, err
	}
	return &gnmi.SetResponse{Prefix: req.GetPrefix(), Response: results(req), Timestamp: s.sim.config.Clock.Now().UnixNano()}, nil
}

// judge does a request, or tells why not. The caller holds mu.
func (d *Device) judge(req *gnmi.SetRequest, bends []bender) error {
	if err := d.arbitrate(req); err != nil {
		return err
	}
	if err := d.refuseDepth(req.GetExtension()); err != nil {
		return err
	}
	if err := d.refuseCommit(req); err != nil {
		return err
	}
	if err := checkOrigins(d.serverOf(d.running.tree()).Origin, req.GetPrefix(), pathsOf(req)...); err != nil {
		return err
	}
	return d.transact(req, bends)
}

// pathsOf returns the paths of all operations, in the order in which they are done (gNMI spec §3.4.3).
func pathsOf(req *gnmi.SetRequest) []*gnmi.Path {
	paths := slices.Clone(req.GetDelete())
	for _, u := range slices.Concat(req.GetUnionReplace(), req.GetReplace(), req.GetUpdate()) {
		paths = append(paths, u.GetPath())
	}
	return paths
}

// results returns one result per operation, in the order in which they were done (§3.4.2).
func results(req *gnmi.SetRequest) []*gnmi.UpdateResult {
	var out []*gnmi.UpdateResult
	for _, p := range req.GetDelete() {
		out = append(out, &gnmi.UpdateResult{Path: p, Op: gnmi.UpdateResult_DELETE})
	}
	for _, u := range req.GetUnionReplace() {
		out = append(out, &gnmi.UpdateResult{Path: u.GetPath(), Op: gnmi.UpdateResult_UNION_REPLACE})
	}
	for _, u := range req.GetReplace() {
		out = append(out, &gnmi.UpdateResult{Path: u.GetPath(), Op: gnmi.UpdateResult_REPLACE})
	}
	for _, u := range req.GetUpdate() {
		out = append(out, &gnmi.UpdateResult{Path: u.GetPath(), Op: gnmi.UpdateResult_UPDATE})
	}
	return out
}

// apply returns the configuration after a request.
func (c configuration) apply(req *gnmi.SetRequest) (configuration, error) {
	if len(req.GetUnionReplace()) > 0 {
		return c.union(req)
	}
	c, req = c.forget(req)
	req, err := accepted(c.tree(), req)
	if err != nil {
		return configuration{}, err
	}
	return c.put(req)
}

// put returns the configuration after deletes, replaces and updates that are accepted.
func (c configuration) put(req *gnmi.SetRequest) (configuration, error) {
	tree, err := config.Apply(c.tree(), req)
	if err != nil {
		return configuration{}, err
	}
	unknown, err := survivors(c.unknown, req)
	unknown = replaced(unknown, tree)
	if tree == c.tree() {
		return configuration{c.shelf, unknown}, err
	}
	return configured(tree, unknown), err
}

// nodeAt returns the schema node that a path leads to.
func nodeAt(s *config.Schema, p config.Path) (config.Node, bool) {
	id, ok := idAt(s, p)
	if !ok {
		return config.Node{}, false
	}
	return s.Nodes[id], true
}

func idAt(s *config.Schema, p config.Path) (config.ID, bool) {
	id, ok := config.Root, true
	for _, e := range p {
		if id, ok = s.Child(id, e.Name); !ok {
			return config.Root, false
		}
	}
	return id, true
}

// survivors returns what is left of the unknown parts of a configuration: what is deleted or
// replaced takes the unknown parts below it along.
func survivors(unknown []config.Unknown, req *gnmi.SetRequest) ([]config.Unknown, error) {
	if len(unknown) == 0 {
		return nil, nil
	}
	gone := slices.Clone(req.GetDelete())
	for _, u := range req.GetReplace() {
		gone = append(gone, u.GetPath())
	}
	for _, g := range gone {
		path, err := config.FromGNMI(req.GetPrefix(), g)
		if err != nil {
			return nil, err
		}
		unknown = slices.DeleteFunc(slices.Clone(unknown), func(u config.Unknown) bool { return below(u.Path, path) })
	}
	return unknown, nil
}
