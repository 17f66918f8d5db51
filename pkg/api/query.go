package api

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
	"google.golang.org/grpc"
)

// queryService implements loom.v1.QueryService.
type queryService struct {
	api.UnimplementedQueryServiceServer
	*Server
}

// asking is what all questions have in common.
type asking interface {
	GetTopology() string
	GetRevision() int64
	GetFiles() []*api.File
}

// subject is what a question is about: a revision, or files.
func subject(r asking) (controller.Subject, error) {
	switch {
	case r.GetTopology() == "" && len(r.GetFiles()) == 0:
		return controller.Subject{}, invalid("topology: none; name it, or send files")
	case r.GetRevision() < 0:
		return controller.Subject{}, invalid("revision: use the number of a revision, or 0 for the newest")
	case r.GetRevision() != 0 && len(r.GetFiles()) > 0:
		return controller.Subject{}, invalid("revision: not with files, which are of none")
	}
	of := controller.Subject{Topology: r.GetTopology(), Revision: r.GetRevision(), Files: sources(r.GetFiles())}
	if r, ok := r.(interface{ GetReleases() []string }); ok {
		for _, text := range r.GetReleases() {
			os, release, ok := strings.Cut(text, "=")
			if !ok || os == "" || release == "" {
				return of, invalid("releases: \"" + text + "\" is none; write them as \"srlinux=24.10\"")
			}
			if of.Releases == nil {
				of.Releases = map[string]string{}
			}
			of.Releases[os] = release
		}
	}
	return of, nil
}

func (s *queryService) Explain(ctx context.Context, r *api.ExplainRequest) (*api.ExplainResponse, error) {
	of, err := subject(r)
	if err != nil {
		return nil, err
	}
	found, err := s.Operations.Explain(ctx, of, r.GetDevice(), r.GetPath())
	if err != nil {
		return nil, failure(err)
	}
	out := &api.ExplainResponse{}
	for _, e := range found {
		out.Leaves = append(out.Leaves, &api.ExplainedLeaf{Path: e.Path, Value: e.Value, Cause: cause(e.Cause)})
	}
	return out, nil
}

func (s *queryService) Render(r *api.RenderRequest, to grpc.ServerStreamingServer[api.RenderResponse]) error {
	of, err := subject(r)
	if err != nil {
		return err
	}
	of.Drained = r.GetDrained()
	sight := s.sight(to.Context())
	return failure(s.Operations.Render(to.Context(), of, r.GetLimit(), func(x controller.Rendered) error {
		if len(of.Files) == 0 && !sight.device(x.Topology, x.Name, x.Site) {
			return nil
		}
		return to.Send(&api.RenderResponse{
			Device: x.Name, Json: x.JSON, Hash: x.Hash, Topology: x.Topology, Driver: x.Driver, Release: x.Release, Platform: x.Platform, Site: x.Site, Role: x.Role,
		})
	}))
}

func (s *queryService) Query(ctx context.Context, r *api.QueryRequest) (*api.QueryResponse, error) {
	of, err := subject(r)
	if err != nil {
		return nil, err
	}
	x, err := s.Operations.Query(ctx, of, r.GetKind(), r.GetLimit())
	if err != nil {
		return nil, failure(err)
	}
	rows := make([]map[string]string, len(x.Rows))
	for i, r := range x.Rows {
		rows[i] = map[string]string{}
		for j, h := range x.Header {
			rows[i][strings.ReplaceAll(h, " ", "_")] = r[j]
		}
	}
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(rows); err != nil {
		return nil, failure(err)
	}
	return &api.QueryResponse{Json: data.Bytes(), Columns: x.Header}, nil
}

func (s *queryService) GetOptics(ctx context.Context, r *api.GetOpticsRequest) (*api.GetOpticsResponse, error) {
	of, err := subject(r)
	if err != nil {
		return nil, err
	}
	light, err := s.Operations.Optics(ctx, of)
	if err != nil {
		return nil, failure(err)
	}
	out := &api.GetOpticsResponse{Topology: light.Topology, Lines: light.Lines}
	for _, c := range light.Channels {
		out.Channels = append(out.Channels, opticalChannel(c))
	}
	return out, nil
}

func opticalChannel(c controller.Channel) *api.OpticalChannel {
	out := &api.OpticalChannel{
		Name: c.Name, Dci: c.DCI, Lines: c.Lines, Mode: c.Mode, FrequencyMhz: c.Frequency, WidthMhz: c.Width, RateGbps: uint32(c.Rate), AskedDb: c.Asked,
		LimitedBy: c.Limit, GsnrDb: c.GSNR, ReceivedDbm: c.Power, DispersionPsNm: c.Dispersion, LatencyMs: c.Latency,
	}
	for _, m := range c.Margins {
		out.Margins = append(out.Margins, &api.OpticalMargin{State: m.State, MarginDb: m.DB})
		out.MarginDb = m.DB
	}
	return out
}

func (s *queryService) Validate(ctx context.Context, r *api.ValidateRequest) (*api.ValidateResponse, error) {
	of, err := subject(r)
	if err != nil {
		return nil, err
	}
	v, err := s.Operations.Validate(ctx, of)
	if err != nil {
		return nil, failure(err)
	}
	out := &api.ValidateResponse{
		Topology: v.Topology, Valid: !v.Diagnostics.HasErrors(), Devices: int32(v.Devices), Cables: int32(v.Cables), Tenants: int32(v.Tenants), Segments: int32(v.Segments), Leaves: int32(v.Leaves),
	}
	for _, d := range v.Diagnostics {
		out.Mistakes = append(out.Mistakes, mistake(d))
	}
	return out, nil
}
