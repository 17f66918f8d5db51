package ocsim

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/hardware"
	oc "github.com/loomfabric/loom/models/openconfig"
	modes "github.com/loomfabric/loom/models/optics"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/light"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Short forms of long names.
const (
	component    = oc.ComponentsComponent
	logical      = oc.TerminalDeviceLogicalChannelsChannel
	assignment   = oc.TerminalDeviceLogicalChannelsChannelLogicalChannelAssignmentsAssignment
	laserChannel = oc.ComponentsComponentTransceiverPhysicalChannelsChannel
	amplifier    = oc.OpticalAmplifierAmplifiersAmplifier
	attenuator   = oc.OpticalAttenuatorAttenuatorsAttenuator
	media        = oc.WavelengthRouterMediaChannelsChannel
)

// Names of parts that the boxes have: a transceiver is called by the port that it sits in, an attenuator by the
// amplifier that it follows.
const (
	transceiverPrefix = "transceiver-"
	attenuatorSuffix  = "-voa"
)

const enabled = "ENABLED"

// lit says what a running configuration does with light.
func lit(h network.Hardware, running *config.Tree) *light.Device {
	r := reader{running.Root(), h}
	return &light.Device{Lasers: r.lasers(), Clients: r.clients(), Amplifiers: r.amplifiers(), Media: r.media()}
}

// reader reads one configuration.
type reader struct {
	root config.Cursor
	h    network.Hardware
}

// lasers are the optical channels that have a line port.
func (r reader) lasers() (out []light.Laser) {
	for c := range entries(r.root, component) {
		port := text(c, oc.ComponentsComponentOpticalChannelConfigLinePort)
		if port == "" {
			continue
		}
		on, shines := r.transceiver(key(c), port)
		out = append(out, light.Laser{
			Port: port, On: on, Shines: shines,
			Frequency: whole(c, oc.ComponentsComponentOpticalChannelConfigFrequency),
			Power:     optics.DBm(number(c, oc.ComponentsComponentOpticalChannelConfigTargetOutputPower)),
			Mode:      modeOf(r.h.Platform, text(c, oc.ComponentsComponentOpticalChannelConfigOperationalMode)),
		})
	}
	slices.SortStableFunc(out, func(a, b light.Laser) int { return cmp.Compare(a.Port, b.Port) })
	return slices.CompactFunc(out, func(a, b light.Laser) bool { return a.Port == b.Port })
}

// transceiver tells whether the module at a line port is on, and whether its laser leaves the port for an optical channel.
func (r reader) transceiver(channel, port string) (on, shines bool) {
	module := at(r.root, component).Entry(transceiverPrefix + port)
	on = module.Valid() && text(module, oc.ComponentsComponentTransceiverConfigEnabled) != "false"
	for l := range entries(module, laserChannel) {
		if text(l, oc.ComponentsComponentTransceiverPhysicalChannelsChannelConfigAssociatedOpticalChannel) == channel {
			shines = shines || text(l, oc.ComponentsComponentTransceiverPhysicalChannelsChannelConfigTxLaser) == "true"
		}
	}
	return on, on && shines
}

// modeOf is the mode that a platform has under a number; nil where it has none.
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

// clients are the Ethernet layers of ports that end, by way of other logical channels, at an optical channel.
func (r reader) clients() (out []light.Client) {
	for c := range entries(r.root, logical) {
		module := text(c, oc.TerminalDeviceLogicalChannelsChannelIngressConfigTransceiver)
		port, ok := strings.CutPrefix(module, transceiverPrefix)
		if !ok || local(text(c, oc.TerminalDeviceLogicalChannelsChannelConfigLogicalChannelType)) != "PROT_ETHERNET" {
			continue
		}
		line, on := r.carrier(c)
		grey := text(at(r.root, component).Entry(module), oc.ComponentsComponentTransceiverConfigEnabled) != "false"
		out = append(out, light.Client{Port: port, Line: line, On: on && grey})
	}
	slices.SortStableFunc(out, func(a, b light.Client) int { return cmp.Compare(a.Port, b.Port) })
	return slices.CompactFunc(out, func(a, b light.Client) bool { return a.Port == b.Port })
}

// carrier is the line port that a logical channel comes to, and whether every layer in between is enabled.
func (r reader) carrier(c config.Cursor) (line string, on bool) {
	on = true
	for depth := 0; depth < 8 && c.Valid(); depth++ { // more layers than OTN has: a circle
		on = on && text(c, oc.TerminalDeviceLogicalChannelsChannelConfigAdminState) == enabled
		next := config.Cursor{}
		for a := range entries(c, assignment) {
			if och := text(a, oc.TerminalDeviceLogicalChannelsChannelLogicalChannelAssignmentsAssignmentConfigOpticalChannel); och != "" {
				return text(at(r.root, component).Entry(och), oc.ComponentsComponentOpticalChannelConfigLinePort), on
			}
			next = at(r.root, logical).Entry(text(a, oc.TerminalDeviceLogicalChannelsChannelLogicalChannelAssignmentsAssignmentConfigLogicalChannel))
		}
		c = next
	}
	return "", false
}

func (r reader) amplifiers() map[string]light.Amplifier {
	out := map[string]light.Amplifier{}
	for c := range entries(r.root, amplifier) {
		a := light.Amplifier{
			On:   text(c, oc.OpticalAmplifierAmplifiersAmplifierConfigEnabled) == "true",
			Gain: optics.DB(number(c, oc.OpticalAmplifierAmplifiersAmplifierConfigTargetGain)),
		}
		behind := at(r.root, attenuator).Entry(key(c) + attenuatorSuffix)
		if text(behind, oc.OpticalAttenuatorAttenuatorsAttenuatorConfigEnabled) == "true" {
			a.VOA = optics.DB(number(behind, oc.OpticalAttenuatorAttenuatorsAttenuatorConfigAttenuation))
		}
		out[key(c)] = a
	}
	return out
}

func (r reader) media() (out []light.Media) {
	for c := range entries(r.root, media) {
		out = append(out, light.Media{
			Index: uint32(whole(c, oc.WavelengthRouterMediaChannelsChannelConfigIndex)),
			Low:   whole(c, oc.WavelengthRouterMediaChannelsChannelConfigLowerFrequency),
			High:  whole(c, oc.WavelengthRouterMediaChannelsChannelConfigUpperFrequency),
			From:  text(c, oc.WavelengthRouterMediaChannelsChannelSourceConfigPortName),
			To:    text(c, oc.WavelengthRouterMediaChannelsChannelDestConfigPortName),
			On:    text(c, oc.WavelengthRouterMediaChannelsChannelConfigAdminStatus) == enabled,
		})
	}
	return out
}

// refuses is what a device does not take of a configuration that fits the schema: a line port that it does not have, and
// a mode that it cannot do.
func refuses(h network.Hardware, running *config.Tree) error {
	box, known := hardware.Lookup(h.Platform)
	if !known {
		return nil
	}
	var errs []error
	say := func(at config.Cursor, format string, args ...any) {
		errs = append(errs, &config.ValueError{Path: at.Path(), Value: at.Value(), Err: fmt.Errorf(format, args...)})
	}
	for c := range entries(running.Root(), component) {
		port := at(c, oc.ComponentsComponentOpticalChannelConfigLinePort)
		if port.Valid() && (box.Coherent == nil || !slices.Contains(box.Coherent.Ports, port.Value())) {
			say(port, "%s has no line port %s", box.Name, port.Value())
		}
		mode := at(c, oc.ComponentsComponentOpticalChannelConfigOperationalMode)
		if mode.Valid() && modeOf(h.Platform, mode.Value()) == nil {
			say(mode, "%s has no operational-mode %s; /terminal-device/operational-modes lists them", box.Name, mode.Value())
		}
	}
	return errors.Join(errs...)
}
