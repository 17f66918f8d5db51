package optics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Channel is a carrier as its transmitter launches it.
type Channel struct {
	Frequency THz
	Baud      GHz // symbol rate
	TxPower   DBm
}

// Light is a channel at one place of a line.
type Light struct {
	Power      DBm     // of signal and noise together
	Signal     float64 // shares of the power; together 1
	Amplified  float64 // spontaneous emission of amplifiers
	Nonlinear  float64 // interference of channels with each other and themselves
	Dispersion float64 // accumulated, ps/nm
	PMD        float64 // ps
	Latency    float64 // one way, ms
}

// OSNR is the ratio of signal to amplified emission, in 0.1 nm. It is infinite where nothing amplifies.
func (l Light) OSNR(baud GHz) DB {
	return DB(toDB(l.Signal / l.Amplified * float64(baud) * 1e9 / referenceWidth))
}

// SNR is the ratio of signal to nonlinear interference, in the width of the signal.
func (l Light) SNR() DB { return DB(toDB(l.Signal / l.Nonlinear)) }

// GSNR is the ratio of signal to all noise, in 0.1 nm.
func (l Light) GSNR(baud GHz) DB {
	return DB(toDB(l.Signal / (l.Amplified + l.Nonlinear) * float64(baud) * 1e9 / referenceWidth))
}

// Stage is all channels together behind one element.
type Stage struct {
	Total DBm // power of all channels
	First DBm // of the channel with the lowest frequency
	Last  DBm // of that with the highest
	Gain  DB  // that an amplifier gives, after its limit; 0 elsewhere
	Input DBm // of all channels, before the element
	Light []Light
}

// Propagator carries one set of channels along lines. It keeps what depends on the channels and the kind of a fibre
// alone, so that the next line costs little. It is not safe for several goroutines.
type Propagator struct {
	channels []Channel // by frequency, so that nothing depends on the order in which they were named
	rank     []int     // place in channels, by the place in what the propagator was made of
	freq     []float64 // Hz
	baud     []float64 // Hz

	power, signal, ase, nli []float64 // W, and shares of it
	cd, pmd2, seconds       []float64 // ps/nm, ps², s

	kernels []*kernel
	buffer  []float64
	density []float64 // P²/B² of each channel, times what the fibre makes of it
	gain    float64   // dB, of the last amplifier
}

// NewPropagator prepares for these channels. It refuses a channel without frequency or width, and two that
// overlap or are the same.
func NewPropagator(channels []Channel) (*Propagator, error) {
	n := len(channels)
	order := byFrequency(channels)
	sorted, rank := make([]Channel, n), make([]int, n)
	for k, i := range order {
		sorted[k], rank[i] = channels[i], k
	}
	channels = sorted
	if err := checkChannels(channels); err != nil {
		return nil, err
	}
	all := make([]float64, 11*n)
	next := func() []float64 { s := all[:n:n]; all = all[n:]; return s }
	p := &Propagator{channels: channels, rank: rank, freq: next(), baud: next(), power: next(), signal: next(), ase: next(), nli: next(),
		cd: next(), pmd2: next(), seconds: next(), buffer: next(), density: next()}
	for i, c := range channels {
		p.freq[i], p.baud[i] = float64(c.Frequency)*1e12, float64(c.Baud)*1e9
	}
	return p, nil
}

// byFrequency is the order of channels in the spectrum.
func byFrequency(channels []Channel) []int {
	order := make([]int, len(channels))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(channels[a].Frequency, channels[b].Frequency) })
	return order
}

// checkChannels looks at channels in the order of their frequencies.
func checkChannels(channels []Channel) error {
	if len(channels) == 0 {
		return fmt.Errorf("no channel is lit")
	}
	for _, c := range channels {
		switch {
		case !(c.Frequency > 0) || math.IsInf(float64(c.Frequency), 0):
			return fmt.Errorf("channel at %v: no frequency of light", c.Frequency)
		case !(c.Baud > 0) || math.IsInf(float64(c.Baud), 0):
			return fmt.Errorf("channel at %v: symbol rate %v GBd has to be above 0", c.Frequency, float64(c.Baud))
		}
		if err := finite("power", float64(c.TxPower)); err != nil {
			return fmt.Errorf("channel at %v: %w", c.Frequency, err)
		}
	}
	for i := 1; i < len(channels); i++ {
		a, b := channels[i-1], channels[i]
		if gap := float64(b.Frequency-a.Frequency) * 1e3; gap < float64(a.Baud+b.Baud)/2-1e-6 {
			return fmt.Errorf("channels at %v and %v overlap: %s between them, and they are %v and %v wide",
				a.Frequency, b.Frequency, GHz(gap), a.Baud, b.Baud)
		}
	}
	return nil
}

// Run carries the channels along a line. Each stage is handed to see, where that is not nil; its slice of Light is valid
// until the next stage.
func (p *Propagator) Run(line []Element, see func(i int, s Stage)) error {
	for i, e := range line {
		if err := p.ready(e); err != nil {
			return fmt.Errorf("element %d: %w", i+1, err)
		}
	}
	p.launch()
	for i, e := range line {
		in := 0.0
		if see != nil {
			in = sum(p.power)
		}
		p.gain = 0
		e.pass(p)
		if see != nil {
			see(i, p.stage(in))
		}
	}
	return nil
}

// ready refuses an element that cannot be, or that does not fit to the channels.
func (p *Propagator) ready(e Element) error {
	if err := e.Check(); err != nil {
		return err
	}
	f, ok := e.(Fiber)
	if !ok || len(f.Loss) == 1 {
		return nil
	}
	for _, c := range p.channels {
		if math.IsNaN(f.attenuation(c.Frequency)) {
			return fmt.Errorf("no attenuation is known at %v; the fibre's is given from %v to %v",
				c.Frequency, f.Loss[0].Frequency, f.Loss[len(f.Loss)-1].Frequency)
		}
	}
	return nil
}

func (p *Propagator) launch() {
	for i, c := range p.channels {
		p.power[i], p.signal[i] = c.TxPower.watts(), 1
	}
	clear(p.ase)
	clear(p.nli)
	clear(p.cd)
	clear(p.pmd2)
	clear(p.seconds)
}

// At is one channel, by its place in what the propagator was made of, as it left the line.
func (p *Propagator) At(i int) Light { return p.light(p.rank[i]) }

func (p *Propagator) light(i int) Light {
	return Light{Power: dbm(p.power[i]), Signal: p.signal[i], Amplified: p.ase[i], Nonlinear: p.nli[i],
		Dispersion: p.cd[i], PMD: math.Sqrt(p.pmd2[i]), Latency: p.seconds[i] * 1e3}
}

func (p *Propagator) stage(in float64) Stage {
	s := Stage{Total: dbm(sum(p.power)), Input: dbm(in), Gain: DB(p.gain), Light: make([]Light, len(p.power))}
	for i := range s.Light {
		s.Light[i] = p.At(i)
	}
	s.First, s.Last = dbm(p.power[0]), dbm(p.power[len(p.power)-1])
	return s
}

func (e Loss) pass(p *Propagator) {
	share := (-e.Loss).linear()
	for i := range p.power {
		p.power[i] *= share
	}
}

// pass adds the emission at the input, in the width of each channel, and amplifies both. The whole comb gets the
// same gain: what is left of it where the output would be too much.
func (e Amplifier) pass(p *Propagator) {
	gain := min(float64(e.Gain), float64(e.MaxOutput)-float64(dbm(sum(p.power))))
	p.gain = gain
	factor, noise := fromDB(gain-float64(e.VOA)), e.NoiseFigure.linear()*planck
	for i, before := range p.power {
		ase := noise * p.freq[i] * p.baud[i]
		after := before + ase
		kept := before / after
		p.signal[i] *= kept
		p.nli[i] *= kept
		p.ase[i] = (p.ase[i]*before + ase) / after
		p.power[i] = after * factor
	}
}

func (e Equalizer) pass(p *Propagator) {
	target, most := e.Target.watts(), (-e.Loss).linear()
	for i, before := range p.power {
		p.power[i] = min(target, before*most)
	}
}

func sum(xs []float64) float64 {
	out := 0.0
	for _, x := range xs {
		out += x
	}
	return out
}
