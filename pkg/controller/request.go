package controller

import (
	"errors"
	"fmt"
	"time"
)

// Request is something that its caller may ask for again, as when no answer has come: the same key does it once, and is answered alike.
type Request struct {
	Key    string    `json:"key"`         // of the caller's choice; empty: none
	Digest string    `json:"digest"`      // SHA-256 in hex of what was asked for
	At     time.Time `json:"at,omitzero"` // when it was done

	// What it came to.
	Number      int64  `json:"number,omitempty"`      // revision
	Plan        string `json:"plan,omitempty"`        // id
	Transaction string `json:"transaction,omitempty"` // id; empty: there was nothing to be changed
}

// RequestsLast is how long it is remembered what a request came to.
const RequestsLast = 24 * time.Hour

// ErrReused: the key of a request was used for another one.
var ErrReused = errors.New("the key of the request was used for another one")

// Over tells whether what a request came to is not remembered any more.
func (r Request) Over(now time.Time) bool { return now.Sub(r.At) >= RequestsLast }

// Answers tells whether a request that was kept is the one that somebody asks for now. Errors: ErrReused.
func (r Request) Answers(asked Request, now time.Time) (bool, error) {
	switch {
	case asked.Key == "" || r.Key != asked.Key || r.Over(now):
		return false, nil
	case r.Digest != asked.Digest:
		return false, fmt.Errorf("%s: %w; use another key", asked.Key, ErrReused)
	}
	return true, nil
}
