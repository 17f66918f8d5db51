package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a leaf of one site announces, leaves of the other have, with the leaf itself as the next hop, and no longer than it does:
// by reflectors and between AS numbers, over real speakers and computed.
func TestRoutesOfTenantsReachLeavesOfOtherSites(t *testing.T) {
	text, err := os.ReadFile("testdata/stretched.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]string{"ibgp": "", "ebgp": "  overlay: {routing: ebgp}\n"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "stretched.yaml")
			if err := os.WriteFile(file, []byte(strings.Replace(string(text), "defaults:\n", "defaults:\n"+edit, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			live, computed := fleetOf(t, file, bgpLive), fleetOf(t, file, bgpComputed)
			for _, f := range []*fleet{live, computed} {
				f.configure(t)
				f.waits(t, f.incomplete)
				f.waits(t, f.hears("sh-leaf1", "bj-leaf1", true))
				f.waits(t, f.hears("bj-leaf1", "sh-leaf1", true))
			}
			live.agrees(t, computed)
			for _, f := range []*fleet{live, computed} {
				f.hand(t, "bj-leaf1", "/network-instance[name=red-web]/admin-state", `"disable"`)
				f.hand(t, "bj-leaf1", "/network-instance[name=red]/admin-state", `"disable"`)
				f.waits(t, f.hears("sh-leaf1", "bj-leaf1", false))
			}
			live.agrees(t, computed)
		})
	}
}

func (f *fleet) waits(t *testing.T, check func() string) {
	t.Helper()
	if err := f.until(t.Context(), liveTime, check); err != nil {
		t.Fatal(err)
	}
}

// hears complains where a leaf has not, or still has, the MAC address of a server (type 2) and the prefix (type 5) that another one
// announces in tenant red. Whatever it has of the other has that leaf as its next hop.
func (f *fleet) hears(leaf, from string, has bool) func() string {
	const post = "/network-instance[name=default]/bgp-rib/afi-safi[afi-safi-name=srl_nokia-common:evpn]/evpn/rib-in-out/rib-in-post"
	loopback := f.design.Device(from).Loopback.String()
	return func() string {
		view, _ := f.sim.Device(leaf).View(true)
		macs, prefixes := 0, 0
		for routes := range view.Find(mustPath(post)).Children() {
			for route := range routes.Children() {
				show := func(name string) string { return view.Find(route.Path().Child(name)).Value() }
				if show("used-route") != "true" || !strings.HasPrefix(show("route-distinguisher"), loopback+":") {
					continue
				}
				attributes := mustPath("/network-instance[name=default]/bgp-rib/attr-sets/attr-set[index=" + show("attr-id") + "]/next-hop")
				if hop := view.Find(attributes).Value(); hop != loopback {
					return fmt.Sprintf("%s has %s by way of %s", leaf, route.Path(), hop)
				}
				switch {
				case show("mac-address") != "" && strings.HasSuffix(show("route-distinguisher"), ":10"):
					macs++
				case show("ip-prefix") != "":
					prefixes++
				}
			}
		}
		if has != (macs > 0) || has != (prefixes > 0) {
			return fmt.Sprintf("%s has %d MAC addresses of red/web and %d prefixes of red from %s", leaf, macs, prefixes, from)
		}
		return ""
	}
}
