package fabric

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/optics"
)

// router finds the ducts of lines that do not name them.
type router struct {
	d      *draft
	byName map[string]*line
	ducts  *optics.Map
	state  map[*line]int8 // 1: on its way, 2: done
}

// route decides the ducts of every line: those that it names, or else the shortest that share nothing with the lines from which it keeps apart.
func (d *draft) route(byName map[string]*line) {
	r := &router{d: d, byName: byName, state: map[*line]int8{}}
	for _, l := range d.lines {
		r.line(l)
	}
	for _, l := range d.lines {
		r.checkApart(l)
	}
}

func (r *router) line(l *line) {
	if r.state[l] != 0 {
		return
	}
	r.state[l] = 1
	defer func() { r.state[l] = 2 }()
	if l.a == nil || l.b == nil {
		return
	}
	if len(l.in.GetVia()) > 0 {
		r.along(l)
		return
	}
	var risks []string
	for _, name := range l.in.GetApartFrom() {
		other := r.byName[name]
		if other == nil || other == l {
			continue // reported later
		}
		if r.pair(l, other) {
			return
		}
		r.line(other)
		risks = append(risks, other.risks...)
	}
	found, ok := r.atlas().Apart(l.in.GetFrom(), l.in.GetTo(), risks)
	if !ok {
		r.none(l)
		return
	}
	r.take(l, found.Ducts)
}

// atlas is the map of all ducts.
func (r *router) atlas() *optics.Map {
	if r.ducts == nil {
		var list []optics.Duct
		for _, w := range r.d.ducts {
			list = append(list, optics.Duct{Name: w.in.GetName(), A: w.in.GetFrom(), B: w.in.GetTo(), Length: optics.Km(w.in.GetKm()), Risks: w.in.GetShares()})
		}
		r.ducts = optics.NewMap(list)
	}
	return r.ducts
}

// pair routes two lines between the same sites together, where only one of them keeps apart and only from the other, or both from each
// other: the shortest route of one alone may leave none for the other.
func (r *router) pair(l, other *line) bool {
	alone := len(l.in.GetApartFrom()) == 1 && (len(other.in.GetApartFrom()) == 0 || slices.Equal(other.in.GetApartFrom(), []string{l.name()}))
	same := l.a == other.a && l.b == other.b || l.a == other.b && l.b == other.a
	if !alone || !same || r.state[other] != 0 || len(other.in.GetVia()) > 0 {
		return false
	}
	first, second, ok := r.atlas().Diverse(other.in.GetFrom(), other.in.GetTo())
	if !ok {
		return false
	}
	r.state[other] = 2
	r.take(other, first.Ducts)
	if l.a != other.a {
		slices.Reverse(second.Ducts)
	}
	r.take(l, second.Ducts)
	return true
}

func (r *router) none(l *line) {
	ends := l.in.GetFrom() + " to " + l.in.GetTo()
	if len(l.in.GetApartFrom()) == 0 {
		r.d.report.fail(l.ref+"#via", fmt.Sprintf("%s: no ducts lead from %s", l.name(), ends), "add a duct, or name others as its ends")
		return
	}
	r.d.report.fail(l.ref+"#apart-from", fmt.Sprintf("%s: no ducts lead from %s that share nothing with %s", l.name(), ends, strings.Join(l.in.GetApartFrom(), ", ")),
		"add a duct, or name the ducts of both lines with via")
}

// along follows the ducts that a line names.
func (r *router) along(l *line) {
	at := l.in.GetFrom()
	passed := map[string]bool{at: true}
	for _, name := range l.in.GetVia() {
		w := r.d.ducts[name]
		if w == nil {
			r.d.report.fail(l.ref+"#via", fmt.Sprintf("%s: no duct %s", l.name(), name), "declare it below ducts")
			return
		}
		next := w.other(at)
		switch {
		case next == "":
			r.d.report.fail(l.ref+"#via", fmt.Sprintf("%s: duct %s joins %s and %s, and the line is at %s there", l.name(), name, w.in.GetFrom(), w.in.GetTo(), at),
				"name ducts in order, each from where the one before ends", note{w.ref, "the duct"})
			return
		case passed[next]:
			r.d.report.fail(l.ref+"#via", fmt.Sprintf("%s: passes %s twice", l.name(), next), "name ducts that lead on")
			return
		}
		at, passed[next] = next, true
	}
	if at != l.in.GetTo() {
		r.d.report.fail(l.ref+"#via", fmt.Sprintf("%s: its ducts lead to %s, and it goes to %s", l.name(), at, l.in.GetTo()), "name the ducts that are missing")
		return
	}
	r.take(l, l.in.GetVia())
}

// take gives a line its ducts.
func (r *router) take(l *line, names []string) {
	l.places = []string{l.in.GetFrom()}
	for _, name := range names {
		w := r.d.ducts[name]
		l.ducts = append(l.ducts, w)
		l.places = append(l.places, w.other(l.places[len(l.places)-1]))
		l.risks = append(l.risks, w.risks...)
	}
	slices.Sort(l.risks)
	l.risks = slices.Compact(l.risks)
}

// checkApart reports lines that share what they must not.
func (r *router) checkApart(l *line) {
	for _, name := range l.in.GetApartFrom() {
		other := r.byName[name]
		if other == nil {
			r.d.report.fail(l.ref+"#apart-from", fmt.Sprintf("%s: no line %s", l.name(), name), "declare it below lines")
			continue
		}
		shared := slices.DeleteFunc(slices.Clone(l.risks), func(risk string) bool { return !slices.Contains(other.risks, risk) })
		if len(shared) > 0 && other != l {
			r.d.report.fail(l.ref+"#apart-from", fmt.Sprintf("%s: shares %s with %s", l.name(), strings.Join(shared, ", "), name), "lead one of them over other ducts",
				note{other.ref + "#via", name})
		}
	}
}
