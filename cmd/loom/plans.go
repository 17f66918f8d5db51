package main

import (
	"context"
	"errors"
	"strings"

	"github.com/loomfabric/loom/models/api"
	"github.com/spf13/cobra"
)

func plansCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "plans",
		Short: "Plans that a controller keeps: look at them, approve their risks, carry them out",
		Long: `A controller (loom serve) keeps the plans that it makes: by loom plan --server, by loom apply --server, by a source. So one person
plans, another one looks at exactly that and approves its risks, and it is carried out as it was looked at, or not at all: an approval is
of a plan's hash, and the plan is made again before the first device is changed.`,
		Example: `  loom plans list demo
  loom plans show plan-20261123-082849.450-a8f7e1
  loom plans approve plan-20261123-082849.450-a8f7e1 renumber
  loom plans apply plan-20261123-082849.450-a8f7e1`,
	}
	c.AddCommand(plansListCommand(t), plansShowCommand(t), plansApproveCommand(t), plansApplyCommand(t))
	return group(c)
}

func plansListCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{Use: "list [TOPOLOGY]", Short: "The plans, the newest first", Args: cobra.MaximumNArgs(1), Example: "  loom plans list demo"}
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		r := &api.ListPlansRequest{}
		if len(args) > 0 {
			r.Topology = args[0]
		}
		m, err := api.NewPlanServiceClient(there).ListPlans(ctx, r)
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m)
		}
		var rows [][]string
		for _, p := range m.GetPlans() {
			rows = append(rows, []string{p.GetId(), p.GetTopology(), p.GetBy(), sizes(len(p.GetDevices()), "device"), risksText(p), p.GetTransaction()})
		}
		return t.table("ID\tTOPOLOGY\tBY\tCHANGES\tRISKS\tTRANSACTION", rows)
	})
}

// risksText are the classes of risks of a plan, each with whether it was approved.
func risksText(p *api.Plan) string {
	var out []string
	for _, c := range riskClasses(p) {
		what := c + " open"
		if approvedRisk(p, c) {
			what = c + " approved"
		}
		out = append(out, what)
	}
	return strings.Join(out, ", ")
}

func riskClasses(p *api.Plan) []string {
	seen := map[string]bool{}
	for _, r := range p.GetRisks() {
		seen[r.GetClass()] = true
	}
	return sortedKeys(seen)
}

func approvedRisk(p *api.Plan, class string) bool {
	for _, r := range p.GetRisks() {
		if r.GetClass() == class && !r.GetApproved() {
			return false
		}
	}
	return true
}

func plansShowCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{Use: "show PLAN", Short: "What a plan changes, its risks, and who has approved them", Args: one("a plan"), Example: "  loom plans show plan-20261123-082849.450-a8f7e1"}
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		m, err := api.NewPlanServiceClient(there).GetPlan(ctx, &api.GetPlanRequest{Id: args[0]})
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m.GetPlan())
		}
		t.printf("%s", m.GetPlan().GetText())
		for _, a := range m.GetPlan().GetApprovals() {
			t.printf("approved by %s at %s: %s\n", a.GetBy(), localTime(a.GetAt()), strings.Join(a.GetClasses(), ", "))
		}
		return nil
	})
}

func plansApproveCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "approve PLAN [CLASS...]", Short: "Approve risks of a plan: of some classes, or all that it has", Args: cobra.MinimumNArgs(1),
		Long: `It takes the permission to approve all that the plan changes, and somebody else than the plan's author where the controller says so
(loom serve --four-eyes). Look at the plan before (loom plans show).`,
		Example: "  loom plans approve plan-20261123-082849.450-a8f7e1\n  loom plans approve plan-20261123-082849.450-a8f7e1 renumber --hash 5d41402abc4b",
	}
	hash := c.Flags().String("hash", "", "only if the plan has this `HASH`, or one that begins so")
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		plans := api.NewPlanServiceClient(there)
		m, err := plans.GetPlan(ctx, &api.GetPlanRequest{Id: args[0]})
		if err != nil {
			return err
		}
		p, classes := m.GetPlan(), args[1:]
		if len(classes) == 0 {
			classes = riskClasses(p)
		}
		switch {
		case !strings.HasPrefix(p.GetHash(), *hash):
			return errors.New("--hash " + *hash + ": the plan has " + p.GetHash())
		case len(classes) == 0:
			return errors.New(args[0] + ": has no risks that are to be approved")
		}
		done, err := plans.ApprovePlan(ctx, &api.ApprovePlanRequest{Id: p.GetId(), Hash: p.GetHash(), Classes: classes})
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(done.GetPlan())
		}
		t.printf("%s: %s\n", p.GetId(), risksText(done.GetPlan()))
		return nil
	})
}

func plansApplyCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "apply PLAN", Short: "Carry a plan out as it was looked at", Args: one("a plan"),
		Long:    `Ends with the exit codes of loom apply. A plan that comes to something else by now is refused.`,
		Example: "  loom plans apply plan-20261123-082849.450-a8f7e1",
	}
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		plans := api.NewPlanServiceClient(there)
		m, err := plans.GetPlan(ctx, &api.GetPlanRequest{Id: args[0]})
		if err != nil {
			return err
		}
		for _, class := range riskClasses(m.GetPlan()) {
			if !approvedRisk(m.GetPlan(), class) {
				return errors.New(args[0] + ": " + class + " is not approved; loom plans approve does")
			}
		}
		stream, err := plans.ApplyPlan(ctx, &api.ApplyPlanRequest{Id: args[0], Hash: m.GetPlan().GetHash()})
		if err != nil {
			return err
		}
		return there.watchApply(t, stream, format)
	})
}
