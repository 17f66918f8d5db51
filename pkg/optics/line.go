package optics

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// AmplifierKind is what an amplifier of one type can do.
type AmplifierKind struct {
	Name        string
	MinGain     DB
	MaxGain     DB
	NoiseFigure DB
	MaxOutput   DBm // of all channels together
}

// Line is a line as it is built, in one direction: what is passive, and what amplifies behind it. What is set by
// somebody, gains and powers, is not in it: Set finds that.
type Line struct {
	Name     string
	Grid     Grid
	Mux      DB             // loss between a transmitter and the line; 0: the transceiver is on the fibre
	Levels   bool           // a ROADM adds channels, and brings all to one power
	Level    DBm            // which; less where one of them is weaker
	Booster  *AmplifierKind // nil: none
	Sections []Section      // at least one
	Demux    DB             // loss between the line and a receiver
	Spare    *AmplifierKind // what it could be amplified with where nothing on it does; nil: nothing is at hand
	Ends     AddDrop        // what ROADMs at the ends add to the noise
	Reserve  DB             // taken from every margin of noise: what the model leaves out, and what ages with the system
}

// Section is a stretch without gain, and what makes up for it.
type Section struct {
	Name      string
	Passive   []Element      // fibres, losses, a ROADM on the way through
	Amplifier *AmplifierKind // at the end; nil: none
}

// Amplified tells whether anything on the line has a gain.
func (l *Line) Amplified() bool {
	return l.Booster != nil || slices.ContainsFunc(l.Sections, func(s Section) bool { return s.Amplifier != nil })
}

// Length is that of all fibres.
func (l *Line) Length() Km {
	var out Km
	l.fibers(func(f Fiber) { out += f.Length })
	return out
}

// Latency is how long light takes from one end to the other, in ms.
func (l *Line) Latency() float64 { return float64(l.Length()) * 1e6 * refractiveIndex / lightSpeed }

// Spans counts the fibres between amplifiers.
func (l *Line) Spans() int {
	n := 0
	for _, s := range l.Sections {
		if hasFiber(s.Passive) {
			n++
		}
	}
	return n
}

func (l *Line) fibers(see func(Fiber)) {
	for _, s := range l.Sections {
		for _, e := range s.Passive {
			if f, ok := e.(Fiber); ok {
				see(f)
			}
		}
	}
}

func hasFiber(es []Element) bool {
	return slices.ContainsFunc(es, func(e Element) bool { _, ok := e.(Fiber); return ok })
}

// Check tells what about the line cannot be.
func (l *Line) Check() error {
	errs := []error{l.Grid.Check(), notNegative("mux loss", float64(l.Mux), "dB"), notNegative("demux loss", float64(l.Demux), "dB")}
	if l.Spans() == 0 {
		errs = append(errs, errors.New("no fibre"))
	}
	for _, s := range l.Sections {
		for _, e := range s.Passive {
			if _, ok := e.(Amplifier); ok {
				errs = append(errs, fmt.Errorf("%s: an amplifier among what is passive", s.Name))
			} else if err := e.Check(); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", s.Name, err))
			}
		}
	}
	return errors.Join(errs...)
}

// Carried is a channel on a line: where in the spectrum, how, and with what power its transmitter launches it.
type Carried struct {
	Name    string
	Slot    Slot
	Mode    *Mode
	TxPower DBm
}

// Setting is what somebody sets on a line: the gain of each amplifier, and the power of a channel behind it.
type Setting struct {
	Booster  Amplifier   // zero where the line has none
	Sections []Amplifier // by section; zero where it has none
	Launch   DBm         // power of a channel into each fibre
	Added    DBm         // power of a channel behind what adds it; of all alike where that levels them
}

// Set finds the gains that launch every channel with the same power into each fibre, and bring it to the receiver with
// the power in the middle of what all receivers take. Where an amplifier cannot give that much, it gives what it can.
// lit is how many channels share what an amplifier gives.
func (l *Line) Set(launch DBm, channels []Carried, lit int) Setting {
	s := Setting{Sections: make([]Amplifier, len(l.Sections)), Launch: launch}
	s.Added = l.added(channels)
	at := s.Added
	if l.Booster != nil {
		s.Booster = l.Booster.reach(launch, at, lit)
		at += DBm(s.Booster.Gain)
	}
	for i, sec := range l.Sections {
		at = through(sec.Passive, at)
		if sec.Amplifier == nil {
			continue
		}
		want := launch
		if i == len(l.Sections)-1 {
			want = receivable(channels) + DBm(l.Demux)
		}
		s.Sections[i] = sec.Amplifier.reach(want, at, lit)
		at += DBm(s.Sections[i].Gain)
	}
	return s
}

// added is the power of a channel behind what adds it.
func (l *Line) added(channels []Carried) DBm {
	if !l.Levels {
		return meanTx(channels) - DBm(l.Mux)
	}
	level := l.Level
	for _, c := range channels {
		level = min(level, c.TxPower-DBm(l.Mux))
	}
	return level
}

// reach is the amplifier set to bring a channel from one power to another, while so many are lit.
func (k *AmplifierKind) reach(want, have DBm, lit int) Amplifier {
	most := k.MaxOutput - DBm(toDB(float64(max(lit, 1))))
	gain := DB(min(want, most) - have)
	gain = min(max(gain, k.MinGain), k.MaxGain)
	a := Amplifier{Gain: roundTo(gain, 0.01), NoiseFigure: k.NoiseFigure, MaxOutput: k.MaxOutput}
	// An amplifier that cannot amplify so little attenuates behind itself.
	if over := have + DBm(a.Gain) - want; over > 0.005 {
		a.VOA = roundTo(DB(over), 0.01)
	}
	return a
}

// roundTo is the nearest value that somebody can set.
func roundTo(x DB, step float64) DB { return DB(math.Round(float64(x)/step) * step) }

func meanTx(channels []Carried) DBm {
	sum := 0.0
	for _, c := range channels {
		sum += c.TxPower.watts()
	}
	return dbm(sum / float64(max(len(channels), 1)))
}

// receivable is the middle of the powers that every receiver takes.
func receivable(channels []Carried) DBm {
	low, high := DBm(math.Inf(-1)), DBm(math.Inf(1))
	for _, c := range channels {
		low, high = max(low, c.Mode.RxMin), min(high, c.Mode.RxMax)
	}
	return (low + high) / 2
}

// through is the power of a channel in the middle of the band behind what is passive.
func through(es []Element, at DBm) DBm {
	for _, e := range es {
		switch e := e.(type) {
		case Loss:
			at -= DBm(e.Loss)
		case Fiber:
			at -= DBm(e.TotalLoss(middle(e)))
		case Equalizer:
			at = min(e.Target, at-DBm(e.Loss))
		}
	}
	return at
}

// middle is a frequency at which the fibre's attenuation is known.
func middle(e Fiber) THz {
	if len(e.Loss) < 2 {
		return 193.1
	}
	return min(max(193.1, e.Loss[0].Frequency), e.Loss[len(e.Loss)-1].Frequency)
}

// Elements are the line as light sees it, from a transmitter to a receiver.
func (l *Line) Elements(s Setting) []Element {
	var out []Element
	if l.Mux > 0 {
		out = append(out, Loss{l.Mux})
	}
	if l.Levels {
		out = append(out, Equalizer{Target: s.Added})
	}
	out = append(out, l.between(s)...)
	if l.Demux > 0 {
		out = append(out, Loss{l.Demux})
	}
	return out
}

// between are the elements between what adds channels and what drops them.
func (l *Line) between(s Setting) []Element {
	var out []Element
	if l.Booster != nil {
		out = append(out, s.Booster)
	}
	for i, sec := range l.Sections {
		out = append(out, sec.Passive...)
		if sec.Amplifier != nil {
			out = append(out, s.Sections[i])
		}
	}
	return out
}

// Arrival is a channel at its receiver.
type Arrival struct {
	Carried
	Light   Light
	Verdict Verdict
	Margin  DB    // what it has to spare before it fails by Limit
	Limit   Fails // what it runs out of first: TooMuchNoise, TooLittlePower or TooMuchPower
}

// Arrivals carries the channels over the line. They come back in the order in which they were given.
func (l *Line) Arrivals(s Setting, channels []Carried) ([]Arrival, error) {
	p, err := NewPropagator(comb(channels))
	if err != nil {
		return nil, err
	}
	return l.arrivals(p, s, channels)
}

func (l *Line) arrivals(p *Propagator, s Setting, channels []Carried) ([]Arrival, error) {
	if err := p.Run(l.Elements(s), nil); err != nil {
		return nil, err
	}
	out := make([]Arrival, len(channels))
	for i, c := range channels {
		out[i] = l.arrival(c, p.At(i))
	}
	return out, nil
}

// arrival judges light at the end of the line. The margin is that of noise less the reserve, or of received power where that is less. Where an amplifier stands
// before the receiver, it is set to give the power that is wanted, whatever the fibres have lost: power counts there once it is
// outside of what the receiver takes.
func (l *Line) arrival(c Carried, light Light) Arrival {
	v := c.Mode.Judge(light, l.Ends)
	a := Arrival{Carried: c, Light: light, Verdict: v, Margin: v.Margin - l.Reserve, Limit: TooMuchNoise}
	if v.Power < a.Margin && (v.Power < 0 || !l.preamplified()) {
		a.Margin, a.Limit = v.Power, v.Nearer
	}
	return a
}

// AsSet is the margin while nobody touches the amplifiers: power that gets lost is then lost to the receiver, and counts everywhere.
func (a *Arrival) AsSet() DB { return min(a.Margin, a.Verdict.Power) }

// preamplified tells whether an amplifier stands before the receivers.
func (l *Line) preamplified() bool { return l.Sections[len(l.Sections)-1].Amplifier != nil }

func comb(channels []Carried) []Channel {
	out := make([]Channel, len(channels))
	for i, c := range channels {
		out[i] = Channel{Frequency: c.Slot.Frequency(), Baud: c.Mode.Baud, TxPower: c.TxPower}
	}
	return out
}

// worst is the arrival with the least margin, and its margin. A channel that fails by what no margin tells comes first.
func worst(arrivals []Arrival) (Arrival, DB) {
	w := arrivals[0]
	for _, a := range arrivals[1:] {
		if a.rank() < w.rank() {
			w = a
		}
	}
	return w, w.Margin
}

// rank orders arrivals: less is worse.
func (a Arrival) rank() float64 {
	if a.Verdict.Fails&outOfReach != 0 {
		return math.Min(float64(a.Margin), 0) - 100
	}
	return float64(a.Margin)
}
