package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/plan"
	"github.com/spf13/pflag"
)

// asks tells whether the user is asked before a change.
func (o *applyOptions) asks(t *terminal) bool { return t.ask && !o.yes && o.plan == "" }

// checkApproval tells of approvals that say too little: of a class that there is not, or of a plan
// that nobody has seen.
func (o *applyOptions) checkApproval(t *terminal) error {
	for _, name := range o.approved {
		if !slices.Contains(classNames(), name) {
			return fmt.Errorf("--approve %s: no class of risks; classes are %s", name, strings.Join(classNames(), ", "))
		}
	}
	if o.plan != "" {
		return checkHash(o.plan)
	}
	if len(o.approved) > 0 && !o.asks(t) {
		return fmt.Errorf("--approve %s: nobody is asked here, so say which plan is approved: --plan HASH, as `loom plan` shows it", strings.Join(o.approved, ","))
	}
	return nil
}

func classNames() []string {
	var out []string
	for _, c := range plan.Classes {
		out = append(out, string(c.Class))
	}
	return out
}

// checkHash wants enough of a hash that no two plans share it.
func checkHash(hash string) error {
	if len(hash) < plan.ShortHash || len(hash) > 64 || strings.Trim(hash, "0123456789abcdef") != "" {
		return fmt.Errorf("--plan %s: no hash of a plan; give %d to 64 hex digits, as `loom plan` shows them", hash, plan.ShortHash)
	}
	return nil
}

// expected refuses another plan than the one that was looked at. What differs is not known: a hash
// says nothing about what it was made of.
func (o *applyOptions) expected(p *plan.Plan) error {
	hash := p.Hash()
	if o.plan == "" || strings.HasPrefix(hash, o.plan) {
		return nil
	}
	if p.Empty() {
		return fmt.Errorf("--plan %s: there is nothing to change today; the plan was applied already, or the devices are as intended by other means", o.plan)
	}
	options := o.options()
	if options == "" {
		options = " none"
	}
	return fmt.Errorf("--plan %s: today's plan is %s: the topology, a device or an option (here:%s) is not as it was; look at it again, with the same options",
		o.plan, hash[:plan.ShortHash], options)
}

// besidePlan are the flags that do not say what is done to whom in which order, but who allows it, how it is watched,
// and where things are. Every other flag of a command makes its plan.
var besidePlan = []string{
	"yes", "plan", "approve", "all", "format", "help",
	"rollback", "parallel", "unverified", "hold", "gate", "rest", "drain-wait", "light-wait", "check",
	"data", "etcd", "etcd-ca", "etcd-cert", "etcd-key", "wait", "inventory", "cert", "key",
	"take-over", "backup", "overwrite", "for", "why", "server",
}

// options are the flags that make the plan, as they were given, each with a space before it. Who repeats the command
// with the plan's hash has to give them again.
func (o *applyOptions) options() string {
	var b strings.Builder
	if o.given != nil {
		o.given.Visit(func(f *pflag.Flag) {
			if !slices.Contains(besidePlan, f.Name) {
				fmt.Fprintf(&b, " --%s %s", f.Name, quoted(strings.Trim(f.Value.String(), "[]")))
			}
		})
	}
	return b.String()
}

// quoted is a word as a shell reads it.
func quoted(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\n\"'\\$`*?[]{}()<>|&;#~!") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// refused stops at what no approval makes right.
func refused(p *plan.Plan) error {
	var errs []error
	for _, r := range p.Refused() {
		errs = append(errs, fmt.Errorf("%s: %s: %s (%s); change it by another way, or leave it out", r.Device, r.Path, r.Why, r.Change))
	}
	return errors.Join(errs...)
}

// approveRisks gets leave for every class of risks: from --approve, or by its name being typed.
func (o *applyOptions) approveRisks(ctx context.Context, t *terminal, p *plan.Plan) error {
	var open []string
	for _, class := range p.RiskClasses() {
		if !slices.Contains(o.approved, string(class)) {
			open = append(open, string(class))
		}
	}
	if len(open) > 0 && !o.asks(t) {
		return fmt.Errorf("risks that are not approved: %s; look at the plan, and if it is meant so, use --plan %s --approve %s%s",
			strings.Join(open, ", "), p.Hash()[:plan.ShortHash], strings.Join(open, ","), o.options())
	}
	for _, class := range open {
		yes, err := t.confirm(ctx, fmt.Sprintf("\nApprove %s? Type %s: ", class, class), class)
		if err != nil {
			return err
		}
		if !yes {
			return fmt.Errorf("%s is not approved; nothing was changed", class)
		}
	}
	return nil
}
