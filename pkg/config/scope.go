package config

// Ownership is how much of what a rule's path matches belongs to Loom.
type Ownership byte

// The kinds of ownership. Never wins over the others.
const (
	Never Ownership = iota // excluded
	Entry                  // what matches, and all below, if the intended tree has it
	Whole                  // what matches, and all below
)

// Rule says who owns what a path matches. A list without keys, or with "*", means all its
// entries; a key value may be a glob such as "ethernet-*".
type Rule struct {
	Path Path
	Own  Ownership
	Why  string // for the person who asks
}

// Scope is the part of a device's configuration that Loom owns. What no rule names is not owned.
type Scope []Rule

// Owned returns t reduced to what Loom owns, given what it intends.
func (s Scope) Owned(t, intended *Tree) *Tree { panic("todo") }

// Covers tells whether everything at and below the cursor, whatever a device may hold there, is
// owned, so that it may be replaced or deleted as a whole.
func (s Scope) Covers(c Cursor, intended *Tree) bool { panic("todo") }

// Outside returns the leaves of the intended tree that the scope does not own: a driver's bug.
func (s Scope) Outside(intended *Tree) []Path { panic("todo") }
