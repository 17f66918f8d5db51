package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// Every topology that we ship can be planned, applied, grown and repaired; the larger ones see large_test.go. BGP is
// computed: real speakers take their time, and TestSpeakersAndComputationAgree has them.
func TestTheTourHoldsOnSmallTopologies(t *testing.T) {
	t.Parallel()
	for _, file := range smallTopologies(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			tourHolds(t, file, "--bgp", bgpComputed)
		})
	}
}

// tourHolds runs `loom demo FILE ARGS`.
func tourHolds(t *testing.T, file string, args ...string) {
	t.Helper()
	var out, errs bytes.Buffer
	args = append([]string{"demo", filepath.Join(topologiesDir(t), file)}, args...)
	code := run(t.Context(), args, &terminal{in: strings.NewReader(""), out: &out, err: &errs})
	steps := "All 13 steps hold"
	if strings.Contains(out.String(), "14  Every channel is lit") {
		steps = "All 18 steps hold"
	}
	if code != exitOK || !strings.Contains(out.String(), steps) {
		t.Errorf("exit code %d: %s\n%s", code, errs.String(), out.String())
	}
}

func TestATourThatDoesNotHoldEndsWithStatus1(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	code := run(ctx, []string{"demo", filepath.Join(topologiesDir(t), "tiny.yaml")}, &terminal{in: strings.NewReader(""), out: &out, err: &errs})
	if code != exitError || !strings.Contains(errs.String(), "step 2 does not hold") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}
