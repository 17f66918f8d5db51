package srlsim

import (
	"strconv"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// management is the port beside the chassis' own. It is reached by other ways than the simulated network.
const management = "mgmt0"

// defaultPortMTU is what a port has unless /interface/mtu says otherwise (/system/mtu/default-port-mtu).
const defaultPortMTU = 9232

// Addresses of a chassis: each port has room for its channels, and what is no port comes behind all of them.
const (
	macsPerPort = 16
	macIRB      = 0x4000
	macLAG      = 0x5000
)

// ports are those of the chassis, a broken out one replaced by its channels.
func (r *reader) ports() (out []network.Port) {
	list := at(r.root, srl.Interface)
	for i, jack := range r.h.Ports {
		entry := list.Entry(jack.Name)
		mac := (i + 1) * macsPerPort
		if !has(entry, srl.InterfaceBreakoutMode) {
			out = append(out, r.port(jack.Name, jack.Speed, mac, entry))
			continue
		}
		speed := text(entry, srl.InterfaceBreakoutModeBreakoutPortSpeed)
		for n := range int(number(entry, srl.InterfaceBreakoutModeNumBreakoutPorts)) {
			name := jack.Name + "/" + strconv.Itoa(n+1)
			out = append(out, r.port(name, speed, mac+n+1, list.Entry(name)))
		}
	}
	return sortBy(out, func(p network.Port) string { return p.Name })
}

// port reads one port. One that nobody has configured is disabled: the default of admin-state is that of
// an entry which is there.
func (r *reader) port(name, speed string, mac int, entry config.Cursor) network.Port {
	p := network.Port{
		Name:    name,
		Enabled: entry.Valid() && enabled(entry, srl.InterfaceAdminState),
		MAC:     offset(r.h.MAC, mac),
		Speed:   speed,
		MTU:     portMTU(entry),
		LAG:     text(entry, srl.InterfaceEthernetAggregateId),
		LLDP:    r.lldp(name),
		Text:    text(entry, srl.InterfaceDescription),
	}
	if s := text(entry, srl.InterfaceEthernetPortSpeed); s != "" {
		p.Speed = s
	}
	if m := parseMAC(text(entry, srl.InterfaceEthernetMacAddress)); m != (network.MAC{}) {
		p.MAC = m
	}
	return p
}

func portMTU(entry config.Cursor) uint32 {
	if n := number(entry, srl.InterfaceMtu); n != 0 {
		return uint32(n)
	}
	return defaultPortMTU
}

// parent returns the interface that a subinterface name belongs to, and the index.
func parent(subinterface string) (name, index string) {
	dot := strings.LastIndexByte(subinterface, '.')
	if dot < 0 {
		return subinterface, ""
	}
	return subinterface[:dot], subinterface[dot+1:]
}

// offset returns the n-th address after a MAC address.
func offset(m network.MAC, n int) network.MAC {
	for i := len(m) - 1; i >= 0 && n > 0; i-- {
		n += int(m[i])
		m[i] = byte(n)
		n >>= 8
	}
	return m
}

// parseMAC returns an address in colon notation, the zero MAC for anything else.
func parseMAC(s string) (m network.MAC) {
	parts := strings.Split(s, ":")
	if len(parts) != len(m) {
		return m
	}
	for i, p := range parts {
		b, _ := strconv.ParseUint(p, 16, 8) // the schema has checked it
		m[i] = byte(b)
	}
	return m
}
