package config

// Builder makes a tree leaf by leaf. It collects mistakes instead of returning them: every call is
// safe, and Tree reports all of them at once. A Builder is for one goroutine.
type Builder struct{}

// NewBuilder returns a builder of a tree of a release ("24.10") of a schema.
func NewBuilder(s *Schema, release string) (*Builder, error) { panic("todo") }

// Cause makes everything that follows carry this cause, until the next call: ref is the place in
// the topology ("topologies/dc1.yaml:12:3"), rule what was derived from it.
func (b *Builder) Cause(ref, rule string) { panic("todo") }

// Has tells whether the release has a node, so that a renderer can choose its dialect.
func (b *Builder) Has(id ID) bool { panic("todo") }

// In enters an entry of a list with one key, runs body, and leaves it again. The entry is created
// if it is new, as are containers on the way; the same entry may be entered many times. The list
// must lie below the current position with no other list in between.
func (b *Builder) In(id ID, key string, body func()) { panic("todo") }

// In2 is In for a list with two keys, in the order of its key statement.
func (b *Builder) In2(id ID, key1, key2 string, body func()) { panic("todo") }

// Str sets a leaf below the current position, with no list in between. Setting a leaf twice to
// the same value is fine; to different values is a mistake that Tree reports.
func (b *Builder) Str(id ID, v string) { panic("todo") }

// Uint sets an integer leaf.
func (b *Builder) Uint(id ID, v uint64) { panic("todo") }

// Bool sets a boolean leaf.
func (b *Builder) Bool(id ID, v bool) { panic("todo") }

// Empty sets a leaf of type empty.
func (b *Builder) Empty(id ID) { panic("todo") }

// Add appends a value to a leaf-list. A value that is there already stays where it is.
func (b *Builder) Add(id ID, v string) { panic("todo") }

// Presence creates a presence container.
func (b *Builder) Presence(id ID) { panic("todo") }

// SetPath sets a leaf, adds to a leaf-list, or creates a presence container or entry (value "")
// by its absolute path, wherever the current position is, and creates entries on the way.
func (b *Builder) SetPath(p Path, value string) { panic("todo") }

// Tree returns the tree built so far, or every mistake found, each as "/path: cause".
func (b *Builder) Tree() (*Tree, error) { panic("todo") }
