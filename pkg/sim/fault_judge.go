package sim

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
)

// judge checks a fault against what there is, and gives its zero fields their meaning. It changes nothing else.
func (s *Sim) judge(f *Fault) (*Kind, error) {
	kind, err := checked(f)
	if err != nil {
		return nil, err
	}
	if err := s.hasTarget(kind.At, f.Target); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Kind, err)
	}
	if kind.seat != nil {
		err = kind.seat.settle(s.byName[f.Target], f)
	}
	kind.complete(f)
	if err == nil && kind.judge != nil {
		err = kind.judge(s, f)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", f.Kind, f.Target, err)
	}
	return kind, nil
}

// complete gives the zero fields of a fault their meaning.
func (k *Kind) complete(f *Fault) {
	d := k.Default
	f.On, f.Boot, f.Loss = cmp.Or(f.On, d.On), cmp.Or(f.Boot, d.Boot), cmp.Or(f.Loss, d.Loss)
	f.Delay, f.Rate, f.Count = cmp.Or(f.Delay, d.Delay), cmp.Or(f.Rate, d.Rate), cmp.Or(f.Count, d.Count)
	f.Code, f.Path, f.Value = cmp.Or(f.Code, d.Code), cmp.Or(f.Path, d.Path), cmp.Or(f.Value, d.Value)
	if f.On == Now {
		f.Times = 1
	}
	if len(k.Forms) > 0 && (f.On != Now || !k.aboutSets()) { // else the form is about Sets, and there is none
		f.Form = cmp.Or(f.Form, k.Forms[0].Name)
	}
}

// checked returns the kind of a fault, if it has what the kind needs and nothing that it does not know.
func checked(f *Fault) (*Kind, error) {
	kind := kindOf(f.Kind)
	if kind == nil {
		return nil, fmt.Errorf("fault %q: no such kind; there is %s", f.Kind, strings.Join(kindNames(), ", "))
	}
	var errs []error
	given, may := f.Text(), kind.Parameters()
	for _, name := range kind.Needs {
		if given[name] == "" {
			errs = append(errs, fmt.Errorf("%s needs %s", f.Kind, name))
		}
	}
	for name := range f.sorted() {
		if !slices.Contains(may, name) {
			errs = append(errs, fmt.Errorf("%s takes no %s; it takes %s", f.Kind, name, cmp.Or(strings.Join(may, ", "), "nothing")))
		}
	}
	if _, err := config.ParsePath(f.Path); err != nil && f.Path != "" {
		errs = append(errs, fmt.Errorf("path: %w", err))
	}
	errs = append(errs, oneOf("form", f.Form, formNames(kind)), oneOf("boot", f.Boot, boots()))
	if slices.Contains(may, "on") {
		errs = append(errs, oneOf("on", f.On, kind.moments()))
	}
	if min(f.Times, f.Count, f.Rate, int(f.Delay), int(f.For)) < 0 {
		errs = append(errs, fmt.Errorf("%s: times, count, rate, delay and for are not negative", f.Kind))
	}
	return kind, errors.Join(append(errs, kind.agree(f)...)...)
}

// agree tells which parameters of a fault mean nothing beside each other.
func (k *Kind) agree(f *Fault) (errs []error) {
	now := cmp.Or(f.On, k.Default.On) == Now
	if now && k.aboutSets() && f.Form != "" {
		errs = append(errs, fmt.Errorf("form %s: says when at a Set the %s happens; say at which ones with on", f.Form, k.Name))
	}
	if !slices.Contains(k.Takes, "boot") {
		return errs
	}
	switch given := cmp.Or(f.Boot, k.Default.Boot) == bootGiven; {
	case given && f.Value == "":
		errs = append(errs, errors.New("boot given: the configuration is to be in value, as JSON"))
	case !given && f.Value != "":
		errs = append(errs, errors.New("value: is what a device boots with boot given; say so, or leave it out"))
	}
	return errs
}

// moments are the values of on that mean something to the kind: not all kinds can happen without a Set.
func (k *Kind) moments() []string {
	if k.start != nil {
		return moments[:]
	}
	return slices.DeleteFunc(slices.Clone(moments[:]), func(m string) bool { return m == Now })
}

// seat says which nodes the path of a fault may name.
type seat struct {
	leaf    bool   // a leaf or leaf-list that is no key; else any node
	state   bool   // state as well as configuration
	counted bool   // * in a key is a number that counts
	spoken  string // the value, as JSON, where none is given; "" means that the node is deleted then
}

// settle judges path and value of a fault for a device, and finds a path where it may be any and none is given.
func (s *seat) settle(d *Device, f *Fault) error {
	err := s.judge(d, f)
	if err == nil && s.counted && f.Path == "" {
		f.Path, err = d.freeLeaf(s, f.Value)
	}
	return err
}

// judge tells what is wrong with path and value of a fault for a device.
func (s *seat) judge(d *Device, f *Fault) error {
	switch {
	case f.Path == "" && f.Value == "":
		return nil
	case f.Path == "" && s.spoken == "" && !s.leaf:
		return errors.New("value: is given to the node at path; give a path too")
	case f.Path == "":
		if !json.Valid([]byte(f.Value)) {
			return fmt.Errorf("value %s: is not JSON; quote text, as in '\"x\"'", f.Value)
		}
		return nil
	}
	path := pathOf(f.Path)
	if s.counted {
		path = numbered(f.Path, 0)
	}
	value := cmp.Or(f.Value, s.spoken)
	id, err := d.node(path, value == "" && !s.leaf)
	if err == nil {
		err = s.allows(d.spec.Driver.Schema, id)
	}
	if err != nil {
		return fmt.Errorf("path %s: release %s: %w", f.Path, d.release(), err)
	}
	if value == "" {
		return nil
	}
	_, _, err = config.Parse(d.spec.Driver.Schema, d.release(), []byte(value), config.ParseOptions{At: path, Strict: true, State: true})
	switch {
	case err != nil && f.Value == "":
		return fmt.Errorf("path %s: cannot be %s, which is sent where no value is given; give one: %w", f.Path, value, err)
	case err != nil:
		return fmt.Errorf("value %s: want JSON that fits the node at path, text in quotes: %w", f.Value, err)
	}
	return nil
}

// allows tells whether a node is one that the seat is made for.
func (s *seat) allows(schema *config.Schema, id config.ID) error {
	n := schema.Nodes[id]
	isKey := n.Parent != id && slices.Contains(schema.Nodes[n.Parent].Keys, id)
	switch {
	case n.State && !s.state:
		return errors.New("is state, which no Set is about; name configuration")
	case isKey:
		return errors.New("is a key, which goes with its entry; name another leaf")
	case s.leaf && n.Kind != config.Leaf && n.Kind != config.LeafList:
		return errors.New("is no leaf; name one below it")
	}
	return nil
}

// node returns the schema node that a path names in the release that the device runs. All keys are there and fit
// their types; where wild, they may be * or missing.
func (d *Device) node(p config.Path, wild bool) (config.ID, error) {
	s, id := d.spec.Driver.Schema, config.Root
	release := s.Release(d.release())
	for i, e := range p {
		next := step(s, release, []config.ID{id}, config.Elem{Name: e.Name})
		if e.Name == "*" || e.Name == anyLevels {
			return 0, &config.PathError{Path: p[:i], Element: e.Name, Why: "names of nodes are not left open:"}
		}
		if len(next) == 0 {
			return 0, &config.PathError{Path: p[:i], Element: e.Name, Options: options(s, release, []config.ID{id})}
		}
		id = next[0]
		if err := checkKeys(s, next, e); err != nil {
			return 0, &config.PathError{Path: p[:i], Element: e.Name, Why: "has other keys:", Options: keyNames(s, id)}
		}
		for _, k := range s.Nodes[id].Keys {
			if err := keyFits(s, release, k, e, wild); err != nil {
				return 0, fmt.Errorf("%s: %w", p[:i+1], err)
			}
		}
	}
	return id, nil
}

// keyFits tells what is wrong with a key of an element.
func keyFits(s *config.Schema, release int, key config.ID, e config.Elem, wild bool) error {
	name := s.Nodes[key].Name
	switch v, ok := e.Key(name); {
	case wild && (!ok || v == "*"):
		return nil
	case !ok:
		return fmt.Errorf("has no key %s; name one entry, as in [%s=...]", name, name)
	case v == "*":
		return fmt.Errorf("key %s: * is many entries; name one", name)
	default:
		if _, err := s.Canonical(key, release, v); err != nil {
			return fmt.Errorf("key %s: %w", name, err)
		}
	}
	return nil
}

func keyNames(s *config.Schema, list config.ID) []string {
	var out []string
	for _, k := range s.Nodes[list].Keys {
		out = append(out, s.Nodes[k].Name)
	}
	return out
}
