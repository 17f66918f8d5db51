package optics

import (
	"fmt"
	"math"
)

// DB is a ratio of powers in decibels.
type DB float64

// DBm is a power in decibels above a milliwatt.
type DBm float64

// THz is an optical frequency.
type THz float64

// GHz is a width in the spectrum, or a symbol rate in GBd.
type GHz float64

// Km is a length of fibre.
type Km float64

// physical constants (CODATA 2019, exact by definition)
const (
	lightSpeed = 299_792_458.0  // m/s
	planck     = 6.62607015e-34 // J s
)

// referenceWidth is the bandwidth that OSNR is told in: 12.5 GHz, which is 0.1 nm at 1550 nm.
const referenceWidth = 12.5e9

func fromDB(db float64) float64 { return math.Exp(db * (math.Ln10 / 10)) }

func toDB(ratio float64) float64 { return 10 * math.Log10(ratio) }

func (d DB) linear() float64 { return fromDB(float64(d)) }

func (p DBm) watts() float64 { return fromDB(float64(p)) * 1e-3 }

func dbm(watts float64) DBm { return DBm(toDB(watts * 1e3)) }

// String is the value with its unit, without decimals that say nothing.
func (d DB) String() string { return trimmed(float64(d), 2) + " dB" }

// String is the value with its unit.
func (p DBm) String() string { return trimmed(float64(p), 2) + " dBm" }

// String is the value with its unit.
func (f THz) String() string { return trimmed(float64(f), 5) + " THz" }

// String is the value with its unit.
func (w GHz) String() string { return trimmed(float64(w), 3) + " GHz" }

// String is the value with its unit.
func (l Km) String() string { return trimmed(float64(l), 3) + " km" }

// trimmed writes at most so many decimals, and none that say nothing.
func trimmed(x float64, decimals int) string {
	s := fmt.Sprintf("%.*f", decimals, x)
	for s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	if s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	if s == "-0" {
		return "0"
	}
	return s
}
