package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/spf13/cobra"
)

func transactionsWatch(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "watch TRANSACTION", Short: "Follow a transaction until it is over", Args: one("a transaction"),
		Long: `Prints what the journal gets: waves, decisions, and how it ends. Beside that, on a terminal, it draws in place how
far the devices are, what is waited for, and how long the first confirm timer has left, as loom apply does; into a
file it writes a line now and then. What --etcd keeps has no timers to show: those are the business of the process
that carries the transaction out.`,
	}
	f, server := addStoreFlags(c), serverFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if *server != "" {
			return watchThere(cmd.Context(), t, *server, args[0])
		}
		w := &watcher{t: t, id: args[0], progress: &progress{t: t}}
		for {
			books, asker, closeBooks, err := f.books(cmd.Context(), t)
			if err != nil {
				return err
			}
			over, err := w.follow(cmd.Context(), books, asker == nobody{})
			err = errors.Join(err, closeBooks())
			if lost := (*url.Error)(nil); over || !errors.As(err, &lost) {
				return err
			} // the process that held the store has ended: what it wrote can be read without it
		}
	}
	return c
}

// glance is how often a transaction is looked at while it is followed.
const glance = 250 * time.Millisecond

// watcher follows one transaction.
type watcher struct {
	t        *terminal
	id       string
	progress *progress
	told     int // moments of its timeline
}

// follow shows what is new until the transaction is over; at once where it is idle, as nobody works on it.
func (w *watcher) follow(ctx context.Context, books ledger, idle bool) (over bool, err error) {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		records, err := transactionRecords(ctx, books, w.id)
		if err != nil {
			return false, err
		}
		s, err := summarize(records)
		if err != nil {
			return false, fmt.Errorf("%s: %w", w.id, err)
		}
		w.tell(&s)
		if s.Outcome == "" && !idle {
			if err := w.draw(ctx, books, records); err != nil {
				return false, err
			}
		}
		switch {
		case s.Outcome != "":
			return true, nil
		case idle:
			return true, s.abandoned()
		}
		select {
		case <-ctx.Done():
			return true, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// tell prints what has happened to the transaction as a whole.
func (w *watcher) tell(s *account) {
	for _, m := range s.Timeline[w.told:] {
		if m.Device == "" {
			w.progress.wipe()
			w.t.printf("%10s  %s\n", m.At.Sub(s.Began).Round(time.Millisecond), m.What)
		}
	}
	w.told = len(s.Timeline)
}

// draw shows how it stands: as the process says that carries it out, or else as the journal does.
func (w *watcher) draw(ctx context.Context, books ledger, records []transaction.Record) error {
	if r, ok := books.(*remote); ok {
		if l, err := r.look(ctx); err != nil || l != nil && l.ID == w.id {
			if err == nil {
				l.At = time.Now() // of the same machine
				w.progress.follow(*l)
			}
			return err
		}
	}
	s, err := transaction.Replay(records)
	if err != nil {
		return err
	}
	w.progress.follow(look{View: s.View(time.Now())})
	return nil
}
