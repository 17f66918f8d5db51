package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/topology"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// intentService implements loom.v1.IntentService.
type intentService struct {
	api.UnimplementedIntentServiceServer
	*Server
}

// write is what all requests that write have in common.
type write interface {
	GetMessage() string
	GetRequestId() string
}

const (
	mostMessage = 1024 // bytes
	mostKey     = 128
)

// writing is how something is to be written, by whom.
func (s *intentService) writing(ctx context.Context, r write, expected *int64, dry bool) (controller.Write, error) {
	switch {
	case len(r.GetMessage()) > mostMessage:
		return controller.Write{}, invalid(fmt.Sprintf("message: %d bytes; use at most %d", len(r.GetMessage()), mostMessage))
	case len(r.GetRequestId()) > mostKey:
		return controller.Write{}, invalid(fmt.Sprintf("request_id: %d bytes; use at most %d", len(r.GetRequestId()), mostKey))
	case expected != nil && *expected < 0:
		return controller.Write{}, invalid(fmt.Sprintf("expected_revision: %d; use the number of a revision, 0 for none, or leave it out", *expected))
	}
	return controller.Write{By: s.caller(ctx), Message: r.GetMessage(), Expected: expected, DryRun: dry, Key: r.GetRequestId()}, nil
}

func (s *intentService) PutTopology(ctx context.Context, r *api.PutTopologyRequest) (*api.PutTopologyResponse, error) {
	w, err := s.writing(ctx, r, r.ExpectedRevision, r.GetDryRun())
	if err != nil {
		return nil, err
	}
	if len(r.GetFiles()) == 0 {
		return nil, invalid("files: none; send the topology files")
	}
	out, err := s.Intents.Put(ctx, sources(r.GetFiles()), w)
	if err != nil {
		return nil, failure(err)
	}
	return &api.PutTopologyResponse{Revision: revision(out.Revision), Changes: summary(out), Warnings: mistakes(out.Warnings)}, nil
}

func (s *intentService) GetTopology(ctx context.Context, r *api.GetTopologyRequest) (*api.GetTopologyResponse, error) {
	in, err := s.Intents.At(ctx, r.GetTopology(), r.GetRevision())
	if err != nil {
		return nil, failure(err)
	}
	out := &api.GetTopologyResponse{Revision: revision(in.Revision)}
	for _, f := range in.Files {
		out.Files = append(out.Files, &api.File{Name: f.Name, Data: f.Data})
	}
	if !in.Deleted {
		topo, diags := in.Expand()
		if diags.HasErrors() {
			return nil, failure(&controller.InvalidError{Diagnostics: diags})
		}
		out.Intent = topo.Intent
	}
	return out, masked(out, r.GetReadMask())
}

func (s *intentService) ListTopologies(ctx context.Context, r *api.ListTopologiesRequest) (*api.ListTopologiesResponse, error) {
	heads, err := s.Intents.Ledger.Heads(ctx)
	if err != nil {
		return nil, failure(err)
	}
	sight := s.sight(ctx)
	heads = slices.DeleteFunc(heads, func(h controller.Revision) bool { return h.Deleted || !sight.some(h.Topology) })
	page, next, err := paged(heads, func(h controller.Revision) string { return h.Topology }, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	out := &api.ListTopologiesResponse{NextPageToken: next}
	for _, h := range page {
		out.Revisions = append(out.Revisions, revision(h))
	}
	return out, nil
}

func (s *intentService) DeleteTopology(ctx context.Context, r *api.DeleteTopologyRequest) (*api.DeleteTopologyResponse, error) {
	w, err := s.writing(ctx, r, r.ExpectedRevision, false)
	if err != nil {
		return nil, err
	}
	out, err := s.Intents.Delete(ctx, r.GetTopology(), w)
	if err != nil {
		return nil, failure(err)
	}
	return &api.DeleteTopologyResponse{Revision: revision(out.Revision)}, nil
}

func (s *intentService) PutResource(ctx context.Context, r *api.PutResourceRequest) (*api.PutResourceResponse, error) {
	w, err := s.writing(ctx, r, r.ExpectedRevision, r.GetDryRun())
	if err != nil {
		return nil, err
	}
	value := valueOf(r.GetResource())
	if value == nil {
		return nil, invalid("resource: has no value; say what it is")
	}
	if mask := r.GetUpdateMask(); len(mask.GetPaths()) > 0 {
		if value, w.Expected, err = s.merged(ctx, r, value); err != nil {
			return nil, err
		}
	}
	out, err := s.Intents.Edit(ctx, r.GetTopology(), controller.Edit{Name: r.GetResource().GetName(), Value: value}, w)
	if err != nil {
		return nil, failure(err)
	}
	found, _ := controller.Find(out.Intent, r.GetResource().GetName())
	return &api.PutResourceResponse{Revision: revision(out.Revision), Resource: resource(found, ""), Changes: summary(out), Warnings: mistakes(out.Warnings)}, nil
}

// merged is a resource with some fields replaced. What was read has to be there still when it is written.
func (s *intentService) merged(ctx context.Context, r *api.PutResourceRequest, value proto.Message) (proto.Message, *int64, error) {
	head, err := s.Intents.Head(ctx, r.GetTopology())
	if err != nil {
		return nil, nil, failure(err)
	}
	topo, diags := head.Expand()
	if diags.HasErrors() {
		return nil, nil, failure(&controller.InvalidError{Diagnostics: diags})
	}
	old, ok := controller.Find(topo.Intent, r.GetResource().GetName())
	if !ok {
		return nil, nil, failure(fmt.Errorf("%s: %w; leave update_mask out to add it", r.GetResource().GetName(), controller.ErrNoResource))
	}
	if old.Value.ProtoReflect().Descriptor() != value.ProtoReflect().Descriptor() {
		return nil, nil, invalid(fmt.Sprintf("resource: %s is no %s", old.Name, value.ProtoReflect().Descriptor().Name()))
	}
	out := proto.Clone(old.Value)
	for _, path := range r.GetUpdateMask().GetPaths() {
		field := out.ProtoReflect().Descriptor().Fields().ByTextName(path)
		if field == nil {
			return nil, nil, invalid(fmt.Sprintf("update_mask: %s has no field %q", value.ProtoReflect().Descriptor().Name(), path))
		}
		if from := value.ProtoReflect(); from.Has(field) {
			out.ProtoReflect().Set(field, from.Get(field))
		} else {
			out.ProtoReflect().Clear(field)
		}
	}
	expected := r.ExpectedRevision
	if expected == nil {
		expected = &head.Number
	}
	return out, expected, nil
}

func (s *intentService) GetResource(ctx context.Context, r *api.GetResourceRequest) (*api.GetResourceResponse, error) {
	topo, number, err := s.expanded(ctx, r.GetTopology(), r.GetRevision())
	if err != nil {
		return nil, err
	}
	found, ok := controller.Find(topo.Intent, r.GetName())
	if !ok {
		return nil, failure(fmt.Errorf("%s: %w in revision %d of %s", r.GetName(), controller.ErrNoResource, number, r.GetTopology()))
	}
	if sight := s.sight(ctx); !sight.resource(topo.Intent, found.Name) {
		return nil, failure(&auth.DeniedError{Rights: rights(ctx), Permission: auth.Read, Object: auth.Object{Name: found.Name, Topology: r.GetTopology()}})
	}
	return &api.GetResourceResponse{Resource: resource(found, at(topo, found.Name)), Revision: number}, nil
}

func (s *intentService) ListResources(ctx context.Context, r *api.ListResourcesRequest) (*api.ListResourcesResponse, error) {
	wanted := r.GetRevision()
	if r.GetPageToken() != "" && wanted == 0 {
		return nil, invalid("page_token: needs the revision that the first page was of")
	}
	topo, number, err := s.expanded(ctx, r.GetTopology(), wanted)
	if err != nil {
		return nil, err
	}
	sight := s.sight(ctx)
	whole := sight.all(r.GetTopology())
	all := slices.DeleteFunc(controller.Resources(topo.Intent), func(x controller.Resource) bool {
		return !hasPrefix(x.Name, r.GetPrefix()) || !whole && !sight.resource(topo.Intent, x.Name)
	})
	page, next, err := paged(all, func(x controller.Resource) string { return x.Name }, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	out := &api.ListResourcesResponse{Revision: number, NextPageToken: next}
	for _, x := range page {
		out.Resources = append(out.Resources, resource(x, at(topo, x.Name)))
	}
	return out, nil
}

func (s *intentService) DeleteResource(ctx context.Context, r *api.DeleteResourceRequest) (*api.DeleteResourceResponse, error) {
	w, err := s.writing(ctx, r, r.ExpectedRevision, r.GetDryRun())
	if err != nil {
		return nil, err
	}
	out, err := s.Intents.Edit(ctx, r.GetTopology(), controller.Edit{Name: r.GetName()}, w)
	if err != nil {
		return nil, failure(err)
	}
	return &api.DeleteResourceResponse{Revision: revision(out.Revision), Changes: summary(out), Warnings: mistakes(out.Warnings)}, nil
}

func (s *intentService) ListRevisions(ctx context.Context, r *api.ListRevisionsRequest) (*api.ListRevisionsResponse, error) {
	all, err := s.Intents.Ledger.History(ctx, r.GetTopology())
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("%s: %w", r.GetTopology(), controller.ErrNoTopology)
	}
	if err != nil {
		return nil, failure(err)
	}
	page, next, err := paged(all, func(x controller.Revision) string { return fmt.Sprintf("%020d", 1<<62-x.Number) }, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	out := &api.ListRevisionsResponse{NextPageToken: next}
	for _, x := range page {
		out.Revisions = append(out.Revisions, revision(x))
	}
	return out, nil
}

func (s *intentService) RestoreRevision(ctx context.Context, r *api.RestoreRevisionRequest) (*api.RestoreRevisionResponse, error) {
	w, err := s.writing(ctx, r, r.ExpectedRevision, r.GetDryRun())
	if err != nil {
		return nil, err
	}
	out, err := s.Intents.Restore(ctx, r.GetTopology(), r.GetRevision(), w)
	if err != nil {
		return nil, failure(err)
	}
	return &api.RestoreRevisionResponse{Revision: revision(out.Revision), Changes: summary(out)}, nil
}

// expanded is what a revision intends; 0 is the newest.
func (s *intentService) expanded(ctx context.Context, name string, number int64) (*topology.Topology, int64, error) {
	in, err := s.Intents.At(ctx, name, number)
	if err != nil {
		return nil, 0, failure(err)
	}
	if in.Deleted {
		return nil, 0, status.Errorf(codes.NotFound, "%s: revision %d is its end, and says nothing; name an earlier one", name, in.Number)
	}
	topo, diags := in.Expand()
	if diags.HasErrors() {
		return nil, 0, failure(&controller.InvalidError{Diagnostics: diags})
	}
	return topo, in.Number, nil
}

func sources(files []*api.File) []topology.Source {
	out := make([]topology.Source, len(files))
	for i, f := range files {
		out[i] = topology.Source{Name: f.GetName(), Data: f.GetData()}
	}
	return out
}

func revision(r controller.Revision) *api.Revision {
	return &api.Revision{
		Topology: r.Topology, Number: r.Number, At: timestamppb.New(r.At), By: r.By, Message: r.Message, Hash: r.Hash,
		Restores: r.Restores, Commit: r.Commit, Deleted: r.Deleted,
	}
}

func summary(w *controller.Written) *api.ChangeSummary {
	out := &api.ChangeSummary{Devices: w.Devices, Added: w.Added, Removed: w.Removed}
	for _, c := range w.Changes {
		out.Resources = append(out.Resources, c.Name)
	}
	return out
}

// at is where a file says a resource.
func at(topo *topology.Topology, name string) string {
	if p := topo.At(name); p.File != "" {
		return p.String()
	}
	return ""
}

func resource(r controller.Resource, at string) *api.Resource {
	out := &api.Resource{Name: r.Name, At: at}
	switch v := r.Value.(type) {
	case *intent.Site:
		out.Value = &api.Resource_Site{Site: v}
	case *intent.Device:
		out.Value = &api.Resource_Device{Device: v}
	case *intent.Cable:
		out.Value = &api.Resource_Cable{Cable: v}
	case *intent.Tenant:
		out.Value = &api.Resource_Tenant{Tenant: v}
	case *intent.Segment:
		out.Value = &api.Resource_Segment{Segment: v}
	case *intent.Attachment:
		out.Value = &api.Resource_Attachment{Attachment: v}
	case *intent.Duct:
		out.Value = &api.Resource_Duct{Duct: v}
	case *intent.Line:
		out.Value = &api.Resource_Line{Line: v}
	case *intent.Dci:
		out.Value = &api.Resource_Dci{Dci: v}
	}
	return out
}

// valueOf is what a resource is; nil where it does not say.
func valueOf(r *api.Resource) proto.Message {
	m := r.ProtoReflect()
	if r == nil {
		return nil
	}
	field := m.WhichOneof(m.Descriptor().Oneofs().ByName("value"))
	if field == nil {
		return nil
	}
	return m.Get(field).Message().Interface()
}

// masked leaves only the fields of a mask in a message; none: all.
func masked(m proto.Message, mask *fieldmaskpb.FieldMask) error {
	if len(mask.GetPaths()) == 0 {
		return nil
	}
	out := m.ProtoReflect()
	keep := map[string]bool{}
	for _, path := range mask.GetPaths() {
		if out.Descriptor().Fields().ByTextName(path) == nil {
			return invalid(fmt.Sprintf("read_mask: %s has no field %q", out.Descriptor().Name(), path))
		}
		keep[path] = true
	}
	for i := range out.Descriptor().Fields().Len() {
		if f := out.Descriptor().Fields().Get(i); !keep[f.TextName()] {
			out.Clear(f)
		}
	}
	return nil
}
