package topology

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/loomfabric/loom/models/intent"
)

// Source is one file: its name as messages should print it, and its bytes.
type Source struct {
	Name string
	Data []byte
}

// Topology is an intent together with the places where it was written.
type Topology struct {
	// Intent is expanded: no shorthand, nothing inherited is missing. It must not be changed.
	Intent *intent.Topology

	places *places
	except []string // objects whose places do not count
}

// New returns a topology for an intent that came from no file, as through the API. It has no positions.
func New(in *intent.Topology) *Topology { return &Topology{Intent: in} }

// With is another intent that most of this one is in: it has the places of this one, but for the objects of the given names and what
// is below them, which no file says as they are.
func (t *Topology) With(in *intent.Topology, except ...string) *Topology {
	if t.places != nil {
		t.places.once.Do(func() { t.places.build(t.Intent) }) // cables and attachments are known by where they are in this one
	}
	return &Topology{Intent: in, places: t.places, except: append(t.except[:len(t.except):len(t.except)], except...)}
}

// Parse reads, merges, expands and checks the sources. It reports everything it finds in one run, sorted by
// place; the topology is nil if there is an error.
func Parse(sources ...Source) (*Topology, Diagnostics) {
	if len(sources) == 0 {
		return nil, Diagnostics{{Severity: Error, Message: "topology: no files", Fix: "name a topology file"}}
	}
	p := &parser{out: &intent.Topology{}, places: &places{objects: map[string]*place{}}}
	trees := p.load(sources)
	if !p.findings.HasErrors() {
		p.merge(trees)
		p.expand()
	} else {
		p.apart(trees)
	}
	p.findings.Sort()
	if p.findings.HasErrors() {
		return nil, p.findings
	}
	p.places.names = p.names
	return &Topology{Intent: p.out, places: p.places}, p.findings
}

// place is where an object was written, and where its fields were.
type place struct {
	at     spot
	fields []field
	up     *place // where fields come from that are not written here; may be nil
}

type field struct {
	name string
	at   spot
}

// find returns where a field was written, in this place or one that it inherits from.
func (pl *place) find(name string) (spot, bool) {
	for ; pl != nil; pl = pl.up {
		for _, f := range pl.fields {
			if f.name == name {
				return f.at, true
			}
		}
	}
	return spot{}, false
}

// place returns the places of the block's keys. A nil block adds nothing to what it inherits from.
func (b *block) place(up *place) *place {
	if b == nil {
		return up
	}
	pl := &place{at: b.at, up: up}
	for i := range b.found {
		if e := b.found[i]; e.key != nil {
			pl.fields = append(pl.fields, field{b.keys.List[i].Name, e.at()})
		}
	}
	return pl
}

// rename makes the place of a field answer for another one, too: devices have a number because of a count.
func (pl *place) rename(from, to string) {
	for _, f := range pl.fields {
		if f.name == from {
			pl.fields = append(pl.fields, field{to, f.at})
			return
		}
	}
}

// places are the positions of an intent. Objects of which there are many share them or are found by their
// index in the intent.
type places struct {
	names       []string
	objects     map[string]*place
	cables      []spot
	attachments []*place
	raw         []spot

	once  sync.Once
	index map[intentEnd]int32 // cables count up from 0, attachments down from -1
}

type intentEnd struct{ kind, device, port string }

// At returns the position of an object of the intent ("sites/bj/devices/bj-leaf3") or of one of its fields
// ("sites/bj/underlay#mtu"). Where the file does not mention it, the nearest object around it answers.
func (t *Topology) At(ref string) Pos {
	if t.places == nil {
		return Pos{}
	}
	object, name, _ := strings.Cut(ref, "#")
	if slices.ContainsFunc(t.except, func(e string) bool { return object == e || strings.HasPrefix(object, e+"/") }) {
		return Pos{}
	}
	for object != "" {
		if s, ok := t.places.of(t.Intent, object, name); ok {
			return Pos{t.places.names[s.source], int(s.line), int(s.column)}
		}
		name = ""
		object = object[:max(strings.LastIndexByte(object, '/'), 0)]
		if object == "" && ref != "topology" {
			object, ref = "topology", "topology"
		}
	}
	return Pos{}
}

func (ps *places) of(in *intent.Topology, object, name string) (spot, bool) {
	kind, rest, _ := strings.Cut(object, "/")
	switch kind {
	case "cables", "attachments":
		ps.once.Do(func() { ps.build(in) })
		cut := strings.LastIndexByte(rest, ':')
		if i, ok := ps.index[intentEnd{kind, rest[:max(cut, 0)], rest[cut+1:]}]; ok {
			return ps.numbered(i, name), true
		}
	case "raw":
		if n, err := strconv.Atoi(rest); err == nil && n >= 0 && n < len(ps.raw) {
			return ps.raw[n], true
		}
	default:
		if pl := ps.objects[object]; pl != nil {
			if s, ok := pl.find(name); ok {
				return s, true
			}
			return pl.at, true
		}
	}
	return spot{}, false
}

func (ps *places) numbered(i int32, name string) spot {
	if i >= 0 {
		return ps.cables[i]
	}
	pl := ps.attachments[-1-i]
	if s, ok := pl.find(name); ok {
		return s
	}
	return pl.at
}

// build indexes cables and attachments by their ends; it runs when the first of them is asked for.
func (ps *places) build(in *intent.Topology) {
	ps.index = make(map[intentEnd]int32, 2*len(in.Cables)+len(in.Attachments))
	for i, c := range in.Cables {
		for _, e := range []*intent.End{c.B, c.A} {
			device := e.Device
			if e.Server != "" {
				device = "server:" + e.Server
			}
			if e.External != "" {
				device = "external:" + e.External
			}
			ps.index[intentEnd{"cables", device, e.Port}] = int32(i)
		}
	}
	for i, a := range in.Attachments {
		for _, e := range a.Members {
			ps.index[intentEnd{"attachments", e.Device, e.Port}] = int32(-1 - i)
		}
	}
}
