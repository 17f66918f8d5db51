package controller

import (
	"context"
	"time"

	"github.com/loomfabric/loom/pkg/transaction"
)

// TransactionView is a transaction as people see it, by its journal.
type TransactionView struct {
	ID, Topology, By string
	Plan             string // hash of the plan that it carries out
	Revision         int64  // that it brings devices to; 0: none
	Undoes           string // transaction that it takes back; empty: none
	Began, Ended     time.Time
	Phase            transaction.Phase
	HeldUntil        time.Time // it waits for somebody to say that all is well; zero: it does not wait
	Outcome          transaction.Outcome
	Why              string
	Devices          map[string]transaction.Status
	Errors           map[string]string
	Timeline         []Moment // in order; of one transaction only
}

// Moment is one thing that has happened to a transaction, or to a device of it.
type Moment struct {
	At      time.Time
	Device  string             // empty: it is the transaction's
	Status  transaction.Status // where the device stands then
	Message string             // of the transaction, in words
}

// Transactions are what people look at and take part in.
type Transactions interface {
	// Transactions are those of a topology, or all where it is empty, the newest first.
	Transactions(ctx context.Context, topology string) ([]TransactionView, error)
	// Transaction is one, with its timeline. Errors: ErrNoTransaction.
	Transaction(ctx context.Context, id string) (*TransactionView, error)
	// WatchTransaction calls on with each moment from the beginning to the end, and returns how it ended. While it is carried out it
	// calls see with how it stands, now and then. Errors: ErrNoTransaction.
	WatchTransaction(ctx context.Context, id string, on func(Moment) error, see func(Progress) error) (*TransactionView, error)
	// Decide says of one that is not decided that all is well, or has it taken back. It returns once that was heard. Errors:
	// ErrNoTransaction; ErrNotNow, as it is decided or over.
	Decide(ctx context.Context, id string, keep bool, by string) (*TransactionView, error)
	// Resume ends the transaction of a topology that was left open, and returns it; nil: none was. Errors: ErrNoTopology; ErrNotNow, as
	// another changes its devices, or it cannot be ended.
	Resume(ctx context.Context, topology string) (*TransactionView, error)
	// Prune forgets transactions that have ended.
	Prune(ctx context.Context, r PruneRequest) (Pruned, error)
}

// Progress is how a transaction stands at a moment.
type Progress struct {
	transaction.View
	Gate string // what its gate waits for, in words
}

// PruneRequest says which transactions are not to be kept.
type PruneRequest struct {
	Topology string        // empty: of all
	Keep     int           // the newest of each topology; 0: as many as there are
	Older    time.Duration // what ended longer ago goes; 0: nothing for its age
	DryRun   bool          // only tell
}

// Pruned is what has gone.
type Pruned struct {
	Transactions   []string
	Configurations int
	Kept           int
}

// Draining is that devices are drained, or that they carry traffic again.
type Draining struct {
	Devices string    `json:"devices"` // selector
	Undrain bool      `json:"undrain,omitempty"`
	Why     string    `json:"why,omitempty"`
	Until   time.Time `json:"until,omitzero"` // zero: until somebody undrains them
}

// Kind is an error that is of a kind, and reads as it did.
func Kind(kind, err error) error { return &kindError{kind, err} }

type kindError struct{ kind, err error }

func (e *kindError) Error() string   { return e.err.Error() }
func (e *kindError) Unwrap() []error { return []error{e.kind, e.err} }
