package optics

import "math"

// launch powers that are tried, in dBm of a channel into a fibre
const (
	launchStep = 0.25
	launchLow  = -8.0
	launchHigh = 8.0
)

// BestLaunch is the power of a channel into each fibre with which the worst channel arrives best, to a quarter of a dB. With little
// power amplifiers add too much noise, with much the channels disturb each other; around the best it is flat. lit is how
// many channels amplifiers have to give power for. A line without amplifiers launches what transmitters give.
func (l *Line) BestLaunch(channels []Carried, lit int) (DBm, error) {
	p, err := NewPropagator(comb(channels))
	if err != nil {
		return 0, err
	}
	if !l.Amplified() || l.Booster == nil {
		return l.added(channels), nil
	}
	objective := func(launch DBm) (float64, error) {
		arrivals, err := l.arrivals(p, l.Set(launch, channels, lit), channels)
		if err != nil {
			return 0, err
		}
		w, _ := worst(arrivals)
		return w.rank(), nil
	}
	// The margin rises to its best and falls after it, so a step down ends the search; the start is the local optimum.
	start := min(max(l.localOptimum(channels), launchLow), launchHigh)
	best := DBm(math.Round(float64(start)/launchStep) * launchStep)
	at, err := objective(best)
	if err != nil {
		return 0, err
	}
	for _, step := range []DBm{launchStep, -launchStep} {
		for next := best + step; next >= launchLow && next <= launchHigh; next += step {
			margin, err := objective(next)
			if err != nil {
				return 0, err
			}
			if margin <= at {
				break
			}
			best, at = next, margin
		}
	}
	return best, nil
}

// localOptimum is the launch power at which a span's emission is twice its interference: where their sum is least for what is
// launched, if every span is like the mean one ((P_ASE / 2 η)^(1/3); P. Poggiolini and others, J. Lightwave Technol. 32, 2014).
func (l *Line) localOptimum(channels []Carried) DBm {
	c := channels[len(channels)/2]
	p, err := NewPropagator(comb(channels))
	if err != nil {
		return 0
	}
	ase, eta, spans := 0.0, 0.0, 0
	probe := DBm(0).watts()
	for _, s := range l.Sections {
		if s.Amplifier == nil || !hasFiber(s.Passive) {
			continue
		}
		loss := DB(-through(s.Passive, 0))
		// emission at the input, brought back to the power at the fibre's start
		ase += s.Amplifier.NoiseFigure.linear() * planck * float64(c.Slot.Centre()) * 1e6 * float64(c.Mode.Baud) * 1e9 * loss.linear()
		for _, e := range s.Passive {
			if f, ok := e.(Fiber); ok {
				p.level(probe)
				p.interfere(p.kernelOf(&f), float64(f.Length)*1e3)
				eta += p.buffer[p.rank[len(channels)/2]] / (probe * probe)
				break // behind a fibre the light is too weak for the next
			}
		}
		spans++
	}
	if spans == 0 || eta == 0 {
		return 0
	}
	return dbm(math.Cbrt(ase / float64(spans) / (2 * eta / float64(spans))))
}

// level gives every channel this power and no noise.
func (p *Propagator) level(watts float64) {
	for i := range p.power {
		p.power[i], p.signal[i], p.ase[i], p.nli[i] = watts, 1, 0, 0
	}
}
