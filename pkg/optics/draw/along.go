package draw

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/optics"
)

// Along is what becomes of light on its way over a line.
type Along struct {
	Title    string
	Points   []optics.Point
	Required optics.DB  // GSNR that the channel asks for that arrives worst, with penalties and reserve: what is above is its margin; 0: not drawn
	Least    optics.DBm // that the receiver takes, drawn where nothing amplifies: there power decides and not noise; 0: not drawn
}

// amplified tells whether anything on the way has a gain.
func (a *Along) amplified() bool {
	return slices.ContainsFunc(a.Points, func(p optics.Point) bool { return p.Name == "amplifier" })
}

// SVG draws power of a channel and GSNR of the worst one over the length of the line.
func (a *Along) SVG() string {
	const width, left, right, top, bottom = 960, 56, 904, 60, 250
	c := newCanvas(width, 300)
	last := a.Points[len(a.Points)-1]
	note := fmt.Sprintf("%v, arrives with %v", last.At, last.Power)
	if a.amplified() {
		note += fmt.Sprintf(" and a GSNR of %v", last.GSNR)
	}
	c.title(a.Title, note)
	length := max(float64(last.At), 1)
	x := func(km optics.Km) float64 { return left + float64(km)/length*(right-left) }
	power, gsnr := a.powers(), a.gsnrs()
	py := func(v float64) float64 { return bottom - (v-power.low)/(power.high-power.low)*(bottom-top) }
	gy := func(v float64) float64 { return bottom - (v-gsnr.low)/(gsnr.high-gsnr.low)*(bottom-top) }
	for v := power.low; v <= power.high+1e-9; v += power.step {
		c.line(left, py(v), right, py(v), "grid")
		c.text(left-8, py(v)+4, "end", "tick", fmt.Sprintf("%g", v))
	}
	c.text(left-8, top-10, "end", "tick", "dBm")
	if gsnr.step > 0 {
		for v := gsnr.low; v <= gsnr.high+1e-9; v += gsnr.step {
			c.text(right+8, gy(v)+4, "start", "tick", fmt.Sprintf("%g", v))
		}
		c.text(right+8, top-10, "start", "tick", "dB")
	}
	for _, km := range ticks(length) {
		c.line(x(optics.Km(km)), bottom, x(optics.Km(km)), bottom+5, "axis")
		c.text(x(optics.Km(km)), bottom+18, "middle", "tick", fmt.Sprintf("%g km", km))
	}
	c.line(left, bottom, right, bottom, "axis")
	var powers, noise [][2]float64
	for _, p := range a.Points {
		powers = append(powers, [2]float64{x(p.At), py(float64(p.Power))})
		if !math.IsInf(float64(p.GSNR), 0) && p.Name != "loss" {
			noise = append(noise, [2]float64{x(p.At), gy(float64(p.GSNR))})
		}
	}
	c.path(powers, palette[0], 2)
	if gsnr.step > 0 {
		c.path(noise, palette[1], 2)
		if a.Required > 0 && float64(a.Required) >= gsnr.low && float64(a.Required) <= gsnr.high {
			c.bound(left, right, gy(float64(a.Required)), fmt.Sprintf("needed: %v", a.Required))
		}
	} else if a.Least != 0 {
		c.bound(left, right, py(float64(a.Least)), fmt.Sprintf("received at least: %v", a.Least))
	}
	c.rect(left, 278, 10, 10, "", palette[0])
	c.text(left+15, 287, "start", "tick", "power of a channel (dBm)")
	if gsnr.step > 0 {
		c.rect(left+190, 278, 10, 10, "", palette[1])
		c.text(left+205, 287, "start", "tick", "GSNR of the worst channel (dB in 0.1 nm, with its transmitter)")
	}
	return c.end()
}

// bound draws what something must not fall below.
func (c *canvas) bound(left, right, y float64, label string) {
	fmt.Fprintf(c, "<line x1=\"%.2f\" y1=\"%.2f\" x2=\"%.2f\" y2=\"%.2f\" stroke=%q stroke-dasharray=\"5 4\"/>\n", left, y, right, y, palette[5])
	c.text(left+6, y-5, "start", "tick", label)
}

// scale is an axis: from, to, and the distance of its marks. Without a step there is nothing to draw.
type scale struct{ low, high, step float64 }

func newScale(low, high float64) scale {
	if math.IsInf(low, 0) || math.IsInf(high, 0) {
		return scale{}
	}
	step := 5.0
	if high-low > 40 {
		step = 10
	}
	s := scale{math.Floor(low/step) * step, math.Ceil(high/step) * step, step}
	if s.low == s.high {
		s.high += step
	}
	return s
}

func (a *Along) powers() scale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range a.Points {
		low, high = min(low, float64(p.Power)), max(high, float64(p.Power))
	}
	if a.Least != 0 && !a.amplified() {
		low = min(low, float64(a.Least)-0.5) // so that its line is not the axis
	}
	return newScale(low, high)
}

func (a *Along) gsnrs() scale {
	if !a.amplified() {
		return scale{}
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range a.Points {
		if g := float64(p.GSNR); !math.IsInf(g, 0) {
			low, high = min(low, g), max(high, g)
		}
	}
	if a.Required > 0 {
		low = min(low, float64(a.Required)-0.5) // so that its line is not the axis
	}
	return newScale(low, high)
}

// ticks are at most ten round distances.
func ticks(length float64) []float64 {
	step := 1.0
	for _, s := range []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		if step = s; length/s <= 10 {
			break
		}
	}
	var out []float64
	for km := 0.0; km <= length; km += step {
		out = append(out, km)
	}
	return out
}

// Text lists the points of the line, with a bar as long as the power.
func (a *Along) Text(columns int) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n%9s  %-10s %9s %9s %8s\n", a.Title, "km", "behind", "channel", "all", "GSNR")
	s := a.powers()
	room := max(10, columns-52)
	for _, p := range a.Points {
		gsnr := "-"
		if !math.IsInf(float64(p.GSNR), 0) {
			gsnr = fmt.Sprintf("%.2f dB", float64(p.GSNR))
		}
		bar := int(math.Round((float64(p.Power) - s.low) / (s.high - s.low) * float64(room)))
		fmt.Fprintf(&out, "%9.1f  %-10s %5.1f dBm %5.1f dBm %8s  %s\n", float64(p.At), p.Name, float64(p.Power), float64(p.Total), gsnr, strings.Repeat("=", max(bar, 0)))
	}
	return out.String()
}
