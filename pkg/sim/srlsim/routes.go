package srlsim

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// owners are the applications that make routes, by the kind of route.
var owners = map[string]string{
	"local": "net_inst_mgr", "host": "net_inst_mgr", "static": "static_route_mgr", "isis": "isis_mgr", "bgp": "bgp_mgr",
	"bgp-evpn": "bgp_evpn_mgr", "bgp-evpn-ifl-host": "bgp_evpn_mgr", "arp-nd": "arp_nd_mgr",
}

// table is where one family of a route table stands.
type table struct{ route, metric, preference, active, group, updated, total, inUse, shared config.ID }

var (
	ipv4Table = table{
		srl.NetworkInstanceRouteTableIpv4UnicastRoute, srl.NetworkInstanceRouteTableIpv4UnicastRouteMetric,
		srl.NetworkInstanceRouteTableIpv4UnicastRoutePreference, srl.NetworkInstanceRouteTableIpv4UnicastRouteActive,
		srl.NetworkInstanceRouteTableIpv4UnicastRouteNextHopGroup, srl.NetworkInstanceRouteTableIpv4UnicastRouteLastAppUpdate,
		srl.NetworkInstanceRouteTableIpv4UnicastStatisticsTotalRoutes, srl.NetworkInstanceRouteTableIpv4UnicastStatisticsActiveRoutes,
		srl.NetworkInstanceRouteTableIpv4UnicastStatisticsActiveRoutesWithEcmp,
	}
	ipv6Table = table{
		srl.NetworkInstanceRouteTableIpv6UnicastRoute, srl.NetworkInstanceRouteTableIpv6UnicastRouteMetric,
		srl.NetworkInstanceRouteTableIpv6UnicastRoutePreference, srl.NetworkInstanceRouteTableIpv6UnicastRouteActive,
		srl.NetworkInstanceRouteTableIpv6UnicastRouteNextHopGroup, srl.NetworkInstanceRouteTableIpv6UnicastRouteLastAppUpdate,
		srl.NetworkInstanceRouteTableIpv6UnicastStatisticsTotalRoutes, srl.NetworkInstanceRouteTableIpv6UnicastStatisticsActiveRoutes,
		srl.NetworkInstanceRouteTableIpv6UnicastStatisticsActiveRoutesWithEcmp,
	}
)

// routes writes the route table of an instance that routes, and its labels.
func (w *writer) routes(n *network.Instance, st network.InstanceState, before config.Cursor) {
	if n.Kind == network.MACVRF {
		return
	}
	t := tableWriter{writer: w, name: n.Name, at: item(nil, srl.NetworkInstance, n.Name), groups: map[uint64]bool{}, hops: map[uint64]bool{}}
	for _, family := range []table{ipv4Table, ipv6Table} {
		t.write(family, st.Routes, history(at(before, family.route), family.group, family.updated))
	}
	for _, l := range w.state.Labels {
		if l.Instance == n.Name {
			t.label(l, at(before, srl.NetworkInstanceRouteTableMplsLabelEntry).Entry(decimal(l.In)))
		}
	}
}

// tableWriter writes one route table. Groups and next hops are written once, under numbers that follow from what they
// are, so that they stay the same.
type tableWriter struct {
	*writer
	name         string
	at           config.Path
	groups, hops map[uint64]bool
}

func (t *tableWriter) write(family table, routes []network.TableRoute, before map[string]moment) {
	total, shared := 0, 0
	for i := range routes {
		r := &routes[i]
		if r.Prefix.Addr().Is4() != (family == ipv4Table) {
			continue
		}
		total++
		if len(r.NextHops) > 1 {
			shared++
		}
		t.route(family, r, before)
	}
	t.In(srl.NetworkInstance, t.name, func() {
		t.Uint(family.total, uint64(total))
		t.Uint(family.inUse, uint64(total))
		t.Uint(family.shared, uint64(shared))
	})
}

func (t *tableWriter) route(family table, r *network.TableRoute, before map[string]moment) {
	kind := t.protocol(family, r.Protocol)
	protocol, hops := r.Protocol, r.NextHops
	if protocol == "host" && len(hops) == 0 {
		protocol, hops = "broadcast", []network.Hop{{}}
	}
	group := strconv.FormatUint(t.group(protocol, hops, nil), 10)
	keys := []string{r.Prefix.String(), kind, owners[r.Protocol], "0", t.name}
	entry := item(below(t.at, srl.NetworkInstance, srl.Schema.Nodes[family.route].Parent), family.route, keys...)
	for id, value := range map[config.ID]string{
		family.metric: decimal(r.Metric), family.preference: strconv.Itoa(r.Preference), family.active: "true",
		family.group: group, family.updated: t.when(before, group, keys...),
	} {
		t.SetPath(entry.Child(srl.Schema.Nodes[id].Name), value)
	}
}

// protocol is the identity of a kind of route; the release may lack the finer one.
func (t *tableWriter) protocol(family table, name string) string {
	if _, err := srl.Schema.Canonical(srl.Schema.Nodes[family.route].Keys[1], t.release, name); err != nil {
		name = "bgp-evpn"
	}
	return "srl_nokia-common:" + name
}

// group returns the number of a next hop group, and writes it if it is new. labels are put on, if any.
func (t *tableWriter) group(protocol string, hops []network.Hop, labels []string) uint64 {
	id := numberOf(protocol, hops, labels)
	if t.groups[id] {
		return id
	}
	t.groups[id] = true
	t.In(srl.NetworkInstance, t.name, func() {
		t.In(srl.NetworkInstanceRouteTableNextHopGroup, strconv.FormatUint(id, 10), func() {
			for i, h := range hops {
				hop := strconv.FormatUint(t.hop(protocol, h, labels), 10)
				t.In(srl.NetworkInstanceRouteTableNextHopGroupNextHop, strconv.Itoa(i), func() {
					t.Str(srl.NetworkInstanceRouteTableNextHopGroupNextHopNextHop, hop)
					t.Str(srl.NetworkInstanceRouteTableNextHopGroupNextHopResolved, "true")
				})
			}
		})
	})
	return id
}

// hop returns the number of a next hop.
func (t *tableWriter) hop(protocol string, h network.Hop, labels []string) uint64 {
	id := numberOf(protocol, h, labels)
	if !t.hops[id] {
		t.hops[id] = true
		t.SetPath(item(below(t.at, srl.NetworkInstance, srl.Schema.Nodes[srl.NetworkInstanceRouteTableNextHop].Parent),
			srl.NetworkInstanceRouteTableNextHop, strconv.FormatUint(id, 10)), "")
		t.writeHop(id, protocol, h, labels)
	}
	return id
}

func (t *tableWriter) writeHop(id uint64, protocol string, h network.Hop, labels []string) {
	entry := item(below(t.at, srl.NetworkInstance, srl.Schema.Nodes[srl.NetworkInstanceRouteTableNextHop].Parent),
		srl.NetworkInstanceRouteTableNextHop, strconv.FormatUint(id, 10))
	set := func(id config.ID, value string) {
		t.SetPath(below(entry, srl.NetworkInstanceRouteTableNextHop, id), value)
	}
	set(srl.NetworkInstanceRouteTableNextHopType, "srl_nokia-ip-route-tables:"+hopType(protocol, h, labels))
	switch {
	case h.VTEP.IsValid():
		set(srl.NetworkInstanceRouteTableNextHopIpAddress, h.VTEP.String())
	case h.Addr.IsValid():
		set(srl.NetworkInstanceRouteTableNextHopIpAddress, h.Addr.WithZone("").String())
	}
	if h.Subinterface != "" {
		set(srl.NetworkInstanceRouteTableNextHopSubinterface, h.Subinterface)
	}
	if h.VNI != 0 {
		set(t.newer(srl.NetworkInstanceRouteTableNextHopVxlanVni, srl.NetworkInstanceRouteTableNextHopVxlanEncapsulationVni), decimal(h.VNI))
	}
	for _, l := range labels {
		set(t.newer(srl.NetworkInstanceRouteTableNextHopMplsPushedMplsLabelStack, srl.NetworkInstanceRouteTableNextHopMplsEncapsulationPushedMplsLabelStack), l)
	}
}

// newer returns the node that the release has.
func (t *tableWriter) newer(old, new config.ID) config.ID {
	if t.Has(new) {
		return new
	}
	return old
}

func hopType(protocol string, h network.Hop, labels []string) string {
	switch {
	case len(labels) > 0:
		return "mpls"
	case h.VTEP.IsValid():
		return "tunnel"
	case protocol == "host":
		return "extract"
	case protocol == "broadcast":
		return "broadcast"
	case protocol == "bgp":
		return "indirect"
	}
	return "direct"
}

// implicitNull is the label that asks for none (RFC 3032 §2.1).
const implicitNull = 3

// label writes what becomes of packets that arrive with a label.
func (t *tableWriter) label(l network.Label, before config.Cursor) {
	out, operation := decimal(l.Out), "swap"
	if l.Out == implicitNull {
		out = "IMPLICIT_NULL" // the next router is the last one
	}
	if l.Via == (network.Hop{}) {
		operation = "pop"
	}
	group := strconv.FormatUint(t.group("isis", []network.Hop{l.Via}, []string{out}), 10)
	t.In(srl.NetworkInstance, t.name, func() {
		t.In(srl.NetworkInstanceRouteTableMplsLabelEntry, decimal(l.In), func() {
			t.Str(srl.NetworkInstanceRouteTableMplsLabelEntryOperation, operation)
			t.Str(srl.NetworkInstanceRouteTableMplsLabelEntryEntryType, "srl_nokia-common:sr-mpls")
			t.Str(srl.NetworkInstanceRouteTableMplsLabelEntryNextHopGroup, group)
			t.Str(srl.NetworkInstanceRouteTableMplsLabelEntryLastAppUpdate,
				t.since(before, srl.NetworkInstanceRouteTableMplsLabelEntryNextHopGroup, srl.NetworkInstanceRouteTableMplsLabelEntryLastAppUpdate, group))
		})
	})
}

// numberOf is a number that follows from what it stands for.
func numberOf(what ...any) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, what...)
	return h.Sum64()
}

// moment is what an entry said before, and since when.
type moment struct{ value, since string }

// history reads a list of before once, because looking up entry after entry takes quadratic time.
func history(list config.Cursor, value, since config.ID) map[string]moment {
	out := map[string]moment{}
	for entry := range list.Children() {
		out[strings.Join(entry.Keys(), "\x00")] = moment{text(entry, value), text(entry, since)}
	}
	return out
}

// when returns since when an entry has a value.
func (w *writer) when(before map[string]moment, value string, keys ...string) string {
	if m := before[strings.Join(keys, "\x00")]; m.value == value && m.since != "" {
		return m.since
	}
	return w.changed()
}
