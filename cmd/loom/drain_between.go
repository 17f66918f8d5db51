package main

import (
	"fmt"
	"slices"

	"github.com/loomfabric/loom/pkg/fabric"
)

// between is what is left between sites while a gateway is drained: of its DCIs, and of the tenants that span sites because of that.
func (o *outage) between(d *fabric.Device) []string {
	if d.Role != fabric.Gateway {
		return nil
	}
	lost, all, mine := map[string]int{}, map[string]int{}, map[string]bool{}
	for i := range o.design.Channels {
		c := &o.design.Channels[i]
		all[c.DCI] += c.Mode.Rate
		if o.out[c.A.Router] || o.out[c.B.Router] {
			lost[c.DCI] += c.Mode.Rate
		}
		mine[c.DCI] = mine[c.DCI] || c.A.Router == d.Name || c.B.Router == d.Name
	}
	for i := range o.design.DCIs {
		x := &o.design.DCIs[i]
		all[x.Name] += x.Cables
		lost[x.Name] += x.Cables - x.Carried(func(c *fabric.Circuit) bool {
			mine[x.Name] = mine[x.Name] || c.Device == d.Name || c.Far == d.Name
			return o.out[c.Device] || o.out[c.Far]
		})
	}
	var out []string
	for _, name := range sortedKeys(mine) {
		if mine[name] {
			out = append(out, fmt.Sprintf("%d of %d Gbit/s of %s are left", all[name]-lost[name], all[name], name))
		}
	}
	for _, r := range o.design.Reaches(lost) {
		switch {
		case !slices.Contains([]string{r.A, r.B}, d.Site):
		case r.Left == 0: // a drained gateway is the last resort, and no way less
			out = append(out, fmt.Sprintf("tenant %s passes over drained gateways between %s and %s: there is no other way", r.Tenant, r.A, r.B))
		case r.Detour:
			out = append(out, r.String())
		}
	}
	return out
}
