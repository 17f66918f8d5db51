package verify_test

import (
	"math"
	"slices"
	"testing"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/verify"
)

// lit is three sites joined by light: a dark fibre and two amplified lines between two of them, one of which shares a bridge with the fibre;
// and transponders over two lines with ROADMs to the third.
const lit = `
loom: v1
name: lit
defaults:
  underlay: {links: unnumbered}
  spines: {count: 2, platform: 7220-IXR-H3}
  leaves: {count: 1, platform: 7220-IXR-D2L}
  gateways: {count: 2, platform: 7250-IXR-X3b}
sites:
  bj: {number: 1, transponders: {count: 1, platform: openconfig-transponder}}
  sh: {number: 2}
  sz: {number: 3, transponders: {count: 1, platform: openconfig-transponder}}
ducts:
  river:  {from: bj, to: sh, km: 38, shares: [bridge]}
  north1: {from: bj, to: hut1, km: 65}
  north2: {from: hut1, to: hut2, km: 50}
  north3: {from: hut2, to: sh, km: 25}
  south:  {from: bj, to: sh, km: 12, shares: [bridge]}
  bay:    {from: bj, to: sh, km: 12, shares: [bridge]}
  east:   {from: sh, to: sz, km: 40}
lines:
  dark:  {from: bj, to: sh, via: [river]}
  long:  {from: sh, to: bj, via: [north3, north2, north1], amplifiers: EDFA, mux: 5 dB, grid: 75 GHz}
  metro: {from: bj, to: sh, via: [south], mux: 2 dB, grid: 100 GHz}
  spare: {from: bj, to: sh, via: [bay]}
  ab:    {from: bj, to: sh, via: [north1, north2, north3], amplifiers: {kind: EDFA, at: [bj, hut1, sh]}, ends: roadm}
  bc:    {from: sh, to: sz, amplifiers: EDFA, ends: roadm}
dci:
  bj-sh:
    number: 1
    wavelengths:
      numbers: 1..7
      mode: OpenZR+ 400G
      over: long
      margin: 1 dB
      override: {7: {over: spare, mode: 400ZR unamplified}, 1: {over: dark, mode: 400ZR unamplified}, 2: {over: metro, mode: 400ZR unamplified, slot: 1}, 3: {over: metro, mode: 400ZR unamplified, slot: 2}}
  bj-sz:
    number: 2
    wavelengths: {numbers: 1..2, mode: OpenZR+ 400G, over: ab + bc, transponders: true}
`

// darkest is what monitors show where there is no light.
const darkest = -50.0

func num(x float64) *float64 { return &x }

// healthyLight adds what a device shows of light when all is well.
func healthyLight(design *fabric.Design, d *fabric.Device, out *verify.Device) {
	l := &d.Light
	if len(l.Coherent)+len(l.Amplifiers)+len(l.Media) == 0 {
		return
	}
	expected, err := design.Expect()
	if err != nil {
		panic(err)
	}
	out.Optical, out.Amplifiers, out.Media = map[string]verify.Optical{}, map[string]verify.Amplifier{}, map[uint32]verify.MediaChannel{}
	for _, c := range l.Clients {
		out.Interfaces[c.Port] = verify.Interface{Enabled: true, Up: true, Far: []verify.Far{{System: c.PeerName, Port: c.PeerPort}}}
	}
	for _, p := range l.Coherent {
		i := out.Interfaces[p.Port]
		i.Enabled, i.Up = true, true
		out.Interfaces[p.Port] = i
		e := expected[p.Channel].There
		if channelOf(design, p.Channel).A.Device == d.Name {
			e = expected[p.Channel].Back
		}
		out.Optical[p.Port] = verify.Optical{
			Laser: true, Frequency: p.Frequency, Mode: p.Setting, Transmitted: num(float64(p.Power)), Received: num(float64(e.Light.Power)),
			OSNR: num(min(float64(e.Verdict.OSNR), 36)), BER: num(p.Mode.BER(e.Verdict.GSNR - e.Verdict.Penalty)), Dispersion: num(e.Light.Dispersion), Offset: num(100),
		}
	}
	for _, a := range l.Amplifiers {
		out.Amplifiers[a.Name] = verify.Amplifier{Enabled: true, Gain: num(float64(a.Gain)), Input: num(float64(a.Output) - float64(a.Gain)), Output: num(float64(a.Output))}
	}
	for _, m := range l.Media {
		out.Media[m.Index] = verify.MediaChannel{Up: true, Low: m.Low, High: m.High}
	}
}

func channelOf(design *fabric.Design, name string) *fabric.Channel {
	return &design.Channels[slices.IndexFunc(design.Channels, func(c fabric.Channel) bool { return c.Name == name })]
}

// fade takes light in a duct, of every line that passes it, both ways: all of it from 40 dB on.
func (w *world) fade(duct string, loss float64) {
	for i := range w.design.Lines {
		l := &w.design.Lines[i]
		if at := slices.Index(l.Ducts, duct); at >= 0 {
			w.fadeWay(l, l.Name+"-there", func(place int) bool { return place > at }, l.B, loss)
			w.fadeWay(l, l.Name+"-back", func(place int) bool { return place <= at }, l.A, loss)
		}
	}
}

// fadeWay takes light of one direction of a line from all amplifiers that stand behind, and from who receives.
func (w *world) fadeWay(l *fabric.Line, way string, behind func(place int) bool, to string, loss float64) {
	for _, name := range l.Devices {
		if place := int(w.design.Device(name).Number) - 1; behind(place) {
			w.amplifier(name, way, func(a *verify.Amplifier) { a.Input, a.Output = less(a.Input, loss), less(a.Output, loss) })
		}
	}
	for i := range w.design.Channels {
		if c := &w.design.Channels[i]; slices.Contains(c.Lines, l.Name) {
			w.dim(c, w.receiver(c, l, to), loss, len(l.Devices) > 0)
		}
	}
}

// receiver is the end of a channel towards which it passes a line in the direction of a site.
func (w *world) receiver(c *fabric.Channel, l *fabric.Line, to string) *fabric.Terminal {
	from := l.A
	if to == l.A {
		from = l.B
	}
	at := c.A.Site
	for _, name := range c.Lines {
		own := &w.design.Lines[slices.IndexFunc(w.design.Lines, func(o fabric.Line) bool { return o.Name == name })]
		if own == l && at == from {
			return &c.B
		}
		if at == own.A {
			at = own.B
		} else {
			at = own.A
		}
	}
	return &c.A
}

func less(x *float64, loss float64) *float64 {
	if loss >= 40 {
		return num(darkest)
	}
	return num(max(*x-loss, darkest))
}

func (w *world) amplifier(device, name string, how func(*verify.Amplifier)) {
	w.change(device, func(d *verify.Device) {
		if a, ok := d.Amplifiers[name]; ok {
			how(&a)
			d.Amplifiers[name] = a
		}
	})
}

func (w *world) optical(at *fabric.Terminal, how func(*verify.Optical)) {
	w.change(at.Device, func(d *verify.Device) {
		if p, ok := d.Optical[at.Port]; ok {
			how(&p)
			d.Optical[at.Port] = p
		}
	})
}

// dim takes light from a receiver; what noise was added before the loss goes with it. Too little, and the channel is down with all it carries.
func (w *world) dim(c *fabric.Channel, at *fabric.Terminal, loss float64, amplified bool) {
	w.optical(at, func(p *verify.Optical) {
		p.Received = less(p.Received, loss)
		if amplified {
			p.OSNR = num(*p.OSNR - loss)
			p.BER = num(c.Mode.BER(c.Mode.RequiredOSNR + c.Mode.MarginAt(*p.BER) - optics.DB(loss)))
		}
		if *p.Received < -25 || c.Mode.MarginAt(*p.BER) < 0 {
			p.OSNR, p.BER, p.Dispersion, p.Offset = nil, nil, nil, nil
			w.goDark(c)
		}
	})
}

// goDark takes a channel down at both ends, and the links that it carries.
func (w *world) goDark(c *fabric.Channel) {
	down := func(i *verify.Interface) { i.Up, i.Far = false, nil }
	for _, end := range []*fabric.Terminal{&c.A, &c.B} {
		w.port(end.Device, end.Port, down)
		for _, client := range w.design.Device(end.Device).Light.Clients {
			if client.Line == end.Port {
				w.port(end.Device, client.Port, down)
			}
		}
		for n, l := range w.design.Device(end.Router).Links {
			if l.Channel == c.Name {
				w.port(end.Router, l.Port, down)
				w.change(end.Router, func(d *verify.Device) {
					d.Sessions = slices.Clone(d.Sessions)
					d.Sessions[n].State = "active"
				})
			}
		}
	}
}

// Every plan of the fixture closes; otherwise its faults would say nothing.
func TestTheLightOfTheFixtureCloses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lit)
	for name, m := range verify.NewIndex(w.design).Margins(w.Observed) {
		if m < 1 || math.IsInf(float64(m), 0) {
			t.Errorf("%s: margin %v", name, m)
		}
	}
	if got := text(verify.Check(w.design, w.Observed)); got != "" {
		t.Errorf("of a healthy network:\n%s", got)
	}
}
