package ocsim

import (
	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/light"
)

// pump is the current of an amplifier that is on, in mA.
const pump = 350

// amplifiers writes what amplifiers and the attenuators behind them measure.
func (w *writer) amplifiers() {
	set := w.read.amplifiers()
	for c := range entries(w.running, amplifier) {
		name := key(c)
		seen, ok := w.light.Amplifiers[name]
		if !ok {
			seen = light.Amplified{Input: light.Dark, Output: light.Dark}
		}
		current := 0.0
		if set[name].On {
			current = pump
		}
		w.In(amplifier, name, func() {
			w.measured(oc.OpticalAmplifierAmplifiersAmplifierStateActualGain, float64(seen.Gain), float64(seen.Gain), 0)
			w.measured(oc.OpticalAmplifierAmplifiersAmplifierStateActualGainTilt, 0, 0, 0)
			w.power(oc.OpticalAmplifierAmplifiersAmplifierStateInputPowerTotal, name+" in", seen.Input)
			w.power(oc.OpticalAmplifierAmplifiersAmplifierStateInputPowerCBand, name+" in", seen.Input)
			w.power(oc.OpticalAmplifierAmplifiersAmplifierStateOutputPowerTotal, name+" out", seen.Output)
			w.power(oc.OpticalAmplifierAmplifiersAmplifierStateOutputPowerCBand, name+" out", seen.Output)
			w.measured(oc.OpticalAmplifierAmplifiersAmplifierStateLaserBiasCurrent, current, current, 0)
		})
		behind := name + attenuatorSuffix
		if !at(w.running, attenuator).Entry(behind).Valid() {
			continue
		}
		w.In(attenuator, behind, func() {
			voa := float64(set[name].VOA)
			w.measured(oc.OpticalAttenuatorAttenuatorsAttenuatorStateActualAttenuation, voa, voa, 0)
			w.power(oc.OpticalAttenuatorAttenuatorsAttenuatorStateOutputPowerTotal, behind, max(seen.Output-optics.DBm(voa), light.Dark))
		})
	}
}

// mediaChannels writes whether light passes.
func (w *writer) mediaChannels() {
	for c := range entries(w.running, media) {
		w.In(media, key(c), func() {
			state := "DOWN"
			if w.mediaPower(c) > light.Dark {
				state = "UP"
			}
			w.Str(oc.WavelengthRouterMediaChannelsChannelStateOperStatus, state)
		})
	}
}

func (w *writer) mediaPower(c config.Cursor) optics.DBm {
	p, ok := w.light.Media[uint32(whole(c, oc.WavelengthRouterMediaChannelsChannelConfigIndex))]
	if !ok {
		return light.Dark
	}
	return p
}

// Monitors of a line system: of what goes into its line, and of what comes from it.
const (
	monitorOut = "line-out"
	monitorIn  = "line-in"
)

// monitors writes the power of every media channel where it goes into the line or comes from it.
func (w *writer) monitors() {
	for c := range entries(w.running, media) {
		name := monitorIn
		if text(c, oc.WavelengthRouterMediaChannelsChannelDestConfigPortName) == light.LinePort {
			name = monitorOut
		}
		low, high := text(c, oc.WavelengthRouterMediaChannelsChannelConfigLowerFrequency), text(c, oc.WavelengthRouterMediaChannelsChannelConfigUpperFrequency)
		w.In(component, name, func() { // a monitor is a component, and its key refers to that by what is configured
			w.Str(oc.ComponentsComponentConfigName, name)
			w.Str(oc.ComponentsComponentStateName, name)
		})
		w.In(oc.ChannelMonitorsChannelMonitor, name, func() {
			w.Str(oc.ChannelMonitorsChannelMonitorConfigName, name)
			w.Str(oc.ChannelMonitorsChannelMonitorStateName, name)
			w.Str(oc.ChannelMonitorsChannelMonitorStateMonitorPort, light.LinePort)
			w.In2(oc.ChannelMonitorsChannelMonitorChannelsChannel, low, high, func() {
				w.Str(oc.ChannelMonitorsChannelMonitorChannelsChannelStateLowerFrequency, low)
				w.Str(oc.ChannelMonitorsChannelMonitorChannelsChannelStateUpperFrequency, high)
				p := w.o.Noise.Power(w.o.Hardware.Name+" "+name+" "+low, w.mediaPower(c))
				w.decimal(oc.ChannelMonitorsChannelMonitorChannelsChannelStatePower, float64(p))
			})
		})
	}
}
