package optics

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// Slot is a piece of spectrum on the flexible grid of ITU-T G.694.1: centre 193.1 THz + N × 6.25 GHz, width M × 12.5 GHz.
type Slot struct {
	N int
	M int // above 0
}

// the grid of G.694.1, in MHz
const (
	gridAnchor = 193_100_000
	gridStep   = 6_250
	gridWidth  = 12_500
)

// Centre is the frequency that a transceiver is tuned to, in MHz.
func (s Slot) Centre() uint64 { return uint64(gridAnchor + s.N*gridStep) }

// Low is the lower edge of the slot in MHz.
func (s Slot) Low() uint64 { return s.Centre() - uint64(s.M*gridWidth/2) }

// High is the upper edge of the slot in MHz.
func (s Slot) High() uint64 { return s.Centre() + uint64(s.M*gridWidth/2) }

// Frequency is the centre in THz.
func (s Slot) Frequency() THz { return THz(float64(s.Centre()) / 1e6) }

// Width is that of the slot.
func (s Slot) Width() GHz { return GHz(float64(s.M) * 12.5) }

// String is the centre and the width.
func (s Slot) String() string {
	return fmt.Sprintf("%.5f THz, %v wide", float64(s.Frequency()), s.Width())
}

// Overlaps tells whether the slots share spectrum.
func (s Slot) Overlaps(o Slot) bool { return s.N-s.M < o.N+o.M && o.N-o.M < s.N+s.M }

// SlotAt is the slot around a frequency in MHz. It refuses a frequency that is not on the grid.
func SlotAt(mhz uint64, width GHz) (Slot, error) {
	off := int(mhz) - gridAnchor
	if off%gridStep != 0 {
		below := gridAnchor + floorDiv(off, gridStep)*gridStep
		return Slot{}, fmt.Errorf("%.5f THz is not on the grid of 6.25 GHz; the next are %.5f and %.5f THz", float64(mhz)/1e6, float64(below)/1e6, float64(below+gridStep)/1e6)
	}
	m, err := slices12(width)
	return Slot{off / gridStep, m}, err
}

// slices12 is a width in slices of 12.5 GHz.
func slices12(width GHz) (int, error) {
	m := int(float64(width)*1e3+0.5) / gridWidth
	if m < 1 || GHz(float64(m)*12.5) != width {
		return 0, fmt.Errorf("%v wide: slots come in multiples of 12.5 GHz", width)
	}
	return m, nil
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Grid says where slots may lie.
type Grid struct {
	Low, High uint64 // edges of the band in MHz
	Guard     GHz    // kept free at both edges
	Step      GHz    // centres are at 193.1 THz and multiples of it; 0: anywhere on the flexible grid
	Width     GHz    // of every slot, on a fixed grid; 0: what each mode needs
}

// CBand is the extended C band, with the upper edge where the fixed grids of transceivers end: 64 centres of 75 GHz from 191.375 to 196.100 THz,
// 48 of 100 GHz from 191.400 to 196.100 THz (OIF; OpenROADM's band ends at 196.125 THz, in the middle of the last slot).
func CBand() Grid { return Grid{Low: 191_325_000, High: 196_150_000} }

// Check tells what about the grid cannot be.
func (g Grid) Check() error {
	if g.Low >= g.High {
		return fmt.Errorf("band from %.4f to %.4f THz has no width", float64(g.Low)/1e6, float64(g.High)/1e6)
	}
	if float64(g.Step)*1e3/gridStep != float64(int(float64(g.Step)*1e3)/gridStep) {
		return fmt.Errorf("%v apart: centres come in multiples of 6.25 GHz", g.Step)
	}
	if g.Width == 0 {
		return nil
	}
	_, err := slices12(g.Width)
	return err
}

// SlotWidth is the width of the slot that a mode gets on this grid. It refuses a mode that needs more than the grid gives.
func (g Grid) SlotWidth(m *Mode) (GHz, error) {
	slices, err := g.slotWidth(m)
	return GHz(float64(slices) * 12.5), err
}

// slotWidth is SlotWidth in slices of 12.5 GHz.
func (g Grid) slotWidth(m *Mode) (int, error) {
	if g.Width == 0 {
		return slices12(m.Spacing)
	}
	if g.Width < m.Spacing {
		return 0, fmt.Errorf("%s needs %v, and the grid gives %v", m.Name, m.Spacing, g.Width)
	}
	return slices12(g.Width)
}

// Has tells whether a slot can lie where it does.
func (g Grid) Has(s Slot) bool {
	guard := uint64(float64(g.Guard) * 1e3)
	step := int(float64(g.Step) * 1e3)
	return s.Low() >= g.Low+guard && s.High() <= g.High-guard && (step <= 0 || (s.N*gridStep)%step == 0)
}

// Allows tells why a slot cannot lie where it does; nil: it can.
func (g Grid) Allows(s Slot) error {
	if g.Has(s) {
		return nil
	}
	guard := uint64(float64(g.Guard) * 1e3)
	if s.Low() < g.Low+guard || s.High() > g.High-guard {
		return fmt.Errorf("%v lies outside the band from %.4f to %.4f THz", s, float64(g.Low+guard)/1e6, float64(g.High-guard)/1e6)
	}
	return fmt.Errorf("%v: centres are 193.1 THz and multiples of %v from it", s, g.Step)
}

// Room are all slots of a width that the grid has, side by side from the bottom.
func (g Grid) Room(width GHz) ([]Slot, error) {
	m, err := slices12(width)
	if err != nil {
		return nil, err
	}
	var out []Slot
	first, last := g.firstN(), g.lastN()
	for n := first; n <= last; n++ {
		s := Slot{n, m}
		if g.Has(s) && (len(out) == 0 || !s.Overlaps(out[len(out)-1])) {
			out = append(out, s)
		}
	}
	return out, nil
}

func (g Grid) firstN() int { return floorDiv(int(g.Low)-gridAnchor, gridStep) }
func (g Grid) lastN() int  { return floorDiv(int(g.High)-gridAnchor, gridStep) + 1 }

// Spectrum is which half slots of 6.25 GHz of a line are taken.
type Spectrum struct {
	base int // N of the first
	bits []uint64
}

// NewSpectrum is one of which nothing is taken.
func NewSpectrum(g Grid) *Spectrum {
	return &Spectrum{base: g.firstN(), bits: make([]uint64, (g.lastN()-g.firstN())/64+1)}
}

// Take marks a slot. What was taken before stays so.
func (s *Spectrum) Take(slot Slot) {
	for n := slot.N - slot.M; n < slot.N+slot.M; n++ {
		if i := n - s.base; i >= 0 && i/64 < len(s.bits) {
			s.bits[i/64] |= 1 << (i % 64)
		}
	}
}

// Free tells whether nothing of a slot is taken.
func (s *Spectrum) Free(slot Slot) bool {
	for n := slot.N - slot.M; n < slot.N+slot.M; n++ {
		if i := n - s.base; i < 0 || i/64 >= len(s.bits) || s.bits[i/64]&(1<<(i%64)) != 0 {
			return false
		}
	}
	return true
}

// Clone is a spectrum of which the same is taken.
func (s *Spectrum) Clone() *Spectrum { return &Spectrum{base: s.base, bits: slices.Clone(s.bits)} }

// Taken is how much is taken, in GHz.
func (s *Spectrum) Taken() GHz {
	n := 0
	for _, b := range s.bits {
		n += bits.OnesCount64(b)
	}
	return GHz(float64(n) * 6.25)
}

// Wanted is a channel that looks for its slot: the same on every line that it passes, for nothing converts
// a wavelength on the way.
type Wanted struct {
	Name  string // unique
	Lines []string
	Mode  *Mode
	At    uint64 // MHz; 0: wherever there is room
}

// Assign finds a slot for each channel: pinned ones where they are pinned, and then, the widest first and by name, each at the
// lowest frequency that is free on all its lines. The order in which channels are given does not matter. taken is what is not to be
// used, by line, and is not changed; nil: nothing. An error names each channel for which there is no room.
func Assign(grids map[string]Grid, channels []Wanted, taken map[string]*Spectrum) (map[string]Slot, []error) {
	a := assignment{grids: grids, spectra: map[string]*Spectrum{}, out: map[string]Slot{}}
	for name, g := range grids {
		a.spectra[name] = NewSpectrum(g)
		if t := taken[name]; t != nil {
			copy(a.spectra[name].bits, t.bits)
		}
	}
	order := slices.Clone(channels)
	slices.SortFunc(order, func(x, y Wanted) int {
		return cmp.Or(cmp.Compare(y.pinned(), x.pinned()), cmp.Compare(y.Mode.Spacing, x.Mode.Spacing), cmp.Compare(x.Name, y.Name))
	})
	for _, w := range order {
		a.place(w)
	}
	return a.out, a.errs
}

func (w *Wanted) pinned() int { return min(int(w.At), 1) }

type assignment struct {
	grids   map[string]Grid
	spectra map[string]*Spectrum
	out     map[string]Slot
	errs    []error
	owners  []owner
}

type owner struct {
	name, line string
	slot       Slot
}

func (a *assignment) place(w Wanted) {
	slot, err := a.find(w)
	if err != nil {
		a.errs = append(a.errs, &NoRoom{Channel: w.Name, Cause: err})
		return
	}
	for _, line := range w.Lines {
		a.spectra[line].Take(slot)
		a.owners = append(a.owners, owner{w.Name, line, slot})
	}
	a.out[w.Name] = slot
}

// NoRoom says why a channel has no slot.
type NoRoom struct {
	Channel string
	Cause   error
}

// Error names the channel and the cause.
func (e *NoRoom) Error() string { return e.Channel + ": " + e.Cause.Error() }

// Unwrap is the cause.
func (e *NoRoom) Unwrap() error { return e.Cause }

func (a *assignment) find(w Wanted) (Slot, error) {
	m := 0
	for _, line := range w.Lines {
		g, ok := a.grids[line]
		if !ok {
			return Slot{}, fmt.Errorf("no line %s", line)
		}
		width, err := g.slotWidth(w.Mode)
		if err != nil {
			return Slot{}, fmt.Errorf("line %s: %w", line, err)
		}
		m = max(m, width)
	}
	if w.At != 0 {
		return a.pinned(w, m)
	}
	g := a.grids[w.Lines[0]]
	for n := g.firstN(); n <= g.lastN(); n++ {
		if s := (Slot{n, m}); a.fits(w.Lines, s) {
			return s, nil
		}
	}
	return Slot{}, fmt.Errorf("no %v are free on %s", GHz(float64(m)*12.5), list(w.Lines))
}

// pinned is the slot that the channel asks for, or why it cannot have it.
func (a *assignment) pinned(w Wanted, m int) (Slot, error) {
	slot, err := SlotAt(w.At, GHz(float64(m)*12.5))
	if err != nil {
		return slot, err
	}
	for _, line := range w.Lines {
		if err := a.grids[line].Allows(slot); err != nil {
			return slot, fmt.Errorf("line %s: %w", line, err)
		}
		if !a.spectra[line].Free(slot) {
			return slot, fmt.Errorf("%v is taken on line %s%s", slot, line, a.by(line, slot))
		}
	}
	return slot, nil
}

// by names who has a slot.
func (a *assignment) by(line string, slot Slot) string {
	for _, o := range a.owners {
		if o.line == line && o.slot.Overlaps(slot) {
			return " by " + o.name
		}
	}
	return ""
}

func (a *assignment) fits(lines []string, s Slot) bool {
	for _, line := range lines {
		if !a.grids[line].Has(s) || !a.spectra[line].Free(s) {
			return false
		}
	}
	return true
}

func list(names []string) string {
	switch n := len(names); n {
	case 0:
		return "no line"
	case 1:
		return names[0]
	default:
		out := names[0]
		for _, s := range names[1 : n-1] {
			out += ", " + s
		}
		return out + " and " + names[n-1]
	}
}
