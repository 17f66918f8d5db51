package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/store"
)

// Sources are kept in the store:
//
//	sources/NAME          a controller.Source
//	following/NAME        a controller.Following
//	commits/NAME/NUMBER   each controller.Commit, the last of them
//
// and clones of repositories in the data directory, as sources/NAME. What is in a clone is found again.
func sourceKey(name string) string { return "sources/" + name }

func followingKey(name string) string { return "following/" + name }

func commitsKey(source string) string { return "commits/" + source + "/" }

func commitKey(source string, number int64) string {
	return fmt.Sprintf("%s%016d", commitsKey(source), number)
}

// Bounds of what is followed, and of what is kept of it.
const (
	mostSources = 100
	mostCommits = 1000 // of each source
)

// followers follow the sources.
type followers struct {
	began   time.Time // of this process: transactions from before were cut short
	mu      sync.Mutex
	all     map[string]*sourceRun
	running sync.WaitGroup
}

// followSources has every source followed that there is, until ctx ends.
func (s *serving) followSources(ctx context.Context) {
	defer s.followers.running.Wait()
	for ctx.Err() == nil {
		records, revision, err := s.store.List(ctx, sourceKey(""))
		if err == nil {
			for _, r := range records {
				s.followSource(ctx, r.Key[len(sourceKey("")):])
			}
			err = s.watchSources(ctx, revision+1)
		}
		if ctx.Err() != nil {
			return
		}
		s.log.Error("sources could not be followed; trying again", "error", err)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

func (s *serving) watchSources(ctx context.Context, from int64) error {
	for c := range s.store.Watch(ctx, sourceKey(""), from) {
		if c.Err != nil {
			return c.Err
		}
		for _, r := range c.Put {
			s.followSource(ctx, r.Key[len(sourceKey("")):])
		}
		for _, key := range c.Deleted {
			s.followSource(ctx, key[len(sourceKey("")):])
		}
	}
	return ctx.Err()
}

// followSource has a source followed as it is meant to be by now. A source that is not there is followed no more.
func (s *serving) followSource(ctx context.Context, name string) {
	x := &s.followers
	x.mu.Lock()
	defer x.mu.Unlock()
	f := x.all[name]
	if f == nil {
		if x.all == nil {
			x.all = map[string]*sourceRun{}
		}
		f = newSourceRun(s, name)
		x.all[name] = f
		x.running.Go(func() { f.run(ctx) })
	}
	leaveWord(f.changed)
}

// forget takes a follower off the list whose source is gone, unless that may have come back.
func (x *followers) forget(f *sourceRun) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(f.changed) > 0 {
		return false
	}
	delete(x.all, f.name)
	return true
}

// of is who follows a source; nil: nobody yet.
func (x *followers) of(name string) *sourceRun {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.all[name]
}

// stir has all look again at what their commits wait for.
func (x *followers) stir() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, f := range x.all {
		leaveWord(f.stirred)
	}
}

// PutSource implements controller.Sources.
func (s *serving) PutSource(ctx context.Context, src controller.Source, by string) (*controller.SourceView, error) {
	src.By = by
	if src.Policy == "" {
		src.Policy = controller.ApplyManual
	}
	if err := src.Check(); err != nil {
		return nil, err
	}
	keys, err := s.store.Keys(ctx, sourceKey(""))
	if err != nil {
		return nil, err
	}
	known := slices.ContainsFunc(keys, func(r store.Record) bool { return r.Key == sourceKey(src.Name) })
	if !known && len(keys) >= mostSources {
		return nil, controller.Kind(controller.ErrInvalid, fmt.Errorf("source %s: %d are followed already; delete one that is not needed", src.Name, len(keys)))
	}
	data, err := pack(src)
	if err != nil {
		return nil, err
	}
	if _, err := s.store.Commit(ctx, store.Tx{Put: map[string][]byte{sourceKey(src.Name): data}}); err != nil {
		return nil, fmt.Errorf("source %s: %w", src.Name, err)
	}
	s.note(controller.Event{Kind: controller.SourceEvent, By: by, Subject: src.Name, Message: fmt.Sprintf("source %s follows %s", src.Name, placeText(&src))})
	return s.Source(ctx, src.Name)
}

// placeText says what is followed.
func placeText(s *controller.Source) string {
	out := s.Location
	if s.Git() {
		out += " " + s.Revision
	}
	if s.Path != "" {
		out += " " + s.Path
	}
	return fmt.Sprintf("%s (%s)", out, s.Policy)
}

// Source implements controller.Sources.
func (s *serving) Source(ctx context.Context, name string) (*controller.SourceView, error) {
	r, ok, err := s.store.Get(ctx, sourceKey(name))
	if err == nil && !ok {
		err = fmt.Errorf("%q: %w; loom source list shows those there are", name, controller.ErrNoSource)
	}
	if err != nil {
		return nil, err
	}
	return s.sourceView(ctx, r)
}

func (s *serving) sourceView(ctx context.Context, r store.Record) (*controller.SourceView, error) {
	v := &controller.SourceView{}
	if err := unpack(r.Value, &v.Source); err != nil {
		return nil, fmt.Errorf("%s: %w", r.Key, err)
	}
	var err error
	if v.Following, v.Current, err = s.followed(ctx, &v.Source); err != nil {
		return nil, err
	}
	if f := s.followers.of(v.Name); f != nil {
		v.At = f.lookedAt()
	}
	return v, nil
}

// followed is how far a source was followed.
func (s *serving) followed(ctx context.Context, src *controller.Source) (controller.Following, *controller.Commit, error) {
	var at controller.Following
	r, ok, err := s.store.Get(ctx, followingKey(src.Name))
	if err == nil && ok {
		err = unpack(r.Value, &at)
	}
	if err != nil {
		return at, nil, fmt.Errorf("source %s: %w", src.Name, err)
	}
	at = at.Of(src)
	if at.Current == 0 {
		return at, nil, nil
	}
	r, ok, err = s.store.Get(ctx, commitKey(src.Name, at.Current))
	if err != nil || !ok {
		return at, nil, err
	}
	c, err := readCommit(r)
	return at, c, err
}

func readCommit(r store.Record) (*controller.Commit, error) {
	c := &controller.Commit{}
	if err := unpack(r.Value, c); err != nil {
		return nil, fmt.Errorf("%s: %w", r.Key, err)
	}
	for i := range c.Mistakes { // what it is about is kept beside
		c.Mistakes[i].Ref = c.Mistakes[i].Resource
	}
	return c, nil
}

// Sources implements controller.Sources.
func (s *serving) Sources(ctx context.Context) ([]*controller.SourceView, error) {
	records, _, err := s.store.List(ctx, sourceKey(""))
	if err != nil {
		return nil, err
	}
	var out []*controller.SourceView
	for _, r := range records {
		v, err := s.sourceView(ctx, r)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Commits implements controller.Sources.
func (s *serving) Commits(ctx context.Context, source string) ([]*controller.Commit, error) {
	if _, err := s.Source(ctx, source); err != nil {
		return nil, err
	}
	records, _, err := s.store.List(ctx, commitsKey(source))
	if err != nil {
		return nil, err
	}
	var out []*controller.Commit
	for _, r := range slices.Backward(records) {
		c, err := readCommit(r)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// DeleteSource implements controller.Sources.
func (s *serving) DeleteSource(ctx context.Context, name, by string) error {
	if _, err := s.Source(ctx, name); err != nil {
		return err
	}
	tx := store.Tx{Delete: []string{sourceKey(name), followingKey(name)}, Below: []string{commitsKey(name)}}
	if _, err := s.store.Commit(ctx, tx); err != nil {
		return fmt.Errorf("source %s: %w", name, err)
	}
	s.note(controller.Event{Kind: controller.SourceEvent, By: by, Subject: name, Message: fmt.Sprintf("source %s is not followed any more", name)})
	return nil
}

// SyncSource implements controller.Sources.
func (s *serving) SyncSource(ctx context.Context, name string, overwrite bool, by string) (*controller.SourceView, error) {
	if _, err := s.Source(ctx, name); err != nil {
		return nil, err
	}
	if overwrite {
		s.note(controller.Event{Kind: controller.SourceEvent, By: by, Subject: name, Message: fmt.Sprintf("source %s is to be followed, whatever was there before", name)})
	}
	for { // somebody may change the source while it is looked at: then it is looked at as it is now
		err := s.askSource(ctx, name, overwrite)
		if err == nil {
			return s.Source(ctx, name)
		}
		if !errors.Is(err, store.ErrConflict) {
			return nil, err
		}
	}
}

// askSource asks who follows a source to look at it, and waits until that is done.
func (s *serving) askSource(ctx context.Context, name string, overwrite bool) error {
	f, err := s.sourceRun(ctx, name)
	if err != nil {
		return err
	}
	q := &syncAsk{overwrite: overwrite, answered: make(chan error, 1)}
	select {
	case f.questions <- q:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err = <-q.answered:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sourceRun is who follows a source. Of one that was put a moment ago it is waited for.
func (s *serving) sourceRun(ctx context.Context, name string) (*sourceRun, error) {
	limit := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if f := s.followers.of(name); f != nil && f.holds.Load() {
			return f, nil
		}
		select {
		case <-tick.C:
		case <-limit:
			return nil, fmt.Errorf("source %s: %w: another controller follows it", name, controller.ErrNotNow)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// sourceOf is the name of another source that puts a topology; empty: there is none.
func (s *serving) sourceOf(ctx context.Context, topology, but string) (string, error) {
	all, err := s.Sources(ctx)
	if err != nil {
		return "", err
	}
	for _, v := range all {
		if v.Name != but && v.Following.Topology == topology {
			return v.Name, nil
		}
	}
	return "", nil
}

// cloneOf is where the clone of a source's repository is.
func (s *serving) cloneOf(name string) string { return filepath.Join(s.dir, "sources", name) }

// errGone: the source is not there any more.
var errGone = errors.New("the source is gone")
