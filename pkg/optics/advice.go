package optics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Choice is a mode tried on a line: with what margin its channels arrive in the worst state of the line, which mostly is full at the end of its life.
type Choice struct {
	Mode   *Mode
	Launch DBm
	Margin DB
	Limit  Fails // what decides the margin
	Fails  Fails
	// Relay is the margin with one more amplifier in the middle of the longest span, or with amplifiers at both ends of a line that
	// has none; NaN: there is none to add.
	Relay DB
	Added string // what gives Relay: "a mid-span amplifier adds"
	Why   string // why the mode cannot be tried at all; "" where it was
}

// Closes tells whether the mode keeps a margin.
func (c *Choice) Closes(margin DB) bool {
	return c.Why == "" && c.Fails&outOfReach == 0 && c.Margin >= margin
}

// found puts what a channel in the mode was found to keep in the place of what was tried on the line by itself. What an amplifier more gives
// stays what it was.
func (c Choice) found(a *Arrival) Choice {
	c.Relay += a.Margin - c.Margin
	c.Margin, c.Limit, c.Fails = a.Margin, a.Limit, a.Verdict.Fails
	return c
}

// Found are choices as they are known once a channel is planned: its mode with the margin that it has beside the others of its lines.
func Found(choices []Choice, a *Arrival) []Choice {
	out := slices.Clone(choices)
	for i := range out {
		if out[i].Mode == a.Mode {
			out[i] = out[i].found(a)
		}
	}
	return out
}

// Choose tries modes on a line, each with channels enough to fill it, and orders them: the fastest for its spectrum first. The first that closes is
// the one to take. The answer does not depend on the order of modes.
func (l *Line) Choose(modes []*Mode, age Ageing) ([]Choice, error) {
	out := make([]Choice, 0, len(modes))
	for _, m := range modes {
		c, err := l.try(m, age)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Choice) int {
		return cmp.Or(cmp.Compare(b.Mode.Rate, a.Mode.Rate), cmp.Compare(a.Mode.Spacing, b.Mode.Spacing), cmp.Compare(b.Margin, a.Margin), cmp.Compare(a.Mode.Name, b.Mode.Name))
	})
	return out, nil
}

func (l *Line) try(m *Mode, age Ageing) (Choice, error) {
	c := Choice{Mode: m, Relay: DB(math.NaN())}
	width, err := l.Grid.slotWidth(m)
	if err != nil {
		c.Why = err.Error()
		return c, nil
	}
	slots, err := l.Grid.Room(GHz(float64(width) * 12.5))
	if err != nil || len(slots) == 0 {
		c.Why = "no slot of its width lies in the band"
		return c, err
	}
	lit := []Carried{{Slot: slots[len(slots)/2], Mode: m, TxPower: m.TxDefault}}
	r, err := l.Plan(lit, age, DBm(math.NaN()))
	if err != nil {
		return c, err
	}
	w := r.Worst()
	c.Launch, c.Margin, c.Limit, c.Fails = r.Launch, w.Margin, w.Worst.Limit, w.Worst.Verdict.Fails
	more, what := l.Relayed(), "a mid-span amplifier adds"
	if !l.Amplified() {
		more, what = l.AmplifiedAtEnds(), "amplifiers at both ends add"
	}
	if more != nil {
		r, err := more.Plan(lit, age, DBm(math.NaN()))
		if err != nil {
			return c, err
		}
		c.Relay, c.Added = r.Worst().Margin, what
	}
	return c, nil
}

// Relayed is the line with one more amplifier, of the kind that it has, in the middle of its longest span; nil where it has none.
func (l *Line) Relayed() *Line {
	kind := l.kind()
	at, part, longest := -1, -1, Km(0)
	for i, s := range l.Sections {
		for k, e := range s.Passive {
			if f, ok := e.(Fiber); ok && f.Length > longest {
				at, part, longest = i, k, f.Length
			}
		}
	}
	if kind == nil || at < 0 {
		return nil
	}
	out, s := *l, l.Sections[at]
	near, far := s.Passive[part].(Fiber), s.Passive[part].(Fiber)
	near.Length, far.Length = near.Length/2, far.Length/2
	near.Lumped, far.Lumped = split(near.Lumped, near.Length)
	first := Section{Name: s.Name + " (first half)", Passive: append(slices.Clone(s.Passive[:part]), near), Amplifier: kind}
	second := Section{Name: s.Name + " (second half)", Passive: append([]Element{far}, s.Passive[part+1:]...), Amplifier: s.Amplifier}
	out.Sections = slices.Concat(l.Sections[:at], []Section{first, second}, l.Sections[at+1:])
	return &out
}

// AmplifiedAtEnds is a line without amplifiers with a booster and an amplifier before its receivers, of its spare kind; nil where it has none.
func (l *Line) AmplifiedAtEnds() *Line {
	if l.Spare == nil {
		return nil
	}
	out := *l
	out.Booster, out.Sections = l.Spare, slices.Clone(l.Sections)
	out.Sections[len(out.Sections)-1].Amplifier = l.Spare
	return &out
}

// kind is the amplifier that the line is built with: one in line, or else one at its ends.
func (l *Line) kind() *AmplifierKind {
	for _, s := range l.Sections {
		if s.Amplifier != nil {
			return s.Amplifier
		}
	}
	return l.Booster
}

func split(lumps []LumpedLoss, at Km) (near, far []LumpedLoss) {
	for _, l := range lumps {
		if l.At <= at {
			near = append(near, l)
		} else {
			far = append(far, LumpedLoss{l.At - at, l.Loss})
		}
	}
	return near, far
}

// Fastest is the first choice that keeps a margin; nil where none does.
func Fastest(choices []Choice, margin DB) *Choice {
	for i := range choices {
		if choices[i].Closes(margin) {
			return &choices[i]
		}
	}
	return nil
}

// Upgrade is what a line can do with other transceivers than those that it has, where that is faster or fits at all: the fastest mode of all
// that keeps the margin; "" where none does more than its own.
func Upgrade(own, all []Choice, margin DB) string {
	better, now := Fastest(all, margin), Fastest(own, margin)
	if better == nil || now != nil && better.Mode.Rate <= now.Mode.Rate {
		return ""
	}
	return better.fitting()
}

func (c *Choice) fitting() string {
	return fmt.Sprintf("%dG fits with %v%s (%s)", c.Mode.Rate, c.Margin, ofPower(c.Limit), c.Mode.Name)
}

// Advice says what a line can do beside what it does, in one sentence: the fastest mode that keeps the margin, what the next faster one
// misses, and what another amplifier would add. The choices are the modes of whose transceivers: "7250-IXR-X3b".
func Advice(whose string, choices []Choice, margin DB) string {
	fits := slices.IndexFunc(choices, func(c Choice) bool { return c.Closes(margin) })
	if len(choices) == 0 {
		return "no mode to choose from"
	}
	text := fmt.Sprintf("no mode of %s keeps a margin of %v", whose, margin)
	if fits >= 0 {
		text = choices[fits].fitting()
	}
	faster := choices
	if fits >= 0 {
		faster = choices[:fits]
	}
	// of the next faster rate, the mode that comes nearest
	var next *Choice
	for i := range faster {
		c := &faster[i]
		if c.Why == "" && (fits < 0 || c.Mode.Rate > choices[fits].Mode.Rate) &&
			(next == nil || c.Mode.Rate < next.Mode.Rate || c.Mode.Rate == next.Mode.Rate && c.Margin > next.Margin) {
			next = c
		}
	}
	if next == nil {
		if i := slices.IndexFunc(faster, func(c Choice) bool { return c.Why != "" }); i >= 0 && (fits < 0 || faster[i].Mode.Rate > choices[fits].Mode.Rate) {
			text += fmt.Sprintf("; %dG has no place: %s", faster[i].Mode.Rate, faster[i].Why)
		}
		return text
	}
	var misses []string
	if next.Margin < margin {
		misses = append(misses, fmt.Sprintf("misses by %v%s", margin-next.Margin, ofPower(next.Limit)))
	}
	if other := next.Fails & outOfReach; other != 0 {
		misses = append(misses, "has too much "+other.words())
	}
	text += fmt.Sprintf("; %dG %s", next.Mode.Rate, strings.Join(misses, " and "))
	switch {
	case next.Fails&outOfReach != 0:
	case next.Limit == TooMuchPower:
		text += "; transmit with less power, or attenuate"
	case next.Relay > next.Margin: // false where there is none
		text += fmt.Sprintf("; %s %v", next.Added, next.Relay-next.Margin)
	}
	return text
}
