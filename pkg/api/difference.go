package api

import (
	"context"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
)

func (s *intentService) DiffRevisions(ctx context.Context, r *api.DiffRevisionsRequest) (*api.DiffRevisionsResponse, error) {
	switch {
	case r.GetTopology() == "":
		return nil, invalid("topology: none; name it")
	case r.GetFrom() < 0 || r.GetTo() < 0:
		return nil, invalid("from, to: use numbers of revisions; 0 for the one before, and for the newest")
	}
	d, err := s.Operations.Diff(ctx, r.GetTopology(), r.GetFrom(), r.GetTo(), r.GetLimit())
	if err != nil {
		return nil, failure(err)
	}
	out := &api.DiffRevisionsResponse{To: revision(d.To)}
	if d.From.Number > 0 {
		out.From = revision(d.From)
	}
	for _, c := range d.Resources {
		out.Resources = append(out.Resources, resourceChange(c))
	}
	for _, x := range d.Devices {
		out.Devices = append(out.Devices, &api.DeviceChanges{Device: x.Device, Changes: changes(x.Changes)})
	}
	return out, nil
}

func resourceChange(c controller.ResourceChange) *api.ResourceChange {
	out := &api.ResourceChange{Operation: api.Operation_OPERATION_MODIFY}
	if c.Before != nil {
		out.Before = resource(controller.Resource{Name: c.Name, Value: c.Before}, "")
	} else {
		out.Operation = api.Operation_OPERATION_CREATE
	}
	if c.After != nil {
		out.After = resource(controller.Resource{Name: c.Name, Value: c.After}, "")
	} else {
		out.Operation = api.Operation_OPERATION_DELETE
	}
	return out
}
