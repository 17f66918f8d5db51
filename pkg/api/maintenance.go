package api

import (
	"context"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func (s *deviceService) SetMaintenance(ctx context.Context, r *api.SetMaintenanceRequest) (*api.SetMaintenanceResponse, error) {
	by := s.caller(ctx)
	var m *controller.Maintenance
	switch {
	case r.GetOn():
		m = &controller.Maintenance{By: by, Why: r.GetReason(), Until: instant(r.GetUntil())}
	case r.GetReason() != "" || r.GetUntil() != nil:
		return nil, invalid("reason, until: not with the end of maintenance; leave them out, or set on")
	}
	d, err := s.Operations.SetMaintenance(ctx, r.GetTopology(), r.GetDevice(), m, by)
	if err != nil {
		return nil, failure(err)
	}
	return &api.SetMaintenanceResponse{Device: managed(d)}, nil
}

// maintained is nil where nobody works on a device.
func maintained(m *controller.Maintenance) *api.Maintenance {
	if m == nil {
		return nil
	}
	return &api.Maintenance{By: m.By, Reason: m.Why, Since: timestamppb.New(m.Since), Until: stamp(m.Until)}
}
