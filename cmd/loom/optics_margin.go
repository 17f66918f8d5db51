package main

import (
	"fmt"
	"strings"

	"github.com/loomfabric/loom/pkg/optics"
	"github.com/spf13/cobra"
)

func opticsMarginCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "margin PATH...",
		Short: "List the margin of every channel, today and later",
		Long: `Lists every channel of a topology with the margin that it is asked to keep, what it has today, with
every slot of its lines lit, and at the end of their life, and what it arrives with. Of the two
directions it shows the one that has less. What limits a margin is the GSNR (gsnr), or on a line
without an amplifier before its receivers the received power (rx-power-low, rx-power-high), if that
has less to spare. Nothing is read from a device: loom optics watch compares these figures with what
receivers report.`,
		Example:           "  loom optics margin topologies/twin.yaml\n  loom optics margin topologies/twin.yaml --format csv",
		Args:              namedFiles,
		ValidArgsFunction: yamlFiles,
	}
	format := formatFlag(c, "text", "json", "csv")
	releases := releaseFlag(c)
	line := c.Flags().String("line", "", "only channels on the line of this `NAME`")
	c.RunE = func(_ *cobra.Command, args []string) error {
		n, lines, err := lit(t, args, *releases, *line)
		if err != nil {
			return err
		}
		names := map[string]bool{}
		for _, l := range lines {
			names[l.Name] = true
		}
		out, err := n.margins(names)
		if err != nil {
			return err
		}
		return out.print(t, *format)
	}
	return c
}

// margins has a line for each channel that passes one of some lines.
func (n *network) margins(lines map[string]bool) (table, error) {
	out := table{header: []string{"channel", "over", "frequency", "mode", "asked", "today", "full", "old", "full and old", "limited by", "GSNR", "received", "dispersion", "one way"}}
	for i := range n.design.Channels {
		c := &n.design.Channels[i]
		passes := false
		for _, l := range c.Lines {
			passes = passes || lines[l]
		}
		if !passes {
			continue
		}
		all, err := n.design.Margins(c)
		if err != nil {
			return out, err
		}
		row := []string{c.Name, strings.Join(c.Lines, " + "), fmt.Sprintf("%.5f THz", float64(c.Slot.Frequency())), c.Mode.Name, decibels(c.Asked)}
		for _, m := range all {
			row = append(row, decibels(m.Margin))
		}
		now := all[0].Arrival
		row = append(row, all[len(all)-1].Arrival.Limit.String(), decibels(now.Verdict.GSNR), fmt.Sprintf("%.1f dBm", float64(now.Light.Power)), fmt.Sprintf("%.0f ps/nm", now.Light.Dispersion),
			fmt.Sprintf("%.3f ms", now.Light.Latency))
		out.rows = append(out.rows, row)
	}
	return out, nil
}

func decibels(x optics.DB) string { return fmt.Sprintf("%.2f dB", float64(x)) }
