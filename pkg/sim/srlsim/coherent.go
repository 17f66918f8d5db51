package srlsim

import (
	"errors"
	"fmt"

	"github.com/loomfabric/loom/models/hardware"
	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

const coherentOptics = "srl_nokia-interfaces:digital-coherent-optics"

// refuses is what the router does not take of a configuration that fits the schema: coherent optics where the chassis has
// none, and the must statements of srl_nokia-interfaces-dco. Which modes need the port broken out, and into what, is the
// platform's data.
func refuses(h network.Hardware, running *config.Tree) error {
	box, known := hardware.Lookup(h.Platform)
	if !known {
		return nil
	}
	var errs []error
	for entry := range at(running.Root(), srl.Interface).Children() {
		errs = append(errs, coherent(box, entry)...)
	}
	return errors.Join(errs...)
}

// coherent are the problems of one port, each in the words of the models.
func coherent(box *hardware.Platform, entry config.Cursor) (out []error) {
	say := func(at config.Cursor, format string, args ...any) {
		out = append(out, &config.ValueError{Path: at.Path(), Value: at.Value(), Err: fmt.Errorf(format, args...)})
	}
	kind, split := at(entry, srl.InterfaceTransceiverFunctionalType), has(entry, srl.InterfaceBreakoutMode)
	if kind.Valid() && box.Coherent == nil {
		say(kind, "%s has no digital-coherent-optics", box.Type)
	}
	if laser := at(entry, srl.InterfaceTransceiverTxLaser); laser.Valid() && split {
		say(laser, "tx-laser not configurable when breakout-mode is enabled")
	}
	for channel := range at(entry, srl.InterfaceTransceiverOpticalChannel).Children() {
		if kind.Value() != coherentOptics {
			say(channel, "optical channel information is only valid for digital coherent optics")
			continue
		}
		leaf := at(channel, srl.InterfaceTransceiverOpticalChannelOperationalMode)
		mode, listed := setting(box, leaf.Value())
		speed := at(entry, srl.InterfaceEthernetPortSpeed)
		switch {
		case !listed:
		case mode.Breakout != breakout(entry):
			say(leaf, "breakout-mode must be %s for operational-mode %s", orUnset(mode.Breakout), leaf.Value())
		case mode.Breakout == "" && speed.Valid() && speed.Value() != "400G":
			say(speed, "port-speed must be unset or 400G for operational-mode %s", leaf.Value())
		case mode.Lanes != 0 && number(entry, srl.InterfaceNumPhysicalChannels) != uint64(mode.Lanes):
			say(leaf, "num-physical-channels must be %d for operational-mode %s", mode.Lanes, leaf.Value())
		}
	}
	return out
}

// setting finds a mode of a platform by its number.
func setting(box *hardware.Platform, number string) (hardware.CoherentMode, bool) {
	if box.Coherent != nil {
		for _, m := range box.Coherent.Modes {
			if m.Setting == number {
				return m, true
			}
		}
	}
	return hardware.CoherentMode{}, false
}

// breakout is what a port is broken out into, "4x100G"; "" where it is whole.
func breakout(entry config.Cursor) string {
	if !has(entry, srl.InterfaceBreakoutMode) {
		return ""
	}
	return text(entry, srl.InterfaceBreakoutModeNumBreakoutPorts) + "x" + text(entry, srl.InterfaceBreakoutModeBreakoutPortSpeed)
}

func orUnset(s string) string {
	if s == "" {
		return "unset"
	}
	return s
}
