package main

import (
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/spf13/cobra"
)

func validateCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "validate [PATH...]",
		Short: "Check topology files",
		Long: `Checks topology files all the way to the configuration of every device, without touching
one. Every mistake is listed, with file:line:column, what is wrong and how to mend it.`,
		Example:           "  loom validate topologies/demo.yaml\n  loom validate --format json fabric/",
		ValidArgsFunction: yamlFiles,
	}
	format := formatFlag(c, "text", "json")
	c.RunE = func(_ *cobra.Command, args []string) error {
		srcs, err := sources(args)
		if err != nil {
			return err
		}
		n, err := compileNetwork(t, srcs, nil)
		if *format == "json" {
			return validateJSON(t, err)
		}
		if err != nil {
			return err
		}
		t.printf("%s: valid, %s\n", n.design.Name, summary(n))
		return nil
	}
	return c
}

// validateJSON prints the diagnostics, none for a valid topology, as an array.
func validateJSON(t *terminal, err error) error {
	diags := topology.Diagnostics{}
	if invalid, ok := err.(invalidError); ok {
		diags = invalid.diags
		err = exit{code: exitError}
	}
	if e := t.json(diags); e != nil {
		return e
	}
	return err
}

// summary says in a line how large a network is.
func summary(n *network) string {
	tenants, segments := len(n.topo.Intent.Tenants), 0
	for _, x := range n.topo.Intent.Tenants {
		segments += len(x.Segments)
	}
	leaves := 0
	for _, tree := range n.trees {
		leaves += tree.Leaves()
	}
	return sizes(len(n.design.Devices), "device", len(n.design.Cables), "cable", tenants, "tenant", segments, "segment", leaves, "configuration leaf")
}
