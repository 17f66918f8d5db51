package srossim

import (
	"strings"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// defaultLACPPriority is /configure/system/lacp/system-priority.
const defaultLACPPriority = 32768

func (r *reader) lags() (out []network.LAG) {
	for entry := range entries(r.root, sros.ConfigureLag) {
		out = append(out, r.lag(entry))
	}
	return sortBy(out, func(l network.LAG) string { return l.Name })
}

func (r *reader) lag(entry config.Cursor) network.LAG {
	l := network.LAG{
		Name:     key(entry),
		Enabled:  enabled(entry, sros.ConfigureLagAdminState),
		MAC:      offset(r.h.MAC, macLAG+lagNumber(key(entry))),
		MinLinks: 1,
	}
	if m := parseMAC(text(entry, sros.ConfigureLagMacAddress)); m != (network.MAC{}) {
		l.MAC = m
	}
	for port := range entries(entry, sros.ConfigureLagPort) { // a LAG has the MTU of its ports
		l.MTU = portMTU(at(r.root, sros.ConfigurePort).Entry(key(port)))
		break
	}
	// A LAG goes down with as many ports as the threshold says, or fewer.
	if text(entry, sros.ConfigureLagPortThresholdAction) == "down" {
		l.MinLinks = int(number(entry, sros.ConfigureLagPortThresholdValue)) + 1
	}
	if has(entry, sros.ConfigureLagLacp) {
		l.LACP = r.lacp(entry)
	}
	return l
}

func (r *reader) lacp(entry config.Cursor) *network.LACP {
	c := &network.LACP{
		Active:         text(entry, sros.ConfigureLagLacpMode) == "active",
		Fast:           text(entry, sros.ConfigureLagLacpXmitInterval) == "fast",
		SystemID:       r.h.MAC,
		SystemPriority: defaultLACPPriority,
		Key:            uint16(number(entry, sros.ConfigureLagLacpAdministrativeKey)),
	}
	if m := parseMAC(text(entry, sros.ConfigureLagLacpSystemId)); m != (network.MAC{}) {
		c.SystemID = m
	}
	if n := number(r.root, sros.ConfigureSystemLacpSystemPriority); n != 0 {
		c.SystemPriority = uint16(n)
	}
	if n := number(entry, sros.ConfigureLagLacpSystemPriority); n != 0 {
		c.SystemPriority = uint16(n)
	}
	return c
}

func lagNumber(name string) int { return int(parseNumber(strings.TrimPrefix(name, "lag-"))) }

// lagOf is the LAG that a port is a member of; "" of none.
func (r *reader) lagOf(port string) string {
	for entry := range entries(r.root, sros.ConfigureLag) {
		if at(entry, sros.ConfigureLagPort).Entry(port).Valid() {
			return key(entry)
		}
	}
	return ""
}

// lags writes /state/lag.
func (w *writer) lags() {
	for i := range w.router.LAGs {
		l := &w.router.LAGs[i]
		st := w.state.LAGs[l.Name]
		w.In(sros.StateLag, l.Name, func() {
			w.Uint(sros.StateLagLagId, uint64(lagNumber(l.Name)))
			w.Str(sros.StateLagOperState, upDown(st.Up && l.Enabled))
			if l.LACP != nil {
				w.Str(sros.StateLagSystemId, strings.ToLower(l.LACP.SystemID.String()))
			}
			up := 0
			for _, m := range st.Members {
				if m.Up {
					up++
				}
				w.In(sros.StateLagPort, m.Port, func() {
					w.Str(sros.StateLagPortOperState, upDown(m.Up))
					w.Str(sros.StateLagPortActiveStandby, "active")
				})
			}
			w.Uint(sros.StateLagNumberPortUp, uint64(up))
		})
	}
}
