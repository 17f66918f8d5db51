package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/fabric"
)

// dcisTable lists what joins sites, with the service and, where it was chosen, why.
func dcisTable(n *network) table {
	out := table{header: []string{"dci", "sites", "service", "because", "channels", "Gb/s", "at"}}
	rate := map[string]int{}
	for _, c := range n.design.Channels {
		rate[c.DCI] += c.Mode.Rate
	}
	for _, x := range n.design.DCIs {
		why := x.Why
		if why == "" && x.Service != "" {
			why = "it asks for it"
		}
		out.rows = append(out.rows, []string{x.Name, x.A + " " + x.B, string(x.Service), why, fmt.Sprint(len(x.Channels)), fmt.Sprint(rate[x.Name] + x.Cables), n.at(string(x.Ref))})
	}
	return out
}

// spansTable lists what tenants and segments several sites have, and what is between each two of them.
func spansTable(n *network) table {
	out := table{header: []string{"tenant or segment", "sites", "service", "over", "Gb/s", "at"}}
	reaches := n.design.Reaches(nil)
	for _, s := range n.design.Spans {
		for i, a := range s.Sites {
			for _, b := range s.Sites[i+1:] {
				at := slices.IndexFunc(reaches, func(r fabric.Reach) bool { return r.Tenant == s.Tenant && r.A == a && r.B == b })
				r := reaches[at]
				out.rows = append(out.rows, []string{s.Key, a + " " + b, string(s.Service), strings.Join(r.Over, " "), fmt.Sprint(r.Was), n.at(string(s.Ref))})
			}
		}
	}
	return out
}

// outagesTable lists what a cut of each duct takes with it, and of what ducts share.
func outagesTable(n *network) table {
	out := table{header: []string{"cut", "lines", "channels", "Gb/s", "parts", "tenants"}}
	for _, o := range n.design.Outages() {
		var islands, tenants []string
		for _, group := range o.Islands {
			islands = append(islands, strings.Join(group, " "))
		}
		for _, r := range o.Tenants {
			tenants = append(tenants, strings.TrimPrefix(r.String(), "tenant "))
		}
		out.rows = append(out.rows, []string{o.Risk, strings.Join(o.Lines, " "), strings.Join(o.Channels, " "), fmt.Sprint(o.Capacity),
			strings.Join(islands, " | "), strings.Join(tenants, "; ")})
	}
	return out
}
