package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/api"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/store"
)

// accessBook is who may do what, as the store has it:
//
//	access/bindings/ID           an auth.Binding
//	access/certificates/SERIAL   an auth.Issued
//	access/revoked/NAME          an auth.Revocation
//	access/last                  the controller.Event of the last change
//
// Calls are judged by a copy that follows the store, so that a call costs no reading, and one that cannot reach the store is judged as
// before. It implements api.Access.
type accessBook struct {
	store *store.Store
	log   *slog.Logger
	keys  *keys
	oidc  *issuer // nil: no tokens are taken

	mu           sync.RWMutex
	bindings     map[string]auth.Binding
	certificates map[string]auth.Issued
	revoked      map[string]auth.Revocation
	revision     int64 // of the store, that the copy is of
	changed      chan struct{}
}

const accessPrefix = "access/"

func bindingKey(id string) string         { return accessPrefix + "bindings/" + id }
func certificateKey(serial string) string { return accessPrefix + "certificates/" + serial }
func revokedKey(name string) string       { return accessPrefix + "revoked/" + name }

// openAccess reads who may do what.
func openAccess(ctx context.Context, s *store.Store, log *slog.Logger) (*accessBook, error) {
	b := &accessBook{store: s, log: log, changed: make(chan struct{})}
	return b, b.load(ctx)
}

// load takes all that the store has.
func (b *accessBook) load(ctx context.Context) error {
	records, revision, err := b.store.List(ctx, accessPrefix)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bindings, b.certificates, b.revoked = map[string]auth.Binding{}, map[string]auth.Issued{}, map[string]auth.Revocation{}
	return b.take(store.Change{Revision: revision, Put: records})
}

// take takes what has changed. b.mu is held.
func (b *accessBook) take(c store.Change) error {
	var errs []error
	for _, r := range c.Put {
		var err error
		kind, name, _ := strings.Cut(strings.TrimPrefix(r.Key, accessPrefix), "/")
		switch kind {
		case "bindings":
			err = readInto(r, name, b.bindings)
		case "certificates":
			err = readInto(r, name, b.certificates)
		case "revoked":
			err = readInto(r, name, b.revoked)
		}
		errs = append(errs, err)
	}
	for _, key := range c.Deleted {
		kind, name, _ := strings.Cut(strings.TrimPrefix(key, accessPrefix), "/")
		switch kind {
		case "bindings":
			delete(b.bindings, name)
		case "certificates":
			delete(b.certificates, name)
		case "revoked":
			delete(b.revoked, name)
		}
	}
	b.revision = c.Revision
	close(b.changed)
	b.changed = make(chan struct{})
	return errors.Join(errs...)
}

func readInto[T any](r store.Record, name string, all map[string]T) error {
	var v T
	if err := unpack(r.Value, &v); err != nil {
		return fmt.Errorf("%s: %w", r.Key, err)
	}
	all[name] = v
	return nil
}

// follow keeps the copy as the store is, until ctx ends.
func (b *accessBook) follow(ctx context.Context) {
	for ctx.Err() == nil {
		b.mu.RLock()
		from := b.revision + 1
		b.mu.RUnlock()
		err := b.watch(ctx, from)
		if err == nil || ctx.Err() != nil {
			continue
		}
		b.log.Error("who may do what could not be followed; it is as before, and tried again", "error", err)
		select {
		case <-time.After(soon):
		case <-ctx.Done():
		}
		if err := b.load(ctx); err != nil && ctx.Err() == nil {
			b.log.Error("who may do what could not be read", "error", err)
		}
	}
}

func (b *accessBook) watch(ctx context.Context, from int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for c := range b.store.Watch(ctx, accessPrefix, from) {
		if c.Err != nil {
			return c.Err
		}
		b.mu.Lock()
		err := b.take(c)
		b.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// commit writes, with an event, and returns when calls are judged by it.
func (b *accessBook) commit(ctx context.Context, tx store.Tx, e controller.Event) error {
	e.At, e.Kind = time.Now().UTC(), controller.AccessEvent
	if err := tellIn(&tx, e); err != nil {
		return err
	}
	last, err := pack(e)
	if err != nil {
		return err
	}
	tx.Put[accessPrefix+"last"] = last // so that whoever follows hears of it
	writesAccess.before.Here()
	revision, err := b.store.Commit(ctx, tx)
	if err != nil {
		return err
	}
	writesAccess.after.Here()
	for {
		b.mu.RLock()
		there, changed := b.revision >= revision, b.changed
		b.mu.RUnlock()
		if there {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Changed implements api.Admission.
func (b *accessBook) Changed() <-chan struct{} {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.changed
}

// Rights implements api.Admission.
func (b *accessBook) Rights(who auth.Identity) (auth.Rights, error) {
	if err := b.isRevoked(who); err != nil {
		return auth.Rights{}, err
	}
	b.mu.RLock()
	all := slices.Collect(maps.Values(b.bindings))
	b.mu.RUnlock()
	slices.SortFunc(all, func(x, y auth.Binding) int { return cmp.Compare(x.ID, y.ID) })
	return auth.RightsOf(who, all, time.Now()), nil
}

// isRevoked tells whether a certificate is not accepted any more.
func (b *accessBook) isRevoked(who auth.Identity) error {
	if who.Kind != auth.Certificate {
		return nil
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	kept, known := b.certificates[who.Serial]
	if known && !kept.Revoked.IsZero() {
		return &auth.RevokedError{Name: who.Name, Serial: who.Serial, At: kept.Revoked}
	}
	if r, ok := b.revoked[who.Name]; ok && !known && r.Takes(who) {
		return &auth.RevokedError{Name: who.Name, Serial: who.Serial, At: r.At}
	}
	return nil
}

// Token implements api.Admission.
func (b *accessBook) Token(ctx context.Context, token string) (auth.Identity, error) {
	if b.oidc == nil {
		return auth.Identity{}, errors.New("this controller takes none (loom serve --oidc-issuer); show a certificate")
	}
	return b.oidc.identity(ctx, token)
}

// Used implements api.Admission.
func (b *accessBook) Used(who auth.Identity, by auth.Binding, method string) {
	b.log.Warn("a broken glass was used", "by", who.Name, "method", method, "binding", by.ID, "why", by.Why, "until", by.Until)
}

// Bindings implements api.Access.
func (b *accessBook) Bindings(context.Context) ([]auth.Binding, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []auth.Binding
	for _, id := range sortedKeys(b.bindings) {
		if x := b.bindings[id]; x.Holds(time.Now()) {
			out = append(out, x)
		}
	}
	return out, nil
}

// PutBinding implements api.Access.
func (b *accessBook) PutBinding(ctx context.Context, x auth.Binding) (auth.Binding, error) {
	x.At = time.Now().UTC()
	if err := x.Check(x.At); err != nil {
		return x, fmt.Errorf("binding: %w: %w", controller.ErrInvalid, err)
	}
	if x.ID == "" {
		x.ID = newNumber()
	}
	if strings.Trim(x.ID, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || len(x.ID) > 128 {
		return x, fmt.Errorf("id %q: %w: use lower-case letters, digits, dots and hyphens, at most 128", x.ID, controller.ErrInvalid)
	}
	data, err := pack(x)
	if err != nil {
		return x, err
	}
	return x, b.commit(ctx, store.Tx{Put: map[string][]byte{bindingKey(x.ID): data}}, controller.Event{By: x.By, Subject: x.ID, Message: bindingText(x)})
}

func bindingText(x auth.Binding) string {
	out := fmt.Sprintf("%s is %s of %s", x.Subject, x.Role, x.Scope)
	if !x.Until.IsZero() {
		out += " until " + x.Until.UTC().Format(time.RFC3339)
	}
	if x.Why != "" {
		out += ": " + x.Why
	}
	return out
}

// DeleteBinding implements api.Access.
func (b *accessBook) DeleteBinding(ctx context.Context, id, by string) error {
	b.mu.RLock()
	x, ok := b.bindings[id]
	b.mu.RUnlock()
	if !ok {
		return fmt.Errorf("binding %s: %w", id, api.ErrNoEntry)
	}
	tx := store.Tx{Delete: []string{bindingKey(id)}}
	if x.Glass {
		tx.Delete = append(tx.Delete, glassKey(x))
	}
	return b.commit(ctx, tx, controller.Event{By: by, Subject: id, Message: fmt.Sprintf("%s is %s of %s no more", x.Subject, x.Role, x.Scope)})
}
