package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/api"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/store"
)

// mostLife is how long a certificate of somebody is good at most.
const mostLife = 366 * 24 * time.Hour

// Issue implements api.Access.
func (b *accessBook) Issue(ctx context.Context, request []byte, as auth.Issued, span time.Duration) (auth.Issued, []byte, []byte, error) {
	if span == 0 {
		span = auth.ClientLife
	}
	if err := b.fit(as, span); err != nil {
		return as, nil, nil, fmt.Errorf("%w: %w", controller.ErrInvalid, err)
	}
	var orgs []string
	for _, r := range as.Roles {
		orgs = append(orgs, auth.Organization(r))
	}
	authority := b.keys.authority()
	now := time.Now().UTC()
	pem, cert, err := authority.Sign(request, as.Name, orgs, span, now, rand.Reader)
	if err != nil {
		return as, nil, nil, fmt.Errorf("%w: %w", controller.ErrInvalid, err)
	}
	as.Serial, as.At, as.Until = auth.SerialOf(cert), now, cert.NotAfter
	data, err := pack(as)
	if err != nil {
		return as, nil, nil, err
	}
	tx := store.Tx{Put: map[string][]byte{certificateKey(as.Serial): data}, Delete: b.expired(now)}
	e := controller.Event{By: as.By, Subject: as.Serial, Message: fmt.Sprintf("certificate %s of %s issued, good until %s", as.Serial, as.Name, as.Until.Format(time.RFC3339))}
	if len(as.Roles) > 0 {
		e.Message += ", as " + strings.Join(as.Roles, ", ")
	}
	return as, pem, authority.Pair().Certificate, b.commit(ctx, tx, e)
}

// fit tells what is wrong with a certificate that somebody wants.
func (b *accessBook) fit(as auth.Issued, span time.Duration) error {
	switch {
	case as.Name == "" || len(as.Name) > 64: // RFC 5280, ub-common-name
		return fmt.Errorf("name %q: use 1 to 64 bytes", as.Name)
	case strings.ContainsFunc(as.Name, func(r rune) bool { return r <= ' ' || r == '/' || r == ':' || r == 0x7f }) || as.Name == auth.Controller.Name:
		return fmt.Errorf("name %q: use one without spaces, slashes and colons, that is not the controller's own", as.Name)
	case span < time.Minute || span > mostLife:
		return fmt.Errorf("span %s: use 1m to %s", span, mostLife)
	}
	for _, r := range as.Roles {
		if auth.RoleOf(r) == nil {
			return fmt.Errorf("role %q: there is none; use %s", r, strings.Join(auth.RoleNames(), ", "))
		}
	}
	return nil
}

// expired are records of certificates that nobody needs any more: some, as a transaction has a limit.
func (b *accessBook) expired(now time.Time) []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []string
	for serial, c := range b.certificates {
		if len(out) < 16 && c.Until.Before(now.Add(-24*time.Hour)) {
			out = append(out, certificateKey(serial))
		}
	}
	return out
}

// Renew implements api.Access.
func (b *accessBook) Renew(ctx context.Context, who auth.Identity, request []byte) (auth.Issued, []byte, []byte, error) {
	b.mu.RLock()
	old, ok := b.certificates[who.Serial]
	b.mu.RUnlock()
	if who.Kind != auth.Certificate || !ok || !old.Renewable {
		return old, nil, nil, fmt.Errorf("%s: %w: what you show was not issued to be renewed; who issues certificates may issue another one", who.Name, controller.ErrNotYou)
	}
	as := auth.Issued{Name: old.Name, Roles: old.Roles, By: who.Name, Renewable: true}
	return b.Issue(ctx, request, as, old.Until.Sub(old.At).Round(time.Minute))
}

// Revoke implements api.Access.
func (b *accessBook) Revoke(ctx context.Context, serial, name, by, why string) ([]auth.Issued, error) {
	now := time.Now().UTC()
	tx := store.Tx{Put: map[string][]byte{}}
	var out []auth.Issued
	b.mu.RLock()
	for _, c := range b.certificates {
		if (c.Serial == serial || name != "" && c.Name == name) && c.Revoked.IsZero() {
			c.Revoked, c.RevokedBy, c.Why = now, by, why
			out = append(out, c)
		}
	}
	b.mu.RUnlock()
	if serial != "" && len(out) == 0 {
		return nil, fmt.Errorf("certificate %s: %w, or it was revoked already; one of an earlier release is revoked by its name", serial, api.ErrNoEntry)
	}
	if len(out) >= b.store.Operations()-2 {
		return nil, fmt.Errorf("%s: %w: has %d certificates; revoke them one by one", name, controller.ErrInvalid, len(out))
	}
	slices.SortFunc(out, func(x, y auth.Issued) int { return cmp.Compare(x.Key(), y.Key()) })
	what := "certificate " + serial
	if name != "" {
		what = "certificates of " + name
		data, err := pack(auth.Revocation{Name: name, At: now, By: by, Why: why})
		if err != nil {
			return nil, err
		}
		tx.Put[revokedKey(name)] = data
	} else {
		what += " of " + out[0].Name
	}
	for _, c := range out {
		data, err := pack(c)
		if err != nil {
			return nil, err
		}
		tx.Put[certificateKey(c.Serial)] = data
	}
	e := controller.Event{By: by, Subject: cmp.Or(serial, name), Message: what + " revoked"}
	if why != "" {
		e.Message += ": " + why
	}
	return out, b.commit(ctx, tx, e)
}

// Certificates implements api.Access.
func (b *accessBook) Certificates(context.Context) ([]auth.Issued, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []auth.Issued
	for _, c := range b.certificates {
		if time.Now().Before(c.Until) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(x, y auth.Issued) int { return cmp.Compare(x.Key(), y.Key()) })
	return out, nil
}

// Authority implements api.Access.
func (b *accessBook) Authority() []byte { return b.keys.authority().Pair().Certificate }

// Rotate implements api.Access.
func (b *accessBook) Rotate(ctx context.Context, step int, by string) ([]byte, error) {
	if err := b.keys.rotate(step, time.Now()); err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	said := []string{1: "a next authority is trusted", 2: "the next authority signs", 3: "the old authority is trusted no more"}[step]
	return b.Authority(), b.commit(ctx, store.Tx{}, controller.Event{By: by, Message: said})
}
