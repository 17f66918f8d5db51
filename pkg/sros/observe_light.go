package sros

import (
	"strconv"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/verify"
)

// Long names of what a coherent transceiver measures.
const (
	received    = sros.StatePortDwdmCoherentStatisticsReceivedPowerCurrent
	allReceived = sros.StatePortDwdmCoherentStatisticsReceivedTotalPowerCurrent
	transmitted = sros.StatePortDwdmCoherentStatisticsTransmittedPowerCurrent
	bitErrors   = sros.StatePortDwdmCoherentStatisticsReceivedBitErrorRateCurrent
	opticalSNR  = sros.StatePortDwdmCoherentStatisticsReceivedOpticalSignalToNoiseRatioCurrent
	electricSNR = sros.StatePortDwdmCoherentStatisticsReceivedElectricalSignalToNoiseRatioCurrent
	quality     = sros.StatePortDwdmCoherentStatisticsReceivedQualityCurrent
	dispersion  = sros.StatePortDwdmCoherentStatisticsReceivedChromaticDispersionCurrent
	meanDelay   = sros.StatePortDwdmCoherentStatisticsReceivedDifferentialGroupDelayAverage
	offset      = sros.StatePortDwdmCoherentStatisticsReceivedFrequencyOffsetCurrent

	isCoherent  = sros.ConfigurePortTransceiverDigitalCoherentOptics
	frequency   = sros.ConfigurePortDwdmFrequency
	mode        = sros.ConfigurePortDwdmCoherentCompatibility
	targetPower = sros.ConfigurePortDwdmCoherentTargetPower
)

// lightPaths are what is read of coherent ports. What is measured changes all the time, so it is read and not followed; when light is
// lost, so is the port.
var lightPaths = []string{
	"/configure/port[port-id=*]/transceiver/digital-coherent-optics",
	"/configure/port[port-id=*]/dwdm/coherent/compatibility",
	"/state/port[port-id=*]/dwdm/oper-frequency",
	"/state/port[port-id=*]/dwdm/coherent/module-state",
	"/state/port[port-id=*]/dwdm/coherent/statistics",
}

// optical is what coherent ports show. A receiver tells the differential group delay of the moment; PMD is its mean.
func (o observation) optical() map[string]verify.Optical {
	out := map[string]verify.Optical{}
	for name, p := range o.entries(sros.StatePort) {
		if !o.coherent(name) || !p.has(sros.StatePortDwdm) {
			continue
		}
		set := o.entry(sros.ConfigurePort, name)
		port := verify.Optical{
			Laser: o.enabled(name), Frequency: p.number(sros.StatePortDwdmOperFrequency), Mode: set.text(mode),
			Transmitted: p.hundredths(transmitted), Received: p.hundredths(received), Total: p.hundredths(allReceived),
			OSNR: p.hundredths(opticalSNR), ESNR: p.hundredths(electricSNR), Q: p.hundredths(quality), BER: p.measured(bitErrors),
			Dispersion: p.measured(dispersion), PMD: p.measured(meanDelay), Offset: p.measured(offset),
		}
		if state := p.text(sros.StatePortDwdmCoherentModuleState); state != "ready" {
			port.Reason = state
		}
		out[name] = port
	}
	return out
}

// askedOptical are the coherent ports that are to send light, and what they are set to.
func (o observation) askedOptical() map[string]verify.Optical {
	out := map[string]verify.Optical{}
	for name, p := range o.entries(sros.ConfigurePort) {
		if p.lit() {
			power := float64(p.power()) / 100
			out[name] = verify.Optical{Laser: true, Frequency: p.number(frequency), Mode: p.text(mode), Target: &power}
		}
	}
	return out
}

// measured is a number that a transceiver shows, nil if it does not.
func (o observation) measured(id config.ID) *float64 {
	leaf := o.at(id)
	if !leaf.Valid() {
		return nil
	}
	v, err := strconv.ParseFloat(leaf.Value(), 64)
	if err != nil {
		return nil
	}
	return &v
}

// hundredths is a ratio in centibels, or a power in hundredths of a dBm, as dB or dBm.
func (o observation) hundredths(id config.ID) *float64 {
	v := o.measured(id)
	if v != nil {
		*v /= 100
	}
	return v
}
