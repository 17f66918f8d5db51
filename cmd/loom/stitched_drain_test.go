//go:build !race

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A gateway is drained and comes back: what goes to the other site goes over its neighbour meanwhile, and over both again
// afterwards. Whoever watches sees every service up all the time.
func TestServicesStayWhileAGatewayIsDrained(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "..", "topologies", "stitched.yaml")
	f := newFleet(t, "stitched.yaml", bgpComputed)
	f.configure(t)
	f.waits(t, f.incomplete)
	o := f.operator(t)
	f.waits(t, f.shares("sh-gateway1", "sh-gateway2"))
	flaps := f.established()
	watched := f.watchServices(t)
	o.loom(t, exitOK, "drain", "sh-gateway1", file, "--yes", "--rest", "0s")
	f.waits(t, f.shares("sh-gateway2"))
	o.loom(t, exitOK, "check", file)
	o.loom(t, exitOK, "undrain", "sh-gateway1", file, "--yes", "--rest", "0s")
	f.waits(t, f.shares("sh-gateway1", "sh-gateway2"))
	f.waits(t, f.incomplete)
	o.loom(t, exitOK, "plan", file, "--limit", "sh-gateway1")
	if looks := watched(); looks < 2 {
		t.Errorf("nobody has watched: %d looks", looks)
	}
	for s, times := range f.established() {
		if times != flaps[s] {
			t.Errorf("the session of %s with %s came up again", s.device, s.peer)
		}
	}
}

// watchServices looks whenever a device shows something new, and complains of a service that is down. What it returns ends it, and tells
// how often it has looked.
func (f *fleet) watchServices(t *testing.T) (end func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	looks, over := 0, make(chan string, 1)
	go func() {
		found := ""
		_ = f.until(ctx, liveTime, func() string {
			looks++
			if found = f.severed(); found != "" {
				return "" // ends the watch
			}
			return "all is well"
		})
		over <- found
	}()
	return func() int {
		cancel()
		if found := <-over; found != "" {
			t.Error(found)
		}
		return looks
	}
}

// severed complains of a server of the other site that a leaf does not know, and of a subnet there that it has no way to.
func (f *fleet) severed() string {
	if complaint := f.unknownServer(); complaint != "" {
		return complaint
	}
	for _, leaf := range []string{"sh-leaf1", "sh-leaf2"} {
		if len(f.routed(leaf, "10.11.0.0/24")) == 0 {
			return leaf + " has no way to 10.11.0.0/24 of red"
		}
	}
	return ""
}

// routed are the devices that a leaf sends to what is for a prefix of tenant red.
func (f *fleet) routed(leaf, prefix string) []string {
	const table = "/network-instance[name=red]/route-table"
	view, _ := f.sim.Device(leaf).View(true)
	var out []string
	for route := range view.Find(mustPath(table + "/ipv4-unicast/route")).Children() {
		if !slices.Contains(route.Keys(), prefix) {
			continue
		}
		group := view.Find(route.Path().Child("next-hop-group")).Value()
		for hop := range view.Find(mustPath(table + "/next-hop-group[index=" + group + "]/next-hop")).Children() {
			index := view.Find(hop.Path().Child("next-hop")).Value()
			out = append(out, f.owner(view.Find(mustPath(table+"/next-hop[index="+index+"]/ip-address")).Value()))
		}
	}
	slices.Sort(out)
	return out
}

// shares complains where leaves at sh send what is for segment web at bj, or for a subnet of red that is there alone, to others than
// some gateways.
func (f *fleet) shares(gateways ...string) func() string {
	esi := f.design.Device("sh-gateway1").WAN.Segment.ESI
	path := mustPath("/tunnel-interface[name=vxlan1]/vxlan-interface[index=10010]/bridge-table/unicast-destinations/es-destination[esi=" + strings.ToUpper(esi) + "]/vtep")
	return func() string {
		for _, leaf := range []string{"sh-leaf1", "sh-leaf2"} {
			view, _ := f.sim.Device(leaf).View(true)
			var got []string
			for end := range view.Find(path).Children() {
				got = append(got, f.owner(end.Keys()[0]))
			}
			if slices.Sort(got); !slices.Equal(got, gateways) {
				return fmt.Sprintf("%s sends to %v, not to %v", leaf, got, gateways)
			}
			if got := f.routed(leaf, "10.11.0.0/24"); !slices.Equal(got, gateways) {
				return fmt.Sprintf("%s routes to %v, not to %v", leaf, got, gateways)
			}
		}
		return ""
	}
}
