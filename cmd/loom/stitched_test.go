//go:build !race

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/verify"
)

// heard are the EVPN routes of tenant red and its segment web that an SR Linux router uses, of those that some devices announce: the
// prefix or MAC address, who says so, where it leads, and who is to take it.
func (f *fleet) heard(t *testing.T, at string, announcers ...string) []string {
	t.Helper()
	const rib = "/network-instance[name=default]/bgp-rib"
	view, _ := f.sim.Device(at).View(true)
	by := map[string]string{}
	for _, name := range announcers {
		by[f.design.Device(name).Loopback.String()] = name
	}
	kinds := map[string]bool{}
	for routes := range view.Find(mustPath(rib + "/afi-safi[afi-safi-name=srl_nokia-common:evpn]/evpn/rib-in-out/rib-in-post")).Children() {
		for route := range routes.Children() {
			show := func(name string) string { return view.Find(route.Path().Child(name)).Value() }
			address, _, _ := strings.Cut(show("route-distinguisher"), ":")
			what := show("ip-prefix")
			if mac := show("mac-address"); mac != "" {
				what = mac
			}
			if by[address] == "" || what == "" || show("used-route") != "true" {
				continue
			}
			attributes := rib + "/attr-sets/attr-set[index=" + show("attr-id") + "]"
			hop := view.Find(mustPath(attributes + "/next-hop")).Value()
			var targets []string
			for c := range view.Find(mustPath(attributes + "/communities/ext-community")).Children() {
				if strings.HasPrefix(c.Value(), "target:") {
					targets = append(targets, c.Value())
				}
			}
			if !slices.Contains(targets, "target:65000:10010") && !slices.Contains(targets, "target:65000:20001") {
				continue
			}
			kinds[fmt.Sprintf("%s of %s to %s for %s", what, by[address], f.owner(hop), strings.Join(targets, " "))] = true
		}
	}
	return sortedKeys(kinds)
}

// owner is the device with a loopback.
func (f *fleet) owner(loopback string) string {
	for _, d := range f.design.Devices {
		if d.Loopback.String() == loopback {
			return d.Name
		}
	}
	return loopback
}

// crosses complains where what bj has of tenant red is not heard at sh: a server in the segment that both have, and a subnet that is at bj
// alone. Gateways say it in their own name, with the route targets of their site, and nobody of bj is heard himself.
func (f *fleet) crosses(t *testing.T, gateways ...string) func() string {
	return func() string {
		var want []string
		for _, what := range []string{"0A:00:00:00:01:00 of %[1]s to %[1]s for target:65000:10010", "10.11.0.0/24 of %[1]s to %[1]s for target:65000:20001"} {
			for _, gateway := range gateways {
				want = append(want, fmt.Sprintf(what, gateway))
			}
		}
		for _, at := range []string{"sh-leaf1", "sh-leaf2", "sh-spine1"} {
			got := f.heard(t, at, "sh-gateway1", "sh-gateway2")
			got = slices.DeleteFunc(got, func(s string) bool {
				return !strings.HasPrefix(s, "0A:00:00:00:01:00 ") && !strings.HasPrefix(s, "10.11.0.0/24 ")
			})
			if !slices.Equal(got, want) {
				return fmt.Sprintf("%s hears %q of its gateways, not %q", at, got, want)
			}
			if direct := f.heard(t, at, "bj-leaf1", "bj-leaf2", "bj-gateway1", "bj-gateway2"); len(direct) > 0 {
				return fmt.Sprintf("%s hears bj itself: %q", at, direct)
			}
		}
		return ""
	}
}

// roots are the findings that follow from no other: severity, kind and object.
func (f *fleet) roots(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, g := range verify.Groups(verify.Check(f.design, f.observer(t).observe(t.Context(), sortedKeys(f.n.trees)))) {
		if g.Severity > verify.Notice {
			out = append(out, fmt.Sprintf("%s %s %s", g.Severity, g.Kind, g.Object))
		}
	}
	return out
}

// Over real speakers: what a site has arrives at the other in the name of that one's gateways, and goes when it goes. With EBGP
// inside the sites the AS path of one gets into the other.
func TestWhatASiteHasIsHeardAtTheOtherByItsGateways(t *testing.T) {
	text, err := os.ReadFile("../../topologies/stitched.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]string{"ibgp": "", "ebgp": "  overlay: {routing: ebgp}\n"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "stitched.yaml")
			if err := os.WriteFile(file, []byte(strings.Replace(string(text), "defaults:\n", "defaults:\n"+edit, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			f := fleetOf(t, file, bgpLive)
			f.configure(t)
			f.waits(t, f.crosses(t, "sh-gateway1", "sh-gateway2"))
			for _, leaf := range []string{"bj-leaf1", "bj-leaf2"} {
				for _, instance := range []string{"red-web", "red-app", "red"} {
					f.hand(t, leaf, "/network-instance[name="+instance+"]/admin-state", `"disable"`)
				}
			}
			f.waits(t, f.crosses(t))
		})
	}
}

// One gateway, or one line, is enough for everything that crosses, and what is lost is the one cause of all there is to complain of;
// without any gateway of a site nothing crosses.
func TestOneGatewayOrOneLineIsEnough(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "stitched.yaml", bgpComputed)
	f.configure(t)
	both := f.crosses(t, "sh-gateway1", "sh-gateway2")
	f.waits(t, both)
	for _, loss := range []struct {
		kind, target string
		cause        string   // severity, kind and object
		left         []string // gateways at sh that still hear of bj
	}{
		{"device-down", "bj-gateway1", "error device-unreachable bj-gateway1", []string{"sh-gateway1", "sh-gateway2"}},
		{"device-down", "sh-gateway1", "error device-unreachable sh-gateway1", []string{"sh-gateway2"}},
		{"fibre-cut", "north1", "error fibre-cut north1", []string{"sh-gateway1", "sh-gateway2"}},
		{"fibre-cut", "coast1", "error fibre-cut coast1", []string{"sh-gateway1", "sh-gateway2"}},
	} {
		id, err := f.sim.Inject(sim.Fault{Kind: loss.kind, Target: loss.target})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.sim.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.waits(t, f.crosses(t, loss.left...))
		f.waits(t, f.unknownServer)
		if got := f.roots(t); !slices.Equal(got, []string{loss.cause}) {
			t.Errorf("%s of %s: loom check says %q, want %q", loss.kind, loss.target, got, loss.cause)
			for _, x := range verify.Check(f.design, f.observer(t).observe(t.Context(), sortedKeys(f.n.trees))) {
				if x.Severity > verify.Notice {
					t.Log(x.ID, "|", x.Message)
				}
			}
		}
		if err := f.sim.Clear(id); err != nil {
			t.Fatal(err)
		}
		f.waits(t, both)
	}
	for _, gateway := range []string{"bj-gateway1", "bj-gateway2"} {
		if _, err := f.sim.Inject(sim.Fault{Kind: "device-down", Target: gateway}); err != nil {
			t.Fatal(err)
		}
	}
	f.waits(t, f.crosses(t))
}
