package controller

import (
	"errors"
	"fmt"
)

// ErrMoving: which replica looks after a topology is changing, or the store does not answer. Nothing was done; the same request may
// be made again in a moment.
var ErrMoving = errors.New("call again in a moment")

// ElsewhereError: another replica looks after a topology. Nothing was done: the request is to be made there.
type ElsewhereError struct{ Topology, Replica string }

// Error says who it is.
func (e *ElsewhereError) Error() string {
	return fmt.Sprintf("%s: replica %s looks after it", e.Topology, e.Replica)
}
