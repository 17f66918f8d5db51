package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
)

// guardGone: a policy, filter, set or limit is deleted, and what it was in is not.
func (j *judge) guardGone() []Risk {
	var out []Risk
	for _, m := range j.g.Kept {
		for _, c := range j.before(m.Path) {
			if !c.IsDefault() && !twin(c, j.d.After).Valid() && j.stays(m, c, j.d.After) {
				out = append(out, j.risk(c, m.Why))
			}
		}
	}
	return out
}

// unnamedGuardGone: as guardGone, of what the profile has no name for.
func (j *judge) unnamedGuardGone() []Risk {
	var out []Risk
	for _, m := range j.g.Kept {
		for _, u := range j.d.unnamed {
			if covers(j.path(m.Path), u) {
				out = append(out, Risk{Path: u.String(), Change: "deleted", Why: m.Why})
			}
		}
	}
	return out
}

// unapplied: a guard stays, and is not put to use where it was. One in place of another is none less.
func (j *judge) unapplied() []Risk {
	var out []Risk
	for _, m := range j.g.Applied {
		for _, c := range j.before(m.Path) {
			if len(values(twin(c, j.d.After))) < len(values(c)) && j.stays(m, c, j.d.After) {
				out = append(out, j.risk(c, m.Why))
			}
		}
	}
	return out
}

// opened: a leaf loses the value that keeps something out.
func (j *judge) opened() []Risk {
	var out []Risk
	for _, w := range j.g.Switches {
		path := j.path(w.Path)
		parent, leaf := path[:len(path)-1], path[len(path)-1].Name
		value := func(c config.Cursor) string {
			if c = below(c, leaf); c.Valid() {
				return c.Value()
			}
			return w.Absent
		}
		for _, c := range slices.Concat(nodes(j.d.Before, parent), missing(nodes(j.d.After, parent), j.d.Before)) {
			was, is := twin(c, j.d.Before), twin(c, j.d.After)
			if !held(c, j.d.Before) || !held(c, j.d.After) || value(was) != w.Closed || value(is) == w.Closed || c.IsEntry() && !is.Valid() {
				continue
			}
			at := c.Path().Child(leaf).String()
			out = append(out, Risk{Path: at, Change: j.changes(at), Why: w.Why})
		}
	}
	return out
}

// missing are the nodes that another tree does not have.
func missing(list []config.Cursor, t *config.Tree) []config.Cursor {
	return slices.DeleteFunc(list, func(c config.Cursor) bool { return twin(c, t).Valid() })
}

// Texts of terms that match too much.
const (
	matchesAll  = "the term matches everything: what it does to a match, it does to all that reaches it"
	matchesMore = "the term matches more than before: it no longer asks for the set"
	undefined   = "the term asks for %s, which has no members: it matches nothing, or everything"
	misordered  = "the first term that matches decides, so another decides from now on"
)

// emptied: a term had conditions and has none.
func (j *judge) emptied() []Risk {
	return j.terms(func(t driver.Terms, was, is config.Cursor) string {
		if was.Valid() && conditional(t, was) && !conditional(t, is) {
			return matchesAll
		}
		return ""
	})
}

// unconditional: a term without conditions comes into a list that is there already.
func (j *judge) unconditional() []Risk {
	return j.terms(func(t driver.Terms, was, is config.Cursor) string {
		if !was.Valid() && held(is, j.d.Before) && j.d.Before.Leaves() > 0 && !conditional(t, is) {
			return matchesAll
		}
		return ""
	})
}

// widened: a term that asked for a set asks for none of its kind, and has conditions still.
func (j *judge) widened() []Risk {
	return j.terms(func(t driver.Terms, was, is config.Cursor) string {
		if !was.Valid() || !conditional(t, is) {
			return ""
		}
		for _, s := range t.Sets {
			if len(asked(t, was, s.List)) > 0 && len(asked(t, is, s.List)) == 0 {
				return matchesMore
			}
		}
		return ""
	})
}

// setEmpty: a term asks for a set that has no members, and did not before.
func (j *judge) setEmpty() []Risk {
	return j.terms(func(t driver.Terms, was, is config.Cursor) string {
		for _, s := range t.Sets {
			for _, name := range values(deep(is, s.Ref)) {
				if !j.empty(j.d.After, s, name) || slices.Contains(values(deep(was, s.Ref)), name) && j.empty(j.d.Before, s, name) {
					continue
				}
				return fmt.Sprintf(undefined, name)
			}
		}
		return ""
	})
}

// empty tells whether a set has no members. Sets of a kind of which a tree holds none are not
// Loom's there, and nothing is known of them.
func (j *judge) empty(t *config.Tree, s driver.Set, name string) bool {
	path := j.path(s.List)
	sets := nodes(t, path)
	if len(sets) == 0 && len(nodes(j.d.Before, path)) == 0 {
		return false
	}
	for _, set := range sets {
		if set.Keys()[0] == name {
			return !slices.ContainsFunc(s.Members, func(m string) bool { return below(set, m).Valid() })
		}
	}
	return true
}

// terms asks about every term that is there afterwards; was is invalid for a new one.
func (j *judge) terms(wrong func(t driver.Terms, was, is config.Cursor) string) []Risk {
	var out []Risk
	for _, t := range j.g.Terms {
		for _, is := range j.after(t.List) {
			if why := wrong(t, twin(is, j.d.Before), is); why != "" {
				r := j.risk(is, why)
				if r.Change == "" {
					r.Change = "what it asks for changes"
				}
				out = append(out, r)
			}
		}
	}
	return out
}

// conditional tells whether a term has conditions.
func conditional(t driver.Terms, term config.Cursor) bool {
	match := deep(term, t.Match)
	return match.Valid() && !match.IsDefault()
}

// asked are the sets of a list that a term asks for.
func asked(t driver.Terms, term config.Cursor, list string) []string {
	var out []string
	for _, s := range t.Sets {
		if s.List == list {
			out = append(out, values(deep(term, s.Ref))...)
		}
	}
	return out
}

// reordered: terms that stay do so in another order.
func (j *judge) reordered() []Risk {
	var out []Risk
	for _, t := range j.g.Terms {
		seen := map[string]bool{}
		for _, c := range j.before(t.List) {
			list := c.Parent()
			at := list.Path().String()
			if seen[at] {
				continue
			}
			seen[at] = true
			other := twin(list, j.d.After)
			if other.Valid() && !slices.Equal(common(list, other), common(other, list)) {
				out = append(out, j.risk(list, misordered))
			}
		}
	}
	return out
}

// common are the entries of a list that another has too, in the order of the first.
func common(list, other config.Cursor) []string {
	var out []string
	for entry := range list.Children() {
		if other.Entry(entry.Keys()...).Valid() {
			out = append(out, strings.Join(entry.Keys(), "\x00"))
		}
	}
	return out
}

// renumbered: what others know a device by changes or goes.
func (j *judge) renumbered() []Risk { return j.changed(j.g.Identity) }

// retuned: what light is made with changes or goes, where the light stays.
func (j *judge) retuned() []Risk { return j.changed(j.g.Tuned) }

// changed are the nodes that change or go, in entries that stay.
func (j *judge) changed(nodes []driver.Meaning) []Risk {
	var out []Risk
	for _, m := range nodes {
		for _, c := range j.before(m.Path) {
			if is := twin(c, j.d.After); held(c, j.d.After) && (!is.Valid() || is.Hash() != c.Hash()) {
				out = append(out, j.risk(c, m.Why))
			}
		}
	}
	return out
}

// managementChanged: something by which people and Loom reach the device changes, comes or goes.
func (j *judge) managementChanged() []Risk {
	var out []Risk
	for _, m := range j.g.Management {
		for _, c := range j.before(m.Path) {
			if is := twin(c, j.d.After); !is.Valid() && !c.IsDefault() || is.Valid() && is.Hash() != c.Hash() {
				out = append(out, j.risk(c, m.Why))
			}
		}
		for _, c := range missing(j.after(m.Path), j.d.Before) {
			if !c.IsDefault() {
				out = append(out, j.risk(c, m.Why))
			}
		}
		for _, u := range j.d.unnamed {
			if covers(j.path(m.Path), u) {
				out = append(out, Risk{Path: u.String(), Change: "deleted", Why: m.Why})
			}
		}
	}
	return out
}
