package main

import (
	"context"
	"fmt"
	"os"

	"github.com/loomfabric/loom/pkg/audit"
	"golang.org/x/mod/sumdb/note"
)

// auditKeys reads the public keys of who may have signed checkpoints.
func auditKeys(file string) (note.Verifiers, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w; name the file with the public key of the log: --key", err)
	}
	known, err := audit.Verifiers(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return known, nil
}

// verifyAudit reads the whole audit log of a store, and holds it against the checkpoints in it and others. key is the file of the
// public keys of who may have signed them.
func verifyAudit(ctx context.Context, books ledger, key string, others [][]byte) (*audit.Report, error) {
	known, err := auditKeys(key)
	if err != nil {
		return nil, err
	}
	checkpoints, err := checkpointsIn(ctx, books)
	if err != nil {
		return nil, err
	}
	head, _, err := readHead(ctx, books)
	if err != nil {
		return nil, err
	}
	n := int64(0)
	lines := func(yield func([]byte, error) bool) {
		for text, err := range auditText(ctx, books, 0) {
			if n++; err == nil && n > head.Tree.Size { // written since the head was read, or by somebody else
				return
			}
			if !yield(text, err) {
				return
			}
		}
	}
	r, err := audit.Verify(audit.Log{Lines: lines, Checkpoints: append(checkpoints, others...), Known: known, Size: head.Tree.Size})
	if err != nil || n <= head.Tree.Size {
		return r, err
	}
	if now, _, err := readHead(ctx, books); err != nil || now.Tree.Size > head.Tree.Size {
		return r, err
	}
	r.Faults = append(r.Faults, &audit.Fault{Kind: audit.Added, First: head.Tree.Size, Last: head.Tree.Size, Why: "it is there, and the log ends before it"})
	return r, nil
}

// checkpointsIn are the signed checkpoints of a store.
func checkpointsIn(ctx context.Context, books ledger) (out [][]byte, err error) {
	kept, _, err := books.List(ctx, checkpointPrefix)
	if err != nil {
		return nil, err
	}
	for _, r := range kept {
		out = append(out, r.Value)
	}
	head, record, err := readHead(ctx, books)
	if err == nil && record != nil {
		out = append(out, []byte(head.Checkpoint))
	}
	return out, err
}
