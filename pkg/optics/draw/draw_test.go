package draw

import (
	"encoding/xml"
	"flag"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/optics"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// example is a line of three spans with four channels of one group and one of another.
func example(t *testing.T) (*Spectrum, *Along) {
	t.Helper()
	kind := &optics.AmplifierKind{MinGain: 5, MaxGain: 27, NoiseFigure: 5.5, MaxOutput: 23}
	l := &optics.Line{Name: "long", Grid: optics.CBand(), Mux: 6, Demux: 6, Booster: kind}
	for _, km := range []optics.Km{80, 85, 75} {
		f := optics.Fiber{Length: km, Loss: []optics.LossAt{{PerKm: 0.2}}, ConnectorIn: 0.5, ConnectorOut: 0.5, Dispersion: 16.7, Area: 83, PMD: 0.04}
		l.Sections = append(l.Sections, optics.Section{Passive: []optics.Element{f}, Amplifier: kind})
	}
	mode := &optics.Mode{Name: "OpenZR+ 400G", Rate: 400, Baud: 60.138546798, Spacing: 75, TxOSNR: 34, RequiredOSNR: 24, RxMin: -12, MaxCD: 20000, MaxPMD: 20}
	var lit []optics.Carried
	s := &Spectrum{Title: "long: bj - sh", Grid: l.Grid}
	slots, err := l.Grid.Room(75)
	if err != nil {
		t.Fatal(err)
	}
	for i, slot := range append(slots[:4:4], slots[40]) {
		lit = append(lit, optics.Carried{Slot: slot, Mode: mode, TxPower: -10})
		group := "bj-sh"
		if i == 4 {
			group = "backup <east>"
		}
		s.Bands = append(s.Bands, Band{Slot: slot, Label: group + "/" + string(rune('1'+i)), Group: group, Worst: optics.DB(math.NaN())})
	}
	r, err := l.Plan(lit, optics.UsualAgeing(), optics.DBm(math.NaN()))
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range r.Today().Arrivals {
		s.Bands[i].Worst = a.Verdict.Margin
	}
	points, worst, err := l.Profile(r.Today().Setting, lit)
	if err != nil {
		t.Fatal(err)
	}
	a := &Along{Title: "long: from bj to sh", Points: points, Required: worst.Verdict.GSNR - worst.Verdict.Margin}
	if drawn := points[len(points)-1].GSNR - a.Required; math.Abs(float64(drawn-r.Today().Margin)) > 1e-9 {
		t.Errorf("what is drawn above what is needed is %v, and the margin %v", drawn, r.Today().Margin)
	}
	return s, a
}

func TestPicturesAreAsTheyWere(t *testing.T) {
	t.Parallel()
	s, a := example(t)
	for file, got := range map[string]string{"spectrum.svg": s.SVG(), "spectrum.txt": s.Text(80), "along.svg": a.SVG(), "along.txt": a.Text(80)} {
		if *update {
			if err := os.WriteFile("testdata/"+file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile("testdata/" + file)
		if err != nil || got != string(want) {
			t.Errorf("%s (%v):\n%s", file, err, got)
		}
	}
}

func TestPicturesAreXML(t *testing.T) {
	t.Parallel()
	s, a := example(t)
	for _, text := range []string{s.SVG(), a.SVG()} {
		d := xml.NewDecoder(strings.NewReader(text))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestALineWithoutNoiseHasNoScaleForIt(t *testing.T) {
	t.Parallel()
	a := &Along{Title: "dark", Required: 26, Least: -20, Points: []optics.Point{{Name: "launch", Power: -8, GSNR: optics.DB(math.Inf(1))}, {At: 40, Name: "fibre", Power: -17, GSNR: optics.DB(math.Inf(1))}}}
	if text := a.SVG(); strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Error(text)
	} else if strings.Contains(text, "GSNR") || strings.Contains(text, "needed") || !strings.Contains(text, "received at least: -20 dBm") {
		t.Errorf("what decides there is the power that is received\n%s", text)
	}
}
