package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/store"
)

// forgetOld forgets what is not to be kept any more, each hour until ctx ends.
func (s *serving) forgetOld(ctx context.Context) {
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		err := errors.Join(forgetAnswers(ctx, s.store, time.Now()), forgetPlans(ctx, s.store, s.retention, time.Now()))
		if err != nil && ctx.Err() == nil {
			s.log.Error("what is old was not forgotten", "error", err)
		}
		select {
		case <-hourly.C:
		case <-ctx.Done():
			return
		}
	}
}

// forgottenPlans has the id of the last plan that was forgotten: none that was made before it is there.
const forgottenPlans = "forgotten/plans"

// forgetPlans forgets the plans that are not to be kept. Their ids tell when they were made, and are in that order.
func forgetPlans(ctx context.Context, s *store.Store, keep controller.Retention, now time.Time) error {
	keys, err := s.Keys(ctx, planKey(""))
	if err != nil {
		return err
	}
	made := make([]time.Time, len(keys))
	for i, k := range keys {
		if made[i], err = madeAt(strings.TrimPrefix(k.Key, planKey(""))); err != nil {
			return fmt.Errorf("%s: %w", k.Key, err)
		}
	}
	old := keys[:keep.Old(made, now)]
	for some := range slices.Chunk(old, max(s.Operations()/2-1, 1)) {
		tx := store.Tx{Put: map[string][]byte{forgottenPlans: []byte(strings.TrimPrefix(some[len(some)-1].Key, planKey("")))}}
		for _, r := range some {
			tx.Delete, tx.If = append(tx.Delete, r.Key), append(tx.If, store.Unchanged(r))
		}
		if _, err := s.Commit(ctx, tx); err != nil && !errors.Is(err, store.ErrConflict) { // one is in use again: they go the next time
			return err
		}
	}
	return nil
}

// madeAt reads from the id of a plan when it was made.
func madeAt(id string) (time.Time, error) {
	text := strings.TrimPrefix(id, "plan-")
	return time.Parse(numberLayout, text[:min(len(numberLayout), len(text))])
}

// noPlan says why there is no plan of an id.
func (s *serving) noPlan(ctx context.Context, id string) error {
	last, _, err := s.store.Get(ctx, forgottenPlans)
	if err != nil {
		return err
	}
	if _, none := madeAt(id); none == nil && id <= string(last.Value) {
		return fmt.Errorf("%s: %w any more: plans are kept for %d days, and the newest %d (loom serve --plans-for, --plans); plan again", id, controller.ErrNoPlan, int(s.retention.For.Hours()/24), s.retention.Newest)
	}
	return fmt.Errorf("%s: %w; plan again, or look for it with ListPlans", id, controller.ErrNoPlan)
}

// checkRetention refuses what would not keep a plan long enough to be of use.
func checkRetention(r controller.Retention) error {
	switch {
	case r.Newest < 1:
		return fmt.Errorf("--plans %d: use 1 or more", r.Newest)
	case r.For < controller.RequestsLast:
		return fmt.Errorf("--plans-for %s: use %s or more, as so long requests with a key are answered by the plans that they came to", r.For, controller.RequestsLast)
	}
	return nil
}
