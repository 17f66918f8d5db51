package srlsim

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// module is what is usually plugged in for a speed.
type module struct {
	form, pmd string
	channels  int
}

// modules are short reach optics (IEEE 802.3 names of their PMDs), by speed.
var modules = map[string]module{
	"1G":   {"SFP", "1000BASE-SX", 1},
	"10G":  {"SFPplus", "10GBASE-SR", 1},
	"25G":  {"SFP28", "25GBASE-SR", 1},
	"40G":  {"QSFPplus", "40GBASE-SR4", 4},
	"50G":  {"QSFP56", "50GBASE-SR", 1},
	"100G": {"QSFP28", "100GBASE-SR4", 4},
	"200G": {"QSFP56", "200GBASE-SR4", 4},
	"400G": {"QSFPDD", "400GBASE-SR8", 8},
}

// dark is what a receiver shows without light, in dBm.
const dark = -40

// transceiver writes what is plugged into a port.
func (w *writer) transceiver(p *network.Port, st network.PortState) {
	entry := at(w.running, srl.Interface).Entry(p.Name)
	if channel := opticalOf(entry); channel.Valid() {
		w.coherentTransceiver(p.Name, entry, channel)
		return
	}
	m, known := modules[p.Speed]
	switch {
	case !st.Transceiver || !known:
		w.Str(srl.InterfaceTransceiverOperState, "down")
		w.Str(srl.InterfaceTransceiverOperDownReason, "not-present")
		return
	case !p.Enabled:
		w.Str(srl.InterfaceTransceiverOperState, "down")
		w.Str(srl.InterfaceTransceiverOperDownReason, "port-disabled")
	default:
		w.Str(srl.InterfaceTransceiverOperState, "up")
	}
	serial := w.o.Hardware.Serial + p.Name
	w.Str(srl.InterfaceTransceiverFormFactor, m.form)
	w.Str(srl.InterfaceTransceiverEthernetPmd, m.pmd)
	w.Str(srl.InterfaceTransceiverVendor, "LOOM")
	w.Str(srl.InterfaceTransceiverVendorPartNumber, "SIM-"+m.pmd)
	w.Str(srl.InterfaceTransceiverSerialNumber, fmt.Sprintf("S%08X", pick(serial)))
	w.Bool(srl.InterfaceTransceiverFaultCondition, false)
	w.Str(srl.InterfaceTransceiverTemperatureLatestValue, strconv.Itoa(30+int(pick(serial+"t")%12)))
	w.Str(srl.InterfaceTransceiverVoltageLatestValue, fmt.Sprintf("%.2f", 3.25+spread(serial+"v", 0.1)))
	for c := range m.channels {
		w.channel(uint64(c+1), serial+strconv.Itoa(c), p.Enabled, st.Light)
	}
}

// channel writes the levels of one lane, in dBm and mA.
func (w *writer) channel(index uint64, seed string, lit, light bool) {
	out, in, bias := dark+0.0, dark+0.0, 0.0
	if lit {
		out, bias = -1+spread(seed+"o", 1.5), 6.5+spread(seed+"b", 1.5)
	}
	if light {
		in = -3 + spread(seed+"i", 1.5)
	}
	w.In(srl.InterfaceTransceiverChannel, strconv.FormatUint(index, 10), func() {
		w.Str(srl.InterfaceTransceiverChannelOutputPowerLatestValue, fmt.Sprintf("%.2f", out))
		w.Str(srl.InterfaceTransceiverChannelInputPowerLatestValue, fmt.Sprintf("%.2f", in))
		w.Bool(srl.InterfaceTransceiverChannelInputPowerLowAlarmCondition, !light)
		w.Str(srl.InterfaceTransceiverChannelLaserBiasCurrentLatestValue, fmt.Sprintf("%.2f", bias))
	})
}

// pick returns a number that always belongs to a text.
func pick(seed string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(seed))
	return h.Sum32()
}

// spread returns a number from 0 up to most that always belongs to a text.
func spread(seed string, most float64) float64 { return most * float64(pick(seed)%1000) / 1000 }

// octetsPerPacket is the mean size of the packets that counters count.
const octetsPerPacket = 700

// statistics writes made-up traffic: what one end sends is what the other end receives. Counters rise with the
// time since the device has booted, and stand still while the port is down.
func (w *writer) statistics(p *network.Port, st network.PortState, before config.Cursor) {
	var in, out uint64
	if st.Up {
		in, out = rate(st.Peer, p.Speed), rate(network.End{Device: w.router.Name, Port: p.Name}, p.Speed)
	}
	w.Uint(srl.InterfaceTrafficRateInBps, in)
	w.Uint(srl.InterfaceTrafficRateOutBps, out)
	up := max(0, uint64(w.o.Now.Sub(w.o.Booted)/time.Second))
	received := max(number(before, srl.InterfaceStatisticsInOctets), in/8*up)
	sent := max(number(before, srl.InterfaceStatisticsOutOctets), out/8*up)
	w.Uint(srl.InterfaceStatisticsInOctets, received)
	w.Uint(srl.InterfaceStatisticsInPackets, received/octetsPerPacket)
	w.Uint(srl.InterfaceStatisticsInUnicastPackets, received/octetsPerPacket)
	w.Uint(srl.InterfaceStatisticsOutOctets, sent)
	w.Uint(srl.InterfaceStatisticsOutPackets, sent/octetsPerPacket)
	w.Uint(srl.InterfaceStatisticsOutUnicastPackets, sent/octetsPerPacket)
	flipped := has(before, srl.InterfaceOperState) && text(before, srl.InterfaceOperState) != upDown(st.Up)
	w.Uint(srl.InterfaceStatisticsCarrierTransitions, w.counted(before, srl.InterfaceStatisticsCarrierTransitions, flipped))
}

// rate is what an end sends, in bits per second: up to a tenth of the speed ("100G").
func rate(end network.End, speed string) uint64 {
	if end == (network.End{}) {
		return 0
	}
	gigabits := parseNumber(strings.TrimSuffix(speed, "G"))
	return gigabits * (1e6 + uint64(pick(end.String())%99)*1e6)
}
