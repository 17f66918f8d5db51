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
	if _, err := s.device(ctx, r.GetTopology(), r.GetDevice()); err != nil {
		return nil, failure(err)
	}
	d := &controller.Draining{Devices: r.GetDevice(), Why: r.GetReason(), Until: instant(r.GetUntil())}
	res, err := s.drain(ctx, r.GetTopology(), d, r.GetApprove())
	if err != nil {
		return nil, failure(err)
	}
	return &api.DrainDeviceResponse{Transaction: res.ID, Outcome: string(res.Outcome)}, nil
}

func (s *deviceService) UndrainDevice(ctx context.Context, r *api.UndrainDeviceRequest) (*api.UndrainDeviceResponse, error) {
	d, err := s.device(ctx, r.GetTopology(), r.GetDevice())
	if err != nil {
		return nil, failure(err)
	}
	if !d.Drained {
		return &api.UndrainDeviceResponse{}, nil
	}
	res, err := s.drain(ctx, r.GetTopology(), &controller.Draining{Devices: r.GetDevice(), Undrain: true}, r.GetApprove())
	if err != nil {
		return nil, failure(err)
	}
	return &api.UndrainDeviceResponse{Transaction: res.ID, Outcome: string(res.Outcome)}, nil
}

// drain plans, and carries that out.
func (s *deviceService) drain(ctx context.Context, topology string, d *controller.Draining, approve []string) (transaction.Result, error) {
	by := s.caller(ctx)
	p, err := s.Operations.CreatePlan(ctx, controller.PlanRequest{Topology: topology, Draining: d, By: by})
	if err == nil && len(approve) > 0 && p.Hash != "" {
		_, err = s.Operations.Approve(ctx, p.ID, p.Hash, approve, by)
	}
	if err != nil {
		return transaction.Result{}, err
	}
	return s.Operations.Apply(ctx, controller.ApplyRequest{Plan: p.ID, Hash: p.Hash, By: by}, func(controller.Step) {})
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
