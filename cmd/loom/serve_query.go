package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/topology"
)

// subject is what a question is about, compiled.
func (s *serving) subject(ctx context.Context, of controller.Subject) (*network, error) {
	n, err := s.asIntended(ctx, of)
	if err != nil || of.Drained == "" {
		return n, err
	}
	n = n.copied()
	if err := n.drainAll(of.Drained); err != nil {
		return nil, controller.Kind(controller.ErrInvalid, err)
	}
	return n, nil
}

// asIntended is what a question is about, compiled, with nobody drained.
func (s *serving) asIntended(ctx context.Context, of controller.Subject) (*network, error) {
	switch {
	case len(of.Files) > 0:
	case len(of.Releases) == 0:
		n, _, err := s.revision(ctx, of.Topology, of.Revision)
		return n, err
	default: // with other releases it is what nobody has put
		in, err := s.intents.At(ctx, of.Topology, of.Revision)
		if err != nil {
			return nil, err
		}
		topo, diags := in.Expand()
		return s.asked(topo, diags, of)
	}
	topo, diags := (&controller.Intent{Files: of.Files}).Expand()
	return s.asked(topo, diags, of)
}

// asked compiles what nobody has put. A mistake in it is an error.
func (s *serving) asked(topo *topology.Topology, diags topology.Diagnostics, of controller.Subject) (*network, error) {
	n, diags, err := s.notPut(topo, diags, of)
	if err == nil && diags.HasErrors() {
		err = &controller.InvalidError{Diagnostics: diags}
	}
	return n, err
}

// notPut compiles what nobody has put.
func (s *serving) notPut(topo *topology.Topology, diags topology.Diagnostics, of controller.Subject) (*network, topology.Diagnostics, error) {
	if diags.HasErrors() {
		return nil, diags, nil
	}
	name := topo.Intent.GetName()
	if of.Topology != "" && of.Topology != name {
		return nil, nil, controller.Kind(controller.ErrInvalid, fmt.Errorf("topology %s: its files are those of %s; name one of them only", of.Topology, name))
	}
	if err := overrideReleases(topo.Intent, of.Releases); err != nil {
		return nil, nil, controller.Kind(controller.ErrInvalid, err)
	}
	n, more := s.compiled.once(topo)
	return n, append(diags, more...), nil
}

// Explain implements controller.Queries.
func (s *serving) Explain(ctx context.Context, of controller.Subject, device, path string) ([]controller.Explained, error) {
	n, err := s.subject(ctx, of)
	if err != nil {
		return nil, err
	}
	found, err := n.explain(device, path)
	switch {
	case err != nil && n.trees[device] == nil:
		return nil, controller.Kind(controller.ErrNoDevice, err)
	case err != nil:
		return nil, controller.Kind(controller.ErrInvalid, err)
	}
	out := make([]controller.Explained, len(found))
	for i, e := range found {
		out[i] = controller.Explained{Path: e.Path, Value: e.Value, Cause: plan.Cause{Ref: e.Ref, Rule: e.Rule, At: e.At}}
	}
	return out, nil
}

// Render implements controller.Queries.
func (s *serving) Render(ctx context.Context, of controller.Subject, limit string, each func(controller.Rendered) error) error {
	n, err := s.subject(ctx, of)
	if err != nil {
		return err
	}
	names, _, err := selectDevices(n.design, limit)
	if err != nil {
		return controller.Kind(controller.ErrInvalid, err)
	}
	for _, name := range names {
		d, tree := n.design.Device(name), n.trees[name]
		r := controller.Rendered{
			Topology: n.design.Name, Name: name, Driver: d.OS, Release: d.Release, Platform: d.Platform.Name, Site: d.Site, Role: string(d.Role),
			JSON: tree.AppendJSON(nil, true), Hash: plan.Hash(tree),
		}
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

// Query implements controller.Queries.
func (s *serving) Query(ctx context.Context, of controller.Subject, what, limit string) (controller.Table, error) {
	n, err := s.subject(ctx, of)
	if err != nil {
		return controller.Table{}, err
	}
	x, err := n.query(what, limit)
	if err != nil {
		return controller.Table{}, controller.Kind(controller.ErrInvalid, err)
	}
	return controller.Table{Header: x.header, Rows: x.rows}, nil
}

// Optics implements controller.Queries.
func (s *serving) Optics(ctx context.Context, of controller.Subject) (controller.Light, error) {
	n, err := s.subject(ctx, of)
	if err != nil {
		return controller.Light{}, err
	}
	return n.light()
}

// Validate implements controller.Queries.
func (s *serving) Validate(ctx context.Context, of controller.Subject) (controller.Validation, error) {
	var n *network
	var diags topology.Diagnostics
	var err error
	if len(of.Files) > 0 {
		topo, mistakes := (&controller.Intent{Files: of.Files}).Expand()
		n, diags, err = s.notPut(topo, mistakes, of)
	} else {
		n, err = s.subject(ctx, of)
		if invalid := (*controller.InvalidError)(nil); errors.As(err, &invalid) {
			diags, err = invalid.Diagnostics, nil // another release of Loom has put it
		}
	}
	if err != nil {
		return controller.Validation{}, err
	}
	diags.Sort()
	if diags.HasErrors() {
		return controller.Validation{Topology: of.Topology, Diagnostics: diags}, nil
	}
	out := n.validation()
	out.Diagnostics = diags
	return out, nil
}

// Diff implements controller.Queries.
func (s *serving) Diff(ctx context.Context, name string, from, to int64, limit string) (*controller.Difference, error) {
	is, newer, err := s.revision(ctx, name, to)
	if err != nil {
		return nil, err
	}
	names, _, err := selectDevices(is.design, limit)
	if err != nil {
		return nil, controller.Kind(controller.ErrInvalid, err)
	}
	was, older, err := s.revision(ctx, name, cmp.Or(from, newer.Number-1, -1))
	if from == 0 && errors.Is(err, controller.ErrNoRevision) { // before the first one, or after an end, there is nothing
		was, older, err = &network{topo: &topology.Topology{}, places: &topology.Topology{}, design: &fabric.Design{}}, controller.Revision{Topology: name}, nil
	}
	if err != nil {
		return nil, err
	}
	return &controller.Difference{
		From: older, To: newer, Resources: controller.Compare(was.topo.Intent, is.topo.Intent), Devices: is.since(was, names),
	}, nil
}

// since is what differs in the configuration of some devices from what another network has them have.
func (n *network) since(was *network, names []string) []controller.DeviceDifference {
	var inputs []plan.Input
	for _, name := range names {
		in := n.input(name)
		in.Running, in.Offline, in.Was = was.trees[name], true, was.at
		if in.Running == nil || in.Running.Schema() != in.Intended.Schema() { // it is another box
			in.Running = config.EmptyTree(in.Intended.Schema(), in.Intended.Release())
		}
		if !config.Equal(in.Running, in.Intended) {
			inputs = append(inputs, in)
		}
	}
	p := plan.New(n.design.Name, "", inputs, n.at)
	out := make([]controller.DeviceDifference, len(p.Devices))
	for i, d := range p.Devices {
		out[i] = controller.DeviceDifference{Device: d.Name, Changes: d.Changes}
	}
	slices.SortFunc(out, func(a, b controller.DeviceDifference) int { return cmp.Compare(a.Device, b.Device) })
	return out
}
