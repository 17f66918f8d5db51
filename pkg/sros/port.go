package sros

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// connectors are broken out into the channels that are used: "c1-400g" is one of 400 Gb/s.
func (r renderer) connectors() {
	for i := range r.d.Breakouts {
		b := &r.d.Breakouts[i]
		r.because(b.Ref, "breakout")
		r.In(sros.ConfigurePort, b.Port, func() {
			r.enable(sros.ConfigurePortAdminState)
			r.Str(sros.ConfigurePortConnectorBreakout, breakout(b))
		})
	}
}

func breakout(b *fabric.Breakout) string {
	return "c" + decimal(b.Channels) + "-" + strings.ToLower(b.Speed)
}

// fabricPorts are the ports of routed links: those to spines, and those that channels carry to gateways of other sites, LAG members
// among them. They are network ports without tags.
func (r renderer) fabricPorts() {
	for i := range r.d.Links {
		l := &r.d.Links[i]
		r.because(l.Ref, kindOf(l))
		r.In(sros.ConfigurePort, l.Port, func() {
			r.Str(sros.ConfigurePortDescription, farEnd(l))
			r.enable(sros.ConfigurePortAdminState)
			r.Str(sros.ConfigurePortEthernetMode, "network")
			r.Str(sros.ConfigurePortEthernetEncapType, "null")
			r.because(r.d.Underlay.Ref+"#mtu", "fabric mtu")
			r.Uint(sros.ConfigurePortEthernetMtu, uint64(l.PortMTU))
			r.because(l.Ref, "lldp")
			r.lldp()
		})
	}
}

// lldp speaks to whoever is at the other end of the cable. A port calls itself by its name; by default it would by a number
// (/configure/port/ethernet/lldp/dest-mac/port-id-subtype).
func (r renderer) lldp() {
	r.In(sros.ConfigurePortEthernetLldpDestMac, nearestBridge, func() {
		r.Str(sros.ConfigurePortEthernetLldpDestMacPortIdSubtype, "tx-if-name")
		r.Bool(sros.ConfigurePortEthernetLldpDestMacReceive, true)
		r.Bool(sros.ConfigurePortEthernetLldpDestMacTransmit, true)
		r.Bool(sros.ConfigurePortEthernetLldpDestMacTxTlvsPortDesc, true)
		r.Bool(sros.ConfigurePortEthernetLldpDestMacTxTlvsSysName, true)
	})
}

const nearestBridge = "nearest-bridge" // IEEE 802.1AB §7.1

// kindOf names the rule that makes a link.
func kindOf(l *fabric.Link) string {
	if l.Channel != "" {
		return "channel link"
	}
	if l.DCI != "" {
		return "dci link"
	}
	return "fabric link"
}

// farEnd names the router at the other end, and where the port is plugged in if that is something else.
func farEnd(l *fabric.Link) string {
	text := l.PeerName + " " + l.PeerPort
	if l.Via != "" {
		text += " via " + l.Via
	}
	return text
}

// unusedPorts shuts the connectors that the topology does not use, where it says so.
func (r renderer) unusedPorts() {
	for _, p := range r.d.Unused {
		r.because(r.d.Ref+"#unused-ports", "unused port")
		r.In(sros.ConfigurePort, p.Name, func() { r.Str(sros.ConfigurePortAdminState, switchedOff) })
	}
}

// parent is the connector of a channel: "1/1/c1" of "1/1/c1/1".
func parent(port string) (connector string, ok bool) {
	slash := strings.LastIndexByte(port, '/')
	if slash < 0 || !strings.Contains(port[:slash], "/c") {
		return "", false
	}
	return port[:slash], true
}

// checkPorts: a channel whose connector has none of its number is refused, and so is an MTU above the platform's. The models
// have port names as text, and allow 9800 bytes.
func checkPorts(t *config.Tree, d *fabric.Device) error {
	var errs []error
	list := t.Root().Child(sros.Configure).Child(sros.ConfigurePort)
	for port := range list.Children() {
		name := port.Keys()[0]
		if connector, channel := parent(name); channel {
			made := observation{list.Entry(connector)}.text(sros.ConfigurePortConnectorBreakout)
			n, _ := strconv.Atoi(name[len(connector)+1:])
			if has := channelsOf(made); n < 1 || n > has {
				errs = append(errs, mistake(port, "%s is broken out into %d channels", connector, has))
			}
		}
		if mtu := (observation{port}).at(sros.ConfigurePortEthernetMtu); mtu.Valid() {
			if n := mtu.number(sros.ConfigurePortEthernetMtu); n > uint64(d.Platform.PortMTU) {
				errs = append(errs, mistake(mtu.Cursor, "%d is more than a %s takes; at most %d", n, d.Platform.Name, d.Platform.PortMTU))
			}
		}
	}
	return errors.Join(errs...)
}

// channelsOf is 4 of "c4-100g".
func channelsOf(breakout string) (n int) {
	count, _, _ := strings.Cut(strings.TrimPrefix(breakout, "c"), "-")
	n, _ = strconv.Atoi(count)
	return n
}

// mistake says what is wrong at a node, and keeps what caused it.
func mistake(at config.Cursor, format string, args ...any) error {
	return &config.CausedError{Cause: at.Cause(), Err: fmt.Errorf("%s: %w", at.Path(), fmt.Errorf(format, args...))}
}
