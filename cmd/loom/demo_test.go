package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every topology that we ship can be planned, applied, grown and repaired: the demo's with real speakers, which take
// their time; TestSpeakersAndComputationAgree has them for the others.
func TestTheTourHoldsOnEveryTopology(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(topologiesDir(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			path := filepath.Join(topologiesDir(t), e.Name())
			args := []string{"demo", path, "--bgp", bgpComputed}
			switch {
			case raced && e.Name() == "clos-4x16.yaml":
				t.Log("20 devices: without the race detector, by make test")
				return
			case !raced && e.Name() == "demo.yaml":
				args = args[:2] // as users run it
			}
			code := run(t.Context(), args, &terminal{in: strings.NewReader(""), out: &out, err: &errs})
			if code != exitOK || !strings.Contains(out.String(), "All 13 steps hold") {
				t.Errorf("exit code %d: %s\n%s", code, errs.String(), out.String())
			}
		})
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
