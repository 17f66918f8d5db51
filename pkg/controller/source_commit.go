package controller

import (
	"fmt"
	"time"

	"github.com/loomfabric/loom/pkg/topology"
)

// CommitState is how far a commit was followed.
type CommitState string

// The states. A commit goes through seen, put and planned or waiting to applying and applied; it stays where it is until something
// else is true.
const (
	CommitSeen       CommitState = "seen"       // it was found
	CommitInvalid    CommitState = "invalid"    // it is no topology, and is not put
	CommitUnchanged  CommitState = "unchanged"  // what it says is intended already, and devices have it
	CommitPut        CommitState = "put"        // it is a revision, and not planned yet
	CommitPlanned    CommitState = "planned"    // people apply it
	CommitWaiting    CommitState = "waiting"    // for somebody's approval, or for something to be over
	CommitApplying   CommitState = "applying"   // a transaction changes devices
	CommitApplied    CommitState = "applied"    // devices have it
	CommitFailed     CommitState = "failed"     // its transaction did
	CommitSuperseded CommitState = "superseded" // something newer came before it was applied
)

// Commit is what was found at a source, and what became of it.
type Commit struct {
	Source  string    `json:"source"`
	Number  int64     `json:"number"` // rises with every commit of the source, from 1
	ID      string    `json:"id"`     // in hex; of a directory the SHA-256 of its files
	Files   string    `json:"files"`  // see Tip
	Subject string    `json:"subject,omitempty"`
	Author  string    `json:"author,omitempty"`
	Written time.Time `json:"written,omitzero"`
	Seen    time.Time `json:"seen"`

	State    CommitState `json:"state"`
	Reason   string      `json:"reason,omitempty"`
	At       time.Time   `json:"at"` // since when it is in this state
	Mistakes []Mistake   `json:"mistakes,omitempty"`

	Topology    string   `json:"topology,omitempty"` // set before it is put
	Before      int64    `json:"before,omitempty"`   // newest revision then; 0: none
	Revision    int64    `json:"revision,omitempty"` // that says what it says; 0: none yet
	Same        bool     `json:"same,omitempty"`     // that revision was there already
	Plan        string   `json:"plan,omitempty"`
	Risks       []string `json:"risks,omitempty"` // classes that wait for somebody's approval
	Devices     int      `json:"devices,omitempty"`
	Transaction string   `json:"transaction,omitempty"`
	Tries       int      `json:"tries,omitempty"` // transactions that ended with the process that carried them out
}

// Mistake is one thing that is wrong with a commit.
type Mistake struct {
	topology.Diagnostic
	Resource string `json:"resource,omitempty"` // its Ref
}

// mostKept is how many mistakes of a commit are kept.
const mostKept = 20

// Short is the commit as people write it.
func (c *Commit) Short() string { return short(c.ID) }

func short(id string) string { return id[:min(len(id), 10)] }

// Open tells whether something is to become of the commit yet, and nothing is happening to it.
func (c *Commit) Open() bool {
	switch c.State {
	case CommitSeen, CommitPut, CommitPlanned, CommitWaiting:
		return true
	}
	return false
}

// Become is the commit in another state, or in the same for another reason.
func (c *Commit) Become(state CommitState, reason string, now time.Time) *Commit {
	out := *c
	if state != c.State {
		out.At = now
	}
	out.State, out.Reason = state, reason
	if state != CommitPlanned && state != CommitWaiting {
		out.Risks = nil
	}
	return &out
}

// Wrong is the commit with its mistakes.
func (c *Commit) Wrong(diags topology.Diagnostics, now time.Time) *Commit {
	out := c.Become(CommitInvalid, (&InvalidError{diags}).Error(), now)
	out.Mistakes = nil
	for _, d := range diags {
		if len(out.Mistakes) < mostKept {
			out.Mistakes = append(out.Mistakes, Mistake{d, d.Ref})
		}
	}
	return out
}

// Again is a commit that is looked at as if nothing had become of it but the revision that it is. One that is under way, or
// over, stays as it is; but what something else came before may take the place of that.
func (c *Commit) Again(overwrite bool, now time.Time) *Commit {
	switch {
	case c.State == CommitSuperseded && !overwrite, c.State == CommitApplied, c.State == CommitUnchanged, c.State == CommitApplying, c.State == CommitSeen:
		return c
	case c.Revision == 0 || c.State == CommitSuperseded:
		out := c.Become(CommitSeen, "", now)
		out.Revision, out.Plan, out.Transaction, out.Topology, out.Mistakes = 0, "", "", "", nil
		return out
	}
	out := c.Become(CommitPut, "", now)
	out.Tries = 0
	if c.State == CommitFailed {
		out.Transaction = ""
	}
	return out
}

// TroubleKind is why nothing new is taken from a source.
type TroubleKind string

// The kinds of trouble.
const (
	Away      TroubleKind = "unreachable" // it cannot be read
	Rewritten TroubleKind = "rewritten"   // what is there does not follow from what was there
)

// Trouble is why nothing new is taken from a source.
type Trouble struct {
	Kind   TroubleKind `json:"kind"`
	Reason string      `json:"reason"`
	Since  time.Time   `json:"since"`
}

// Tip is what is found at a source.
type Tip struct {
	ID       string // in hex
	Files    string // SHA-256 in hex of the files that are followed: their names and what is in them
	Subject  string
	Author   string
	Written  time.Time
	Descends bool  // from what was found before; what a directory holds always does
	Between  []Tip // what came since, the oldest first, and is not looked at any more
}

// Following is how far a source was followed. It is a fold over what is found there.
type Following struct {
	Place    string   `json:"place"`              // Source.Place
	Tip      string   `json:"tip,omitempty"`      // last that was found, and taken
	Topology string   `json:"topology,omitempty"` // that it puts
	Revision int64    `json:"revision,omitempty"` // of it, last put from here, or found to say the same
	Last     int64    `json:"last,omitempty"`     // number of the last commit
	Current  int64    `json:"current,omitempty"`  // number of the commit that is followed; 0: none
	Trouble  *Trouble `json:"trouble,omitempty"`

	fails int // looks in a row that found trouble
}

// Of is how far the source was followed: from the beginning, where it is another place by now.
func (f Following) Of(s *Source) Following {
	if f.Place == s.Place() {
		return f
	}
	return Following{Place: s.Place(), Last: f.Last, Current: f.Current}
}

// Fail tells that the source is not as it should be. It tells whether that is new.
func (f *Following) Fail(kind TroubleKind, reason string, now time.Time) bool {
	f.fails++
	if t := f.Trouble; t != nil && t.Kind == kind {
		fresh := t.Reason != reason
		f.Trouble = &Trouble{kind, reason, t.Since}
		return fresh
	}
	f.Trouble = &Trouble{kind, reason, now}
	return true
}

// Find tells what is at the source. It returns the commits that are new or in another state, the current one last; none where there
// is nothing new. current is the commit that is followed; nil: none.
func (f *Following) Find(s *Source, tip Tip, current *Commit, overwrite bool, now time.Time) []*Commit {
	if f.Tip != "" && tip.ID != f.Tip && !tip.Descends && !overwrite {
		f.Fail(Rewritten, fmt.Sprintf("%s of %s is commit %s, which does not follow from %s: its history was rewritten; if that is meant so: loom source sync %s --overwrite",
			s.Revision, s.Location, short(tip.ID), short(f.Tip), s.Name), now)
		return nil
	}
	f.Trouble, f.fails = nil, 0
	if tip.ID == f.Tip {
		return nil
	}
	f.Tip = tip.ID
	var out []*Commit
	add := func(t Tip, state CommitState, reason string) *Commit {
		f.Last++
		c := &Commit{Source: s.Name, Number: f.Last, ID: t.ID, Files: t.Files, Subject: t.Subject, Author: t.Author, Written: t.Written, Seen: now, State: state, Reason: reason, At: now}
		out = append(out, c)
		return c
	}
	for _, t := range tip.Between {
		add(t, CommitSuperseded, fmt.Sprintf("commit %s came together with it", short(tip.ID)))
	}
	if current != nil && current.Files == tip.Files && current.State != CommitSuperseded {
		add(tip, CommitUnchanged, fmt.Sprintf("its files are those of commit %s, which is %s", current.Short(), current.State))
		return append(out, current)
	}
	if current != nil && current.Open() {
		out = append(out, current.Become(CommitSuperseded, fmt.Sprintf("commit %s came before it was applied", short(tip.ID)), now))
	}
	f.Current = add(tip, CommitSeen, "").Number
	return out
}

// longestPause is how long a source is left alone that cannot be read, unless it is looked at more seldom anyway.
const longestPause = 5 * time.Minute

// Pause is how long to wait until it is looked at again: longer and longer while it cannot be read.
func (f *Following) Pause(s *Source) time.Duration {
	every := s.Every()
	most := max(every, longestPause)
	for range max(f.fails-1, 0) {
		if every = 2 * every; every >= most {
			return most
		}
	}
	return every
}
