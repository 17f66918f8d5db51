package srlinux

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// Long names of a coherent transceiver, /interface/transceiver.
const (
	functionalType = srl.InterfaceTransceiverFunctionalType
	laser          = srl.InterfaceTransceiverTxLaser
	optical        = srl.InterfaceTransceiverOpticalChannel
	frequency      = srl.InterfaceTransceiverOpticalChannelFrequency
	operationMode  = srl.InterfaceTransceiverOpticalChannelOperationalMode
	targetPower    = srl.InterfaceTransceiverOpticalChannelTargetPower

	// coherent is an identity of transceiver-functional-type.
	coherent = "srl_nokia-interfaces:digital-coherent-optics"
	// onlyChannel is the index of the one channel that a transceiver has.
	onlyChannel = "1"
)

// coherentPorts are the ports with coherent transceivers: the end of a channel of a line. The links that a channel
// carries are fabric links on the port, or on the channels that it is broken out into.
func (r renderer) coherentPorts() {
	for i := range r.d.Light.Coherent {
		p := &r.d.Light.Coherent[i]
		r.because(p.Ref, "coherent port")
		r.In(srl.Interface, p.Port, func() {
			r.enable(srl.InterfaceAdminState)
			r.Str(functionalType, coherent)
			r.carries(p)
			r.In(optical, onlyChannel, func() { r.channel(p) })
		})
	}
}

// canLight names the release to take where this one has no coherent optics: one sentence instead of one for each leaf.
func (r renderer) canLight() error {
	if len(r.d.Light.Coherent) == 0 || r.Has(functionalType) {
		return nil
	}
	p := &r.d.Light.Coherent[0]
	with := slices.DeleteFunc(slices.Clone(srl.Schema.Releases), func(name string) bool {
		return !srl.Schema.Nodes[functionalType].In.Has(srl.Schema.Release(name))
	})
	return &config.CausedError{Cause: config.Cause{Ref: string(p.Ref), Rule: "coherent port"}, Err: fmt.Errorf(
		"%s: SR Linux %s has no coherent optics; use release %s, or transponders", p.Port, r.d.Release, strings.Join(with, " or "))}
}

// carries is what the mode has for the router. A transceiver can run at several rates, so the speed is said even where
// it is the port's own; a port that is broken out has it with the breakout.
func (r renderer) carries(p *fabric.CoherentPort) {
	r.because(p.Ref+"#mode", "mode")
	if p.Lanes != 0 {
		r.Uint(srl.InterfaceNumPhysicalChannels, uint64(p.Lanes))
	}
	if brokenOut(r.d, p.Port) {
		r.because(p.Ref, "coherent port")
		r.Str(srl.InterfaceDescription, p.PeerName+" "+p.PeerPort)
		return
	}
	r.speed(strconv.Itoa(p.Mode.Rate) + "G")
	r.because(p.Ref, "coherent port")
}

// channel is the light itself. The laser is on as long as nobody says otherwise (tx-laser). What happens when none comes in (rx-los-reaction, rx-los-thresh) is left to the router:
// below -23 dBm the port goes down, which no mode receives.
func (r renderer) channel(p *fabric.CoherentPort) {
	r.because(p.Ref+"#frequency", "frequency")
	r.Uint(frequency, p.Frequency)
	r.because(p.Ref+"#mode", "mode")
	r.Str(operationMode, p.Setting)
	r.because(p.Ref+"#power", "launch power")
	r.Str(targetPower, strconv.FormatFloat(float64(p.Power), 'f', 2, 64))
	r.because(p.Ref, "coherent port")
}

func brokenOut(d *fabric.Device, port string) bool {
	return slices.ContainsFunc(d.Breakouts, func(b fabric.Breakout) bool { return b.Port == port })
}

// hosted is what an operational mode has towards the router.
type hosted struct {
	ports uint64 // of 100G that the port has to be broken out into; 0: it is whole and runs at 400G
	lanes uint64 // that num-physical-channels has to be
	left  bool   // it may also be left out
}

// hosts are the must statements of /interface/transceiver/optical-channel/operational-mode, 25.3.
var hosts = map[string]hosted{
	"1021": {ports: 4}, "1022": {ports: 4}, "1025": {ports: 4},
	"1033": {ports: 3}, "1037": {ports: 3},
	"1043": {ports: 2, lanes: 4}, "1051": {ports: 2, lanes: 8, left: true},
	"1061": {ports: 1, lanes: 4, left: true}, "1169": {ports: 1, lanes: 4, left: true},
	"1065": {ports: 1, lanes: 2}, "1069": {ports: 1, lanes: 2},
	"1081": {}, "1082": {}, "1083": {}, "1085": {}, "1088": {},
}

// checkCoherent: a mode that does not go with its port is refused by the router as a whole, after minutes of planning.
func checkCoherent(t *config.Tree) error {
	var errs []error
	for port := range entries(t, srl.Interface) {
		o := observation{port}
		for _, c := range o.entries(optical) {
			if o.text(functionalType) != coherent {
				errs = append(errs, mistake(c.Cursor, "an optical channel on a port whose functional-type is not digital-coherent-optics"))
			}
			if mode := c.at(operationMode); mode.Valid() {
				errs = append(errs, o.checkMode(mode))
			}
		}
		if b := o.at(srl.InterfaceBreakoutMode); b.Valid() && o.at(laser).Valid() {
			errs = append(errs, mistake(o.at(laser).Cursor, "a port that is broken out has no laser of its own to switch"))
		}
	}
	return errors.Join(errs...)
}

// checkMode holds a mode to the port that it is on.
func (o observation) checkMode(mode observation) error {
	want := hosts[mode.Value()]
	b := o.at(srl.InterfaceBreakoutMode)
	split := want.ports == 0 && !b.Valid() ||
		want.ports != 0 && b.Valid() && b.number(srl.InterfaceBreakoutModeNumBreakoutPorts) == want.ports && b.text(srl.InterfaceBreakoutModeBreakoutPortSpeed) == "100G"
	lanes := o.number(srl.InterfaceNumPhysicalChannels)
	switch speed := o.text(srl.InterfaceEthernetPortSpeed); {
	case !split:
		return mistake(mode.Cursor, "mode %s needs the port %s", mode.Value(), want.split())
	case want.ports == 0 && speed != "" && speed != "400G":
		return mistake(mode.Cursor, "mode %s runs at 400G, the port at %s", mode.Value(), speed)
	case want.lanes != 0 && lanes != want.lanes && !(want.left && lanes == 0):
		return mistake(mode.Cursor, "mode %s has %d lanes (num-physical-channels)", mode.Value(), want.lanes)
	}
	return nil
}

func (h hosted) split() string {
	if h.ports == 0 {
		return "whole, without breakout-mode"
	}
	return fmt.Sprintf("broken out into %dx100G", h.ports)
}

// checkBreakouts: which breakouts a port has depends on the platform, not on the models.
func checkBreakouts(t *config.Tree, d *fabric.Device) error {
	var errs []error
	for port := range entries(t, srl.Interface) {
		b := observation{port}.at(srl.InterfaceBreakoutMode)
		i := d.Platform.PortIndex(port.Keys()[0])
		if !b.Valid() || i < 0 {
			continue
		}
		into := b.text(srl.InterfaceBreakoutModeNumBreakoutPorts) + "x" + b.text(srl.InterfaceBreakoutModeBreakoutPortSpeed)
		if has := d.Platform.Ports[i].Breakouts; !slices.Contains(has, into) {
			errs = append(errs, mistake(b.Cursor, "a %s does not break %s out into %s; it knows %s", d.Platform.Name, port.Keys()[0], into, orNone(has)))
		}
	}
	return errors.Join(errs...)
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
