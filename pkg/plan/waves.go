package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// NoCanary asks for no canary.
const NoCanary = -1

// CanaryFrom is how many devices may change without a canary that nobody asked for. Up to there the
// waves are small already, as groups cut them.
const CanaryFrom = 4

// DefaultOrder is the roles from the least critical to the most: a leaf takes its servers with it,
// which have another; a spine takes a share of every path; a gateway takes a site's way out. What gateways are joined
// by comes before them: a line, and what sends light into it.
var DefaultOrder = []string{"leaf", "spine", amplifying, "transponder", "gateway"}

// amplifying is the role of what amplifies the light of others.
const amplifying = "line"

// WaveOptions say how a plan is cut into waves. The zero value is what users get who ask for nothing.
type WaveOptions struct {
	// Canary is the devices that go before all others, as far as they change. Where none of them
	// does, Canaries counts: devices of the least critical role that go first. 0 is one, of a
	// plan that changes more than CanaryFrom devices.
	Canary   []string
	Canaries int
	Size     int           // most devices of a wave; 0: as many as groups allow
	Soak     time.Duration // time between a wave and the next, in which the first may turn out bad
	Order    []string      // roles, least critical first; others follow as in DefaultOrder, then by name
	Drain    DrainMode     // as it was asked for
	Armed    int           // most devices that hold a change unconfirmed at a time; 0: all
}

// Rollout is how the waves came about: what was asked for, and of every wave why it is one.
type Rollout struct {
	Canary []string  `json:"canary"`          // devices that go first
	Size   int       `json:"size,omitempty"`  // most devices of a wave
	Soak   Duration  `json:"soak,omitempty"`  // time between a wave and the next
	Order  []string  `json:"order"`           // roles of the plan, in the order in which they change
	Armed  int       `json:"armed,omitempty"` // most devices that hold a change unconfirmed at a time
	Drain  DrainMode `json:"drain,omitempty"` // which devices are drained for their change; absent: those whose change interrupts traffic
	Stages []Stage   `json:"stages"`          // one per wave
}

// Stage says of one wave what it is.
type Stage struct {
	Role       string  `json:"role"`                 // of all its devices
	Canary     bool    `json:"canary,omitempty"`     // it goes before all that are none
	Drained    bool    `json:"drained,omitempty"`    // devices of it are drained, so that it ends at a checkpoint
	Checkpoint bool    `json:"checkpoint,omitempty"` // what is unconfirmed after it is confirmed before the next
	Apart      []Apart `json:"apart,omitempty"`      // why devices are not in an earlier wave of their role
}

// Apart says why a device is not in an earlier wave.
type Apart struct {
	Device string `json:"device"`
	Wave   int    `json:"wave"` // the earlier one, from 1
	From   string `json:"from"` // a device of it
	Group  string `json:"group"`
}

// Duration is a time.Duration that is written as text: "30s".
type Duration time.Duration

// MarshalText writes it as time.ParseDuration reads it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// Cut sorts the devices into waves: canaries first, then role by role, least critical first. Two
// members of one redundancy group never share a wave, so that a bad change can take away one side
// only. The waves depend on the devices and the options, not on the order of the devices.
//
// Both ends of a channel whose light is made anew share a wave where groups and size let them, canaries too: from the first
// to the second the channel is dark.
//
// It is a greedy colouring: in the order of names each device takes the first wave of its role that
// holds no member of its groups and has room. At most as many waves refuse a device as it shares
// groups with others, and, with n devices and waves of size s, (n-1)/s for being full; so a role
// has at most 1 + degree + (n-1)/s waves, canaries counted apart. Ends of channels that go together count as one device
// with the groups of both.
func (p *Plan) Cut(o WaveOptions) {
	p.Rollout = Rollout{Canary: []string{}, Size: o.Size, Soak: Duration(o.Soak), Armed: o.Armed, Drain: o.Drain, Order: roles(p.Devices, o.Order)}
	slices.SortFunc(p.Devices, func(a, b Device) int {
		return cmp.Or(cmp.Compare(p.rank(&a), p.rank(&b)), natural(a.Name, b.Name))
	})
	canary := o.canaries(p)
	c := cutter{limit: o.limit(), rollout: &p.Rollout, placed: map[string]bool{}}
	for _, first := range []bool{true, false} {
		for i := range p.Devices {
			if d := &p.Devices[i]; canary[d.Name] == first && !c.placed[d.Name] {
				c.place(p.unit(d, func(other string) bool { return canary[other] == first && !c.placed[other] }), first)
			}
		}
	}
	p.Waves = c.names()
	c.checkpoints(o.Armed)
	p.sortByWave()
}

// roles are those of the devices, in the order in which they change.
func roles(devices []Device, asked []string) []string {
	order := slices.Concat(asked, DefaultOrder)
	place := func(role string) int {
		if i := slices.Index(order, role); i >= 0 {
			return i
		}
		return len(order)
	}
	out := []string{}
	for i := range devices {
		if !slices.Contains(out, devices[i].Role) {
			out = append(out, devices[i].Role)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(place(a)-place(b), strings.Compare(a, b)) })
	return out
}

// rank orders devices by their roles. What only makes less light goes before what amplifies: power that is lowered where
// light begins and made up for on the way must not be amplified first.
func (p *Plan) rank(d *Device) int {
	at := slices.Index(p.Rollout.Order, d.Role)
	if line := slices.Index(p.Rollout.Order, amplifying); d.Dims && line >= 0 {
		return 2*min(at, line) - 1
	}
	return 2 * at
}

// limit is the most devices of one wave; 0 for none.
func (o WaveOptions) limit() int {
	if o.Size > 0 && o.Armed > 0 {
		return min(o.Size, o.Armed)
	}
	return max(o.Size, o.Armed)
}

// canaries chooses, from devices that are sorted by role and name, those that go first.
func (o WaveOptions) canaries(p *Plan) map[string]bool {
	out := map[string]bool{}
	for i := range p.Devices {
		if name := p.Devices[i].Name; slices.Contains(o.Canary, name) {
			out[name] = true
		}
	}
	if len(out) == 0 {
		o.first(p, out)
	}
	for i := range p.Devices {
		if name := p.Devices[i].Name; out[name] {
			for _, far := range p.farEnds(&p.Devices[i]) {
				out[far.Name] = true
			}
		}
	}
	for i := range p.Devices {
		if name := p.Devices[i].Name; out[name] {
			p.Rollout.Canary = append(p.Rollout.Canary, name)
		}
	}
	return out
}

// first adds as many devices of the least critical role as are asked for.
func (o WaveOptions) first(p *Plan, out map[string]bool) {
	n := o.Canaries
	if n == 0 && len(p.Devices) > CanaryFrom {
		n = 1
	}
	for i := range p.Devices {
		if len(out) >= n || p.rank(&p.Devices[i]) > 0 {
			return
		}
		out[p.Devices[i].Name] = true
	}
}

// cutter holds the waves so far. Those of one role follow each other; from is the first of the
// role that is being placed.
type cutter struct {
	limit   int
	from    int
	waves   []open
	rollout *Rollout
	placed  map[string]bool // devices that are in a wave
}

// open is a wave that may take more devices.
type open struct {
	devices []string
	groups  map[string]string // redundancy group to its member in the wave
}

// farEnds are the devices whose light is made anew together with that of a device, of its rank.
func (p *Plan) farEnds(d *Device) []*Device {
	var out []*Device
	for _, name := range d.Together {
		if far := p.Device(name); far != nil && len(d.stages()) > 0 && len(far.stages()) > 0 && p.rank(far) == p.rank(d) {
			out = append(out, far)
		}
	}
	return out
}

// unit is a device with those of its far ends that may share a wave with it, and with each other.
func (p *Plan) unit(d *Device, free func(device string) bool) []*Device {
	w := open{groups: map[string]string{}}
	w.add(d)
	out := []*Device{d}
	for _, far := range p.farEnds(d) {
		if group, _ := w.conflict(far); group == "" && free(far.Name) {
			w.add(far)
			out = append(out, far)
		}
	}
	return out
}

// place puts devices that belong together into the first wave of their role that takes them all. Those that are more than a wave
// may hold are placed one by one.
func (c *cutter) place(unit []*Device, canary bool) {
	if c.limit > 0 && len(unit) > c.limit {
		for _, d := range unit {
			c.place([]*Device{d}, canary)
		}
		return
	}
	role, stages := unit[0].Role, &c.rollout.Stages
	if n := len(*stages); n == 0 || (*stages)[n-1].Role != role || (*stages)[n-1].Canary != canary {
		c.from = n
	}
	var apart []Apart
	for i := c.from; ; i++ {
		if i == len(c.waves) {
			c.waves = append(c.waves, open{groups: map[string]string{}})
			*stages = append(*stages, Stage{Role: role, Canary: canary})
		}
		w := &c.waves[i]
		if found := w.conflicts(unit, i+1); len(found) > 0 {
			apart = append(apart, found...)
			continue
		}
		if c.limit > 0 && len(w.devices)+len(unit) > c.limit {
			continue
		}
		for _, d := range unit {
			w.add(d)
			c.placed[d.Name] = true
			(*stages)[i].Drained = (*stages)[i].Drained || d.Drain != nil
		}
		(*stages)[i].Apart = append((*stages)[i].Apart, apart...)
		return
	}
}

// conflicts say which of some devices a wave does not take, whose number counts from 1.
func (w *open) conflicts(unit []*Device, number int) (out []Apart) {
	for _, d := range unit {
		if group, other := w.conflict(d); group != "" {
			out = append(out, Apart{d.Name, number, other, group})
		}
	}
	return out
}

// conflict names a group of the device that has a member in the wave, and the member.
func (w *open) conflict(d *Device) (group, member string) {
	for _, g := range d.Groups {
		if other, ok := w.groups[g]; ok {
			return g, other
		}
	}
	return "", ""
}

func (w *open) add(d *Device) {
	w.devices = append(w.devices, d.Name)
	for _, g := range d.Groups {
		w.groups[g] = d.Name
	}
}

func (c *cutter) names() [][]string {
	out := [][]string{}
	for _, w := range c.waves {
		out = append(out, w.devices)
	}
	return out
}

// checkpoints ends a span of waves where the next one would make it hold too many devices, and behind each
// wave with drained devices: they carry traffic again before the next ones are drained.
func (c *cutter) checkpoints(armed int) {
	held := 0
	for i, w := range c.waves {
		last := max(i-1, 0)
		if i > 0 && c.rollout.Stages[last].Drained || armed > 0 && held+len(w.devices) > armed {
			c.rollout.Stages[last].Checkpoint = true
			held = 0
		}
		held += len(w.devices)
	}
}

// sortByWave brings the devices into the order in which they change.
func (p *Plan) sortByWave() {
	number := map[string]int{}
	for i, wave := range p.Waves {
		for _, name := range wave {
			number[name] = i
		}
	}
	slices.SortStableFunc(p.Devices, func(a, b Device) int { return number[a.Name] - number[b.Name] })
}

// natural compares names so that leaf2 comes before leaf10.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, y := chunk(a), chunk(b)
		if x != y {
			return cmp.Or(byNumber(x, y), strings.Compare(x, y))
		}
		a, b = a[len(x):], b[len(y):]
	}
	return strings.Compare(a, b)
}

// chunk is the digits, or the other bytes, that a text begins with.
func chunk(s string) string {
	for i := 1; i < len(s); i++ {
		if isDigit(s[i]) != isDigit(s[0]) {
			return s[:i]
		}
	}
	return s
}

// byNumber compares two runs of digits by what they count; 0 for anything else.
func byNumber(x, y string) int {
	if !isDigit(x[0]) || !isDigit(y[0]) {
		return 0
	}
	x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
	return cmp.Or(len(x)-len(y), strings.Compare(x, y))
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
