package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/spf13/cobra"
)

// exports are the lists that leave Loom as CSV.
var exports = map[string]func(*network) table{
	"cables":    cablesTable,
	"addresses": addressesTable,
	"bom":       bomTable,
}

func exportCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "export cables|addresses|bom [PATH...]",
		Short: "Write the cabling plan, the addresses or the bill of materials as CSV",
		Long: `Writes a list for people and systems outside Loom: the cables to pull, every address with the
interface that has it, or how many of which box and cable to buy.`,
		Example: "  loom export cables topologies/demo.yaml > cables.csv\n  loom export bom topologies/demo.yaml",
		Args:    needs(1, "a list to write"),
		ValidArgsFunction: func(c *cobra.Command, args []string, s string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return sortedKeys(exports), cobra.ShellCompDirectiveNoFileComp
			}
			return yamlFiles(c, args, s)
		},
	}
	format := formatFlag(c, "csv", "json", "text")
	c.RunE = func(_ *cobra.Command, args []string) error {
		list, ok := exports[args[0]]
		if !ok {
			return fmt.Errorf("%s: no such list; use %s", args[0], strings.Join(sortedKeys(exports), ", "))
		}
		srcs, err := sources(args[1:])
		if err != nil {
			return err
		}
		n, err := compileNetwork(t, srcs, nil)
		if err != nil {
			return err
		}
		return list(n).print(t, *format)
	}
	return c
}

func (x table) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	_ = out.Write(x.header)
	_ = out.WriteAll(x.rows)
	return out.Error()
}

// bomTable counts boxes by platform, and cables by speed and the kinds of ports they join.
func bomTable(n *network) table {
	count := map[[2]string]int{}
	for _, d := range n.design.Devices {
		count[[2]string{"device", d.Platform.Name}]++
	}
	for _, c := range n.design.Cables {
		if c.A.Server || c.B.Server {
			count[[2]string{"cable", "to a server"}]++
			continue
		}
		if c.B.External {
			count[[2]string{"cable", "to a router between sites"}]++
			continue
		}
		ends := []string{n.portKind(c.A.Device, c.A.Port), n.portKind(c.B.Device, c.B.Port)}
		slices.Sort(ends)
		count[[2]string{"cable", fmt.Sprintf("%s between %s", c.Speed, strings.Join(ends, " and "))}]++
	}
	out := table{header: []string{"kind", "item", "quantity"}}
	for _, k := range slices.SortedFunc(maps.Keys(count), func(a, b [2]string) int {
		return strings.Compare(b[0]+"\x00", a[0]+"\x00")*2 + strings.Compare(a[1], b[1])
	}) {
		out.rows = append(out.rows, []string{k[0], k[1], fmt.Sprint(count[k])})
	}
	return out
}

// portKind is a port by what fits into it: "100G port of 7220-IXR-D2L".
func (n *network) portKind(device, port string) string {
	p := n.design.Device(device).Platform
	i := slices.IndexFunc(p.Ports, func(x hardware.Port) bool { return x.Name == port })
	if i < 0 || len(p.Ports[i].Speeds) == 0 {
		return "port of " + p.Name
	}
	return p.Ports[i].Speeds[0] + " port of " + p.Name
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
