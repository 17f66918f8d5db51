package srlinux

import (
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

func TestEveryLeafHasACauseWithAPlace(t *testing.T) {
	t.Parallel()
	eachRendered(t, func(t *testing.T, f fixture, d *fabric.Device, tree *config.Tree) {
		seen := map[config.Cause]bool{}
		for c := range tree.All() {
			cause := c.Cause()
			if !c.IsLeaf() && !c.IsValue() || seen[cause] {
				continue
			}
			seen[cause] = true
			if cause.Rule == "" {
				t.Errorf("%s: %s has no rule", d.Name, c.Path())
			}
			if pos := f.topo.At(cause.Ref); cause.Ref == "" || pos.File == "" || pos.Line == 0 || pos.Column == 0 {
				t.Errorf("%s: %s: cause %q is nowhere (%s)", d.Name, c.Path(), cause.Ref, pos)
			}
		}
	})
}

func TestLeavesAreExplainedByTheLineThatAsksForThem(t *testing.T) {
	t.Parallel()
	f := open(t, "odd", "25.3")
	for path, want := range map[string]string{
		"/interface[name=ethernet-1/32]/mtu":                                                             "underlay: {links: unnumbered, mtu: 9000",
		"/interface[name=ethernet-1/4]/mtu":                                                              "range: ethernet-1/4, segments: [web], speed: 40G, mtu: 1600",
		"/interface[name=ethernet-1/3/1]/ethernet/hold-time/up":                                          "ethernet/hold-time/up",
		"/interface[name=ethernet-1/3]/breakout-mode/num-breakout-ports":                                 "range: ethernet-1/3/1..2",
		"/interface[name=irb1]/subinterface[index=5000]/ipv4/address[ip-prefix=10.10.0.1/24]/anycast-gw": "gateway: 10.10.0.1/24",
		"/network-instance[name=red-web]/protocols/bgp-evpn/bgp-instance[id=1]/evi":                      "segments: {web:",
		"/network-instance[name=red]/protocols/bgp-evpn/bgp-instance[id=1]/evi":                          "red: {number: 1",
		bgp + "/afi-safi[afi-safi-name=" + afiIPv4 + "]/multipath/ebgp/maximum-paths":                    "max-paths: 128",
		"/system/name/host-name": "leaves: {numbers:",
	} {
		if got := lineOf(t, f, "leaf1", path); !strings.Contains(got, want) {
			t.Errorf("%s: got the line %q, want that with %q", path, got, want)
		}
	}
}

// lineOf is the line of the topology that caused a leaf.
func lineOf(t *testing.T, f fixture, device, path string) string {
	t.Helper()
	p, err := config.ParsePath(path)
	if err != nil {
		t.Fatal(err)
	}
	at := f.render(t, device).Find(p)
	if !at.Valid() {
		t.Fatalf("%s: no such leaf", path)
	}
	pos := f.topo.At(at.Cause().Ref)
	for _, src := range sources(t, "odd") {
		if lines := strings.Split(string(src.Data), "\n"); src.Name == pos.File && pos.Line <= len(lines) {
			return lines[pos.Line-1]
		}
	}
	t.Fatalf("%s: cause %q is nowhere", path, at.Cause().Ref)
	return ""
}
