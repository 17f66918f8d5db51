package srlinux

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/verify"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// What a rendered configuration asks for is what the design asks for: an index that wants all devices so judges them
// by the very same contracts.
func TestARenderedConfigurationAsksForWhatTheDesignDoes(t *testing.T) {
	t.Parallel()
	for _, topology := range append(topologies(t), "unnumbered", "odd") {
		f := open(t, topology, "")
		asked := map[string]verify.Device{}
		for _, d := range f.routers() {
			asked[d.Name] = Asks(render(t, d))
		}
		designed := verify.NewIndex(f.design)
		wanted := designed.Wanting(asked)
		for _, d := range f.routers() {
			if diff := cmp.Diff(designed.Contracts(d.Name), wanted.Contracts(d.Name), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Fatalf("%s: %s (-designed +wanted):\n%s", topology, d.Name, diff)
			}
		}
		silent := verify.Observed{Devices: map[string]verify.Device{}}
		for _, d := range f.routers() {
			silent.Devices[d.Name] = verify.Device{}
		}
		for _, found := range wanted.Check(silent) {
			if found.Withdrawn {
				t.Errorf("%s: %s is withdrawn", topology, found.ID)
			}
		}
	}
}

func TestWhatIsDisabledIsNotAskedFor(t *testing.T) {
	t.Parallel()
	const bgp = "/network-instance[name=default]/protocols/bgp"
	peers := func(d verify.Device) string {
		return said(d.Sessions, func(s verify.Session) string { return s.Peer.String() })
	}
	families := func(d verify.Device) string {
		return said(d.Sessions, func(s verify.Session) string {
			names := make([]string, 0, len(s.Families))
			for name := range s.Families {
				names = append(names, name)
			}
			slices.Sort(names)
			return strings.Join(names, "+")
		})
	}
	for _, c := range []struct {
		name, path, value string
		of                func(verify.Device) string
		want              string
	}{
		{"all is", "", "", peers, "10.1.0.1 10.1.0.2 10.1.128.101 10.1.128.99"},
		{"a neighbor", bgp + "/neighbor[peer-address=10.1.0.1]/admin-state", "disable", peers, "10.1.0.2 10.1.128.101 10.1.128.99"},
		{"a group", bgp + "/group[group-name=overlay]/admin-state", "disable", peers, "10.1.128.101 10.1.128.99"},
		{"BGP", bgp + "/admin-state", "disable", peers, ""},
		{"the instance", "/network-instance[name=default]/admin-state", "disable", peers, ""},
		{"families by group and instance", "", "", families, "evpn evpn ipv4-unicast ipv4-unicast"},
		{"a family of a group", bgp + "/group[group-name=overlay]/afi-safi[afi-safi-name=evpn]/admin-state", "disable", families, "ipv4-unicast ipv4-unicast"},
		{"a family of a neighbor", bgp + "/neighbor[peer-address=10.1.0.1]/afi-safi[afi-safi-name=evpn]/admin-state", "disable", families, "evpn ipv4-unicast ipv4-unicast"},
	} {
		f := open(t, "numbered", "")
		tree := f.render(t, "leaf1")
		if c.path != "" {
			path, err := config.ParsePath(c.path)
			if err != nil {
				t.Fatal(err)
			}
			val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(`"` + c.value + `"`)}}
			if tree, err = config.Apply(tree, &gnmi.SetRequest{Update: []*gnmi.Update{{Path: path.GNMI(), Val: val}}}); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		}
		if got := c.of(Asks(tree)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// said is what some things say, sorted, without those that say nothing.
func said[T any](list []T, say func(T) string) string {
	var out []string
	for _, one := range list {
		if s := say(one); s != "" {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
