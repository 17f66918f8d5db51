package srlinux

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/ygot/ygot"

	"github.com/loomfabric/loom/models/srlinux/ygotsrl"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// ygot reads what we render by code that shares nothing with pkg/config but the YANG profile.

func TestYgotFindsTheSameDifferences(t *testing.T) {
	t.Parallel()
	for name, pair := range pairs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := pair[0], pair[1]
			got := changedLeaves(from, to)
			want := changedByYgot(t, from, to)
			if len(want) == 0 && name != "nothing changes" {
				t.Fatal("ygot sees no difference")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("changed leaves (-ygot +ours):\n%s", diff)
			}
		})
	}
}

// pairs are a router's configuration before and after something.
func pairs(t *testing.T) map[string][2]*config.Tree {
	t.Helper()
	f := open(t, "unnumbered", "25.3")
	leaf := f.render(t, "leaf1")
	text := string(sources(t, "unnumbered")[0].Data)
	edited := func(old, new string) *config.Tree {
		if !strings.Contains(text, old) {
			t.Fatalf("the topology has no %q", old)
		}
		return open(t, strings.Replace(text, old, new, 1), "25.3").render(t, "leaf1")
	}
	return map[string][2]*config.Tree{
		"nothing changes":                      {leaf, leaf},
		"a leaf becomes another leaf":          {leaf, f.render(t, "leaf2")},
		"a leaf becomes a spine":               {leaf, f.render(t, "spine1")},
		"a new router is configured":           {config.EmptyTree(leaf.Schema(), "25.3"), leaf},
		"a router is emptied":                  {leaf, config.EmptyTree(leaf.Schema(), "25.3")},
		"a segment has another VNI":            {leaf, edited("number: 11, gateway", "number: 11, vni: 4711, gateway")},
		"a segment loses IPv6":                 {leaf, edited(`, "2001:db8:10::1/64"]`, "]")},
		"a port leaves a segment":              {leaf, edited("range: ethernet-1/2, lag: pair, segments: [db]", "range: ethernet-1/2, lag: pair, segments: [web]")},
		"BFD goes":                             {leaf, edited(", bfd: 3x300ms", "")},
		"links get numbers":                    {leaf, edited("links: unnumbered", "links: numbered")},
		"a spine comes":                        {leaf, edited("spines: {count: 2", "spines: {count: 3")},
		"the overlay changes its routing":      {leaf, edited("unused-ports: disabled", "unused-ports: disabled\noverlay: {routing: ebgp}")},
		"unused ports are left alone":          {leaf, edited("unused-ports: disabled", "unused-ports: untouched")},
		"a leaf-list has more than one member": {leaf, withPeers(t, f)},
		"a leaf becomes a gateway":             {leaf, render(t, gateway(t))},
		"a channel is tuned anew":              {render(t, gateway(t)), render(t, gateway(t, retunedTo(193_250_000, -9)))},
	}
}

// withPeers is leaf1 with a link whose peer may have any of three AS numbers.
func withPeers(t *testing.T, f fixture) *config.Tree {
	t.Helper()
	d := *f.device(t, "leaf1")
	for _, as := range []string{"64512", "64514..64520"} {
		d.Raw = append(d.Raw, fabric.RawLeaf{Path: bgp + "/dynamic-neighbors/interface[interface-name=ethernet-1/49.0]/allowed-peer-as", Value: as, Ref: d.Ref})
	}
	return render(t, &d)
}

// changedLeaves are the leaves and leaf-lists in which two trees differ, by our own comparison.
func changedLeaves(from, to *config.Tree) []string {
	out := map[string]bool{}
	for _, change := range config.Diff(from, to) {
		for _, c := range []config.Cursor{change.From, change.To} {
			if c.Valid() {
				leavesBelow(c, out)
			}
		}
	}
	return slices.Sorted(maps.Keys(out))
}

// leavesBelow notes the leaves at and below a node that mean something.
func leavesBelow(c config.Cursor, out map[string]bool) {
	if c.IsLeaf() || c.IsValue() {
		if !c.IsDefault() {
			out[canonical(c.Path())] = true
		}
		return
	}
	for child := range c.Children() {
		leavesBelow(child, out)
	}
}

// changedByYgot is the same by ygot. It has no notion of defaults (RFC 7950 §7.6.1): where a leaf has
// its default on one side and is absent on the other, its difference is left out. It never deletes an
// entry, only its leaves one by one, keys included, which is the form that both are compared in.
func changedByYgot(t *testing.T, from, to *config.Tree) []string {
	t.Helper()
	ns, err := ygot.DiffWithAtomic(unmarshal(t, from), unmarshal(t, to))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	note := func(prefix, path *gnmi.Path) {
		p, err := config.FromGNMI(prefix, path)
		if err != nil {
			t.Fatal(err)
		}
		if !meansNothing(from.Find(p)) || !meansNothing(to.Find(p)) {
			out[canonical(p)] = true
		}
	}
	for _, n := range ns {
		for _, p := range n.GetDelete() {
			note(n.GetPrefix(), p)
		}
		for _, u := range n.GetUpdate() {
			note(n.GetPrefix(), u.GetPath())
		}
	}
	return slices.Sorted(maps.Keys(out))
}

func meansNothing(c config.Cursor) bool { return !c.Valid() || c.IsDefault() }

// canonical prints a path with its keys sorted by name, as gNMI has no order for them, and identities
// without the module, as ygot has them in keys.
func canonical(p config.Path) string {
	var out config.Path
	for _, e := range p {
		e.Keys = slices.Clone(e.Keys)
		for i := range e.Keys {
			e.Keys[i].Value = strings.TrimPrefix(e.Keys[i].Value, "srl_nokia-common:")
		}
		slices.SortFunc(e.Keys, func(a, b config.KeyValue) int { return strings.Compare(a.Name, b.Name) })
		out = append(out, e)
	}
	return out.String()
}

func unmarshal(t *testing.T, tree *config.Tree) *ygotsrl.Device {
	t.Helper()
	device := &ygotsrl.Device{}
	if err := ygotsrl.Unmarshal(document(tree), device); err != nil {
		t.Fatal(err)
	}
	return device
}
