//go:build !crashpoints

package main

import (
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/spf13/cobra"
)

// testCommands are those that only a build for tests has.
func testCommands(*terminal) []*cobra.Command { return nil }

// tuned are the limits of a transaction, which only a build for tests changes.
func tuned(l transaction.Limits) transaction.Limits { return l }

// tunedStore is how a store is opened, and tunedBounds what its holder keeps to. The same holds for them.
func tunedStore(o store.Options) store.Options { return o }
func tunedBounds(b bounds) bounds              { return b }
