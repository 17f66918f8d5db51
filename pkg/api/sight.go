package api

import (
	"context"

	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
)

// sight is what the caller of a call may see. It is asked anew each time: rights change while a stream goes on.
type sight struct {
	ctx context.Context
	s   *Server
}

func (s *Server) sight(ctx context.Context) sight { return sight{ctx, s} }

// all tells whether the caller sees all of a topology; with an empty name, of all.
func (x sight) all(topology string) bool { return x.sees(auth.Object{Topology: topology}) }

func (x sight) sees(o auth.Object) bool {
	_, ok := rights(x.ctx).May(auth.Read, o)
	return ok
}

// some tells whether the caller sees anything of a topology.
func (x sight) some(topology string) bool {
	_, ok := rights(x.ctx).MaySomewhere(auth.Read, topology)
	return ok
}

// device tells whether the caller sees a device whose site is known.
func (x sight) device(topology, name, site string) bool {
	return x.sees(deviceObject(topology, name, site))
}

// resource tells whether the caller sees a resource of an intent.
func (x sight) resource(in *intent.Topology, name string) bool {
	b := controller.BelongsTo(in, name)
	return x.sees(auth.Object{Name: name, Topology: in.GetName(), Sites: b.Sites, Tenants: b.Tenants})
}

// event tells whether the caller sees an event: of a device that it sees, or of the topology that it sees as a whole.
func (x sight) event(e controller.Event) bool {
	if x.all(e.Topology) {
		return true
	}
	return e.Device != "" && x.some(e.Topology) && x.named(e.Topology, e.Device)
}

// named tells whether the caller sees a device whose site is not at hand.
func (x sight) named(topology, name string) bool {
	found, err := x.s.Operations.Devices(x.ctx, topology, name)
	return err == nil && len(found) == 1 && found[0].Name == name && x.device(topology, name, found[0].Site)
}

// finding tells whether the caller sees a finding: one of its devices, or the tenant that it is about.
func (x sight) finding(f *controller.Finding) bool {
	if x.all(f.Topology) {
		return true
	}
	if !x.some(f.Topology) {
		return false
	}
	if f.Topology == "" { // it concerns everybody
		return true
	}
	for _, d := range f.Devices {
		if x.named(f.Topology, d) {
			return true
		}
	}
	return x.resource(&intent.Topology{Name: f.Topology}, string(f.Ref))
}

// plan tells whether the caller sees a plan: all that it changes.
func (x sight) plan(p *controller.Planned) bool { return x.may(auth.Read, p) == nil }

// may tells whether something is allowed with all that a plan changes.
func (x sight) may(permission auth.Permission, p *controller.Planned) error {
	r := rights(x.ctx)
	if _, ok := r.May(permission, auth.Object{Topology: p.Topology}); ok {
		return nil
	}
	if _, ok := r.MaySomewhere(permission, p.Topology); !ok {
		return &auth.DeniedError{Rights: r, Permission: permission, Object: auth.Object{Name: p.ID, Topology: p.Topology}}
	}
	about, err := x.s.planAbout(x.ctx, p)
	if err == nil {
		_, err = covered(r, permission, about)
	}
	return err
}

// transaction tells whether the caller sees a transaction: all that it changes.
func (x sight) transaction(t *controller.TransactionView) bool {
	if x.all(t.Topology) {
		return true
	}
	if !x.some(t.Topology) {
		return false
	}
	about, err := x.s.changedBy(x.ctx, t)
	if err == nil {
		_, err = covered(rights(x.ctx), auth.Read, about)
	}
	return err == nil
}
