package srlinux

import (
	"strconv"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
)

// Long names of what a coherent transceiver measures.
const (
	received    = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedPowerCurrent
	transmitted = srl.InterfaceTransceiverOpticalChannelStatisticsTransmittedPowerCurrent
	bitErrors   = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedBitErrorRateCurrent
	opticalSNR  = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedOpticalSignalToNoiseRatioCurrent
	electricSNR = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedElectricalSignalToNoiseRatioCurrent
	quality     = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedQualityCurrent
	dispersion  = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedChromaticDispersionCurrent
	groupDelay  = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedDifferentialGroupDelayCurrent
	offset      = srl.InterfaceTransceiverOpticalChannelStatisticsReceivedFrequencyOffsetCurrent
)

// lightPaths are what is read of coherent ports. What is measured changes all the time, so it is read and not followed;
// when light is lost, so is the port.
var lightPaths = []string{
	"/interface[name=*]/transceiver/functional-type",
	"/interface[name=*]/transceiver/tx-laser",
	"/interface[name=*]/transceiver/oper-state",
	"/interface[name=*]/transceiver/oper-down-reason",
	"/interface[name=*]/transceiver/optical-channel[index=*]/operational-mode",
	"/interface[name=*]/transceiver/optical-channel[index=*]/oper-frequency",
	"/interface[name=*]/transceiver/optical-channel[index=*]/module-state",
	"/interface[name=*]/transceiver/optical-channel[index=*]/statistics",
}

// transceiver is what is seen of a coherent port. What the router does not show is nil.
type transceiver struct {
	Up        bool   // transceiver/oper-state
	Reason    string // why it is down, in the router's words
	Module    string // how far the module has come up: "ready"
	Laser     bool
	Frequency uint64 // MHz; 0 while the module starts
	Mode      uint16 // the platform's own number

	Transmitted, Received  *float64 // dBm
	OSNR, ElectricalSNR, Q *float64 // dB
	BER                    *float64 // before the FEC
	Dispersion             *float64 // ps/nm
	DGD                    *float64 // ps: the state of polarization of the moment, not its mean
	Offset                 *float64 // MHz, of the carrier that comes in from the receiver's laser
}

// transceivers are the coherent ones, by port.
func (o observation) transceivers() map[string]transceiver {
	out := map[string]transceiver{}
	for name, i := range o.entries(srl.Interface) {
		c := i.opticalChannel()
		if !c.Valid() || i.text(functionalType) != coherent {
			continue
		}
		mode, _ := strconv.ParseUint(c.text(operationMode), 10, 16) // an enumeration of numbers
		out[name] = transceiver{
			Up: i.text(srl.InterfaceTransceiverOperState) == "up", Reason: i.text(srl.InterfaceTransceiverOperDownReason),
			Module: c.text(srl.InterfaceTransceiverOpticalChannelModuleState), Laser: i.text(laser) != "false",
			Frequency: c.number(srl.InterfaceTransceiverOpticalChannelOperFrequency), Mode: uint16(mode),
			Transmitted: c.measured(transmitted), Received: c.measured(received),
			OSNR: c.measured(opticalSNR), ElectricalSNR: c.measured(electricSNR), Q: c.measured(quality),
			BER: c.measured(bitErrors), Dispersion: c.measured(dispersion), DGD: c.measured(groupDelay), Offset: c.measured(offset),
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
