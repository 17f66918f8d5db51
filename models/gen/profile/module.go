package profile

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/openconfig/goyang/pkg/yang"

	"github.com/loomfabric/loom/pkg/config"
)

// A Module is what a module says of itself to those who read it (RFC 7950 §7.1.3, §7.1.7, §7.1.9).
type Module struct {
	Name         string
	Namespace    string
	Organization string
	Versions     []string // its newest revision in each release, in the order of Source.Releases; "" where a release lacks it
}

// Modules returns the modules of a source that have a revision, by name. The others are nobody's but ours: no device
// has heard of them.
func Modules(s Source) ([]Module, error) {
	if s.Availability == nil {
		s.Availability = s.Marks
	}
	ms := yang.NewModules()
	var errs []error
	for _, file := range sortedKeys(s.Modules) {
		errs = append(errs, ms.Parse(s.Modules[file], file))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var out []Module
	for name, m := range ms.Modules {
		if name == m.Name && len(m.Revision) > 0 { // goyang also lists a module by name@revision
			out = append(out, s.module(m))
		}
	}
	slices.SortFunc(out, func(a, b Module) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

func (s Source) module(m *yang.Module) Module {
	out := Module{Name: m.Name, Namespace: text(m.Namespace), Organization: text(m.Organization)}
	for r := range s.Releases {
		out.Versions = append(out.Versions, s.newest(m.Revision, r))
	}
	return out
}

// newest returns the last of the revisions that a release has; their dates sort as text does.
func (s Source) newest(revisions []*yang.Revision, release int) (date string) {
	for _, r := range revisions {
		if in := s.Availability(r, s.all()); in&(config.Releases(1)<<release) != 0 {
			date = max(date, r.Name)
		}
	}
	return date
}

func text(v *yang.Value) string {
	if v == nil {
		return ""
	}
	return strings.TrimSpace(v.Name)
}
