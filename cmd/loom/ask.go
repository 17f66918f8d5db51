package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/spf13/cobra"
)

func transactionsAsk(t *terminal, word, short, long string) *cobra.Command {
	c := &cobra.Command{Use: word + " TRANSACTION", Short: short, Long: long, Args: one("a transaction")}
	f, server := addStoreFlags(c), serverFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if *server != "" {
			return askThere(cmd.Context(), t, *server, args[0], word)
		}
		err := f.say(cmd.Context(), t, args[0], word, false)
		if lost := (*url.Error)(nil); errors.As(err, &lost) { // it ended while it was asked: what it left can be read without it
			err = f.say(cmd.Context(), t, args[0], word, true)
		}
		return err
	}
	return c
}

// say tells the process that carries a transaction out a word of somebody's. It returns once that has taken it, or, where
// it was said already, tells by the journal whether it was taken.
func (f *storeFlags) say(ctx context.Context, t *terminal, id, word string, said bool) error {
	books, asker, closeBooks, err := f.books(ctx, t)
	if err != nil {
		return err
	}
	defer closeBooks()
	s, err := readAccount(ctx, books, id)
	switch {
	case err != nil:
		return err
	case said && s.took(word):
		t.printf("%s: asked to %s\n", s.ID, word)
		return nil
	}
	if err := s.undecided(asker == nobody{}); err != nil {
		return err
	}
	switch err := asker.ask(ctx, s.Topology, id, word); {
	case errors.Is(err, errNobody):
		return s.abandoned()
	case err != nil:
		return fmt.Errorf("%s: %w", id, err)
	}
	t.printf("%s: asked to %s\n", s.ID, word)
	return nil
}

// undecided tells why a word about a transaction would come too late, if it would. idle is that nobody works on it.
func (s *account) undecided(idle bool) error {
	switch {
	case s.Outcome != "":
		return fmt.Errorf("%s is over: %s%s", s.ID, s.Outcome, s.undoable())
	case idle:
		return s.abandoned()
	case s.Phase != transaction.Forward:
		return fmt.Errorf("%s is decided: %s; wait for its end with loom transactions watch", s.ID, s.Phase)
	}
	return nil
}

// took tells whether a transaction went the way that a word asked for.
func (s *account) took(word string) bool {
	switch s.Phase {
	case transaction.Rolling:
		return word == "confirm"
	case transaction.Undoing:
		return word == "cancel"
	}
	return s.Outcome == transaction.Done && word == "confirm" || s.Outcome == transaction.RolledBack && word == "cancel"
}

// undoable says what can be done about a transaction that is over.
func (s *account) undoable() string {
	if s.Outcome == transaction.RolledBack || s.Outcome == transaction.Unchanged {
		return ", nothing of it is left"
	}
	return "; loom rollback takes back what was done"
}

// abandoned says of a transaction that is not over that nobody works on it: who did, how it stands, and what ends it.
func (s *account) abandoned() error {
	devices := s.counts()
	stands := fmt.Sprintf("It is not decided (%s); routers that are armed take the change back by themselves, %s after they last heard from it at the latest. "+
		"loom transactions resume PATH... takes back what was done, and so does the next loom apply", devices, s.rollback)
	switch s.Phase {
	case transaction.Rolling:
		stands = fmt.Sprintf("It is decided that every router keeps the change (%s). loom transactions resume PATH... carries that out, and so does the next loom apply", devices)
	case transaction.Undoing:
		stands = fmt.Sprintf("It is decided that it is taken back (%s). loom transactions resume PATH... carries that out, and so does the next loom apply", devices)
	}
	return fmt.Errorf("%s: nobody works on it any more: it was carried out by %s, which is gone. %s", s.ID, s.By, stands)
}

// counts says how many devices are how, as far as the journal knows.
func (s *account) counts() string {
	w := transaction.WaveView{In: map[transaction.Status]int{}}
	for _, status := range s.Devices {
		w.In[status]++
	}
	return counts(w)
}

// asker takes what people say about a transaction that is under way, "confirm" or "cancel": it returns once the
// process that carries it out has heard.
type asker interface {
	ask(ctx context.Context, topology, id, word string) error
}

// hearing is how long the process that carries a transaction out may take to hear a word.
const hearing = 5 * time.Second

// request puts a word where the process that carries out a transaction looks, and waits until that takes it away.
func request(ctx context.Context, s *store.Store, id, word string, hearing time.Duration) error {
	key := "requests/" + id
	if _, err := s.Commit(ctx, store.Tx{Put: map[string][]byte{key: []byte(word)}}); err != nil {
		return err
	}
	late := time.NewTimer(hearing)
	defer late.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		r, waits, err := s.Get(ctx, key)
		if err != nil || !waits {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-late.C:
			_, err := s.Commit(ctx, store.Tx{If: []store.Condition{store.Unchanged(r)}, Delete: []string{key}})
			if errors.Is(err, store.ErrConflict) {
				return nil // just heard
			}
			return errors.Join(fmt.Errorf("who holds the fabric has not heard it in %s, and it is not said any more; look with loom transactions show", hearing), err)
		}
	}
}

// clusterAsker speaks through a store that others have open too.
type clusterAsker struct {
	store   *store.Store
	hearing time.Duration
}

func (a *clusterAsker) ask(ctx context.Context, topology, id, word string) error {
	by, err := a.store.Held(ctx, "fabric/"+topology)
	switch {
	case err != nil:
		return err
	case by == nil:
		return errNobody
	}
	if err := request(ctx, a.store, id, word, a.hearing); err != nil {
		return fmt.Errorf("held by %s, since %s: %w; should that process be gone, its lock ends within %s, and loom transactions resume goes on",
			by.By, by.Since.Local().Format(time.DateTime), err, store.DefaultTTL)
	}
	return nil
}

// ask has the process behind the socket say it to itself.
func (r *remote) ask(ctx context.Context, _, id, word string) error {
	return r.call(ctx, http.MethodPost, "ask", url.Values{"id": {id}, "word": {word}}, nil)
}

// nobody takes what people say where no process works on a transaction: it would never be heard.
type nobody struct{}

func (nobody) ask(context.Context, string, string, string) error { return errNobody }

var errNobody = errors.New("no process works on it")

// errCancelled ends a transaction that somebody took back by a word.
var errCancelled = errors.New("cancelled by loom transactions cancel")

// listen hears what people say about a transaction: each word to confirm comes out of the channel, as a
// transaction of several parts wants one for each; one to cancel ends the context. What is heard is taken away.
func (j *journal) listen(ctx context.Context, id string) (context.Context, <-chan struct{}, func(), error) {
	key := "requests/" + id
	_, at, err := j.store.List(ctx, key)
	if err != nil {
		return nil, nil, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	release := make(chan struct{}, 1)
	go func() {
		for change := range j.store.Watch(watching, key, at+1) {
			for _, r := range change.Put {
				// Who said it learns by this that it was heard; where it fails he is told that it was not.
				_, _ = j.store.Commit(watching, store.Tx{Delete: []string{key}})
				switch string(r.Value) {
				case "confirm":
					select {
					case release <- struct{}{}:
					default: // said twice
					}
				case "cancel":
					cancel(errCancelled)
				}
			}
		}
	}()
	return ctx, release, func() { stop(); cancel(nil) }, nil
}
