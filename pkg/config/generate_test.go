package config

import (
	"fmt"

	"pgregory.net/rapid"
)

// step is one call or a few calls of a builder; a tree is a set of steps, so that two trees can
// share most of theirs, and the order of building can change.
type step func(b *Builder)

var (
	ports    = rapid.SampledFrom([]string{"ethernet-1/1", "ethernet-1/2", "ethernet-1/10", "lag1", "mgmt0"})
	texts    = rapid.SampledFrom([]string{"a", "b", "to \"spine\"\n", "é\\", "10.0.0.1/31", "10.0.0.10/31", "10.0.0.9/31", ""})
	names    = rapid.SampledFrom([]string{"p1", "p2", "p3", "p4", "p5"})
	onOff    = rapid.SampledFrom([]string{"enable", "disable", "maintenance"})
	variants = rapid.IntRange(0, 15)
)

// someTree draws a valid tree.
func someTree(t *rapid.T, label string) *Tree {
	b, err := NewBuilder(model, newRelease)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range rapid.SliceOfN(rapid.Custom(someStep), 0, 24).Draw(t, label) {
		s(b)
	}
	b.errs = nil // the same leaf may have been drawn twice: the first value stays
	tree, err := b.Tree()
	if err != nil {
		t.Fatalf("%s: %v", label, err)
	}
	return tree
}

// neighbour draws a tree that differs a little from another one.
func neighbour(t *rapid.T, tree *Tree, label string) *Tree {
	if rapid.Bool().Draw(t, label+" from scratch") {
		return someTree(t, label)
	}
	d, _ := newDraft(model, newRelease)
	d.load(tree)
	for range rapid.IntRange(1, 4).Draw(t, label+" removals") {
		i := int32(rapid.IntRange(0, len(d.nodes)-1).Draw(t, label+" node"))
		if n := d.nodes[i]; i != 0 && n.seen != gone && !d.x.isKey[n.id] && n.id != idAS {
			d.remove(i)
		}
	}
	b := &Builder{d: d}
	for _, s := range rapid.SliceOfN(rapid.Custom(someStep), 0, 4).Draw(t, label+" additions") {
		s(b)
	}
	if i := d.find(0, nodeID("/routing")); i != 0 { // a reference may have lost its target
		if up := d.find(i, idUplink); up != 0 {
			d.remove(up)
		}
	}
	b.errs = nil
	out, err := b.Tree()
	if err != nil {
		t.Fatalf("%s: %v", label, err)
	}
	return out
}

func someStep(t *rapid.T) step {
	port, text, name, state := ports.Draw(t, "port"), texts.Draw(t, "text"), names.Draw(t, "name"), onOff.Draw(t, "state")
	n := uint64(rapid.IntRange(0, 3).Draw(t, "number"))
	inPort := func(body func(b *Builder)) step {
		return func(b *Builder) { b.In(idInterface, port, func() { body(b) }) }
	}
	inSub := func(body func(b *Builder)) step {
		return inPort(func(b *Builder) { b.In(idSub, fmt.Sprint(n), func() { body(b) }) })
	}
	steps := []step{
		func(b *Builder) { b.Str(idName, name) },
		func(b *Builder) { b.Uint(idMTU, 8998+n) }, // 9000 is the default
		func(b *Builder) { b.Str(idBanner, text); b.Str(idRatio, fmt.Sprintf("-%d.50", n)); b.Empty(idFlag) },
		func(b *Builder) { b.Str(idBig, fmt.Sprint(-int64(n))); b.Uint(idHuge, 1<<63+n) },
		func(b *Builder) { b.Presence(idDNS); b.Uint(idTimeout, 4+n) },
		func(b *Builder) { b.Add(idServer, text) },
		func(b *Builder) { b.Str(idDomain, text) },
		inPort(func(b *Builder) { b.Str(idAdmin, state); b.Str(idSpeed, fmt.Sprint(n*200)) }),
		inPort(func(b *Builder) { b.Str(idDescription, text); b.Str(idSpeed, "ex-more:bridged") }),
		inPort(func(b *Builder) { b.Bool(idTagging, n > 1); b.Add(idGroup, name); b.Add(idGroup, "all") }),
		inSub(func(b *Builder) { b.Str(idSubType, "routed"); b.Str(idV4Admin, state) }),
		inSub(func(b *Builder) { b.In(idAddress, text, func() { b.Empty(idPrimary) }) }),
		inSub(func(b *Builder) { b.In2(idACL, text, state, func() { b.Uint(idACLEntry, n) }) }),
		func(b *Builder) { b.In(idPolicy, name, func() { b.Str(idAction, state); b.Str(idMatch, text) }) },
		func(b *Builder) { b.Add(idCommunity, text); b.Add(idPath, fmt.Sprint(n)) },
		func(b *Builder) {
			b.Uint(idAS, 65000+n)
			b.Str(idRouter, text)
			b.In(idInterface, port, func() {})
			b.Str(idUplink, port)
		},
	}
	return steps[variants.Draw(t, "variant")]
}
