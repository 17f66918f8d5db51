package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// DrainMode says which devices are drained for their change.
type DrainMode string

// The modes. Nothing else is one, but "" is DrainAuto.
const (
	DrainAuto   DrainMode = "auto"   // those whose change interrupts traffic
	DrainNever  DrainMode = "never"  // none
	DrainAlways DrainMode = "always" // all
)

// Drain is why a device gets its change while its traffic is elsewhere.
type Drain struct {
	Why []Interruption `json:"why,omitempty"` // absent: it was asked for
}

// Interruption is something that interrupts traffic.
type Interruption struct {
	Path   string `json:"path"`
	Change string `json:"change,omitempty"` // what the plan does there
	Why    string `json:"why"`
}

// Step is one request of several.
type Step struct {
	Name   string `json:"step"`   // "drain", "change", "undrain"; a stage of the driver's: "dark", "retune", "ramp"
	Target string `json:"target"` // SHA-256 of what Loom owns after it
	Sent   string `json:"sent"`   // SHA-256 of Request

	Request *gnmi.SetRequest `json:"-"`
	To      *config.Tree     `json:"-"`
}

// Out is a device that somebody has drained, whatever the plan does to it.
type Out struct {
	Device string    `json:"device"`
	By     string    `json:"by"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until,omitzero"` // absent: until it is undrained
	Why    string    `json:"why,omitempty"`
	Over   bool      `json:"over,omitempty"` // Until has passed: the plan has it carry traffic again
}

// Drainer is what a driver says about the way of one device from one configuration to another.
type Drainer struct {
	Drain      func(*config.Tree) (*config.Tree, error)
	Disruptive []driver.Disruption
	Stages     func(from, to *config.Tree) ([]driver.Stage, error) // nil: none
	Dims       func(from, to *config.Tree) bool                    // nil: never
}

// Drain decides the steps of every device, before the plan is cut into waves: whether it is drained for its change, and
// the stages that its driver wants on the way. A device that carries nothing yet is not drained, nor one that is
// drained already, nor one whose change is a drain or the end of one. An error is that of a device that cannot be
// drained, or that has no way.
func (p *Plan) Drain(mode DrainMode, drainer func(device string) Drainer) error {
	s := newSearch(p, nil, RiskOptions{})
	for i := range p.Devices {
		d := &p.Devices[i]
		with := drainer(d.Name)
		from, to, err := s.drained(d, mode, with)
		if err != nil {
			return err
		}
		if err := d.way(from, to, with); err != nil {
			return err
		}
		d.Dims = with.Dims != nil && with.Dims(d.Before, d.After)
	}
	return nil
}

// drained is between which configurations a device makes its change: both drained, where it is drained for it.
func (s *search) drained(d *Device, mode DrainMode, with Drainer) (from, to *config.Tree, err error) {
	if d.New {
		return d.Before, d.After, nil
	}
	before, err := with.Drain(d.Before)
	var after *config.Tree
	if err == nil {
		after, err = with.Drain(d.After)
	}
	why := (&judge{search: s, d: d}).interruptions(with.Disruptive)
	wanted := mode == DrainAlways || mode != DrainNever && len(why) > 0
	switch {
	case errors.Is(err, driver.ErrNothingToMove), err != nil && !wanted:
		return d.Before, d.After, nil
	case err != nil:
		return nil, nil, fmt.Errorf("%w\nor change it without: --drain %s", err, DrainNever)
	}
	if (before == d.Before) != (after == d.After) {
		d.beside = &[2]*config.Tree{before, after}
	}
	if !wanted || before == d.Before || config.Equal(before, after) {
		return d.Before, d.After, nil
	}
	d.Drain = &Drain{Why: why}
	return before, after, nil
}

// way makes the steps of a device, where there are more than one: without those that change nothing.
func (d *Device) way(from, to *config.Tree, with Drainer) error {
	var stages []driver.Stage
	if with.Stages != nil {
		var err error
		if stages, err = with.Stages(from, to); err != nil {
			return err
		}
	}
	if d.Drain == nil && len(stages) == 0 {
		return nil
	}
	at := d.Before
	step := func(name string, to *config.Tree) {
		if config.Equal(at, to) {
			return
		}
		req := config.SetRequest(at, to, func(c config.Cursor) bool { return d.scope.Covers(c, to) })
		if name == "change" {
			for _, path := range d.unnamed {
				req.Delete = append(req.Delete, path.GNMI())
			}
		}
		d.Steps = append(d.Steps, Step{Name: name, Target: Hash(to), Sent: sent(req), Request: req, To: to})
		at = to
	}
	step("drain", from)
	for _, s := range stages {
		if !config.Equal(s.Tree, to) { // else there would be no change
			step(s.Name, s.Tree)
		}
	}
	step("change", to)
	step("undrain", d.After)
	return nil
}

// interruptions are what a device's change interrupts.
func (j *judge) interruptions(kinds []driver.Disruption) []Interruption {
	var out []Interruption
	for _, x := range kinds {
		path := j.path(x.Path)
		was := nodes(j.d.Before, path)
		for _, c := range append(was, missing(nodes(j.d.After, path), j.d.Before)...) {
			if j.interrupts(x, c) {
				r := j.risk(c, x.Why)
				out = append(out, Interruption{r.Path, r.Change, r.Why})
			}
		}
	}
	return out
}

// interrupts tells whether what becomes of a node interrupts traffic. The node is one of either tree.
func (j *judge) interrupts(x driver.Disruption, c config.Cursor) bool {
	was, is := twin(c, j.d.Before), twin(c, j.d.After)
	switch {
	case c.IsEntry():
		return !is.Valid() && j.needs(was, x.Needs)
	case !held(c, j.d.Before) || !held(c, j.d.After) || meaning(was) == meaning(is):
		return false
	case !was.Valid():
		return j.needs(holder(c), x.Needs)
	}
	return (x.Idle == "" || was.Value() != x.Idle) && j.needs(was, x.Needs)
}

// meaning is the same for a node without any and for none.
func meaning(c config.Cursor) uint64 {
	if !c.Valid() || c.IsDefault() {
		return 0
	}
	return c.Hash()
}

// needs tells whether the configuration before has what a disruption needs.
func (j *judge) needs(c config.Cursor, paths []string) bool {
	for _, path := range paths {
		if len(nodes(j.d.Before, filled(j.path(path), c))) == 0 {
			return false
		}
	}
	return true
}

// maxWhy is how many reasons of a drain a summary lists.
const maxWhy = 3

// note is what there is to say about a device beside its changes, and why.
type note struct {
	text    string
	reasons []string
}

// notes are those of a device, for people: that it is met for the first time, drained, or changed in steps.
func (d *Device) notes() []note {
	var out []note
	if len(d.Foreign) > 0 {
		out = append(out, note{text: fmt.Sprintf("first contact: %s already there would go or change", count(len(d.Foreign), "leaf"))})
	}
	if d.Drain != nil {
		out = append(out, d.Drain.note())
	}
	if names := d.stages(); len(names) > 0 {
		out = append(out, note{text: "in steps: " + strings.Join(names, ", ")})
	}
	return out
}

// stages are the steps in which a device gets its change, where its driver wants other ones than those of a drain.
func (d *Device) stages() []string {
	var names []string
	staged := false
	for _, step := range d.Steps {
		names = append(names, step.Name)
		staged = staged || !slices.Contains([]string{"drain", "change", "undrain"}, step.Name)
	}
	if !staged {
		return nil
	}
	return names
}

// note says that the device is drained, and why.
func (d *Drain) note() note {
	if len(d.Why) == 0 {
		return note{text: "drained for the change, as asked for"}
	}
	out := note{text: "drained for the change:"}
	for i, w := range d.Why {
		if i == maxWhy {
			out.reasons = append(out.reasons, fmt.Sprintf("%d more", len(d.Why)-i))
			break
		}
		out.reasons = append(out.reasons, Risk{Path: w.Path, Change: w.Change}.text()+": "+w.Why)
	}
	return out
}

// out names the devices that somebody has drained, and says what is left.
func (p *Plan) out(b *strings.Builder) {
	for i, o := range p.Out {
		if i == 0 {
			b.WriteString("\n")
		}
		b.WriteString(o.String() + "\n")
	}
	for i, line := range p.Forecast {
		if i == 0 {
			b.WriteString("\nWhile they are drained\n")
		}
		b.WriteString("  " + line + "\n")
	}
}

// String is a sentence.
func (o Out) String() string {
	if o.Over {
		return fmt.Sprintf("%s was drained by %s until %s; that is over, and it carries traffic again", o.Device, o.By, o.Until.UTC().Format(time.DateTime))
	}
	text := fmt.Sprintf("%s is drained by %s since %s", o.Device, o.By, o.Since.UTC().Format(time.DateTime))
	if o.Until.IsZero() {
		text += ", until it is undrained"
	} else {
		text += ", until " + o.Until.UTC().Format(time.DateTime)
	}
	if o.Why != "" {
		text += ": " + o.Why
	}
	return text
}
