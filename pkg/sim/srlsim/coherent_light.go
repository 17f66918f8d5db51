package srlsim

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/hardware"
	modes "github.com/loomfabric/loom/models/optics"
	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/light"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Short forms of long names.
const (
	optical  = srl.InterfaceTransceiverOpticalChannel
	received = srl.InterfaceTransceiverOpticalChannelStatisticsReceived
)

// shining says what a running configuration does with light: the coherent transceivers, which are on while their ports are.
func shining(h network.Hardware, running *config.Tree) *light.Device {
	out := &light.Device{}
	for _, jack := range h.Ports {
		entry := at(running.Root(), srl.Interface).Entry(jack.Name)
		channel := opticalOf(entry)
		if !channel.Valid() {
			continue
		}
		on := enabled(entry, srl.InterfaceAdminState)
		power, _ := strconv.ParseFloat(text(channel, srl.InterfaceTransceiverOpticalChannelTargetPower), 64) // the schema has checked it
		out.Lasers = append(out.Lasers, light.Laser{
			Port: jack.Name, On: on, Shines: on && text(entry, srl.InterfaceTransceiverTxLaser) != "false",
			Frequency: number(channel, srl.InterfaceTransceiverOpticalChannelFrequency), Power: optics.DBm(power),
			Mode: modeOf(h.Platform, text(channel, srl.InterfaceTransceiverOpticalChannelOperationalMode)),
		})
	}
	if len(out.Lasers) == 0 {
		return nil
	}
	sortBy(out.Lasers, func(l light.Laser) string { return l.Port })
	return out
}

// opticalOf is the optical channel of a port with a coherent transceiver; the zero Cursor where it has none.
func opticalOf(entry config.Cursor) config.Cursor {
	if text(entry, srl.InterfaceTransceiverFunctionalType) != coherentOptics {
		return config.Cursor{}
	}
	for channel := range entries(entry, optical) {
		return channel
	}
	return config.Cursor{}
}

// modeOf is the mode that a platform has under a number; nil where it has none.
func modeOf(platform, number string) *optics.Mode {
	box, ok := hardware.Lookup(platform)
	if !ok {
		return nil
	}
	m, ok := setting(box, number)
	if !ok {
		return nil
	}
	mode, _ := modes.Mode(m.Name)
	return mode
}

// coherentTransceiver writes a coherent transceiver: the module, and what it measures of what it sends and hears.
func (w *writer) coherentTransceiver(port string, entry, channel config.Cursor) {
	on := enabled(entry, srl.InterfaceAdminState)
	serial := w.o.Hardware.Serial + port
	w.Str(srl.InterfaceTransceiverOperState, upDown(on))
	if !on {
		w.Str(srl.InterfaceTransceiverOperDownReason, "port-disabled")
	}
	w.Str(srl.InterfaceTransceiverFormFactor, "QSFPDD")
	w.Str(srl.InterfaceTransceiverVendor, "LOOM")
	w.Str(srl.InterfaceTransceiverVendorPartNumber, "SIM-400G-DCO")
	w.Str(srl.InterfaceTransceiverSerialNumber, fmt.Sprintf("S%08X", pick(serial)))
	w.Bool(srl.InterfaceTransceiverFaultCondition, false)
	truth := light.Port{Output: light.Dark, Input: light.Dark, Total: light.Dark}
	if w.o.Light != nil {
		if seen, ok := w.o.Light.Ports[port]; ok {
			truth = seen
		}
	}
	w.In(optical, key(channel), func() { w.opticalChannel(port, on, channel, truth) })
}

func (w *writer) opticalChannel(port string, on bool, channel config.Cursor, truth light.Port) {
	if !on {
		w.Str(srl.InterfaceTransceiverOpticalChannelModuleState, "low-power")
		w.Uint(srl.InterfaceTransceiverOpticalChannelOperFrequency, 0)
		return
	}
	w.Str(srl.InterfaceTransceiverOpticalChannelModuleState, "ready")
	w.Str(srl.InterfaceTransceiverOpticalChannelLaserTunability, "flex-tunable")
	w.Str(srl.InterfaceTransceiverOpticalChannelOperFrequency, text(channel, srl.InterfaceTransceiverOpticalChannelFrequency))
	if mode := modeOf(w.o.Hardware.Platform, text(channel, srl.InterfaceTransceiverOpticalChannelOperationalMode)); mode != nil {
		w.Str(srl.InterfaceTransceiverOpticalChannelTransmitPowerMinimum, fmt.Sprintf("%.2f", float64(mode.TxMin)))
		w.Str(srl.InterfaceTransceiverOpticalChannelTransmitPowerMaximum, fmt.Sprintf("%.2f", float64(mode.TxMax)))
	}
	p := w.o.Noise.Port(network.End{Device: w.o.Hardware.Name, Port: port}, truth)
	w.measured(srl.InterfaceTransceiverOpticalChannelStatisticsTransmittedPower, float64(p.Output), float64(truth.Output))
	w.measured(srl.InterfaceTransceiverOpticalChannelStatisticsReceivedPower, float64(p.Input), float64(truth.Input))
	w.measured(srl.InterfaceTransceiverOpticalChannelStatisticsReceivedTotalPower, float64(p.Total), float64(truth.Total))
	if !p.Measured() {
		return
	}
	w.Str(srl.InterfaceTransceiverOpticalChannelRxQualityMargin, fmt.Sprintf("%.1f", max(float64(p.Margin), -99)))
	w.measured(srl.InterfaceTransceiverOpticalChannelStatisticsReceivedBitErrorRate, p.BER, truth.BER)
	w.measured(srl.InterfaceTransceiverOpticalChannelStatisticsReceivedOpticalSignalToNoiseRatio, float64(p.OSNR), float64(truth.OSNR))
	w.measured(srl.InterfaceTransceiverOpticalChannelStatisticsReceivedElectricalSignalToNoiseRatio, float64(p.ESNR), float64(truth.ESNR))
	w.measured(srl.InterfaceTransceiverOpticalChannelStatisticsReceivedQuality, float64(p.Q), float64(truth.Q))
	w.measured(srl.InterfaceTransceiverOpticalChannelStatisticsReceivedChromaticDispersion, p.CD, truth.CD)
	w.measured(srl.InterfaceTransceiverOpticalChannelStatisticsReceivedDifferentialGroupDelay, p.PMD, truth.PMD)
	w.measured(srl.InterfaceTransceiverOpticalChannelStatisticsReceivedFrequencyOffset, p.Offset, truth.Offset)
}

// measured writes the last value, and the mean, least and most, which are those of the moment. What is no number is not
// written.
func (w *writer) measured(container config.ID, value, mean float64) {
	for name, v := range map[string]float64{"current": value, "average": mean, "minimum": min(value, mean), "maximum": max(value, mean)} {
		leaf, ok := srl.Schema.Child(container, name)
		if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		digits := int(srl.Schema.Types[srl.Schema.Nodes[leaf].Type].Fraction)
		s := strconv.FormatFloat(v, 'f', digits, 64)
		if strings.Trim(s, "-0.") == "" {
			s = strings.TrimPrefix(s, "-") // no integer is minus nothing
		}
		w.Str(leaf, s)
	}
}
