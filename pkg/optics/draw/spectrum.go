// Package draw makes pictures of lines and their spectra: SVG for pages, and text for terminals. The rule that
// matters most: the same values give the same bytes, so a picture can be kept beside the file that it is of.
package draw

import (
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/loomfabric/loom/pkg/optics"
)

// Band is a slot on a map, and whose it is.
type Band struct {
	Slot  optics.Slot
	Label string
	Group string    // bands of one group have one colour
	Worst optics.DB // margin; NaN: not told
}

// Spectrum is the map of one line.
type Spectrum struct {
	Title string
	Grid  optics.Grid
	Bands []Band // by frequency
}

// palette tells groups apart, on white and on black, and for those who see no red or no green (Okabe and Ito).
var palette = []string{"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442"}

// inks are what can be read on the palette, in its order.
var inks = []string{"#fff", "#1b1f24", "#fff", "#1b1f24", "#1b1f24", "#fff", "#1b1f24"}

// colours gives each group the next colour, in the order of the map.
func (s *Spectrum) colours() map[string]int {
	out := map[string]int{}
	for _, b := range s.Bands {
		if _, ok := out[b.Group]; !ok {
			out[b.Group] = len(out)
		}
	}
	return out
}

// marks stand for groups in text, in the order of palette.
const marks = "#=%+*o@"

// Text draws the map in so many columns: a ruler, a bar, and what is on it. Each column is a share of the band; a mark where
// most of that is taken.
func (s *Spectrum) Text(columns int) string {
	width := max(20, columns-2)
	low, high := float64(s.Grid.Low), float64(s.Grid.High)
	at := func(mhz float64) int { return int(math.Round((mhz - low) / (high - low) * float64(width))) }
	bar := []byte(strings.Repeat(".", width))
	colour := s.colours()
	for _, b := range s.Bands {
		from, to := at(float64(b.Slot.Low())), at(float64(b.Slot.High()))
		for i := max(from, 0); i < min(max(to, from+1), width); i++ {
			bar[i] = marks[colour[b.Group]%len(marks)]
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n", s.Title)
	left, right := fmt.Sprintf("%.3f", low/1e6), fmt.Sprintf("%.3f THz", high/1e6)
	fmt.Fprintf(&out, " %s%s%s\n", left, strings.Repeat(" ", max(1, width-len(left)-len(right))), right)
	fmt.Fprintf(&out, "[%s]\n", bar)
	for _, b := range s.Bands {
		fmt.Fprintf(&out, "  %c %s  %.5f THz  %v", marks[colour[b.Group]%len(marks)], b.Label, float64(b.Slot.Frequency()), b.Slot.Width())
		if !math.IsNaN(float64(b.Worst)) {
			fmt.Fprintf(&out, "  margin %v", b.Worst)
		}
		out.WriteByte('\n')
	}
	fmt.Fprintf(&out, "  . free %v of %v\n", s.free(), optics.GHz((high-low)/1e3))
	return out.String()
}

func (s *Spectrum) free() optics.GHz {
	free := optics.GHz(float64(s.Grid.High-s.Grid.Low) / 1e3)
	for _, b := range s.Bands {
		free -= b.Slot.Width()
	}
	return free
}

// SVG draws the map.
func (s *Spectrum) SVG() string {
	const width, left, top, tall = 960, 24, 44, 72
	c := newCanvas(width, 190)
	c.title(s.Title, fmt.Sprintf("%d channels, %v free", len(s.Bands), s.free()))
	low, high := float64(s.Grid.Low), float64(s.Grid.High)
	x := func(mhz float64) float64 { return left + (mhz-low)/(high-low)*(width-2*left) }
	c.rect(left, top, width-2*left, tall, "band", "")
	colour := s.colours()
	for _, b := range s.Bands {
		from, to := x(float64(b.Slot.Low())), x(float64(b.Slot.High()))
		tip := fmt.Sprintf("%s: %.5f THz, %v wide", b.Label, float64(b.Slot.Frequency()), b.Slot.Width())
		if !math.IsNaN(float64(b.Worst)) {
			tip += fmt.Sprintf(", margin %v", b.Worst)
		}
		n := colour[b.Group] % len(palette)
		c.tipped(from+0.5, top+4, max(1, to-from-1), tall-8, palette[n], tip)
		if to-from >= 12 && len(b.Label) <= 10 { // upwards, where it fits
			c.upwards((from+to)/2+3.5, top+tall-8, inks[n], b.Label)
		}
	}
	for mhz := math.Ceil(low/500_000) * 500_000; mhz <= high; mhz += 500_000 {
		c.line(x(mhz), top+tall, x(mhz), top+tall+5, "axis")
		c.text(x(mhz), top+tall+18, "middle", "tick", fmt.Sprintf("%.1f", mhz/1e6))
	}
	c.text(width-left, top+tall+34, "end", "tick", "THz")
	at := float64(left)
	for _, g := range byNumber(colour) {
		c.rect(at, top+tall+40, 10, 10, "", palette[colour[g]%len(palette)])
		c.text(at+15, top+tall+49, "start", "tick", g)
		at += 30 + 6.6*float64(len(g))
	}
	return c.end()
}

func byNumber(m map[string]int) []string {
	out := make([]string, len(m))
	for name, i := range m {
		out[i] = name
	}
	return out
}

// canvas writes SVG with two decimals. Its colours follow what the reader's page has: light or dark.
type canvas struct{ strings.Builder }

func newCanvas(width, height int) *canvas {
	c := &canvas{}
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui, sans-serif">
<style>
.page{fill:#fff}.head{font-size:15px;font-weight:600;fill:#1b1f24}.note{font-size:12px;fill:#57606a}.tick{font-size:11px;fill:#57606a}
.band{fill:#f3f4f6;stroke:#d0d7de}.axis{stroke:#8c959f}.grid{stroke:#eaeef2}.label{font-size:11px;fill:#1b1f24}
@media (prefers-color-scheme:dark){.page{fill:#0d1117}.head,.label{fill:#e6edf3}.note,.tick{fill:#9198a1}.band{fill:#161b22;stroke:#30363d}.grid{stroke:#21262d}}
</style>
<rect class="page" width="%d" height="%d"/>
`, width, height, width, height, width, height)
	return c
}

func (c *canvas) end() string {
	c.WriteString("</svg>\n")
	return c.String()
}

func (c *canvas) title(head, note string) {
	c.text(24, 26, "start", "head", head)
	c.text(936, 26, "end", "note", note)
}

func (c *canvas) text(x, y float64, anchor, class, s string) {
	fmt.Fprintf(c, "<text class=%q x=\"%.2f\" y=\"%.2f\" text-anchor=%q>%s</text>\n", class, x, y, anchor, html.EscapeString(s))
}

func (c *canvas) upwards(x, y float64, fill, s string) {
	fmt.Fprintf(c, "<text transform=\"translate(%.2f %.2f) rotate(-90)\" font-size=\"10\" fill=%q>%s</text>\n", x, y, fill, html.EscapeString(s))
}

func (c *canvas) rect(x, y, w, h float64, class, fill string) {
	fmt.Fprintf(c, `<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f"`, x, y, w, h)
	if class != "" {
		fmt.Fprintf(c, " class=%q", class)
	}
	if fill != "" {
		fmt.Fprintf(c, " fill=%q", fill)
	}
	c.WriteString("/>\n")
}

func (c *canvas) tipped(x, y, w, h float64, fill, tip string) {
	fmt.Fprintf(c, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" rx=\"1.5\" fill=%q><title>%s</title></rect>\n", x, y, w, h, fill, html.EscapeString(tip))
}

func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(c, "<line class=%q x1=\"%.2f\" y1=\"%.2f\" x2=\"%.2f\" y2=\"%.2f\"/>\n", class, x1, y1, x2, y2)
}

func (c *canvas) path(points [][2]float64, stroke string, width float64) {
	c.WriteString(`<path fill="none" d="`)
	for i, p := range points {
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		fmt.Fprintf(c, "%s%.2f %.2f", verb, p[0], p[1])
	}
	fmt.Fprintf(c, "\" stroke=%q stroke-width=\"%.2f\" stroke-linejoin=\"round\"/>\n", stroke, width)
}
