//go:build crashpoints

package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/loomfabric/loom/pkg/crash"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/spf13/cobra"
)

// testCommands lists the points at which a test may kill this program.
func testCommands(t *terminal) []*cobra.Command {
	return []*cobra.Command{{
		Use: "crash-points", Short: "Points at which a test may kill this program", Args: cobra.NoArgs, Hidden: true,
		RunE: func(*cobra.Command, []string) error { return t.json(crash.Names()) },
	}}
}

// tuned are the limits of a transaction, with those that $LOOM_LIMITS names as JSON, in nanoseconds: a test
// does not wait for minutes, which the command line rightly demands.
func tuned(l transaction.Limits) transaction.Limits {
	if text := os.Getenv("LOOM_LIMITS"); text != "" {
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			panic(fmt.Sprintf("LOOM_LIMITS: %v", err))
		}
	}
	return l
}
