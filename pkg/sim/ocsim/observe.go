package ocsim

import (
	"math"
	"strconv"
	"strings"

	"github.com/loomfabric/loom/models/hardware"
	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/light"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// writer writes the state of one device; each feature adds methods to it.
type writer struct {
	*config.Builder
	o       sim.Observation
	running config.Cursor
	read    reader
	light   *sim.Light
}

// observe adds the state leaves of a device. Before anything has been looked at, all is dark.
func observe(b *config.Builder, o sim.Observation) {
	w := &writer{Builder: b, o: o, running: o.Running.Root(), read: reader{o.Running.Root(), o.Hardware}, light: o.Light}
	if w.light == nil {
		w.light = &sim.Light{}
	}
	w.applied(w.running)
	w.chassis()
	w.modes()
	for c := range entries(w.running, component) {
		w.In(component, key(c), func() { w.component(c) })
	}
	for c := range entries(w.running, logical) {
		w.In(logical, key(c), func() { w.channel(c) })
	}
	w.amplifiers()
	w.mediaChannels()
	w.monitors()
}

// applied copies what is configured into state, where state has it: what a device is set to, it does.
func (w *writer) applied(c config.Cursor) {
	for child := range c.Children() {
		if !child.IsLeaf() {
			w.applied(child)
			continue
		}
		if parent := child.Parent(); parent.Node().Name == "config" {
			w.copied(parent, child)
		}
	}
}

func (w *writer) copied(parent, leaf config.Cursor) {
	state, ok := oc.Schema.Child(oc.Schema.Nodes[parent.ID()].Parent, "state")
	if !ok {
		return
	}
	if _, ok = oc.Schema.Child(state, leaf.Node().Name); !ok {
		return
	}
	path := leaf.Path()
	path[len(path)-2].Name = "state"
	w.SetPath(path, leaf.Value())
}

// measured writes the last value, mean, least and most of a measurement, as far as the container has them and the value is a
// number. half is half of what its readings scatter over.
func (w *writer) measured(container config.ID, value, mean, half float64) {
	for name, v := range map[string]float64{"instant": value, "avg": mean, "min": mean - half, "max": mean + half} {
		leaf, ok := oc.Schema.Child(container, name)
		if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		w.decimal(leaf, v)
	}
}

// decimal writes a number with the digits that its leaf has.
func (w *writer) decimal(leaf config.ID, v float64) {
	w.Str(leaf, strconv.FormatFloat(v, 'f', int(oc.Schema.Types[oc.Schema.Nodes[leaf].Type].Fraction), 64))
}

// power writes a power and its range. What is dark does not scatter.
func (w *writer) power(container config.ID, name string, p optics.DBm) {
	half := 0.0
	if w.o.Noise.Seed != 0 && p > light.Dark {
		half = light.PowerScatter
	}
	w.measured(container, float64(w.o.Noise.Power(w.o.Hardware.Name+" "+name, p)), float64(p), half)
}

// chassis writes the parts that every box has. What it is and which software it runs are known to who runs the device.
func (w *writer) chassis() {
	for name, kind := range map[string]string{"chassis": "CHASSIS", "os": "OPERATING_SYSTEM"} {
		if at(w.running, component).Entry(name).Valid() {
			w.In(component, name, func() {
				w.Str(oc.ComponentsComponentStateType, "openconfig-platform-types:"+kind)
				w.Str(oc.ComponentsComponentStateOperStatus, "openconfig-platform-types:ACTIVE")
				if name == "chassis" {
					w.Str(oc.ComponentsComponentStateSerialNo, w.o.Hardware.Serial)
				}
			})
		}
	}
	w.Str(oc.LldpStateChassisId, w.o.Hardware.MAC.String())
}

// modes lists what the transceivers of the platform can be set to.
func (w *writer) modes() {
	box, ok := hardware.Lookup(w.o.Hardware.Platform)
	if !ok || box.Coherent == nil {
		return
	}
	for _, m := range box.Coherent.Modes {
		w.In(oc.TerminalDeviceOperationalModesMode, m.Setting, func() {
			w.Str(oc.TerminalDeviceOperationalModesModeStateModeId, m.Setting)
			w.Str(oc.TerminalDeviceOperationalModesModeStateDescription, m.Name)
			w.Str(oc.TerminalDeviceOperationalModesModeStateVendorId, "LOOM")
		})
	}
}

// component writes a port, a transceiver or an optical channel.
func (w *writer) component(c config.Cursor) {
	if port, ok := strings.CutPrefix(key(c), transceiverPrefix); ok {
		w.transceiver(c, port)
	}
	if port := text(c, oc.ComponentsComponentOpticalChannelConfigLinePort); port != "" {
		w.opticalChannel(c, port)
	}
}

// transceiver writes what is plugged into a port. That of a client shows what its router sends.
func (w *writer) transceiver(c config.Cursor, port string) {
	w.Str(oc.ComponentsComponentStateType, "openconfig-platform-types:TRANSCEIVER")
	w.Str(oc.ComponentsComponentTransceiverStatePresent, "PRESENT")
	w.Str(oc.ComponentsComponentTransceiverStateVendor, "LOOM")
	in, out := light.Dark, light.Dark
	if p, ok := w.light.Ports[port]; ok {
		in, out = p.Total, p.Output
	} else if text(c, oc.ComponentsComponentTransceiverConfigEnabled) != "false" {
		out = greyPower
		if w.light.Clients[port].Light {
			in = greyPower - 1
		}
	}
	w.power(oc.ComponentsComponentTransceiverStateInputPower, port+" in", in)
	w.power(oc.ComponentsComponentTransceiverStateOutputPower, port+" out", out)
	for l := range entries(c, laserChannel) {
		w.In(laserChannel, key(l), func() {
			w.power(oc.ComponentsComponentTransceiverPhysicalChannelsChannelStateInputPower, port+" in", in)
			w.power(oc.ComponentsComponentTransceiverPhysicalChannelsChannelStateOutputPower, port+" out", out)
			w.Bool(oc.ComponentsComponentTransceiverPhysicalChannelsChannelStateRxLos, in <= light.Dark)
		})
	}
}

// greyPower is what short reach optics send, in dBm.
const greyPower optics.DBm = 0

// bias is the current of a laser that is on, in mA.
const bias = 210

// opticalChannel writes what the line port of a channel sends and hears.
func (w *writer) opticalChannel(c config.Cursor, port string) {
	truth, known := w.light.Ports[port]
	if !known {
		truth = light.Port{Output: light.Dark, Input: light.Dark, Total: light.Dark}
	}
	p := w.o.Noise.Port(network.End{Device: w.o.Hardware.Name, Port: port}, truth)
	for l := range entries(w.running, logical) {
		for a := range entries(l, assignment) {
			if text(a, oc.TerminalDeviceLogicalChannelsChannelLogicalChannelAssignmentsAssignmentConfigOpticalChannel) == key(c) {
				w.Str(oc.ComponentsComponentOpticalChannelStateLogicalChannelAssignment, key(l))
			}
		}
	}
	current := 0.0
	if p.Sends {
		current = bias
	}
	w.measured(oc.ComponentsComponentOpticalChannelStateLaserBiasCurrent, current, current, 0)
	powers, ratios, offsets := w.scatter(light.PowerScatter), w.scatter(light.NoiseScatter), w.scatter(light.OffsetScatter)
	if !p.Sends {
		w.measured(oc.ComponentsComponentOpticalChannelStateOutputPower, float64(p.Output), float64(truth.Output), 0)
	} else {
		w.measured(oc.ComponentsComponentOpticalChannelStateOutputPower, float64(p.Output), float64(truth.Output), powers)
	}
	if p.Input <= light.Dark {
		powers = 0
	}
	w.measured(oc.ComponentsComponentOpticalChannelStateInputPower, float64(p.Input), float64(truth.Input), powers)
	if !p.Measured() {
		return
	}
	w.measured(oc.ComponentsComponentOpticalChannelStateChromaticDispersion, p.CD, truth.CD, 0)
	w.measured(oc.ComponentsComponentOpticalChannelStatePolarizationModeDispersion, p.PMD, truth.PMD, 0)
	w.measured(oc.ComponentsComponentOpticalChannelStateOsnr, float64(p.OSNR), float64(truth.OSNR), ratios)
	w.measured(oc.ComponentsComponentOpticalChannelStateEsnr, float64(p.ESNR), float64(truth.ESNR), ratios)
	w.measured(oc.ComponentsComponentOpticalChannelStateCarrierFrequencyOffset, p.Offset, truth.Offset, offsets)
	w.measured(oc.ComponentsComponentOpticalChannelStatePreFecBer, p.BER, truth.BER, 0)
	w.measured(oc.ComponentsComponentOpticalChannelStateQValue, float64(p.Q), float64(truth.Q), 0)
	w.measured(oc.ComponentsComponentOpticalChannelStatePostFecBer, after(p), after(truth), 0)
}

// scatter is half of what readings scatter over.
func (w *writer) scatter(half float64) float64 {
	if w.o.Noise.Seed == 0 {
		return 0
	}
	return half
}

// after is the error rate behind the FEC: none where it corrects all, and what it got where it is beyond its limit.
func after(p light.Port) float64 {
	if p.Locked {
		return 0
	}
	return p.BER
}

// channel writes a logical channel: that of a client passes traffic when router and line do, that of a line when its
// receiver locks.
func (w *writer) channel(c config.Cursor) {
	on := text(c, oc.TerminalDeviceLogicalChannelsChannelConfigAdminState) == enabled
	if port, ok := strings.CutPrefix(text(c, oc.TerminalDeviceLogicalChannelsChannelIngressConfigTransceiver), transceiverPrefix); ok {
		seen := w.light.Clients[port]
		w.link(on && seen.Up)
		w.neighbor(c, seen)
		return
	}
	line, _ := w.read.carrier(c)
	truth := w.light.Ports[line]
	w.link(on && truth.Locked)
	p := w.o.Noise.Port(network.End{Device: w.o.Hardware.Name, Port: line}, truth)
	if local(text(c, oc.TerminalDeviceLogicalChannelsChannelConfigLogicalChannelType)) == "PROT_OTN" && p.Measured() {
		w.measured(oc.TerminalDeviceLogicalChannelsChannelOtnStatePreFecBer, p.BER, truth.BER, 0)
		w.measured(oc.TerminalDeviceLogicalChannelsChannelOtnStatePostFecBer, after(p), after(truth), 0)
		w.measured(oc.TerminalDeviceLogicalChannelsChannelOtnStateQValue, float64(p.Q), float64(truth.Q), 0)
		w.measured(oc.TerminalDeviceLogicalChannelsChannelOtnStateEsnr, float64(p.ESNR), float64(truth.ESNR), w.scatter(light.NoiseScatter))
	}
}

func (w *writer) link(up bool) {
	state := "DOWN"
	if up {
		state = "UP"
	}
	w.Str(oc.TerminalDeviceLogicalChannelsChannelStateLinkState, state)
}

// neighbor writes the router whose LLDP passes a client.
func (w *writer) neighbor(c config.Cursor, seen sim.ClientPort) {
	n := seen.Router
	if n == nil || text(c, oc.TerminalDeviceLogicalChannelsChannelEthernetLldpConfigEnabled) != "true" ||
		text(c, oc.TerminalDeviceLogicalChannelsChannelEthernetLldpConfigSnooping) != "true" {
		return
	}
	w.In(oc.TerminalDeviceLogicalChannelsChannelEthernetLldpNeighborsNeighbor, "1", func() {
		w.Str(oc.TerminalDeviceLogicalChannelsChannelEthernetLldpNeighborsNeighborStateId, "1")
		w.Str(oc.TerminalDeviceLogicalChannelsChannelEthernetLldpNeighborsNeighborStateChassisId, n.Chassis.String())
		w.Str(oc.TerminalDeviceLogicalChannelsChannelEthernetLldpNeighborsNeighborStateSystemName, n.System)
		w.Str(oc.TerminalDeviceLogicalChannelsChannelEthernetLldpNeighborsNeighborStatePortId, n.PeerPort)
	})
}
