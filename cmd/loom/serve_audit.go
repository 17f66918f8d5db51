package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"time"

	"github.com/loomfabric/loom/pkg/audit"
	"github.com/loomfabric/loom/pkg/store"
)

// auditing is the audit log of a controller: what it writes, and how what is written gets into the log.
type auditing struct {
	*auditWriter
	log  *auditLog
	word chan struct{} // there is something in the queue
}

// ID implements api.Auditor.
func (a *auditing) ID() string { return a.id() }

// Durable implements api.Auditor.
func (a *auditing) Durable(ctx context.Context, e audit.Entry) error { return a.durable(ctx, e) }

// Gather implements api.Auditor.
func (a *auditing) Gather(ctx context.Context, e audit.Entry) error { return a.gather(ctx, e) }

// openAudit opens the audit log of a controller. place is the second place of its checkpoints; empty: there is none.
func (s *serving) openAudit(place string) error {
	log, err := auditLogOf(s.store, s.dir)
	if err != nil {
		return err
	}
	if place != "" {
		if log.kept, err = openVault(place, cmp.Or(s.name, replicaName())); err != nil {
			return err
		}
	}
	a := &auditing{auditWriter: newAuditWriter(s.store, cmp.Or(s.name, replicaName())), log: log, word: make(chan struct{}, 1)}
	a.wrote = func() { leaveWord(a.word) }
	s.audit = a
	return nil
}

// replicaName is this process as entries name it where it is alone: the host, as who else would be meant.
func replicaName() string {
	host, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return host
}

// How soon what is queued is in the log: what this process has queued, and what others have.
const (
	auditSoon   = 50 * time.Millisecond
	auditOthers = time.Second
)

// run takes what is queued into the log until ctx ends, and then what is left. Of several replicas one does so at a time: who holds the
// lock. Were there two all the same, the head of the log would have one of them look again.
func (a *auditing) run(ctx context.Context, s *serving) {
	for ctx.Err() == nil {
		err := a.sequence(ctx)
		if ctx.Err() != nil {
			break
		}
		s.log.Error("the audit log is behind; trying again", "error", err)
		select {
		case <-time.After(auditOthers):
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	a.log.lease = nil // without the lock the head of the log tells
	err := a.flush(last)
	_, e := a.log.take(last, true)
	if err = errors.Join(err, e); err != nil {
		s.log.Error("the end of the audit log waits in its queue for the next start", "error", err)
	}
}

// sequence does it until there is an error, or ctx ends.
func (a *auditing) sequence(ctx context.Context) error {
	a.log.lease = nil
	if a.store.Shared() {
		lease, err := a.store.Hold(ctx, "audit", store.Holder{Who: whoAmI(), Wait: true})
		if err != nil {
			return err
		}
		defer func() {
			release, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			_ = lease.Release(release) // it ends by itself
		}()
		a.log.lease = lease
	}
	a.log.knows = false // another may have kept a checkpoint
	for {
		if _, err := a.log.take(ctx, false); err != nil {
			return err
		}
		select {
		case <-a.word:
			select { // what comes with it goes with it
			case <-time.After(auditSoon):
			case <-ctx.Done():
				return nil
			}
		case <-time.After(auditOthers):
		case <-ctx.Done():
			return nil
		}
	}
}

// Checkpoint implements api.AuditLog.
func (a *auditing) Checkpoint(ctx context.Context) ([]byte, int64, error) {
	head, _, err := readHead(ctx, a.store)
	if err != nil {
		return nil, 0, err
	}
	return []byte(head.Checkpoint), head.Tree.Size, nil
}

// Lines implements api.AuditLog.
func (a *auditing) Lines(ctx context.Context) audit.Lines { return auditLine(ctx, a.store) }
