package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/store"
)

// Plans that are old or too many are forgotten, and who asks for one is told so; the others are there as they were.
func TestOldPlansAreForgottenAndNotSilently(t *testing.T) {
	t.Parallel()
	_, s := newLedger(t)
	x := &serving{store: s, wake: make(chan struct{}, 1), retention: controller.Retention{Newest: 100, For: 48 * time.Hour}}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var ids []string
	for i := range 150 { // one in 20 minutes: the first 6 are 48 hours old, and 44 more are too many
		at := now.Add(-time.Duration(149-i) * 20 * time.Minute)
		p := &controller.Planned{ID: "plan-" + at.Format(numberLayout) + "-0000", Topology: "lab", At: at, Plan: &plan.Plan{}}
		if err := errors.Join(x.describe(p), x.putPlan(t.Context(), store.Tx{}, p, "planned")); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.ID)
	}
	if err := forgetPlans(t.Context(), s, x.retention, now); err != nil {
		t.Fatal(err)
	}
	all, err := x.Plans(t.Context(), "lab")
	if err != nil || len(all) != 100 || all[0].ID != ids[149] || all[99].ID != ids[50] {
		t.Fatalf("%d plans are left, %v; want the newest 100", len(all), err)
	}
	for _, tt := range []struct{ id, says string }{
		{ids[0], "no such plan any more: plans are kept for 2 days, and the newest 100 (loom serve --plans-for, --plans); plan again"},
		{ids[49], "no such plan any more"},
		{ids[149] + "1", "no such plan; plan again"},
		{"nonsense", "nonsense: no such plan; plan again"},
	} {
		if _, err := x.Plan(t.Context(), tt.id); !errors.Is(err, controller.ErrNoPlan) || !strings.Contains(fmt.Sprint(err), tt.says) {
			t.Errorf("%s: %v, want %q", tt.id, err, tt.says)
		}
	}
	if p, err := x.Plan(t.Context(), ids[50]); err != nil || p.ID != ids[50] {
		t.Errorf("the oldest that is kept: %v", err)
	}
}

func TestPlansAreKeptLongEnoughToBeOfUse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		keep controller.Retention
		says string
	}{
		{controller.DefaultRetention, ""},
		{controller.Retention{Newest: 0, For: 48 * time.Hour}, "--plans 0: use 1 or more"},
		{controller.Retention{Newest: 1, For: time.Hour}, "--plans-for 1h0m0s: use 24h0m0s or more"},
	} {
		if err := checkRetention(tt.keep); (err != nil) != (tt.says != "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%+v: %v, want %q", tt.keep, err, tt.says)
		}
	}
}
