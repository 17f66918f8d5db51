package srossim

import (
	"net/netip"
	"strings"
	"time"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// systemInterface is the loopback that every router has; its address is that of services.
const systemInterface = "system"

// interfaces are those of Base, by the names that they have there, and the access points of services.
func (r *reader) interfaces(ports []network.Port, lags []network.LAG) (out []network.Subinterface) {
	parents := map[string]parent{}
	for _, p := range ports {
		parents[p.Name] = parent{p.MAC, p.MTU, r.tagged(p.Name)}
	}
	for _, l := range lags {
		tagged := text(at(r.root, sros.ConfigureLag).Entry(l.Name), sros.ConfigureLagEncapType) == "dot1q"
		parents[l.Name] = parent{l.MAC, l.MTU, tagged}
	}
	for entry := range entries(r.router, sros.ConfigureRouterInterface) {
		out = append(out, r.routerInterface(entry, parents))
	}
	return sortBy(append(out, r.saps(parents)...), func(s network.Subinterface) string { return s.Name })
}

// parent is a port or a LAG, as interfaces see it.
type parent struct {
	mac    network.MAC
	mtu    uint32
	tagged bool
}

// room is what a port has for IP packets, in bytes: 14 of its MTU are the Ethernet header, 4 a tag.
func (p parent) room() uint32 {
	switch {
	case p.mtu == 0:
		return 0
	case p.tagged:
		return p.mtu - 18
	}
	return p.mtu - 14
}

// tagged tells whether interfaces on a port have tags.
func (r *reader) tagged(port string) bool {
	return text(at(r.root, sros.ConfigurePort).Entry(port), sros.ConfigurePortEthernetEncapType) == "dot1q"
}

func (r *reader) routerInterface(entry config.Cursor, parents map[string]parent) network.Subinterface {
	name, tag, hasTag := strings.Cut(text(entry, sros.ConfigureRouterInterfacePort), ":")
	port := parents[name]
	s := network.Subinterface{
		Name:    key(entry),
		Parent:  name,
		Enabled: text(entry, sros.ConfigureRouterInterfaceAdminState) != "disable",
		MAC:     port.mac,
		IPMTU:   port.room(),
	}
	switch {
	case s.Name == systemInterface, has(entry, sros.ConfigureRouterInterfaceLoopback):
		s.Kind, s.Parent, s.MAC = network.Loopback, s.Name, r.h.MAC
	case port.tagged:
		vlan := uint16(parseNumber(tag))
		s.VLAN = network.VLAN{Tagged: true, Low: vlan, High: vlan}
	case hasTag && tag != "0": // the port knows no tags
		s.Enabled = false
	}
	if n := uint32(number(entry, sros.ConfigureRouterInterfaceIpMtu)); n != 0 && (s.IPMTU == 0 || n < s.IPMTU) {
		s.IPMTU = n // "oper-ip-mtu" is the smaller of both
	}
	r.ipv4(&s, entry)
	r.ipv6(&s, entry)
	return s
}

func (r *reader) ipv4(s *network.Subinterface, entry config.Cursor) {
	add := func(address string, length uint64) {
		if a := parseAddr(address); a.IsValid() {
			s.IPv4 = true
			s.Addresses = append(s.Addresses, network.Address{Prefix: netip.PrefixFrom(a, int(length))})
		}
	}
	add(text(entry, sros.ConfigureRouterInterfaceIpv4PrimaryAddress), number(entry, sros.ConfigureRouterInterfaceIpv4PrimaryPrefixLength))
	for second := range entries(entry, sros.ConfigureRouterInterfaceIpv4Secondary) {
		add(key(second), number(second, sros.ConfigureRouterInterfaceIpv4SecondaryPrefixLength))
	}
	if enabled(entry, sros.ConfigureRouterInterfaceIpv4BfdAdminState) {
		s.BFD = bfdOf(entry, sros.ConfigureRouterInterfaceIpv4BfdTransmitInterval, sros.ConfigureRouterInterfaceIpv4BfdReceive, sros.ConfigureRouterInterfaceIpv4BfdMultiplier)
	}
}

func (r *reader) ipv6(s *network.Subinterface, entry config.Cursor) {
	if !has(entry, sros.ConfigureRouterInterfaceIpv6) {
		return
	}
	s.IPv6 = true
	s.LinkLocal = s.MAC.LinkLocal()
	if a := parseAddr(text(entry, sros.ConfigureRouterInterfaceIpv6LinkLocalAddressAddress)); a.IsValid() {
		s.LinkLocal = a
	}
	for a := range entries(entry, sros.ConfigureRouterInterfaceIpv6Address) {
		if ip := parseAddr(key(a)); ip.IsValid() {
			s.Addresses = append(s.Addresses, network.Address{Prefix: netip.PrefixFrom(ip, int(number(a, sros.ConfigureRouterInterfaceIpv6AddressPrefixLength)))})
		}
	}
	ra := at(r.router, sros.ConfigureRouterIpv6RouterAdvertisementInterface).Entry(s.Name)
	s.RA = ra.Valid() && enabled(ra, sros.ConfigureRouterIpv6RouterAdvertisementInterfaceAdminState)
	if s.BFD == nil && enabled(entry, sros.ConfigureRouterInterfaceIpv6BfdAdminState) {
		s.BFD = bfdOf(entry, sros.ConfigureRouterInterfaceIpv6BfdTransmitInterval, sros.ConfigureRouterInterfaceIpv6BfdReceive, sros.ConfigureRouterInterfaceIpv6BfdMultiplier)
	}
}

func bfdOf(entry config.Cursor, transmit, receive, multiplier config.ID) *network.BFD {
	return &network.BFD{
		Transmit:   time.Duration(number(entry, transmit)) * time.Millisecond,
		Receive:    time.Duration(number(entry, receive)) * time.Millisecond,
		Multiplier: int(number(entry, multiplier)),
	}
}

// unchecked tells whether Base forwards IPv4 on interfaces that have no address of that family: all that have none say so.
func (r *reader) unchecked() (any bool) {
	for entry := range entries(r.router, sros.ConfigureRouterInterface) {
		if has(entry, sros.ConfigureRouterInterfaceIpv4Primary) || !has(entry, sros.ConfigureRouterInterfaceIpv6) {
			continue
		}
		if !yes(entry, sros.ConfigureRouterInterfaceIpv6ForwardIpv4Packets) {
			return false
		}
		any = true
	}
	return any
}

// interfaces writes /state/router/interface of Base.
func (w *writer) interfaces() {
	before := at(at(w.before, sros.StateRouter).Entry(base), sros.StateRouterInterface)
	index := 0
	for i := range w.router.Subinterfaces {
		s := &w.router.Subinterfaces[i]
		index++
		if s.Kind != network.Routed && s.Kind != network.Loopback {
			continue
		}
		w.inBase(func() {
			w.In(sros.StateRouterInterface, s.Name, func() { w.routerInterface(s, index, before.Entry(s.Name)) })
		})
	}
}

func (w *writer) inBase(body func()) { w.In(sros.StateRouter, base, body) }

func (w *writer) routerInterface(s *network.Subinterface, index int, before config.Cursor) {
	up := w.state.Subs[s.Name].Up
	word := upDown(up)
	if !up && s.Enabled && s.Kind == network.Routed && !w.parentUp(s.Parent) {
		word = "lower-layer-down"
	}
	w.Str(sros.StateRouterInterfaceOperState, word)
	w.Str(sros.StateRouterInterfaceLastOperChange, w.since(before, sros.StateRouterInterfaceOperState, sros.StateRouterInterfaceLastOperChange, word))
	w.Uint(sros.StateRouterInterfaceIfIndex, uint64(index))
	if s.IPMTU != 0 {
		w.Uint(sros.StateRouterInterfaceOperIpMtu, uint64(s.IPMTU))
	}
	if s.IPv4 {
		w.Str(sros.StateRouterInterfaceIpv4OperState, upDown(up))
	}
	if s.IPv6 {
		w.Str(sros.StateRouterInterfaceIpv6OperState, upDown(up))
		w.Str(sros.StateRouterInterfaceIpv6LinkLocalAddressOperAddress, s.LinkLocal.String())
	}
}

func (w *writer) parentUp(name string) bool { return w.state.Ports[name].Up || w.state.LAGs[name].Up }
