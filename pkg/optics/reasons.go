package optics

import (
	"fmt"
	"strings"
)

// words are what there is too much of for any margin, as people say it.
func (f Fails) words() string {
	var out []string
	for _, w := range []struct {
		why  Fails
		text string
	}{{TooMuchDispersion, "dispersion"}, {TooMuchPMD, "PMD"}} {
		if f&w.why != 0 {
			out = append(out, w.text)
		}
	}
	return strings.Join(out, " and ")
}

// ofPower says that a margin is one of received power; a margin of noise goes without saying.
func ofPower(limit Fails) string {
	if limit&wrongPower != 0 {
		return " of received power"
	}
	return ""
}

// Why tells, with figures, by what a channel fails, and what decides its margin: "received with -19.1 dBm, and -20 dBm up to 0 dBm are
// taken".
func (a *Arrival) Why() string {
	var out []string
	say := func(why Fails, format string, args ...any) {
		if (a.Verdict.Fails|a.Limit)&why != 0 {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	m, l := a.Mode, a.Light
	say(TooMuchNoise, "GSNR %.2f dB, and %s", float64(a.Verdict.GSNR), a.needs())
	say(wrongPower, "received with %.1f dBm, and %v up to %v are taken", float64(l.Power), m.RxMin, m.RxMax)
	say(TooMuchDispersion, "%.0f ps/nm of dispersion, and at most %g ps/nm are taken", l.Dispersion, m.MaxCD)
	say(TooMuchPMD, "%.1f ps of PMD, and at most %g ps are taken", l.PMD, m.MaxPMD)
	return strings.Join(out, "; ")
}

// OutOfReach tells whether the channel fails by dispersion or PMD, of which no margin tells how far.
func (a *Arrival) OutOfReach() bool { return a.Verdict.Fails&outOfReach != 0 }

// Keeps is the margin of the arrival in words: "2.10 dB of received power".
func (a *Arrival) Keeps() string {
	return fmt.Sprintf("%.2f dB%s", float64(a.Margin), ofPower(a.Limit))
}

// needs is the GSNR without which the channel has no margin.
func (a *Arrival) needs() string {
	required := a.Mode.RequiredOSNR
	if more := a.Verdict.GSNR - required - a.Margin; a.Limit == TooMuchNoise && more > 0.005 {
		return (required + more).String() + " are required with penalties and reserve"
	}
	return required.String() + " are required"
}
