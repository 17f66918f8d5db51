package optics

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Mode is what a transceiver can be set to, and what it needs of the line then.
type Mode struct {
	Name         string
	Rate         int // Gb/s of its clients
	Baud         GHz
	RollOff      float64
	Spacing      GHz     // least width of the slot that it needs, a multiple of 12.5
	Modulation   string  // "DP-16QAM"
	FEC          string  // "oFEC"
	MaxBER       float64 // before the FEC, that it still corrects
	Media        uint8   // media interface id of SFF-8024; 0: none is assigned
	TxMin, TxMax DBm     // that it can be set to
	TxDefault    DBm
	TxOSNR       DB  // of the transmitter itself, in 0.1 nm
	RequiredOSNR DB  // at the receiver, in 0.1 nm, for a post-FEC error rate that is none
	RxMin, RxMax DBm // power that the receiver takes
	MaxCD        float64
	MaxPMD       float64 // ps
	Penalties    Penalties
	Source       string // where the figures are from
}

// Penalties are what a receiver loses to things that are within its limits. A table that is empty takes nothing.
type Penalties struct {
	CD      Penalty // by ps/nm
	PMD     Penalty // by ps
	RxPower Penalty // by dBm
}

// Penalty is a table of points, ordered; linear between, and infinite outside.
type Penalty []PenaltyAt

// PenaltyAt is one point of a table.
type PenaltyAt struct {
	Value float64
	Loss  DB
}

// At is the penalty of a value.
func (t Penalty) At(x float64) DB {
	if len(t) == 0 {
		return 0
	}
	if x == t[0].Value {
		return t[0].Loss
	}
	for i := 1; i < len(t); i++ {
		if a, b := t[i-1], t[i]; x > a.Value && x <= b.Value {
			return a.Loss + DB((x-a.Value)/(b.Value-a.Value))*(b.Loss-a.Loss)
		}
	}
	return DB(math.Inf(1))
}

func (t Penalty) check(what string) error {
	for i := 1; i < len(t); i++ {
		if !(t[i].Value > t[i-1].Value) {
			return fmt.Errorf("%s: %v after %v; the points have to be in order", what, t[i].Value, t[i-1].Value)
		}
	}
	return nil
}

// Check tells what about the mode cannot be.
func (m Mode) Check() error {
	errs := []error{
		positive("symbol rate", float64(m.Baud), "GBd"), finite("transmitter OSNR", float64(m.TxOSNR)),
		finite("required OSNR", float64(m.RequiredOSNR)), notNegative("dispersion limit", m.MaxCD, "ps/nm"), notNegative("PMD limit", m.MaxPMD, "ps"),
		m.Penalties.CD.check("penalties by dispersion"), m.Penalties.PMD.check("penalties by PMD"), m.Penalties.RxPower.check("penalties by power"),
	}
	if !(m.RxMin <= m.RxMax) {
		errs = append(errs, fmt.Errorf("receiver takes %v to %v: the first has to be below the second", m.RxMin, m.RxMax))
	}
	return errors.Join(errs...)
}

// Fails are the reasons for which a channel does not close. None: it does.
type Fails uint8

// The reasons, in the order in which they are named.
const (
	TooMuchNoise      Fails = 1 << iota // gsnr
	TooLittlePower                      // rx-power-low
	TooMuchPower                        // rx-power-high
	TooMuchDispersion                   // cd
	TooMuchPMD                          // pmd
)

var failNames = []string{"gsnr", "rx-power-low", "rx-power-high", "cd", "pmd"}

// Names are the reasons by name; never nil.
func (f Fails) Names() []string {
	out := []string{}
	for i, name := range failNames {
		if f&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// String names the reasons.
func (f Fails) String() string { return strings.Join(f.Names(), ", ") }

const (
	wrongPower = TooLittlePower | TooMuchPower
	outOfReach = TooMuchDispersion | TooMuchPMD // no margin tells how far
)

// Verdict is what a receiver makes of a channel.
type Verdict struct {
	OSNR    DB // in 0.1 nm, with the noise of the transmitter and of what adds and drops
	GSNR    DB // the same with nonlinear interference
	Penalty DB
	Margin  DB    // GSNR less what is required, less penalties; below 0 it fails
	Power   DB    // how far the power is from the nearer end of what the receiver takes; below 0 it fails
	Nearer  Fails // which end that is: TooLittlePower or TooMuchPower
	Fails   Fails
}

// AddDrop is the noise of what adds and drops a channel: so many times an OSNR, in 0.1 nm.
type AddDrop struct {
	Times int
	OSNR  DB
}

func (a AddDrop) noise() float64 {
	if a.Times == 0 {
		return 0
	}
	return float64(a.Times) / a.OSNR.linear()
}

// Judge tells whether a receiver in this mode understands the light, and with what margin.
func (m *Mode) Judge(l Light, ends AddDrop) Verdict {
	noise := 1/m.TxOSNR.linear() + ends.noise()
	cd := math.Abs(l.Dispersion)
	v := Verdict{
		OSNR:    DB(-toDB(1/l.OSNR(m.Baud).linear() + noise)),
		GSNR:    DB(-toDB(1/l.GSNR(m.Baud).linear() + noise)),
		Penalty: m.Penalties.CD.At(cd) + m.Penalties.PMD.At(l.PMD) + m.Penalties.RxPower.At(float64(l.Power)),
	}
	v.Margin = v.GSNR - m.RequiredOSNR - v.Penalty
	v.Power, v.Nearer = DB(l.Power-m.RxMin), TooLittlePower
	if above := DB(m.RxMax - l.Power); above < v.Power {
		v.Power, v.Nearer = above, TooMuchPower
	}
	for _, r := range []struct {
		fails bool
		why   Fails
	}{
		{v.Margin < 0, TooMuchNoise},
		{l.Power < m.RxMin, TooLittlePower},
		{l.Power > m.RxMax, TooMuchPower},
		{cd > m.MaxCD, TooMuchDispersion},
		{l.PMD > m.MaxPMD, TooMuchPMD},
	} {
		if r.fails {
			v.Fails |= r.why
		}
	}
	return v
}
