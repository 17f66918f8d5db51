package fabric

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/intent"
	kinds "github.com/loomfabric/loom/models/optics"
	"github.com/loomfabric/loom/pkg/optics"
)

// line is an optical line with its settings read.
type line struct {
	in        *intent.Line
	ref       Ref
	a, b      *site
	ducts     []*duct  // in order from a; nil where the line cannot be built
	places    []string // from a to b, one more than ducts
	risks     []string // of its ducts; sorted
	amplifier *optics.AmplifierKind
	at        []bool     // by place: whether there are amplifiers
	stations  []*station // by place; nil where there are none
	there     *optics.Line
	back      *optics.Line
	age       optics.Ageing
	channels  []*channel // that it carries, by DCI and number
	thereSet  *optics.Report
	backSet   *optics.Report
}

func (l *line) name() string { return l.in.GetName() }
func (l *line) built() bool  { return l.there != nil }

// readLines reads all lines, routes them over ducts and builds them.
func (d *draft) readLines() {
	byName := map[string]*line{}
	for _, in := range d.in.GetLines() {
		l := &line{in: in, ref: Ref("lines/" + in.GetName())}
		if other := byName[in.GetName()]; other != nil {
			d.report.fail(l.ref, l.name()+": two lines have this name", "", note{other.ref, "the other one"})
			continue
		}
		byName[in.GetName()] = l
		d.lines = append(d.lines, l)
		l.a, l.b = d.lineSite(l, "from", in.GetFrom()), d.lineSite(l, "to", in.GetTo())
		if l.a != nil && l.a == l.b {
			d.report.fail(l.ref+"#to", l.name()+": begins and ends at "+in.GetFrom(), "name another site")
			l.a = nil
		}
	}
	slices.SortFunc(d.lines, func(a, b *line) int { return strings.Compare(a.name(), b.name()) })
	d.route(byName)
	for _, l := range d.lines {
		if l.ducts != nil {
			d.build(l)
		}
	}
}

func (d *draft) lineSite(l *line, key, name string) *site {
	for _, s := range d.sites {
		if s.in.GetName() == name {
			return s
		}
	}
	var names []string
	for _, s := range d.sites {
		names = append(names, s.in.GetName())
	}
	d.report.fail(l.ref+Ref("#"+key), l.name()+": no site "+name, oneOf(name, names))
	return nil
}

// build makes of a line what light sees of it, in both directions, and its devices.
func (d *draft) build(l *line) {
	if !d.readAmplifiers(l) || slices.ContainsFunc(l.ducts, func(w *duct) bool { return w.fiber.Length == 0 }) {
		return // reported there
	}
	age := l.in.GetAgeing()
	l.age = optics.Ageing{PerSpan: optics.DB(age.GetSpan()), NoiseFigure: optics.DB(age.GetNf()), System: optics.DB(age.GetSystem())}
	there, back := l.direction(false), l.direction(true)
	if err := there.Check(); err != nil {
		d.report.fail(l.ref, l.name()+": "+strings.ReplaceAll(err.Error(), "\n", "; "), "")
		return
	}
	l.there, l.back = there, back
	d.addStations(l)
}

// readAmplifiers reads what amplifies, and where.
func (d *draft) readAmplifiers(l *line) bool {
	l.at = make([]bool, len(l.places))
	in := l.in.GetAmplifiers()
	if in == nil {
		return true
	}
	known, ok := kinds.Known().Amplifier(in.GetKind())
	if !ok {
		var names []string
		for _, k := range kinds.Known().Amplifiers {
			names = append(names, k.Name)
		}
		d.report.fail(l.ref+"#amplifiers", fmt.Sprintf("%s: no amplifier %s", l.name(), in.GetKind()), oneOf(in.GetKind(), names))
		return false
	}
	kind := known.Kind
	for _, own := range []struct {
		given *float64
		set   func(float64)
	}{
		{in.Nf, func(x float64) { kind.NoiseFigure = optics.DB(x) }}, {in.MaxOutput, func(x float64) { kind.MaxOutput = optics.DBm(x) }},
		{in.MinGain, func(x float64) { kind.MinGain = optics.DB(x) }}, {in.MaxGain, func(x float64) { kind.MaxGain = optics.DB(x) }},
	} {
		if own.given != nil {
			own.set(*own.given)
		}
	}
	l.amplifier = &kind
	for _, place := range in.GetAt() {
		if !slices.Contains(l.places, place) {
			d.report.fail(l.ref+"#amplifiers", fmt.Sprintf("%s: amplifiers at %s, which it does not pass", l.name(), place), "its places are "+strings.Join(l.places, ", "))
			return false
		}
	}
	for i, place := range l.places {
		l.at[i] = len(in.GetAt()) == 0 || slices.Contains(in.GetAt(), place)
	}
	return true
}

// direction builds the line as light sees it that goes from a to b, or back.
func (l *line) direction(back bool) *optics.Line {
	out := &optics.Line{Name: l.name(), Grid: gridOf(l.in)}
	switch l.in.GetEnds() {
	case intent.LineEnds_LINE_ENDS_ROADM:
		r := roadm()
		out.Mux, out.Demux, out.Levels, out.Level, out.Ends = r.Add, r.Drop, true, r.Level, optics.AddDrop{Times: 2, OSNR: r.OSNR}
	case intent.LineEnds_LINE_ENDS_MUX:
		out.Mux, out.Demux = optics.DB(l.in.GetMux()), optics.DB(l.in.GetMux())
	}
	ducts, places, at := l.ducts, l.places, l.at
	if back {
		ducts, places, at = reversed(ducts), reversed(places), reversed(at)
	}
	if at[0] {
		out.Booster = l.amplifier
	}
	if l.amplifier == nil {
		out.Spare = &kinds.Known().Amplifiers[0].Kind
	}
	var s optics.Section
	var names []string
	for i, w := range ducts {
		s.Passive, names = append(s.Passive, w.from(places[i])), append(names, w.in.GetName())
		if at[i+1] {
			s.Amplifier = l.amplifier
		}
		if at[i+1] || i == len(ducts)-1 {
			s.Name = strings.Join(names, ", ")
			out.Sections = append(out.Sections, s)
			s, names = optics.Section{}, nil
		}
	}
	return out
}

func gridOf(in *intent.Line) optics.Grid {
	return optics.Grid{Low: uint64(in.GetLow()), High: uint64(in.GetHigh()), Guard: optics.GHz(in.GetGuard()), Step: optics.GHz(in.GetGrid()), Width: optics.GHz(in.GetGrid())}
}

// roadm is the type of ROADM that stands at the ends of lines.
func roadm() *kinds.ROADM { return &kinds.Known().ROADMs[0] }

func reversed[T any](list []T) []T {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// launch is the power into each fibre that somebody has chosen; NaN: the best.
func (l *line) launch() optics.DBm {
	if l.in.Launch == nil {
		return optics.DBm(math.NaN())
	}
	return optics.DBm(l.in.GetLaunch())
}

// addStations makes a device of every place of a line where something amplifies.
func (d *draft) addStations(l *line) {
	l.stations = make([]*station, len(l.places))
	if !slices.Contains(l.at, true) {
		return
	}
	platform := d.platform(l.ref, l.name(), l.in.GetPlatform(), hardware.LineSystem)
	for i, place := range l.places {
		if !l.at[i] || platform == nil {
			continue
		}
		s := &station{
			name: l.name() + "-" + place, role: LineSystem, number: uint32(i + 1), ref: l.ref, platform: platform, release: platform.Newest(), line: l, place: i,
		}
		if i == 0 || i == len(l.places)-1 {
			s.siteName = place
		}
		for _, own := range l.in.GetDevices() {
			if own.GetPlace() == place {
				s.ref = l.ref + Ref("/devices/"+place)
				s.labels, s.fingerprint, s.given = own.GetLabels(), own.GetFingerprint(), own.GetManagement()
			}
		}
		d.name(s.name, s.ref)
		l.stations[i] = s
		d.stations = append(d.stations, s)
	}
	for _, own := range l.in.GetDevices() {
		if i := slices.Index(l.places, own.GetPlace()); i < 0 || l.stations[i] == nil && platform != nil {
			d.report.fail(l.ref+Ref("/devices/"+own.GetPlace()), fmt.Sprintf("%s: no device at %s", l.name(), own.GetPlace()), "it has devices where it has amplifiers")
		}
	}
}

func (d *draft) designLines() []Line {
	var list []Line
	for _, l := range d.lines {
		out := Line{Name: l.name(), A: l.in.GetFrom(), B: l.in.GetTo(), Risks: l.risks, Ahead: l.there, Astern: l.back, Age: l.age, There: l.thereSet, Back: l.backSet, Ref: l.ref}
		for _, w := range l.ducts {
			out.Ducts = append(out.Ducts, w.in.GetName())
		}
		for _, s := range l.stations {
			if s != nil {
				out.Devices = append(out.Devices, s.name)
			}
		}
		list = append(list, out)
	}
	return list
}
