//go:build !race

package main

import (
	"slices"
	"testing"
)

func largeTopologies(t *testing.T) []string {
	return topologiesThat(t, func(devices int) bool { return !isSmall(devices) })
}

func TestTheTourHoldsOnLargeTopologies(t *testing.T) {
	t.Parallel()
	for _, file := range largeTopologies(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			if slices.Contains(disagree, file) {
				t.Skip("lines: what they show can stay behind, and then a gate does not open; docs/simulator.md says how")
			}
			if file == "demo.yaml" {
				tourHolds(t, file) // as users run it: with real speakers
			} else {
				tourHolds(t, file, "--bgp", bgpComputed)
			}
		})
	}
}

// disagree are topologies on which speakers and computation do not show the same yet: gateways pass on to spines what they have heard from others
// of them, and speakers send one to three routes more than is computed. The spines take none of them, as their own AS is in the path.
var disagree = []string{"ring.yaml", "twin.yaml"}

func TestSpeakersAndComputationAgreeOnLargeTopologies(t *testing.T) {
	for _, file := range largeTopologies(t) {
		t.Run(file, func(t *testing.T) {
			if slices.Contains(disagree, file) {
				t.Skip("gateways: counts of routes differ; docs/simulator.md says how")
			}
			speakersAndComputationAgree(t, file)
		})
	}
}
