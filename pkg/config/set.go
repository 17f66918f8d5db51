package config

import "github.com/openconfig/gnmi/proto/gnmi"

// SetRequest returns the cheapest request that turns from into to by gNMI semantics (§3.4.3:
// deletes, then replaces, then updates). A subtree is deleted or replaced as a whole only where
// owned says that everything in it is ours; nil means that all is. It never deletes or replaces
// the root, and never carries an array at a list's path. No change gives an empty request.
func SetRequest(from, to *Tree, owned func(Cursor) bool) *gnmi.SetRequest { panic("todo") }

// Apply returns the tree after a request, by gNMI §3.4. Mistakes in paths are *PathError, in values
// and in the result as a whole (mandatory leaves, references) *ValueError. Deleting what is
// absent is fine; deletes may use wildcards.
func Apply(t *Tree, req *gnmi.SetRequest) (*Tree, error) { panic("todo") }
