//go:build crashpoints

package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/loomfabric/loom/pkg/crash"
	"github.com/loomfabric/loom/pkg/store"
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
func tuned(l transaction.Limits) transaction.Limits { return from("LOOM_LIMITS", l) }

// tunedBounds are those of a store, with those that $LOOM_BOUNDS names in the same way.
func tunedBounds(b bounds) bounds { return from("LOOM_BOUNDS", b) }

// tunedStore is how a store is opened. With $LOOM_OPERATIONS its transactions are so small that a small change is
// prepared in several.
func tunedStore(o store.Options) store.Options {
	o.Operations = from("LOOM_OPERATIONS", o.Operations)
	return o
}

// from is a value with what a variable of the environment says of it, as JSON.
func from[T any](name string, v T) T {
	if text := os.Getenv(name); text != "" {
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			panic(fmt.Sprintf("%s: %v", name, err))
		}
	}
	return v
}
