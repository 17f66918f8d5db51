package config

// ParseOptions say how Parse reads a document.
type ParseOptions struct {
	At     Path // the document is the value at this path; empty: the root
	Strict bool // nodes that the release does not have are errors
	State  bool // keep state (config false) instead of dropping it
}

// Unknown is a part of a document that the schema or release does not have: configuration that
// somebody else put there.
type Unknown struct {
	Path Path
	JSON []byte // as found
}

// Parse reads an RFC 7951 document. Names may be bare or qualified, identities too, numbers bare
// or quoted. Errors carry path and byte offset. Duplicate members, values and entries, missing
// keys, nesting deeper than 64 and invalid UTF-8 are errors; what the release does not have is
// returned, never lost. Types are checked; mandatory leaves and references are not, because a
// document may be a part. An array at a list's path is read as its entries.
func Parse(s *Schema, release string, data []byte, o ParseOptions) (*Tree, []Unknown, error) {
	panic("todo")
}
