package network

import (
	"sync"
	"weak"
)

// recall is a value that follows from what is there, and takes more memory than it is worth while nobody needs it: it is kept
// as long as somebody does, and made again when somebody else does. The zero recall has none.
type recall[T any] struct {
	mu sync.Mutex
	at weak.Pointer[T]
}

// get returns the value, by make where it is not there. All that make is needed for at a time is one.
func (r *recall[T]) get(make func() *T) *T {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v := r.at.Value(); v != nil {
		return v
	}
	v := make()
	r.at = weak.Make(v)
	return v
}
