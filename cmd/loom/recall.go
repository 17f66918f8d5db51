package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/transaction"
)

// marks are files beside a store, so that commands that only look need not open it to learn that there is nothing in it
// for them.
type marks struct {
	drains mark // somebody has drained a device
	open   mark // a transaction is not over
	timers mark // devices were asked for confirm timers
}

// mark is a file that is there while something is so; "" is that of a store that others can open too.
type mark string

func (f *storeFlags) marks(dir string) marks {
	beside := filepath.Dir(f.storeDir(dir))
	return marks{mark(filepath.Join(beside, "drains")), mark(filepath.Join(beside, "open")), mark(filepath.Join(beside, "timers"))}
}

// say makes the mark say whether it is so.
func (m mark) say(so bool) error {
	if m == "" {
		return nil
	}
	if so {
		return writePrivate(string(m), nil)
	}
	if err := os.Remove(string(m)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// says tells whether it is so.
func (m mark) says() bool {
	_, err := os.Stat(string(m))
	return err == nil
}

// memory is what a store has that plans depend on.
type memory struct {
	drains []plan.Out
	open   *plan.Unfinished // nil: none
	timers map[string]heard
}

// recall has the network expect what somebody has drained, and know what devices have answered, and returns the transaction on it that is not over, nil if there is
// none; for commands that only look.
func (n *network) recall(ctx context.Context, t *terminal, f *storeFlags, dir string) (*plan.Unfinished, error) {
	if m := f.marks(dir); len(f.etcd) == 0 && !m.drains.says() && !m.open.says() && !(m.timers.says() && askableIn(n.design)) {
		return nil, nil
	}
	m, err := f.peek(ctx, t, dir, n.design.Name)
	if err != nil {
		return nil, fmt.Errorf("drains and transactions: %w", err)
	}
	n.timers = m.timers
	return m.open, n.expect(m.drains, time.Now())
}

// peek reads from who holds the store, or else opens it, and waits for others who do the same.
func (f *storeFlags) peek(ctx context.Context, t *terminal, dir, topology string) (memory, error) {
	if len(f.etcd) == 0 {
		if r, err := dialControl(f.storeDir(dir)); err == nil {
			if m, err := readMemory(ctx, r, topology); err == nil {
				return m, nil
			}
		}
	}
	waiting := *f
	waiting.wait = max(f.wait, 10*time.Second)
	s, err := waiting.open(ctx, t, dir)
	if err != nil {
		return memory{}, err
	}
	m, err := readMemory(ctx, s, topology)
	return m, errors.Join(err, s.Close())
}

func readMemory(ctx context.Context, books ledger, topology string) (m memory, err error) {
	if m.drains, err = readDrains(ctx, books, topology); err != nil {
		return m, err
	}
	if m.timers, err = readTimers(ctx, books, topology); err != nil {
		return m, err
	}
	open, ok, err := books.Get(ctx, "open/"+topology)
	if err != nil || !ok {
		return m, err
	}
	id := string(open.Value)
	records, err := readRecords(ctx, books, id)
	if err != nil {
		return m, err
	}
	if len(records) == 0 || records[len(records)-1].Kind == transaction.Ended {
		return m, nil // it has ended, and perhaps been forgotten, since
	}
	s, err := transaction.Replay(records)
	if err != nil {
		return m, fmt.Errorf("transaction %s: %w", id, err)
	}
	m.open = &plan.Unfinished{Transaction: id, By: s.Spec.By, Phase: string(s.Phase)}
	return m, nil
}
