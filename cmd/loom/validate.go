package main

import (
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/spf13/cobra"
)

func validateCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "validate [PATH...]",
		Short: "Check topology files",
		Long: `Checks topology files all the way to the configuration of every device, without touching
one. Every mistake is listed, with file:line:column, what is wrong and how to mend it.`,
		Example:           "  loom validate topologies/demo.yaml\n  loom validate --format json fabric/\n  loom validate --server topologies/demo.yaml",
		ValidArgsFunction: yamlFiles,
	}
	format := formatFlag(c, "text", "json")
	q := questionFlags(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		var v controller.Validation
		there, err := q.there()
		switch {
		case err != nil:
		case there:
			err = q.ask(cmd.Context(), args, nil, func(x *client, of controller.Subject) (err error) {
				if v, err = x.validate(cmd.Context(), of); err == nil {
					err = sayDiagnostics(t, v.Diagnostics)
				}
				return err
			})
		default:
			var n *network
			if n, err = compilePaths(t, args, nil); err == nil {
				v = n.validation()
			}
		}
		if *format == "json" {
			return validateJSON(t, err)
		}
		if err != nil {
			return err
		}
		t.printf("%s: valid, %s\n", v.Topology, summary(v))
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

// validation says how large a network is.
func (n *network) validation() controller.Validation {
	out := controller.Validation{Topology: n.design.Name, Devices: len(n.design.Devices), Cables: len(n.design.Cables), Tenants: len(n.topo.Intent.Tenants)}
	for _, x := range n.topo.Intent.Tenants {
		out.Segments += len(x.Segments)
	}
	for _, tree := range n.trees {
		out.Leaves += tree.Leaves()
	}
	return out
}

// summary says it in a line.
func summary(v controller.Validation) string {
	return sizes(v.Devices, "device", v.Cables, "cable", v.Tenants, "tenant", v.Segments, "segment", v.Leaves, "configuration leaf")
}
