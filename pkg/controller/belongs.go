package controller

import (
	"slices"
	"strings"

	"github.com/loomfabric/loom/models/intent"
	"google.golang.org/protobuf/proto"
)

// Belongs is what a part of an intent belongs to. What is of no site and no tenant is of the topology as a whole.
type Belongs struct{ Sites, Tenants []string } // sorted

// BelongsTo is what something belongs to that a reference is about, as causes and findings have it: a resource, or a part of one.
//
// A site and its devices are of the site, a cable of the sites that it connects, a tenant and its segments of the tenant, and a port
// with servers of its sites and of the tenants whose segments it has. All else is of the topology: what is common, light between sites.
func BelongsTo(in *intent.Topology, ref string) Belongs {
	name := ResourceOf(ref)
	kind, rest, _ := strings.Cut(name, "/")
	first, _, _ := strings.Cut(rest, "/")
	switch kind {
	case "sites":
		return Belongs{Sites: []string{first}}
	case "tenants":
		return Belongs{Tenants: []string{first}}
	case "cables", "attachments":
		if r, ok := Find(in, name); ok {
			return belongsTo(in, r.Value)
		}
	}
	return Belongs{}
}

// belongsTo is what a cable or an attachment belongs to. One with an end that nobody has said is of the topology.
func belongsTo(in *intent.Topology, value proto.Message) Belongs {
	var out Belongs
	var ends []*intent.End
	switch v := value.(type) {
	case *intent.Cable:
		ends = []*intent.End{v.GetA(), v.GetB()}
	case *intent.Attachment:
		ends = v.GetMembers()
		for _, s := range append(slices.Clone(v.GetTagged()), v.GetUntagged()) {
			if tenant, _, ok := strings.Cut(s, "/"); ok {
				out.Tenants = append(out.Tenants, tenant)
			}
		}
	}
	for _, e := range ends {
		if e.GetDevice() == "" {
			continue // a server, or what is outside
		}
		site := siteOf(in, e.GetDevice())
		if site == "" {
			return Belongs{}
		}
		out.Sites = append(out.Sites, site)
	}
	slices.Sort(out.Sites)
	slices.Sort(out.Tenants)
	return Belongs{slices.Compact(out.Sites), slices.Compact(out.Tenants)}
}

func siteOf(in *intent.Topology, device string) string {
	for _, s := range in.GetSites() {
		if slices.ContainsFunc(s.GetDevices(), func(d *intent.Device) bool { return d.GetName() == device }) {
			return s.GetName()
		}
	}
	return ""
}

// Touches are the parts of a topology that a write changes, each with what it belongs to before and after. The name of the topology
// stands for what is no resource.
func (w *Written) Touches(topology string) map[string][]Belongs {
	out := map[string][]Belongs{}
	for _, c := range w.Changes {
		if c.Before != nil {
			out[c.Name] = append(out[c.Name], BelongsTo(w.Before, c.Name))
		}
		if c.After != nil {
			out[c.Name] = append(out[c.Name], BelongsTo(w.Intent, c.Name))
		}
	}
	if !proto.Equal(common(w.Before), common(w.Intent)) {
		out[topology] = []Belongs{{}}
	}
	return out
}

// common is what an intent says beside its resources; nil of nil.
func common(in *intent.Topology) *intent.Topology {
	if in == nil {
		return nil
	}
	out := &intent.Topology{}
	from, to := in.ProtoReflect(), out.ProtoReflect()
	for i := range from.Descriptor().Fields().Len() {
		switch f := from.Descriptor().Fields().Get(i); f.Name() {
		case "sites", "cables", "tenants", "attachments", "ducts", "lines", "dcis":
		default:
			if from.Has(f) {
				to.Set(f, from.Get(f))
			}
		}
	}
	return out
}
