// Package plan says what would change: per device the steps from its running configuration to the
// intended one, grouped by cause, with the way back, and the waves in which devices may change.
//
// The rule that matters most: a plan is a value. It can be printed, saved, compared and applied,
// and what is applied is what was printed.
package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// Input is one device's share of a plan: what it has and what it should have.
type Input struct {
	Device   Device           // identity; Changes and the rest are filled in
	Scope    config.Scope     // what Loom owns on it
	Running  *config.Tree     // its configuration, inside and outside the scope
	Intended *config.Tree     // what the design wants, inside the scope
	Unknown  []config.Unknown // nodes that the profile does not have, as found
	Marked   bool             // the device says that this topology manages it
	Offline  bool             // Running is a rendered document, not a device
	Was      At               // positions of what asked for Running; nil where nobody knows
	Unsaved  bool             // its startup configuration does not follow the running one
	Later    *config.Tree     // what the design wants in the end, where Intended is a part of the way; nil: Intended
}

// Plan is everything that would change.
type Plan struct {
	Topology string     `json:"topology"`
	Against  string     `json:"against"`            // "live", a directory, or "git:REV"
	Limit    string     `json:"limit,omitempty"`    // the selector, where the plan is partial
	Devices  []Device   `json:"devices"`            // those that change, sorted by wave, then by name
	InSync   []string   `json:"in_sync"`            // those that do not
	Unsaved  []string   `json:"unsaved,omitempty"`  // those in sync whose startup configuration does not follow
	Removed  []string   `json:"removed,omitempty"`  // devices that the new intent no longer has; Loom leaves them as they are
	Skipped  []string   `json:"skipped,omitempty"`  // devices outside the limit
	LeftOut  []LeftOut  `json:"left_out,omitempty"` // devices that people work on
	Weaker   []string   `json:"weaker,omitempty"`   // in which ways carrying it out is less than all or nothing
	Waves    [][]string `json:"waves"`              // devices that may change together, in order
	Rollout  Rollout    `json:"rollout"`            // how the waves came about
	Risks    []Risk     `json:"risks"`              // what has to be approved by its class (see Risks)

	Forecast   []string    `json:"forecast,omitempty"`    // what is left while devices are drained
	Out        []Out       `json:"out,omitempty"`         // devices that somebody has drained
	MaxDevices int         `json:"max_devices,omitempty"` // of RiskOptions, where the plan was judged
	Unfinished *Unfinished `json:"unfinished,omitempty"`  // ended before anything is carried out: the plan is then another
	Later      []Later     `json:"later,omitempty"`       // what the topology asks for besides, and the plan does not do
	Steady     []Device    `json:"-"`                     // those in sync, with what they have
}

// LeftOut is a device that a plan leaves as it is, whatever is intended.
type LeftOut struct {
	Device string `json:"device"`
	Why    string `json:"why"`
}

// Unfinished is a transaction that is not over. Who changes the network ends it first, and plans then; so a plan beside it is
// for people to look at, and is not known by its hash.
type Unfinished struct {
	Transaction string `json:"transaction"`
	By          string `json:"by"`
	Phase       string `json:"phase"`
}

// String is a sentence.
func (u *Unfinished) String() string {
	return fmt.Sprintf("No hash: transaction %s of %s is not over (%s). Nobody applies this plan: what is carried out is planned when that is over; "+
		"wait for it, or end it with loom transactions resume or loom apply", u.Transaction, u.By, u.Phase)
}

// Later is what is left of a device for another plan.
type Later struct {
	Device  string `json:"device"`
	Changes int    `json:"changes"` // as many lines as its plan will have
}

// Device is what changes on one device.
type Device struct {
	Name     string   `json:"name"`
	Site     string   `json:"site"`
	Role     string   `json:"role"`
	OS       string   `json:"os"`
	Platform string   `json:"platform"`
	Release  string   `json:"release"`
	Groups   []string `json:"groups,omitempty"`   // redundancy groups: members of one change in different waves
	Together []string `json:"together,omitempty"` // far ends of its channels: they change in one wave where light is made anew
	New      bool     `json:"new"`                // nothing of it was there before
	Marked   bool     `json:"marked"`             // the device says that this topology manages it
	Base     string   `json:"base"`               // SHA-256 of what the owned configuration means before
	Target   string   `json:"target"`             // and after
	Sent     string   `json:"sent"`               // SHA-256 of Request, encoded with sorted map keys
	Changes  []Change `json:"changes"`
	Foreign  []Change `json:"foreign,omitempty"` // what a first contact would remove or overwrite
	Size     Size     `json:"size"`
	Drain    *Drain   `json:"drain,omitempty"` // its traffic is moved away for the change
	Dims     bool     `json:"dims,omitempty"`  // it only makes less light, and goes before what amplifies
	Steps    []Step   `json:"steps,omitempty"` // where it takes several: instead of Request; the last leads to After

	Request *gnmi.SetRequest `json:"-"` // what is sent
	Inverse *gnmi.SetRequest `json:"-"` // what undoes it
	Before  *config.Tree     `json:"-"` // the owned configuration before
	After   *config.Tree     `json:"-"` // and after
	unnamed []config.Path    // of what goes without the profile having a name for it
	scope   config.Scope     // what Loom owns
	beside  *[2]*config.Tree // before and after, both drained, where the change itself drains the device or ends a drain
}

// Size is how much is sent to a device.
type Size struct {
	Deletes  int `json:"deletes"`
	Replaces int `json:"replaces"`
	Updates  int `json:"updates"`
}

// Operations is the number of operations of the SetRequest.
func (s Size) Operations() int { return s.Deletes + s.Replaces + s.Updates }

// Op is what happens to one leaf.
type Op string

// The operations.
const (
	Create  Op = "create"
	Delete  Op = "delete"
	Modify  Op = "modify"
	Reorder Op = "reorder"
)

// Change is one leaf, or one entry or container without leaves, before and after.
type Change struct {
	Op    Op     `json:"op"`
	Path  string `json:"path"`
	Old   string `json:"old,omitempty"` // canonical text
	New   string `json:"new,omitempty"`
	Cause Cause  `json:"cause"`
}

// At turns an intent reference into a position, or "" where it has none.
type At func(ref string) string

// Cause is why a change is made, and of a deletion what asked for what was there. The zero Cause
// means that nothing in the intent asks for what is there.
type Cause struct {
	Ref  string `json:"ref,omitempty"`  // object of the intent
	Rule string `json:"rule,omitempty"` // the rule of the driver or compiler
	At   string `json:"at,omitempty"`   // file:line:column
}

// New plans the way of every device from running to intended, in waves by the default WaveOptions;
// at knows the positions of what asks for Intended. Risks are not looked for.
func New(topology, against string, inputs []Input, at At) *Plan {
	p := &Plan{Topology: topology, Against: against, Devices: []Device{}, InSync: []string{}, Risks: []Risk{}}
	for _, in := range inputs {
		d := in.plan(at)
		if in.Later != nil {
			if left := flatten(config.Diff(d.After, in.Later), at, in.Was); len(left) > 0 {
				p.Later = append(p.Later, Later{d.Name, len(left)})
			}
		}
		if d.Request == nil {
			p.InSync = append(p.InSync, d.Name)
			p.Steady = append(p.Steady, d)
			if in.Unsaved {
				p.Unsaved = append(p.Unsaved, d.Name)
			}
			continue
		}
		p.Devices = append(p.Devices, d)
	}
	p.Cut(WaveOptions{})
	return p
}

// Empty tells whether there is nothing to do: nothing would change, and everything is saved.
func (p *Plan) Empty() bool { return len(p.Devices) == 0 && len(p.Unsaved) == 0 }

// Device returns the planned device of that name, or nil if it does not change.
func (p *Plan) Device(name string) *Device {
	for i := range p.Devices {
		if p.Devices[i].Name == name {
			return &p.Devices[i]
		}
	}
	return nil
}

func (in Input) plan(at At) Device {
	d := in.Device
	d.Marked = in.Marked
	d.Before = in.Scope.Owned(in.Running, in.Intended)
	d.After = in.Intended
	d.Base, d.Target = Hash(d.Before), Hash(d.After)
	d.Changes = flatten(config.Diff(d.Before, d.After), at, in.Was)
	d.Changes = append(d.Changes, unknownInScope(in)...)
	if len(d.Changes) == 0 {
		return d
	}
	d.New, d.scope = d.Before.Leaves() == 0, in.Scope
	for _, u := range in.Strange() {
		d.unnamed = append(d.unnamed, u.Path)
	}
	covers := func(c config.Cursor) bool { return in.Scope.Covers(c, in.Intended) }
	d.Request = config.SetRequest(d.Before, d.After, covers)
	addUnknownDeletes(d.Request, in)
	d.Sent = sent(d.Request)
	d.Inverse = config.SetRequest(d.After, d.Before, covers)
	addUnknownRestores(d.Inverse, in)
	d.Size = Size{len(d.Request.Delete), len(d.Request.Replace), len(d.Request.Update)}
	if !in.Marked && !in.Offline {
		d.Foreign = foreign(d.Changes)
	}
	return d
}

// foreign is what a change would take away from somebody: everything that is there and goes or changes.
func foreign(changes []Change) []Change {
	var out []Change
	for _, c := range changes {
		if c.Op != Create {
			out = append(out, c)
		}
	}
	return out
}

// Hash is the SHA-256 of what a tree means, in hex: the name of a configuration across processes, the same for
// trees that are config.Equal.
func Hash(t *config.Tree) string {
	sum := sha256.Sum256(t.AppendMeaning(nil))
	return hex.EncodeToString(sum[:])
}

// flatten turns subtree changes into one change per leaf, so that each carries its own cause: in the old
// intent where it goes, else in the new one.
func flatten(changes []config.Change, at, was At) []Change {
	var out []Change
	for _, c := range changes {
		switch c.Op {
		case config.Create:
			out = appendLeaves(out, Create, c.To, at)
		case config.Delete:
			out = appendLeaves(out, Delete, c.From, was)
		case config.Modify:
			out = append(out, Change{Modify, c.At.String(), text(c.From), text(c.To), cause(c.To, at)})
		case config.Reorder:
			out = append(out, Change{Reorder, c.At.String(), text(c.From), text(c.To), cause(c.To, at)})
		}
	}
	return out
}

// appendLeaves adds the leaves at and under c; an entry whose keys are its only leaves stands for itself.
func appendLeaves(out []Change, op Op, c config.Cursor, at At) []Change {
	before := len(out)
	switch c.Node().Kind {
	case config.Leaf, config.LeafList:
		return append(out, leafChange(op, c, at))
	}
	for child := range c.Children() {
		if !isKey(c, child) {
			out = appendLeaves(out, op, child, at)
		}
	}
	if len(out) == before && c.Node().Kind != config.Container {
		out = append(out, leafChange(op, c, at))
	}
	return out
}

func leafChange(op Op, c config.Cursor, at At) Change {
	ch := Change{Op: op, Path: c.Path().String(), Cause: cause(c, at)}
	if op == Delete {
		ch.Old = text(c)
	} else {
		ch.New = text(c)
	}
	return ch
}

func isKey(entry, child config.Cursor) bool {
	return entry.Node().Kind == config.List && slices.Contains(entry.Node().Keys, child.ID())
}

func cause(c config.Cursor, at At) Cause {
	k := c.Cause()
	if k.Ref == "" {
		return Cause{}
	}
	if at == nil {
		return Cause{Ref: k.Ref, Rule: k.Rule}
	}
	return Cause{Ref: k.Ref, Rule: k.Rule, At: at(k.Ref)}
}
