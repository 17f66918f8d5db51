package topology

import (
	"fmt"

	"github.com/loomfabric/loom/models/intent"
)

// expandRaw gives each selected device its own raw entry, in the order of the file and of the devices.
func (p *parser) expandRaw() {
	first := map[intentEnd]spot{}
	for _, e := range p.parts.raw {
		for _, n := range e.value.Content {
			b := new(block)
			if !p.read(b, rawKeys, entry{source: e.source, value: n}, "raw") || !b.has("on") || !b.has("path") || !b.has("value") {
				continue
			}
			if !p.rawOn(b, first) {
				return
			}
		}
	}
}

// rawOn reports whether there is room for more.
func (p *parser) rawOn(b *block, first map[intentEnd]spot) bool {
	path, selected := b.text("path"), p.selected("raw", b)
	if len(p.out.Raw)+len(selected) > maxRaw {
		p.fault(b.at, fmt.Sprintf("raw: more than %d entries in all", maxRaw), "select fewer devices")
		return false
	}
	for _, d := range selected {
		key := intentEnd{device: d.out.Name, port: path}
		if before, ok := first[key]; ok {
			p.twice("raw: "+d.out.Name+": "+show(path), before, b.get("path").at())
			break
		}
		first[key] = b.get("path").at()
		p.out.Raw = append(p.out.Raw, &intent.Raw{Device: d.out.Name, Path: path, Value: b.text("value")})
		p.places.raw = append(p.places.raw, b.at)
	}
	return true
}
