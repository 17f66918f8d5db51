package config

import "slices"

// Op is what a Change does.
type Op byte

// The operations of a diff, printed as they are.
const (
	Create  Op = '+'
	Delete  Op = '-'
	Modify  Op = '~'
	Reorder Op = '%'
)

// Change is one difference between two trees.
type Change struct {
	Op   Op
	From Cursor // zero for Create; else the leaf, or the topmost node that goes
	To   Cursor // zero for Delete; else the leaf, or the topmost node that comes
	At   Path   // of either
}

// Work counts what a diff cost.
type Work struct{ Visited int } // pairs of nodes that were looked at

// Diff returns what changes from one tree to the other, modulo defaults, in document order. Equal
// subtrees are skipped by their hash, so the cost follows the change and not the size. The
// inverse is Diff(to, from).
//
// A leaf that is absent on one side and has its default on the other is no change. Entries that
// come or go are one Create or Delete each, and so are values of system-ordered leaf-lists. Of a
// user-ordered list, Reorder says that entries of both sides stand in another order; where a
// created entry goes, its To tells. A user-ordered leaf-list is one Reorder, or one Modify if its
// members change too.
func Diff(from, to *Tree) []Change {
	changes, _ := DiffCounted(from, to)
	return changes
}

// DiffCounted is Diff that also tells its cost. It panics where the trees have different schemas.
func DiffCounted(from, to *Tree) ([]Change, Work) {
	if from.schema != to.schema {
		panic("config: diff of trees of different schemas")
	}
	d := differ{work: Work{1}}
	if from.hash != to.hash {
		d.both(from.Root(), to.Root())
	}
	return d.changes, d.work
}

type differ struct {
	changes []Change
	work    Work
}

func (d *differ) add(op Op, from, to Cursor) {
	at := to
	if op == Delete {
		at = from
	}
	d.changes = append(d.changes, Change{op, from, to, at.Path()})
}

// pair judges two nodes that are not equal, or one that the other side lacks.
func (d *differ) pair(a, b Cursor) {
	switch {
	case !b.Valid():
		d.single(Delete, a)
	case !a.Valid():
		d.single(Create, b)
	default:
		d.both(a, b)
	}
}

// single notes what one side lacks: a list or leaf-list as its entries or values, because they
// are what comes and goes.
func (d *differ) single(op Op, c Cursor) {
	n := c.node()
	if n.shape == listShape || n.shape == leafListShape && !c.Node().UserOrdered {
		for item := range c.Children() {
			d.single(op, item)
		}
		return
	}
	if op == Create {
		d.add(op, Cursor{}, c)
	} else {
		d.add(op, c, Cursor{})
	}
}

// both compares two nodes that exist on both sides and have different hashes.
func (d *differ) both(a, b Cursor) {
	switch n := a.node(); {
	case n.shape == leafShape:
		d.add(Modify, a, b)
		return
	case n.shape == leafListShape && a.Node().UserOrdered:
		d.userLeafList(a, b)
		return
	case n.shape == listShape && keepsOrder(a.Node()) && !slices.Equal(common(a, b), common(b, a)):
		d.add(Reorder, a, b)
	}
	d.work.Visited += pairs(a, b, d.pair)
}

func (d *differ) userLeafList(a, b Cursor) {
	inB, lost := b.items(), false
	for c := range a.Children() {
		lost = lost || !inB[c.itemKey()].Valid()
		delete(inB, c.itemKey())
	}
	if lost || len(inB) > 0 {
		d.add(Modify, a, b)
	} else {
		d.add(Reorder, a, b)
	}
}
