package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
)

// Get answers one notification per path (gNMI spec §3.3.4). A path without wildcards is answered by the
// value at it; otherwise, as SR Linux does, by JSON at the last element before the wildcard.
func (s *server) Get(_ context.Context, req *gnmi.GetRequest) (*gnmi.GetResponse, error) {
	if err := checkEncoding(req.GetEncoding()); err != nil {
		return nil, err
	}
	paths := req.GetPath()
	if len(paths) == 0 {
		paths = []*gnmi.Path{nil} // all below the prefix
	}
	src := s.source(req.GetType())
	resp := &gnmi.GetResponse{}
	for _, p := range paths {
		path, err := s.resolve(req.GetPrefix(), p)
		if err != nil {
			return nil, err
		}
		resp.Notification = append(resp.Notification, s.notification(req.GetPrefix(), src.updates(path)))
	}
	return resp, nil
}

// notification wraps updates. Their paths are absolute; of the prefix of the request only the target
// is given back (gNMI spec §2.2.2.1).
func (d *Device) notification(prefix *gnmi.Path, updates []*gnmi.Update) *gnmi.Notification {
	n := &gnmi.Notification{Timestamp: d.sim.config.Clock.Now().UnixNano(), Update: updates}
	if t := prefix.GetTarget(); t != "" {
		n.Prefix = &gnmi.Path{Target: t}
	}
	return n
}

// source is what a Get reads from.
type source struct {
	tree    *config.Tree
	unknown []config.Unknown
	keep    func(config.Cursor) bool // leaves and leaf-lists that the request's type covers
	bare    bool                     // what exists without holding anything (entries, presence) is covered too
}

// source returns what a type of Get reads. Configuration leaves out what equals its default, unless
// the server is told otherwise (gnmi/include-defaults-in-config-only-responses).
func (d *Device) source(t gnmi.GetRequest_DataType) source {
	view, _ := d.look()
	d.mu.Lock()
	defer d.mu.Unlock()
	switch t {
	case gnmi.GetRequest_CONFIG:
		keep := func(c config.Cursor) bool { return !c.Node().State && !c.IsDefault() }
		return source{d.running.tree, d.running.unknown, keep, true}
	case gnmi.GetRequest_ALL:
		return source{view, d.running.unknown, func(config.Cursor) bool { return true }, true}
	}
	return source{view, nil, func(c config.Cursor) bool { return c.Node().State }, false}
}

// updates returns what the source has at and below a path.
func (s source) updates(path config.Path) []*gnmi.Update {
	var out []*gnmi.Update
	n := definite(s.tree.Schema(), path)
	if c := s.tree.Find(path[:n]); c.Valid() {
		if value, some := s.value(nil, c, path[n:]); some {
			out = append(out, update(path[:n], value))
		}
	}
	for _, u := range s.unknown {
		if below(u.Path, path) {
			out = append(out, update(u.Path, u.JSON))
		}
	}
	return out
}

// update wraps a value.
func update(path config.Path, value []byte) *gnmi.Update {
	return &gnmi.Update{Path: path.GNMI(), Val: jsonValue(value)}
}

// value appends what is kept of a node as JSON; some is false where that is nothing. rest are the
// elements of the request's path that are still to be matched below it.
func (s source) value(dst []byte, c config.Cursor, rest config.Path) (out []byte, some bool) {
	switch kind := c.Node().Kind; {
	case kind == config.Leaf || kind == config.LeafList:
		if len(rest) > 0 || !s.keep(c) {
			return dst, false
		}
		return c.AppendJSON(dst), true
	case kind == config.List && !c.IsEntry():
		return s.entries(dst, c, config.Elem{Name: "*"}, rest)
	}
	return s.object(dst, c, rest)
}

// object appends a container or an entry. An entry has its keys; they alone do not make it worth
// showing, unless it was asked for as such.
func (s source) object(dst []byte, c config.Cursor, rest config.Path) (out []byte, some bool) {
	start := len(dst)
	dst = append(dst, '{')
	some = s.bare && len(rest) == 0 && (c.IsEntry() || c.Node().Kind == config.Presence)
	for child := range c.Children() {
		var below bool
		before := len(dst)
		dst = appendName(dst, c, child, len(dst) == start+1)
		if isKey(c, child) {
			dst = child.AppendJSON(dst)
			continue
		}
		dst, below = s.member(dst, child, rest)
		if !below {
			dst = dst[:before]
		}
		some = some || below
	}
	if !some {
		return dst[:start], false
	}
	return append(dst, '}'), true
}

// member appends the value of one member of an object, if the path lets it.
func (s source) member(dst []byte, c config.Cursor, rest config.Path) ([]byte, bool) {
	if len(rest) == 0 {
		return s.value(dst, c, nil)
	}
	pattern := rest[0]
	if pattern.Name != "*" && pattern.Name != c.Node().Name {
		return dst, false
	}
	if c.Node().Kind == config.List {
		return s.entries(dst, c, pattern, rest[1:])
	}
	return s.value(dst, c, rest[1:])
}

// entries appends the entries of a list that fit a pattern.
func (s source) entries(dst []byte, list config.Cursor, pattern config.Elem, rest config.Path) (out []byte, some bool) {
	start := len(dst)
	dst = append(dst, '[')
	for entry := range list.Children() {
		if !matches(elemOf(entry), pattern) {
			continue
		}
		before := len(dst)
		if some {
			dst = append(dst, ',')
		}
		var one bool
		if dst, one = s.object(dst, entry, rest); !one {
			dst = dst[:before]
		}
		some = some || one
	}
	if !some {
		return dst[:start], false
	}
	return append(dst, ']'), true
}

// elemOf returns the path element of an entry.
func elemOf(entry config.Cursor) config.Elem {
	s, n := entry.Tree().Schema(), entry.Node()
	e := config.Elem{Name: n.Name}
	for i, v := range entry.Keys() {
		e.Keys = append(e.Keys, config.KeyValue{Name: s.Nodes[n.Keys[i]].Name, Value: v})
	}
	return e
}

// isKey tells whether a child is a key of an entry.
func isKey(entry, child config.Cursor) bool {
	if !entry.IsEntry() {
		return false
	}
	for _, k := range entry.Node().Keys {
		if k == child.ID() {
			return true
		}
	}
	return false
}

// appendName appends a member name, qualified where the module changes and at the top of a value:
// there the module of what holds it is not to be seen (RFC 7951 §4).
func appendName(dst []byte, parent, child config.Cursor, first bool) []byte {
	if !first {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, child.Tree().Schema().Modules[child.Node().Module]...)
	dst = append(dst, ':')
	dst = append(dst, child.Node().Name...)
	return append(dst, '"', ':')
}

// startupFile returns the startup configuration as the file that the device keeps.
func (d *Device) startupFile() ([]byte, error) {
	d.mu.Lock()
	startup := d.startup
	d.mu.Unlock()
	data := startup.tree.AppendJSON(nil, true)
	if len(startup.unknown) == 0 {
		return data, nil
	}
	doc, err := decode(data)
	if err != nil {
		return nil, err
	}
	root, _ := doc.(map[string]any)
	for _, u := range startup.unknown {
		if err := graft(root, u); err != nil {
			return nil, err
		}
	}
	return json.MarshalIndent(root, "", "  ")
}

// decode reads JSON and keeps numbers as written.
func decode(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	return v, err
}

// graft puts a part that the schema does not know back to where it was found.
func graft(at map[string]any, u config.Unknown) error {
	value, err := decode(u.JSON)
	if err != nil || len(u.Path) == 0 {
		return fmt.Errorf("%s: unknown part: %w", u.Path, err)
	}
	last := len(u.Path) - 1
	for _, e := range u.Path[:last] {
		at = enter(at, e)
	}
	at[u.Path[last].Name] = value
	return nil
}

// enter returns the object for an element of a path below another, and makes it if it is missing.
func enter(at map[string]any, e config.Elem) map[string]any {
	name := memberName(at, e.Name)
	if len(e.Keys) == 0 {
		child, ok := at[name].(map[string]any)
		if !ok {
			child = map[string]any{}
			at[name] = child
		}
		return child
	}
	entries, _ := at[name].([]any)
	for _, entry := range entries {
		if m, ok := entry.(map[string]any); ok && hasKeys(m, e) {
			return m
		}
	}
	entry := map[string]any{}
	for _, k := range e.Keys {
		entry[k.Name] = k.Value
	}
	at[name] = append(entries, entry)
	return entry
}

// memberName returns the name of a member as the object has it, qualified or not.
func memberName(at map[string]any, local string) string {
	for name := range at {
		if name[strings.IndexByte(name, ':')+1:] == local {
			return name
		}
	}
	return local
}

// hasKeys tells whether an entry has the keys of an element.
func hasKeys(entry map[string]any, e config.Elem) bool {
	for _, k := range e.Keys {
		if fmt.Sprint(entry[memberName(entry, k.Name)]) != k.Value {
			return false
		}
	}
	return true
}
