package main

import (
	"context"
	"fmt"
	"time"

	"github.com/loomfabric/loom/pkg/api"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/verify"
)

// How long a glass is broken for.
const (
	glassSpan = 15 * time.Minute // where nobody says
	mostGlass = 4 * time.Hour
)

const brokenGlass verify.Kind = "break-glass"

// glassKey is where the finding is that a glass is broken. It is of no topology.
func glassKey(x auth.Binding) string { return findingKey("", string(brokenGlass)+"/"+x.ID) }

// Break implements api.Access.
func (b *accessBook) Break(ctx context.Context, who auth.Identity, scope auth.Scope, why string, span time.Duration) (auth.Binding, error) {
	if span == 0 {
		span = glassSpan
	}
	if why == "" {
		return auth.Binding{}, fmt.Errorf("reason: %w: none; say why, as everybody is told", controller.ErrInvalid)
	}
	if span < time.Second || span > mostGlass {
		return auth.Binding{}, fmt.Errorf("span %s: %w: use 1s to %s", span, controller.ErrInvalid, mostGlass)
	}
	now := time.Now().UTC()
	x := auth.Binding{ID: "glass-" + newNumber(), Subject: auth.SubjectOf(who), Role: "admin", Scope: scope, At: now, Until: now.Add(span), By: who.Name, Why: why, Glass: true}
	data, err := pack(x)
	if err != nil {
		return x, err
	}
	found, err := pack(controller.Finding{
		Finding: verify.Finding{
			ID: string(brokenGlass) + "/" + x.ID, Kind: brokenGlass, Severity: verify.Error, Object: string(x.Subject),
			Message: fmt.Sprintf("%s has broken the glass and is admin of %s until %s: %s", who.Name, scope, x.Until.Format(time.RFC3339), why),
		},
		Since: now, Said: now,
	})
	if err != nil {
		return x, err
	}
	b.log.Warn("a glass was broken", "by", who.Name, "scope", scope.String(), "why", why, "until", x.Until)
	tx := store.Tx{Put: map[string][]byte{bindingKey(x.ID): data, glassKey(x): found}}
	return x, b.commit(ctx, tx, controller.Event{By: who.Name, Subject: x.ID, Message: "the glass was broken: " + bindingText(x)})
}

// Mend implements api.Access.
func (b *accessBook) Mend(ctx context.Context, of auth.Subject, id, by string) ([]auth.Binding, error) {
	var out []auth.Binding
	for _, x := range b.glasses() {
		if (of == "" || x.Subject == of) && (id == "" || x.ID == id) {
			out = append(out, x)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("broken glass %s: %w that you may end", id, api.ErrNoEntry)
	}
	for _, x := range out {
		if err := b.mend(ctx, x, by); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (b *accessBook) mend(ctx context.Context, x auth.Binding, by string) error {
	b.log.Warn("a broken glass is over", "of", string(x.Subject), "by", by)
	return b.commit(ctx, store.Tx{Delete: []string{bindingKey(x.ID), glassKey(x)}},
		controller.Event{By: by, Subject: x.ID, Message: fmt.Sprintf("the broken glass of %s is over", x.Subject)})
}

// glasses are those that are broken, also those whose time is over.
func (b *accessBook) glasses() []auth.Binding {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []auth.Binding
	for _, id := range sortedKeys(b.bindings) {
		if x := b.bindings[id]; x.Glass {
			out = append(out, x)
		}
	}
	return out
}

// sweep tells of what is over, until ctx ends. It holds nobody back: what is over counts no more, swept or not.
func (b *accessBook) sweep(ctx context.Context) {
	for {
		changed := b.Changed()
		var next <-chan time.Time
		for _, x := range b.glasses() {
			if left := time.Until(x.Until); left > 0 {
				if next == nil {
					next = time.After(left)
				}
				continue
			}
			if err := b.mend(ctx, x, auth.Controller.Name); err != nil && ctx.Err() == nil {
				b.log.Error("a broken glass is over, and its finding was not taken away; trying again", "id", x.ID, "error", err)
				next = time.After(soon)
			}
		}
		select {
		case <-changed:
		case <-next:
		case <-ctx.Done():
			return
		}
	}
}
