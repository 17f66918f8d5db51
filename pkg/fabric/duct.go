package fabric

import (
	"fmt"
	"slices"
	"strings"

	kinds "github.com/loomfabric/loom/models/optics"

	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/topology"
)

// duct is a way of fibres with its figures read.
type duct struct {
	in    *intent.Duct
	ref   Ref
	fiber optics.Fiber
	risks []string // "duct NAME" and what it shares; sorted
}

// readDucts reads all ducts. What the file does not say of a fibre, its kind does.
func (d *draft) readDucts() {
	d.ducts = make(map[string]*duct, len(d.in.GetDucts()))
	for _, in := range d.in.GetDucts() {
		w := &duct{in: in, ref: Ref("ducts/" + in.GetName())}
		if other := d.ducts[in.GetName()]; other != nil {
			d.report.fail(w.ref, in.GetName()+": two ducts have this name", "", note{other.ref, "the other one"})
			continue
		}
		d.ducts[in.GetName()] = w
		d.readFiber(w)
		w.risks = append([]string{"duct " + in.GetName()}, in.GetShares()...)
		slices.Sort(w.risks)
		w.risks = slices.Compact(w.risks)
	}
}

func (d *draft) readFiber(w *duct) {
	kind, ok := kinds.Known().Fibre(w.in.GetFibre())
	if !ok {
		var names []string
		for _, k := range kinds.Known().Fibres {
			names = append(names, k.Name)
		}
		d.report.fail(w.ref+"#fibre", fmt.Sprintf("%s: no fibre %s", w.in.GetName(), w.in.GetFibre()), oneOf(w.in.GetFibre(), names))
		return
	}
	f := kind.Fiber
	f.Length = optics.Km(w.in.GetKm())
	f.ConnectorIn, f.ConnectorOut = optics.DB(w.in.GetConnectors()), optics.DB(w.in.GetConnectors())
	if w.in.Loss != nil {
		f.Loss = []optics.LossAt{{PerKm: optics.DB(w.in.GetLoss())}}
	}
	for _, own := range []struct {
		given *float64
		field *float64
	}{{w.in.Dispersion, &f.Dispersion}, {w.in.Slope, &f.Slope}, {w.in.Area, &f.Area}, {w.in.Pmd, &f.PMD}} {
		if own.given != nil {
			*own.field = *own.given
		}
	}
	for _, l := range w.in.GetLumped() {
		f.Lumped = append(f.Lumped, optics.LumpedLoss{At: optics.Km(l.GetKm()), Loss: optics.DB(l.GetLoss())})
	}
	if err := f.Check(); err != nil {
		d.report.fail(w.ref, w.in.GetName()+": "+strings.ReplaceAll(err.Error(), "\n", "; "), "")
	}
	w.fiber = f
}

// oneOf says which names there are, the nearest alone where one was likely meant.
func oneOf(word string, names []string) string {
	if near := topology.Nearest(word, names); near != "" {
		return "write " + near
	}
	return "use one of " + strings.Join(names, ", ")
}

// from returns the fibre as light sees it that enters at a place.
func (w *duct) from(place string) optics.Fiber {
	f := w.fiber
	if place == w.in.GetFrom() {
		return f
	}
	f.ConnectorIn, f.ConnectorOut = f.ConnectorOut, f.ConnectorIn
	f.Lumped = nil
	for _, l := range slices.Backward(w.fiber.Lumped) {
		f.Lumped = append(f.Lumped, optics.LumpedLoss{At: f.Length - l.At, Loss: l.Loss})
	}
	return f
}

// other returns the other end of a duct; "" where it does not end at the place.
func (w *duct) other(place string) string {
	switch place {
	case w.in.GetFrom():
		return w.in.GetTo()
	case w.in.GetTo():
		return w.in.GetFrom()
	}
	return ""
}

func (d *draft) designDucts() []Duct {
	var list []Duct
	for _, w := range d.ducts {
		list = append(list, Duct{
			Name: w.in.GetName(), A: w.in.GetFrom(), B: w.in.GetTo(), Fiber: w.fiber, Shares: slices.Sorted(slices.Values(w.in.GetShares())), Ref: w.ref,
		})
	}
	slices.SortFunc(list, func(a, b Duct) int { return strings.Compare(a.Name, b.Name) })
	return list
}
