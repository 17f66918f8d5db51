package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/fabric"
)

// locate names what the stretches that take too much have in common: one cut of a duct, or of what ducts share, is one finding,
// whatever lines it takes, in both directions. A duct through which another line still passes is not it, if there is another.
func (k *checker) locate(bad []stretch, passes map[string][]string) {
	var lost, lossy, plugged []stretch
	for _, s := range bad {
		switch {
		case len(s.ducts) == 0:
			plugged = append(plugged, s)
		case s.lost:
			lost = append(lost, s)
		default:
			lossy = append(lossy, s)
		}
	}
	for len(lost) > 0 {
		var culprit suspect
		culprit, lost = k.suspects(lost, passes)
		k.duct(FibreCut, Error, "is cut", &culprit, k.dark)
	}
	for len(lossy) > 0 {
		var culprit suspect
		culprit, lossy = k.suspects(lossy, nil)
		k.duct(FibreLoss, Warning, "takes more light than planned", &culprit, k.dim)
	}
	k.connectors(slices.DeleteFunc(plugged, k.lostBefore))
}

// lostBefore tells whether a channel loses light on another line that it passes before, so that nothing can be said of what it is plugged into.
func (k *checker) lostBefore(s stretch) bool {
	if s.channel == nil || s.at != nil && s.at.Site == s.way.from {
		return false
	}
	return slices.ContainsFunc(k.index.path(s.channel, otherEnd(s.channel, s.way.to).Site), func(w *way) bool {
		return w.key != s.way.key && k.touched(w.key)
	})
}

// suspect is what explains some stretches.
type suspect struct {
	object   string // "river", "north1 or north2", "bridge-7 (east, river)"
	names    []string
	ref      fabric.Ref
	explains []stretch
}

// suspects finds what explains most of some stretches, a duct before what ducts share, and returns the stretches that it leaves.
func (k *checker) suspects(bad []stretch, passes map[string][]string) (suspect, []stretch) {
	explains := map[string][]int{} // by risk
	for i, s := range bad {
		for _, risk := range k.risks(&s, passes) {
			explains[risk] = append(explains[risk], i)
		}
	}
	risks := slices.SortedFunc(maps.Keys(explains), func(a, b string) int {
		if n := len(explains[b]) - len(explains[a]); n != 0 {
			return n
		}
		if x, y := isDuct(a), isDuct(b); x != y {
			return map[bool]int{true: -1, false: 1}[x]
		}
		return strings.Compare(a, b)
	})
	first := risks[0]
	out := suspect{object: strings.TrimPrefix(first, ductRisk)}
	out.names = []string{out.object}
	if isDuct(first) {
		out.ref = k.index.light().ducts[out.object].Ref
		for _, other := range risks[1:] {
			if isDuct(other) && slices.Equal(explains[other], explains[first]) {
				name := strings.TrimPrefix(other, ductRisk)
				out.object, out.names = out.object+" or "+name, append(out.names, name)
			}
		}
	} else {
		var members []string
		for _, name := range slices.Sorted(maps.Keys(k.index.light().ducts)) {
			if d := k.index.light().ducts[name]; slices.Contains(d.Shares, first) {
				members, out.ref = append(members, name), d.Ref
			}
		}
		out.object += " (" + strings.Join(members, ", ") + ")"
	}
	var rest []stretch
	for i, s := range bad {
		if slices.Contains(explains[first], i) {
			out.explains = append(out.explains, s)
		} else {
			rest = append(rest, s)
		}
	}
	return out, rest
}

// ductRisk begins the name of a duct where it stands beside what ducts share, as in fabric.Line.
const ductRisk = "duct "

func isDuct(risk string) bool { return strings.HasPrefix(risk, ductRisk) }

// risks are what may have taken the light of a stretch: its ducts and what they share, but for those that light of another line passes.
func (k *checker) risks(s *stretch, passes map[string][]string) []string {
	others := func(duct string) bool {
		return slices.ContainsFunc(passes[duct], func(line string) bool { return line != s.way.line.Name })
	}
	ducts := slices.DeleteFunc(slices.Clone(s.ducts), others)
	if len(ducts) == 0 {
		ducts = s.ducts
	}
	var out []string
	for _, name := range ducts {
		out = append(out, ductRisk+name)
		for _, share := range k.index.light().ducts[name].Shares {
			if !slices.Contains(out, share) && !k.anyPasses(share, others) {
				out = append(out, share)
			}
		}
	}
	return out
}

// anyPasses tells whether one of the ducts that share something still passes light.
func (k *checker) anyPasses(share string, passes func(duct string) bool) bool {
	for name, d := range k.index.light().ducts {
		if slices.Contains(d.Shares, share) && passes(name) {
			return true
		}
	}
	return false
}

// duct drafts the finding of a duct, and notes of which lines it takes the light.
func (k *checker) duct(kind Kind, severity Severity, verb string, culprit *suspect, takes map[wayKey][]string) {
	c := &Contract{Object: culprit.object, Ref: culprit.ref}
	for _, s := range culprit.explains {
		c.Far = append(c.Far, s.devices...)
	}
	c.Device, c.Far = c.Far[0], c.Far[1:]
	f := k.draft(kind, severity, c, verb)
	f.Ducts = culprit.names
	ways := map[string]int{}
	for _, s := range culprit.explains {
		takes[s.way.key] = append(takes[s.way.key], f.ID)
		ways[s.way.line.Name]++
		if kind == FibreLoss {
			f.says(s.way.line.Name, "loses %.1f dB more than planned from %s to %s", s.excess, s.from, s.to)
		}
	}
	for _, s := range culprit.explains {
		if kind == FibreCut {
			f.says(s.way.line.Name, "%s", cutText(&s, ways[s.way.line.Name] > 1))
		}
	}
	if !slices.Contains(slices.Collect(maps.Values(ways)), 2) {
		f.evidence = append(f.evidence, "one way only: one fibre or a connector of it")
	}
	if only := onlyWitness(culprit.explains); only != nil {
		f.evidence = append(f.evidence, fmt.Sprintf("one channel alone tells: a cord or connector at %s:%s or %s:%s would look the same",
			only.A.Device, only.A.Port, only.B.Device, only.B.Port))
	}
}

// onlyWitness is the channel by which all of some stretches were measured, if there is but one.
func onlyWitness(all []stretch) *fabric.Channel {
	for i := range all {
		if all[i].alone == nil || all[i].alone != all[0].alone {
			return nil
		}
	}
	return all[0].alone
}

// cutText says between where light is lost; the same from both directions.
func cutText(s *stretch, both bool) string {
	if both {
		return fmt.Sprintf("passes no light between %s and %s", min(s.from, s.to), max(s.from, s.to))
	}
	return fmt.Sprintf("passes no light from %s to %s", s.from, s.to)
}

// connectors drafts the findings of light that is lost where something is plugged in: for one channel, or all of a line. What is lost there in both
// directions is one finding.
func (k *checker) connectors(bad []stretch) {
	var objects []string
	at := map[string][]stretch{}
	for _, s := range bad {
		object := s.way.line.Name + " at " + s.from
		if s.channel != nil {
			object = k.culpritEnd(&s)
		}
		if at[object] == nil {
			objects = append(objects, object)
		}
		at[object] = append(at[object], s)
	}
	for _, object := range objects {
		k.connector(object, at[object])
	}
}

func (k *checker) connector(object string, where []stretch) {
	s := &where[0]
	c := &Contract{Object: object, Ref: s.way.line.Ref}
	what, key := s.way.line.Name, s.way.key
	if s.channel != nil {
		what, key = s.channel.Name, wayKey{line: s.channel.Name} // of the channel alone, whatever the line
		c.Ref, c.Channel, c.Device, c.Far = s.channel.Ref, s.channel.Name, s.channel.A.Device, []string{s.channel.B.Device}
	} else {
		c.Device, c.Far = s.devices[0], s.devices[1:]
	}
	lost := 0
	for i := range where {
		if where[i].lost {
			lost++
		}
	}
	severity, verb, takes := Warning, "has a bad connector or cord", k.dim
	switch {
	case lost == len(where) && lost > 1:
		severity, verb, takes = Error, "is not plugged in, or has a broken cord", k.dark
	case lost > 0:
		severity, takes = Error, k.dark
	}
	f := k.draft(ConnectorLoss, severity, c, verb)
	for i := range where {
		f.says(what, "loses %.1f dB more than planned from %s to %s", where[i].excess, where[i].from, where[i].to)
	}
	if s.channel != nil {
		if lost == 1 && len(where) == 1 {
			f.evidence = append(f.evidence, "one way only: one fibre of the cord, or a laser far from its frequency")
		}
		if object == s.channel.Name {
			f.evidence = append(f.evidence, fmt.Sprintf("at %s:%s or at %s:%s, which this line does not tell",
				s.channel.A.Device, s.channel.A.Port, s.channel.B.Device, s.channel.B.Port))
		}
	}
	takes[key] = append(takes[key], f.ID)
}

// culpritEnd is the end of a channel where it loses its light, as far as that can be told. What is lost before an amplifier is lost from the
// OSNR too, as that adds the same noise to less light; what is lost behind the last one is not.
func (k *checker) culpritEnd(s *stretch) string {
	c := s.channel
	if s.at != nil {
		return c.Name + " at " + Far{s.at.Device, s.at.Port}.String()
	}
	to, from := terminalAt(c, s.way.to), terminalAt(c, s.way.from)
	p, _ := k.optical(to)
	want := k.index.light().expected[c.Name].There
	if to == &c.A {
		want = k.index.light().expected[c.Name].Back
	}
	if len(s.way.points) == 2 || p.OSNR == nil || float64(want.Verdict.OSNR) > osnrSeen {
		return c.Name
	}
	if float64(want.Verdict.OSNR)-*p.OSNR > s.excess/2 {
		to = from
	}
	return c.Name + " at " + Far{to.Device, to.Port}.String()
}

// isLight tells whether findings of a kind are about light.
func isLight(kind Kind) bool {
	switch kind {
	case ConnectorLoss, SpectrumShut, ChannelDown, OffPlan, MarginLow, MarginFalling, CapacityLost:
		return true
	}
	return false
}

// belowLight returns the IDs of what takes the light of a channel, or some of it.
func (k *checker) belowLight(f *draft) []string {
	plan, ch := k.index.light(), k.index.light().channels[f.contract.Channel]
	if ch == nil || f.Kind == ConnectorLoss {
		return nil
	}
	var dark, dim []string
	keys := []wayKey{{line: ch.Name}}
	for i := range plan.ways {
		if slices.Contains(ch.Lines, plan.ways[i].line.Name) {
			keys = append(keys, plan.ways[i].key)
		}
	}
	for _, key := range keys {
		dark, dim = append(dark, k.dark[key]...), append(dim, k.dim[key]...)
	}
	for _, end := range []fabric.Terminal{ch.A, ch.B} {
		at := terminalObject(&end, ch)
		dark = append(dark, id(LaserOff, at), id(Mistuned, at))
	}
	if f.Kind == SpectrumShut { // no light, nothing to pass
		return append(dark, id(DeviceUnreachable, ch.A.Device), id(DeviceUnreachable, ch.B.Device))
	}
	dark = append(dark, id(Mistuned, ch.Name))
	for _, name := range k.lineDevices(ch) {
		dark = append(dark, id(SpectrumShut, ch.Name+" at "+name))
		if f.Kind == ChannelDown {
			dim = append(dim, id(DeviceUnreachable, name))
		}
	}
	switch f.Kind {
	case ChannelDown:
		if k.some(dark) {
			return dark
		}
		return dim
	case OffPlan:
		return append(dark, dim...)
	default: // margins
		return append(append(dark, dim...), id(OffPlan, ch.Name))
	}
}

func (k *checker) lineDevices(ch *fabric.Channel) []string {
	var out []string
	for i := range k.index.design.Lines {
		if l := &k.index.design.Lines[i]; slices.Contains(ch.Lines, l.Name) {
			out = append(out, l.Devices...)
		}
	}
	return out
}

// some tells whether one of some findings was found.
func (k *checker) some(ids []string) bool {
	return slices.ContainsFunc(ids, func(one string) bool { return k.byID[one] != nil })
}
