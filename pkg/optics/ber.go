package optics

import (
	"math"
	"strings"
)

// BER is the error rate before the FEC at a GSNR in 0.1 nm, all noise included. The curve is that of the modulation with Gaussian
// noise, shifted so that it passes through what is known of the receiver: MaxBER at RequiredOSNR.
func (m *Mode) BER(gsnr DB) float64 {
	a := m.errors()
	return a * math.Erfc(m.root()*math.Sqrt((gsnr-m.RequiredOSNR).linear()))
}

// MarginAt is the margin that an error rate before the FEC says there is: the inverse of BER. It is negative
// where the FEC is beyond its limit, and infinite where there are no errors.
func (m *Mode) MarginAt(ber float64) DB {
	if ber <= 0 {
		return DB(math.Inf(1))
	}
	return DB(20 * math.Log10(math.Erfcinv(min(ber/m.errors(), 1))/m.root()))
}

// root is the argument of the error function at the required OSNR.
func (m *Mode) root() float64 { return math.Erfcinv(m.MaxBER / m.errors()) }

// errors is the factor before the error function: bit errors per symbol error and neighbours in the constellation, with
// Gray mapping.
func (m *Mode) errors() float64 {
	switch {
	case strings.HasSuffix(m.Modulation, "16QAM"):
		return 3. / 8
	case strings.HasSuffix(m.Modulation, "8QAM"):
		return 5. / 12
	}
	return 1. / 2
}

// Q is the quality that an error rate stands for, 20 log10 of the Q factor (ITU-T G.976).
func Q(ber float64) DB {
	if ber <= 0 {
		return DB(math.Inf(1))
	}
	return DB(20 * math.Log10(math.Sqrt2*math.Erfcinv(min(2*ber, 1))))
}
