package api

import (
	"context"
	"slices"
	"sync"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/transaction"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// planService implements loom.v1.PlanService.
type planService struct {
	api.UnimplementedPlanServiceServer
	*Server
}

func (s *planService) CreatePlan(ctx context.Context, r *api.CreatePlanRequest) (*api.CreatePlanResponse, error) {
	ask, err := asked(r)
	if err != nil {
		return nil, err
	}
	q := controller.PlanRequest{Topology: r.GetTopology(), Revision: r.GetRevision(), Files: sources(r.GetFiles()), Limit: r.GetLimit(), By: s.caller(ctx), Ask: ask}
	if d := r.GetDraining(); d != nil {
		if r.GetLimit() != "" || len(r.GetFiles()) > 0 {
			return nil, invalid("draining: not with limit or files, as nothing else is planned; leave them out")
		}
		q.Draining = &controller.Draining{Devices: d.GetDevices(), Undrain: d.GetUndrain(), Why: d.GetReason(), Until: instant(d.GetUntil())}
	}
	p, err := s.Operations.CreatePlan(ctx, rolledOut(q, r.GetRollout()))
	if err == nil {
		err = s.sight(ctx).may(auth.Plan, p)
	}
	if err != nil {
		return nil, failure(err)
	}
	return &api.CreatePlanResponse{Plan: planned(p)}, nil
}

// rolledOut is a request with how its plan is to be carried out.
func rolledOut(q controller.PlanRequest, o *api.RolloutOptions) controller.PlanRequest {
	q.Canary, q.Waves, q.Soak, q.Drain = o.GetCanary(), int(o.GetWaveSize()), o.GetSoak().AsDuration(), o.GetDrain()
	return q
}

func (s *planService) GetPlan(ctx context.Context, r *api.GetPlanRequest) (*api.GetPlanResponse, error) {
	p, err := s.Operations.Plan(ctx, r.GetId())
	if err != nil {
		return nil, failure(err)
	}
	return &api.GetPlanResponse{Plan: planned(p)}, nil
}

func (s *planService) ListPlans(ctx context.Context, r *api.ListPlansRequest) (*api.ListPlansResponse, error) {
	all, err := s.Operations.Plans(ctx, r.GetTopology())
	if err != nil {
		return nil, failure(err)
	}
	sight := s.sight(ctx)
	all = slices.DeleteFunc(all, func(p *controller.Planned) bool { return !sight.plan(p) })
	page, next, err := paged(all, func(p *controller.Planned) string { return backwards(p.ID) }, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	out := &api.ListPlansResponse{NextPageToken: next}
	for _, p := range page {
		m := planned(p)
		m.Text, m.Json = "", nil
		for _, d := range m.Devices {
			d.Changes, d.Foreign = nil, nil
		}
		out.Plans = append(out.Plans, m)
	}
	return out, nil
}

// backwards is a key that sorts against the order of text.
func backwards(s string) string {
	b := []byte(s)
	for i := range b {
		b[i] = ^b[i]
	}
	return string(b)
}

func (s *planService) ApprovePlan(ctx context.Context, r *api.ApprovePlanRequest) (*api.ApprovePlanResponse, error) {
	p, err := s.Operations.Approve(ctx, r.GetId(), r.GetHash(), r.GetClasses(), s.caller(ctx))
	if err != nil {
		return nil, failure(err)
	}
	return &api.ApprovePlanResponse{Plan: planned(p)}, nil
}

func (s *planService) ApplyPlan(r *api.ApplyPlanRequest, to grpc.ServerStreamingServer[api.ApplyPlanResponse]) error {
	ask, err := asked(r)
	if err != nil {
		return err
	}
	a := controller.ApplyRequest{
		Plan: r.GetId(), Hash: r.GetHash(), TakeOver: r.GetTakeOver(), Rollback: r.GetRollback().AsDuration(), Hold: r.GetHold().AsDuration(), By: s.caller(to.Context()), Ask: ask,
	}
	if r.GetGate() != nil {
		gate := r.GetGate().AsDuration()
		a.Gate = &gate
	}
	// Who tells must not wait for who listens: what cannot be sent any more is in the journal.
	steps := make(chan controller.Step, 1024)
	var sender sync.WaitGroup
	var id string
	sender.Go(func() {
		for step := range steps {
			_ = to.Send(&api.ApplyPlanResponse{Transaction: step.Transaction, Event: stepEvent(step)})
		}
	})
	res, err := s.Operations.Apply(to.Context(), a, func(step controller.Step) {
		id = step.Transaction
		select {
		case steps <- step:
		default:
		}
	})
	close(steps)
	sender.Wait()
	if err != nil {
		return failure(err)
	}
	return to.Send(&api.ApplyPlanResponse{Transaction: id, Result: result(res)})
}

func stepEvent(s controller.Step) *api.TransactionEvent {
	out := &api.TransactionEvent{At: timestamppb.New(s.At), Status: "begun", HeldUntil: stamp(s.HeldUntil)}
	if e := s.Event; e != nil {
		out.Device, out.Status, out.Wave = e.Device, string(e.Status), int32(e.Wave)
		if e.Err != nil {
			out.Error = e.Err.Error()
		}
	}
	return out
}

func result(r transaction.Result) *api.TransactionResult {
	out := &api.TransactionResult{Outcome: string(r.Outcome), Devices: map[string]string{}, Errors: r.Errors, Weaker: r.Weaker}
	for name, s := range r.Devices {
		out.Devices[name] = string(s)
	}
	if r.Err != nil {
		out.Error = r.Err.Error()
	}
	return out
}

func planned(p *controller.Planned) *api.Plan {
	x := p.Plan
	out := &api.Plan{
		Id: p.ID, Topology: p.Topology, Revision: p.Revision, At: timestamppb.New(p.At), By: p.By, Hash: p.Hash, Limit: x.Limit, InSync: x.InSync, Unsaved: x.Unsaved,
		Removed: x.Removed, Skipped: x.Skipped, Weaker: x.Weaker, Forecast: x.Forecast, Text: p.Text, Json: p.JSON, Transaction: p.Transaction,
		Undoes: p.Request.Undoes,
	}
	for i := range x.Devices {
		out.Devices = append(out.Devices, plannedDevice(&x.Devices[i]))
	}
	for _, o := range x.LeftOut {
		out.LeftOut = append(out.LeftOut, &api.LeftOut{Device: o.Device, Reason: o.Why})
	}
	for _, w := range x.Waves {
		out.Waves = append(out.Waves, &api.Wave{Devices: w})
	}
	approved := map[string]bool{}
	for _, c := range p.Approved() {
		approved[c] = true
	}
	for _, r := range x.Risks {
		out.Risks = append(out.Risks, &api.Risk{Class: string(r.Class), Device: r.Device, Message: r.Why, Approved: approved[string(r.Class)]})
	}
	for _, a := range p.Approvals {
		out.Approvals = append(out.Approvals, &api.Approval{By: a.By, At: timestamppb.New(a.At), Classes: a.Classes, Hash: a.Hash})
	}
	return out
}

func plannedDevice(d *plan.Device) *api.PlannedDevice {
	out := &api.PlannedDevice{Device: d.Name, IsNew: d.New, Base: d.Base, Target: d.Target, Changes: changes(d.Changes), Foreign: changes(d.Foreign), Drained: d.Drain != nil}
	for _, s := range d.Steps {
		out.Steps = append(out.Steps, s.Name)
	}
	return out
}

var operations = map[plan.Op]api.Operation{
	plan.Create: api.Operation_OPERATION_CREATE, plan.Delete: api.Operation_OPERATION_DELETE,
	plan.Modify: api.Operation_OPERATION_MODIFY, plan.Reorder: api.Operation_OPERATION_REORDER,
}

func changes(all []plan.Change) []*api.Change {
	out := make([]*api.Change, len(all))
	for i, c := range all {
		out[i] = &api.Change{Operation: operations[c.Op], Path: c.Path, Old: c.Old, New: c.New, Cause: cause(c.Cause)}
	}
	return out
}

// cause is what asks for something; nil: nothing does.
func cause(c plan.Cause) *api.Cause {
	if c == (plan.Cause{}) {
		return nil
	}
	return &api.Cause{Resource: c.Ref, Rule: c.Rule, At: c.At}
}
