package topology

import (
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/loomfabric/loom/models/intent"
)

// maxFindings bounds what a garbage file leaves in memory.
const maxFindings = 1000

// parser is one run of Parse.
type parser struct {
	names     []string // of the sources
	findings  Diagnostics
	shapeless bool     // a file holds no keys at all
	partial   []string // words of roles of which devices were refused
	unsound   bool     // some part was refused; what refers to it may not be reported as missing

	top      block  // the keys of all files that may be given once
	parts    parts  // those that may be given in several files
	defaults *block // nil without defaults
	common   *inner // of the defaults

	out      *intent.Topology
	sites    []*site
	touched  int     // access ports, by all rules
	near     int     // suggestions made; they are dear, and after a few of no use
	cables   *cables // nil without listed cables
	devices  names
	total    int // of devices, to bound them
	tenants  map[string]*tenant
	segments map[string][]*segment // by name and by "tenant/name"
	ducts    map[string]spot       // all that are declared
	lines    map[string]spot
	places   *places
}

// parts are the keys that several files may have.
type parts struct{ sites, tenants, cables, ports, attachments, ducts, lines, dci, raw []entry }

// of returns where the entries of a key are collected, or nil for a key that may be given once.
func (s *parts) of(key string) *[]entry {
	switch key {
	case "sites":
		return &s.sites
	case "tenants":
		return &s.tenants
	case "cables":
		return &s.cables
	case "ports":
		return &s.ports
	case "attachments":
		return &s.attachments
	case "ducts":
		return &s.ducts
	case "lines":
		return &s.lines
	case "dci":
		return &s.dci
	case "raw":
		return &s.raw
	}
	return nil
}

func (p *parser) pos(s spot) Pos {
	return Pos{p.names[s.source], int(s.line), int(s.column)}
}

// fault reports an error.
func (p *parser) fault(at spot, message, fix string, also ...Note) {
	p.unsound = true
	if len(p.findings) < maxFindings {
		p.findings = append(p.findings, Diagnostic{Pos: p.pos(at), Severity: Error, Message: message, Fix: fix, Also: also})
	}
}

// load reads the tree of each source, nil for one that is not sound.
func (p *parser) load(sources []Source) []*yaml.Node {
	trees := make([]*yaml.Node, 0, len(sources))
	for i, src := range sources {
		p.names = append(p.names, src.Name)
		trees = append(trees, p.tree(int32(i), src.Data))
	}
	return trees
}

// tree scans one source and has the YAML library read it.
func (p *parser) tree(source int32, data []byte) *yaml.Node {
	if !scan(data, p.reporter(source)) {
		return nil
	}
	return p.decode(source, data)
}

// reporter reports what the scan finds in one source.
func (p *parser) reporter(source int32) func(line, column int, message, fix string) *Diagnostic {
	return func(line, column int, message, fix string) *Diagnostic {
		before := len(p.findings)
		p.fault(spot{source, int32(line), int32(column)}, message, fix)
		if len(p.findings) == before {
			return nil
		}
		return &p.findings[before]
	}
}

func (p *parser) decode(source int32, data []byte) *yaml.Node {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		p.foreign(source, err)
		return nil
	}
	if len(doc.Content) == 0 {
		p.fault(spot{source, 1, 1}, "topology: the file is empty", "begin with loom: v1")
		return nil
	}
	return doc.Content[0]
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// foreign reports what the YAML library refused although the scan did not.
func (p *parser) foreign(source int32, err error) {
	line, message := 1, err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = m[2]
	}
	p.fault(spot{source, int32(max(line, 1)), 1}, "syntax: "+strings.ReplaceAll(message, "\n", " "), "write plain YAML")
}

// merge collects the keys of all files.
func (p *parser) merge(trees []*yaml.Node) {
	p.top = block{keys: fileKeys, at: spot{0, 1, 1}}
	for i, tree := range trees {
		source := int32(i)
		if tree == nil {
			continue
		}
		if !p.mapping(tree, source, "", fileKeys.Name) {
			p.shapeless = true
			continue
		}
		p.version(source, tree)
		for j := 0; j+1 < len(tree.Content); j += 2 {
			p.mergeKey(entry{source, tree.Content[j], tree.Content[j+1]})
		}
	}
}

// version demands that a file begins with the version of its format, so that a later Loom knows how to read
// the rest.
func (p *parser) version(source int32, tree *yaml.Node) {
	if len(tree.Content) > 0 && tree.Content[0].Value == "loom" {
		return
	}
	for j := 0; j+1 < len(tree.Content); j += 2 {
		if tree.Content[j].Value == "loom" {
			p.fault(spotOf(source, tree.Content[j]), "loom: not the first key", "begin the file with loom: v1")
			return
		}
	}
	p.fault(spotOf(source, tree), "loom: missing", "begin the file with loom: v1")
}

func (p *parser) mergeKey(e entry) {
	i := p.lookup(&p.top, e)
	if i < 0 {
		p.top.broken = true
		return
	}
	k := &p.top.keys.List[i]
	first := p.top.found[i]
	list := p.parts.of(k.Name)
	if first.key != nil && (first.source == e.source || list == nil && k.Name != "loom") {
		p.twice(k.Name, first.keyAt(), e.keyAt())
		return
	}
	if !p.check(k, "", e) {
		e.value, p.top.broken = nil, true
	} else if list != nil {
		*list = append(*list, e)
	}
	p.top.found[i] = e
}

// named calls do for each entry of the maps that several files may have, once for each name.
func (p *parser) named(kind string, maps []entry, do func(name string, e entry)) {
	first := map[string]spot{}
	for _, m := range maps {
		for i := 0; i+1 < len(m.value.Content); i += 2 {
			e := entry{m.source, m.value.Content[i], m.value.Content[i+1]}
			if !p.checkText(nameForm, kind, e.source, e.key) {
				continue
			}
			if at, ok := first[e.key.Value]; ok {
				p.twice(e.key.Value, at, e.keyAt())
				continue
			}
			first[e.key.Value] = e.keyAt()
			do(e.key.Value, e)
		}
	}
}
