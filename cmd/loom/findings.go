package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/spf13/cobra"
)

func findingsCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "findings [TOPOLOGY]",
		Short: "What is wrong, as the controller sees it",
		Long: `Lists what a controller (loom serve) finds that is not as designed, since when, and the line of the topology that asks
for it: what loom check finds, but of all devices, all the time, and without notices. What follows from something
else is counted below it; --all shows it too.

With --watch it goes on until it is interrupted, with what comes, changes and goes.`,
		Example: "  loom findings\n  loom findings demo --device leaf3 --all\n  loom findings --watch",
		Args:    cobra.MaximumNArgs(1),
	}
	watch := c.Flags().Bool("watch", false, "go on with what comes and goes")
	all := c.Flags().Bool("all", false, "what follows from others, too")
	device := c.Flags().String("device", "", "only of this `DEVICE`")
	kinds := c.Flags().StringSlice("kind", nil, "only these `KINDS`, such as device-unreachable, drift, cable, session-down, margin")
	after := c.Flags().String("after", "", "with --watch: only what came and went behind this `TOKEN`")
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		topology := ""
		if len(args) > 0 {
			topology = args[0]
		}
		events := api.NewEventServiceClient(there)
		if *watch {
			if *device != "" || len(*kinds) > 0 {
				return errors.New("--watch: of a topology, or of all; leave --device and --kind out")
			}
			return t.watchFindings(ctx, events, &api.WatchFindingsRequest{Topology: topology, ResumeToken: *after}, format)
		}
		if *after != "" {
			return errors.New("--after: only with --watch")
		}
		found := &api.ListFindingsResponse{}
		for r := (&api.ListFindingsRequest{Topology: topology, Device: *device, Kinds: *kinds, PageSize: 1000}); ; {
			m, err := events.ListFindings(ctx, r)
			if err != nil {
				return err
			}
			found.Findings, found.ResumeToken = append(found.Findings, m.GetFindings()...), m.GetResumeToken()
			if r.PageToken = m.GetNextPageToken(); r.PageToken == "" {
				break
			}
		}
		if format == "json" {
			return t.message(found)
		}
		t.findings(found.GetFindings(), *all)
		return nil
	})
}

// findings prints findings like mistakes of a topology, those that nothing explains, with how much they explain.
func (t *terminal) findings(list []*api.Finding, all bool) {
	listed, follow := map[string]bool{}, 0
	for _, f := range list {
		listed[f.GetTopology()+"/"+f.GetId()] = true
	}
	for _, f := range list {
		explained := false
		for _, cause := range f.GetCauses() {
			explained = explained || listed[f.GetTopology()+"/"+cause]
		}
		if explained {
			follow++
		}
		if all || !explained {
			t.printf("%s\n", findingText(f))
		}
	}
	switch {
	case len(list) == 0:
		t.printf("nothing is wrong\n")
	case follow > 0:
		t.printf("%s, %d more follow from %s\n", sizes(len(list)-follow, "finding"), follow, map[bool]string{true: "it", false: "them"}[len(list)-follow == 1])
	default:
		t.printf("%s\n", sizes(len(list), "finding"))
	}
}

// findingText is a finding in a line.
func findingText(f *api.Finding) string {
	out := ""
	if f.GetAt() != "" {
		out = f.GetAt() + ": "
	}
	return fmt.Sprintf("%s%s: %s: %s (since %s)", out, strings.ToLower(strings.TrimPrefix(f.GetSeverity().String(), "SEVERITY_")),
		f.GetTopology(), f.GetMessage(), f.GetSince().AsTime().Local().Format(time.DateTime))
}

func (t *terminal) watchFindings(ctx context.Context, events api.EventServiceClient, r *api.WatchFindingsRequest, format string) error {
	stream, err := events.WatchFindings(ctx, r)
	if err != nil {
		return err
	}
	for {
		m, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF) || ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case format == "json":
			if err := t.message(m); err != nil {
				return err
			}
		case m.GetGone():
			t.printf("over: %s: %s of %s\n", m.GetFinding().GetTopology(), m.GetFinding().GetKind(), m.GetFinding().GetObject())
		case m.GetFinding() != nil:
			t.printf("%s\n", findingText(m.GetFinding()))
		}
	}
}
