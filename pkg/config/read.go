package config

import (
	"iter"
	"strconv"
)

// What follows reads trees by schema nodes, with nothing but containers between a cursor and the node that is asked for. A schema
// knows the defaults of what is not there, also below a cursor that points at nothing: so these are methods of it.

// At returns the node below a cursor that has a schema node, or the cursor itself if it has it; the zero Cursor where there is none.
func (s *Schema) At(c Cursor, id ID) Cursor {
	switch {
	case !c.Valid() || c.ID() == id:
		return c
	case id == Root:
		return Cursor{}
	}
	return s.At(c, s.Nodes[id].Parent).Child(id)
}

// Has tells whether there is such a node.
func (s *Schema) Has(c Cursor, id ID) bool { return s.At(c, id).Valid() }

// Text returns the value of a leaf below a cursor, its default where it is absent.
func (s *Schema) Text(c Cursor, leaf ID) string {
	if found := s.At(c, leaf); found.Valid() {
		return found.Value()
	}
	return s.Nodes[leaf].Default
}

// True tells whether a boolean leaf is true, by default too.
func (s *Schema) True(c Cursor, leaf ID) bool { return s.Text(c, leaf) == "true" }

// Number returns the value of an unsigned leaf; 0 where it has neither value nor default.
func (s *Schema) Number(c Cursor, leaf ID) uint64 {
	n, _ := strconv.ParseUint(s.Text(c, leaf), 10, 64) // the schema has checked it
	return n
}

// Texts returns the values of a leaf-list, in their order; no default.
func (s *Schema) Texts(c Cursor, list ID) (values []string) {
	for v := range s.At(c, list).Children() {
		values = append(values, v.Value())
	}
	return values
}

// Entries yields the entries of a list below a cursor.
func (s *Schema) Entries(c Cursor, list ID) iter.Seq[Cursor] { return s.At(c, list).Children() }
