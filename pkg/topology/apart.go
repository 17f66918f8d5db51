package topology

import "go.yaml.in/yaml/v3"

// apart checks the files that are sound where another is not: what stands in each of them, against the table.
// What one part says of another is left alone, for the other may be in the file that cannot be read.
func (p *parser) apart(trees []*yaml.Node) {
	p.merge(trees)
	for i, e := range p.top.found {
		if e.value != nil && p.parts.of(fileKeys.List[i].Name) == nil {
			p.within(&fileKeys.List[i], "", e)
		}
	}
	for i := range fileKeys.List {
		k := &fileKeys.List[i]
		if list := p.parts.of(k.Name); list != nil {
			for _, e := range *list {
				p.within(k, "", e)
			}
		}
	}
}

// within checks what stands in the blocks below a key.
func (p *parser) within(k *Key, label string, e entry) {
	switch k.Kind {
	case TextOrBlock:
		if e.value.Kind == yaml.MappingNode {
			p.blockWithin(k.Of, join(label, k.Name), e)
		}
	case Block:
		p.blockWithin(k.Of, join(label, k.Name), e)
	case Named:
		outer := ""
		if label != "" {
			outer = label + "/" // red/web
		}
		p.named(join(label, k.Name), []entry{e}, func(name string, e entry) { p.blockWithin(k.Of, outer+name, e) })
	case Numbered:
		for i := 0; i+1 < len(e.value.Content); i += 2 {
			number := e.value.Content[i]
			if p.checkText(numbersForm, join(label, k.Name), e.source, number) {
				p.blockWithin(k.Of, join(join(label, k.Name), number.Value), entry{e.source, number, e.value.Content[i+1]})
			}
		}
	case List:
		for _, n := range e.value.Content {
			p.blockWithin(k.Of, join(label, k.Name), entry{source: e.source, value: n})
		}
	}
}

func (p *parser) blockWithin(keys *Keys, label string, e entry) {
	b := new(block)
	if !p.read(b, keys, e, label) {
		return
	}
	for i, below := range b.found {
		if below.value != nil {
			p.within(&keys.List[i], label, below)
		}
	}
}
