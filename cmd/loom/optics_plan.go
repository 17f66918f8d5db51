package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	light "github.com/loomfabric/loom/models/optics"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/optics/draw"
	"github.com/spf13/cobra"
)

func opticsPlanCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "plan PATH...",
		Short: "Show how every line is set, and what it has left",
		Long: `Shows every line of a topology: of what it is built, with what power and gains it is set, with what
margin its worst channel arrives today, when every slot is lit, and when fibres and amplifiers are
old, how many channels it has room for, and what other modes, other transceivers or one more amplifier
would give. Nothing is read from a device.

--along follows the light of each line, with power and GSNR behind every fibre and amplifier. --svg writes
the same as pictures, and the spectrum of each line.`,
		Example: `  loom optics plan topologies/twin.yaml
  loom optics plan topologies/twin.yaml --line long --svg out`,
		Args:              namedFiles,
		ValidArgsFunction: yamlFiles,
	}
	format := formatFlag(c, "text", "json")
	releases := releaseFlag(c)
	line := c.Flags().String("line", "", "only the line of this `NAME`")
	svg := c.Flags().String("svg", "", "write pictures to `DIR`")
	follow := c.Flags().Bool("along", false, "with power and GSNR along each line")
	c.RunE = func(_ *cobra.Command, args []string) error {
		n, lines, err := lit(t, args, *releases, *line)
		if err != nil {
			return err
		}
		if *svg != "" {
			if err := n.drawLines(lines, *svg); err != nil {
				return err
			}
		}
		var all []linePlan
		for _, l := range lines {
			p, err := n.planned(l)
			if err != nil {
				return err
			}
			all = append(all, p)
		}
		if *format == "json" {
			return t.json(map[string]any{"lines": all})
		}
		for i := range all {
			if i > 0 {
				t.printf("\n")
			}
			all[i].print(t)
			if *follow {
				if err := printAlong(t, lines[i]); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return c
}

// lit compiles a topology and finds its lines, or the one that is asked for.
func lit(t *terminal, args []string, releases map[string]string, name string) (*network, []*fabric.Line, error) {
	srcs, err := sources(args)
	if err != nil {
		return nil, nil, err
	}
	n, err := compileNetwork(t, srcs, releases)
	if err != nil {
		return nil, nil, err
	}
	var out []*fabric.Line
	var names []string
	for i := range n.design.Lines {
		l := &n.design.Lines[i]
		names = append(names, l.Name)
		if name == "" || l.Name == name {
			out = append(out, l)
		}
	}
	return n, out, knownLine(n.design.Name, name, names)
}

// knownLine demands that a topology has lines, and one of a name if there is one.
func knownLine(topology, name string, lines []string) error {
	switch {
	case len(lines) == 0:
		return fmt.Errorf("%s has no lines; docs/topology.md tells how ducts and lines are written", topology)
	case name != "" && !slices.Contains(lines, name):
		return fmt.Errorf("%s: no line of that name; %s", name, meant(name, lines))
	}
	return nil
}

// linePlan is one line as it is printed. Powers are in dBm, ratios in dB, lengths in km.
type linePlan struct {
	Name       string      `json:"name"`
	From       string      `json:"from"`
	To         string      `json:"to"`
	Ducts      []string    `json:"ducts"`
	Risks      []string    `json:"risks"`
	KM         float64     `json:"km"`
	Spans      int         `json:"spans"`
	Latency    float64     `json:"latency_ms"`
	Launch     *float64    `json:"launch_dbm,omitempty"` // of a channel into each fibre
	Amplifiers []ampPlan   `json:"amplifiers,omitempty"`
	States     []statePlan `json:"states,omitempty"`
	Channels   int         `json:"channels"`
	Room       *roomPlan   `json:"room,omitempty"`
	Advice     string      `json:"advice,omitempty"`  // with the transceivers that it has
	Upgrade    string      `json:"upgrade,omitempty"` // with faster ones
	Spectrum   string      `json:"-"`
}

type ampPlan struct {
	Name      string  `json:"name"`
	Device    string  `json:"device"`
	Gain      float64 `json:"gain_db"`
	VOA       float64 `json:"voa_db,omitempty"`
	Output    float64 `json:"output_dbm"`
	MaxOutput float64 `json:"max_output_dbm"`
}

type statePlan struct {
	State   string  `json:"state"`
	Margin  float64 `json:"margin_db"`
	Limit   string  `json:"limited_by"` // "gsnr", "rx-power-low", "rx-power-high"
	Channel string  `json:"worst_channel"`
	From    string  `json:"from"`
	GSNR    float64 `json:"gsnr_01nm_with_tx_db"`
	Power   float64 `json:"rx_power_dbm"`
}

// roomPlan is how many channels of a mode the line has room for.
type roomPlan struct {
	Mode     string `json:"mode"`
	Channels int    `json:"channels"`
	Spectrum int    `json:"by_spectrum"`
	Power    int    `json:"by_power"`
	Margin   int    `json:"by_margin"`
}

func db(x optics.DB) float64   { return math.Round(float64(x)*100) / 100 }
func dbm(x optics.DBm) float64 { return math.Round(float64(x)*100) / 100 }

// planned gathers what is to be said about a line.
func (n *network) planned(l *fabric.Line) (linePlan, error) {
	p := linePlan{Name: l.Name, From: l.A, To: l.B, Ducts: l.Ducts, Risks: l.Risks}
	channels := n.design.Lit(l.Name)
	p.Channels = len(channels)
	if l.There == nil {
		return p, nil
	}
	launch := dbm(l.There.Launch)
	p.Launch = &launch
	p.KM, p.Spans = float64(l.There.Line.Length()), l.There.Line.Spans()
	p.Latency = math.Round(float64(l.There.Line.Latency())*1e3) / 1e3
	for _, name := range l.Devices {
		for _, a := range n.design.Device(name).Light.Amplifiers {
			if a.Line == l.Name {
				p.Amplifiers = append(p.Amplifiers, ampPlan{a.Name, name, db(a.Gain), db(a.VOA), dbm(a.Output), dbm(a.Kind.MaxOutput)})
			}
		}
	}
	slices.SortStableFunc(p.Amplifiers, func(a, b ampPlan) int { return strings.Compare(b.Name, a.Name) }) // there, and then back
	if err := n.states(&p, channels); err != nil {
		return p, err
	}
	p.Spectrum = n.spectrum(l).Text(80)
	return p, n.prospects(&p, l, channels)
}

// states finds the channel with the least margin in each state.
func (n *network) states(p *linePlan, channels []*fabric.Channel) error {
	for _, c := range channels {
		all, err := n.design.Margins(c)
		if err != nil {
			return err
		}
		for i, m := range all {
			s := statePlan{m.State, db(m.Margin), m.Arrival.Limit.String(), c.Name, m.From, db(m.Arrival.Verdict.GSNR), dbm(m.Arrival.Light.Power)}
			switch {
			case i == len(p.States):
				p.States = append(p.States, s)
			case s.Margin < p.States[i].Margin:
				p.States[i] = s
			}
		}
	}
	return nil
}

// prospects finds how many channels fit, of the mode that most have; what other modes would give that the transceivers of the line can be
// set to; and what faster transceivers would.
func (n *network) prospects(p *linePlan, l *fabric.Line, channels []*fabric.Channel) error {
	c := mostUsual(channels)
	if len(c.Lines) > 1 {
		return nil // it is another line's as well: what fits is not for this one to say
	}
	room, err := l.There.Line.Room(c.Mode, c.Power, l.There.Age, l.There.Launch, c.Asked)
	if err != nil {
		return err
	}
	if !l.There.Line.Amplified() && l.There.Line.Mux == 0 {
		room = optics.Room{Spectrum: min(room.Spectrum, 1), Power: min(room.Power, 1), Margin: min(room.Margin, 1)}
	}
	p.Room = &roomPlan{c.Mode.Name, room.Channels(), room.Spectrum, room.Power, room.Margin}
	choices, err := l.There.Line.Choose(everyMode(), l.There.Age)
	if err != nil {
		return err
	}
	has := n.design.Modes(c)
	own := slices.DeleteFunc(slices.Clone(choices), func(o optics.Choice) bool { return !slices.Contains(has, o.Mode) })
	p.Advice = optics.Advice(n.design.Makers(c), own, c.Asked)
	if optics.Upgrade(own, choices, c.Asked) != "" {
		p.Upgrade = optics.Advice("any transceiver", choices, c.Asked)
	}
	return nil
}

// everyMode is whatever a transceiver could be set to, those that the ends of a line have today and others.
func everyMode() []*optics.Mode {
	all := light.Modes()
	out := make([]*optics.Mode, len(all))
	for i := range all {
		out[i] = &all[i]
	}
	return out
}

// mostUsual is the first channel of the mode that most channels have.
func mostUsual(channels []*fabric.Channel) *fabric.Channel {
	count := map[string]int{}
	for _, c := range channels {
		count[c.Mode.Name]++
	}
	return slices.MaxFunc(channels, func(a, b *fabric.Channel) int { return count[a.Mode.Name] - count[b.Mode.Name] })
}

func (p *linePlan) print(t *terminal) {
	t.printf("line %s: %s to %s over %s", p.Name, p.From, p.To, list(p.Ducts))
	if p.Launch == nil {
		t.printf("; nothing is lit\n")
		return
	}
	t.printf(", %s in %s, %.3g ms one way\n", optics.Km(p.KM), sizes(p.Spans, "span"), p.Latency)
	t.printf("  risks     %s\n", strings.Join(p.Risks, ", "))
	t.printf("  launch    %s a channel into each fibre\n", optics.DBm(*p.Launch))
	for i, a := range p.Amplifiers {
		head := ""
		if i == 0 {
			head = "amplify"
		}
		voa := ""
		if a.VOA > 0 {
			voa = fmt.Sprintf(" and then %s of attenuation", optics.DB(a.VOA))
		}
		t.printf("  %-8s  %s on %s: gain %.2f dB%s, gives %.2f dBm of at most %s\n", head, a.Name, a.Device, a.Gain, voa, a.Output, optics.DBm(a.MaxOutput))
	}
	for i, s := range p.States {
		head := ""
		if i == 0 {
			head = "margin"
		}
		t.printf("  %-8s  %-20s %6.2f dB  %s\n", head, s.State, s.Margin, s.decided())
	}
	if p.Room != nil {
		r := p.Room
		t.printf("  room      for %s of %s: %d by spectrum, %d by power, %d by margin; %d lit\n", sizes(r.Channels, "channel"), r.Mode, r.Spectrum, r.Power, r.Margin, p.Channels)
	}
	if p.Advice != "" {
		t.printf("  advice    %s\n", p.Advice)
	}
	if p.Upgrade != "" {
		t.printf("            with other transceivers %s\n", p.Upgrade)
	}
	t.printf("%s", p.Spectrum)
}

// decided tells whose margin it is, what limits it, and what beside that arrives.
func (s *statePlan) decided() string {
	whose, gsnr, power := s.Channel+" from "+s.From, fmt.Sprintf("GSNR %.2f dB", s.GSNR), fmt.Sprintf("received power %.1f dBm", s.Power)
	if s.Limit == "gsnr" {
		return fmt.Sprintf("%s, limited by %s; %s", whose, gsnr, power)
	}
	return fmt.Sprintf("%s, limited by %s; %s", whose, power, gsnr)
}

// spectrum is the map of a line.
func (n *network) spectrum(l *fabric.Line) *draw.Spectrum {
	s := &draw.Spectrum{Title: fmt.Sprintf("%s: %s - %s", l.Name, l.A, l.B)}
	if l.There != nil {
		s.Grid = l.There.Line.Grid
	}
	for _, c := range n.design.Lit(l.Name) {
		b := draw.Band{Slot: c.Slot, Label: c.Name, Group: c.DCI, Worst: optics.DB(math.NaN())}
		if all, err := n.design.Margins(c); err == nil {
			b.Worst = all[0].Margin
		}
		s.Bands = append(s.Bands, b)
	}
	return s
}

// drawLines writes the pictures of lines.
func (n *network) drawLines(lines []*fabric.Line, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var errs []error
	for _, l := range lines {
		if l.There == nil {
			continue
		}
		errs = append(errs, os.WriteFile(filepath.Join(dir, l.Name+"-spectrum.svg"), []byte(n.spectrum(l).SVG()), 0o644))
		for name, way := range waysOf(l) {
			a, err := along(l, way)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, l.Name+"-"+name+".svg"), []byte(a.SVG()), 0o644)
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// printAlong follows the light of a line, in both directions.
func printAlong(t *terminal, l *fabric.Line) error {
	if l.There == nil {
		return nil
	}
	ways := waysOf(l)
	for _, name := range []string{"there", "back"} {
		a, err := along(l, ways[name])
		if err != nil {
			return err
		}
		t.printf("%s", a.Text(80))
	}
	return nil
}

// wayOf is one direction of a line.
type wayOf struct {
	from, to string
	report   *optics.Report
}

func waysOf(l *fabric.Line) map[string]wayOf {
	return map[string]wayOf{"there": {l.A, l.B, l.There}, "back": {l.B, l.A, l.Back}}
}

// along is what becomes of light on a line as it is lit today.
func along(l *fabric.Line, w wayOf) (*draw.Along, error) {
	today := w.report.Today()
	points, worst, err := today.Line.Profile(today.Setting, today.Lit)
	if err != nil {
		return nil, err
	}
	a := &draw.Along{Title: fmt.Sprintf("%s: from %s to %s", l.Name, w.from, w.to), Points: points}
	a.Required = worst.Verdict.GSNR - worst.Verdict.Margin + today.Line.Reserve
	for _, c := range today.Lit {
		if a.Least == 0 || c.Mode.RxMin > a.Least {
			a.Least = c.Mode.RxMin
		}
	}
	return a, nil
}
