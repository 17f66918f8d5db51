package topology

import "github.com/loomfabric/loom/models/intent"

// expandRaw gives each selected device its own raw entry, in the order of the file and of the devices.
func (p *parser) expandRaw() {
	first := map[intentEnd]spot{}
	for _, e := range p.parts.raw {
		for _, n := range e.value.Content {
			b := new(block)
			if !p.read(b, rawKeys, entry{source: e.source, value: n}, "raw") || !b.has("on") || !b.has("path") || !b.has("value") {
				continue
			}
			p.rawOn(b, first)
			if len(p.out.Raw) > maxAttachments {
				p.fault(b.at, "raw: too many entries in all", "select fewer devices")
				return
			}
		}
	}
}

func (p *parser) rawOn(b *block, first map[intentEnd]spot) {
	path := b.text("path")
	for _, d := range p.selected("raw", b) {
		key := intentEnd{device: d.out.Name, port: path}
		if before, ok := first[key]; ok {
			p.twice("raw: "+d.out.Name+": "+show(path), before, b.get("path").at())
			return
		}
		first[key] = b.get("path").at()
		p.out.Raw = append(p.out.Raw, &intent.Raw{Device: d.out.Name, Path: path, Value: b.text("value")})
		p.places.raw = append(p.places.raw, b.at)
	}
}
