package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/spf13/cobra"
)

// table is an answer: rows under a header.
type table struct {
	header []string
	rows   [][]string
}

// tables are the things that can be listed by name.
var tables = map[string]func(*network) table{
	"devices":   devicesTable,
	"cables":    cablesTable,
	"addresses": addressesTable,
	"segments":  segmentsTable,
	"tenants":   tenantsTable,
	"ports":     portsTable,
	"dcis":      dcisTable,
	"spans":     spansTable,
	"outages":   outagesTable,
}

func queryCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "query WHAT [PATH...]",
		Short: "List what the design decided",
		Long: `Lists what WHAT says:
  devices, cables, addresses, tenants, segments, ports   of the design
  dcis      what joins sites: its service, why it has it, and how much it carries
  spans     the tenants and segments that several sites have, and what carries them
  outages   what a cut of each duct takes with it, and what it leaves to tenants
  PATH      every matching leaf of the intended configurations; a * stands for any key`,
		Example: `  loom query devices topologies/demo.yaml
  loom query outages topologies/twin.yaml
  loom query spans topologies/stitched.yaml
  loom query '/network-instance[name=*]/protocols/bgp/autonomous-system' topologies/demo.yaml --format csv
  loom query segments --server --topology demo --revision 7`,
		Args: needs(1, "what to list"),
		ValidArgsFunction: func(c *cobra.Command, args []string, s string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return sortedKeys(tables), cobra.ShellCompDirectiveNoFileComp
			}
			return yamlFiles(c, args, s)
		},
	}
	format := formatFlag(c, "text", "json", "csv")
	releases := releaseFlag(c)
	limit := limitFlag(c)
	q := questionFlags(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		var result table
		there, err := q.there()
		switch {
		case err != nil:
		case there:
			err = q.ask(cmd.Context(), args[1:], *releases, func(x *client, of controller.Subject) (err error) {
				result, err = x.query(cmd.Context(), of, args[0], *limit)
				return err
			})
		default:
			var n *network
			if n, err = compilePaths(t, args[1:], *releases); err == nil {
				result, err = n.query(args[0], *limit)
			}
		}
		if err != nil {
			return err
		}
		return result.print(t, *format)
	}
	return c
}

func (n *network) query(what, limit string) (table, error) {
	if list, ok := tables[what]; ok {
		if limit != "" {
			return table{}, fmt.Errorf("--limit works with a path, not with %s", what)
		}
		return list(n), nil
	}
	if !strings.HasPrefix(what, "/") {
		return table{}, fmt.Errorf("%s: nothing of that name; use %s, or a path that begins with /", what, strings.Join(sortedKeys(tables), ", "))
	}
	pattern, err := config.ParsePath(what)
	if err != nil {
		return table{}, err
	}
	names, _, err := selectDevices(n.design, limit)
	if err != nil {
		return table{}, err
	}
	if err := n.known(names, pattern); err != nil {
		return table{}, err
	}
	out := table{header: []string{"device", "path", "value"}}
	for _, name := range names {
		leaves(n.trees[name].Root(), func(c config.Cursor) {
			if p := c.Path(); matchesPath(p, pattern) {
				out.rows = append(out.rows, []string{name, p.String(), c.Shown()})
			}
		})
	}
	return out, nil
}

// matchesPath tells whether a leaf's path lies at or below a pattern; a key of * and an absent key match any.
func matchesPath(p, pattern config.Path) bool {
	if len(p) < len(pattern) {
		return false
	}
	for i, e := range pattern {
		if e.Name != p[i].Name && e.Name != "*" {
			return false
		}
		for _, want := range e.Keys {
			if want.Value != "*" && keyOf(p[i], want.Name) != want.Value {
				return false
			}
		}
	}
	return true
}

func keyOf(e config.Elem, name string) string {
	for _, k := range e.Keys {
		if k.Name == name {
			return k.Value
		}
	}
	return ""
}

// print writes a table for people, scripts or spreadsheets.
func (x table) print(t *terminal, format string) error {
	switch format {
	case "json":
		return t.json(x.objects())
	case "csv":
		return x.csv(t.out)
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(x.header, "\t"))
	for _, r := range x.rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}

// objects turns rows into objects with the header's names, spaces as underscores.
func (x table) objects() []map[string]string {
	out := make([]map[string]string, 0, len(x.rows))
	for _, r := range x.rows {
		o := map[string]string{}
		for i, h := range x.header {
			o[strings.ReplaceAll(h, " ", "_")] = r[i]
		}
		out = append(out, o)
	}
	return out
}

func devicesTable(n *network) table {
	out := table{header: []string{"name", "site", "role", "platform", "release", "asn", "loopback", "management", "group", "labels"}}
	for _, d := range n.design.Devices {
		mgmt, loopback := "", ""
		if d.Management.IsValid() {
			mgmt = d.Management.String()
		}
		if d.Loopback.IsValid() {
			loopback = d.Loopback.String()
		}
		out.rows = append(out.rows, []string{
			d.Name, d.Site, string(d.Role), d.Platform.Name, d.Release, fmt.Sprint(d.ASN), loopback, mgmt, d.Group, strings.Join(d.Labels, " "),
		})
	}
	return out
}

func cablesTable(n *network) table {
	out := table{header: []string{"a", "a port", "b", "b port", "speed", "origin"}}
	for _, c := range n.design.Cables {
		origin := "listed"
		if c.Derived {
			origin = "derived"
		}
		out.rows = append(out.rows, []string{c.A.Device, c.A.Port, c.B.Device, c.B.Port, c.Speed, origin})
	}
	return out
}

// addressesTable lists every address with the interface that has it; an anycast gateway is listed
// on each leaf.
func addressesTable(n *network) table {
	out := table{header: []string{"device", "interface", "address", "vrf", "use"}}
	for _, d := range n.design.Devices {
		for _, p := range d.Loopbacks() {
			out.rows = append(out.rows, []string{d.Name, "system0.0", p.String(), "default", "loopback"})
		}
		if d.Management.IsValid() {
			out.rows = append(out.rows, []string{d.Name, "mgmt0.0", d.Management.String(), "mgmt", "management"})
		}
		for _, l := range d.Links {
			if l.Addr.IsValid() {
				out.rows = append(out.rows, []string{d.Name, l.Port + ".0", l.Addr.String(), "default", "link to " + l.PeerName})
			}
		}
		for _, x := range d.WAN.Trunks {
			out.rows = append(out.rows, []string{d.Name, x.Name, x.Addr.String(), "default", "trunk to " + x.PeerName})
		}
		out.rows = append(out.rows, gatewayRows(d)...)
	}
	return out
}

func gatewayRows(d *fabric.Device) [][]string {
	var out [][]string
	for _, s := range d.Segments {
		for _, g := range s.Gateway {
			out = append(out, []string{d.Name, fmt.Sprintf("irb1.%d", s.Number), g.String(), s.VRF, "gateway of " + s.Key})
		}
	}
	return out
}

func tenantsTable(n *network) table {
	out := table{header: []string{"tenant", "vni", "evi", "route target", "leaves"}}
	seen := map[string]int{}
	for _, d := range n.design.Devices {
		for _, v := range d.VRFs {
			i, ok := seen[v.Key]
			if !ok {
				i = len(out.rows)
				seen[v.Key] = i
				out.rows = append(out.rows, []string{v.Key, fmt.Sprint(v.VNI), fmt.Sprint(v.EVI), v.RT, ""})
			}
			out.rows[i][4] = appendWord(out.rows[i][4], d.Name)
		}
	}
	return out
}

func segmentsTable(n *network) table {
	out := table{header: []string{"segment", "vni", "evi", "route target", "gateway", "leaves"}}
	seen := map[string]int{}
	for _, d := range n.design.Devices {
		for _, s := range d.Segments {
			i, ok := seen[s.Key]
			if !ok {
				i = len(out.rows)
				seen[s.Key] = i
				gw := ""
				for _, g := range s.Gateway {
					gw = appendWord(gw, g.String())
				}
				out.rows = append(out.rows, []string{s.Key, fmt.Sprint(s.VNI), fmt.Sprint(s.EVI), s.RT, gw, ""})
			}
			out.rows[i][5] = appendWord(out.rows[i][5], d.Name)
		}
	}
	return out
}

func portsTable(n *network) table {
	out := table{header: []string{"device", "port", "lag", "segments", "description"}}
	for _, d := range n.design.Devices {
		subs := map[uint32][]fabric.SubPort{}
		for _, l := range d.LAGs {
			subs[l.Number] = l.Subs
		}
		for _, p := range d.Ports {
			lag, list := "", p.Subs
			if p.LAG != 0 {
				lag, list = fmt.Sprintf("lag%d", p.LAG), subs[p.LAG]
			}
			names := ""
			for _, s := range list {
				names = appendWord(names, s.Segment)
			}
			out.rows = append(out.rows, []string{d.Name, p.Port, lag, names, p.Description})
		}
	}
	return out
}

func appendWord(list, word string) string {
	if list == "" {
		return word
	}
	return list + " " + word
}
