package optics

import (
	"errors"
	"fmt"
	"math"
)

// Element is a thing that light passes: a Loss, an Amplifier, a Fiber or an Equalizer.
type Element interface {
	// Check tells what about the element cannot be.
	Check() error
	pass(*Propagator)
}

// Loss takes the same share of the power of every channel: a mux, a splitter, a patch panel.
type Loss struct{ Loss DB }

// Amplifier is an amplifier of flat gain and flat noise figure.
type Amplifier struct {
	Gain        DB
	NoiseFigure DB
	MaxOutput   DBm // of all channels together; the gain goes down where they would exceed it
	VOA         DB  // attenuation behind it
}

// Fiber is one span of fibre with its connectors.
type Fiber struct {
	Length       Km
	Loss         []LossAt // dB/km; one entry: at every frequency; several: linear between, none outside
	ConnectorIn  DB
	ConnectorOut DB
	Lumped       []LumpedLoss // splices and panels on the way
	Dispersion   float64      // ps/(nm km) at 1550 nm
	Slope        float64      // ps/(nm² km); 0: the second-order coefficient is the same at every frequency
	Area         float64      // effective area in µm² at 1550 nm
	PMD          float64      // ps/√km
}

// LossAt is the attenuation of a fibre at one frequency.
type LossAt struct {
	Frequency THz // meaningless where a fibre has one entry only
	PerKm     DB
}

// LumpedLoss is a loss at one place of a fibre.
type LumpedLoss struct {
	At   Km // from the start
	Loss DB
}

// Equalizer is a ROADM on its way through: every channel leaves with the same power, where it came with
// that much, and gets the noise of what added or dropped it.
type Equalizer struct {
	Target DBm // per channel
	Loss   DB  // least loss: a channel never leaves with more than it came with, less this
}

// Check tells what about the loss cannot be.
func (e Loss) Check() error { return notNegative("loss", float64(e.Loss), "dB") }

// Check tells what about the amplifier cannot be.
func (e Amplifier) Check() error {
	return errors.Join(finite("gain", float64(e.Gain)), notNegative("noise figure", float64(e.NoiseFigure), "dB"),
		finite("maximum output", float64(e.MaxOutput)), notNegative("attenuation", float64(e.VOA), "dB"))
}

// Check tells what about the ROADM cannot be.
func (e Equalizer) Check() error {
	return errors.Join(finite("target power", float64(e.Target)), notNegative("loss", float64(e.Loss), "dB"))
}

// Check tells what about the fibre cannot be.
func (e Fiber) Check() error {
	errs := []error{
		positive("length", float64(e.Length), "km"), positive("effective area", e.Area, "µm²"),
		notNegative("connector", float64(e.ConnectorIn), "dB"), notNegative("connector", float64(e.ConnectorOut), "dB"),
		notNegative("PMD coefficient", e.PMD, "ps/√km"), finite("dispersion", e.Dispersion), finite("dispersion slope", e.Slope),
	}
	if len(e.Loss) == 0 {
		errs = append(errs, errors.New("a fibre needs its attenuation in dB/km"))
	}
	for i, l := range e.Loss {
		errs = append(errs, positive("attenuation", float64(l.PerKm), "dB/km"))
		if i > 0 && l.Frequency <= e.Loss[i-1].Frequency {
			errs = append(errs, fmt.Errorf("attenuation at %v after that at %v: order the frequencies", l.Frequency, e.Loss[i-1].Frequency))
		}
	}
	for _, l := range e.Lumped {
		errs = append(errs, notNegative("lumped loss", float64(l.Loss), "dB"))
		if l.At < 0 || l.At > e.Length {
			errs = append(errs, fmt.Errorf("lumped loss at %v: the fibre is %v long", l.At, e.Length))
		}
	}
	return errors.Join(errs...)
}

// TotalLoss is what a channel loses from connector to connector.
func (e Fiber) TotalLoss(f THz) DB {
	out := e.ConnectorIn + e.ConnectorOut + DB(e.attenuation(f)*float64(e.Length))
	for _, l := range e.Lumped {
		out += l.Loss
	}
	return out
}

// attenuation is the loss in dB/km at a frequency. It is NaN where the fibre's table does not reach.
func (e Fiber) attenuation(f THz) float64 {
	if len(e.Loss) == 1 {
		return float64(e.Loss[0].PerKm)
	}
	for i := 1; i < len(e.Loss); i++ {
		a, b := e.Loss[i-1], e.Loss[i]
		if f >= a.Frequency && f <= b.Frequency {
			share := float64((f - a.Frequency) / (b.Frequency - a.Frequency))
			return float64(a.PerKm) + share*float64(b.PerKm-a.PerKm)
		}
	}
	return math.NaN()
}

func finite(what string, x float64) error {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Errorf("%s %v is not a number", what, x)
	}
	return nil
}

func notNegative(what string, x float64, unit string) error {
	if err := finite(what, x); err != nil || x >= 0 {
		return err
	}
	return fmt.Errorf("%s %v %s is below 0", what, x, unit)
}

func positive(what string, x float64, unit string) error {
	if err := finite(what, x); err != nil || x > 0 {
		return err
	}
	return fmt.Errorf("%s %v %s: it has to be above 0", what, x, unit)
}
