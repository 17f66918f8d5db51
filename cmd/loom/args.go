package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// needs demands the first n arguments of a command, and says what they are where they are absent.
func needs(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < n {
			return fmt.Errorf("%s needs %s: %s", c.Name(), what, usageLine(c))
		}
		return nil
	}
}

// noArguments refuses arguments.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s: %s takes no arguments: %s", args[0], c.Name(), usageLine(c))
	}
	return nil
}

func usageLine(c *cobra.Command) string { return strings.TrimSuffix(c.UseLine(), " [flags]") }
