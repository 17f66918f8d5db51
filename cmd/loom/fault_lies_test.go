//go:build !race

package main

import (
	"os"
	"testing"
)

// Too slow under the race detector, where a few do: TestADeviceThatDoesLessThanItSaysIsCaught.
func TestADeviceThatDoesLessThanItSaysIsCaughtEveryTime(t *testing.T) {
	t.Parallel()
	n := 100
	if os.Getenv("LOOM_SOAK") != "" {
		n = 400
	}
	lie(t, n)
}
