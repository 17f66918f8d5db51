package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/transaction"
)

func (s *deviceService) DrainDevice(ctx context.Context, r *api.DrainDeviceRequest) (*api.DrainDeviceResponse, error) {
	d := &controller.Draining{Devices: r.GetDevice(), Why: r.GetReason(), Until: instant(r.GetUntil())}
	res, err := s.drain(ctx, r, d, r.GetApprove())
	if err != nil {
		return nil, failure(err)
	}
	return &api.DrainDeviceResponse{Transaction: res.ID, Outcome: string(res.Outcome)}, nil
}

func (s *deviceService) UndrainDevice(ctx context.Context, r *api.UndrainDeviceRequest) (*api.UndrainDeviceResponse, error) {
	res, err := s.drain(ctx, r, &controller.Draining{Devices: r.GetDevice(), Undrain: true}, r.GetApprove())
	if err != nil {
		return nil, failure(err)
	}
	return &api.UndrainDeviceResponse{Transaction: res.ID, Outcome: string(res.Outcome)}, nil
}

// aboutDevice is a message about one device, which its caller may repeat.
type aboutDevice interface {
	repeatable
	GetTopology() string
	GetDevice() string
}

// drain plans, and carries that out. One that carries traffic stays as it is when it is to do so.
func (s *deviceService) drain(ctx context.Context, r aboutDevice, d *controller.Draining, approve []string) (transaction.Result, error) {
	none := transaction.Result{}
	ask, err := asked(r)
	if err != nil {
		return none, err
	}
	if res, ok, err := s.Operations.Answered(ctx, ask); ok || err != nil {
		return res, err
	}
	now, err := s.device(ctx, r.GetTopology(), r.GetDevice())
	if err != nil || d.Undrain && !now.Drained {
		return none, err
	}
	by := s.caller(ctx)
	p, err := s.Operations.CreatePlan(ctx, controller.PlanRequest{Topology: r.GetTopology(), Draining: d, By: by})
	if err == nil && len(approve) > 0 && p.Hash != "" {
		_, err = s.Operations.Approve(ctx, p.ID, p.Hash, approve, by)
	}
	if err != nil {
		if res, ok, e := s.Operations.Answered(ctx, ask); ok && e == nil { // the same request was faster
			return res, nil
		}
		return none, err
	}
	return s.Operations.Apply(ctx, controller.ApplyRequest{Plan: p.ID, Hash: p.Hash, By: by, Ask: ask}, func(controller.Step) {})
}

// device is one of a topology.
func (s *deviceService) device(ctx context.Context, topology, name string) (controller.DeviceView, error) {
	all, err := s.Operations.Devices(ctx, topology, "")
	if err != nil {
		return controller.DeviceView{}, err
	}
	i := slices.IndexFunc(all, func(d controller.DeviceView) bool { return d.Topology == topology && d.Name == name })
	if i < 0 {
		return controller.DeviceView{}, fmt.Errorf("%s: %w in %s", name, controller.ErrNoDevice, topology)
	}
	return all[i], nil
}
