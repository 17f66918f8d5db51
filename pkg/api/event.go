package api

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// eventService implements loom.v1.EventService.
type eventService struct {
	api.UnimplementedEventServiceServer
	*Server
}

// filter is which events somebody wants.
type filter interface {
	GetTopology() string
	GetDevice() string
	GetKinds() []string
}

func wanted(f filter, e controller.Event) bool {
	return (f.GetTopology() == "" || f.GetTopology() == e.Topology) && (f.GetDevice() == "" || f.GetDevice() == e.Device) &&
		(len(f.GetKinds()) == 0 || slices.Contains(f.GetKinds(), string(e.Kind)))
}

func (s *eventService) ListEvents(ctx context.Context, r *api.ListEventsRequest) (*api.ListEventsResponse, error) {
	all, last, err := s.Operations.Events(ctx, r.GetAfter())
	if err != nil {
		return nil, failure(err)
	}
	sight := s.sight(ctx)
	all = slices.DeleteFunc(all, func(e controller.Event) bool { return !wanted(r, e) || !sight.event(e) })
	page, next, err := paged(all, func(e controller.Event) string { return fmt.Sprintf("%020d", e.Sequence) }, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	if next != "" {
		last = page[len(page)-1].Sequence
	}
	out := &api.ListEventsResponse{NextPageToken: next, ResumeToken: token(last)}
	for _, e := range page {
		out.Events = append(out.Events, event(e))
	}
	return out, nil
}

func (s *eventService) WatchEvents(r *api.WatchEventsRequest, to grpc.ServerStreamingServer[api.WatchEventsResponse]) error {
	var after int64
	if t := r.GetResumeToken(); t != "" {
		var err error
		if after, err = strconv.ParseInt(t, 10, 64); err != nil || after < 0 {
			return invalid("resume_token: is none; use that of an answer before")
		}
	} else {
		var err error
		if _, after, err = s.Operations.Events(to.Context(), 0); err != nil {
			return failure(err)
		}
	}
	if err := to.Send(&api.WatchEventsResponse{ResumeToken: token(after)}); err != nil {
		return err
	}
	sight := s.sight(to.Context())
	return failure(s.Operations.Follow(to.Context(), after, func(e controller.Event) error {
		if !wanted(r, e) || !sight.event(e) {
			return nil
		}
		return to.Send(&api.WatchEventsResponse{Event: event(e), ResumeToken: token(e.Sequence)})
	}))
}

func token(sequence int64) string { return strconv.FormatInt(sequence, 10) }

func event(e controller.Event) *api.Event {
	return &api.Event{
		Sequence: e.Sequence, At: timestamppb.New(e.At), Kind: string(e.Kind), Topology: e.Topology, Device: e.Device, By: e.By, Message: e.Message,
		Subject: e.Subject, Revision: e.Revision,
	}
}
