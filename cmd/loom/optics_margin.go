package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/controller"
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
		Example:           "  loom optics margin topologies/twin.yaml\n  loom optics margin topologies/twin.yaml --format csv\n  loom optics margin --server --topology twin",
		ValidArgsFunction: yamlFiles,
	}
	format := formatFlag(c, "text", "json", "csv")
	releases := releaseFlag(c)
	line := c.Flags().String("line", "", "only channels on the line of this `NAME`")
	q := questionFlags(c)
	c.Args = func(c *cobra.Command, args []string) error {
		if *q.server != "" {
			return nil
		}
		return namedFiles(c, args)
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		var light controller.Light
		there, err := q.there()
		switch {
		case err != nil:
		case there:
			err = q.ask(cmd.Context(), args, *releases, func(x *client, of controller.Subject) (err error) {
				light, err = x.light(cmd.Context(), of)
				return err
			})
		default:
			var n *network
			if n, err = compilePaths(t, args, *releases); err == nil {
				light, err = n.light()
			}
		}
		if err != nil {
			return err
		}
		out, err := marginsTable(light, *line)
		if err != nil {
			return err
		}
		return out.print(t, *format)
	}
	return c
}

// light is every channel with what it keeps.
func (n *network) light() (controller.Light, error) {
	out := controller.Light{Topology: n.design.Name}
	for i := range n.design.Lines {
		out.Lines = append(out.Lines, n.design.Lines[i].Name)
	}
	for i := range n.design.Channels {
		c := &n.design.Channels[i]
		all, err := n.design.Margins(c)
		if err != nil {
			return out, err
		}
		now := all[0].Arrival
		x := controller.Channel{
			Name: c.Name, DCI: c.DCI, Lines: c.Lines, Mode: c.Mode.Name, Frequency: uint32(c.Slot.Centre()), Width: uint32(c.Slot.High() - c.Slot.Low()), Rate: c.Mode.Rate,
			Asked: float64(c.Asked), Limit: all[len(all)-1].Arrival.Limit.String(), GSNR: float64(now.Verdict.GSNR),
			Power: float64(now.Light.Power), Dispersion: now.Light.Dispersion, Latency: now.Light.Latency,
		}
		for _, m := range all {
			x.Margins = append(x.Margins, controller.Margin{State: m.State, DB: float64(m.Margin)})
		}
		out.Channels = append(out.Channels, x)
	}
	return out, nil
}

// marginsTable has a line for each channel that passes a line; none: for each channel.
func marginsTable(of controller.Light, line string) (table, error) {
	out := table{header: []string{"channel", "over", "frequency", "mode", "asked", "today", "full", "old", "full and old", "limited by", "GSNR", "received", "dispersion", "one way"}}
	if err := knownLine(of.Topology, line, of.Lines); err != nil {
		return out, err
	}
	for _, c := range of.Channels {
		if line != "" && !slices.Contains(c.Lines, line) {
			continue
		}
		row := []string{c.Name, strings.Join(c.Lines, " + "), fmt.Sprintf("%.5f THz", float64(c.Frequency)/1e6), c.Mode, decibels(optics.DB(c.Asked))}
		for _, m := range c.Margins {
			row = append(row, decibels(optics.DB(m.DB)))
		}
		out.rows = append(out.rows, append(row, c.Limit, decibels(optics.DB(c.GSNR)), fmt.Sprintf("%.1f dBm", c.Power), fmt.Sprintf("%.0f ps/nm", c.Dispersion), fmt.Sprintf("%.3f ms", c.Latency)))
	}
	return out, nil
}

func decibels(x optics.DB) string { return fmt.Sprintf("%.2f dB", float64(x)) }
