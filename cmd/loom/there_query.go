package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/spf13/cobra"
)

// question are the flags of a command that computes an answer in this process, or has a controller compute it.
type question struct {
	server, topology *string
	revision         *int64
}

func questionFlags(c *cobra.Command) *question {
	return &question{
		serverFlag(c), c.Flags().String("topology", "", "with --server and without files: the `NAME` of a topology that the controller keeps (default: the only one)"),
		c.Flags().Int64("revision", 0, "with --topology: the `NUMBER` of its revision (default: the newest)"),
	}
}

// there tells whether a controller is asked.
func (q *question) there() (bool, error) {
	if *q.server == "" && (*q.topology != "" || *q.revision != 0) {
		return false, errors.New("--topology and --revision: with --server, which says who keeps them")
	}
	return *q.server != "", nil
}

// ask asks a controller about files, or about what it keeps.
func (q *question) ask(ctx context.Context, paths []string, releases map[string]string, do func(there *client, of controller.Subject) error) error {
	of := controller.Subject{Topology: *q.topology, Revision: *q.revision, Releases: releases}
	switch {
	case of.Revision < 0:
		return fmt.Errorf("--revision %d: use a number that loom intent history shows", of.Revision)
	case len(paths) > 0 && (of.Topology != "" || of.Revision != 0):
		return errors.New("--topology and --revision: not with files; leave out one or the other")
	case len(paths) > 0:
		var err error
		if of.Files, err = sources(paths); err != nil {
			return err
		}
	}
	there, err := reach(*q.server)
	if err != nil {
		return err
	}
	defer there.Close()
	if len(paths) == 0 && of.Topology == "" {
		if of.Topology, err = there.only(ctx); err != nil {
			return there.failed(err)
		}
	}
	return there.failed(do(there, of))
}

// only is the topology of a controller that keeps one.
func (c *client) only(ctx context.Context) (string, error) {
	all, err := api.NewIntentServiceClient(c).ListTopologies(ctx, &api.ListTopologiesRequest{PageSize: 1000})
	if err != nil {
		return "", err
	}
	var names []string
	for _, r := range all.GetRevisions() {
		names = append(names, r.GetTopology())
	}
	switch len(names) {
	case 0:
		return "", errors.New("the controller keeps no topology yet; name files, or put some with loom intent put")
	case 1:
		return names[0], nil
	}
	return "", fmt.Errorf("the controller keeps %s; name one of them with --topology", strings.Join(names, ", "))
}

// releasesOf are the releases of a question as they are sent.
func releasesOf(of controller.Subject) []string {
	var out []string
	for _, os := range sortedKeys(of.Releases) {
		out = append(out, os+"="+of.Releases[os])
	}
	return out
}

func (c *client) explain(ctx context.Context, of controller.Subject, device, path string) ([]explanation, error) {
	m, err := api.NewQueryServiceClient(c).Explain(ctx, &api.ExplainRequest{Topology: of.Topology, Revision: of.Revision, Files: filesOf(of.Files), Device: device, Path: path, Releases: releasesOf(of)})
	var out []explanation
	for _, l := range m.GetLeaves() {
		out = append(out, explanation{device, l.GetPath(), l.GetValue(), l.GetCause().GetResource(), l.GetCause().GetRule(), l.GetCause().GetAt()})
	}
	return out, err
}

func (c *client) query(ctx context.Context, of controller.Subject, what, limit string) (table, error) {
	m, err := api.NewQueryServiceClient(c).Query(ctx, &api.QueryRequest{Topology: of.Topology, Revision: of.Revision, Files: filesOf(of.Files), Kind: what, Limit: limit, Releases: releasesOf(of)})
	if err != nil {
		return table{}, err
	}
	var rows []map[string]string
	if err := json.Unmarshal(m.GetJson(), &rows); err != nil {
		return table{}, fmt.Errorf("the answer of the controller: %w", err)
	}
	out := table{header: m.GetColumns()}
	for _, r := range rows {
		var row []string
		for _, h := range out.header {
			row = append(row, r[strings.ReplaceAll(h, " ", "_")])
		}
		out.rows = append(out.rows, row)
	}
	return out, nil
}

// documents are the configurations of devices.
func (c *client) documents(ctx context.Context, of controller.Subject, limit string) (*renderings, error) {
	all, err := c.query(ctx, of, "devices", "")
	if err != nil {
		return nil, err
	}
	out := &renderings{topology: of.Topology}
	for _, r := range all.rows {
		out.order = append(out.order, r[0])
	}
	out.each = func(do func(rendered, []byte) error) error {
		stream, err := api.NewQueryServiceClient(c).Render(ctx, &api.RenderRequest{Topology: of.Topology, Revision: of.Revision, Files: filesOf(of.Files), Limit: limit, Releases: releasesOf(of), Drained: of.Drained})
		if err != nil {
			return err
		}
		for {
			m, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			out.topology = m.GetTopology()
			x := rendered{m.GetDevice(), m.GetDriver(), m.GetRelease(), m.GetPlatform(), m.GetSite(), m.GetRole(), m.GetDevice() + ".json"}
			if err := do(x, m.GetJson()); err != nil {
				return err
			}
		}
	}
	return out, nil
}

func (c *client) light(ctx context.Context, of controller.Subject) (controller.Light, error) {
	m, err := api.NewQueryServiceClient(c).GetOptics(ctx, &api.GetOpticsRequest{Topology: of.Topology, Revision: of.Revision, Files: filesOf(of.Files), Releases: releasesOf(of)})
	out := controller.Light{Topology: m.GetTopology(), Lines: m.GetLines()}
	for _, x := range m.GetChannels() {
		one := controller.Channel{
			Name: x.GetName(), DCI: x.GetDci(), Lines: x.GetLines(), Mode: x.GetMode(), Frequency: x.GetFrequencyMhz(), Width: x.GetWidthMhz(), Rate: int(x.GetRateGbps()), Asked: x.GetAskedDb(),
			Limit: x.GetLimitedBy(), GSNR: x.GetGsnrDb(), Power: x.GetReceivedDbm(), Dispersion: x.GetDispersionPsNm(), Latency: x.GetLatencyMs(),
		}
		for _, m := range x.GetMargins() {
			one.Margins = append(one.Margins, controller.Margin{State: m.GetState(), DB: m.GetMarginDb()})
		}
		out.Channels = append(out.Channels, one)
	}
	return out, err
}

func (c *client) validate(ctx context.Context, of controller.Subject) (controller.Validation, error) {
	m, err := api.NewQueryServiceClient(c).Validate(ctx, &api.ValidateRequest{Topology: of.Topology, Revision: of.Revision, Files: filesOf(of.Files)})
	out := controller.Validation{
		Topology: m.GetTopology(), Devices: int(m.GetDevices()), Cables: int(m.GetCables()), Tenants: int(m.GetTenants()), Segments: int(m.GetSegments()), Leaves: int(m.GetLeaves()),
	}
	for _, x := range m.GetMistakes() {
		out.Diagnostics = append(out.Diagnostics, diagnostic(x))
	}
	return out, err
}

// sayDiagnostics makes an error of mistakes, and tells of warnings.
func sayDiagnostics(t *terminal, diags topology.Diagnostics) error {
	if diags.HasErrors() {
		return invalid(diags)
	}
	for _, d := range diags {
		t.notef("%s\n", d)
	}
	return nil
}
