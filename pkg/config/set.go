package config

import "github.com/openconfig/gnmi/proto/gnmi"

// opCost is what one operation of a SetRequest costs beside its JSON, in bytes of JSON: measured,
// 3.3 microseconds an operation against 1.9 nanoseconds a byte, on both sides of the wire.
const opCost = 1700

// SetRequest returns the cheapest request that turns from into to by gNMI semantics (§3.4.3:
// deletes, then replaces, then updates). A subtree is deleted or replaced as a whole only where
// owned says that everything in it is ours; nil means that all is. It never deletes or replaces
// the root, and never carries an array at a list's path. No change gives an empty request.
//
// gNMI has no way to say where in a user-ordered list an entry goes. Where the order changes, the
// request replaces a subtree around the list, or deletes the entries from the first one that
// stands wrong and adds them again: even entries that are not owned as a whole, for want of
// another way.
func SetRequest(from, to *Tree, owned func(Cursor) bool) *gnmi.SetRequest {
	if from.schema != to.schema {
		panic("config: set request between trees of different schemas")
	}
	req := &gnmi.SetRequest{}
	if from.hash == to.hash {
		return req
	}
	if owned == nil {
		owned = func(Cursor) bool { return true }
	}
	p := planner{owned: owned, names: to.schema.index().label, qualified: to.schema.index().qualified}
	root := p.changed(from.Root(), to.Root())
	e := emitter{planner: p, req: req}
	e.emit(root, false)
	return req
}

// emitter turns the chosen operations into a request.
type emitter struct {
	planner
	req *gnmi.SetRequest
}

// emit adds the operations for a delta. joined tells that an update around it carries its part.
func (e *emitter) emit(d *delta, joined bool) {
	joined = joined && d.joins
	if !joined && d.gather {
		e.update(d.b, e.partial(nil, d))
		joined = true
	}
	switch {
	case d.what == goes && d.whole:
		e.delete(d.a)
		return
	case d.what == moves:
		e.delete(d.a)
	}
	switch {
	case joined && d.what != stays: // the update has it
	case !joined && d.whole:
		e.replace(d.b)
	case !joined && d.what != stays && d.what != goes && len(d.kids) == 0:
		e.update(d.b, d.b.AppendJSON(nil))
	default:
		for _, k := range d.kids {
			e.emit(k, joined)
		}
	}
}

func (e *emitter) delete(c Cursor) { e.req.Delete = append(e.req.Delete, c.Path().GNMI()) }

func (e *emitter) replace(c Cursor) {
	e.req.Replace = append(e.req.Replace, jsonUpdate(c, c.AppendJSON(nil)))
}

func (e *emitter) update(c Cursor, json []byte) {
	e.req.Update = append(e.req.Update, jsonUpdate(c, json))
}

func jsonUpdate(c Cursor, json []byte) *gnmi.Update {
	return &gnmi.Update{
		Path: c.Path().GNMI(),
		Val:  &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: json}},
	}
}

// partial writes the object that an update at a delta carries: the members that join it. The keys
// of an entry are in the update's path.
func (e *emitter) partial(dst []byte, d *delta) []byte {
	return append(e.members(append(dst, '{'), d, e.qualified, true), '}')
}

func (e *emitter) members(dst []byte, d *delta, names []string, first bool) []byte {
	for _, k := range d.kids {
		if !k.joins {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = e.part(append(dst, names[k.b.ID()]...), k)
	}
	return dst
}

// part writes what follows the name of a member that joins an update.
func (e *emitter) part(dst []byte, d *delta) []byte {
	switch {
	case d.what != stays:
		p := printer{nodes: d.b.t.nodes, values: d.b.t.values, names: e.names, depth: -1}
		return p.value(dst, d.b.i)
	case d.b.node().shape == listShape:
		return e.entries(dst, d)
	}
	dst = append(dst, '{')
	return append(e.members(dst, d, e.names, true), '}')
}

// entries writes the array of those entries of a list that join an update.
func (e *emitter) entries(dst []byte, d *delta) []byte {
	dst = append(dst, '[')
	first := true
	for _, k := range d.kids {
		if !k.joins {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if k.what != stays {
			dst = e.part(dst, k)
			continue
		}
		dst = e.keys(append(dst, '{'), k.b)
		dst = append(e.members(dst, k, e.names, false), '}')
	}
	return append(dst, ']')
}

// keys writes the key members of an entry.
func (e *emitter) keys(dst []byte, entry Cursor) []byte {
	for i, id := range entry.Node().Keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, e.names[id]...)
		key := entry.Child(id)
		dst = appendScalar(dst, key.Value(), key.node().form)
	}
	return dst
}
