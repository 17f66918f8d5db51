package fabric

import (
	"maps"
	"slices"
	"strings"
)

// Outage is what goes dark when one thing is cut: a duct, or what several ducts share.
type Outage struct {
	Risk     string // "duct river", "bridge-7"
	Ducts    []string
	Lines    []string
	Channels []string
	DCIs     []Loss
	Capacity int        // Gb/s of the channels
	Tenants  []Reach    // that span sites, and have less between them or go another way
	Islands  [][]string // groups of sites that DCIs still join, where it parts sites; nil where it does not
}

// Loss is what a DCI loses.
type Loss struct {
	DCI        string
	Lost, Left int // Gb/s
}

// Outages are what each duct and each thing that ducts share takes with it, ducts first, by name. It follows from the design alone.
func (d *Design) Outages() []Outage {
	o := d.exposure()
	var out []Outage
	for _, risk := range o.risks {
		out = append(out, d.cut(o, risk))
	}
	return out
}

// Cut is what one risk takes with it: "duct river", or what ducts share. False: no duct has it.
func (d *Design) Cut(risk string) (Outage, bool) {
	o := d.exposure()
	if !slices.Contains(o.risks, risk) {
		return Outage{}, false
	}
	return d.cut(o, risk), true
}

// exposure is a design by what can be cut.
type exposure struct {
	risks    []string
	ducts    map[string][]string // by risk
	lines    map[string][]string
	channels map[string][]*Channel // by line
	all      []Channel
	dcis     []DCI
	rate     map[string]int // of each DCI
	islands  int            // groups of sites that DCIs join, when nothing is cut
}

func (d *Design) exposure() *exposure {
	o := &exposure{ducts: map[string][]string{}, lines: map[string][]string{}, channels: map[string][]*Channel{}, all: d.Channels, dcis: d.DCIs, rate: map[string]int{}}
	for _, w := range d.Ducts {
		for _, risk := range append([]string{"duct " + w.Name}, w.Shares...) {
			o.ducts[risk] = append(o.ducts[risk], w.Name)
		}
	}
	o.risks = slices.SortedFunc(maps.Keys(o.ducts), func(a, b string) int {
		if x, y := strings.HasPrefix(a, "duct "), strings.HasPrefix(b, "duct "); x != y {
			return map[bool]int{true: -1, false: 1}[x]
		}
		return strings.Compare(a, b)
	})
	for _, l := range d.Lines {
		for _, risk := range l.Risks {
			o.lines[risk] = append(o.lines[risk], l.Name)
		}
	}
	for i := range d.Channels {
		c := &d.Channels[i]
		o.rate[c.DCI] += c.Mode.Rate
		for _, l := range c.Lines {
			o.channels[l] = append(o.channels[l], c)
		}
	}
	for _, x := range d.DCIs {
		o.rate[x.Name] += x.Cables
	}
	o.islands = len(o.groups(nil))
	return o
}

func (d *Design) cut(o *exposure, risk string) Outage {
	out := Outage{Risk: risk, Ducts: o.ducts[risk], Lines: o.lines[risk]}
	dark, lost := map[string]bool{}, map[string]int{}
	for _, l := range out.Lines {
		for _, c := range o.channels[l] {
			if dark[c.Name] {
				continue
			}
			dark[c.Name] = true
			lost[c.DCI] += c.Mode.Rate
			out.Capacity += c.Mode.Rate
		}
	}
	if len(dark) == 0 {
		return out
	}
	for i := range o.all {
		if dark[o.all[i].Name] {
			out.Channels = append(out.Channels, o.all[i].Name)
		}
	}
	for _, x := range o.dcis {
		if lost[x.Name] > 0 {
			out.DCIs = append(out.DCIs, Loss{x.Name, lost[x.Name], o.rate[x.Name] - lost[x.Name]})
		}
	}
	out.Tenants = slices.DeleteFunc(d.Reaches(lost), func(r Reach) bool { return !r.Less() })
	if groups := o.groups(lost); len(groups) > o.islands {
		out.Islands = groups
	}
	return out
}

// groups are the sites that DCIs with something left join, each sorted, by their first.
func (o *exposure) groups(lost map[string]int) [][]string {
	up := map[string]string{}
	var root func(site string) string
	root = func(site string) string {
		if next, ok := up[site]; ok && next != site {
			return root(next)
		}
		return site
	}
	for _, x := range o.dcis {
		a, b := root(x.A), root(x.B)
		up[a] = a
		if up[b] = b; o.rate[x.Name] > lost[x.Name] {
			up[max(a, b)] = min(a, b)
		}
	}
	members := map[string][]string{}
	for site := range up {
		members[root(site)] = append(members[root(site)], site)
	}
	var out [][]string
	for _, first := range slices.Sorted(maps.Keys(members)) {
		slices.Sort(members[first])
		out = append(out, members[first])
	}
	return out
}
