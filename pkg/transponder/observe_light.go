package transponder

import (
	"strconv"
	"strings"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/verify"
)

// lightPaths are what is measured: it changes all the time, so it is read and not followed.
var lightPaths = []string{
	"/components/component[name=*]/optical-channel/state",
	"/components/component[name=*]/transceiver/physical-channels/channel[index=*]/state/tx-laser",
	"/components/component[name=*]/transceiver/physical-channels/channel[index=*]/state/input-power/instant",
	channelPath + "/otn/state",
	"/optical-amplifier/amplifiers/amplifier[name=*]/state",
	"/wavelength-router/media-channels/channel[index=*]/state",
	"/channel-monitors/channel-monitor[name=*]/channels/channel[lower-frequency=*][upper-frequency=*]/state",
}

// observeLight adds what is measured of light to what a device shows.
func observeLight(state *config.Tree, d *verify.Device) {
	off := map[string]bool{}       // who does not say is on: that nothing leaves, its power says
	total := map[string]*float64{} // all that enters: /components/component/optical-channel has only what its receiver hears of that
	for c := range at(state.Root(), oc.ComponentsComponent).Children() {
		name := c.Keys()[0]
		if port, found := strings.CutPrefix(name, transceiverPrefix); found {
			for l := range at(c, laser).Children() {
				off[port] = at(l, oc.ComponentsComponentTransceiverPhysicalChannelsChannelStateTxLaser).Value() == "false"
				total[port] = number(at(l, oc.ComponentsComponentTransceiverPhysicalChannelsChannelStateInputPowerInstant))
			}
		}
	}
	for c := range at(state.Root(), oc.ComponentsComponent).Children() {
		port, found := strings.CutPrefix(c.Keys()[0], opticalPrefix)
		if !found || !at(c, oc.ComponentsComponentOpticalChannelState).Valid() {
			continue
		}
		shown := func(id config.ID) *float64 { return number(at(c, id)) }
		p := verify.Optical{
			Laser:       !off[port],
			Transmitted: shown(oc.ComponentsComponentOpticalChannelStateOutputPowerInstant),
			Received:    shown(oc.ComponentsComponentOpticalChannelStateInputPowerInstant),
			Total:       total[port],
			OSNR:        shown(oc.ComponentsComponentOpticalChannelStateOsnrInstant),
			ESNR:        shown(oc.ComponentsComponentOpticalChannelStateEsnrInstant),
			Q:           shown(oc.ComponentsComponentOpticalChannelStateQValueInstant),
			BER:         shown(oc.ComponentsComponentOpticalChannelStatePreFecBerInstant),
			Dispersion:  shown(oc.ComponentsComponentOpticalChannelStateChromaticDispersionInstant),
			PMD:         shown(oc.ComponentsComponentOpticalChannelStatePolarizationModeDispersionInstant),
			Offset:      shown(oc.ComponentsComponentOpticalChannelStateCarrierFrequencyOffsetInstant),
		}
		p.Frequency, _ = strconv.ParseUint(at(c, oc.ComponentsComponentOpticalChannelStateFrequency).Value(), 10, 64)
		p.Mode = at(c, oc.ComponentsComponentOpticalChannelStateOperationalMode).Value()
		if d.Optical == nil {
			d.Optical = map[string]verify.Optical{}
		}
		d.Optical[port] = p
	}
	for port, channel := range ports(state) {
		if p, lit := d.Optical[port]; lit { // where there is OTN, it counts the errors (/terminal-device/logical-channels/channel/otn)
			for _, own := range []struct {
				to *(*float64)
				id config.ID
			}{
				{&p.BER, oc.TerminalDeviceLogicalChannelsChannelOtnStatePreFecBerInstant},
				{&p.ESNR, oc.TerminalDeviceLogicalChannelsChannelOtnStateEsnrInstant},
				{&p.Q, oc.TerminalDeviceLogicalChannelsChannelOtnStateQValueInstant},
			} {
				if x := number(at(channel, own.id)); x != nil {
					*own.to = x
				}
			}
			d.Optical[port] = p
		}
	}
	observeLine(state, d)
}

// observeLine adds amplifiers, and media channels: one is up where both of its directions are.
func observeLine(state *config.Tree, d *verify.Device) {
	for a := range at(state.Root(), amplifier).Children() {
		if d.Amplifiers == nil {
			d.Amplifiers = map[string]verify.Amplifier{}
		}
		d.Amplifiers[a.Keys()[0]] = verify.Amplifier{
			Enabled: at(a, oc.OpticalAmplifierAmplifiersAmplifierStateEnabled).Value() == "true",
			Gain:    number(at(a, oc.OpticalAmplifierAmplifiersAmplifierStateActualGainInstant)),
			Input:   number(at(a, oc.OpticalAmplifierAmplifiersAmplifierStateInputPowerTotalInstant)),
			Output:  number(at(a, oc.OpticalAmplifierAmplifiersAmplifierStateOutputPowerTotalInstant)),
		}
	}
	d.Media = mediaOf(state, oc.WavelengthRouterMediaChannelsChannelStateLowerFrequency, oc.WavelengthRouterMediaChannelsChannelStateUpperFrequency,
		func(m config.Cursor) bool {
			return at(m, oc.WavelengthRouterMediaChannelsChannelStateOperStatus).Value() == "UP"
		})
	monitored(state, d.Media)
}

// monitored adds what channel monitors see of media channels, which they name by their edges.
func monitored(state *config.Tree, all map[uint32]verify.MediaChannel) {
	for index, m := range all {
		for monitor := range at(state.Root(), oc.ChannelMonitorsChannelMonitor).Children() {
			for c := range at(monitor, oc.ChannelMonitorsChannelMonitorChannelsChannel).Children() {
				low, _ := strconv.ParseUint(c.Keys()[0], 10, 64)
				if high, _ := strconv.ParseUint(c.Keys()[1], 10, 64); low != m.Low || high != m.High {
					continue
				}
				switch power := number(at(c, oc.ChannelMonitorsChannelMonitorChannelsChannelStatePower)); monitor.Keys()[0] {
				case monitorOut:
					m.Added = power
				case monitorIn:
					m.Dropped = power
				}
			}
		}
		all[index] = m
	}
}

// mediaOf are the media channels by the index that the design gives both directions.
func mediaOf(t *config.Tree, low, high config.ID, up func(config.Cursor) bool) map[uint32]verify.MediaChannel {
	var out map[uint32]verify.MediaChannel
	ways := map[uint32]int{}
	for m := range at(t.Root(), media).Children() {
		index, err := strconv.ParseUint(m.Keys()[0], 10, 32)
		if err != nil {
			continue
		}
		key := uint32(index % firstDrop)
		one := verify.MediaChannel{Up: up(m)}
		one.Low, _ = strconv.ParseUint(at(m, low).Value(), 10, 64)
		one.High, _ = strconv.ParseUint(at(m, high).Value(), 10, 64)
		if out == nil {
			out = map[uint32]verify.MediaChannel{}
		}
		if other, both := out[key]; both {
			one.Up = one.Up && other.Up
			if other.Low != one.Low || other.High != one.High {
				one.Low, one.High = max(one.Low, other.Low), min(one.High, other.High)
			}
		}
		ways[key]++
		out[key] = one
	}
	for key, n := range ways {
		if one := out[key]; n == 1 { // what is added and not dropped, or the other way round, passes nothing
			one.Up = false
			out[key] = one
		}
	}
	return out
}

// number is a number that a device shows, nil if it does not.
func number(leaf config.Cursor) *float64 {
	if !leaf.Valid() {
		return nil
	}
	x, err := strconv.ParseFloat(leaf.Value(), 64)
	if err != nil {
		return nil
	}
	return &x
}

// asksLight adds what a configuration asks for of light.
func asksLight(t *config.Tree, d *verify.Device) {
	for c := range at(t.Root(), oc.ComponentsComponent).Children() {
		port, found := strings.CutPrefix(c.Keys()[0], opticalPrefix)
		if !found || !at(c, optical).Valid() {
			continue
		}
		p := verify.Optical{Laser: true, Target: number(at(c, oc.ComponentsComponentOpticalChannelConfigTargetOutputPower))}
		p.Frequency, _ = strconv.ParseUint(at(c, oc.ComponentsComponentOpticalChannelConfigFrequency).Value(), 10, 64)
		p.Mode = at(c, oc.ComponentsComponentOpticalChannelConfigOperationalMode).Value()
		if d.Optical == nil {
			d.Optical = map[string]verify.Optical{}
		}
		d.Optical[port] = p
	}
	for a := range at(t.Root(), amplifier).Children() {
		if d.Amplifiers == nil {
			d.Amplifiers = map[string]verify.Amplifier{}
		}
		d.Amplifiers[a.Keys()[0]] = verify.Amplifier{
			Enabled: at(a, oc.OpticalAmplifierAmplifiersAmplifierConfigEnabled).Value() == "true", Gain: number(at(a, targetGain)),
		}
	}
	d.Media = mediaOf(t, oc.WavelengthRouterMediaChannelsChannelConfigLowerFrequency, oc.WavelengthRouterMediaChannelsChannelConfigUpperFrequency,
		func(m config.Cursor) bool {
			return at(m, oc.WavelengthRouterMediaChannelsChannelConfigAdminStatus).Value() == enabled
		})
}
