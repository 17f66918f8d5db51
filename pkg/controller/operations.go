package controller

import (
	"context"
	"errors"
	"time"

	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/loomfabric/loom/pkg/transaction"
)

// Errors of operations.
var (
	// ErrNoPlan: there is no plan of the id.
	ErrNoPlan = errors.New("no such plan")
	// ErrNoDevice: a topology has no such device.
	ErrNoDevice = errors.New("no such device")
	// ErrNoTransaction: there is no transaction of the id.
	ErrNoTransaction = errors.New("no such transaction")
	// ErrStale: what a plan was made against, or for, is not as it was.
	ErrStale = errors.New("the plan is out of date; plan again")
	// ErrNotNow: something else has to come first.
	ErrNotNow = errors.New("not now")
	// ErrNotYou: somebody else has to do it.
	ErrNotYou = errors.New("not by you")
	// ErrInvalid: the request makes no sense.
	ErrInvalid = errors.New("invalid")
)

// PlanRequest asks for a plan.
type PlanRequest struct {
	Topology string
	Revision int64             // 0: the newest
	Files    []topology.Source // to plan for instead of a revision; none: the revision
	Limit    string
	Canary   string
	Waves    int // devices of a wave at most; 0: no limit
	Soak     time.Duration
	Drain    string // "auto", "never", "always"; empty: auto
	By       string

	Undoes    string    // transaction that is taken back, and nothing else is planned; empty: none
	Overwrite bool      // take back too what others changed since, where it had changed it
	Draining  *Draining // nothing else is planned; nil: all that is intended

	Ask Request `json:"-"`
}

// Planned is a plan that is kept.
type Planned struct {
	ID       string    `json:"id"`
	Topology string    `json:"topology"`
	Revision int64     `json:"revision"` // of a plan for files the one that they would replace; 0: none
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Hash     string    `json:"hash,omitempty"` // empty: nothing to do
	Text     string    `json:"text"`           // as `loom plan` prints it
	JSON     []byte    `json:"json"`           // as `loom plan --format json` prints it

	Approvals   []Approval `json:"approvals,omitempty"`
	Transaction string     `json:"transaction,omitempty"` // that carried it out

	Request PlanRequest `json:"request"`
	Plan    *plan.Plan  `json:"-"` // what JSON says, with what is sent where it was just made
}

// Approval is that somebody approves risks of a plan by their class. It is of the plan's hash, which a plan that comes to something
// else has not.
type Approval struct {
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Classes []string  `json:"classes"`
	Hash    string    `json:"hash"`
}

// Approved are the classes of risks that somebody has approved of a plan with this hash.
func (p *Planned) Approved() []string {
	var out []string
	for _, a := range p.Approvals {
		if a.Hash == p.Hash {
			out = append(out, a.Classes...)
		}
	}
	return out
}

// Brings is the revision that the plan brings devices to; 0 where it does something else.
func (p *Planned) Brings() int64 {
	if p.Request.Undoes != "" || p.Request.Draining != nil {
		return 0
	}
	return p.Revision
}

// ApplyRequest asks for a plan to be carried out.
type ApplyRequest struct {
	Plan     string // its id
	Hash     string // as it was looked at
	TakeOver bool
	Rollback time.Duration  // 0: 5 minutes
	Hold     time.Duration  // 0: not at all
	Gate     *time.Duration // nil: 1 minute; 0: there is none
	By       string
	Ask      Request
}

// RevertRequest asks for drifts of devices to be taken back.
type RevertRequest struct {
	Topology string
	Limit    string   // devices, as a selector; empty: all
	IDs      []string // of the drifts; none: all
	By       string
	Ask      Request
}

// Step is one thing that happens while a plan is carried out.
type Step struct {
	Transaction string
	At          time.Time
	Event       *transaction.Event // nil: it has begun
	HeldUntil   time.Time          // it waits for somebody to say that all is well; zero: it does not wait
}

// DeviceView is a device as people see it.
type DeviceView struct {
	Topology, Name, Site, Role, Platform, Release, Address string
	Labels                                                 []string
	Standing                                               Standing
	Received, Coalesced                                    int64
	Drained                                                bool
	Policy                                                 Policy
	Maintenance                                            *Maintenance // nil: nobody works on it
}

// Operations are what is done to devices. cmd/loom provides them.
type Operations interface {
	Queries

	CreatePlan(ctx context.Context, r PlanRequest) (*Planned, error)
	Plan(ctx context.Context, id string) (*Planned, error)
	Plans(ctx context.Context, topology string) ([]*Planned, error) // the newest first
	Approve(ctx context.Context, id, hash string, classes []string, by string) (*Planned, error)
	// Apply carries a plan out. The end of ctx does not end the transaction, once it has begun. Who asks again is told how the
	// transaction goes that there is.
	Apply(ctx context.Context, r ApplyRequest, tell func(Step)) (transaction.Result, error)

	Transactions
	Maintainer
	Sources

	// Devices are those of a topology, or of all where it is empty, by topology and name.
	Devices(ctx context.Context, topology, limit string) ([]DeviceView, error)
	// Revert takes drifts of devices back.
	Revert(ctx context.Context, r RevertRequest) (transaction.Result, error)
	// Answered is how the transaction ended, or ends, that a request came to; ok is false where nobody has made it. Errors: ErrReused.
	Answered(ctx context.Context, ask Request) (res transaction.Result, ok bool, err error)
	// Accept suggests how the files would have to change to say what devices have, and the same as a patch. It changes nothing.
	Accept(ctx context.Context, topology string, ids []string) (found Suggestion, patch string, err error)
	// SetPolicy decides what becomes of drift: of a topology, or of a device of it. Empty takes that back. It tells what holds now.
	SetPolicy(ctx context.Context, topology, device string, p Policy, by string) (Policy, error)
	// Configuration is what a revision intends of a device (0: the newest), or what it runs as far as Loom owns it: RFC 7951 JSON, and
	// its hash as plans have it.
	Configuration(ctx context.Context, topology, device string, revision int64, running bool) (json []byte, hash string, err error)

	// Events are those after a sequence number, the oldest first.
	Events(ctx context.Context, after int64) (events []Event, last int64, err error)
	// Follow calls on with each event after a sequence number until ctx ends or on fails. Errors: ErrForgotten.
	Follow(ctx context.Context, after int64, on func(Event) error) error

	// Findings are what is wrong now, as SortFindings sorts it, and a token of this moment.
	Findings(ctx context.Context) (all []Finding, token int64, err error)
	// FollowFindings calls on with each finding that comes, changes or goes behind a token, until ctx ends or on fails. Errors: ErrForgotten.
	FollowFindings(ctx context.Context, after int64, on func(f Finding, gone bool, token int64) error) error
}

// ErrForgotten: what happened so long ago is not kept any more.
var ErrForgotten = errors.New("what happened since is forgotten; list what there is, and go on from there")
