package config

import (
	"errors"
	"fmt"
	"strings"
)

// PathError says that a path or a document names something that the schema, in the tree's release,
// does not have or does not let be written.
type PathError struct {
	Path    Path     // of the node that has no such element
	Element string   // what was asked for
	Options []string // what the node has, in schema order
	Why     string   // "unknown element" where empty
}

// Error prints the place, the element and what would have been possible.
func (e *PathError) Error() string {
	why := e.Why
	if why == "" {
		why = "unknown element"
	}
	msg := fmt.Sprintf("%s: %s %q", e.Path, why, e.Element)
	if len(e.Options) > 0 {
		msg += ": options are [" + strings.Join(e.Options, ", ") + "]"
	}
	return msg
}

// ValueError says that a value does not fit its leaf, or that the configuration as a whole would
// not be valid because of it.
type ValueError struct {
	Path  Path
	Value string // as given; "" where the mistake is that there is none
	Err   error  // the cause, in an engineer's words
}

// valueError is a ValueError, without the value where that is a secret.
func valueError(n *Node, p Path, value string, err error) *ValueError {
	if n.Secret {
		return &ValueError{Path: p, Value: hidden, Err: errSecret}
	}
	return &ValueError{Path: p, Value: value, Err: err}
}

var errSecret = errors.New("the value, a secret that is not shown, does not fit the leaf or another value that it is given")

// Error prints the path and the cause, which names the value.
func (e *ValueError) Error() string { return e.Path.String() + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *ValueError) Unwrap() error { return e.Err }

// CausedError is a mistake with what caused the node that has it.
type CausedError struct {
	Cause Cause
	Err   error
}

// Error prints the mistake; who knows positions prints where the cause is.
func (e *CausedError) Error() string { return e.Err.Error() }

// Unwrap returns the mistake.
func (e *CausedError) Unwrap() error { return e.Err }

// causeNear is the cause of the node at a path, or of what holds it where there is none.
func (t *Tree) causeNear(p Path) Cause {
	for ; len(p) > 0; p = p[:len(p)-1] {
		if c := t.Find(p); c.Valid() {
			return c.Cause()
		}
	}
	return Cause{}
}
