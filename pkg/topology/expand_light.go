package topology

import (
	"fmt"
	"strings"

	"github.com/loomfabric/loom/models/intent"
)

func (w *expander) duct(d *intent.Duct) {
	lumps := make([]string, len(d.Lumped))
	for i, l := range d.Lumped {
		lumps[i] = fmt.Sprintf("%s km: %s dB", plainNumber(l.Km), plainNumber(l.Loss))
	}
	w.line(1, d.Name+": "+flow(text("from", d.From), text("to", d.To), lengthIn.entry("km", d.Km), text("fibre", d.Fibre), lossPerKmIn.maybe("loss", d.Loss),
		dispersionIn.maybe("dispersion", d.Dispersion), slopeIn.maybe("slope", d.Slope), areaIn.maybe("area", d.Area), pmdIn.maybe("pmd", d.Pmd),
		decibelIn.entry("connectors", d.Connectors), list("lumped", lumps), list("shares", d.Shares)))
}

func (w *expander) opticalLine(l *intent.Line) {
	w.line(1, l.Name+":")
	ends, grid := "", ""
	if l.Ends == intent.LineEnds_LINE_ENDS_ROADM {
		ends = "ends: roadm"
	}
	if l.Grid > 0 {
		grid = widthIn.entry("grid", l.Grid)
	}
	for _, e := range []string{
		text("from", l.From), text("to", l.To), list("via", l.Via), list("apart-from", l.ApartFrom), amplifierText(l.Amplifiers), decibelIn.maybe("mux", l.Mux), ends, grid,
		"band: " + bandText(l.Low, l.High), guardIn.entry("guard", l.Guard), powerIn.maybe("launch", l.Launch), "ageing: " + ageingText(l.Ageing),
		text("management", l.Management), text("platform", l.Platform),
	} {
		if e != "" {
			w.line(2, e)
		}
	}
	if len(l.Devices) > 0 {
		w.line(2, "devices:")
	}
	for _, d := range l.Devices {
		w.line(3, d.Place+": "+flow(text("management", d.Management), text("fingerprint", d.Fingerprint), list("labels", d.Labels)))
	}
}

func amplifierText(a *intent.Amplifiers) string {
	if a == nil {
		return ""
	}
	gain := ""
	if a.MinGain != nil && a.MaxGain != nil {
		gain = fmt.Sprintf("gain: %s..%s dB", plainNumber(*a.MinGain), plainNumber(*a.MaxGain))
	}
	return "amplifiers: " + flow(text("kind", a.Kind), decibelIn.maybe("nf", a.Nf), powerIn.maybe("max-output", a.MaxOutput), gain, list("at", a.At))
}

func ageingText(a *intent.LineAgeing) string {
	return flow(decibelIn.entry("span", a.GetSpan()), decibelIn.entry("nf", a.GetNf()), decibelIn.entry("system", a.GetSystem()))
}

func bandText(low, high uint32) string {
	return plainNumber(terahertz(low)) + ".." + plainNumber(terahertz(high)) + " THz"
}

func (w *expander) dci(d *intent.Dci) {
	w.line(1, d.Name+":")
	w.line(2, number("number", d.Number))
	if word := serviceWords[d.Service]; word != "" {
		w.line(2, "service: "+word)
	}
	if d.Bundle == intent.Bundle_BUNDLE_LAG {
		w.line(2, "bundle: lag")
	}
	if len(d.Joins) > 0 {
		w.line(2, list("joins", d.Joins))
	}
	if d.External != "" {
		w.line(2, text("over", d.External))
	}
	if d.ExternalAsn != 0 {
		w.line(2, number("over-asn", d.ExternalAsn))
	}
	if len(d.Channels) > 0 {
		w.line(2, "channels:")
	}
	for _, c := range d.Channels {
		w.line(3, "- "+channelText(c))
	}
}

func channelText(c *intent.Channel) string {
	mode, frequency, spectrum, transponders := c.Mode, "", "", ""
	if mode == "" {
		mode = fastest
	}
	if c.Frequency != 0 {
		frequency = frequencyIn.entry("frequency", terahertz(c.Frequency))
	}
	if c.High != 0 {
		spectrum = "spectrum: " + bandText(c.Low, c.High)
	}
	if c.Transponders {
		transponders = "transponders: true"
	}
	ports := make([]string, len(c.Ports))
	for i, e := range c.Ports {
		ports[i] = endText(e)
	}
	return flow(number("number", c.Number), text("mode", mode), text("over", strings.Join(c.Lines, " + ")), decibelIn.entry("margin", c.Margin), frequency,
		number("slot", c.Slot), spectrum, powerIn.maybe("power", c.Power), transponders, list("ports", ports))
}

// entry writes a key with a quantity.
func (q *quantity) entry(key string, x float64) string {
	return key + ": " + plainNumber(x) + " " + q.unit
}

// maybe is entry where there is a quantity, or nothing.
func (q *quantity) maybe(key string, x *float64) string {
	if x == nil {
		return ""
	}
	return q.entry(key, *x)
}
