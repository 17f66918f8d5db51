package api

import (
	"context"
	"fmt"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/plan"
	"google.golang.org/protobuf/types/known/durationpb"
)

// sourceService implements loom.v1.SourceService.
type sourceService struct {
	api.UnimplementedSourceServiceServer
	*Server
}

var applyPolicies = map[controller.ApplyPolicy]api.ApplyPolicy{
	controller.ApplyManual: api.ApplyPolicy_APPLY_POLICY_MANUAL, controller.ApplyAuto: api.ApplyPolicy_APPLY_POLICY_AUTO,
}

func (s *sourceService) PutSource(ctx context.Context, r *api.PutSourceRequest) (*api.PutSourceResponse, error) {
	m := r.GetSource()
	want := map[api.ApplyPolicy]controller.ApplyPolicy{
		api.ApplyPolicy_APPLY_POLICY_UNSPECIFIED: controller.ApplyManual, api.ApplyPolicy_APPLY_POLICY_MANUAL: controller.ApplyManual,
		api.ApplyPolicy_APPLY_POLICY_AUTO: controller.ApplyAuto,
	}
	policy, known := want[m.GetPolicy()]
	if !known {
		return nil, invalid("policy: there is none of this number; use MANUAL or AUTO")
	}
	if d := m.GetInterval(); d != nil && d.CheckValid() != nil {
		return nil, invalid("interval: is no duration")
	}
	src := controller.Source{
		Name: m.GetName(), Location: m.GetLocation(), Revision: m.GetRevision(), Path: m.GetPath(), Policy: policy,
		MaxDevices: int(m.GetMaxDevices()), Interval: m.GetInterval().AsDuration(),
	}
	for _, c := range m.GetAllowedRisks() {
		src.Allowed = append(src.Allowed, plan.Class(c))
	}
	v, err := s.Operations.PutSource(ctx, src, s.caller(ctx))
	if err != nil {
		return nil, failure(err)
	}
	return &api.PutSourceResponse{Source: source(v)}, nil
}

func (s *sourceService) GetSource(ctx context.Context, r *api.GetSourceRequest) (*api.GetSourceResponse, error) {
	v, err := s.Operations.Source(ctx, r.GetName())
	if err != nil {
		return nil, failure(err)
	}
	return &api.GetSourceResponse{Source: source(v)}, nil
}

func (s *sourceService) ListSources(ctx context.Context, r *api.ListSourcesRequest) (*api.ListSourcesResponse, error) {
	all, err := s.Operations.Sources(ctx)
	if err != nil {
		return nil, failure(err)
	}
	page, next, err := paged(all, func(v *controller.SourceView) string { return v.Name }, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	out := &api.ListSourcesResponse{NextPageToken: next}
	for _, v := range page {
		out.Sources = append(out.Sources, source(v))
	}
	return out, nil
}

func (s *sourceService) DeleteSource(ctx context.Context, r *api.DeleteSourceRequest) (*api.DeleteSourceResponse, error) {
	if err := s.Operations.DeleteSource(ctx, r.GetName(), s.caller(ctx)); err != nil {
		return nil, failure(err)
	}
	return &api.DeleteSourceResponse{}, nil
}

func (s *sourceService) SyncSource(ctx context.Context, r *api.SyncSourceRequest) (*api.SyncSourceResponse, error) {
	v, err := s.Operations.SyncSource(ctx, r.GetName(), r.GetOverwrite(), s.caller(ctx))
	if err != nil {
		return nil, failure(err)
	}
	return &api.SyncSourceResponse{Source: source(v)}, nil
}

func (s *sourceService) ListCommits(ctx context.Context, r *api.ListCommitsRequest) (*api.ListCommitsResponse, error) {
	all, err := s.Operations.Commits(ctx, r.GetSource())
	if err != nil {
		return nil, failure(err)
	}
	page, next, err := paged(all, func(c *controller.Commit) string { return backwards(fmt.Sprintf("%016d", c.Number)) }, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	out := &api.ListCommitsResponse{NextPageToken: next}
	for _, c := range page {
		out.Commits = append(out.Commits, commit(c))
	}
	return out, nil
}

func source(v *controller.SourceView) *api.Source {
	state, reason, since := v.State()
	status := &api.SourceStatus{State: state, Reason: reason, Since: stamp(since), At: stamp(v.At), Commit: v.Following.Tip, Topology: v.Following.Topology}
	if c := v.Current; c != nil {
		status.Commit, status.Revision, status.Plan, status.Transaction = c.ID, c.Revision, c.Plan, c.Transaction
	}
	out := &api.Source{
		Name: v.Name, Location: v.Location, Revision: v.Source.Revision, Path: v.Path, Policy: applyPolicies[v.Policy], MaxDevices: int32(v.Most()),
		Interval: durationpb.New(v.Every()), Status: status,
	}
	for _, c := range v.Allowed {
		out.AllowedRisks = append(out.AllowedRisks, string(c))
	}
	return out
}

func commit(c *controller.Commit) *api.Commit {
	out := &api.Commit{
		Source: c.Source, Number: c.Number, Commit: c.ID, Subject: c.Subject, Author: c.Author, Written: stamp(c.Written), Seen: stamp(c.Seen),
		State: string(c.State), Reason: c.Reason, At: stamp(c.At), Topology: c.Topology, Revision: c.Revision, PreviousRevision: c.Before,
		Plan: c.Plan, Risks: c.Risks, Devices: int32(c.Devices), Transaction: c.Transaction,
	}
	for _, m := range c.Mistakes {
		out.Mistakes = append(out.Mistakes, mistake(m.Diagnostic))
	}
	return out
}
