//go:build !race

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bonded is two spines and two pairs of leaves with servers on bonds.
const bonded = `
loom: v1
name: bonded
pool: 10.1.0.0/16
spines: {count: 2, platform: 7220-IXR-D3L}
leaves: {count: 4, platform: 7220-IXR-D2L, pairs: true}
tenants: {red: {number: 1, segments: {web: {number: 10, gateway: 10.10.0.1/24}}}}
ports:
  - {on: leaves, range: ethernet-1/1, lag: pair, segments: [web], tagged: true}
  - {on: leaf1, range: ethernet-1/9, segments: [web], tagged: true}
`

// Speakers that run BGP for real send traffic elsewhere while a device is drained, and back when it is not any more.
// Nothing but the drain changes: sessions stand all the time.
func TestTrafficLeavesADrainedDeviceAndComesBack(t *testing.T) {
	dir := t.TempDir()
	file, inventory := filepath.Join(dir, "bonded.yaml"), filepath.Join(dir, "sim.json")
	if err := os.WriteFile(file, []byte(bonded), 0o600); err != nil {
		t.Fatal(err)
	}
	f := fleetOf(t, file, bgpLive)
	if err := os.WriteFile(inventory, f.sim.Inventory().JSON(), 0o600); err != nil {
		t.Fatal(err)
	}
	f.configure(t)
	waits := func(check func() string) {
		t.Helper()
		if err := f.until(t.Context(), liveTime, check); err != nil {
			t.Fatal(err)
		}
	}
	loom := func(args ...string) {
		t.Helper()
		var out bytes.Buffer
		if code := run(t.Context(), append(args, file, "--inventory", inventory, "--yes", "--rest", "0s"), &terminal{in: strings.NewReader(""), out: &out, err: &out}); code != exitOK {
			t.Fatalf("loom %v: exit code %d\n%s", args, code, out.String())
		}
	}
	waits(f.incomplete)
	waits(f.unspread)
	flaps := f.established()

	loom("drain", "spine1")
	waits(func() string { return f.over("spine1") })
	loom("undrain", "spine1")
	waits(f.unspread)

	segment := f.design.Device("leaf1").LAGs[0].ESI
	ends := func(want ...string) func() string {
		return func() string {
			for _, leaf := range []string{"leaf3", "leaf4"} {
				if diff := cmp.Diff(want, f.ends(leaf, segment)); diff != "" {
					return leaf + " sends elsewhere (-want +got):\n" + diff
				}
			}
			return ""
		}
	}
	waits(ends("leaf1", "leaf2"))
	loom("drain", "leaf1")
	waits(ends("leaf2"))
	loom("undrain", "leaf1")
	waits(ends("leaf1", "leaf2"))
	waits(f.incomplete)

	if diff := cmp.Diff(flaps, f.established()); diff != "" {
		t.Errorf("sessions came up again (-before +after):\n%s", diff)
	}
}

// chosen visits the routes that a device uses, by what they lead to, each with the device that it has it from.
func (f *fleet) chosen(name string, visit func(to, from string)) {
	const rib = "/network-instance[name=default]/bgp-rib/afi-safi[afi-safi-name=srl_nokia-common:"
	view, _ := f.sim.Device(name).View(true)
	for _, family := range []string{"ipv4-unicast", "evpn"} {
		for routes := range view.Find(mustPath(rib + family + "]/" + family + "/rib-in-out/rib-in-post")).Children() {
			for route := range routes.Children() {
				leaf := func(name string) string { return view.Find(route.Path().Child(name)).Value() }
				if leaf("used-route") == "true" {
					visit(leaf("prefix")+leaf("originating-router")+leaf("mac-address")+leaf("ip-prefix")+" "+leaf("route-distinguisher"), f.peer(name, leaf("neighbor")))
				}
			}
		}
	}
}

// peer is the device that a neighbor's address belongs to.
func (f *fleet) peer(name, neighbor string) string {
	d := f.design.Device(name)
	for i := range d.Links {
		if strings.HasSuffix(neighbor, "%"+d.Links[i].Port+".0") {
			return d.Links[i].PeerName
		}
	}
	for _, n := range d.Overlay.Neighbors {
		if n.Addr.String() == neighbor {
			return n.Name
		}
	}
	return ""
}

// over complains of a leaf that has chosen a route from a spine, but for the one to the spine itself.
func (f *fleet) over(spine string) (complaint string) {
	own := f.design.Device(spine).Loopback.String() + "/32 "
	for _, d := range f.design.Devices {
		if d.Name[:4] != "leaf" {
			continue
		}
		routes := 0
		f.chosen(d.Name, func(to, from string) {
			routes++
			if from == spine && to != own {
				complaint += fmt.Sprintf("%s uses %s from %s\n", d.Name, to, spine)
			}
		})
		if routes == 0 {
			complaint = d.Name + " has chosen nothing"
		}
	}
	return complaint
}

// unspread complains of a leaf that reaches another over one spine only.
func (f *fleet) unspread() (complaint string) {
	for _, d := range f.design.Devices {
		from := map[string][]string{}
		f.chosen(d.Name, func(to, spine string) { from[to] = append(from[to], spine) })
		for _, far := range f.design.Devices {
			if to := far.Loopback.String() + "/32 "; d.Name[:4] == "leaf" && far.Name[:4] == "leaf" && far != d && len(from[to]) != 2 {
				complaint = fmt.Sprintf("%s reaches %s over %v", d.Name, far.Name, from[to])
			}
		}
	}
	return complaint
}

// ends are the leaves to which a leaf sends what is for an ethernet segment.
func (f *fleet) ends(name, esi string) []string {
	view, _ := f.sim.Device(name).View(true)
	path := fmt.Sprintf("/tunnel-interface[name=vxlan1]/vxlan-interface[index=%d]/bridge-table/unicast-destinations/es-destination[esi=%s]/vtep", f.design.Device(name).Segments[0].VNI, esi)
	var out []string
	for end := range view.Find(mustPath(path)).Children() {
		for _, d := range f.design.Devices {
			if d.Loopback.String() == end.Keys()[0] {
				out = append(out, d.Name)
			}
		}
	}
	slices.Sort(out)
	return out
}
