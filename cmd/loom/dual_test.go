//go:build !race

package main

import (
	"fmt"
	"strings"
	"testing"
)

// unknown complains of the first loopback that a router has not heard of, in either family. A router with SR Linux shows what it has
// heard in its route table, one with SR OS by the number of routes of each neighbor.
func (f *fleet) unknown() string {
	for _, d := range f.design.Devices {
		if !d.Loopback.IsValid() {
			continue
		}
		view, _ := f.sim.Device(d.Name).View(true)
		neighbors := 0
		has := map[string]bool{}
		for _, family := range []string{"ipv4", "ipv6"} {
			for route := range view.Find(mustPath("/network-instance[name=default]/route-table/" + family + "-unicast/route")).Children() {
				has[route.Keys()[0]] = true
			}
		}
		for n := range view.Find(mustPath("/state/router[router-name=Base]/bgp/neighbor")).Children() {
			neighbors++
			received := func(family string) string {
				return view.Find(n.Path().Child("statistics").Child("family-prefix").Child(family).Child("received")).Value()
			}
			if strings.HasPrefix(n.Keys()[0], "fe80:") && (received("ipv4") != received("ipv6") || received("ipv6") == "" || received("ipv6") == "0") {
				return fmt.Sprintf("%s has %q IPv4 routes of %s, and %q of IPv6", d.Name, received("ipv4"), n.Keys()[0], received("ipv6"))
			}
		}
		if d.OS == "sros" && neighbors != len(d.Links) {
			return fmt.Sprintf("%s shows %d neighbors", d.Name, neighbors)
		}
		for _, far := range f.design.Devices {
			for _, to := range far.Loopbacks() {
				if d.OS == "srlinux" && !has[to.String()] {
					return fmt.Sprintf("%s has no route to %s of %s", d.Name, to, far.Name)
				}
			}
		}
	}
	return ""
}

// Over real speakers every loopback is known everywhere, by IPv6 as by IPv4.
func TestBothFamiliesOfLoopbacksAreKnownEverywhere(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "dual-stack.yaml", bgpLive)
	f.configure(t)
	f.waits(t, f.unknown)
}
