package topology

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The tags that the YAML library gives to plain values.
const (
	textTag  = "!!str"
	wholeTag = "!!int"
	truthTag = "!!bool"
	nullTag  = "!!null"
	floatTag = "!!float"
)

// entry is a key with its value, and the source that they stand in.
type entry struct {
	source     int32
	key, value *yaml.Node // value is nil where it was refused
}

// at is where a value stands, or its key where the value was refused.
func (e entry) at() spot {
	if e.value != nil {
		return spotOf(e.source, e.value)
	}
	return e.keyAt()
}

// keyAt is where a key stands; for a key that was not written, the top of the first file.
func (e entry) keyAt() spot {
	if e.key == nil {
		return spot{0, 1, 1}
	}
	return spotOf(e.source, e.key)
}

func spotOf(source int32, n *yaml.Node) spot {
	return spot{source, int32(n.Line), int32(n.Column)}
}

// block is a mapping of the file, its values found by the keys of the table and checked against it.
type block struct {
	keys  *Keys
	label string // what messages call it: "bj: underlay"
	at    spot
	found [maxKeys]entry // by index in keys

	broken bool     // a key or a value in it was refused
	meant  []string // keys that refused ones were likely meant to be
}

// misses reports whether a key is not there, and no misspelt one was meant to be it.
func (b *block) misses(key string) bool { return !b.given(key) && !slices.Contains(b.meant, key) }

// has reports whether the key was given with a usable value. A nil block has no keys.
func (b *block) has(key string) bool { return b.get(key).value != nil }

// given reports whether the key was written, whatever its value.
func (b *block) given(key string) bool { return b.get(key).key != nil }

func (b *block) get(key string) entry {
	if b == nil {
		return entry{}
	}
	i := b.keys.find(key)
	if i < 0 {
		return entry{}
	}
	return b.found[i]
}

func (b *block) text(key string) string {
	if e := b.get(key); e.value != nil {
		return e.value.Value
	}
	return ""
}

func (b *block) number(key string) uint32 {
	n, _ := parseNumber(b.text(key), 0, 1<<32-1)
	return n
}

// items returns the values of a list, or the one value that may stand for it.
func (b *block) items(key string) []*yaml.Node {
	e := b.get(key)
	switch {
	case e.value == nil:
		return nil
	case e.value.Kind == yaml.SequenceNode:
		return e.value.Content
	}
	return []*yaml.Node{e.value}
}

func (b *block) texts(key string) []string {
	nodes := b.items(key)
	if nodes == nil {
		return nil
	}
	list := make([]string, len(nodes))
	for i, n := range nodes {
		list[i] = n.Value
	}
	return list
}

// name is what messages call a key of the block.
func (b *block) name(key string) string { return join(b.label, key) }

func join(label, key string) string {
	if label == "" {
		return key
	}
	return label + ": " + key
}

// read fills b from the mapping in e and reports everything that the table does not allow. The block begins at
// the key of e; an item of a list has none and begins at its value.
func (p *parser) read(b *block, keys *Keys, e entry, label string) bool {
	*b = block{keys: keys, label: label, at: e.at()}
	if e.key != nil {
		b.at = e.keyAt()
	}
	n := e.value
	if !p.mapping(n, e.source, label, keys.Name) {
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		p.readKey(b, entry{e.source, n.Content[i], n.Content[i+1]})
	}
	p.required(b)
	return true
}

func (p *parser) readKey(b *block, e entry) {
	i := p.lookup(b, e)
	if i < 0 {
		b.broken = true
		return
	}
	if first := b.found[i]; first.key != nil {
		p.twice(b.name(e.key.Value), first.keyAt(), e.keyAt())
		return
	}
	if !p.check(&b.keys.List[i], b.label, e) {
		e.value, b.broken = nil, true
	}
	b.found[i] = e
}

// lookup finds the key in the table; where there is none that may be used, it says so.
func (p *parser) lookup(b *block, e entry) int {
	if !p.bare(e.source, e.key) || e.key.Kind != yaml.ScalarNode {
		p.fault(e.keyAt(), join(b.label, "a key that is not a word"), "write key: value")
		return -1
	}
	i := b.keys.find(e.key.Value)
	switch {
	case i < 0:
		p.unknown(b, e)
	case b.keys.List[i].Unbuilt:
		p.fault(e.keyAt(), join(b.label, e.key.Value)+": not built yet in this release of loom", "take it out")
		return -1
	}
	return i
}

func (p *parser) unknown(b *block, e entry) {
	word := e.key.Value
	message := join(b.label, "no key "+show(word))
	var known []string
	for _, k := range b.keys.List {
		if !k.Unbuilt {
			known = append(known, k.Name)
		}
	}
	switch near, other := nearest(word, known), elsewhere(word); {
	case other != "":
		p.fault(e.keyAt(), message, "move it; "+word+" is a key of "+other)
	case strings.HasPrefix(word, "ethernet-") || word != "" && strings.Trim(word, "0123456789. ") == "":
		p.fault(e.keyAt(), message, "put a list with commas in quotes, as \"1..4,6\"")
	case near != "":
		b.meant = append(b.meant, near)
		p.fault(e.keyAt(), message, "write "+near)
	default:
		p.fault(e.keyAt(), message, "the keys here are "+strings.Join(known, ", "))
	}
}

// elsewhere names the set of keys that has a word, if only one has it.
func elsewhere(word string) (name string) {
	for _, keys := range allKeys {
		if i := keys.find(word); i < 0 || keys.List[i].Unbuilt {
			continue
		}
		if name != "" {
			return ""
		}
		name = strings.ToLower(article(keys.Name))
	}
	return name
}

func (p *parser) required(b *block) {
	for i := range b.keys.List {
		k := &b.keys.List[i]
		if k.Required && b.misses(k.Name) && b.keys != fileKeys {
			p.fault(b.at, join(b.label, "no "+k.Name), "add "+k.Name+": "+k.Example)
		}
	}
}

// check holds a value against the table. Blocks and lists are only checked for their shape here; what is in
// them is read by those who use it.
func (p *parser) check(k *Key, label string, e entry) bool {
	n := e.value
	if !p.bare(e.source, n) {
		return false
	}
	if n.Kind == yaml.ScalarNode && n.Tag == nullTag && n.Style == 0 {
		p.fault(e.keyAt(), join(label, k.Name)+": no value", "write "+k.Name+": "+k.Example)
		return false
	}
	if !shaped(k.Kind, n.Kind) {
		p.fault(e.at(), join(label, k.Name)+": "+shapeName(n)+" where "+wanted(k)+" is wanted", "write "+k.Name+": "+k.Example)
		return false
	}
	return p.checkValue(k, label, e)
}

func (p *parser) checkValue(k *Key, label string, e entry) bool {
	switch k.Kind {
	case Number:
		return p.checkNumber(k, label, e)
	case Flag:
		return p.checkFlag(k, label, e)
	case Word:
		return p.checkWord(k, label, e)
	case Text, Texts, TextOrSet:
		return p.checkTexts(k, label, e)
	case TextOrBlock:
		return e.value.Kind == yaml.MappingNode || p.checkTexts(k, label, e)
	case Release:
		return p.checkRelease(label, e)
	}
	return true
}

// shaped reports whether a key of one kind may have a node of the other.
func shaped(k Kind, n yaml.Kind) bool {
	switch k {
	case Texts, List, CableList:
		return n == yaml.SequenceNode
	case TextOrSet, Pairs:
		return n == yaml.SequenceNode || n == yaml.ScalarNode
	case Block, Named, Numbered:
		return n == yaml.MappingNode
	case Release, TextOrBlock:
		return n == yaml.MappingNode || n == yaml.ScalarNode
	}
	return n == yaml.ScalarNode
}

func shapeName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}

// wanted names what a key takes, for messages.
func wanted(k *Key) string {
	switch k.Kind {
	case Number:
		return "a number"
	case Flag, Pairs:
		return "true or false"
	case Word:
		return words(k.Words)
	case Text, TextOrSet, TextOrBlock:
		return k.Form.Name
	case Scalar, Release:
		return "a single value"
	case Texts, List, CableList:
		return "a list"
	}
	return "a block of keys"
}

// bare refuses what can stand for more than it shows. The scan has refused it already; a tree that got past the
// scan must not get past here.
func (p *parser) bare(source int32, n *yaml.Node) bool {
	if n.Kind != yaml.AliasNode && n.Anchor == "" && n.Style&(yaml.TaggedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		return true
	}
	p.fault(spotOf(source, n), "syntax: an anchor, alias, tag or text over several lines", "write the value out on one line")
	return false
}

// mapping reports whether n holds keys.
func (p *parser) mapping(n *yaml.Node, source int32, label, what string) bool {
	if !p.bare(source, n) {
		return false
	}
	if n.Kind == yaml.MappingNode {
		return true
	}
	if label == "" {
		label = "topology"
	}
	if n.Kind == yaml.ScalarNode && n.Tag == nullTag {
		p.fault(spotOf(source, n), label+": no value", "write the keys of "+article(what)+", or {} for none")
		return false
	}
	p.fault(spotOf(source, n), label+": "+shapeName(n)+" where the keys of "+article(what)+" are wanted", "write {key: value}")
	return false
}

func article(what string) string {
	what = strings.ToLower(what)
	switch {
	case strings.HasPrefix(what, "a "), strings.HasSuffix(what, "s"), what == "raw":
		return what
	case strings.ContainsRune("aeiou", rune(what[0])):
		return "an " + what
	}
	return "a " + what
}

// twice reports a thing that may be given once.
func (p *parser) twice(thing string, first, second spot) {
	p.fault(second, thing+": given twice", "keep one of them", Note{p.pos(first), "first given here"})
}

func (p *parser) checkNumber(k *Key, label string, e entry) bool {
	n := e.value
	fix := fmt.Sprintf("write a number from %d to %d", k.Min, k.Max)
	thing := join(label, k.Name) + ": " + show(n.Value)
	switch {
	case n.Style != 0 && n.Tag == textTag:
		if _, ok := parseNumber(n.Value, k.Min, k.Max); ok {
			p.fault(e.at(), thing+" is in quotes, which makes it a text", "write "+k.Name+": "+n.Value)
			return false
		}
		p.fault(e.at(), thing+" is not a number", fix)
		return false
	case !decimal(n.Value):
		p.fault(e.at(), thing+" is not a whole decimal number", fix)
		return false
	}
	if _, ok := parseNumber(n.Value, k.Min, k.Max); !ok {
		p.fault(e.at(), fmt.Sprintf("%s is not in %d..%d", thing, k.Min, k.Max), fix)
		return false
	}
	return true
}

// decimal reports whether s is written as a plain decimal number, however large; 010 would be eight elsewhere.
func decimal(s string) bool {
	return s == "0" || s != "" && s[0] != '0' && strings.Trim(s, "0123456789") == ""
}

func (p *parser) checkFlag(k *Key, label string, e entry) bool {
	if n := e.value; n.Tag == truthTag && n.Style == 0 && (n.Value == "true" || n.Value == "false") {
		return true
	}
	p.fault(e.at(), join(label, k.Name)+": "+show(e.value.Value)+" is neither true nor false", "write "+k.Name+": true or "+k.Name+": false, without quotes")
	return false
}

func (p *parser) checkWord(k *Key, label string, e entry) bool {
	for _, w := range k.Words {
		if e.value.Value == w {
			return true
		}
	}
	p.fault(e.at(), join(label, k.Name)+": "+show(e.value.Value)+" is not a choice", "write "+words(k.Words))
	return false
}

func (p *parser) checkTexts(k *Key, label string, e entry) bool {
	if e.value.Kind == yaml.ScalarNode {
		return p.checkText(k.Form, join(label, k.Name), e.source, e.value)
	}
	ok := true
	for i, n := range e.value.Content {
		if !p.bare(e.source, n) || !p.single(join(label, k.Name), e.source, n) || !p.checkText(k.Form, join(label, k.Name), e.source, n) {
			ok = false
			continue
		}
		for _, before := range e.value.Content[:min(i, 64)] {
			if before.Value == n.Value {
				p.twice(join(label, k.Name)+": "+show(n.Value), spotOf(e.source, before), spotOf(e.source, n))
				ok = false
				break
			}
		}
	}
	return ok
}

// single reports whether a value is neither a list nor keys.
func (p *parser) single(thing string, source int32, n *yaml.Node) bool {
	if n.Kind == yaml.ScalarNode {
		return true
	}
	p.fault(spotOf(source, n), thing+": "+shapeName(n)+" where a single value is wanted", "write a plain value")
	return false
}

// checkText holds a text against its form. What YAML reads as something else than text must be quoted, because
// 25.10 would be 25.1 and on would be true somewhere.
func (p *parser) checkText(f *Form, thing string, source int32, n *yaml.Node) bool {
	at := spotOf(source, n)
	if n.Tag != textTag && !((f.Bare || f.Decimal) && n.Tag == wholeTag) && !(f.Decimal && n.Tag == floatTag) {
		p.unquoted(f, thing, at, n)
		return false
	}
	if i := strings.IndexFunc(n.Value, func(r rune) bool { cause, _ := badRune(r, 0); return cause != "" }); i >= 0 {
		p.fault(at, thing+": holds a character that cannot be seen, at its byte "+fmt.Sprint(i+1), "take it out")
		return false
	}
	cause, fix := f.check(n.Value)
	switch {
	case cause == "":
		return true
	case f == secretForm:
		p.fault(at, thing+": "+cause, fix) // never the value
	case f == segmentForm:
		fix, also := p.nearSegment(n.Value)
		p.fault(at, thing+": "+show(n.Value)+" "+cause, fix, also...)
	default:
		p.fault(at, thing+": "+show(n.Value)+" "+cause, fix)
	}
	return false
}

func (p *parser) unquoted(f *Form, thing string, at spot, n *yaml.Node) {
	switch {
	case f == secretForm:
		p.fault(at, thing+": "+secretCause, "write env:NAME or file:PATH; secrets never stand in the file")
	case n.Tag == nullTag:
		p.fault(at, thing+": no value", "write "+f.Name)
	case n.Tag == floatTag || n.Tag == wholeTag:
		p.fault(at, thing+": "+show(n.Value)+" is a number without quotes, and "+f.Name+" is wanted", fmt.Sprintf("write %q", n.Value))
	default:
		p.fault(at, thing+": "+show(n.Value)+" is not read as a text without quotes", fmt.Sprintf("write %q", n.Value))
	}
}
