package driver

import (
	"errors"

	"github.com/loomfabric/loom/pkg/config"
)

// Stage is a configuration on the way from one to another, where the change must not be made at once.
type Stage struct {
	Name string // what is done to reach it, in a word: "dark", "retune", "ramp"
	Tree *config.Tree
}

// ErrNothingToMove is why a device cannot be drained that chooses no way for traffic. Its changes are made without.
var ErrNothingToMove = errors.New("nothing here chooses another way for traffic")
