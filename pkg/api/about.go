package api

import (
	"context"
	"maps"
	"slices"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/plan"
	"google.golang.org/protobuf/proto"
)

// device is a device as an object; one that is in no site, or that there is none of, is of the topology as a whole.
func deviceObject(topology, name, site string) auth.Object {
	o := auth.Object{Name: name, Topology: topology}
	if site != "" {
		o.Sites = []string{site}
	}
	return o
}

// devices are some devices as objects.
func (s *Server) devices(ctx context.Context, topology string, names []string) ([]auth.Object, error) {
	sites, err := s.sites(ctx, topology)
	if err != nil {
		return nil, err
	}
	out := make([]auth.Object, len(names))
	for i, n := range names {
		out[i] = deviceObject(topology, n, sites[n])
	}
	return out, nil
}

// sites are those of the devices of a topology.
func (s *Server) sites(ctx context.Context, topology string) (map[string]string, error) {
	all, err := s.Operations.Devices(ctx, topology, "")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, d := range all {
		if d.Topology == topology {
			out[d.Name] = d.Site
		}
	}
	return out, nil
}

// selected are the devices that a request selects, by drifts that they have or by a selector.
func (s *Server) selected(ctx context.Context, topology string, asked proto.Message) ([]auth.Object, error) {
	limit, ids := "", []string(nil)
	if r, ok := asked.(*api.RevertDriftRequest); ok {
		limit, ids = r.GetLimit(), r.GetIds()
	}
	all, err := s.Operations.Devices(ctx, topology, limit)
	if err != nil {
		return nil, err
	}
	var out []auth.Object
	for _, d := range all {
		if len(ids) == 0 || slices.ContainsFunc(d.Standing.Drifts, func(x controller.Drift) bool { return slices.Contains(ids, x.ID) }) {
			out = append(out, deviceObject(d.Topology, d.Name, d.Site))
		}
	}
	return out, nil
}

// planAbout are the devices that a plan changes, each with the tenants that its changes are of. One with a change that is of no
// tenant belongs to none.
func (s *Server) planAbout(ctx context.Context, p *controller.Planned) ([]auth.Object, error) {
	names := slices.Clone(p.Plan.Unsaved)
	for i := range p.Plan.Devices {
		names = append(names, p.Plan.Devices[i].Name)
	}
	if len(names) == 0 {
		return nil, nil
	}
	out, err := s.devices(ctx, p.Topology, names)
	if err != nil {
		return nil, err
	}
	in, err := s.intentOf(ctx, p)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if d := p.Plan.Device(out[i].Name); d != nil {
			out[i].Tenants = tenantsOf(in, d)
		}
	}
	return out, nil
}

// intentOf is what a plan brings devices to; nil where that does not say.
func (s *Server) intentOf(ctx context.Context, p *controller.Planned) (*intent.Topology, error) {
	in := &controller.Intent{Files: p.Request.Files}
	if len(p.Request.Files) == 0 {
		var err error
		if in, err = s.Intents.At(ctx, p.Topology, p.Revision); err != nil {
			return nil, err
		}
	}
	topo, diags := in.Expand()
	if diags.HasErrors() {
		return nil, nil
	}
	return topo.Intent, nil
}

// tenantsOf are the tenants that all changes of a device are of; none where one is of something else.
func tenantsOf(in *intent.Topology, d *plan.Device) []string {
	of := map[string][]string{}
	all := map[string]bool{}
	for _, c := range slices.Concat(d.Changes, d.Foreign) {
		tenants, seen := of[c.Cause.Ref]
		if !seen {
			tenants = controller.BelongsTo(in, c.Cause.Ref).Tenants
			of[c.Cause.Ref] = tenants
		}
		if len(tenants) == 0 {
			return nil
		}
		for _, t := range tenants {
			all[t] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// transactionAbout are the devices that a transaction changes.
func (s *Server) transactionAbout(ctx context.Context, id string) ([]auth.Object, error) {
	t, err := s.Operations.Transaction(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.changedBy(ctx, t)
}

// changedBy are the devices of a transaction, with the tenants of the plan that it carries out.
func (s *Server) changedBy(ctx context.Context, t *controller.TransactionView) ([]auth.Object, error) {
	plans, err := s.Operations.Plans(ctx, t.Topology)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(plans, func(p *controller.Planned) bool { return p.Transaction == t.ID }); i >= 0 {
		return s.planAbout(ctx, plans[i])
	}
	return s.devices(ctx, t.Topology, slices.Sorted(maps.Keys(t.Devices)))
}

// AllowWrite implements controller.Intents.Allow: whoever writes has to be allowed each part that is changed.
func AllowWrite(ctx context.Context, topology string, w *controller.Written) error {
	r := rights(ctx)
	if _, ok := r.May(auth.WriteIntent, auth.Object{Topology: topology}); ok {
		return nil
	}
	if _, ok := r.MaySomewhere(auth.WriteIntent, topology); !ok {
		return &auth.DeniedError{Rights: r, Permission: auth.WriteIntent, Object: auth.Object{Name: topology, Topology: topology}}
	}
	parts := w.Touches(topology)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		for _, b := range parts[name] {
			o := auth.Object{Name: name, Topology: topology, Sites: b.Sites, Tenants: b.Tenants}
			if _, ok := r.May(auth.WriteIntent, o); !ok {
				return &auth.DeniedError{Rights: r, Permission: auth.WriteIntent, Object: o}
			}
		}
	}
	return nil
}
