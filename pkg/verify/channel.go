package verify

import (
	"cmp"
	"fmt"
	"math"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
)

// How far what is measured may be from the plan before that is a finding. What monitors measure of powers is true to about 1.5 dB, and a
// plan leaves out tilt, ripple and the temperature of fibres; so less than this says nothing.
const (
	powerOff      = 3.0  // dB, of what is received
	launchOff     = 1.5  // dB, of what is transmitted: transceivers hold what they are set to
	osnrOff       = 2.0  // dB, below the plan
	osnrSeen      = 35.0 // dB; beyond it a receiver cannot tell how little noise there is
	dispersionOff = 0.2  // of the plan: more is another route than planned
	dispersionMin = 200  // ps/nm that are always let pass
	offsetOff     = 3600 // MHz between two lasers, each of which may be off by 1800 (OIF-400ZR-01.0 §8.1)
	gainOff       = 1.0  // dB: amplifiers hold their gain to some tenths
	noLight       = -30  // dBm; beneath it a receiver has nothing to understand
)

// lit: a coherent port sends as it is set, understands what comes in, and has the margin that is asked.
func (k *checker) lit(c *Contract, d *shown) {
	i, p := d.Interfaces[c.Port], d.Optical[c.Port]
	_, coherent := d.Optical[c.Port]
	switch {
	case !coherent || !i.Enabled:
		k.draft(ChannelDown, Error, c, "is dark").absent(c.Device, "has no light at %s", c.Port)
		return
	case !p.Laser:
		end := c.atPort()
		f := k.draft(LaserOff, Error, &end, "has its laser off")
		f.suspects = append(f.suspects, c.Device)
		if p.Reason != "" {
			f.says(c.Device, "says %s", p.Reason)
		}
	case !p.lasing():
		end := c.atPort()
		k.draft(LaserOff, Error, &end, "sends no light with its laser on").says(c.Device, "shows %.1f dBm", *p.Transmitted)
	}
	tuned := k.tuned(c, &p)
	if !i.Up {
		k.notUnderstood(c, i, &p)
		return
	}
	if tuned {
		k.asPlanned(c, &p)
	}
	if m, known := k.index.margin(c, &p); known && m < k.index.askedOf(c) {
		k.draft(MarginLow, Warning, c, "has too little margin").says(c.Device, "has %.2f dB of %v asked", float64(m), k.index.askedOf(c))
	}
}

// atPort is the contract with one end of the channel as its object.
func (c *Contract) atPort() Contract {
	end := *c
	end.Object = Far{c.Device, c.Port}.String() + " (" + c.Channel + ")"
	return end
}

func (k *checker) notUnderstood(c *Contract, i Interface, p *Optical) {
	f := k.draft(ChannelDown, Error, c, "is down")
	ch := k.index.light().channels[c.Channel]
	if ch == nil {
		f.says(c.Device, "understands nothing at %s", c.Port)
		return
	}
	at := &ch.A
	if at.Device != c.Device || at.Port != c.Port {
		at = &ch.B
	}
	got := k.entering(ch, at, p)
	if k.stray(ch, at) {
		k.strayed(c, at, ch, *got)
	}
	switch {
	case got != nil && *got < noLight:
		f.says(c.Device, "receives no light at %s", c.Port)
	case got != nil && *p.Received < noLight:
		f.says(c.Device, "hears no channel at %s in the %.1f dBm that come in", c.Port, *got)
	case p.BER != nil && *p.BER > 0 && c.Coherent.Mode.MarginAt(*p.BER) > 0:
		f.says(c.Device, "understands what it receives at %s", c.Port)
	case p.Received != nil:
		f.says(c.Device, "does not understand what it receives at %s (%.1f dBm)", c.Port, *p.Received)
	case cmp.Or(p.Reason, i.Reason) != "":
		f.says(c.Device, "says %s", cmp.Or(p.Reason, i.Reason))
	default:
		f.says(c.Device, "understands nothing at %s", c.Port)
	}
}

// tuned judges what the port is set to, and tells whether what it receives can be held against the plan.
func (k *checker) tuned(c *Contract, p *Optical) bool {
	end, want := c.atPort(), c.Coherent
	off := func(format string, args ...any) {
		f := k.draft(Mistuned, Error, &end, "is not tuned as intended")
		f.says(c.Device, format, args...)
		f.suspects = append(f.suspects, c.Device)
	}
	tuned := true
	if p.Frequency != 0 && p.Frequency != want.Frequency {
		off("is at %.5f THz and not %.5f THz", terahertz(p.Frequency), terahertz(want.Frequency))
		tuned = false
	}
	if p.Mode != "" && p.Mode != want.Setting {
		off("is in mode %s and not %s (%s)", p.Mode, want.Setting, want.Mode.Name)
		tuned = false
	}
	if p.lasing() && p.Transmitted != nil && math.Abs(*p.Transmitted-float64(want.Power)) > launchOff {
		off("sends %.1f dBm and not %.1f dBm", *p.Transmitted, float64(want.Power))
	}
	if p.Offset != nil && math.Abs(*p.Offset) > offsetOff {
		k.draft(Mistuned, Warning, c, "has lasers that are apart").says(c.Device, "receives %+.1f GHz from its own", *p.Offset/1e3)
	}
	return tuned
}

func terahertz(mhz uint64) float64 { return float64(mhz) / 1e6 }

// asPlanned holds what arrives against the plan.
func (k *checker) asPlanned(c *Contract, p *Optical) {
	want, known := k.index.arrivalAt(c)
	if !known {
		return
	}
	off := func(format string, args ...any) {
		k.draft(OffPlan, Warning, c, "does not arrive as planned").says(c.Device, format, args...)
	}
	if p.Received != nil && math.Abs(*p.Received-float64(want.Light.Power)) > powerOff {
		off("receives %.1f dBm and not %.1f dBm", *p.Received, float64(want.Light.Power))
	}
	if planned := min(float64(want.Verdict.OSNR), osnrSeen); p.OSNR != nil && *p.OSNR < planned-osnrOff {
		off("sees an OSNR of %.1f dB and not %.1f dB", *p.OSNR, planned)
	}
	if cd := want.Light.Dispersion; p.Dispersion != nil && math.Abs(*p.Dispersion-cd) > max(dispersionOff*math.Abs(cd), dispersionMin) {
		off("sees %.0f ps/nm and not %.0f ps/nm", *p.Dispersion, cd)
	}
}

// askedOf is the margin that a channel has to keep.
func (x *Index) askedOf(c *Contract) optics.DB {
	if ch := x.light().channels[c.Channel]; ch != nil {
		return ch.Asked
	}
	return 0
}

// arrivalAt is what should arrive at the port of a contract; false where nobody has planned it, or where devices are wanted otherwise than designed.
func (x *Index) arrivalAt(c *Contract) (optics.Arrival, bool) {
	plan := x.light()
	ch, e := plan.channels[c.Channel], plan.expected[c.Channel]
	if ch == nil || e.There.Mode == nil || x.relit() {
		return optics.Arrival{}, false
	}
	if ch.A.Device == c.Device && ch.A.Port == c.Port {
		return e.Back, true
	}
	return e.There, true
}

// relit tells whether devices that have to do with light are wanted otherwise than designed: what arrives then, nobody has planned.
func (x *Index) relit() bool {
	for name := range x.asked {
		if l := &x.design.Device(name).Light; len(l.Coherent) > 0 || len(l.Amplifiers) > 0 {
			return true
		}
	}
	return false
}

// margin is what a receiver has to spare, the lesser of noise and power, with amplifiers as they are set (optics.Arrival.AsSet).
func (x *Index) margin(c *Contract, p *Optical) (optics.DB, bool) {
	m, known := x.noiseMargin(c, p)
	if mode := c.Coherent.Mode; p.Received != nil && *p.Received > noLight {
		power := optics.DB(min(*p.Received-float64(mode.RxMin), float64(mode.RxMax)-*p.Received))
		if !known || power < m {
			m, known = power, true
		}
	}
	return m, known
}

// noiseMargin is told by errors, or where a receiver shows none, by how far its OSNR is from the plan.
func (x *Index) noiseMargin(c *Contract, p *Optical) (optics.DB, bool) {
	if p.BER != nil && *p.BER > 0 {
		m := c.Coherent.Mode.MarginAt(*p.BER)
		return m, !math.IsInf(float64(m), 0)
	}
	want, known := x.arrivalAt(c)
	if !known || p.OSNR == nil || float64(want.Verdict.OSNR) > osnrSeen {
		return 0, false
	}
	return want.Verdict.Margin + optics.DB(*p.OSNR) - want.Verdict.OSNR, true
}

// Margins are the margins of the channels that are up, each at the end that has less.
func (x *Index) Margins(o Observed) map[string]optics.DB {
	out := map[string]optics.DB{}
	for name, d := range o.Devices {
		design := x.design.Device(name)
		if design == nil || d.Unreachable != "" || len(design.Light.Coherent) == 0 {
			continue
		}
		for _, c := range x.lightContracts(design) {
			p := d.Optical[c.Port]
			if c.Asks != Lit || !d.Interfaces[c.Port].Up {
				continue
			}
			if m, known := x.margin(&c, &p); known {
				if less, other := out[c.Channel]; !other || m < less {
					out[c.Channel] = m
				}
			}
		}
	}
	return out
}

// amplified: an amplifier gives its gain to what enters it. One that nothing enters is not judged: what took its light is.
func (k *checker) amplified(c *Contract, d *shown) {
	want := c.Amplifier
	a, there := d.Amplifiers[want.Name]
	fails := func(s Severity, verb, format string, args ...any) {
		f := k.draft(AmplifierOff, s, c, verb)
		f.says(c.Device, format, args...)
		key := wayKey{want.Line, want.Name}
		if s == Error {
			k.dark[key] = append(k.dark[key], f.ID)
		} else {
			k.dim[key] = append(k.dim[key], f.ID)
		}
	}
	switch enters := a.Input != nil && *a.Input > noLight; {
	case !there:
		fails(Error, "is not there", "does not show it")
	case !a.Enabled:
		fails(Error, "is switched off", "says so")
	case enters && a.Output != nil && *a.Output < *a.Input-gainOff, enters && a.Output != nil && *a.Output < noLight:
		fails(Error, "does not amplify", "shows %.1f dBm in and %.1f dBm out", *a.Input, *a.Output)
	case enters && a.Gain != nil && *a.Gain < float64(want.Gain)-gainOff && saturated(a, want):
		fails(Warning, "is saturated", "gives %.1f dB and not %v, with all the %.1f dBm that it has", *a.Gain, want.Gain, *a.Output)
	case enters && a.Gain != nil && math.Abs(*a.Gain-float64(want.Gain)) > gainOff:
		fails(Warning, "is not at its gain", "gives %.1f dB and not %v", *a.Gain, want.Gain)
	}
}

// saturated tells whether an amplifier gives all that its kind can.
func saturated(a Amplifier, want *fabric.Amplifier) bool {
	return want.Kind != nil && a.Output != nil && *a.Output > float64(want.Kind.MaxOutput)-0.5
}

// passed: the end of a line adds and drops the spectrum of a channel.
func (k *checker) passed(c *Contract, d *shown) {
	m, there := d.Media[c.Media.Index]
	switch {
	case !there:
		k.draft(SpectrumShut, Error, c, "is not passed").absent(c.Device, "has no media channel %d", c.Media.Index)
	case m.Low != c.Media.Low || m.High != c.Media.High:
		f := k.draft(SpectrumShut, Error, c, "is not passed")
		f.says(c.Device, "passes %s and not %s", bandText(m.Low, m.High), bandText(c.Media.Low, c.Media.High))
		f.suspects = append(f.suspects, c.Device)
	case !m.Up:
		k.draft(SpectrumShut, Error, c, "is not passed").says(c.Device, "says down")
	}
}

func bandText(low, high uint64) string {
	return fmt.Sprintf("%.5f..%.5f THz", terahertz(low), terahertz(high))
}
