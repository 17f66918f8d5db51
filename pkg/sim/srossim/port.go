package srossim

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Addresses of a chassis: each connector has room for its channels, and what is no port comes behind all of them.
const (
	macsPerPort = 16
	macLAG      = 0x3000
	macRouted   = 0x5000 // R-VPLS interfaces
)

// defaultPortMTU is what a network port of 400 or 100 Gb/s has unless /configure/port/ethernet/mtu says otherwise.
const defaultPortMTU = 9212

// ports are the channels that the connectors of the chassis are broken out into: a connector itself carries nothing.
func (r *reader) ports() (out []network.Port) {
	list := at(r.root, sros.ConfigurePort)
	for i, jack := range r.h.Ports {
		connector := list.Entry(jack.Name)
		channels, speed := breakout(text(connector, sros.ConfigurePortConnectorBreakout))
		for n := 1; n <= channels; n++ {
			name := hardware.Channel(jack.Name, n)
			p := r.port(name, speed, list.Entry(name))
			p.Enabled = p.Enabled && r.usable(jack.Name, connector)
			p.MAC = offset(r.h.MAC, (i+1)*macsPerPort+n)
			out = append(out, p)
		}
	}
	return sortBy(out, func(p network.Port) string { return p.Name })
}

// usable tells whether channels of a connector may come up: its card is provisioned, and it is enabled.
func (r *reader) usable(name string, connector config.Cursor) bool {
	return r.equipped(name) && enabled(connector, sros.ConfigurePortAdminState)
}

// port reads one channel. One that nobody has configured is disabled: /configure/port/admin-state has no default in the
// models, and a port is off until it is switched on.
func (r *reader) port(name, speed string, entry config.Cursor) network.Port {
	p := network.Port{
		Name:    name,
		Enabled: entry.Valid() && enabled(entry, sros.ConfigurePortAdminState),
		Speed:   speed,
		MTU:     portMTU(entry),
		LAG:     r.lagOf(name),
	}
	r.lldp(&p, entry)
	return p
}

func portMTU(entry config.Cursor) uint32 {
	if n := number(entry, sros.ConfigurePortEthernetMtu); n != 0 {
		return uint32(n)
	}
	return defaultPortMTU
}

// breakout reads how a connector is broken out: "c4-100g", and forms with more behind it such as "c1-400g-flex".
func breakout(word string) (channels int, speed string) {
	count, rest, ok := strings.Cut(strings.TrimPrefix(word, "c"), "-")
	if !ok {
		return 0, ""
	}
	speed, _, _ = strings.Cut(rest, "-")
	n, _ := strconv.Atoi(count) // the schema has checked it
	return n, strings.ToUpper(speed)
}

// equipped tells whether the card and the adapter that carry a connector are provisioned as what is in the box.
func (r *reader) equipped(connector string) bool {
	box, known := hardware.Lookup(r.h.Platform)
	if !known || len(box.Cards) == 0 {
		return true
	}
	for _, card := range box.Cards {
		entry := at(r.root, sros.ConfigureCard).Entry(strconv.Itoa(int(card.Slot)))
		for _, mda := range card.MDAs {
			if !strings.HasPrefix(connector, fmt.Sprintf("%d/%d/", card.Slot, mda.Slot)) {
				continue
			}
			below := at(entry, sros.ConfigureCardMda).Entry(strconv.Itoa(int(mda.Slot)))
			return text(entry, sros.ConfigureCardCardType) == card.Type && enabled(entry, sros.ConfigureCardAdminState) &&
				text(below, sros.ConfigureCardMdaMdaType) == mda.Type && enabled(below, sros.ConfigureCardMdaAdminState)
		}
	}
	return false
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

// parseMAC returns an address in colon notation; the zero MAC for anything else, and that is what the models have by default.
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

// ports writes /state/port: connectors and the channels that they are broken out into.
func (w *writer) ports() {
	before := at(w.before, sros.StatePort)
	list := at(w.running, sros.ConfigurePort)
	r := &reader{root: w.running, h: w.o.Hardware}
	for i, jack := range w.o.Hardware.Ports {
		entry := list.Entry(jack.Name)
		w.In(sros.StatePort, jack.Name, func() { w.connector(r, jack.Name, entry, offset(w.o.Hardware.MAC, (i+1)*macsPerPort)) })
	}
	for i := range w.router.Ports {
		p := &w.router.Ports[i]
		w.In(sros.StatePort, p.Name, func() { w.port(p, before.Entry(p.Name)) })
	}
}

// connector writes a connector. It is up when it is usable, whatever comes in.
func (w *writer) connector(r *reader, name string, entry config.Cursor, mac network.MAC) {
	up := entry.Valid() && r.usable(name, entry)
	state := "none"
	switch {
	case up:
		state = "up"
	case entry.Valid() && !r.equipped(name):
		state = "ghost" // provisioned, and no card for it
	}
	w.Str(sros.StatePortOperState, upDown(up))
	w.Str(sros.StatePortPortState, state)
	w.Str(sros.StatePortHardwareMacAddress, mac.String())
	if yes(entry, isCoherent) {
		w.coherent(name, entry, up)
	}
}

// port writes one channel.
func (w *writer) port(p *network.Port, before config.Cursor) {
	st := w.state.Ports[p.Name]
	up := st.Up && p.Enabled
	state := "link-down"
	switch {
	case up:
		state = "up"
	case !p.Enabled:
		state = "none"
	}
	w.Str(sros.StatePortOperState, upDown(up))
	w.Str(sros.StatePortPortState, state)
	w.Bool(sros.StatePortPhysicalLink, up)
	w.Str(sros.StatePortOperStateLastChanged, w.since(before, sros.StatePortOperState, sros.StatePortOperStateLastChanged, upDown(up)))
	w.Str(sros.StatePortHardwareMacAddress, p.MAC.String())
	w.Uint(sros.StatePortEthernetOperSpeed, parseNumber(strings.TrimSuffix(p.Speed, "G"))*1000)
	was := text(before, sros.StatePortOperState)
	w.Uint(sros.StatePortEthernetOperStateChangeCount, w.counted(before, sros.StatePortEthernetOperStateChangeCount, was != "" && was != upDown(up)))
	w.statistics(up)
}

// statistics are counters that rise with the time since the boot while a port is up: a packet of a thousand bytes in a second.
func (w *writer) statistics(up bool) {
	packets := uint64(0)
	if up {
		packets = uint64(w.o.Now.Sub(w.o.Booted).Seconds())
	}
	w.Uint(sros.StatePortStatisticsInPackets, packets)
	w.Uint(sros.StatePortStatisticsOutPackets, packets)
	w.Uint(sros.StatePortStatisticsInOctets, packets*1000)
	w.Uint(sros.StatePortStatisticsOutOctets, packets*1000)
	w.Uint(sros.StatePortStatisticsInErrors, 0)
	w.Uint(sros.StatePortStatisticsOutErrors, 0)
}

// split takes the name of a channel apart: "1/1/c1/2" is the second one of "1/1/c1".
func split(name string) (connector string, n int, channel bool) {
	slash := strings.LastIndexByte(name, '/')
	if slash < 0 || !strings.Contains(name[:slash], "/c") {
		return name, 0, false
	}
	return name[:slash], int(parseNumber(name[slash+1:])), true
}
