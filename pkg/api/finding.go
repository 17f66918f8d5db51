package api

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func (s *eventService) ListFindings(ctx context.Context, r *api.ListFindingsRequest) (*api.ListFindingsResponse, error) {
	all, at, err := s.Operations.Findings(ctx)
	if err != nil {
		return nil, failure(err)
	}
	sight := s.sight(ctx)
	all = slices.DeleteFunc(all, func(f controller.Finding) bool {
		return r.GetTopology() != "" && r.GetTopology() != f.Topology || r.GetDevice() != "" && !slices.Contains(f.Devices, r.GetDevice()) ||
			len(r.GetKinds()) > 0 && !slices.Contains(r.GetKinds(), string(f.Kind)) || !sight.finding(&f)
	})
	page, next, err := paged(all, func(f controller.Finding) string { return f.Key() }, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	out := &api.ListFindingsResponse{NextPageToken: next, ResumeToken: token(at)}
	for _, f := range page {
		out.Findings = append(out.Findings, finding(f))
	}
	return out, nil
}

func (s *eventService) WatchFindings(r *api.WatchFindingsRequest, to grpc.ServerStreamingServer[api.WatchFindingsResponse]) error {
	sight := s.sight(to.Context())
	wanted := func(f controller.Finding) bool {
		return (r.GetTopology() == "" || r.GetTopology() == f.Topology) && sight.finding(&f)
	}
	var after int64
	if t := r.GetResumeToken(); t != "" {
		var err error
		if after, err = strconv.ParseInt(t, 10, 64); err != nil || after < 0 {
			return invalid("resume_token: is none; use that of an answer before")
		}
	} else {
		all, at, err := s.Operations.Findings(to.Context())
		if err != nil {
			return failure(err)
		}
		for _, f := range all { // without tokens: who has a part of them begins again
			if wanted(f) {
				if err := to.Send(&api.WatchFindingsResponse{Finding: finding(f)}); err != nil {
					return err
				}
			}
		}
		after = at
	}
	if err := to.Send(&api.WatchFindingsResponse{Synced: true, ResumeToken: token(after)}); err != nil {
		return err
	}
	return failure(s.Operations.FollowFindings(to.Context(), after, func(f controller.Finding, gone bool, at int64) error {
		if !wanted(f) {
			return nil
		}
		return to.Send(&api.WatchFindingsResponse{Finding: finding(f), Gone: gone, ResumeToken: token(at)})
	}))
}

func finding(f controller.Finding) *api.Finding {
	resource, _, _ := strings.Cut(string(f.Ref), "#")
	out := &api.Finding{
		Id: f.ID, Topology: f.Topology, Kind: string(f.Kind), Devices: f.Devices, Object: f.Object, Message: f.Message,
		Resource: resource, At: f.Place, Causes: f.Causes,
	}
	if !f.Since.IsZero() { // of one that is gone its name alone is left
		out.Since, out.Severity = timestamppb.New(f.Since), api.Severity(f.Severity)+1
	}
	return out
}
