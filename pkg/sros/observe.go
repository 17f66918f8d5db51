package sros

import (
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/verify"
)

const (
	bgpState = "/state/router[router-name=" + base + "]/bgp/neighbor[ip-address=*]/statistics"
	heardBy  = "/state/port[port-id=*]/ethernet/lldp/dest-mac[mac-type=" + nearestBridge + "]/remote-system[remote-time-mark=*][remote-index=*]"
	bfdState = "/state/bfd/pt-to-pt-session[router-instance=*][interface-name=*][address=*][remote-address=*]/state/session-state"
)

// observePaths are what Observe reads. Lists by their leaves, so that counters and routes stay out. What a port and a session are set
// to is not in their state.
var observePaths = []string{
	"/configure/port[port-id=*]/admin-state",
	"/configure/system/lldp/admin-state",
	basePath + "/bgp/group[group-name=*]/family",
	basePath + "/bgp/group[group-name=*]/dynamic-neighbor/interface[interface-name=*]/allowed-peer-as",
	basePath + "/bgp/neighbor[ip-address=*]/group",
	basePath + "/bgp/neighbor[ip-address=*]/family",
	"/state/port[port-id=*]/oper-state",
	"/state/port[port-id=*]/port-state",
	heardBy + "/system-name",
	heardBy + "/remote-port-id",
	"/state/lag[lag-name=*]/oper-state",
	"/state/lag[lag-name=*]/port[port-id=*]/oper-state",
	bgpState + "/peer-as",
	bgpState + "/session-state",
	bgpState + "/last-error",
	bgpState + "/negotiated-family",
	bgpState + "/family-prefix/ipv4",
	bgpState + "/family-prefix/evpn",
	bfdState,
}

// Observe reads what a router shows. It does not depend on what the design says of the device.
func Observe(state *config.Tree, _ *fabric.Device) verify.Device {
	o := observation{state.Root()}
	return verify.Device{
		LLDP:       o.has(sros.ConfigureSystemLldp) && o.on(sros.ConfigureSystemLldpAdminState),
		Interfaces: o.interfaces(),
		LAGs:       o.lags(),
		Sessions:   o.sessions(),
		BFD:        o.bfd(),
		Tunnels:    o.tunnels(),
		Segments:   o.segments(),

		Adjacencies: o.adjacencies(),
		Labels:      o.labels(),
		Services:    o.services(),

		Optical: o.optical(),
	}
}

// observation is a node of what a router shows, and how it is read.
type observation struct{ config.Cursor }

func (o observation) at(id config.ID) observation  { return observation{sros.Schema.At(o.Cursor, id)} }
func (o observation) has(id config.ID) bool        { return sros.Schema.Has(o.Cursor, id) }
func (o observation) text(id config.ID) string     { return sros.Schema.Text(o.Cursor, id) }
func (o observation) number(id config.ID) uint64   { return sros.Schema.Number(o.Cursor, id) }
func (o observation) values(id config.ID) []string { return sros.Schema.Texts(o.Cursor, id) }

// on tells whether an admin-state, by default too, is not to be down.
func (o observation) on(state config.ID) bool { return o.text(state) != switchedOff }

const switchedOff = "disable"

// entries yields the entries of a list, each with its first key.
func (o observation) entries(list config.ID) iter.Seq2[string, observation] {
	return func(yield func(string, observation) bool) {
		for entry := range sros.Schema.Entries(o.Cursor, list) {
			if !yield(entry.Keys()[0], observation{entry}) {
				return
			}
		}
	}
}

// entry is one entry of a list by its only key.
func (o observation) entry(list config.ID, key string) observation {
	if at := o.at(list); at.Valid() {
		return observation{at.Entry(key)}
	}
	return observation{}
}

// interfaces are connectors and their channels: both can be down. A connector is in service as soon as a transceiver is in it; one of
// coherent light counts as up only where a channel of it is that is to be, since nothing else says that it understands what comes in.
func (o observation) interfaces() map[string]verify.Interface {
	out := map[string]verify.Interface{}
	for name, p := range o.entries(sros.StatePort) {
		port := verify.Interface{
			Enabled: o.enabled(name),
			Up:      p.text(sros.StatePortOperState) == "up",
			Far:     p.heard(),
		}
		if !port.Up {
			port.Reason = p.text(sros.StatePortPortState)
		}
		out[name] = port
	}
	for name, port := range out {
		if parts := o.parts(name, out); port.Up && o.coherent(name) && len(parts) > 0 && !slices.ContainsFunc(parts, func(p verify.Interface) bool { return p.Up }) {
			port.Up, port.Reason = false, parts[0].Reason
			out[name] = port
		}
	}
	return out
}

// coherent tells whether a port has coherent light.
func (o observation) coherent(port string) bool {
	set := o.entry(sros.ConfigurePort, port)
	return set.Valid() && set.text(isCoherent) == "true"
}

// parts are those of the channels of a connector that are to be up, in the order of their names.
func (o observation) parts(connector string, all map[string]verify.Interface) (out []verify.Interface) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if strings.HasPrefix(name, connector+"/") && all[name].Enabled {
			out = append(out, all[name])
		}
	}
	return out
}

// enabled tells whether a port is configured to be up. Its default is down.
func (o observation) enabled(port string) bool {
	return o.entry(sros.ConfigurePort, port).text(sros.ConfigurePortAdminState) == "enable"
}

// heard are the LLDP neighbors of a port.
func (o observation) heard() (out []verify.Far) {
	for group, d := range o.entries(sros.StatePortEthernetLldpDestMac) {
		if group != nearestBridge {
			continue
		}
		for _, n := range d.entries(sros.StatePortEthernetLldpDestMacRemoteSystem) {
			out = append(out, verify.Far{
				System: n.text(sros.StatePortEthernetLldpDestMacRemoteSystemSystemName),
				Port:   n.text(sros.StatePortEthernetLldpDestMacRemoteSystemRemotePortId),
			})
		}
	}
	return out
}

// lags are LAGs by the numbers in their names.
func (o observation) lags() map[uint32]verify.LAG {
	out := map[uint32]verify.LAG{}
	for name, l := range o.entries(sros.StateLag) {
		number, ok := lagNumber(name)
		if !ok {
			continue
		}
		lag := verify.LAG{Up: l.text(sros.StateLagOperState) == inService, Members: map[string]verify.Member{}}
		for port, m := range l.entries(sros.StateLagPort) {
			lag.Members[port] = verify.Member{Up: m.text(sros.StateLagPortOperState) == inService}
		}
		out[number] = lag
	}
	return out
}

func lagNumber(name string) (uint32, bool) {
	digits, is := strings.CutPrefix(name, lagPrefix)
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), is && err == nil
}

// inService is the word of oper-state for what works.
const inService = "up"

// bfd are the sessions of BFD over single links.
func (o observation) bfd() (out []verify.BFD) {
	for e := range o.at(sros.StateBfdPtToPtSession).Children() {
		keys := e.Keys() // router-instance, interface-name, address, remote-address
		if addr, err := netip.ParseAddr(keys[3]); err == nil {
			up := observation{e}.text(sros.StateBfdPtToPtSessionStateSessionState) == "up"
			out = append(out, verify.BFD{Instance: instance(keys[0]), Peer: addr.WithZone(""), Up: up})
		}
	}
	return out
}

// instance is what the design calls a router: the base router is the default network instance.
func instance(router string) string {
	if router == base {
		return "default"
	}
	return router
}
