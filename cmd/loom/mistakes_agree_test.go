//go:build !race

package main

import "testing"

// A network that has been configured or cabled wrongly fails the same way, whether speakers find out or it is computed.
func TestSpeakersAndComputationAgreeOnMistakes(t *testing.T) {
	for file, steps := range mistakes {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			live, computed := newFleet(t, file, bgpLive), newFleet(t, file, bgpComputed)
			live.configure(t)
			computed.configure(t)
			live.agrees(t, computed)
			for _, step := range steps {
				t.Run(step.name, func(t *testing.T) {
					for _, m := range step.made {
						m.make(t, live)
						m.make(t, computed)
					}
					live.agrees(t, computed)
				})
			}
		})
	}
}
