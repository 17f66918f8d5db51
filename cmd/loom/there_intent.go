package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
)

func intentGet(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "get TOPOLOGY", Short: "Print what is intended, or write its files", Args: one("a topology"),
		Long: `Prints what a topology intends in the expanded form (loom fmt --expand), with the resources that were put after its files.
With -o the files are written as they were put; names of directories are left out.`,
		Example: "  loom intent get demo > all.yaml\n  loom intent get demo --revision 3 -o old",
	}
	revision := c.Flags().Int64("revision", 0, "`NUMBER` of the revision (default: the newest)")
	dir := c.Flags().StringP("output", "o", "", "`DIR` to write the files to; made if absent")
	_ = c.MarkFlagDirname("output")
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		m, err := api.NewIntentServiceClient(there).GetTopology(ctx, &api.GetTopologyRequest{Topology: args[0], Revision: *revision})
		switch {
		case err != nil:
			return err
		case m.GetIntent() == nil:
			return fmt.Errorf("%s: revision %d is its end, and says nothing; name an earlier one", args[0], m.GetRevision().GetNumber())
		case *dir != "":
			return writeTopology(t, *dir, m)
		case format == "json":
			return t.message(m)
		}
		_, err = t.out.Write(topology.Expand(topology.New(m.GetIntent())))
		return err
	})
}

// writeTopology writes the files of a topology. Where they do not say all, it says so.
func writeTopology(t *terminal, dir string, m *api.GetTopologyResponse) error {
	byName := map[string]*api.File{}
	var srcs []topology.Source
	for _, f := range m.GetFiles() {
		name := filepath.Base(filepath.FromSlash(f.GetName()))
		if byName[name] != nil || name == "." || name == ".." || name == string(filepath.Separator) {
			return fmt.Errorf("%s and another file have the same name without their directories; use --format json, which has both", f.GetName())
		}
		byName[name] = f
		srcs = append(srcs, topology.Source{Name: f.GetName(), Data: f.GetData()})
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range sortedKeys(byName) {
		if err := writeFile(filepath.Join(dir, name), byName[name].GetData()); err != nil {
			return err
		}
	}
	t.printf("%s: revision %d: %s in %s\n", m.GetRevision().GetTopology(), m.GetRevision().GetNumber(), sizes(len(byName), "file"), dir)
	topo, diags := topology.Parse(srcs...)
	if n := len(controller.Compare(topo.Intent, m.GetIntent())); diags.HasErrors() || n > 0 {
		t.notef("loom: %s put or deleted since are not in the files; without -o the whole is printed\n", sizes(n, "resource"))
	}
	return nil
}

func intentDiff(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "diff TOPOLOGY [FROM [TO]]", Short: "What two revisions make different, in what is intended and on devices", Args: cobra.RangeArgs(1, 3),
		Long: `Compares two revisions: the newest (TO) with the one before (FROM), unless others are named. Shown are the resources that
differ, and each change of a device's configuration with what asks for it. No device is asked: loom plan tells what devices
have.`,
		Example: "  loom intent diff demo\n  loom intent diff demo 3 7 --limit leaves",
	}
	limit, all := limitFlag(c), c.Flags().Bool("all", false, "show every line of large changes")
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		r := &api.DiffRevisionsRequest{Topology: args[0], Limit: *limit}
		for i, to := range []*int64{&r.From, &r.To}[:len(args)-1] {
			n, err := strconv.ParseInt(args[i+1], 10, 64)
			if err != nil || n < 1 {
				return fmt.Errorf("%s: no revision; use a number that loom intent history shows", args[i+1])
			}
			*to = n
		}
		m, err := api.NewIntentServiceClient(there).DiffRevisions(ctx, r)
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m)
		}
		t.difference(m, *all)
		return nil
	})
}

var opWords = map[api.Operation]string{
	api.Operation_OPERATION_CREATE: "create", api.Operation_OPERATION_DELETE: "delete", api.Operation_OPERATION_MODIFY: "modify", api.Operation_OPERATION_REORDER: "reorder",
}

// difference shows what two revisions make different.
func (t *terminal) difference(m *api.DiffRevisionsResponse, all bool) {
	name, from, to := m.GetTo().GetTopology(), m.GetFrom().GetNumber(), m.GetTo().GetNumber()
	if len(m.GetResources())+len(m.GetDevices()) == 0 {
		t.printf("%s: revisions %d and %d intend the same\n", name, from, to)
		return
	}
	t.printf("%s: from revision %d to %d\n", name, from, to)
	for _, c := range m.GetResources() {
		of := c.GetAfter()
		if of == nil {
			of = c.GetBefore()
		}
		t.printf("  %s  %s\n", opWords[c.GetOperation()], of.GetName())
	}
	for _, d := range m.GetDevices() {
		t.printf("%s: %s\n", d.GetDevice(), sizes(len(d.GetChanges()), "change"))
		for i, c := range d.GetChanges() {
			if i == maxLines && !all {
				t.printf("  ... and %d more: --all shows them\n", len(d.GetChanges())-i)
				break
			}
			t.printf("  %s%s\n", changeText(c), because(c.GetCause()))
		}
	}
}

func changeText(c *api.Change) string {
	value := func(mark, path, value string) string {
		if value == "" {
			return mark + " " + path
		}
		return mark + " " + path + " = " + value
	}
	switch c.GetOperation() {
	case api.Operation_OPERATION_CREATE:
		return value("+", c.GetPath(), c.GetNew())
	case api.Operation_OPERATION_DELETE:
		return value("-", c.GetPath(), c.GetOld())
	}
	return fmt.Sprintf("~ %s = %s -> %s", c.GetPath(), c.GetOld(), c.GetNew())
}

func because(c *api.Cause) string {
	if c.GetResource() == "" {
		return ""
	}
	return "  (" + strings.TrimSpace(c.GetResource()+" "+c.GetAt()) + ")"
}

func intentResource(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "resource",
		Short: "Single resources of what is intended",
		Long: `A topology is made of resources, which have names: tenants/red/segments/web, sites/bj/devices/bj-leaf3,
cables/leaf1:ethernet-1/49. One of them can be read, put and deleted by itself: each write makes a revision, all or nothing.

A resource is written as JSON or YAML, as get prints it:

  {"name": "tenants/red/segments/web", "segment": {"name": "web", "number": 10, "mtu": 1400}}`,
		Example: "  loom intent resource list demo tenants/\n  loom intent resource get demo tenants/red/segments/web > web.json\n  loom intent resource put demo web.json\n  loom intent resource delete demo tenants/red/segments/web",
	}
	c.AddCommand(resourceList(t), resourceGet(t), resourcePut(t), resourceDelete(t))
	return group(c)
}

func resourceList(t *terminal) *cobra.Command {
	c := &cobra.Command{Use: "list TOPOLOGY [PREFIX]", Short: "The names of resources, and where files say them", Args: cobra.RangeArgs(1, 2)}
	revision := c.Flags().Int64("revision", 0, "`NUMBER` of the revision (default: the newest)")
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		r, all := &api.ListResourcesRequest{Topology: args[0], Revision: *revision, PageSize: 1000}, &api.ListResourcesResponse{}
		if len(args) > 1 {
			r.Prefix = args[1]
		}
		for {
			m, err := api.NewIntentServiceClient(there).ListResources(ctx, r)
			if err != nil {
				return err
			}
			all.Resources, all.Revision = append(all.Resources, m.GetResources()...), m.GetRevision()
			if r.PageToken, r.Revision = m.GetNextPageToken(), m.GetRevision(); r.PageToken == "" {
				break
			}
		}
		if format == "json" {
			return t.message(all)
		}
		var rows [][]string
		for _, x := range all.GetResources() {
			rows = append(rows, []string{x.GetName(), x.GetAt()})
		}
		return t.table("RESOURCE\tAT", rows)
	})
}

func resourceGet(t *terminal) *cobra.Command {
	c := &cobra.Command{Use: "get TOPOLOGY NAME", Short: "One resource, as put reads it", Args: cobra.ExactArgs(2)}
	name, revision := contextFlag(c), c.Flags().Int64("revision", 0, "`NUMBER` of the revision (default: the newest)")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		there, err := reach(*name)
		if err != nil {
			return err
		}
		defer there.Close()
		m, err := api.NewIntentServiceClient(there).GetResource(cmd.Context(), &api.GetResourceRequest{Topology: args[0], Name: args[1], Revision: *revision})
		if err != nil {
			return there.failed(err)
		}
		data, err := resourceText.Marshal(m.GetResource())
		if err != nil {
			return err
		}
		return t.json(jsonText(data))
	}
	return c
}

func resourcePut(t *terminal) *cobra.Command {
	c := &cobra.Command{Use: "put TOPOLOGY FILE", Short: "Add or replace one resource; - reads standard input", Args: cobra.ExactArgs(2)}
	w := writeFlags(c)
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		data, err := readFile(t, args[1])
		if err != nil {
			return err
		}
		r := &api.PutResourceRequest{Topology: args[0], Resource: &api.Resource{}, ExpectedRevision: w.expected(), DryRun: *w.dry, Message: *w.message}
		if data, err = topology.JSON(data); err == nil {
			err = resourceForm.Unmarshal(data, r.Resource)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", args[1], err)
		}
		m, err := api.NewIntentServiceClient(there).PutResource(ctx, r)
		if err != nil {
			return err
		}
		if err := sayDiagnostics(t, diagnostics(m.GetWarnings())); err != nil {
			return err
		}
		if format == "json" {
			return t.message(m)
		}
		t.written(m.GetRevision(), m.GetChanges(), *w.dry)
		return nil
	})
}

func resourceDelete(t *terminal) *cobra.Command {
	c := &cobra.Command{Use: "delete TOPOLOGY NAME", Short: "Take one resource out", Args: cobra.ExactArgs(2)}
	w := writeFlags(c)
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		m, err := api.NewIntentServiceClient(there).DeleteResource(ctx, &api.DeleteResourceRequest{
			Topology: args[0], Name: args[1], ExpectedRevision: w.expected(), DryRun: *w.dry, Message: *w.message,
		})
		if err != nil {
			return err
		}
		if err := sayDiagnostics(t, diagnostics(m.GetWarnings())); err != nil {
			return err
		}
		if format == "json" {
			return t.message(m)
		}
		t.written(m.GetRevision(), m.GetChanges(), *w.dry)
		return nil
	})
}

// writeFlagSet are the flags of a command that writes what is intended.
type writeFlagSet struct {
	message *string
	expect  *int64
	dry     *bool
}

func writeFlags(c *cobra.Command) *writeFlagSet {
	return &writeFlagSet{
		c.Flags().StringP("message", "m", "", "`WHY`, for those who read the history"),
		c.Flags().Int64("expect", -1, "only if this `REVISION` is the newest; 0: only if there is none of the name"),
		c.Flags().Bool("dry-run", false, "only say what would come of it"),
	}
}

func (w *writeFlagSet) expected() *int64 {
	if *w.expect < 0 {
		return nil
	}
	return w.expect
}

// written says what came of a write.
func (t *terminal) written(r *api.Revision, s *api.ChangeSummary, dry bool) {
	differs := sizes(len(s.GetResources()), "resource")
	if dry {
		t.printf("%s: %s would be different\n", r.GetTopology(), differs)
	} else {
		t.printf("%s: revision %d (%s different)\n", r.GetTopology(), r.GetNumber(), differs)
	}
	for _, x := range []struct {
		names []string
		what  string
	}{{s.GetDevices(), "to change"}, {s.GetAdded(), "new"}, {s.GetRemoved(), "gone, and left as they are"}} {
		if len(x.names) > 0 {
			t.printf("  %s %s: %s\n", sizes(len(x.names), "device"), x.what, list(x.names))
		}
	}
}

func diagnostics(all []*api.Mistake) topology.Diagnostics {
	var out topology.Diagnostics
	for _, m := range all {
		out = append(out, diagnostic(m))
	}
	return out
}

// A resource as files say it.
var (
	resourceText = protojson.MarshalOptions{UseProtoNames: true}
	resourceForm = protojson.UnmarshalOptions{}
)
