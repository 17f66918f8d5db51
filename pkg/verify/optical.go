package verify

import (
	"slices"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
)

// Optical is what a coherent port shows beside what every port shows: its Interface is up while its receiver
// understands what comes in. What a device does not show is nil, or zero.
type Optical struct {
	Laser     bool
	Reason    string // why its transceiver is down, in the device's words
	Frequency uint64 // MHz
	Mode      string // the platform's own name or number; "": not shown

	Target                *float64 // dBm that its transmitter is set to; of what is asked for only
	Transmitted, Received *float64 // dBm
	Total                 *float64 // dBm, all that enters the receiver, whether it hears its channel in that or not
	OSNR, ESNR, Q         *float64 // dB; OSNR in 0.1 nm
	BER                   *float64 // before the FEC
	Dispersion            *float64 // ps/nm
	PMD                   *float64 // ps
	Offset                *float64 // MHz, of the carrier that comes in from the receiver's laser
}

// Amplifier is one amplifier: what it gives, and all that enters and leaves it. What it does not show is nil.
type Amplifier struct {
	Enabled       bool
	Gain          *float64 // dB
	Input, Output *float64 // dBm
}

// MediaChannel is a piece of spectrum that the end of a line passes, both ways. What is not monitored is nil.
type MediaChannel struct {
	Up             bool
	Low, High      uint64   // MHz
	Added, Dropped *float64 // dBm, of what goes into the line behind its first amplifier, and of what comes from it behind the last one
}

// lightContracts are those of a device that makes, amplifies or passes light.
func (x *Index) lightContracts(d *fabric.Device) []Contract {
	var out []Contract
	own := Contract{Device: d.Name, Ref: d.Ref}
	for i := range d.Light.Clients {
		p := &d.Light.Clients[i]
		c := own
		c.Asks, c.Ref, c.Port, c.FarPort, c.Far, c.Client = Up, p.Ref, p.Port, p.PeerPort, []string{p.PeerName}, true
		c.Object = pairObject(Far{d.Name, p.Port}.String(), Far{p.PeerName, p.PeerPort}.String())
		if at := slices.IndexFunc(d.Light.Coherent, func(o fabric.CoherentPort) bool { return o.Port == p.Line }); at >= 0 {
			c.Channel = d.Light.Coherent[at].Channel
		}
		neighbor := c
		neighbor.Asks = Neighbor
		out = append(out, c, neighbor)
	}
	for i := range d.Light.Coherent {
		p := &d.Light.Coherent[i]
		c := own
		c.Asks, c.Ref, c.Object, c.Port, c.Channel, c.Far, c.Coherent = Lit, p.Ref, p.Channel, p.Port, p.Channel, []string{p.PeerName}, p
		c.Perhaps = x.along(p.Channel)
		out = append(out, c)
	}
	for i := range d.Light.Amplifiers {
		a := &d.Light.Amplifiers[i]
		c := own
		c.Asks, c.Ref, c.Object, c.Amplifier = Amplified, a.Ref, Far{d.Name, a.Name}.String(), a
		out = append(out, c)
	}
	for i := range d.Light.Media {
		m := &d.Light.Media[i]
		c := own
		c.Asks, c.Ref, c.Object, c.Channel, c.Media = Passed, m.Ref, m.Channel+" at "+d.Name, m.Channel, m
		c.Perhaps = x.along(m.Channel)
		out = append(out, c)
	}
	return out
}

// along are the devices that the light of a channel passes, its ends among them: it is there when all of them let it.
func (x *Index) along(channel string) []string {
	c := x.light().channels[channel]
	if c == nil {
		return nil
	}
	out := []string{c.A.Device, c.B.Device}
	for _, name := range c.Lines {
		if l := x.design.Line(name); l != nil {
			out = append(out, l.Devices...)
		}
	}
	return out
}

// channelsOf are the channels that a device has to do with.
func channelsOf(d *fabric.Device) []string {
	var out []string
	for i := range d.Light.Coherent {
		out = append(out, d.Light.Coherent[i].Channel)
	}
	for i := range d.Light.Media {
		out = append(out, d.Light.Media[i].Channel)
	}
	return out
}

// retuned makes a contract ask for what the wanted configuration of its device does, and tells whether that asks for it at all.
func (c *Contract) retuned(d *shown) bool {
	switch c.Asks {
	case Lit:
		p, asked := d.Optical[c.Port]
		if asked {
			own := *c.Coherent
			own.Frequency, own.Setting = p.Frequency, p.Mode
			if p.Target != nil {
				own.Power = optics.DBm(*p.Target)
			}
			c.Coherent = &own
		}
		return asked && d.Interfaces[c.Port].Enabled
	case Amplified:
		a, asked := d.Amplifiers[c.Amplifier.Name]
		if asked && a.Gain != nil {
			own := *c.Amplifier
			own.Gain = optics.DB(*a.Gain)
			c.Amplifier = &own
		}
		return asked && a.Enabled
	case Passed:
		m, asked := d.Media[c.Media.Index]
		if asked {
			own := *c.Media
			own.Low, own.High = m.Low, m.High
			c.Media = &own
		}
		return asked
	}
	return true
}
