package sim

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
)

// Kind is a way to fail. What is unexported makes it happen: each kind has what it needs of it.
type Kind struct {
	Name, Help string
	At         Place
	Needs      []string // parameters that must be given
	Takes      []string // parameters that may be
	Forms      []Form   // of which one is chosen; the first unless another is named
	Default    Fault    // of parameters that are not given

	// seat says which nodes path may name; nil where there is no such parameter.
	seat *seat
	// judge tells what else is wrong with a fault, whose zero fields have got their meaning.
	judge func(s *Sim, f *Fault) error
	// start does what happens once, when the fault is injected; it leaves to f.mend how to undo it.
	start func(f *injected) error
	// set answers a Set in place of next, which is what the device would do.
	set func(f *injected, ctx context.Context, req *gnmi.SetRequest, next setFunc) (*gnmi.SetResponse, error)
	// bend makes another configuration of the one that a Set asks for, inside its transaction. With an error, which is
	// the answer then, what it returns runs all the same, outside of any commit and unsaved.
	bend func(f *injected, req *gnmi.SetRequest, before, after configuration) (configuration, error)
	// open sees every Subscribe before its request is read.
	open func(f *injected, s *faultyStream)
	// send sends a message of a Subscribe by next, or does something else about it.
	send func(f *injected, s *faultyStream, m *gnmi.SubscribeResponse, next sendFunc) error
	// heeds tells whether a message is one that send is about, and is to be struck; nil: each is.
	heeds func(f *injected, m *gnmi.SubscribeResponse) bool
	// pump makes messages for every Subscribe, the first one at once, and Rate a second from then on.
	pump func(f *injected, n int) *gnmi.SubscribeResponse
}

// Form is one of several shapes that a kind of fault takes.
type Form struct{ Name, Help string }

// Place is what a kind of fault happens to.
type Place string

// The places.
const (
	AtDevice    Place = "device"    // "leaf1"
	AtPort      Place = "port"      // "leaf1:ethernet-1/1"
	AtCable     Place = "cable"     // "leaf1:ethernet-1/49 - spine1:ethernet-1/1", or one of the two ends
	AtFibre     Place = "fibre"     // a duct, a line, or a line in a duct: "river", "long:north2"
	AtAmplifier Place = "amplifier" // "long-hut1:long-there", or "long-hut1" for all that it has
)

// Kinds returns all kinds of faults, by what they are about.
func Kinds() []*Kind {
	return slices.Concat(plantKinds, lightKinds, powerKinds, tlsKinds, wireKinds, setKinds, configKinds, streamKinds, garbageKinds)
}

// kindOf returns a kind by its name, nil where there is none.
func kindOf(name string) *Kind {
	for _, k := range Kinds() {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// Parameters returns the names of what a fault of this kind may be given, in the order of Parameters.
func (k *Kind) Parameters() []string {
	may := slices.Concat(k.Needs, k.Takes)
	if len(k.Forms) > 0 {
		may = append(may, "form")
	}
	if k.aboutSets() || k.open != nil || k.send != nil || k.pump != nil {
		may = append(may, "times")
	}
	if k.Default.On != Now || k.aboutSets() { // else it is over at once
		may = append(may, "for")
	}
	var out []string
	for _, name := range parameterNames() {
		if slices.Contains(may, name) {
			out = append(out, name)
		}
	}
	return out
}

// aboutSets tells whether faults of the kind strike Sets.
func (k *Kind) aboutSets() bool { return k.set != nil || k.bend != nil }

// Parameter is a field of Fault in its text form: a flag, a member of a scenario.
type Parameter struct {
	Name, Help string
	read       func(*Fault, string) error
	write      func(*Fault) string // "" where the field is zero
}

// Parameters returns all parameters in the order in which they are listed.
func Parameters() []Parameter {
	return []Parameter{
		text("on", "which Sets: "+strings.Join(moments[:], ", "), func(f *Fault) *string { return &f.On }),
		text("form", "which of the forms of the kind", func(f *Fault) *string { return &f.Form }),
		number("count", "how many, or how large", func(f *Fault) *int { return &f.Count }),
		number("rate", "how many a second", func(f *Fault) *int { return &f.Rate }),
		duration("delay", "how long it takes, or how late it comes", func(f *Fault) *time.Duration { return &f.Delay }),
		{"code", "gRPC code of the answer, as in FAILED_PRECONDITION", readCode, func(f *Fault) string { return codeName(f.Code) }},
		text("message", "text of the answer", func(f *Fault) *string { return &f.Message }),
		text("path", "of a node, as in /interface[name=ethernet-1/1]/mtu", func(f *Fault) *string { return &f.Path }),
		text("value", "as JSON", func(f *Fault) *string { return &f.Value }),
		text("with", "the other cable", func(f *Fault) *string { return &f.With }),
		{"loss", "in dB", readLoss, func(f *Fault) string { return printed(f.Loss) }},
		{"shift", "in MHz", readShift, func(f *Fault) string { return printed(f.Shift) }},
		text("boot", "what it comes back with: "+strings.Join(boots(), ", "), func(f *Fault) *string { return &f.Boot }),
		text("platform", "of the box, as in 7220-IXR-D3L", func(f *Fault) *string { return &f.Platform }),
		text("release", "that it runs from then on, as in 25.3", func(f *Fault) *string { return &f.Release }),
		number("times", "how often it strikes; without it, until it is cleared", func(f *Fault) *int { return &f.Times }),
		duration("for", "how long it lasts; without it, until it is cleared", func(f *Fault) *time.Duration { return &f.For }),
		{"seed", "of its random choices", readSeed, func(f *Fault) string { return printed(f.Seed) }},
	}
}

// Explain says what a parameter means to a fault of this kind: what it is for, and what goes without it.
func (k *Kind) Explain(p Parameter) string {
	text, usual := p.Help, k.Defaults()[p.Name]
	if p.Name == "on" {
		text = "which Sets: " + strings.Join(k.moments(), ", ")
	}
	switch {
	case p.Name == "path" && k.seat != nil && k.seat.counted:
		return text + "; without it, of the first leaf that takes the value, in a list that takes made-up names"
	case slices.Contains(k.Needs, p.Name):
		return text + "; it is needed"
	case usual != "":
		return text + "; " + usual + " unless given"
	}
	return text
}

// Defaults returns what parameters are where they are not given, in their text form.
func (k *Kind) Defaults() map[string]string {
	out := map[string]string{}
	for name, text := range k.Default.Text() {
		if slices.Contains(k.Parameters(), name) {
			out[name] = text
		}
	}
	if len(k.Forms) > 0 {
		out["form"] = k.Forms[0].Name
	}
	return out
}

// ParseFault returns a fault from its text form. It checks the words, not whether there is such a target: Inject does.
func ParseFault(kind, target string, parameters map[string]string) (Fault, error) {
	f := Fault{Kind: kind, Target: target}
	var errs []error
	known := map[string]bool{}
	for _, p := range Parameters() {
		known[p.Name] = true
		if value, ok := parameters[p.Name]; ok {
			if err := p.read(&f, value); err != nil {
				errs = append(errs, fmt.Errorf("%s %q: %w", p.Name, value, err))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if !known[name] {
			errs = append(errs, fmt.Errorf("%s: no such parameter; there is %s", name, strings.Join(parameterNames(), ", ")))
		}
	}
	if _, err := checked(&f); err != nil {
		errs = append(errs, err)
	}
	return f, errors.Join(errs...)
}

// Text returns the parameters that are not zero in their text form.
func (f Fault) Text() map[string]string {
	out := map[string]string{}
	for _, p := range Parameters() {
		if text := p.write(&f); text != "" {
			out[p.Name] = text
		}
	}
	return out
}

// sorted yields the names of the parameters that are not zero, sorted.
func (f Fault) sorted() iter.Seq[string] { return slices.Values(slices.Sorted(maps.Keys(f.Text()))) }

// String writes a fault as the command line takes it.
func (f Fault) String() string {
	words := []string{f.Kind, quoted(f.Target)}
	text := f.Text()
	for _, name := range parameterNames() {
		if value, ok := text[name]; ok {
			words = append(words, "--"+name+"="+quoted(value))
		}
	}
	return strings.Join(words, " ")
}

func quoted(s string) string {
	if strings.ContainsAny(s, " \"'\\{}[]$*") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

func parameterNames() []string {
	var out []string
	for _, p := range Parameters() {
		out = append(out, p.Name)
	}
	return out
}

// hasTarget tells what is wrong with a target.
func (s *Sim) hasTarget(at Place, target string) error {
	if at == AtCable {
		s.world.mu.Lock()
		defer s.world.mu.Unlock()
		_, err := find(s.world.wiring, target)
		return err
	}
	switch at {
	case AtFibre:
		return s.hasFibre(target)
	case AtAmplifier:
		return s.hasAmplifier(target)
	}
	name, port, isPort := strings.Cut(target, ":")
	switch {
	case isPort != (at == AtPort) || isPort && port == "":
		return fmt.Errorf("%q is not a %s", target, at)
	case s.byName[name] == nil:
		return s.missing(name)
	}
	return nil
}

// deviceOf returns the device of a target that is a device or a port.
func deviceOf(target string) string {
	name, _, _ := strings.Cut(target, ":")
	return name
}

func kindNames() []string {
	var out []string
	for _, k := range Kinds() {
		out = append(out, k.Name)
	}
	return out
}

func formNames(k *Kind) []string {
	var out []string
	for _, f := range k.Forms {
		out = append(out, f.Name)
	}
	return out
}

// oneOf refuses a word that is none of those that are known. No word is right.
func oneOf(name, word string, known []string) error {
	if word == "" || slices.Contains(known, word) {
		return nil
	}
	return fmt.Errorf("%s %q: there is %s", name, word, strings.Join(known, ", "))
}
