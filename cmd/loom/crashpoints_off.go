//go:build !crashpoints

package main

import (
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/spf13/cobra"
)

// testCommands are those that only a build for tests has.
func testCommands(*terminal) []*cobra.Command { return nil }

// tuned are the limits of a transaction, which only a build for tests changes.
func tuned(l transaction.Limits) transaction.Limits { return l }
