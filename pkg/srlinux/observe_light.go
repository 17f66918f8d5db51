package srlinux

import (
	"strconv"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/verify"
)

// Long names of what a coherent transceiver measures.
const (
	received    = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedPowerCurrent
	allReceived = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedTotalPowerCurrent
	transmitted = srl.InterfaceTransceiverOpticalChannelStatisticsTransmittedPowerCurrent
	bitErrors   = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedBitErrorRateCurrent
	opticalSNR  = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedOpticalSignalToNoiseRatioCurrent
	electricSNR = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedElectricalSignalToNoiseRatioCurrent
	quality     = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedQualityCurrent
	dispersion  = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedChromaticDispersionCurrent
	meanDelay   = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedDifferentialGroupDelayAverage
	offset      = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedFrequencyOffsetCurrent
)

// lightPaths are what is read of coherent ports. What is measured changes all the time, so it is read and not followed;
// when light is lost, so is the port.
var lightPaths = []string{
	"/interface[name=*]/transceiver/functional-type",
	"/interface[name=*]/transceiver/tx-laser",
	"/interface[name=*]/transceiver/oper-down-reason",
	"/interface[name=*]/transceiver/optical-channel[index=*]/operational-mode",
	"/interface[name=*]/transceiver/optical-channel[index=*]/oper-frequency",
	"/interface[name=*]/transceiver/optical-channel[index=*]/statistics",
}

// optical is what coherent ports show. A receiver tells the differential group delay of the moment; PMD is its mean.
func (o observation) optical() map[string]verify.Optical {
	out := map[string]verify.Optical{}
	for name, i := range o.entries(srl.Interface) {
		c := i.opticalChannel()
		if !c.Valid() || i.text(functionalType) != coherent {
			continue
		}
		out[name] = verify.Optical{
			Laser: i.text(laser) != "false", Reason: i.text(srl.InterfaceTransceiverOperDownReason),
			Frequency: c.number(srl.InterfaceTransceiverOpticalChannelOperFrequency), Mode: c.text(operationMode),
			Transmitted: c.measured(transmitted), Received: c.measured(received), Total: c.measured(allReceived),
			OSNR: c.measured(opticalSNR), ESNR: c.measured(electricSNR), Q: c.measured(quality), BER: c.measured(bitErrors),
			Dispersion: c.measured(dispersion), PMD: c.measured(meanDelay), Offset: c.measured(offset),
		}
	}
	return out
}

// askedOptical are the coherent ports that are to send light, and what they are set to.
func (o observation) askedOptical() map[string]verify.Optical {
	out := map[string]verify.Optical{}
	for name, i := range o.entries(srl.Interface) {
		if i.lit() {
			c, power := i.opticalChannel(), float64(i.power())/100
			out[name] = verify.Optical{Laser: true, Frequency: c.number(frequency), Mode: c.text(operationMode), Target: &power}
		}
	}
	return out
}

// measured is a number that a transceiver shows, nil if it does not.
func (o observation) measured(id config.ID) *float64 {
	leaf := o.at(id)
	v, err := strconv.ParseFloat(leaf.Value(), 64)
	if !leaf.Valid() || err != nil {
		return nil
	}
	return &v
}
