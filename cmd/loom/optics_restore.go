package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/spf13/cobra"
)

func opticsRestore(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "restore PATH...",
		Short: "Lead channels over other lines than those that have failed",
		Long: `Finds for every channel that passes what has failed another line, or lines one behind the other through
ROADMs: that with the fewest cords to move, then the shortest, over which it closes with the margin that is asked. Each way
is tried by compiling the topology as it would be then. A channel keeps its ports, its mode and, where that is
free there, its frequency. What is not lost stays as it is.

Nothing is changed, and no device is asked. --to writes the topology as it would be, every shorthand spelled
out, for loom plan and loom apply.

Exit code: 0 all that is lost can be moved, 2 some of it cannot, 1 error.`,
		Example: `  loom optics restore lit.yaml --cut north1
  loom optics restore lit.yaml --cut north1 --to restored.yaml
  loom apply restored.yaml --inventory sim.json`,
		Args:              namedFiles,
		ValidArgsFunction: yamlFiles,
	}
	cut := c.Flags().StringSlice("cut", nil, "`DUCTS` that have failed, or what ducts share")
	to := c.Flags().String("to", "", "`FILE` to write the changed topology to")
	format := formatFlag(c, "text", "json")
	c.RunE = func(_ *cobra.Command, args []string) error {
		if len(*cut) == 0 {
			return errors.New("--cut: say what has failed, as --cut north1")
		}
		srcs, err := sources(args)
		if err != nil {
			return err
		}
		topo, diags := topology.Parse(srcs...)
		if diags.HasErrors() {
			return invalid(diags)
		}
		r, err := fabric.Restore(topo, *cut)
		if diags := (topology.Diagnostics)(nil); errors.As(err, &diags) {
			return invalid(diags)
		}
		if err != nil {
			return fmt.Errorf("--cut: %w", err)
		}
		if *format == "json" {
			if err := t.json(restoreResult{append([]fabric.Move{}, r.Moves...), append([]fabric.Stay{}, r.Stays...)}); err != nil {
				return err
			}
		} else {
			for _, line := range restoration(r) {
				t.printf("%s\n", line)
			}
		}
		if *to != "" && len(r.Moves) > 0 {
			if err := writeFile(*to, topology.Expand(r.Topology)); err != nil {
				return fmt.Errorf("--to %s: %w", *to, err)
			}
		}
		if len(r.Stays) > 0 {
			return exit{code: exitChanges}
		}
		return nil
	}
	return c
}

// restoreResult is what can be moved, and what cannot; neither is null.
type restoreResult struct {
	Moves []fabric.Move `json:"moves"`
	Stays []fabric.Stay `json:"stays"`
}

// restoration is a proposal in sentences.
func restoration(r *fabric.Restoration) []string {
	var out []string
	for _, m := range r.Moves {
		line := fmt.Sprintf("%s goes over %s instead of %s", m.Channel, strings.Join(m.To, " + "), strings.Join(m.From, " + "))
		if m.Was == m.Now {
			line += fmt.Sprintf(", still at %.5f THz", float64(m.Now)/1e6)
		} else {
			line += fmt.Sprintf(", at %.5f THz instead of %.5f THz", float64(m.Now)/1e6, float64(m.Was)/1e6)
		}
		out = append(out, fmt.Sprintf("%s, with %.2f dB of margin at the end of life", line, float64(m.Left)))
		for _, p := range m.Plugs {
			out = append(out, "   to be plugged: "+p.String())
		}
	}
	for _, s := range r.Stays {
		out = append(out, fmt.Sprintf("%s cannot be moved: %s", s.Channel, s.Why))
	}
	if len(out) == 0 {
		out = []string{"no channel passes it"}
	}
	return out
}
