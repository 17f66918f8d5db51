package srlsim

import (
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Defaults that a router chooses by itself (/interface/lag/lacp/{admin-key,system-priority}).
const (
	firstLACPKey        = 32768
	defaultLACPPriority = 32768
)

func (r *reader) lags() (out []network.LAG) {
	for entry := range entries(r.root, srl.Interface) {
		if n, ok := strings.CutPrefix(key(entry), "lag"); ok {
			out = append(out, r.lag(entry, int(parseNumber(n))))
		}
	}
	return sortBy(out, func(l network.LAG) string { return l.Name })
}

func (r *reader) lag(entry config.Cursor, n int) network.LAG {
	l := network.LAG{
		Name:     key(entry),
		Enabled:  enabled(entry, srl.InterfaceAdminState),
		MAC:      offset(r.h.MAC, macLAG+n),
		MTU:      portMTU(entry),
		Speed:    text(entry, srl.InterfaceLagMemberSpeed),
		MinLinks: max(1, int(number(entry, srl.InterfaceLagMinLinks))),
	}
	if text(entry, srl.InterfaceLagLagType) != "lacp" {
		return l
	}
	l.LACP = &network.LACP{
		Active:         text(entry, srl.InterfaceLagLacpLacpMode) == "ACTIVE",
		Fast:           text(entry, srl.InterfaceLagLacpInterval) == "FAST",
		SystemID:       r.h.MAC,
		SystemPriority: defaultLACPPriority,
		Key:            uint16(firstLACPKey + n),
	}
	if m := parseMAC(text(entry, srl.InterfaceLagLacpSystemIdMac)); m != (network.MAC{}) {
		l.LACP.SystemID = m
	}
	if has(entry, srl.InterfaceLagLacpSystemPriority) {
		l.LACP.SystemPriority = uint16(number(entry, srl.InterfaceLagLacpSystemPriority))
	}
	if k := number(entry, srl.InterfaceLagLacpAdminKey); k != 0 {
		l.LACP.Key = uint16(k)
	}
	return l
}
