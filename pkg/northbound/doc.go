// Package northbound re-serves what devices say of themselves to any number of gNMI collectors.
//
// The rule that matters most: nobody waits for a collector. A feed has the last value of each leaf, and each collector a queue of
// leaves, not of values: who reads slowly gets the newest value, and is told how many it has missed (gNMI specification §2.1,
// duplicates). What is kept is bounded; whoever hits a bound is told which.
package northbound

import "errors"

// Errors that a caller can choose by.
var (
	// ErrInvalid means that a request makes no sense.
	ErrInvalid = errors.New("invalid")
	// ErrNoTarget means that there is no such device.
	ErrNoTarget = errors.New("no such target")
	// ErrLimit means that more is asked for than is given.
	ErrLimit = errors.New("limit reached")
	// ErrUnsupported means that this is not done here.
	ErrUnsupported = errors.New("not supported")
	// ErrUnavailable means that a device does not answer for now.
	ErrUnavailable = errors.New("not available")
)

// Limits, each of which is named by the error of who hits it.
const (
	// MostPaths are the paths of one subscription.
	MostPaths = 64
	// MostPending are the leaves that have changed and that one collector has not read yet.
	MostPending = 1 << 20
	// MostOfFeed are the bytes that are kept of one path of one device, about.
	MostOfFeed = 64 << 20
)
