package light

import (
	"math"
	"slices"

	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// capture is how far light may be from the receiver's own laser, in MHz: ±3.6 GHz of the OpenZR+ specification. Modules
// of other kinds are no worse.
const capture = 3600

// receive finds out what every transceiver sends and hears.
func (m *moment) receive(all []*source) {
	arriving := map[network.End][]*source{}
	for _, s := range all {
		for _, at := range s.drops {
			if s.light != nil {
				arriving[at] = append(arriving[at], s)
			}
		}
	}
	for i := range m.plant.Terminals {
		t := &m.plant.Terminals[i]
		if laser := m.devices[t.At.Device].laser(t.At.Port); laser != nil {
			m.state.Ports[t.At] = m.port(t, laser, arriving[t.At])
		}
	}
}

func (m *moment) port(t *Terminal, laser *Laser, arriving []*source) *Port {
	p := &Port{Laser: *laser, Output: Dark, Total: Dark, Input: Dark, Why: NoLight}
	if !laser.On || laser.Mode == nil || m.damage.Dark[t.At] {
		p.Why = SwitchedOff
		return p
	}
	if laser.Shines {
		p.Sends, p.Output = true, laser.output()
	}
	if m.damage.Unplugged[t.At] {
		return p
	}
	dirt := optics.DBm(m.damage.Connectors[t.At])
	total := 0.0
	for _, s := range arriving {
		total += math.Pow(10, float64(s.light.Power-dirt)/10)
	}
	if total > 0 {
		p.Total = max(optics.DBm(10*math.Log10(total)), Dark)
	}
	s := nearest(arriving, laser.Frequency)
	if s == nil || signal(s.light)-dirt <= Dark {
		return p
	}
	if p.Offset = float64(s.centre) - float64(laser.Frequency); math.Abs(p.Offset) > capture {
		p.Offset, p.Why = 0, OffTune
		return p
	}
	p.Input, p.Hears = s.light.Power-dirt, s.terminal.At
	p.demodulate(s)
	return p
}

// signal is the power of what the laser has sent, without the noise in its place.
func signal(l *optics.Light) optics.DBm { return l.Power + optics.DBm(10*math.Log10(l.Signal)) }

// nearest is the source that a receiver comes closest to; of two the first. It does not come through its own light.
func nearest(arriving []*source, centre uint64) *source {
	if len(arriving) == 0 {
		return nil
	}
	return slices.MinFunc(arriving, func(a, b *source) int { return int(apart(a.centre, centre)) - int(apart(b.centre, centre)) })
}

func apart(a, b uint64) uint64 { return max(a, b) - min(a, b) }

// demodulate measures what is heard, in the receiver's own mode.
func (p *Port) demodulate(s *source) {
	switch {
	case s.collided:
		p.Why = Collision
		return
	case s.laser.Mode.Name != p.Mode.Name:
		p.Why = OtherMode
		return
	}
	light := *s.light
	light.Power = p.Input
	v := p.Mode.Judge(light, s.ends)
	p.CD, p.PMD, p.Latency = light.Dispersion, light.PMD, light.Latency
	p.OSNR, p.Margin = v.OSNR, v.Margin
	p.quality(v.GSNR - v.Penalty)
	p.Locked, p.Why = v.Fails == 0, v.Fails.String()
}

// quality is what follows from a ratio of signal to all noise in 0.1 nm, penalties taken off.
func (p *Port) quality(gsnr optics.DB) {
	const least = -20 // dB; below it nothing is there to measure
	gsnr = max(gsnr, least)
	p.ESNR = gsnr - wider(p.Mode)
	p.BER = p.Mode.BER(gsnr)
	p.Q = optics.Q(p.BER)
}

// wider is what a ratio in 0.1 nm is more than one in the width of the signal.
func wider(m *optics.Mode) optics.DB { return optics.DB(10 * math.Log10(float64(m.Baud)/12.5)) }
