package store

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrStopped: the store met an error of its disk, or its etcd member died, and accepts nothing any
	// more; what was acknowledged before is durable. A commit that ends with it may have been made.
	// The process has to open the directory anew, which it can do only after it has ended.
	ErrStopped = errors.New("the store has stopped")

	// ErrClosed: Close was called.
	ErrClosed = errors.New("the store is closed")

	// ErrConflict: a condition of a transaction did not hold, so nothing was written. errors.As finds
	// the *ConflictError that names it.
	ErrConflict = errors.New("conflict")

	// ErrLost: a lock that was held is not any more, so that nothing was done. errors.As finds the *LostError.
	ErrLost = errors.New("the lock is lost")

	// ErrUnknown: the answer to a commit was lost (deadline, connection, election). It may have been
	// made or may yet be made: read back what it wrote, do not repeat it blindly.
	ErrUnknown = errors.New("the outcome is not known")

	// ErrTooLarge: a transaction over etcd's limits. Nothing was written.
	ErrTooLarge = errors.New("too large for one transaction")

	// ErrCompacted: a watch asked for changes so old that they are forgotten. List, and watch from there.
	ErrCompacted = errors.New("the changes since then are forgotten")
)

// ConflictError names the first condition that did not hold.
type ConflictError struct {
	Key      string
	Want     int64 // revision the record should have had; 0: should not have existed; -1: should have existed
	Revision int64 // revision it has; 0: there is none
}

// Error says what the record was to be, and what it is.
func (e *ConflictError) Error() string {
	switch {
	case e.Want == 0:
		return fmt.Sprintf("store: %s: exists already, at revision %d", e.Key, e.Revision)
	case e.Want < 0:
		return fmt.Sprintf("store: %s: is gone", e.Key)
	case e.Revision == 0:
		return fmt.Sprintf("store: %s: is gone; it was at revision %d", e.Key, e.Want)
	}
	return fmt.Sprintf("store: %s: changed since: at revision %d, not %d", e.Key, e.Revision, e.Want)
}

// Is makes errors.Is(err, ErrConflict) hold.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// LostError: the lock was held, and is not any more. As the reason of a transaction it is an ErrConflict, too.
type LostError struct {
	Name  string
	By    string    // who has it now; empty if nobody, or if it is not known
	Since time.Time // by that holder's clock
	Why   string    // if known
}

// Error says which lock, why, and who has it now.
func (e *LostError) Error() string {
	why := e.Why
	if why == "" {
		why = "this process stood still, or was cut off from the store, for longer than it lasts"
	}
	if e.By == "" {
		return fmt.Sprintf("lock %s: lost: %s", e.Name, why)
	}
	return fmt.Sprintf("lock %s: lost: %s; now held by %s, since %s", e.Name, why, e.By, e.Since.Format(time.RFC3339))
}

// Is makes errors.Is hold for ErrLost and ErrConflict.
func (e *LostError) Is(target error) bool { return target == ErrLost || target == ErrConflict }

// HeldError: somebody else has the data directory, or the lock.
type HeldError struct {
	Name  string    // of the lock; empty for a data directory
	Dir   string    // the data directory; empty for a lock
	By    string    // who: Options.Owner or Holder.Who of the other; empty if it does not say
	Since time.Time // by the clock of the holder; zero if it does not say
}

// Error says who holds what, since when, and what to do.
func (e *HeldError) Error() string {
	by := e.By
	if by == "" {
		by = "another process that does not say who it is"
	}
	if !e.Since.IsZero() {
		by += ", since " + e.Since.Format(time.RFC3339)
	}
	if e.Name != "" {
		return fmt.Sprintf("lock %s: held by %s; wait for it to end", e.Name, by)
	}
	return fmt.Sprintf("%s: in use by %s; wait for it to end, or use another directory", e.Dir, by)
}

// CorruptError: what was read is not what was written. Nothing of it is used.
type CorruptError struct {
	Key      string // of the record; empty if a file is corrupt
	Revision int64  // of the record
	File     string // of the data directory; empty if a record is corrupt
	Offset   int64  // in the file, in bytes; -1 if unknown
	Why      string
}

// Error says the record or the place in the file, why, and what to do.
func (e *CorruptError) Error() string {
	const advice = "move the data directory away, keep it, and use loom store restore with a backup; without one begin anew: " +
		"transactions and drains are forgotten, and routers that are armed take their change back by themselves"
	if e.File == "" {
		return fmt.Sprintf("store: record %s at revision %d is corrupt: %s; %s", e.Key, e.Revision, e.Why, advice)
	}
	if e.Offset < 0 {
		return fmt.Sprintf("store: %s is corrupt: %s; %s", e.File, e.Why, advice)
	}
	return fmt.Sprintf("store: %s is corrupt at offset %d: %s; %s", e.File, e.Offset, e.Why, advice)
}

// NewerError: a record that a newer release wrote. It is intact.
type NewerError struct {
	Key      string
	Revision int64
	Format   int // of the record
}

// Error says the record, both formats, and what to do.
func (e *NewerError) Error() string {
	return fmt.Sprintf("store: record %s at revision %d has format %d; this program reads up to %d: use the newer release that wrote it", e.Key, e.Revision, e.Format, format)
}
