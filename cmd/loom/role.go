package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func roleCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "role",
		Short: "Who may do what with a controller",
		Long: `A controller (loom serve) allows nobody anything, but by a role: viewer, planner, operator, approver, admin, or break-glass.
A binding gives one to a subject, of everything or of some topologies, sites and tenants:

  certificate:ann      who has a certificate of that name; the kind may be left out
  unit:netops          who has a certificate with that organizational unit, or organization
  token:SUBJECT        who has a token of that subject (loom serve --oidc-issuer)
  group:netops         who has a token that names that group

docs/roles.md has the permissions of each role, and what each call takes.`,
		Example: `  loom role bind ann operator --topology demo --site bj --why 'on call this week' --for 168h
  loom role bind group:netops viewer
  loom role bind unit:web-team planner --tenant red
  loom role list
  loom role unbind 20261123-082849.450-a8f7e1
  loom role whoami`,
	}
	c.AddCommand(roleBindCommand(t), roleUnbindCommand(t), roleListCommand(t), roleWhoCommand(t))
	return group(c)
}

func roleBindCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "bind SUBJECT ROLE", Short: "Give somebody a role", Args: cobra.ExactArgs(2),
		Example:           "  loom role bind ann operator --topology demo --site bj --for 8h --why 'fibre work'",
		ValidArgsFunction: cobra.FixedCompletions(auth.RoleNames(), cobra.ShellCompDirectiveNoFileComp),
	}
	var scope api.BindingScope
	c.Flags().StringSliceVar(&scope.Topologies, "topology", nil, "only of these `TOPOLOGIES`")
	c.Flags().StringSliceVar(&scope.Sites, "site", nil, "only of what is in these `SITES`")
	c.Flags().StringSliceVar(&scope.Tenants, "tenant", nil, "only of what is of these `TENANTS`")
	id := c.Flags().String("id", "", "`ID` of the binding; one of that id is replaced (default: a new one)")
	span := c.Flags().Duration("for", 0, "`TIME` after which it is over (default: until loom role unbind)")
	why := c.Flags().String("why", "", "`TEXT` that lists show with it")
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		subject, err := auth.ParseSubject(args[0])
		if err != nil {
			return err
		}
		if *span < 0 {
			return fmt.Errorf("--for %s: use a time such as 8h", *span)
		}
		b := &api.Binding{Id: *id, Subject: string(subject), Role: args[1], Scope: &scope, Reason: *why}
		if *span > 0 {
			b.Until = timestamppb.New(time.Now().Add(*span))
		}
		m, err := api.NewAccessServiceClient(there).PutBinding(ctx, &api.PutBindingRequest{Binding: b})
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m.GetBinding())
		}
		t.printf("%s: %s\n", m.GetBinding().GetId(), bindingLine(m.GetBinding()))
		return nil
	})
}

func roleUnbindCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{Use: "unbind ID...", Short: "Take roles back, by the ids of their bindings", Args: cobra.MinimumNArgs(1), Example: "  loom role unbind 20261123-082849.450-a8f7e1"}
	return t.asking(c, func(ctx context.Context, there *client, _ string, args []string) error {
		for _, id := range args {
			if _, err := api.NewAccessServiceClient(there).DeleteBinding(ctx, &api.DeleteBindingRequest{Id: id}); err != nil {
				return err
			}
		}
		return nil
	})
}

func roleListCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{Use: "list [SUBJECT]", Short: "Who has which role, of what", Args: cobra.MaximumNArgs(1), Example: "  loom role list\n  loom role list group:netops"}
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		r := &api.ListBindingsRequest{PageSize: 1000}
		if len(args) > 0 {
			subject, err := auth.ParseSubject(args[0])
			if err != nil {
				return err
			}
			r.Subject = string(subject)
		}
		all := &api.ListBindingsResponse{}
		for {
			m, err := api.NewAccessServiceClient(there).ListBindings(ctx, r)
			if err != nil {
				return err
			}
			all.Bindings = append(all.Bindings, m.GetBindings()...)
			if r.PageToken = m.GetNextPageToken(); r.PageToken == "" {
				break
			}
		}
		if format == "json" {
			return t.message(all)
		}
		return t.bindings(all.GetBindings())
	})
}

func (t *terminal) bindings(all []*api.Binding) error {
	var rows [][]string
	for _, b := range all {
		until := ""
		if b.GetUntil() != nil {
			until = localTime(b.GetUntil())
		}
		rows = append(rows, []string{b.GetId(), b.GetSubject(), b.GetRole(), scopeText(b.GetScope()), until, b.GetBy(), b.GetReason()})
	}
	return t.table("ID\tSUBJECT\tROLE\tOF\tUNTIL\tBY\tWHY", rows)
}

func localTime(at *timestamppb.Timestamp) string {
	return at.AsTime().Local().Format(time.DateTime)
}

func scopeText(s *api.BindingScope) string {
	return auth.Scope{Topologies: s.GetTopologies(), Sites: s.GetSites(), Tenants: s.GetTenants()}.String()
}

func bindingLine(b *api.Binding) string {
	out := fmt.Sprintf("%s is %s of %s", b.GetSubject(), b.GetRole(), scopeText(b.GetScope()))
	if b.GetUntil() != nil {
		out += " until " + localTime(b.GetUntil())
	}
	return out
}

func roleWhoCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{Use: "whoami", Short: "Who you are to the controller, and what you may do", Args: cobra.NoArgs, Example: "  loom role whoami\n  loom role whoami --context lab"}
	return t.asking(c, func(ctx context.Context, there *client, format string, _ []string) error {
		access := api.NewAccessServiceClient(there)
		me, err := access.WhoAmI(ctx, &api.WhoAmIRequest{})
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(me)
		}
		roles, err := access.ListRoles(ctx, &api.ListRolesRequest{})
		if err != nil {
			return err
		}
		of := map[string][]string{}
		for _, r := range roles.GetRoles() {
			of[r.GetName()] = r.GetPermissions()
		}
		t.printf("%s, by a %s that is good until %s\n", me.GetName(), me.GetCredential(), localTime(me.GetUntil()))
		if len(me.GetBindings()) == 0 {
			t.printf("no role, and so nothing is allowed; an administrator gives one: loom role bind %s ROLE\n", me.GetSubject())
		}
		for _, b := range me.GetBindings() {
			t.printf("  %s: %s\n", strings.TrimPrefix(bindingLine(b), b.GetSubject()+" is "), strings.Join(of[b.GetRole()], ", "))
		}
		return nil
	})
}

func breakGlassCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "break-glass",
		Short: "Be admin for a short time, which everybody is told of",
		Long: `For when something is on fire and who may put it out is asleep. Who has the role break-glass is admin for the time that is
asked for, and no longer. It is loud: an event and a finding say who and why, and each call that nothing else allows is a line of the
controller's log. What was done meanwhile stays. "list" shows whose glass is broken, and "end" ends it before its time.`,
		Example: `  loom break-glass --why 'bj is dark, nobody of netops answers' --for 30m
  loom break-glass list
  loom break-glass end`,
		Args: cobra.NoArgs,
	}
	why := c.Flags().String("why", "", "`TEXT` that everybody is told")
	span := c.Flags().Duration("for", glassSpan, "`TIME` after which it is over, at most "+mostGlass.String())
	_ = c.MarkFlagRequired("why")
	t.asking(c, func(ctx context.Context, there *client, format string, _ []string) error {
		m, err := api.NewAccessServiceClient(there).BreakGlass(ctx, &api.BreakGlassRequest{Reason: *why, Span: durationpb.New(*span)})
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m.GetBinding())
		}
		t.printf("%s: %s\n", m.GetBinding().GetId(), bindingLine(m.GetBinding()))
		return nil
	})
	list := &cobra.Command{Use: "list", Short: "Whose glass is broken", Args: cobra.NoArgs, Example: "  loom break-glass list"}
	t.asking(list, func(ctx context.Context, there *client, format string, _ []string) error {
		m, err := api.NewAccessServiceClient(there).ListBindings(ctx, &api.ListBindingsRequest{PageSize: 1000})
		if err != nil {
			return err
		}
		out := &api.ListBindingsResponse{}
		for _, b := range m.GetBindings() {
			if b.GetBreakGlass() {
				out.Bindings = append(out.Bindings, b)
			}
		}
		if format == "json" {
			return t.message(out)
		}
		return t.bindings(out.GetBindings())
	})
	end := &cobra.Command{Use: "end [ID]", Short: "End it before its time: one's own, or that of an id", Args: cobra.MaximumNArgs(1), Example: "  loom break-glass end"}
	t.asking(end, func(ctx context.Context, there *client, format string, args []string) error {
		r := &api.EndBreakGlassRequest{}
		if len(args) > 0 {
			r.Id = args[0]
		}
		m, err := api.NewAccessServiceClient(there).EndBreakGlass(ctx, r)
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m)
		}
		for _, b := range m.GetBindings() {
			t.printf("over: %s\n", bindingLine(b))
		}
		return nil
	})
	c.AddCommand(list, end)
	return c
}
