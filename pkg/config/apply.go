package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/openconfig/gnmi/proto/gnmi"
)

// ErrUnimplemented is the cause where a request asks for what Apply does not have: union_replace,
// and encodings other than JSON_IETF, JSON and scalars.
var ErrUnimplemented = errors.New("not implemented")

// Apply returns the tree after a request, by gNMI §3.4; t stays as it is. Mistakes in paths are
// *PathError, in values and in the result as a whole (mandatory leaves, references) *ValueError.
// Deleting what is absent is fine; deletes may use wildcards, and a list without keys means all
// its entries. An update adds to a leaf-list, a replace replaces it. Origin and target are the
// caller's business.
func Apply(t *Tree, req *gnmi.SetRequest) (*Tree, error) { return ApplyFor(t, req, Cause{}) }

// ApplyFor is Apply, and gives the leaves and leaf-lists that are written one by one a cause. Nodes that come
// in a document have none.
func ApplyFor(t *Tree, req *gnmi.SetRequest, why Cause) (*Tree, error) {
	if len(req.GetUnionReplace()) > 0 {
		return nil, fmt.Errorf("union_replace: %w", ErrUnimplemented)
	}
	d, err := newDraft(t.schema, t.Release())
	if err != nil {
		return nil, err
	}
	defer d.free()
	d.load(t)
	a := applier{d: d, prefix: req.GetPrefix()}
	if why != (Cause{}) {
		a.cause = d.causeIndex(why)
	}
	if err := a.all(req); err != nil {
		return nil, err
	}
	return after(t, d.freeze())
}

// after refuses a result that is not valid, except for what was not valid before.
func after(before, result *Tree) (*Tree, error) {
	mistakes := result.invalid(nil)
	if len(mistakes) == 0 {
		return result, nil
	}
	known := map[string]bool{}
	for _, e := range before.invalid(nil) {
		known[e.Error()] = true
	}
	var errs []error
	for _, e := range mistakes {
		if !known[e.Error()] {
			errs = append(errs, e)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return result, nil
}

type applier struct {
	d      *draft
	prefix *gnmi.Path
	cause  uint32
	doc    uint32
}

func (a *applier) all(req *gnmi.SetRequest) error {
	for i, p := range req.GetDelete() {
		if err := a.deletion(p); err != nil {
			return fmt.Errorf("delete %d: %w", i, err)
		}
	}
	for i, u := range req.GetReplace() {
		if err := a.write(u, true); err != nil {
			return fmt.Errorf("replace %d: %w", i, err)
		}
	}
	for i, u := range req.GetUpdate() {
		if err := a.write(u, false); err != nil {
			return fmt.Errorf("update %d: %w", i, err)
		}
	}
	return nil
}

func (a *applier) deletion(p *gnmi.Path) error {
	path, err := FromGNMI(a.prefix, p)
	if err != nil {
		return &PathError{Path: nil, Element: fmt.Sprint(p), Why: err.Error() + ":"}
	}
	if err := a.d.x.writable(path, a.d.release); err != nil {
		return err
	}
	return a.delete(0, path)
}

// writable checks that a path names configuration of a release. Keys are checked where they are used.
func (x *index) writable(p Path, release int) error {
	id := Root
	for n, e := range p {
		if e.Name == "*" {
			return nil // what is below differs; delete takes what it finds
		}
		next, ok := x.child(id, e.Name, release)
		if !ok {
			return &PathError{Path: p[:n], Element: e.Name, Options: x.options(id, release)}
		}
		node := &x.schema.Nodes[next]
		if node.State {
			return &PathError{Path: p[:n], Element: e.Name, Why: "state cannot be written:"}
		}
		if err := x.onlyKeys(node, e, func() Path { return p[:n].Child(e.Name) }); err != nil {
			return err
		}
		id = next
	}
	return nil
}

// delete removes what a path that may have wildcards matches below a node.
func (a *applier) delete(at int32, p Path) error {
	if len(p) == 0 {
		if at == 0 {
			a.d.clear(0)
			return nil
		}
		return a.remove(at)
	}
	for _, i := range a.matching(at, p[0].Name) {
		if err := a.deleteIn(i, p); err != nil {
			return err
		}
	}
	return nil
}

// remove removes one node. A key goes only with its entry.
func (a *applier) remove(i int32) error {
	if a.d.nodes[i].shape == leafShape && a.d.x.isKey[a.d.nodes[i].id] {
		return &ValueError{Path: a.d.path(i), Err: errors.New("is a key: delete the entry instead")}
	}
	a.d.remove(i)
	return nil
}

// matching returns the children of a node with a name, or all.
func (a *applier) matching(at int32, name string) []int32 {
	var out []int32
	for i := a.d.nodes[at].first; i != 0; i = a.d.nodes[i].next {
		key := a.d.nodes[i].shape == leafShape && a.d.x.isKey[a.d.nodes[i].id]
		if a.d.schema(i).Name == name || name == "*" && !key {
			out = append(out, i)
		}
	}
	return out
}

// deleteIn goes on in a child that the first element of the path matches.
func (a *applier) deleteIn(i int32, p Path) error {
	if a.d.nodes[i].shape != listShape || len(p) == 1 && len(p[0].Keys) == 0 {
		return a.delete(i, p[1:])
	}
	entries, err := a.entries(i, p[0])
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := a.delete(entry, p[1:]); err != nil {
			return err
		}
	}
	return nil
}

// entries returns the entries of a list that the keys of an element match. Either all keys are
// given (gNMI §3.4.5), or none, which means all entries.
func (a *applier) entries(list int32, e Elem) ([]int32, error) {
	want := make([]handle, len(a.d.schema(list).Keys)) // zero: any
	for k, id := range a.d.schema(list).Keys {
		n := &a.d.x.schema.Nodes[id]
		v, ok := e.Key(n.Name)
		switch {
		case !ok && len(e.Keys) > 0:
			return nil, &PathError{Path: a.d.path(list), Element: n.Name, Why: "missing key"}
		case !ok || v == "*":
			continue
		}
		c, err := a.d.x.check(n.Type, a.d.release, v)
		if err != nil {
			return nil, &ValueError{Path: a.d.path(list).Child(n.Name), Value: v, Err: err}
		}
		want[k] = c.text
	}
	var out []int32
	for i := a.d.nodes[list].first; i != 0; i = a.d.nodes[i].next {
		if a.hasKeys(i, want) {
			out = append(out, i)
		}
	}
	return out, nil
}

func (a *applier) hasKeys(entry int32, want []handle) bool {
	for k, id := range a.d.schema(entry).Keys {
		if !want[k].none() && !a.d.nodes[a.d.find(entry, id)].value.is(want[k]) {
			return false
		}
	}
	return true
}

// write does one replace or update.
func (a *applier) write(u *gnmi.Update, replace bool) error {
	path, err := FromGNMI(a.prefix, u.GetPath())
	if err != nil {
		return &PathError{Path: nil, Element: fmt.Sprint(u.GetPath()), Why: err.Error() + ":"}
	}
	if err := a.d.x.exact(path, a.d.release); err != nil {
		return err
	}
	i, err := a.d.descend(path, a.cause)
	if err != nil {
		return err
	}
	if replace {
		if err := a.mayReplace(i, path, u.GetVal()); err != nil {
			return err
		}
		if a.d.nodes[i].shape != leafShape {
			a.d.clear(i)
		}
	}
	return a.value(i, path, u.GetVal())
}

// exact checks that a path names one node of configuration, without wildcards.
func (x *index) exact(p Path, release int) error {
	for n, e := range p {
		wild := e.Name == "*" || slices.ContainsFunc(e.Keys, func(k KeyValue) bool { return k.Value == "*" })
		if wild {
			return &PathError{Path: p[:n], Element: e.Name, Why: "wildcards are for deletes:"}
		}
	}
	return x.writable(p, release)
}

// mayReplace refuses an empty object for a container: gNMI §3.4.4 has delete for that.
func (a *applier) mayReplace(i int32, p Path, v *gnmi.TypedValue) error {
	json := bytes.TrimSpace(v.GetJsonIetfVal())
	if json == nil {
		json = bytes.TrimSpace(v.GetJsonVal())
	}
	if len(json) < 2 || json[0] != '{' || len(bytes.TrimSpace(json[1:len(json)-1])) > 0 {
		return nil
	}
	if a.d.nodes[i].shape == containerShape && a.d.schema(i).Kind != Presence {
		return &ValueError{Path: p, Value: "{}", Err: errors.New("an empty object replaces nothing: use delete")}
	}
	return nil
}

// value writes a value at a node. Documents that repeat a node are refused; requests are not.
func (a *applier) value(i int32, p Path, v *gnmi.TypedValue) error {
	switch v := v.GetValue().(type) {
	case *gnmi.TypedValue_JsonIetfVal:
		return a.document(i, v.JsonIetfVal)
	case *gnmi.TypedValue_JsonVal:
		return a.document(i, v.JsonVal)
	case *gnmi.TypedValue_LeaflistVal:
		return a.leafList(i, p, v.LeaflistVal.GetElement())
	case nil:
		return &ValueError{Path: p, Err: errors.New("has no value")}
	}
	text, err := scalarText(v)
	if err != nil {
		return &ValueError{Path: p, Err: err}
	}
	n := &a.d.nodes[i]
	if n.shape != leafShape {
		return &ValueError{Path: p, Value: text, Err: fmt.Errorf("is no leaf, so it cannot be %s", quote(text))}
	}
	c, err := a.d.x.check(a.d.x.schema.Nodes[n.id].Type, a.d.release, text)
	if err == nil && a.d.x.isKey[n.id] && !n.value.is(c.text) {
		err = fmt.Errorf("is a key with the value %s and cannot become %s", quote(n.value.Value()), quote(text))
	}
	if err != nil {
		return &ValueError{Path: p, Value: text, Err: err}
	}
	a.d.setLeaf(i, c, a.cause)
	return nil
}

func (a *applier) document(i int32, json []byte) error {
	a.doc++
	p := parser{scanner: scanner{data: json}, d: a.d, at: i, doc: a.doc, strict: true, readonly: true}
	return p.document(i)
}

func (a *applier) leafList(i int32, p Path, values []*gnmi.TypedValue) error {
	n := a.d.nodes[i]
	if n.shape != leafListShape {
		return &ValueError{Path: p, Err: errors.New("is no leaf-list")}
	}
	if a.cause != 0 {
		a.d.nodes[i].cause = a.cause
	}
	for _, v := range values {
		text, err := scalarText(v)
		if err != nil {
			return &ValueError{Path: p, Err: err}
		}
		c, err := a.d.x.check(a.d.x.schema.Nodes[n.id].Type, a.d.release, text)
		if err != nil {
			return &ValueError{Path: p, Value: text, Err: err}
		}
		a.d.addValue(i, c, a.cause)
	}
	return nil
}

// scalarText is the lexical form of a scalar.
func scalarText(v *gnmi.TypedValue) (string, error) {
	switch v := v.GetValue().(type) {
	case *gnmi.TypedValue_StringVal:
		return v.StringVal, nil
	case *gnmi.TypedValue_AsciiVal:
		return v.AsciiVal, nil
	case *gnmi.TypedValue_IntVal:
		return strconv.FormatInt(v.IntVal, 10), nil
	case *gnmi.TypedValue_UintVal:
		return strconv.FormatUint(v.UintVal, 10), nil
	case *gnmi.TypedValue_BoolVal:
		return strconv.FormatBool(v.BoolVal), nil
	case *gnmi.TypedValue_DoubleVal:
		return strconv.FormatFloat(v.DoubleVal, 'f', -1, 64), nil
	}
	return "", fmt.Errorf("a value of type %T: %w", v.GetValue(), ErrUnimplemented)
}
