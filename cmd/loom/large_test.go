//go:build !race

package main

import "testing"

func largeTopologies(t *testing.T) []string {
	return topologiesThat(t, func(devices int) bool { return !isSmall(devices) })
}

func TestTheTourHoldsOnLargeTopologies(t *testing.T) {
	t.Parallel()
	for _, file := range largeTopologies(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			if file == "demo.yaml" {
				tourHolds(t, file) // as users run it: with real speakers
			} else {
				tourHolds(t, file, "--bgp", bgpComputed)
			}
		})
	}
}

func TestSpeakersAndComputationAgreeOnLargeTopologies(t *testing.T) {
	for _, file := range largeTopologies(t) {
		t.Run(file, func(t *testing.T) { speakersAndComputationAgree(t, file) })
	}
}
