package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
)

// checkFourEyes tells of classes that there are none of.
func checkFourEyes(classes []string) error {
	for _, c := range classes {
		if c != "all" && !slices.Contains(classNames(), c) {
			return fmt.Errorf("--four-eyes %s: no class of risks; use all, or some of %s", c, strings.Join(classNames(), ", "))
		}
	}
	return nil
}

// authors are whose change a plan is: who has asked for it, and who wrote the revision that it brings.
func (s *serving) authors(ctx context.Context, p *controller.Planned) ([]string, error) {
	out := []string{p.By}
	if len(s.fourEyes) == 0 || p.Brings() == 0 || len(p.Request.Files) > 0 {
		return out, nil
	}
	in, err := s.intents.At(ctx, p.Topology, p.Revision)
	if err != nil {
		return nil, err
	}
	return append(out, in.By), nil
}

// own refuses that somebody approves a change of one's own, where that takes somebody else.
func (s *serving) own(ctx context.Context, p *controller.Planned, classes []string, by string) error {
	authors, err := s.authors(ctx, p)
	if err != nil {
		return err
	}
	return s.fourEyes.Refuse(p.ID, classes, by, authors, s.book.approvers(p.Topology, authors))
}

// approvedOf are the classes that count as approved of a plan.
func (s *serving) approvedOf(ctx context.Context, p *controller.Planned) ([]string, error) {
	authors, err := s.authors(ctx, p)
	return s.fourEyes.Approved(p, authors), err
}

// approvers are subjects of bindings that may approve something of a topology, without some names.
func (b *accessBook) approvers(topology string, but []string) []string {
	if b == nil {
		return nil
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []string
	for _, x := range b.bindings {
		_, name, _ := strings.Cut(string(x.Subject), ":")
		if auth.RoleOf(x.Role).May(auth.Approve) && x.Holds(time.Now()) && (len(x.Scope.Topologies) == 0 || slices.Contains(x.Scope.Topologies, topology)) && !slices.Contains(but, name) {
			out = append(out, string(x.Subject))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
