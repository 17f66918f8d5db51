package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/controller"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// deviceService implements loom.v1.DeviceService.
type deviceService struct {
	api.UnimplementedDeviceServiceServer
	*Server
}

var statuses = map[controller.Status]api.DeviceStatus{
	controller.InSync: api.DeviceStatus_DEVICE_STATUS_IN_SYNC, controller.Pending: api.DeviceStatus_DEVICE_STATUS_PENDING,
	controller.Drifted: api.DeviceStatus_DEVICE_STATUS_DRIFTED, controller.Applying: api.DeviceStatus_DEVICE_STATUS_APPLYING,
	controller.Unreachable: api.DeviceStatus_DEVICE_STATUS_UNREACHABLE, controller.Refused: api.DeviceStatus_DEVICE_STATUS_REFUSED,
	controller.Failed: api.DeviceStatus_DEVICE_STATUS_FAILED, controller.Syncing: api.DeviceStatus_DEVICE_STATUS_SYNCING,
}

func (s *deviceService) ListDevices(ctx context.Context, r *api.ListDevicesRequest) (*api.ListDevicesResponse, error) {
	all, err := s.Operations.Devices(ctx, r.GetTopology(), r.GetLimit())
	if err != nil {
		return nil, failure(err)
	}
	sight := s.sight(ctx)
	all = slices.DeleteFunc(all, func(d controller.DeviceView) bool { return !sight.device(d.Topology, d.Name, d.Site) })
	if len(r.GetStatuses()) > 0 {
		all = slices.DeleteFunc(all, func(d controller.DeviceView) bool {
			return !slices.Contains(r.GetStatuses(), statuses[d.Standing.Status])
		})
	}
	page, next, err := paged(all, func(d controller.DeviceView) string { return d.Topology + "\x00" + d.Name }, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	out := &api.ListDevicesResponse{NextPageToken: next}
	for _, d := range page {
		m := managed(d)
		if err := masked(m, r.GetReadMask()); err != nil {
			return nil, err
		}
		out.Devices = append(out.Devices, m)
	}
	return out, nil
}

func (s *deviceService) GetDevice(ctx context.Context, r *api.GetDeviceRequest) (*api.GetDeviceResponse, error) {
	all, err := s.Operations.Devices(ctx, r.GetTopology(), "")
	if err != nil {
		return nil, failure(err)
	}
	i := slices.IndexFunc(all, func(d controller.DeviceView) bool { return d.Name == r.GetName() })
	if i < 0 {
		return nil, failure(fmt.Errorf("%s: %w in %s", r.GetName(), controller.ErrNoDevice, r.GetTopology()))
	}
	m := managed(all[i])
	return &api.GetDeviceResponse{Device: m}, masked(m, r.GetReadMask())
}

func managed(d controller.DeviceView) *api.ManagedDevice {
	out := &api.ManagedDevice{
		Name: d.Name, Topology: d.Topology, Site: d.Site, Role: d.Role, Platform: d.Platform, Release: d.Release, Address: d.Address, Labels: d.Labels,
		Status: statuses[d.Standing.Status], Reason: d.Standing.Reason, DesiredRevision: d.Standing.Desired, AppliedRevision: d.Standing.Applied,
		Drifts: int32(len(d.Standing.Drifts)), Drained: d.Drained, Received: d.Received, Coalesced: d.Coalesced,
		DriftPolicy: policies[d.Policy],
	}
	out.Maintenance = maintained(d.Maintenance)
	if !d.Standing.Since.IsZero() {
		out.Since = timestamppb.New(d.Standing.Since)
	}
	if !d.Standing.Compared.IsZero() {
		out.Compared = timestamppb.New(d.Standing.Compared)
	}
	return out
}

func (s *deviceService) ListDrift(ctx context.Context, r *api.ListDriftRequest) (*api.ListDriftResponse, error) {
	devices, err := s.Operations.Devices(ctx, r.GetTopology(), r.GetLimit())
	if err != nil {
		return nil, failure(err)
	}
	var all []controller.Drift
	atWork := map[string]bool{}
	sight := s.sight(ctx)
	for _, d := range devices {
		if !sight.device(d.Topology, d.Name, d.Site) {
			continue
		}
		all = append(all, d.Standing.Drifts...)
		atWork[d.Name] = d.Maintenance != nil
	}
	key := func(d controller.Drift) string { return d.Device + "\x00" + d.Path }
	slices.SortFunc(all, func(a, b controller.Drift) int { return cmp.Compare(key(a), key(b)) })
	page, next, err := paged(all, key, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	out := &api.ListDriftResponse{NextPageToken: next}
	for _, d := range page {
		out.Drifts = append(out.Drifts, &api.Drift{
			Id: d.ID, Device: d.Device, Since: timestamppb.New(d.Since), Maintenance: atWork[d.Device], Change: &api.Change{Operation: drifted(d), Path: d.Path, Old: d.Intended, New: d.Has},
		})
	}
	return out, nil
}

func drifted(d controller.Drift) api.Operation {
	switch d.Op {
	case config.Create:
		return api.Operation_OPERATION_CREATE
	case config.Delete:
		return api.Operation_OPERATION_DELETE
	case config.Reorder:
		return api.Operation_OPERATION_REORDER
	}
	return api.Operation_OPERATION_MODIFY
}

func (s *deviceService) RevertDrift(ctx context.Context, r *api.RevertDriftRequest) (*api.RevertDriftResponse, error) {
	if len(r.GetIds()) > 0 && r.GetLimit() != "" {
		return nil, invalid("limit: not with ids, which say what is meant; leave one of them out")
	}
	ask, err := asked(r)
	if err != nil {
		return nil, err
	}
	res, err := s.Operations.Revert(ctx, controller.RevertRequest{Topology: r.GetTopology(), Limit: r.GetLimit(), IDs: r.GetIds(), By: s.caller(ctx), Ask: ask})
	if err != nil {
		return nil, failure(err)
	}
	return &api.RevertDriftResponse{Transaction: res.ID, Outcome: string(res.Outcome)}, nil
}

var policies = map[controller.Policy]api.DriftPolicy{
	controller.Report: api.DriftPolicy_DRIFT_POLICY_REPORT, controller.Enforce: api.DriftPolicy_DRIFT_POLICY_ENFORCE,
}

func (s *deviceService) SetDriftPolicy(ctx context.Context, r *api.SetDriftPolicyRequest) (*api.SetDriftPolicyResponse, error) {
	want := map[api.DriftPolicy]controller.Policy{
		api.DriftPolicy_DRIFT_POLICY_UNSPECIFIED: "", api.DriftPolicy_DRIFT_POLICY_REPORT: controller.Report,
		api.DriftPolicy_DRIFT_POLICY_ENFORCE: controller.Enforce,
	}
	p, known := want[r.GetPolicy()]
	if !known {
		return nil, invalid("policy: there is none of this number; use REPORT or ENFORCE")
	}
	now, err := s.Operations.SetPolicy(ctx, r.GetTopology(), r.GetDevice(), p, s.caller(ctx))
	if err != nil {
		return nil, failure(err)
	}
	return &api.SetDriftPolicyResponse{Policy: policies[now]}, nil
}

func (s *deviceService) GetConfiguration(ctx context.Context, r *api.GetConfigurationRequest) (*api.GetConfigurationResponse, error) {
	running := r.GetDatastore() == api.Datastore_DATASTORE_RUNNING
	if running && r.GetRevision() != 0 {
		return nil, invalid("revision: not with RUNNING, of which there is one; leave one of them out")
	}
	json, hash, err := s.Operations.Configuration(ctx, r.GetTopology(), r.GetDevice(), r.GetRevision(), running)
	if err != nil {
		return nil, failure(err)
	}
	return &api.GetConfigurationResponse{Json: json, Hash: hash}, nil
}

func (s *deviceService) AcceptDrift(ctx context.Context, r *api.AcceptDriftRequest) (*api.AcceptDriftResponse, error) {
	if len(r.GetIds()) == 0 {
		return nil, invalid("ids: none; name the drifts that are to be kept")
	}
	found, patch, err := s.Operations.Accept(ctx, r.GetTopology(), r.GetIds())
	if err != nil {
		return nil, failure(err)
	}
	out := &api.AcceptDriftResponse{Patch: patch, Impossible: found.Impossible}
	for _, f := range found.Files {
		out.Files = append(out.Files, &api.File{Name: f.Name, Data: f.Data})
	}
	return out, nil
}
