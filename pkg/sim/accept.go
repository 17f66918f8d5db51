package sim

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
)

// acceptor turns a request into what package config applies: the encodings that a device takes, wildcards
// spelled out, and without the operations that SR Linux accepts and does not do.
type acceptor struct {
	tree   *config.Tree // that the request changes
	prefix *gnmi.Path
}

// accepted returns a request as package config takes it.
func accepted(t *config.Tree, req *gnmi.SetRequest) (*gnmi.SetRequest, error) {
	a := acceptor{t, req.GetPrefix()}
	out := &gnmi.SetRequest{}
	var err error
	if out.Delete, err = a.deletes(req.GetDelete()); err != nil {
		return nil, err
	}
	if out.Replace, err = a.writes(req.GetReplace(), true); err != nil {
		return nil, err
	}
	out.Update, err = a.writes(req.GetUpdate(), false)
	return out, err
}

// deletes spells out what paths of deletes leave open: keys that are missing (gNMI spec §3.4.6), and levels.
func (a acceptor) deletes(paths []*gnmi.Path) ([]*gnmi.Path, error) {
	var out []*gnmi.Path
	for _, p := range paths {
		path, err := a.path(p)
		if err != nil {
			return nil, err
		}
		path = allKeys(a.tree.Schema(), path)
		if !slices.ContainsFunc(path, func(e config.Elem) bool { return e.Name == anyLevels }) {
			out = append(out, path.GNMI())
			continue
		}
		selected(path, 0).topmost(a.tree.Root(), func(c config.Cursor) { out = append(out, c.Path().GNMI()) })
	}
	return out, nil
}

// path joins a path to the prefix of the request.
func (a acceptor) path(p *gnmi.Path) (config.Path, error) {
	path, err := join(a.prefix, p)
	if err != nil {
		return nil, &config.PathError{Element: fmt.Sprint(p), Why: err.Error() + ":"}
	}
	return path, nil
}

// allKeys gives the elements of a path that have some of their keys the others as well, with any value.
func allKeys(s *config.Schema, p config.Path) config.Path {
	id, ok := config.Root, true
	out := slices.Clone(p)
	for i, e := range p {
		if id, ok = s.Child(id, e.Name); !ok {
			return out
		}
		for _, k := range s.Nodes[id].Keys {
			name := s.Nodes[k].Name
			if _, has := e.Key(name); !has && len(e.Keys) > 0 {
				out[i].Keys = append(slices.Clip(out[i].Keys), config.KeyValue{Name: name, Value: "*"})
			}
		}
	}
	return out
}

// topmost calls f for each node below another that is selected, but for what lies below one of them.
func (s selection) topmost(c config.Cursor, f func(config.Cursor)) {
	for child := range c.Children() {
		if isList(child) {
			s.topmost(child, f)
			continue
		}
		switch sub, ok := s.into(child); {
		case ok && sub.rest.all() && !child.IsKey():
			f(child)
		case ok && !isLeaf(child):
			sub.topmost(child, f)
		}
	}
}

// writes returns the replaces or updates that are to be done.
func (a acceptor) writes(updates []*gnmi.Update, replace bool) ([]*gnmi.Update, error) {
	var out []*gnmi.Update
	for _, u := range updates {
		path, err := a.path(u.GetPath())
		if err != nil {
			return nil, err
		}
		n, known := nodeAt(a.tree.Schema(), path)
		value, err := a.value(path, n, u)
		if err != nil {
			return nil, err
		}
		last := len(path) - 1
		atList := known && n.Kind == config.List && last >= 0 && len(path[last].Keys) == 0
		switch {
		case atList && isArray(value):
			if err := a.entries(path, value); err != nil {
				return nil, err
			}
			continue // SR Linux answers OK to an array at the path of a list, and does nothing
		case replace && known && empty(value) && n.Kind != config.Presence:
			return nil, &config.ValueError{Path: path, Err: errors.New("an empty value replaces nothing: use delete")} // §3.4.4
		}
		out = append(out, &gnmi.Update{Path: path.GNMI(), Val: value})
	}
	return out, nil
}

// entries tells what is wrong with an array as the value of a list, though nothing is done with it: it is decided
// what to do after it was read.
func (a acceptor) entries(path config.Path, value *gnmi.TypedValue) error {
	_, _, err := config.Parse(a.tree.Schema(), a.tree.Release(), value.GetJsonIetfVal(), config.ParseOptions{At: path, Strict: true})
	return err
}

// value returns the value of an update as JSON_IETF or as text.
func (a acceptor) value(path config.Path, n config.Node, u *gnmi.Update) (*gnmi.TypedValue, error) {
	switch v := u.GetVal().GetValue().(type) {
	case *gnmi.TypedValue_JsonIetfVal:
		return u.GetVal(), nil
	case *gnmi.TypedValue_JsonVal:
		return nil, checkEncoding(gnmi.Encoding_JSON)
	case *gnmi.TypedValue_AsciiVal:
		return nil, checkEncoding(gnmi.Encoding_ASCII)
	case *gnmi.TypedValue_LeaflistVal:
		return a.leafList(path, n, v.LeaflistVal)
	case nil:
		return nil, &config.ValueError{Path: path, Err: errors.New("has no value in the field val, which is the only one that is read")}
	}
	return a.scalar(path, n, u.GetVal())
}

// leafList returns the values of a leaf-list as text.
func (a acceptor) leafList(path config.Path, n config.Node, array *gnmi.ScalarArray) (*gnmi.TypedValue, error) {
	var out gnmi.ScalarArray
	for _, e := range array.GetElement() {
		v, err := a.scalar(path, n, e)
		if err != nil {
			return nil, err
		}
		out.Element = append(out.Element, v)
	}
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_LeaflistVal{LeaflistVal: &out}}, nil
}

// scalar returns a scalar as text, if it fits the type of its leaf. A string may hold the text of any type.
func (a acceptor) scalar(path config.Path, n config.Node, v *gnmi.TypedValue) (*gnmi.TypedValue, error) {
	text, fitting := lexical(v)
	s := a.tree.Schema()
	leaf := n.Kind == config.Leaf || n.Kind == config.LeafList
	switch {
	case fitting == nil:
		return nil, status.Errorf(codes.Unimplemented, "Unsupported value, received %T", v.GetValue())
	case leaf && !hasBase(s, s.Types[n.Type], fitting):
		return nil, &config.ValueError{Path: path, Value: text, Err: fmt.Errorf("%q does not fit the type %s", text, s.Types[n.Type].Name)}
	case leaf && s.Types[n.Type].Base == config.Empty:
		text = "" // true, as fits checked
	}
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: text}}, nil
}

// Types that a field of a value may be of (gNMI spec §2.2.3).
var (
	integers  = []config.Base{config.Int8, config.Int16, config.Int32, config.Int64, config.Uint8, config.Uint16, config.Uint32, config.Uint64, config.Decimal64}
	booleans  = []config.Base{config.Bool, config.Empty}
	decimals  = []config.Base{config.Decimal64}
	binaries  = []config.Base{config.Binary}
	anyScalar = append([]config.Base{config.String, config.Enumeration, config.Identityref, config.Bool, config.Binary}, integers...)
)

// lexical returns the text of a scalar and the types that it may be of; none where it is no scalar.
func lexical(v *gnmi.TypedValue) (text string, fitting []config.Base) {
	switch v := v.GetValue().(type) {
	case *gnmi.TypedValue_StringVal:
		return v.StringVal, anyScalar
	case *gnmi.TypedValue_IntVal:
		return strconv.FormatInt(v.IntVal, 10), integers
	case *gnmi.TypedValue_UintVal:
		return strconv.FormatUint(v.UintVal, 10), integers
	case *gnmi.TypedValue_BoolVal:
		if !v.BoolVal {
			return "false", booleans[:1] // a leaf of type empty is there, or it is not
		}
		return "true", booleans
	case *gnmi.TypedValue_DoubleVal:
		return strconv.FormatFloat(v.DoubleVal, 'f', -1, 64), decimals
	case *gnmi.TypedValue_BytesVal:
		return base64.StdEncoding.EncodeToString(v.BytesVal), binaries
	}
	return "", nil
}

// hasBase tells whether a type is one of some built-in types, or may be: a union of one of its members, a
// leafref of what it points at.
func hasBase(s *config.Schema, t config.Type, bases []config.Base) bool {
	if t.Base == config.Leafref || t.Base == config.Union {
		return slices.ContainsFunc(t.Members, func(m uint16) bool { return hasBase(s, s.Types[m], bases) })
	}
	return slices.Contains(bases, t.Base)
}

// isArray tells whether a value is a JSON array.
func isArray(v *gnmi.TypedValue) bool {
	return bytes.HasPrefix(bytes.TrimSpace(v.GetJsonIetfVal()), []byte{'['})
}

// empty tells whether a value is an object or an array that holds nothing.
func empty(v *gnmi.TypedValue) bool {
	if list := v.GetLeaflistVal(); list != nil {
		return len(list.GetElement()) == 0
	}
	json := bytes.TrimSpace(v.GetJsonIetfVal())
	return len(json) > 1 && (json[0] == '{' || json[0] == '[') && len(bytes.TrimSpace(json[1:len(json)-1])) == 0
}
