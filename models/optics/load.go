package optics

import (
	"bytes"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/loomfabric/loom/pkg/optics"
	"go.yaml.in/yaml/v3"
)

//go:embed modes.yaml
var modesFile []byte

//go:embed kinds.yaml
var kindsFile []byte

// Modes are all modes, in the order of their file: by family, and the fastest first.
func Modes() []optics.Mode { return modes() }

// Mode finds a mode by its name, in whatever case.
func Mode(name string) (*optics.Mode, bool) {
	all := modes()
	for i := range all {
		if strings.EqualFold(all[i].Name, name) {
			return &all[i], true
		}
	}
	return nil, false
}

// Kinds are what a line is made of.
type Kinds struct {
	Fibres     []Fibre
	Amplifiers []Amplifier
	ROADMs     []ROADM
}

// Fibre is a type of fibre. Its length is what an owner of one knows.
type Fibre struct {
	Name   string
	Fiber  optics.Fiber
	Source string
}

// Amplifier is a type of amplifier.
type Amplifier struct {
	Name   string
	Kind   optics.AmplifierKind
	Source string
}

// ROADM is a type of reconfigurable add/drop multiplexer.
type ROADM struct {
	Name      string
	Express   optics.DB  // loss on the way through
	Add, Drop optics.DB  // loss
	Level     optics.DBm // of every channel where it leaves towards a line
	OSNR      optics.DB  // that adding or dropping costs, in 0.1 nm
	Source    string
}

// Known are the kinds that Loom knows.
func Known() *Kinds { return kinds() }

// Fibre finds a type of fibre by its name, in whatever case.
func (k *Kinds) Fibre(name string) (*Fibre, bool) {
	for i := range k.Fibres {
		if strings.EqualFold(k.Fibres[i].Name, name) {
			return &k.Fibres[i], true
		}
	}
	return nil, false
}

// Amplifier finds a type of amplifier by its name, in whatever case.
func (k *Kinds) Amplifier(name string) (*Amplifier, bool) {
	for i := range k.Amplifiers {
		if strings.EqualFold(k.Amplifiers[i].Name, name) {
			return &k.Amplifiers[i], true
		}
	}
	return nil, false
}

// The data is part of the program, so an error in it is the programmer's.
var modes = sync.OnceValue(func() []optics.Mode {
	m, err := loadModes(modesFile)
	if err != nil {
		panic("modes.yaml: " + err.Error())
	}
	return m
})

var kinds = sync.OnceValue(func() *Kinds {
	k, err := loadKinds(kindsFile)
	if err != nil {
		panic("kinds.yaml: " + err.Error())
	}
	return k
})

// modeForm is a mode in its file.
type modeForm struct {
	Name   string `yaml:"name"`
	Signal struct {
		Rate       int     `yaml:"rate"`
		Baud       float64 `yaml:"baud"`
		RollOff    float64 `yaml:"roll-off"`
		Spacing    float64 `yaml:"spacing"`
		Modulation string  `yaml:"modulation"`
		FEC        string  `yaml:"fec"`
		BER        float64 `yaml:"ber"`
		Media      uint8   `yaml:"media"`
	} `yaml:"signal"`
	Tx struct {
		Min     float64 `yaml:"min"`
		Max     float64 `yaml:"max"`
		Default float64 `yaml:"default"`
		OSNR    float64 `yaml:"osnr"`
	} `yaml:"tx"`
	Rx struct {
		Min  float64 `yaml:"min"`
		Max  float64 `yaml:"max"`
		OSNR float64 `yaml:"osnr"`
		CD   float64 `yaml:"cd"`
		PMD  float64 `yaml:"pmd"`
	} `yaml:"rx"`
	Penalties struct {
		CD  [][2]float64 `yaml:"cd"`
		PMD [][2]float64 `yaml:"pmd"`
		Rx  [][2]float64 `yaml:"rx"`
	} `yaml:"penalties"`
	Source string `yaml:"source"`
}

func loadModes(data []byte) ([]optics.Mode, error) {
	var file struct {
		Modes []modeForm `yaml:"modes"`
	}
	if err := strict(data, &file); err != nil {
		return nil, err
	}
	out, seen := make([]optics.Mode, len(file.Modes)), map[string]bool{}
	for i, f := range file.Modes {
		m := f.mode()
		if err := m.Check(); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		if m.Source == "" || seen[m.Name] {
			return nil, fmt.Errorf("%s: named twice, or without its source", m.Name)
		}
		out[i], seen[m.Name] = m, true
	}
	return out, nil
}

func (f *modeForm) mode() optics.Mode {
	return optics.Mode{
		Name: f.Name, Rate: f.Signal.Rate, Baud: optics.GHz(f.Signal.Baud), RollOff: f.Signal.RollOff, Spacing: optics.GHz(f.Signal.Spacing),
		Modulation: f.Signal.Modulation, FEC: f.Signal.FEC, MaxBER: f.Signal.BER, Media: f.Signal.Media,
		TxMin: optics.DBm(f.Tx.Min), TxMax: optics.DBm(f.Tx.Max), TxDefault: optics.DBm(f.Tx.Default), TxOSNR: optics.DB(f.Tx.OSNR),
		RxMin: optics.DBm(f.Rx.Min), RxMax: optics.DBm(f.Rx.Max), RequiredOSNR: optics.DB(f.Rx.OSNR), MaxCD: f.Rx.CD, MaxPMD: f.Rx.PMD,
		Penalties: optics.Penalties{CD: penalty(f.Penalties.CD), PMD: penalty(f.Penalties.PMD), RxPower: penalty(f.Penalties.Rx)},
		Source:    f.Source,
	}
}

func penalty(points [][2]float64) optics.Penalty {
	var out optics.Penalty
	for _, p := range points {
		out = append(out, optics.PenaltyAt{Value: p[0], Loss: optics.DB(p[1])})
	}
	return out
}

func loadKinds(data []byte) (*Kinds, error) {
	var file struct {
		Fibres []struct {
			Name       string  `yaml:"name"`
			Loss       float64 `yaml:"loss"`
			Dispersion float64 `yaml:"dispersion"`
			Slope      float64 `yaml:"slope"`
			Area       float64 `yaml:"area"`
			PMD        float64 `yaml:"pmd"`
			Source     string  `yaml:"source"`
		} `yaml:"fibres"`
		Amplifiers []struct {
			Name      string  `yaml:"name"`
			Gain      string  `yaml:"gain"`
			NF        float64 `yaml:"nf"`
			MaxOutput float64 `yaml:"max-output"`
			Source    string  `yaml:"source"`
		} `yaml:"amplifiers"`
		ROADMs []struct {
			Name    string  `yaml:"name"`
			Express float64 `yaml:"express"`
			Add     float64 `yaml:"add"`
			Drop    float64 `yaml:"drop"`
			Level   float64 `yaml:"level"`
			OSNR    float64 `yaml:"osnr"`
			Source  string  `yaml:"source"`
		} `yaml:"roadms"`
	}
	if err := strict(data, &file); err != nil {
		return nil, err
	}
	k := &Kinds{}
	for _, f := range file.Fibres {
		k.Fibres = append(k.Fibres, Fibre{f.Name, optics.Fiber{Loss: []optics.LossAt{{PerKm: optics.DB(f.Loss)}}, Dispersion: f.Dispersion,
			Slope: f.Slope, Area: f.Area, PMD: f.PMD}, f.Source})
	}
	for _, a := range file.Amplifiers {
		low, high, err := gains(a.Gain)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		k.Amplifiers = append(k.Amplifiers, Amplifier{a.Name, optics.AmplifierKind{Name: a.Name, MinGain: low, MaxGain: high,
			NoiseFigure: optics.DB(a.NF), MaxOutput: optics.DBm(a.MaxOutput)}, a.Source})
	}
	for _, r := range file.ROADMs {
		k.ROADMs = append(k.ROADMs, ROADM{r.Name, optics.DB(r.Express), optics.DB(r.Add), optics.DB(r.Drop), optics.DBm(r.Level), optics.DB(r.OSNR), r.Source})
	}
	return k, nil
}

// gains reads "5..27".
func gains(s string) (low, high optics.DB, err error) {
	from, to, ok := strings.Cut(s, "..")
	a, err1 := strconv.ParseFloat(from, 64)
	b, err2 := strconv.ParseFloat(to, 64)
	if !ok || err1 != nil || err2 != nil || a > b {
		return 0, 0, fmt.Errorf("gain %q: write it as 5..27", s)
	}
	return optics.DB(a), optics.DB(b), nil
}

func strict(data []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	return d.Decode(into)
}
