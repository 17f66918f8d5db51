package optics

import (
	"strings"
	"testing"
)

func TestTheModesAreThoseOfTheStandards(t *testing.T) {
	t.Parallel()
	if n := len(Modes()); n != 24 {
		t.Errorf("%d modes", n)
	}
	for name, media := range map[string]uint8{"400zr": 0x3e, "OpenZR+ 400G": 0x46, "openzr+ 100g": 0x49, "OpenROADM 800G-oFEC-118Gbd": 0x66} {
		if m, ok := Mode(name); !ok || m.Media != media {
			t.Errorf("%s: %+v", name, m)
		}
	}
	for _, m := range Modes() {
		if float64(m.Baud) > float64(m.Spacing) || m.TxDefault < m.TxMin || m.TxDefault > m.TxMax || m.MaxBER <= 0 {
			t.Errorf("%s does not go together: %+v", m.Name, m)
		}
	}
}

func TestEveryKindCanBeBuilt(t *testing.T) {
	t.Parallel()
	k := Known()
	for _, f := range k.Fibres {
		fiber := f.Fiber
		fiber.Length = 1
		if err := fiber.Check(); err != nil || f.Source == "" {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	for _, a := range k.Amplifiers {
		if a.Kind.MinGain >= a.Kind.MaxGain || a.Source == "" {
			t.Errorf("%+v", a)
		}
	}
	if _, ok := k.Fibre("ssmf"); !ok {
		t.Error("no SSMF")
	}
}

func TestMistakesInTheDataAreNamed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"modes: [{name: x, source: s, signal: {baud: -1}}]": "x: symbol rate -1 GBd: it has to be above 0",
		"modes: [{name: x, signal: {baud: 1}}]":             "x: named twice, or without its source",
		"modes: [{naem: x}]":                                "field naem not found",
	} {
		if _, err := loadModes([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := loadKinds([]byte("amplifiers: [{name: x, gain: 5}]")); err == nil || !strings.Contains(err.Error(), "write it as 5..27") {
		t.Error(err)
	}
}
