package topology

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/loomfabric/loom/models/intent"
)

// expandLight reads ducts, lines and DCIs. Names are collected first: a line may stand before its ducts, and what was
// refused is not missing.
func (p *parser) expandLight() {
	p.ducts, p.lines = p.declaredIn(p.parts.ducts), p.declaredIn(p.parts.lines)
	p.named("ducts", p.parts.ducts, p.duct)
	p.named("lines", p.parts.lines, p.line)
	slices.SortFunc(p.out.Ducts, func(a, b *intent.Duct) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(p.out.Lines, func(a, b *intent.Line) int { return cmp.Compare(a.Name, b.Name) })
	p.expandDCIs()
}

// declaredIn are the names that maps of several files declare, and where.
func (p *parser) declaredIn(maps []entry) map[string]spot {
	out := map[string]spot{}
	for _, m := range maps {
		for i := 0; i+1 < len(m.value.Content); i += 2 {
			if _, ok := out[m.value.Content[i].Value]; !ok {
				out[m.value.Content[i].Value] = spotOf(m.source, m.value.Content[i])
			}
		}
	}
	return out
}

// known reports names that are not declared. what is "duct" or "line".
func (p *parser) known(b *block, key, what string, names map[string]spot) {
	for _, n := range b.items(key) {
		p.isKnown(spotOf(b.get(key).source, n), b.name(key), n.Value, what, names)
	}
}

func (p *parser) isKnown(at spot, thing, name, what string, names map[string]spot) {
	if _, ok := names[name]; ok || p.shapeless {
		return
	}
	fix, also := "declare it below "+what+"s", []Note(nil)
	if near := nearestOf(name, names); near != "" {
		fix, also = "write "+near, p.declared(near, names[near])
	}
	p.fault(at, thing+": no "+what+" "+show(name), fix, also...)
}

func (p *parser) duct(name string, e entry) {
	b := new(block)
	if !p.read(b, ductKeys, e, name) {
		return
	}
	out := &intent.Duct{
		Name: name, From: b.text("from"), To: b.text("to"), Km: b.quantity("km", lengthIn, 0), Fibre: cmp.Or(b.text("fibre"), defaultFibre),
		Loss: b.optional("loss", lossPerKmIn), Dispersion: b.optional("dispersion", dispersionIn), Slope: b.optional("slope", slopeIn),
		Area: b.optional("area", areaIn), Pmd: b.optional("pmd", pmdIn), Connectors: b.quantity("connectors", decibelIn, defaultConnectors),
		Shares: b.texts("shares"),
	}
	for _, n := range b.items("lumped") {
		km, loss, _ := parseLump(n.Value)
		if b.has("km") && km > out.Km {
			p.fault(spotOf(b.get("lumped").source, n), fmt.Sprintf("%s: %s is beyond its %s km", b.name("lumped"), show(n.Value), plainNumber(out.Km)), "write a distance from where it begins")
		}
		out.Lumped = append(out.Lumped, &intent.Lump{Km: km, Loss: loss})
	}
	if out.From == out.To && b.has("from") && b.has("to") {
		p.fault(b.get("to").at(), b.name("to")+": "+out.To+" is where it begins", "name another place")
	}
	p.places.objects["ducts/"+name] = b.place(nil)
	p.out.Ducts = append(p.out.Ducts, out)
}

func (p *parser) line(name string, e entry) {
	b := new(block)
	if !p.read(b, lineKeys, e, name) {
		return
	}
	low, high := b.band("band")
	out := &intent.Line{
		Name: name, From: b.text("from"), To: b.text("to"), Via: b.texts("via"), ApartFrom: b.texts("apart-from"), Amplifiers: p.amplifiers(b),
		Mux: b.optional("mux", decibelIn), Grid: b.quantity("grid", widthIn, 0), Low: low, High: high, Guard: b.quantity("guard", guardIn, 0),
		Launch: b.optional("launch", powerIn), Ageing: p.ageing(b), Management: b.text("management"), Platform: cmp.Or(b.text("platform"), defaultLineBox),
	}
	p.lineEnds(b, out)
	pl := b.place(nil)
	p.places.objects["lines/"+name] = pl
	if e := b.get("devices"); e.value != nil {
		p.named(b.name("devices"), []entry{e}, func(place string, e entry) { p.lineDevice(out, pl, place, e) })
	}
	for _, key := range []string{"from", "to"} {
		p.siteExists(b, key)
	}
	if out.From == out.To && b.has("from") && b.has("to") {
		p.fault(b.get("to").at(), b.name("to")+": "+out.To+" is where it begins", "name another site")
	}
	p.known(b, "via", "duct", p.ducts)
	p.known(b, "apart-from", "line", p.lines)
	if slices.Contains(out.ApartFrom, name) {
		p.fault(b.get("apart-from").at(), b.name("apart-from")+": "+name+" is the line itself", "name another line")
	}
	p.out.Lines = append(p.out.Lines, out)
}

func (p *parser) siteExists(b *block, key string) {
	if name := b.text(key); name != "" && p.site(name) == nil && !p.lost() {
		fix, also := "write the name of a site", []Note(nil)
		if near := nearest(name, p.siteNames()); near != "" {
			fix, also = "write "+near, p.declared(near, p.site(near).at)
		}
		p.fault(b.get(key).at(), b.name(key)+": no site "+show(name), fix, also...)
	}
}

// lineEnds decides what joins channels at the ends.
func (p *parser) lineEnds(b *block, out *intent.Line) {
	switch {
	case b.has("ends") && b.has("mux"):
		p.fault(b.get("mux").keyAt(), b.name("mux")+": stands beside ends: roadm, which joins channels already", "keep one of them", Note{p.pos(b.get("ends").keyAt()), "ends given here"})
	case b.has("ends"):
		out.Ends = intent.LineEnds_LINE_ENDS_ROADM
	case b.has("mux"):
		out.Ends = intent.LineEnds_LINE_ENDS_MUX
	default:
		out.Ends = intent.LineEnds_LINE_ENDS_BARE
	}
}

// band reads the edges of a band in MHz; 0 and 0 where they are not given and have no default.
func (b *block) band(key string) (low, high uint32) {
	text := b.text(key)
	if text == "" {
		text = b.keys.List[b.keys.find(key)].Default
	}
	from, to, cause, _ := bandIn.span(text)
	if cause != "" {
		return 0, 0
	}
	return megahertz(from), megahertz(to)
}

func (p *parser) amplifiers(b *block) *intent.Amplifiers {
	e := b.get("amplifiers")
	if e.value == nil {
		return nil
	}
	var in block
	if len(e.value.Content) == 0 && e.value.Value != "" {
		return &intent.Amplifiers{Kind: e.value.Value}
	}
	if !p.child(&in, b, "amplifiers") {
		return nil
	}
	out := &intent.Amplifiers{Kind: in.text("kind"), Nf: in.optional("nf", decibelIn), MaxOutput: in.optional("max-output", powerIn), At: in.texts("at")}
	if in.has("gain") {
		low, high, _, _ := gainIn.span(in.text("gain"))
		out.MinGain, out.MaxGain = &low, &high
	}
	return out
}

func (p *parser) ageing(b *block) *intent.LineAgeing {
	var in block
	if e := b.get("ageing"); e.value != nil && e.value.Value == "none" {
		return &intent.LineAgeing{}
	} else if e.value != nil {
		p.child(&in, b, "ageing")
	}
	if in.keys == nil {
		in.keys = ageingKeys
	}
	return &intent.LineAgeing{Span: in.quantity("span", decibelIn, 1), Nf: in.quantity("nf", decibelIn, 0.5), System: in.quantity("system", decibelIn, 0.5)}
}

func (p *parser) lineDevice(line *intent.Line, up *place, name string, e entry) {
	b := new(block)
	if !p.read(b, lineDeviceKeys, e, line.Name+"/"+name) {
		return
	}
	p.places.objects["lines/"+line.Name+"/devices/"+name] = b.place(up)
	line.Devices = append(line.Devices, &intent.LineDevice{Place: name, Management: b.text("management"), Fingerprint: b.text("fingerprint"), Labels: b.texts("labels")})
	slices.SortFunc(line.Devices, func(a, b *intent.LineDevice) int { return cmp.Compare(a.Place, b.Place) })
}
