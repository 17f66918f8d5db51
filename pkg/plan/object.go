package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
)

// inUse are the objects of a tree that are in use: "name value-of-Each" to their paths.
func (s *search) inUse(t *config.Tree, kinds []driver.Object) map[string][]string {
	out := map[string][]string{}
	for _, o := range kinds {
		for _, c := range nodes(t, s.path(o.Path)) {
			if s.fulfils(t, c, o.Needs) {
				name := strings.TrimSpace(o.Name + " " + property(c, o.Each))
				out[name] = append(out[name], c.Path().String())
			}
		}
	}
	return out
}

func (s *search) fulfils(t *config.Tree, c config.Cursor, needs []driver.Need) bool {
	for _, n := range needs {
		at := t.Find(filled(s.path(n.Path), c))
		switch {
		case n.Is != "":
			if !at.Valid() || !slices.Contains(values(at), n.Is) {
				return false
			}
		case n.Not != "":
			if at.Valid() && at.Value() == n.Not {
				return false
			}
		case !at.Valid():
			return false
		}
	}
	return true
}

// filled is a path with {x} in its keys replaced by the key or leaf x of an object.
func filled(pattern config.Path, c config.Cursor) config.Path {
	out := slices.Clone(pattern)
	for i := range out {
		out[i].Keys = slices.Clone(out[i].Keys)
		for k := range out[i].Keys {
			out[i].Keys[k].Value = fill(out[i].Keys[k].Value, c)
		}
	}
	return out
}

// fill replaces every {x} of a text.
func fill(text string, c config.Cursor) string {
	var b strings.Builder
	for {
		start, rest, found := strings.Cut(text, "{")
		b.WriteString(start)
		if !found {
			return b.String()
		}
		var name string
		name, text, _ = strings.Cut(rest, "}")
		b.WriteString(property(c, name))
	}
}

// property is the leaf of an object, "." its own value, or the key of it or of an entry that it lies in; "" for none.
func property(c config.Cursor, name string) string {
	switch name {
	case "":
		return ""
	case ".":
		return c.Value()
	}
	if leaf := below(c, name); leaf.Valid() {
		return leaf.Value()
	}
	for at := holder(c); at.Valid(); at = holder(at) {
		for _, k := range keysOf(at) {
			if k.Name == name {
				return k.Value
			}
		}
	}
	return ""
}

// lost are the kinds of which objects were in use, and none of those still is.
func (j *judge) lost(kinds []driver.Object) []Risk {
	was, is := j.inUse(j.d.Before, kinds), j.inUse(j.d.After, kinds)
	var out []Risk
	for _, name := range sorted(was) {
		still := func(path string) bool { return slices.Contains(is[name], path) }
		if !slices.ContainsFunc(was[name], still) {
			out = append(out, Risk{Path: was[name][0], Change: ends(name, len(was[name]), len(is[name]))})
		}
	}
	return out
}

// ends says how many objects go, and how many others there will be.
func ends(name string, was, is int) string {
	if is == 0 {
		return fmt.Sprintf("%s: %d → none", name, was)
	}
	return fmt.Sprintf("%s: %d → %d others", name, was, is)
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// because gives risks their reason.
func because(risks []Risk, why string, refused bool) []Risk {
	for i := range risks {
		risks[i].Why, risks[i].Refused = why, refused
	}
	return risks
}

// uplinksGone: no link that the device has into the fabric stays in use.
func (j *judge) uplinksGone() []Risk {
	return because(j.lost(j.g.Uplinks), "the device is cut off from the fabric, for good or until others come up", false)
}

// sessionsGone: no session that the device has in a group stays.
func (j *judge) sessionsGone() []Risk {
	return because(j.lost(j.g.Sessions), "the device learns and announces nothing in the group, for good or until others come up", false)
}

// stitchesGone: a tenant or a segment is no longer joined with other sites. Each is looked at alone, for it is cut alone.
func (j *judge) stitchesGone() []Risk {
	return because(j.lost(j.g.Stitches), "its sites are apart as far as this gateway joined them, and altogether where no other one does", false)
}

// darkened: something that light passes or comes from goes, or is switched off.
func (j *judge) darkened() []Risk {
	return because(j.lost(j.g.Light), "what it carries is dark until others carry it", false)
}

// lockedOut: nothing of something that Loom cannot do without stays in use.
func (j *judge) lockedOut() []Risk {
	return because(j.lost(j.g.Access), "Loom could not reach the device to confirm, to verify or to undo", true)
}

// addressGone: the address at which Loom reaches the device is one of its own, and goes.
func (j *judge) addressGone() []Risk {
	var out []Risk
	for _, r := range j.lost(j.g.Addresses) {
		if strings.Contains(r.Path, "="+j.o.Reach[j.d.Name].String()+"/") {
			out = append(out, r)
		}
	}
	return because(out, "it is the address at which Loom reaches the device", true)
}

// inBandCut: Loom reaches the device through the fabric, and no uplink stays.
func (j *judge) inBandCut() []Risk {
	if !j.inBand() {
		return nil
	}
	return because(j.lost(j.g.Uplinks), "Loom reaches the device through the fabric, over these links", true)
}

// inBand tells whether Loom reaches the device at an address of the part that Loom owns.
func (j *judge) inBand() bool {
	reach := j.o.Reach[j.d.Name]
	for name := range j.inUse(j.d.Before, j.g.Addresses) {
		_, text, _ := strings.Cut(name, " ")
		if p, err := netip.ParsePrefix(text); err == nil && p.Addr() == reach {
			return true
		}
	}
	return false
}

// site is what a site's reflectors do in a plan.
type site struct {
	was     []string // devices that reflect, as far as they were looked at
	is      map[string]bool
	touched []Risk // one per device on which something changes that makes it a reflector
}

// sites looks at every device that was looked at, changing or not.
func (s *search) sites() map[string]*site {
	out := map[string]*site{}
	for _, list := range [][]Device{s.plan.Devices, s.plan.Steady} {
		for i := range list {
			d := &list[i]
			j := s.judge(d)
			at := out[d.Site]
			if at == nil {
				at = &site{is: map[string]bool{}}
				out[d.Site] = at
			}
			at.is[d.Name] = len(s.inUse(d.After, j.g.Reflectors)) > 0
			if len(s.inUse(d.Before, j.g.Reflectors)) > 0 {
				at.was = append(at.was, d.Name)
				at.touched = append(at.touched, j.reflection()...)
			}
		}
	}
	return out
}

// reflection is at most one risk: what changes of that which makes the device a reflector.
func (j *judge) reflection() []Risk {
	for _, m := range j.g.Reflecting {
		for _, c := range j.before(m.Path) {
			if is := twin(c, j.d.After); !is.Valid() || is.Hash() != c.Hash() {
				r := j.risk(c, m.Why)
				r.Device = j.d.Name
				return []Risk{r}
			}
		}
	}
	return nil
}

// reflectorsGone: of the reflectors of a site that were looked at none stays one.
func (s *search) reflectorsGone() []Risk {
	var out []Risk
	sites := s.sites()
	for _, name := range sorted(sites) {
		x := sites[name]
		if len(x.was) > 0 && !slices.ContainsFunc(x.was, func(d string) bool { return x.is[d] }) {
			out = append(out, Risk{
				Change: fmt.Sprintf("site %s: %s no longer reflect routes", name, strings.Join(x.was, ", ")),
				Why:    "leaves of the site learn no routes from each other",
			})
		}
	}
	return out
}

// reflectorsChange: every reflector of a site stays one, and what makes it one changes on each.
func (s *search) reflectorsChange() []Risk {
	var out []Risk
	sites := s.sites()
	for _, name := range sorted(sites) {
		x := sites[name]
		stay := slices.ContainsFunc(x.was, func(d string) bool { return x.is[d] })
		if stay && len(x.touched) == len(x.was) {
			out = append(out, x.touched...)
		}
	}
	return out
}

// manyDevices: more devices change, or are out of service, than one plan may take. New ones carry nothing yet.
func (s *search) manyDevices() []Risk {
	taken := map[string]bool{}
	for i := range s.plan.Devices {
		if d := &s.plan.Devices[i]; !d.New {
			taken[d.Name] = true
		}
	}
	changing := len(taken)
	for _, name := range s.o.Drained {
		taken[name] = true
	}
	most := s.o.MaxDevices
	if most == 0 {
		most = DefaultMaxDevices
	}
	if len(taken) <= most || changing == 0 {
		return nil
	}
	text := fmt.Sprintf("%s in service to change", count(changing, "device"))
	if more := len(taken) - changing; more > 0 {
		text += fmt.Sprintf(", %s drained", count(more, "more device"))
	}
	return []Risk{{Change: fmt.Sprintf("%s, at most %d", text, most), Why: "a mistake that no check finds takes that many devices"}}
}
