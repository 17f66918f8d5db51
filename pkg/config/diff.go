package config

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
	Op       Op
	From, To Cursor // Create has only To, Delete only From: the topmost entry, container, leaf or leaf-list value; Reorder has both lists
	At       Path   //
}

// Work counts what a diff cost.
type Work struct{ Visited int } // pairs of nodes that were compared

// Diff returns what changes from one tree to the other, modulo defaults, in document order. Equal
// subtrees are skipped by their hash, so the cost follows the change and not the size. The
// inverse is Diff(to, from). A leaf that is absent on one side and has its default on the other is
// no change.
func Diff(from, to *Tree) []Change { panic("todo") }

// DiffCounted is Diff that also tells its cost.
func DiffCounted(from, to *Tree) ([]Change, Work) { panic("todo") }
