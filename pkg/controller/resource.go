package controller

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/intent"
	"google.golang.org/protobuf/proto"
)

// Resource is one part of an intent. Its name is what causes and diagnostics call it (fabric.Ref): "tenants/red/segments/web".
type Resource struct {
	Name  string
	Value proto.Message // a site without its devices, a device, a cable, a tenant without its segments, a segment, an attachment, a duct, a line, a DCI
}

// shelf is a list of resources of one kind inside of an intent.
type shelf interface {
	list() []Resource
	put(name string, value proto.Message) error // adds it, or replaces the one of its name
	remove(name string)
}

// shelfOf is a shelf whose entries are in a list of a message.
type shelfOf[T proto.Message] struct {
	entries *[]T
	name    func(T) string
	keep    func(old, new T) // what of the old one stays: entries that are resources of their own; nil: nothing
	bare    func(T) T        // without them; nil: as it is
}

func (s shelfOf[T]) list() []Resource {
	out := make([]Resource, 0, len(*s.entries))
	for _, e := range *s.entries {
		v := e
		if s.bare != nil {
			v = s.bare(e)
		}
		out = append(out, Resource{s.name(e), v})
	}
	return out
}

func (s shelfOf[T]) put(name string, value proto.Message) error {
	v, ok := value.(T)
	if !ok {
		return fmt.Errorf("%s: is no %s; put what its name says", name, value.ProtoReflect().Descriptor().Name())
	}
	v = proto.CloneOf(v)
	if at := s.name(v); at != name {
		return fmt.Errorf("%s: its value is that of %s; name both alike", name, at)
	}
	i := slices.IndexFunc(*s.entries, func(e T) bool { return s.name(e) == name })
	if i < 0 {
		*s.entries = append(*s.entries, v)
		return nil
	}
	if s.keep != nil {
		s.keep((*s.entries)[i], v)
	}
	(*s.entries)[i] = v
	return nil
}

func (s shelfOf[T]) remove(name string) {
	*s.entries = slices.DeleteFunc(*s.entries, func(e T) bool { return s.name(e) == name })
}

// shelves are all lists of resources of an intent.
func shelves(in *intent.Topology) []shelf {
	out := []shelf{
		shelfOf[*intent.Site]{&in.Sites, siteName,
			func(old, new *intent.Site) { new.Devices = old.Devices },
			func(s *intent.Site) *intent.Site { s = proto.CloneOf(s); s.Devices = nil; return s }},
		shelfOf[*intent.Cable]{entries: &in.Cables, name: func(c *intent.Cable) string { return "cables/" + endName(c.GetA()) }},
		shelfOf[*intent.Tenant]{&in.Tenants, tenantName,
			func(old, new *intent.Tenant) { new.Segments = old.Segments },
			func(t *intent.Tenant) *intent.Tenant { t = proto.CloneOf(t); t.Segments = nil; return t }},
		shelfOf[*intent.Attachment]{entries: &in.Attachments, name: attachmentName},
		shelfOf[*intent.Duct]{entries: &in.Ducts, name: func(d *intent.Duct) string { return "ducts/" + d.GetName() }},
		shelfOf[*intent.Line]{entries: &in.Lines, name: func(l *intent.Line) string { return "lines/" + l.GetName() }},
		shelfOf[*intent.Dci]{entries: &in.Dcis, name: func(d *intent.Dci) string { return "dci/" + d.GetName() }},
	}
	for _, s := range in.Sites {
		out = append(out, shelfOf[*intent.Device]{entries: &s.Devices, name: func(d *intent.Device) string { return siteName(s) + "/devices/" + d.GetName() }})
	}
	for _, t := range in.Tenants {
		out = append(out, shelfOf[*intent.Segment]{entries: &t.Segments, name: func(s *intent.Segment) string { return tenantName(t) + "/segments/" + s.GetName() }})
	}
	return out
}

func siteName(s *intent.Site) string     { return "sites/" + s.GetName() }
func tenantName(t *intent.Tenant) string { return "tenants/" + t.GetName() }

func attachmentName(a *intent.Attachment) string {
	if len(a.GetMembers()) == 0 {
		return "attachments/"
	}
	return "attachments/" + endName(a.GetMembers()[0])
}

// endName is an end of a cable as names have it.
func endName(e *intent.End) string {
	switch {
	case e.GetServer() != "":
		return "server:" + e.GetServer() + ":" + e.GetPort()
	case e.GetExternal() != "":
		return "external:" + e.GetExternal() + ":" + e.GetPort()
	}
	return e.GetDevice() + ":" + e.GetPort()
}

// shelfFor is where a resource of a name is, or would be.
func shelfFor(in *intent.Topology, name string) (shelf, error) {
	kind, rest, _ := strings.Cut(name, "/")
	parts := strings.Split(rest, "/")
	all := shelves(in)
	fixed := map[string]int{"cables": 1, "attachments": 3, "ducts": 4, "lines": 5, "dci": 6}
	if i, ok := fixed[kind]; ok && rest != "" {
		return all[i], nil // ports have slashes in their names
	}
	below := map[string]struct {
		list  string
		shelf int
		first int
		names []string
	}{
		"sites":   {"devices", 0, 7, namesOf(in.Sites)},
		"tenants": {"segments", 2, 7 + len(in.Sites), namesOf(in.Tenants)},
	}
	if b, ok := below[kind]; ok && parts[0] != "" {
		switch {
		case len(parts) == 1:
			return all[b.shelf], nil
		case len(parts) == 3 && parts[1] == b.list && parts[2] != "":
			if i := slices.Index(b.names, parts[0]); i >= 0 {
				return all[b.first+i], nil
			}
			return nil, fmt.Errorf("%s: there is no %s/%s; put that first", name, kind, parts[0])
		}
	}
	return nil, fmt.Errorf("%s: no name of a resource; use one such as sites/bj, sites/bj/devices/bj-leaf3, tenants/red, tenants/red/segments/web, cables/leaf1:ethernet-1/49, attachments/leaf1:ethernet-1/1, ducts/north1, lines/north, dci/north", name)
}

func namesOf[T interface{ GetName() string }](list []T) []string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = e.GetName()
	}
	return out
}

// Resources are all resources of an intent, sorted by name; of nil there are none.
func Resources(in *intent.Topology) []Resource {
	var out []Resource
	if in == nil {
		return nil
	}
	for _, s := range shelves(in) {
		out = append(out, s.list()...)
	}
	slices.SortFunc(out, func(a, b Resource) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// ResourceOf is the name of the resource that a reference is about, or of the one that it is a part of: of
// "sites/bj/devices/bj-leaf3#mtu" it is "sites/bj/devices/bj-leaf3", of "sites/bj/underlay" "sites/bj". Empty: of none.
func ResourceOf(ref string) string {
	name, _, _ := strings.Cut(ref, "#")
	parts := strings.Split(name, "/")
	if len(parts) < 2 || parts[1] == "" {
		return ""
	}
	switch below := map[string]string{"sites": "devices", "tenants": "segments"}[parts[0]]; {
	case below != "" && len(parts) >= 4 && parts[2] == below:
		return strings.Join(parts[:4], "/")
	case below != "", parts[0] == "ducts", parts[0] == "lines", parts[0] == "dci":
		return strings.Join(parts[:2], "/")
	case parts[0] == "cables", parts[0] == "attachments": // ports have slashes in their names
		return name
	}
	return ""
}

// Find is the resource of a name.
func Find(in *intent.Topology, name string) (Resource, bool) {
	s, err := shelfFor(in, name)
	if err != nil {
		return Resource{}, false
	}
	for _, r := range s.list() {
		if r.Name == name {
			return r, true
		}
	}
	return Resource{}, false
}

// apply puts or deletes a resource. To delete what is not there is no mistake: an edit that had put it may be forgotten (see With).
func (e Edit) apply(in *intent.Topology) error {
	s, err := shelfFor(in, e.Name)
	switch {
	case err != nil:
		return err
	case e.Value != nil:
		return s.put(e.Name, e.Value)
	}
	s.remove(e.Name)
	return nil
}

// within tells whether a resource is below another.
func within(name, above string) bool { return strings.HasPrefix(name, above+"/") }

// ResourceChange is one resource that differs between two intents.
type ResourceChange struct {
	Name          string
	Before, After proto.Message // nil where it is not there
}

// Compare lists the resources that differ, by name.
func Compare(before, after *intent.Topology) []ResourceChange {
	old := map[string]proto.Message{}
	for _, r := range Resources(before) {
		old[r.Name] = r.Value
	}
	var out []ResourceChange
	for _, r := range Resources(after) {
		was, there := old[r.Name]
		delete(old, r.Name)
		if !there || !proto.Equal(was, r.Value) {
			out = append(out, ResourceChange{r.Name, was, r.Value})
		}
	}
	for name, was := range old {
		out = append(out, ResourceChange{name, was, nil})
	}
	slices.SortFunc(out, func(a, b ResourceChange) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
