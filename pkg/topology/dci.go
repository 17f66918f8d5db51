package topology

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/loomfabric/loom/models/intent"
)

// maxChannels bounds the channels of all DCIs together.
const maxChannels = 20_000

// dci is one DCI while it is expanded.
type dci struct {
	out   *intent.Dci
	label string
	place *place
}

func (p *parser) expandDCIs() {
	numbers, total := p.once("number"), 0
	p.named("dci", p.parts.dci, func(name string, e entry) {
		b := new(block)
		if !p.read(b, dciKeys, e, name) {
			return
		}
		numbers.take(name, b, "number")
		d := &dci{out: &intent.Dci{Name: name, Number: b.number("number"), Service: serviceOf(b), Bundle: bundleOf(b)}, label: name, place: b.place(nil)}
		p.places.objects["dci/"+name] = d.place
		if w := p.childOrNil(b, "wavelengths"); w != nil {
			p.wavelengths(d, p.spec(w), &total)
		}
		if e := b.get("channels"); e.value != nil {
			for _, n := range e.value.Content {
				p.spelledChannel(d, e, n)
			}
		}
		p.joinsByCables(d, b)
		slices.SortStableFunc(d.out.Channels, func(a, b *intent.Channel) int { return cmp.Compare(a.Number, b.Number) })
		p.out.Dcis = append(p.out.Dcis, d.out)
	})
	slices.SortStableFunc(p.out.Dcis, func(a, b *intent.Dci) int { return cmp.Compare(a.Number, b.Number) })
}

// wavelengths spells channels out.
func (p *parser) wavelengths(d *dci, sp *spec, total *int) {
	numbers, at := p.wavelengthNumbers(sp)
	pins := sp.items("frequency")
	p.overExists(sp.block)
	for _, o := range sp.overrides {
		p.overExists(o.block)
		for _, r := range o.spans {
			if !covered(r, numbers) && len(numbers) > 0 {
				p.fault(o.key.keyAt(), fmt.Sprintf("%s: %s has no such wavelength", sp.name("override"), show(o.key.key.Value)), "the numbers are "+spansText(numbers))
				break
			}
		}
	}
	count := 0
	for _, r := range numbers {
		count += int(r.to - r.from + 1)
	}
	if *total += count; *total > maxChannels {
		p.fault(at, fmt.Sprintf("%s: more than %d channels in all", sp.label, maxChannels), "write a smaller number")
		return
	}
	if len(pins) > 0 && len(pins) != count && count > 0 {
		p.fault(sp.get("frequency").at(), fmt.Sprintf("%s: %d for %d channels", sp.name("frequency"), len(pins), count), "give one for each, in the order of their numbers, or none")
		return
	}
	sp.place = sp.block.place(d.place)
	sp.place.rename("count", "number")
	sp.place.rename("numbers", "number")
	i := 0
	for _, r := range numbers {
		for n := r.from; n <= r.to; n++ {
			var own layers
			for _, o := range sp.overrides {
				if holds(o.spans, n) {
					own = append(own, o.block)
				}
			}
			p.add(d, p.channel(n, i, append(own, sp.block)), placeOf([]*spec{sp}, n))
			i++
		}
	}
}

func (p *parser) wavelengthNumbers(sp *spec) ([]span, spot) {
	switch {
	case sp.has("numbers"):
		spans, _, _ := parseNumbers(sp.text("numbers"))
		return spans, sp.get("numbers").at()
	case sp.has("count"):
		return []span{{1, sp.number("count")}}, sp.get("count").at()
	case sp.misses("count") && sp.misses("numbers"):
		p.fault(sp.at, sp.label+": no count", "add count: 4, or numbers: 1..4")
	}
	return nil, sp.at
}

// channel resolves one channel, the rank-th of its DCI. Lines are dealt out by number, and its slot is its rank among the numbers that
// one line is dealt, so that a channel more moves none.
func (p *parser) channel(n uint32, rank int, own layers) *intent.Channel {
	out := &intent.Channel{Number: n, Slot: n, Transponders: own.text("transponders", "false") == "true"}
	if mode := own.text("mode", ""); mode != fastest {
		out.Mode = mode
	}
	if b := own.first("over"); b != nil {
		overs := b.texts("over")
		turns := uint32(len(overs))
		out.Lines, out.Slot = strings.Split(overs[(n-1)%turns], " + "), (n-1)/turns+1
	}
	if b := own.first("margin"); b != nil {
		out.Margin = b.quantity("margin", decibelIn, 0)
	}
	if b := own.first("power"); b != nil {
		out.Power = b.optional("power", powerIn)
	}
	if b := own.first("spectrum"); b != nil {
		out.Low, out.High = b.band("spectrum")
	}
	switch b := own.first("frequency", "slot"); {
	case b.has("frequency"):
		pins := b.texts("frequency")
		thz, _ := frequencyIn.parse(pins[min(rank, len(pins)-1)])
		out.Frequency, out.Slot = megahertz(thz), 0
	case b.has("slot"):
		out.Slot = b.number("slot")
	}
	if b := own.first("ports"); b != nil {
		out.Ports = p.channelPorts(b)
	}
	return out
}

// fastest is the mode that is chosen.
const fastest = "fastest"

// channelPorts reads the port at each site.
func (p *parser) channelPorts(b *block) []*intent.End {
	var out []*intent.End
	e := b.get("ports")
	if n := len(e.value.Content); n != 2 {
		p.fault(e.at(), fmt.Sprintf("%s: %d of them", b.name("ports"), n), "name a port of a gateway at each site")
		return nil
	}
	for _, n := range e.value.Content {
		end, _, _ := parseEnd(n.Value)
		d, cause, fix := p.device(end.device)
		switch {
		case d == nil && p.excused(end.device):
		case d == nil:
			p.fault(spotOf(e.source, n), b.name("ports")+": "+show(n.Value)+": "+cause, fix)
		case d.out.Role != intent.Role_ROLE_GATEWAY:
			p.fault(spotOf(e.source, n), b.name("ports")+": "+d.out.Name+" is a "+roleWord(d.out.Role), "name a gateway")
		default:
			out = append(out, &intent.End{Device: d.out.Name, Port: end.port})
		}
	}
	return out
}

// spelledChannel reads a channel that is spelled out.
func (p *parser) spelledChannel(d *dci, e entry, n *yaml.Node) {
	b := new(block)
	if !p.read(b, channelKeys, entry{source: e.source, value: n}, d.label+": channels") || !b.has("number") {
		return
	}
	p.overExists(b)
	p.add(d, p.channel(b.number("number"), 0, layers{b}), b.place(d.place))
}

// add gives a DCI a channel, once for each number.
func (p *parser) add(d *dci, out *intent.Channel, at *place) {
	ref := fmt.Sprintf("dci/%s/channels/%d", d.out.Name, out.Number)
	if before := p.places.objects[ref]; before != nil {
		p.twice(fmt.Sprintf("%s: channel %d", d.label, out.Number), before.at, at.at)
		return
	}
	p.places.objects[ref] = at
	d.out.Channels = append(d.out.Channels, out)
}

// overExists reports lines that are not declared.
func (p *parser) overExists(b *block) {
	for _, n := range b.items("over") {
		for name := range strings.SplitSeq(n.Value, " + ") {
			p.isKnown(spotOf(b.get("over").source, n), b.name("over"), name, "line", p.lines)
		}
	}
}
