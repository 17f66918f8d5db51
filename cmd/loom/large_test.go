//go:build !race

package main

import (
	"slices"
	"testing"
)

func largeTopologies(t *testing.T) []string {
	return topologiesThat(t, func(devices int) bool { return !isSmall(devices) })
}

// toured are the topologies of which CI runs the tour as users do: `make demo`.
var toured = []string{"demo.yaml", "twin.yaml", "stitched.yaml"}

func TestTheTourHoldsOnLargeTopologies(t *testing.T) {
	t.Parallel()
	for _, file := range largeTopologies(t) {
		if slices.Contains(toured, file) {
			continue
		}
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			tourHolds(t, file, "--bgp", bgpComputed)
		})
	}
}

func TestComputedLargeNetworksComeUp(t *testing.T) {
	t.Parallel()
	for _, file := range largeTopologies(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			comesUp(t, file)
		})
	}
}

func TestSpeakersAndComputationAgreeOnLargeTopologies(t *testing.T) {
	for _, file := range largeTopologies(t) {
		t.Run(file, func(t *testing.T) { speakersAndComputationAgree(t, file) })
	}
}
