package transponder

import (
	oc "github.com/loomfabric/loom/models/openconfig"
)

// Short forms of long names.
const (
	amplifier   = oc.OpticalAmplifierAmplifiersAmplifier
	voa         = oc.OpticalAttenuatorAttenuatorsAttenuator
	media       = oc.WavelengthRouterMediaChannelsChannel
	targetGain  = oc.OpticalAmplifierAmplifiersAmplifierConfigTargetGain
	attenuation = oc.OpticalAttenuatorAttenuatorsAttenuatorConfigAttenuation
)

// amplifiers hold their gain whatever passes them, so that a channel comes and goes without the others noticing: in
// constant power each would get less when one comes.
func (r renderer) amplifiers() {
	for i := range r.d.Light.Amplifiers {
		a := &r.d.Light.Amplifiers[i]
		r.because(a.Ref, "amplifier")
		r.In(amplifier, a.Name, func() {
			r.Str(oc.OpticalAmplifierAmplifiersAmplifierConfigName, a.Name)
			r.Str(oc.OpticalAmplifierAmplifiersAmplifierConfigType, "EDFA")
			r.Str(oc.OpticalAmplifierAmplifiersAmplifierConfigAmpMode, "openconfig-optical-amplifier:CONSTANT_GAIN")
			r.hundredths(targetGain, float64(a.Gain))
			r.hundredths(oc.OpticalAmplifierAmplifiersAmplifierConfigTargetGainTilt, 0)
			r.Bool(oc.OpticalAmplifierAmplifiersAmplifierConfigEnabled, true)
		})
	}
}

// attenuators stand behind the amplifiers and take what these give too much: one cannot be set below its least gain.
func (r renderer) attenuators() {
	for i := range r.d.Light.Amplifiers {
		a := &r.d.Light.Amplifiers[i]
		r.because(a.Ref, "attenuator")
		r.In(voa, attenuator(a.Name), func() {
			r.Str(oc.OpticalAttenuatorAttenuatorsAttenuatorConfigName, attenuator(a.Name))
			r.Str(oc.OpticalAttenuatorAttenuatorsAttenuatorConfigAttenuationMode, "CONSTANT_ATTENUATION")
			r.hundredths(attenuation, float64(a.VOA))
			r.Bool(oc.OpticalAttenuatorAttenuatorsAttenuatorConfigEnabled, true)
		})
	}
}

// mediaChannels are the pieces of spectrum that the end of a line adds and drops, one for each direction.
func (r renderer) mediaChannels() {
	for i := range r.d.Light.Media {
		m := &r.d.Light.Media[i]
		r.because(m.Ref, "media channel")
		r.component(linePort, bare)
		r.component(m.Port, bare)
		r.mediaChannel(uint64(m.Index), m.Channel+added, m.Low, m.High, m.Port, linePort)
		r.mediaChannel(firstDrop+uint64(m.Index), m.Channel+" dropped", m.Low, m.High, linePort, m.Port)
	}
}

func (r renderer) mediaChannel(index uint64, name string, low, high uint64, from, to string) {
	r.In(media, decimal(index), func() {
		r.Uint(oc.WavelengthRouterMediaChannelsChannelConfigIndex, index)
		r.Str(oc.WavelengthRouterMediaChannelsChannelConfigName, name)
		r.Uint(oc.WavelengthRouterMediaChannelsChannelConfigLowerFrequency, low)
		r.Uint(oc.WavelengthRouterMediaChannelsChannelConfigUpperFrequency, high)
		r.Str(oc.WavelengthRouterMediaChannelsChannelConfigAdminStatus, enabled)
		r.Str(oc.WavelengthRouterMediaChannelsChannelSourceConfigPortName, from)
		r.Str(oc.WavelengthRouterMediaChannelsChannelDestConfigPortName, to)
	})
}
