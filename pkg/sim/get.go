package sim

import (
	"context"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
)

// Get answers one notification per path (gNMI spec §3.3.2). In JSON a path without wildcards is answered by
// the value at it; otherwise, as SR Linux does, by JSON at the last element before the wildcard. In PROTO
// every leaf is an update of its own (§2.3.3).
//
// What does not exist is left out: a notification without updates, as SR Linux sends it, and not NOT_FOUND,
// which §3.3.4 has. A client that asks for several paths then still learns of those that exist.
func (s *server) Get(_ context.Context, req *gnmi.GetRequest) (*gnmi.GetResponse, error) {
	if err := checkEncoding(req.GetEncoding()); err != nil {
		return nil, err
	}
	paths := req.GetPath()
	if len(paths) == 0 {
		paths = []*gnmi.Path{nil} // all below the prefix
	}
	var selections []config.Path
	for _, p := range paths {
		path, err := s.resolve(req.GetPrefix(), p)
		if err != nil {
			return nil, err
		}
		selections = append(selections, path)
	}
	src, err := s.source(req, selections)
	if err != nil {
		return nil, err
	}
	resp := &gnmi.GetResponse{}
	for _, path := range selections {
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
	*Device
	tree     *config.Tree
	unknown  []config.Unknown
	encoding gnmi.Encoding
	levels   int                     // how many levels are wanted; 0: all
	keep     func(*config.Node) bool // nodes that the request's type and models cover
	sparse   bool                    // leaves that have their default are left out
	bare     bool                    // what exists without holding anything (entries, presence) is covered too
}

// source returns what a request reads. Configuration leaves out what equals its default, unless the server
// is told otherwise (SR Linux: gnmi/include-defaults-in-config-only-responses); everything else shows also
// the defaults that are in use (§3.3.4). YANG does not tell STATE from OPERATIONAL, so both are what is not
// configuration.
func (d *Device) source(req *gnmi.GetRequest, paths []config.Path) (source, error) {
	covers, err := d.models(req.GetUseModels())
	if err != nil {
		return source{}, err
	}
	src := source{Device: d, encoding: req.GetEncoding(), levels: d.depthOf(req.GetExtension()), bare: true}
	var running configuration
	switch req.GetType() {
	case gnmi.GetRequest_CONFIG:
		running = d.current()
		src.tree = running.tree()
		src.sparse = !d.serverOf(src.tree).Defaults
		if !src.sparse && d.leadToDefault(paths) {
			src.tree = withDefaults(src.tree)
		}
		src.keep = func(n *config.Node) bool { return !n.State && covers(n) }
	case gnmi.GetRequest_ALL:
		src.tree, running = d.snapshot(paths, d.leadToDefault(paths))
		src.keep = covers
	default:
		src.tree, _ = d.snapshot(paths, false)
		src.keep, src.bare = func(n *config.Node) bool { return n.State && covers(n) }, false
		return src, nil
	}
	if len(req.GetUseModels()) == 0 && src.levels == 0 {
		src.unknown = running.unknown // nobody can say which model it is of, nor how deep it goes
	}
	return src, nil
}

// updates returns what the source has at and below a path.
func (s source) updates(path config.Path) []*gnmi.Update {
	var out []*gnmi.Update
	if s.encoding == gnmi.Encoding_PROTO {
		selected(path, s.levels).leaves(s.tree.Root(), func(c config.Cursor) {
			if s.shows(c) {
				out = append(out, s.leafUpdate(c, s.encoding))
			}
		})
		return out // the schema does not tell the types of what it does not know
	}
	n := definite(s.tree.Schema(), path)
	if c := s.tree.Find(path[:n]); c.Valid() {
		if value, some := s.value(nil, c, selected(path[n:], s.levels), topOfValue); some {
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

// shows tells whether a leaf or leaf-list is shown.
func (s source) shows(c config.Cursor) bool { return s.keep(c.Node()) && !(s.sparse && c.IsDefault()) }

// place is where an object is in a JSON value: its names depend on it.
type place bool

const (
	topOfValue  place = true
	belowParent place = false
)

// value appends what is shown of a node, which is no list, as JSON; some is false where that is nothing.
func (s source) value(dst []byte, c config.Cursor, sel selection, at place) (out []byte, some bool) {
	switch {
	case !isLeaf(c):
		return s.object(dst, c, sel, at)
	case !sel.rest.all() || !s.shows(c):
		return dst, false
	}
	return c.AppendJSON(dst), true
}

// object appends a container or an entry. An entry has its keys; they alone do not make it worth
// showing, unless it was asked for as such.
func (s source) object(dst []byte, c config.Cursor, sel selection, at place) (out []byte, some bool) {
	start := len(dst)
	dst = append(dst, '{')
	some = s.bare && sel.rest.all() && s.keep(c.Node()) && (c.IsEntry() || c.Node().Kind == config.Presence)
	for child := range c.Children() {
		before, below := len(dst), false
		if len(dst) > start+1 {
			dst = append(dst, ',')
		}
		dst = appendName(dst, child, at == topOfValue || child.Node().Module != c.Node().Module)
		if child.IsKey() {
			dst = child.AppendJSON(dst)
			continue
		}
		if dst, below = s.member(dst, child, sel); !below {
			dst = dst[:before]
		}
		some = some || below
	}
	if !some {
		return dst[:start], false
	}
	return append(dst, '}'), true
}

// member appends the value of one member of an object, if it is selected.
func (s source) member(dst []byte, c config.Cursor, sel selection) ([]byte, bool) {
	if isList(c) {
		return s.entries(dst, c, sel)
	}
	sub, ok := sel.into(c)
	if !ok {
		return dst, false
	}
	return s.value(dst, c, sub, belowParent)
}

// entries appends the entries of a list that are selected below its parent.
func (s source) entries(dst []byte, list config.Cursor, sel selection) (out []byte, some bool) {
	start := len(dst)
	dst = append(dst, '[')
	for entry := range list.Children() {
		sub, ok := sel.into(entry)
		if !ok {
			continue
		}
		before, one := len(dst), false
		if some {
			dst = append(dst, ',')
		}
		if dst, one = s.object(dst, entry, sub, belowParent); !one {
			dst = dst[:before]
		}
		some = some || one
	}
	if !some {
		return dst[:start], false
	}
	return append(dst, ']'), true
}

// appendName appends a member name. It is qualified at the top of a value and where the module is not that of the
// parent, and nowhere else (RFC 7951 §4).
func appendName(dst []byte, c config.Cursor, qualified bool) []byte {
	dst = append(dst, '"')
	if qualified {
		dst = append(dst, c.Tree().Schema().Modules[c.Node().Module]...)
		dst = append(dst, ':')
	}
	dst = append(dst, c.Node().Name...)
	return append(dst, '"', ':')
}
