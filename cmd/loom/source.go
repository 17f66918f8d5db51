package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"
)

func sourceCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "source",
		Short: "Git repositories and directories that the controller follows",
		Long: `A controller (loom serve) follows Git repositories and directories of its host: what a new commit says is put as a revision,
planned, and applied where the policy of the source says so. What becomes of each commit is kept.

  seen        it was found
  invalid     it is no topology; each mistake has its line, and nothing is put
  unchanged   what it says is intended already
  put         it is a revision, and not planned yet
  planned     it waits for somebody to apply it
  waiting     the same, as something has to be approved, or for something to be over
  applying    a transaction changes devices
  applied     devices have it
  failed      its transaction did; loom source sync tries again
  superseded  something newer came before it was applied`,
		Example: `  loom source put lab git@git.example.net:net/lab.git --revision main --path topologies
  loom source put dir /srv/topologies --policy auto --allow renumber --max-devices 4
  loom source list
  loom source show lab
  loom source sync lab`,
	}
	c.AddCommand(sourcePut(t), sourceList(t), sourceShow(t), sourceSync(t), sourceDelete(t))
	return group(c)
}

func sourcePut(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "put NAME LOCATION",
		Short: "Follow a Git repository or a directory, or follow it differently",
		Long: `LOCATION is a Git repository (https, ssh, user@host:path or an absolute path), of which --revision is followed, or else a
directory of the controller's host. git proves who it is as it does for the user of the controller, by its key or credential
helper: passwords are not kept here.

With --policy manual (the default) changes are put and planned, and people apply them: loom intent apply. With --policy auto
they are applied, by a transaction with its gates, unless the plan has risks that --allow does not name, changes more than
--max-devices, or takes over a device that holds something else: then it waits.`,
		Example: `  loom source put lab git@git.example.net:net/lab.git --revision main --path topologies
  loom source put dir /srv/topologies --policy auto --allow renumber --max-devices 4`,
		Args: cobra.ExactArgs(2),
	}
	revision := c.Flags().String("revision", "", "follow this `BRANCH`, tag or commit of a Git repository")
	path := c.Flags().String("path", "", "`PATH` of the topology files in it: a file, or a directory whose *.yaml are read (default: the *.yaml at the top)")
	policy := c.Flags().String("policy", string(controller.ApplyManual), "what becomes of a change: `manual` or auto")
	allow := c.Flags().StringSlice("allow", nil, "with --policy auto: apply these `CLASSES` of risks without approval")
	most := c.Flags().Int("max-devices", controller.DefaultChange, "with --policy auto: wait for approval of many-devices where more `DEVICES` change")
	interval := c.Flags().Duration("interval", controller.DefaultInterval, "`TIME` between two looks")
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		policies := map[string]api.ApplyPolicy{string(controller.ApplyManual): api.ApplyPolicy_APPLY_POLICY_MANUAL, string(controller.ApplyAuto): api.ApplyPolicy_APPLY_POLICY_AUTO}
		p, known := policies[*policy]
		if !known {
			return fmt.Errorf("--policy %s: use %s or %s", *policy, controller.ApplyManual, controller.ApplyAuto)
		}
		if p != api.ApplyPolicy_APPLY_POLICY_AUTO && (len(*allow) > 0 || c.Flags().Changed("max-devices")) {
			return errors.New("--allow, --max-devices: only with --policy auto")
		}
		if *most < 1 {
			return fmt.Errorf("--max-devices %d: use a number of devices", *most)
		}
		m, err := api.NewSourceServiceClient(there).PutSource(ctx, &api.PutSourceRequest{Source: &api.Source{
			Name: args[0], Location: locationOf(args[1]), Revision: *revision, Path: *path, Policy: p, AllowedRisks: *allow, MaxDevices: int32(*most), Interval: durationpb.New(*interval),
		}})
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m.GetSource())
		}
		t.printf("source %s follows %s\n", m.GetSource().GetName(), followedText(m.GetSource()))
		return nil
	})
}

// locationOf is a location as the controller has it: of a directory that is named from here, the whole path.
func locationOf(arg string) string {
	if info, err := os.Stat(arg); err == nil && info.IsDir() {
		if abs, err := filepath.Abs(arg); err == nil {
			return abs
		}
	}
	return arg
}

// followedText is what a source follows.
func followedText(s *api.Source) string {
	out := []string{s.GetLocation(), s.GetRevision(), s.GetPath()}
	return strings.Join(slices.DeleteFunc(out, func(p string) bool { return p == "" }), " ")
}

func policyText(s *api.Source) string {
	if s.GetPolicy() != api.ApplyPolicy_APPLY_POLICY_AUTO {
		return string(controller.ApplyManual)
	}
	out := fmt.Sprintf("%s up to %s", controller.ApplyAuto, sizes(int(s.GetMaxDevices()), "device"))
	if len(s.GetAllowedRisks()) > 0 {
		out += " with " + strings.Join(s.GetAllowedRisks(), ", ")
	}
	return out
}

func sourceList(t *terminal) *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "What is followed, and how far", Args: cobra.NoArgs, Long: "Lists what is followed, and what has become of the newest commit of each.", Example: "  loom source list\n  loom source list --format json"}
	return t.asking(c, func(ctx context.Context, there *client, format string, _ []string) error {
		all := &api.ListSourcesResponse{}
		for r := (&api.ListSourcesRequest{PageSize: 1000}); ; {
			m, err := api.NewSourceServiceClient(there).ListSources(ctx, r)
			if err != nil {
				return err
			}
			all.Sources = append(all.Sources, m.GetSources()...)
			if r.PageToken = m.GetNextPageToken(); r.PageToken == "" {
				break
			}
		}
		if format == "json" {
			return t.message(all)
		}
		var rows [][]string
		for _, s := range all.GetSources() {
			rows = append(rows, []string{s.GetName(), orDash(s.GetStatus().GetTopology()), shortCommit(s.GetStatus().GetCommit()), s.GetStatus().GetState(), firstLine(s.GetStatus().GetReason())})
		}
		return t.table("SOURCE\tTOPOLOGY\tCOMMIT\tSTATE\tWHY", rows)
	})
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func shortCommit(id string) string { return orDash(id[:min(len(id), 10)]) }

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func sourceShow(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "show NAME", Short: "A source, and what has become of its commits", Args: one("a source"),
		Long:    "Shows what a source follows, where it stands, and its last commits with what has become of them; of an invalid one each\nmistake with its place.",
		Example: "  loom source show lab\n  loom source show lab --commits 100 --format json",
	}
	most := c.Flags().Int("commits", 10, "the last `N` commits")
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		sources := api.NewSourceServiceClient(there)
		m, err := sources.GetSource(ctx, &api.GetSourceRequest{Name: args[0]})
		if err != nil {
			return err
		}
		if *most < 1 || *most > 1000 {
			return fmt.Errorf("--commits %d: use 1 to 1000", *most)
		}
		list, err := sources.ListCommits(ctx, &api.ListCommitsRequest{Source: args[0], PageSize: int32(*most)})
		if err != nil {
			return err
		}
		if format == "json" {
			return t.sourceJSON(m.GetSource(), list.GetCommits())
		}
		t.source(m.GetSource(), list.GetCommits())
		return nil
	})
}

// sourceJSON prints a source and its commits as one document.
func (t *terminal) sourceJSON(s *api.Source, commits []*api.Commit) error {
	how := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}
	source, err := how.Marshal(s)
	list := make([]jsonText, len(commits))
	for i, c := range commits {
		data, e := how.Marshal(c)
		list[i], err = data, errors.Join(err, e)
	}
	if err != nil {
		return err
	}
	return t.json(struct {
		Source  jsonText   `json:"source"`
		Commits []jsonText `json:"commits"`
	}{source, list})
}

// source prints where a source stands, and its commits.
func (t *terminal) source(s *api.Source, commits []*api.Commit) {
	t.printf("%s: %s\n", s.GetName(), followedText(s))
	t.printf("policy    %s, every %s\n", policyText(s), s.GetInterval().AsDuration())
	status := s.GetStatus()
	state := status.GetState()
	if status.GetSince() != nil {
		state += " since " + status.GetSince().AsTime().Local().Format(time.DateTime)
	}
	t.printf("state     %s\n", state)
	for _, line := range []struct{ name, text string }{{"why", status.GetReason()}, {"topology", status.GetTopology()}} {
		if line.text != "" {
			t.printf("%-9s %s\n", line.name, line.text)
		}
	}
	if status.GetAt() != nil {
		t.printf("looked    %s\n", status.GetAt().AsTime().Local().Format(time.DateTime))
	}
	for _, c := range commits {
		t.commit(c)
	}
}

// commit prints what has become of a commit.
func (t *terminal) commit(c *api.Commit) {
	t.printf("\ncommit %s %s\n", shortCommit(c.GetCommit()), c.GetSubject())
	state := c.GetState()
	if c.GetReason() != "" && len(c.GetMistakes()) == 0 {
		state += ": " + c.GetReason()
	}
	t.printf("  %s\n", state)
	for _, m := range c.GetMistakes() {
		t.printf("  %s\n", strings.ReplaceAll(diagnostic(m).String(), "\n", "\n  "))
	}
	about := []struct{ name, text string }{
		{"revision", strconv.FormatInt(c.GetRevision(), 10)}, {"plan", c.GetPlan()}, {"approve", strings.Join(c.GetRisks(), ", ")}, {"transaction", c.GetTransaction()},
	}
	for _, a := range about {
		if a.text != "" && a.text != "0" {
			t.printf("  %-11s %s\n", a.name, a.text)
		}
	}
}

func sourceSync(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "sync NAME", Short: "Look at a source now, and try again what was put aside", Args: one("a source"),
		Long: `Looks at a source now, and plans again what waits or has failed. It returns when the newest commit is planned; a transaction
goes on behind it (loom source show, loom transactions watch).

With --overwrite a history that was rewritten (git push --force) is followed from then on, and what others have put since
this source has is replaced.

Exit code: 0 it was looked at, 1 it cannot be read, was rewritten, is invalid, or has failed.`,
		Example: "  loom source sync lab\n  loom source sync lab --overwrite",
	}
	overwrite := c.Flags().Bool("overwrite", false, "follow a history that was rewritten, and replace what others have put")
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		sources := api.NewSourceServiceClient(there)
		m, err := sources.SyncSource(ctx, &api.SyncSourceRequest{Name: args[0], Overwrite: *overwrite})
		if err != nil {
			return err
		}
		if format == "json" {
			err = t.message(m.GetSource())
		} else {
			list, e := sources.ListCommits(ctx, &api.ListCommitsRequest{Source: args[0], PageSize: 1})
			t.source(m.GetSource(), list.GetCommits())
			err = e
		}
		if err != nil {
			return err
		}
		switch state := m.GetSource().GetStatus().GetState(); state {
		case string(controller.Away), string(controller.Rewritten), string(controller.CommitInvalid), string(controller.CommitFailed):
			return fmt.Errorf("source %s: %s", args[0], state)
		}
		return nil
	})
}

func sourceDelete(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "delete NAME", Short: "Follow a source no more", Args: one("a source"),
		Long: "Stops following a source, and forgets its commits. The topology that it has put stays, and devices keep what they have.", Example: "  loom source delete lab",
	}
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		m, err := api.NewSourceServiceClient(there).DeleteSource(ctx, &api.DeleteSourceRequest{Name: args[0]})
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m)
		}
		t.printf("source %s is not followed any more\n", args[0])
		return nil
	})
}
