package verify_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/verify"
)

// dimmings are what happens to light of which all came through.
var dimmings = []struct {
	name string
	do   func(*world)
}{
	{"a dark fibre is cut", func(w *world) { w.fade("river", 40) }},
	{"a duct with two lines is cut between two huts", func(w *world) { w.fade("north2", 40) }},
	{"a bridge takes all its ducts", func(w *world) { w.fade("river", 40); w.fade("south", 40); w.fade("bay", 40) }},
	{"two ducts are cut, and a third over the same bridge is not", func(w *world) { w.fade("river", 40); w.fade("south", 40) }},
	{"a duct is cut while a hut cannot be read", func(w *world) {
		w.fade("north2", 40)
		w.Devices["long-hut2"] = verify.Device{Unreachable: "no answer in time"}
		w.Devices["ab-hut1"] = verify.Device{Unreachable: "no answer in time"}
	}},
	{"a duct through which light of another line passes is not the one that is cut", func(w *world) {
		w.fade("north2", 40)
		for _, name := range []string{"ab-hut1", "long-hut2", "long-sh", "sh-gateway1", "sh-gateway2"} {
			w.Devices[name] = verify.Device{Unreachable: "no answer in time"}
		}
	}},
	{"one fibre of a duct is cut", func(w *world) {
		l := w.line("long")
		w.fadeWay(l, "long-there", func(place int) bool { return place > 0 }, "bj", 40)
	}},
	{"a fibre is bent", func(w *world) { w.fade("north1", 3) }},
	{"a passive line takes more than it did", func(w *world) { w.fade("south", 2.5) }},
	{"an amplifier is dead", func(w *world) {
		l := w.line("long")
		w.fadeWay(l, "long-there", func(place int) bool { return place > 2 }, "bj", 40)
		w.amplifier("long-hut1", "long-there", func(a *verify.Amplifier) { a.Gain, a.Output = num(0), num(darkest) })
	}},
	{"an amplifier gives too little", func(w *world) {
		l := w.line("long")
		w.fadeWay(l, "long-there", func(place int) bool { return place > 2 }, "bj", 2.2)
		w.amplifier("long-hut1", "long-there", func(a *verify.Amplifier) { a.Gain, a.Output = num(*a.Gain-2.2), num(*a.Output-2.2) })
	}},
	{"an amplifier is saturated", func(w *world) {
		l, most := w.line("long"), float64(w.design.Device("long-hut1").Light.Amplifiers[1].Kind.MaxOutput)
		more := most + 2 - *w.Devices["long-hut1"].Amplifiers["long-there"].Output
		w.amplifier("long-sh", "long-there", func(a *verify.Amplifier) { a.Gain, a.Output = num(*a.Gain+more), num(*a.Output+more) })
		w.fadeWay(l, "long-there", func(place int) bool { return place > 0 }, "bj", -more)
		w.amplifier("long-hut1", "long-there", func(a *verify.Amplifier) { a.Gain, a.Output = num(*a.Gain-2), num(most) })
		w.fadeWay(l, "long-there", func(place int) bool { return place > 2 }, "bj", 2)
	}},
	{"a connector is dirty where a channel of an amplified line is received", func(w *world) {
		w.optical(w.end("bj-sh/5", "bj"), func(p *verify.Optical) { p.Received = num(*p.Received - 4) })
	}},
	{"a connector is dirty where a channel is sent into an amplified line", func(w *world) {
		w.optical(w.end("bj-sh/5", "bj"), func(p *verify.Optical) { p.Received, p.OSNR = num(*p.Received-4), num(*p.OSNR-3.8) })
	}},
	{"a connector is dirty on a passive line", func(w *world) {
		c := channelOf(w.design, "bj-sh/3")
		w.dim(c, &c.A, 3, false)
		w.dim(c, &c.B, 3, false)
	}},
	{"a laser is off", func(w *world) {
		w.optical(w.end("bj-sh/4", "sh"), func(p *verify.Optical) { p.Laser, p.Transmitted = false, num(darkest) })
		w.optical(w.end("bj-sh/4", "bj"), func(p *verify.Optical) { p.Received = num(darkest) })
		w.shut("long-bj", "bj-sh/4")
		w.goDark(channelOf(w.design, "bj-sh/4"))
	}},
	{"a gateway is off, and its light with it", func(w *world) {
		w.optical(w.end("bj-sh/4", "bj"), func(p *verify.Optical) { p.Received = num(darkest) })
		w.shut("long-bj", "bj-sh/4")
		w.shut("long-sh", "bj-sh/4")
		w.goDark(channelOf(w.design, "bj-sh/4"))
		w.Devices[w.end("bj-sh/4", "sh").Device] = verify.Device{Unreachable: "connection refused"}
	}},
	{"a port is at another frequency", func(w *world) {
		w.optical(w.end("bj-sh/1", "sh"), func(p *verify.Optical) { p.Frequency += 75000 })
		w.goDark(channelOf(w.design, "bj-sh/1"))
	}},
	{"a port is in another mode and too strong", func(w *world) {
		w.optical(w.end("bj-sh/1", "sh"), func(p *verify.Optical) { p.Mode, p.Transmitted = "1", num(*p.Transmitted+2) })
		w.optical(w.end("bj-sh/1", "bj"), func(p *verify.Optical) { p.Received = num(*p.Received + 2) })
	}},
	{"lasers drift apart", func(w *world) {
		w.optical(w.end("bj-sh/1", "bj"), func(p *verify.Optical) { p.Offset = num(-4200) })
		w.optical(w.end("bj-sh/1", "sh"), func(p *verify.Optical) { p.Offset = num(4200) })
	}},
	{"a laser has left its frequency so far that nobody hears it, and its light arrives", func(w *world) {
		for _, name := range []string{"bj-sh/1", "bj-sh/4"} {
			w.optical(w.end(name, "sh"), func(p *verify.Optical) {
				p.Received, p.Total = num(darkest), p.Received
				p.OSNR, p.BER, p.Dispersion, p.Offset = nil, nil, nil, nil
			})
			w.goDark(channelOf(w.design, name))
		}
	}},
	{"two lasers have left each other, and neither hears", func(w *world) {
		for _, site := range []string{"bj", "sh"} {
			w.optical(w.end("bj-sh/4", site), func(p *verify.Optical) {
				p.Received, p.Total = num(darkest), p.Received
				p.OSNR, p.BER, p.Dispersion, p.Offset = nil, nil, nil, nil
			})
		}
		w.goDark(channelOf(w.design, "bj-sh/4"))
	}},
	{"a cord is out on a line that nobody monitors", func(w *world) {
		for _, site := range []string{"bj", "sh"} {
			w.optical(w.end("bj-sh/4", site), func(p *verify.Optical) {
				p.Received, p.Total = num(darkest), num(darkest)
				p.OSNR, p.BER, p.Dispersion, p.Offset = nil, nil, nil, nil
			})
		}
		for _, way := range []string{"long-there", "long-back"} {
			for _, device := range w.line("long").Devices {
				w.amplifier(device, way, func(a *verify.Amplifier) { a.Input, a.Output = less(a.Input, 3), less(a.Output, 3) })
			}
		}
		w.goDark(channelOf(w.design, "bj-sh/4"))
	}},
	{"a line adds noise", func(w *world) {
		for _, name := range []string{"bj-sh/4", "bj-sh/5", "bj-sh/6"} {
			w.optical(w.end(name, "bj"), func(p *verify.Optical) { p.OSNR = num(*p.OSNR - 3) })
		}
	}},
	{"one of two lines adds noise", func(w *world) {
		for _, name := range []string{"bj-sz/1", "bj-sz/2"} {
			w.optical(w.end(name, "sz"), func(p *verify.Optical) { p.OSNR = num(*p.OSNR - 3) })
		}
	}},
	{"a channel is noisy among others that are not", func(w *world) {
		w.optical(w.end("bj-sh/4", "bj"), func(p *verify.Optical) { p.OSNR = num(*p.OSNR - 3) })
	}},
	{"a transmitter is dead with its laser on", func(w *world) {
		w.optical(w.end("bj-sh/1", "sh"), func(p *verify.Optical) { p.Transmitted, p.Received = num(darkest), num(darkest) })
		w.optical(w.end("bj-sh/1", "bj"), func(p *verify.Optical) { p.Received = num(darkest) })
		w.goDark(channelOf(w.design, "bj-sh/1"))
	}},
	{"a channel takes another route than planned", func(w *world) {
		w.optical(w.end("bj-sh/4", "bj"), func(p *verify.Optical) { p.Dispersion = num(*p.Dispersion + 900) })
	}},
	{"a channel has less margin than is asked", func(w *world) {
		w.optical(w.end("bj-sh/4", "bj"), func(p *verify.Optical) {
			p.BER = num(channelOf(w.design, "bj-sh/4").Mode.BER(channelOf(w.design, "bj-sh/4").Mode.RequiredOSNR + 0.4))
		})
	}},
	{"the end of a line does not pass a channel", func(w *world) {
		w.shut("long-bj", "bj-sh/4")
		c := channelOf(w.design, "bj-sh/4")
		for _, end := range []*fabric.Terminal{&c.A, &c.B} {
			w.optical(end, func(p *verify.Optical) { p.Received = nil })
		}
		w.goDark(c)
	}},
	{"channels of transponders lose their light between two lines", func(w *world) { w.fade("east", 40) }},
	{"a cable between a gateway and its transponder is out", func(w *world) {
		end := w.end("bj-sz/1", "bj")
		client := w.design.Device(end.Device).Light.Clients[0].Port
		w.port(end.Device, client, func(i *verify.Interface) { i.Up, i.Far = false, nil })
		w.port(end.Router, end.Ports[0], func(i *verify.Interface) { i.Up, i.Far = false, nil })
	}},
	{"a transponder cannot be read", func(w *world) { w.Devices["sz-transponder1"] = verify.Device{Unreachable: "no answer in time"} }},
}

// shut has the end of a line pass nothing of a channel.
func (w *world) shut(device, channel string) {
	w.change(device, func(d *verify.Device) {
		for index, m := range d.Media {
			if m.Low == channelOf(w.design, channel).Slot.Low() {
				m.Up = false
				d.Media[index] = m
			}
		}
	})
}

func (w *world) line(name string) *fabric.Line {
	for i := range w.design.Lines {
		if w.design.Lines[i].Name == name {
			return &w.design.Lines[i]
		}
	}
	return nil
}

func (w *world) end(channel, site string) *fabric.Terminal {
	c := channelOf(w.design, channel)
	if c.A.Site == site {
		return &c.A
	}
	return &c.B
}

// Every fault of light is one finding, from which follows what it takes.
func TestFaultsOfLightAreNamed(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, f := range dimmings {
		w := newWorld(t, lit)
		f.do(w)
		got.WriteString("-- " + f.name + " --\n" + text(verify.Check(w.design, w.Observed)))
	}
	golden(t, "light.golden", got.String())
}

// While a change is taken back, devices are held against what they are to have then, and not against the plan of the design.
func TestLightIsAsItIsWanted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lit)
	end, far := w.end("bj-sh/1", "sh"), w.end("bj-sh/1", "bj")
	retuned := func(p *verify.Optical) { p.Frequency += 75000 }
	asked := map[string]verify.Device{}
	for _, at := range []*fabric.Terminal{end, far} {
		w.optical(at, retuned)
		d := w.Devices[at.Device]
		d.Optical = maps.Clone(d.Optical)
		asked[at.Device] = d
	}
	if got := text(verify.Check(w.design, w.Observed)); strings.Count(got, "tuning: ") != 2 {
		t.Errorf("as designed:\n%s", got)
	}
	if got := text(verify.NewIndex(w.design).Wanting(asked).Check(w.Observed)); got != "" {
		t.Errorf("as wanted:\n%s", got)
	}
	w.optical(end, retuned)
	if got := text(verify.NewIndex(w.design).Wanting(asked).Check(w.Observed)); strings.Count(got, "tuning: ") != 1 {
		t.Errorf("tuned once more:\n%s", got)
	}
}
