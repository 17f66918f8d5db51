package fabric

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/topology"
)

// Restoration is a changed intent in which channels go other ways than over what has failed.
type Restoration struct {
	Topology *topology.Topology // compiles; that of before where nothing can be moved
	Design   *Design
	Moves    []Move // by DCI and number
	Stays    []Stay // what cannot be moved; by DCI and number
}

// Move is a channel that is led over other lines.
type Move struct {
	Channel string    `json:"channel"`
	From    []string  `json:"from"` // lines
	To      []string  `json:"to"`
	Was     uint64    `json:"was_mhz"` // centre
	Now     uint64    `json:"now_mhz"` // the same unless it is taken there
	Plugs   []Plug    `json:"plugs"`   // cords that somebody has to move, first that at the channel's first end
	Left    optics.DB `json:"left_db"` // margin that it keeps when its lines are full, at the end of their life
}

// Plug is a cord that has to be moved: Loom sets devices, and nobody but a person moves a cord.
type Plug struct {
	Device string `json:"device"` // with the coherent port
	Port   string `json:"port"`
	Line   string `json:"line"` // into whose end it goes
	Site   string `json:"site"`
	Into   string `json:"into,omitempty"` // port of that end, where it is a device: "add-drop-1-3 of long-bj"
}

// String is the plug as it is said to who does it.
func (p Plug) String() string {
	return fmt.Sprintf("%s:%s into %s", p.Device, p.Port, cmp.Or(p.Into, "line "+p.Line+" at "+p.Site))
}

// plug is where the coherent port of one end of a channel is plugged in.
func (d *Design) plug(c *Channel, t *Terminal, line string) Plug {
	p := Plug{Device: t.Device, Port: t.Port, Line: line, Site: t.Site}
	for _, name := range d.Line(line).Devices {
		for _, m := range d.Device(name).Light.Media {
			if name == line+"-"+t.Site && m.Channel == c.Name {
				p.Into = m.Port + " of " + name
			}
		}
	}
	return p
}

// plugs are those of a channel at its ends.
func (d *Design) plugs(c *Channel) []Plug {
	return []Plug{d.plug(c, &c.A, c.Lines[0]), d.plug(c, &c.B, c.Lines[len(c.Lines)-1])}
}

// Stay is a channel that cannot be led over other lines, with what came of each way that there is.
type Stay struct {
	Channel string `json:"channel"`
	Why     string `json:"why"`
}

// maxWays bounds the ways that are tried for a channel, the shortest first, and maxLines the lines of one.
const (
	maxWays  = 8
	maxLines = 4
)

// Restore leads the channels that pass what has failed over other lines: ducts by name, or what ducts share. A channel keeps its ports, its
// mode and, where it is free there, its frequency; what is not lost stays as it is. Ways for which fewer cords have to be moved come before
// shorter ones. Every way is tried by compiling the changed intent, so what it returns closes with the margin that is asked. An error says that something of that name does not exist, or that the topology
// itself does not compile.
func Restore(t *topology.Topology, failed []string) (*Restoration, error) {
	r := &restorer{now: t, compiler: new(Compiler), lines: map[string]*intent.Line{}, moved: map[string]Move{}}
	design, diags := r.compiler.Compile(t)
	if diags.HasErrors() {
		return nil, diags
	}
	r.design = design
	for _, l := range t.Intent.GetLines() {
		r.lines[l.GetName()] = l
	}
	lost, err := design.linesOver(failed)
	if err != nil {
		return nil, err
	}
	groups := map[string][]*Channel{} // by DCI
	for i := range design.Channels {
		if c := &design.Channels[i]; slices.ContainsFunc(c.Lines, func(l string) bool { return lost[l] }) {
			groups[c.DCI] = append(groups[c.DCI], c)
		}
	}
	r.free = r.spectrum(design, groups)
	out := &Restoration{}
	for _, x := range design.DCIs {
		out.Stays = append(out.Stays, r.dci(design, groups[x.Name], lost)...)
	}
	out.Topology, out.Design = r.now, r.design
	for i := range design.Channels {
		if m, ok := r.moved[design.Channels[i].Name]; ok {
			m.Left = r.design.keeps(m.Channel)
			was := design.plugs(&design.Channels[i])
			at := slices.IndexFunc(r.design.Channels, func(c Channel) bool { return c.Name == m.Channel })
			m.Plugs = slices.DeleteFunc(r.design.plugs(&r.design.Channels[at]), func(p Plug) bool { return slices.Contains(was, p) })
			out.Moves = append(out.Moves, m)
		}
	}
	return out, nil
}

// linesOver are the lines that pass one of some ducts or things that ducts share.
func (d *Design) linesOver(failed []string) (map[string]bool, error) {
	out, known := map[string]bool{}, map[string]bool{}
	for _, w := range d.Ducts {
		known[w.Name] = true
		for _, share := range w.Shares {
			known[share] = true
		}
	}
	for _, name := range failed {
		if !known[name] {
			return nil, fmt.Errorf("%s: no duct, and nothing that ducts share; %s", name, oneOf(name, slices.Sorted(maps.Keys(known))))
		}
		for _, l := range d.Lines {
			if slices.Contains(l.Risks, name) || slices.Contains(l.Risks, "duct "+name) {
				out[l.Name] = true
			}
		}
	}
	return out, nil
}

// restorer moves channels one group after the other; what has been moved is part of the intent for the next.
type restorer struct {
	compiler *Compiler
	now      *topology.Topology
	design   *Design
	lines    map[string]*intent.Line
	free     map[string]*optics.Spectrum // of lines
	moved    map[string]Move
}

// spectrum is what the channels that stay take of each line.
func (r *restorer) spectrum(design *Design, lost map[string][]*Channel) map[string]*optics.Spectrum {
	out := map[string]*optics.Spectrum{}
	for name, l := range r.lines {
		out[name] = optics.NewSpectrum(gridOf(l))
	}
	for i := range design.Channels {
		c := &design.Channels[i]
		if slices.Contains(lost[c.DCI], c) {
			continue
		}
		for _, l := range c.Lines {
			out[l].Take(c.Slot)
		}
	}
	return out
}

// dci moves the channels of a DCI, as many as a way takes, and says why others stay.
func (r *restorer) dci(design *Design, channels []*Channel, lost map[string]bool) []Stay {
	if len(channels) == 0 {
		return nil
	}
	why := map[string][]string{}
	ways := r.ways(channels[0].A.Site, channels[0].B.Site, lost, design)
	for _, alike := range sameWay(channels) {
		for _, way := range leastHands(ways, alike[0].Lines) {
			r.move(slices.DeleteFunc(slices.Clone(alike), r.hasMoved), way, why)
		}
	}
	var out []Stay
	for _, c := range channels {
		if r.hasMoved(c) {
			continue
		}
		text := strings.Join(why[c.Name], "; ")
		if len(ways) == 0 {
			text = r.noWay(c, lost, design)
		}
		out = append(out, Stay{c.Name, text})
	}
	return out
}

func (r *restorer) hasMoved(c *Channel) bool {
	_, done := r.moved[c.Name]
	return done
}

// sameWay puts channels together that pass the same lines, in the order of the first of each.
func sameWay(channels []*Channel) (out [][]*Channel) {
	for _, c := range channels {
		at := slices.IndexFunc(out, func(g []*Channel) bool { return slices.Equal(g[0].Lines, c.Lines) })
		if at < 0 {
			at, out = len(out), append(out, nil)
		}
		out[at] = append(out[at], c)
	}
	return out
}

// leastHands are ways in the order in which they are tried for channels that pass some lines: first those that begin and end with
// the same lines, where ROADMs add and drop at the ports that the channels are plugged into already; the shortest first among equals.
func leastHands(ways [][]string, now []string) [][]string {
	cords := func(way []string) (n int) {
		if way[0] != now[0] {
			n++
		}
		if way[len(way)-1] != now[len(now)-1] {
			n++
		}
		return n
	}
	out := slices.Clone(ways)
	slices.SortStableFunc(out, func(a, b []string) int { return cmp.Compare(cords(a), cords(b)) })
	return out
}

// noWay tells why nothing leads around what is lost, and names the lines that would if they passed channels on.
func (r *restorer) noWay(c *Channel, lost map[string]bool, design *Design) string {
	text := fmt.Sprintf("no line that is left leads from %s to %s", c.A.Site, c.B.Site)
	ways := r.waysOver(c.A.Site, c.B.Site, lost, design, func(string) bool { return true })
	if len(ways) == 0 {
		return text
	}
	var lack []string
	for _, l := range ways[0] {
		if !r.passesOn(l) {
			lack = append(lack, l)
		}
	}
	return fmt.Sprintf("%s, and %s pass nothing on from one to the next without ROADMs: give %s ends: roadm", text, strings.Join(ways[0], " + "), strings.Join(lack, " and "))
}

// passesOn tells whether a line has ROADMs at its ends, which pass channels on to another line.
func (r *restorer) passesOn(line string) bool {
	return r.lines[line].GetEnds() == intent.LineEnds_LINE_ENDS_ROADM
}

// ways are the lines, or lines one behind the other with ROADMs between, that lead from a site to another, the shortest first.
func (r *restorer) ways(from, to string, lost map[string]bool, design *Design) [][]string {
	return r.waysOver(from, to, lost, design, r.passesOn)
}

// waysOver are ways on which lines are one behind the other only where they pass channels on.
func (r *restorer) waysOver(from, to string, lost map[string]bool, design *Design, passes func(line string) bool) [][]string {
	length := map[string]optics.Km{}
	ducts := map[string]optics.Km{}
	for _, w := range design.Ducts {
		ducts[w.Name] = w.Fiber.Length
	}
	for _, l := range design.Lines {
		for _, w := range l.Ducts {
			length[l.Name] += ducts[w]
		}
	}
	var out [][]string
	var extend func(at string, passed, way []string)
	extend = func(at string, passed, way []string) {
		if at == to {
			out = append(out, slices.Clone(way))
			return
		}
		for _, l := range design.Lines {
			next := l.B
			if at == l.B {
				next = l.A
			}
			last := next == to && len(way) == 0
			if lost[l.Name] || at != l.A && at != l.B || slices.Contains(passed, next) || !last && (!passes(l.Name) || len(way) == maxLines) {
				continue
			}
			extend(next, append(slices.Clone(passed), next), append(slices.Clone(way), l.Name))
		}
	}
	extend(from, []string{from}, nil)
	total := func(way []string) (sum optics.Km) {
		for _, l := range way {
			sum += length[l]
		}
		return sum
	}
	slices.SortFunc(out, func(a, b []string) int {
		return cmp.Or(cmp.Compare(total(a), total(b)), slices.Compare(a, b))
	})
	return out[:min(len(out), maxWays)]
}

// move leads channels over a way where there is room. Where not all of them close together, it tries each half.
func (r *restorer) move(channels []*Channel, way []string, why map[string][]string) {
	before := r.marks()
	var fit []*Channel
	var slots []optics.Slot
	for _, c := range channels {
		slot, err := r.slot(c, way)
		if err != nil {
			why[c.Name] = append(why[c.Name], strings.Join(way, " + ")+": "+err.Error())
			continue
		}
		for _, l := range way {
			r.free[l].Take(slot)
		}
		fit, slots = append(fit, c), append(slots, slot)
	}
	if len(fit) == 0 {
		return
	}
	next := proto.CloneOf(r.now.Intent)
	for i, c := range fit {
		redirect(next, c, way, slots[i])
	}
	topo := topology.New(next)
	design, diags := r.compiler.Compile(topo)
	switch {
	case !diags.HasErrors():
		r.now, r.design = topo, design
		for i, c := range fit {
			r.moved[c.Name] = Move{Channel: c.Name, From: c.Lines, To: way, Was: c.Slot.Centre(), Now: slots[i].Centre()}
		}
		return
	case len(fit) == 1:
		why[fit[0].Name] = append(why[fit[0].Name], strings.Join(way, " + ")+": "+firstError(diags))
	}
	r.free = before
	if len(fit) > 1 {
		r.move(fit[:len(fit)/2], way, why)
		r.move(fit[len(fit)/2:], way, why)
	}
}

// marks is what is taken of all lines, to come back to.
func (r *restorer) marks() map[string]*optics.Spectrum {
	out := make(map[string]*optics.Spectrum, len(r.free))
	for name, s := range r.free {
		out[name] = s.Clone()
	}
	return out
}

// slot is where a channel goes on a way: where it was, or else the lowest that is free on all lines.
func (r *restorer) slot(c *Channel, way []string) (optics.Slot, error) {
	if l := r.lines[way[0]]; l.GetEnds() == intent.LineEnds_LINE_ENDS_BARE && r.free[way[0]].Taken() > 0 {
		return optics.Slot{}, errors.New("carries a channel already, and nothing that joins channels")
	}
	var width optics.GHz
	for _, name := range way {
		w, err := gridOf(r.lines[name]).SlotWidth(c.Mode)
		if err != nil {
			return optics.Slot{}, err
		}
		width = max(width, w)
	}
	free := func(s optics.Slot) bool {
		return !slices.ContainsFunc(way, func(name string) bool { return gridOf(r.lines[name]).Allows(s) != nil || !r.free[name].Free(s) })
	}
	if own, err := optics.SlotAt(c.Slot.Centre(), width); err == nil && free(own) {
		return own, nil
	}
	room, err := gridOf(r.lines[way[0]]).Room(width)
	if err != nil {
		return optics.Slot{}, err
	}
	if at := slices.IndexFunc(room, free); at >= 0 {
		return room[at], nil
	}
	return optics.Slot{}, fmt.Errorf("none of %d slots of %v is free", len(room), width)
}

// redirect makes an intent lead a channel over a way.
func redirect(in *intent.Topology, c *Channel, way []string, slot optics.Slot) {
	for _, x := range in.GetDcis() {
		for _, own := range x.GetChannels() {
			if x.GetName() == c.DCI && own.GetNumber() == c.Number {
				own.Lines, own.Frequency, own.Slot, own.Low, own.High = way, uint32(slot.Centre()), 0, 0, 0
				own.Mode = c.Mode.Name // what "fastest" has come to over the lines that are lost
			}
		}
	}
}

// keeps is the margin of a channel when its lines are full at the end of their life, in the worse direction.
func (d *Design) keeps(channel string) optics.DB {
	at := slices.IndexFunc(d.Channels, func(c Channel) bool { return c.Name == channel })
	all, err := d.Margins(&d.Channels[at])
	if err != nil {
		return 0
	}
	return all[len(all)-1].Margin
}

func firstError(diags topology.Diagnostics) string {
	for _, d := range diags {
		if d.Severity == topology.Error {
			return d.Message
		}
	}
	return ""
}
