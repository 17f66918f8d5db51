package srossim

import (
	"math"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/hardware"
	modes "github.com/loomfabric/loom/models/optics"
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/light"
	"github.com/loomfabric/loom/pkg/sim/network"
)

const isCoherent = sros.ConfigurePortTransceiverDigitalCoherentOptics

// shining says what a running configuration does with light: the coherent transceivers, whose lasers are on while their
// connectors are.
func shining(h network.Hardware, running *config.Tree) *light.Device {
	r := &reader{root: running.Root(), h: h}
	out := &light.Device{}
	for _, jack := range h.Ports {
		entry := at(r.root, sros.ConfigurePort).Entry(jack.Name)
		if !yes(entry, isCoherent) {
			continue
		}
		on := r.usable(jack.Name, entry)
		power, _ := strconv.ParseFloat(text(entry, sros.ConfigurePortDwdmCoherentTargetPower), 64) // the schema has checked it
		out.Lasers = append(out.Lasers, light.Laser{
			Port: jack.Name, On: on, Shines: on,
			Frequency: number(entry, sros.ConfigurePortDwdmFrequency), Power: optics.DBm(power),
			Mode: modeOf(h.Platform, text(entry, sros.ConfigurePortDwdmCoherentCompatibility)),
		})
	}
	if len(out.Lasers) == 0 {
		return nil
	}
	sortBy(out.Lasers, func(l light.Laser) string { return l.Port })
	return out
}

// modeOf is the mode that a platform has under a name; nil where it has none.
func modeOf(platform, setting string) *optics.Mode {
	box, ok := hardware.Lookup(platform)
	if !ok || box.Coherent == nil {
		return nil
	}
	for _, m := range box.Coherent.Modes {
		if m.Setting == setting {
			mode, _ := modes.Mode(m.Name)
			return mode
		}
	}
	return nil
}

// The range of /configure/port/dwdm/frequency, in MHz: what lasers of this profile can be tuned to.
const lowest, highest = 191100000, 196150000

// coherent writes a coherent transceiver: the module, and what it measures of what it sends and hears.
func (w *writer) coherent(port string, entry config.Cursor, on bool) {
	w.Str(sros.StatePortTransceiverOperState, "operational")
	w.Str(sros.StatePortTransceiverModelNumber, "SIM-400G-DCO")
	w.Str(sros.StatePortTransceiverVendorSerialNumber, "S"+w.o.Hardware.Serial+strings.ReplaceAll(port, "/", ""))
	if !on {
		w.Str(sros.StatePortDwdmCoherentModuleState, "low-power")
		return
	}
	w.Str(sros.StatePortDwdmCoherentModuleState, "ready")
	w.Str(sros.StatePortDwdmLaserTunability, "flex-tunable")
	w.Uint(sros.StatePortDwdmMinimumFrequency, lowest)
	w.Uint(sros.StatePortDwdmMaximumFrequency, highest)
	if tuned := number(entry, sros.ConfigurePortDwdmFrequency); tuned != 0 {
		w.Uint(sros.StatePortDwdmOperFrequency, tuned)
	}
	truth := light.Port{Output: light.Dark, Input: light.Dark, Total: light.Dark}
	if w.o.Light != nil {
		if seen, ok := w.o.Light.Ports[port]; ok {
			truth = seen
		}
	}
	w.measurements(w.o.Noise.Port(network.End{Device: w.o.Hardware.Name, Port: port}, truth), truth)
}

// measurements writes what is measured: ratios in centibels, powers in hundredths of a dBm.
func (w *writer) measurements(p, truth light.Port) {
	const hundredths = 100
	w.measured(sros.StatePortDwdmCoherentStatisticsTransmittedPower, hundredths, float64(p.Output), float64(truth.Output))
	w.measured(sros.StatePortDwdmCoherentStatisticsReceivedPower, hundredths, float64(p.Input), float64(truth.Input))
	w.measured(sros.StatePortDwdmCoherentStatisticsReceivedTotalPower, hundredths, float64(p.Total), float64(truth.Total))
	if !p.Measured() {
		return
	}
	w.Str(sros.StatePortDwdmCoherentRxQualityMargin, strconv.Itoa(int(math.Round(max(float64(p.Margin), -99)*hundredths))))
	w.measured(sros.StatePortDwdmCoherentStatisticsReceivedBitErrorRate, 1, p.BER, truth.BER)
	w.measured(sros.StatePortDwdmCoherentStatisticsReceivedOpticalSignalToNoiseRatio, hundredths, float64(p.OSNR), float64(truth.OSNR))
	w.measured(sros.StatePortDwdmCoherentStatisticsReceivedElectricalSignalToNoiseRatio, hundredths, float64(p.ESNR), float64(truth.ESNR))
	w.measured(sros.StatePortDwdmCoherentStatisticsReceivedQuality, hundredths, float64(p.Q), float64(truth.Q))
	w.measured(sros.StatePortDwdmCoherentStatisticsReceivedChromaticDispersion, 1, p.CD, truth.CD)
	w.measured(sros.StatePortDwdmCoherentStatisticsReceivedDifferentialGroupDelay, 1, p.PMD, truth.PMD)
	w.measured(sros.StatePortDwdmCoherentStatisticsReceivedFrequencyOffset, 1, p.Offset, truth.Offset)
}

// measured writes the last value in the unit of its leaves, and the mean, least and most, which are those of the moment. What is no
// number is not written. A gauge has no negative values: it stays at its end.
func (w *writer) measured(container config.ID, scale, value, mean float64) {
	for name, v := range map[string]float64{"current": value, "average": mean, "minimum": min(value, mean), "maximum": max(value, mean)} {
		leaf, ok := sros.Schema.Child(container, name)
		if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		typ := &sros.Schema.Types[sros.Schema.Nodes[leaf].Type]
		v *= scale
		if typ.Base == config.Uint32 {
			v = max(v, 0)
		}
		s := strconv.FormatFloat(v, 'f', int(typ.Fraction), 64)
		if strings.Trim(s, "-0.") == "" {
			s = strings.TrimPrefix(s, "-") // no integer is minus nothing
		}
		w.Str(leaf, s)
	}
}
