package config

// AppendJSON appends the canonical RFC 7951 document of the tree: a module name at each module
// boundary, members in tree order, all leaves that the tree holds. indent chooses two spaces and
// line breaks over the compact form.
func (t *Tree) AppendJSON(dst []byte, indent bool) []byte { panic("todo") }

// AppendJSON appends the value at the cursor, as a gNMI Update at c.Path() carries it: the object
// of a container or entry, the value of a leaf, the array of a list or leaf-list. Members at the
// top are qualified with their module's name. SR Linux ignores an array at a list's path.
func (c Cursor) AppendJSON(dst []byte) []byte { panic("todo") }
