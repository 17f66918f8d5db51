package config

import (
	"errors"
	"fmt"
	"slices"
)

// invalid returns what makes a tree as a whole no valid configuration: mandatory leaves that are
// missing, references that point at nothing, lists that are too long. A mandatory node counts
// where its parent is in the tree: the schema tables know no choices, so a container that is not
// there may belong to a case that was not chosen. What lies beside the tree (see Builder.Beside) may
// be pointed at too.
func (t *Tree) invalid(beside map[ID][]string) []*ValueError {
	v := validation{t: t, x: t.schema.index(), targets: map[ID][]bool{}}
	for i := range t.nodes {
		v.visit(Cursor{t, uint32(i)})
	}
	for _, c := range v.references {
		if target := v.x.refers[c.ID()]; !v.isTarget(target, c.node().link) && !isBeside(beside, target, c.Value()) {
			v.fail(c, c.Value(), fmt.Errorf("%s points at nothing: there is no such %s", quote(c.Value()), t.schema.Path(target)))
		}
	}
	return v.errs
}

func isBeside(beside map[ID][]string, target ID, value string) bool {
	values, known := beside[target]
	return known && (len(values) == 0 || slices.Contains(values, value))
}

type validation struct {
	t          *Tree
	x          *index
	targets    map[ID][]bool // by leaf that references may point at: by index of a value, whether it is there
	references []Cursor
	errs       []*ValueError
}

// addTarget notes the value of a leaf. A tree has no value twice, so its index stands for it.
func (v *validation) addTarget(leaf ID, value uint32) {
	if v.targets[leaf] == nil {
		v.targets[leaf] = make([]bool, len(v.t.values))
	}
	v.targets[leaf][value] = true
}

func (v *validation) isTarget(leaf ID, value uint32) bool {
	values := v.targets[leaf]
	return values != nil && values[value]
}

func (v *validation) fail(c Cursor, value string, err error) {
	v.errs = append(v.errs, &ValueError{Path: c.Path(), Value: value, Err: err})
}

func (v *validation) visit(c Cursor) {
	n := c.node()
	switch n.shape {
	case leafShape, valueShape:
		if v.x.referred[n.id] {
			v.addTarget(n.id, n.link)
		}
		if v.x.refers[n.id] != 0 && !v.t.schema.Nodes[n.id].State {
			v.references = append(v.references, c)
		}
	case listShape, leafListShape:
		v.count(c)
	default:
		v.complete(c)
	}
}

// count checks max-elements.
func (v *validation) count(c Cursor) {
	most := c.Node().MaxElements
	if most == 0 {
		return
	}
	count := uint32(0)
	for range c.Children() {
		count++
	}
	if count > most {
		v.fail(c, "", fmt.Errorf("has %d elements, at most %d are possible", count, most))
	}
}

var errMandatory = errors.New("is mandatory, but not there")

// complete checks that a container or entry has its mandatory children.
func (v *validation) complete(c Cursor) {
	for _, id := range v.x.mandatory[c.ID()] {
		n := &v.t.schema.Nodes[id]
		if n.In.Has(v.t.release) && !c.Child(id).Valid() {
			v.errs = append(v.errs, &ValueError{Path: c.Path().Child(n.Name), Err: errMandatory})
		}
	}
}
