package transponder

import (
	"fmt"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/fabric"
)

// Short forms of long names.
const (
	logical    = oc.TerminalDeviceLogicalChannelsChannel
	assignment = oc.TerminalDeviceLogicalChannelsChannelLogicalChannelAssignmentsAssignment
	laser      = oc.ComponentsComponentTransceiverPhysicalChannelsChannel
	laserOn    = oc.ComponentsComponentTransceiverPhysicalChannelsChannelConfigTxLaser
	optical    = oc.ComponentsComponentOpticalChannelConfig
)

const enabled = "ENABLED"

// clients are the ports towards routers: grey light, and the logical channel that carries it to the line.
func (r renderer) clients() {
	for i := range r.d.Light.Clients {
		c := &r.d.Light.Clients[i]
		r.because(c.Ref, "client port")
		r.component(c.Port, bare)
		r.component(transceiver(c.Port), func() {
			r.Bool(oc.ComponentsComponentTransceiverConfigEnabled, true)
			r.Str(oc.ComponentsComponentTransceiverConfigModuleFunctionalType, "TYPE_STANDARD_OPTIC")
		})
		r.In(logical, decimal(clientIndex(c.Port)), func() { r.client(c) })
	}
}

// client is the Ethernet layer of a client. The device listens to LLDP that passes and says nothing itself, so that
// routers at both ends see each other, and Loom sees which router is plugged in here.
func (r renderer) client(c *fabric.ClientPort) {
	r.Uint(oc.TerminalDeviceLogicalChannelsChannelConfigIndex, clientIndex(c.Port))
	r.Str(oc.TerminalDeviceLogicalChannelsChannelConfigDescription, c.Port+" to "+c.PeerName+" "+c.PeerPort)
	r.Str(oc.TerminalDeviceLogicalChannelsChannelConfigAdminState, enabled)
	r.Str(oc.TerminalDeviceLogicalChannelsChannelConfigRateClass, fmt.Sprintf("TRIB_RATE_%dG", c.Rate))
	r.Str(oc.TerminalDeviceLogicalChannelsChannelConfigTribProtocol, fmt.Sprintf("PROT_%dGE", c.Rate))
	r.Str(oc.TerminalDeviceLogicalChannelsChannelConfigLogicalChannelType, "PROT_ETHERNET")
	r.Str(oc.TerminalDeviceLogicalChannelsChannelEthernetConfigClientAls, "ETHERNET")
	r.Bool(oc.TerminalDeviceLogicalChannelsChannelEthernetLldpConfigEnabled, true)
	r.Bool(oc.TerminalDeviceLogicalChannelsChannelEthernetLldpConfigSnooping, true)
	r.Str(oc.TerminalDeviceLogicalChannelsChannelIngressConfigTransceiver, transceiver(c.Port))
	r.In(assignment, "1", func() {
		r.assigned("LOGICAL_CHANNEL", c.Rate)
		r.Uint(oc.TerminalDeviceLogicalChannelsChannelLogicalChannelAssignmentsAssignmentConfigLogicalChannel, lineIndex(c.Line))
	})
}

// assigned is what all assignments say: the first of its channel, and how much of it.
func (r renderer) assigned(to string, gbps int) {
	r.Uint(oc.TerminalDeviceLogicalChannelsChannelLogicalChannelAssignmentsAssignmentConfigIndex, 1)
	r.Str(oc.TerminalDeviceLogicalChannelsChannelLogicalChannelAssignmentsAssignmentConfigAssignmentType, to)
	r.Str(oc.TerminalDeviceLogicalChannelsChannelLogicalChannelAssignmentsAssignmentConfigAllocation, fmt.Sprintf("%d.000", gbps))
}

// channels are the line ports: the OTN layer that gathers the clients, and the coherent light that carries it.
func (r renderer) channels() {
	for i := range r.d.Light.Coherent {
		p := &r.d.Light.Coherent[i]
		r.because(p.Ref, "channel")
		r.component(p.Port, bare)
		r.component(transceiver(p.Port), func() {
			r.Bool(oc.ComponentsComponentTransceiverConfigEnabled, true)
			r.Str(oc.ComponentsComponentTransceiverConfigModuleFunctionalType, "TYPE_DIGITAL_COHERENT_OPTIC")
			r.In(laser, "0", func() {
				r.Uint(oc.ComponentsComponentTransceiverPhysicalChannelsChannelConfigIndex, 0)
				r.Str(oc.ComponentsComponentTransceiverPhysicalChannelsChannelConfigAssociatedOpticalChannel, opticalChannel(p.Port))
				r.Bool(laserOn, true)
			})
		})
		r.component(opticalChannel(p.Port), func() {
			r.Uint(oc.ComponentsComponentOpticalChannelConfigFrequency, p.Frequency)
			r.hundredths(oc.ComponentsComponentOpticalChannelConfigTargetOutputPower, float64(p.Power))
			r.Str(oc.ComponentsComponentOpticalChannelConfigOperationalMode, p.Setting)
			r.Str(oc.ComponentsComponentOpticalChannelConfigLinePort, p.Port)
		})
		r.In(logical, decimal(lineIndex(p.Port)), func() { r.line(p) })
	}
}

// line is the OTN layer of a channel. Its trail trace is the name of the channel at both ends (ITU-T G.709 §15.2): a
// channel that ends at another's port is noticed by the devices themselves.
func (r renderer) line(p *fabric.CoherentPort) {
	r.Uint(oc.TerminalDeviceLogicalChannelsChannelConfigIndex, lineIndex(p.Port))
	r.Str(oc.TerminalDeviceLogicalChannelsChannelConfigDescription, p.Channel+" to "+p.PeerName+" "+p.PeerPort)
	r.Str(oc.TerminalDeviceLogicalChannelsChannelConfigAdminState, enabled)
	r.Str(oc.TerminalDeviceLogicalChannelsChannelConfigRateClass, fmt.Sprintf("TRIB_RATE_%dG", p.Mode.Rate))
	r.Str(oc.TerminalDeviceLogicalChannelsChannelConfigTribProtocol, otnProtocol(p.Mode.Rate))
	r.Str(oc.TerminalDeviceLogicalChannelsChannelConfigLogicalChannelType, "PROT_OTN")
	r.Str(oc.TerminalDeviceLogicalChannelsChannelOtnConfigTtiMsgTransmit, p.Channel)
	r.Str(oc.TerminalDeviceLogicalChannelsChannelOtnConfigTtiMsgExpected, p.Channel)
	r.In(assignment, "1", func() {
		r.assigned("OPTICAL_CHANNEL", p.Mode.Rate)
		r.Str(oc.TerminalDeviceLogicalChannelsChannelLogicalChannelAssignmentsAssignmentConfigOpticalChannel, opticalChannel(p.Port))
	})
}

// otnProtocol is OTU4 for 100 Gb/s, and n times 100 Gb/s beyond (ITU-T G.709 §7.1).
func otnProtocol(gbps int) string {
	if gbps <= 100 {
		return "PROT_OTU4"
	}
	return "PROT_OTUCN"
}

// spare are ports that nothing uses, where the topology wants those disabled: dark.
func (r renderer) spare() {
	for _, port := range r.d.Unused {
		r.because(r.d.Ref, "unused port")
		r.component(transceiver(port.Name), func() {
			r.Bool(oc.ComponentsComponentTransceiverConfigEnabled, false)
		})
	}
}
