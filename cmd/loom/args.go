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

// one demands one argument, and says what it is.
func one(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > 1 {
			return fmt.Errorf("%s: %s takes %s and nothing more: %s", args[1], c.Name(), what, usageLine(c))
		}
		return needs(1, what)(c, args)
	}
}

// group makes a command of one that only has others below it: by itself it helps, and a mistyped one below it is a mistake.
func group(c *cobra.Command) *cobra.Command {
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		var names []string
		for _, below := range c.Commands() {
			names = append(names, below.Name())
		}
		return fmt.Errorf("%s has no command %s; %s", c.CommandPath(), args[0], meant(args[0], names))
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	return c
}

// noArguments refuses arguments.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s: %s takes no arguments: %s", args[0], c.Name(), usageLine(c))
	}
	return nil
}

func usageLine(c *cobra.Command) string { return strings.TrimSuffix(c.UseLine(), " [flags]") }
