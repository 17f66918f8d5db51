package main

import (
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"

	plant "github.com/loomfabric/loom/pkg/sim/network"
)

func wiringOf(t *testing.T, file string, perLeaf int) *plant.Wiring {
	t.Helper()
	srcs, err := sources([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	n, err := compileNetwork(&terminal{out: io.Discard, err: io.Discard}, srcs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return wiring(n.design, perLeaf)
}

func hostNamed(t *testing.T, w *plant.Wiring, name string) plant.Host {
	t.Helper()
	i := slices.IndexFunc(w.Hosts, func(h plant.Host) bool { return h.Name == name })
	if i < 0 {
		t.Fatalf("no server %s", name)
	}
	return w.Hosts[i]
}

func TestTheServersOfADesign(t *testing.T) {
	t.Parallel()
	w := wiringOf(t, "../../topologies/demo.yaml", 8)

	t.Run("a server that the topology names has the NICs that are cabled", func(t *testing.T) {
		h := hostNamed(t, w, "web-1")
		if !slices.Equal(h.NICs, []string{"eth0", "eth1"}) || !h.LACP {
			t.Errorf("NICs %v, LACP %v", h.NICs, h.LACP)
		}
	})
	t.Run("a LAG of a pair of leaves has one server, bonded to both", func(t *testing.T) {
		h := hostNamed(t, w, "host-leaf1-lag2")
		if len(h.NICs) != 2 || !h.LACP {
			t.Errorf("NICs %v, LACP %v", h.NICs, h.LACP)
		}
		want := []string{"leaf1:ethernet-1/2 - host-leaf1-lag2:eth0", "leaf2:ethernet-1/2 - host-leaf1-lag2:eth1"}
		for _, id := range want {
			if !slices.ContainsFunc(w.Cables, func(c plant.Cable) bool { return c.String() == id }) {
				t.Errorf("no cable %s", id)
			}
		}
	})
	t.Run("it talks in every segment of its ports, with an address of the gateway's subnet", func(t *testing.T) {
		h := hostNamed(t, w, "host-leaf1-lag2")
		if len(h.Addresses) != 2 || h.Addresses[0].VLAN != 10 || h.Addresses[1].VLAN != 11 {
			t.Fatalf("addresses %v", h.Addresses)
		}
		if ips := h.Addresses[0].IPs; len(ips) != 2 || !netip.MustParsePrefix("10.10.0.0/24").Contains(ips[0].Addr()) || !ips[1].Addr().Is6() {
			t.Errorf("IPs %v", ips)
		}
	})
	t.Run("a bridged segment gives no addresses", func(t *testing.T) {
		for _, a := range hostNamed(t, w, "host-leaf1-lag5").Addresses {
			if a.VLAN == 0 && len(a.IPs) > 0 {
				t.Errorf("addresses %v", a.IPs)
			}
		}
	})
}

func TestNoAddressIsGivenTwice(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"demo.yaml", "clos-4x16.yaml", "two-sites.yaml", "irregular.yaml"} {
		macs, ends := map[plant.MAC]string{}, map[plant.End]string{}
		w := wiringOf(t, "../../topologies/"+file, 8)
		for _, h := range w.Hosts {
			for _, a := range h.Addresses {
				if old, twice := macs[a.MAC]; twice {
					t.Errorf("%s: %s of %s is that of %s", file, a.MAC, h.Name, old)
				}
				macs[a.MAC] = h.Name
			}
		}
		for _, c := range w.Cables {
			for _, e := range []plant.End{c.A, c.B} {
				if old, twice := ends[e]; twice {
					t.Errorf("%s: %s has the cables %s and %s", file, e, old, c)
				}
				ends[e] = c.String()
			}
		}
	}
}

func TestServersPerLeafAreLimited(t *testing.T) {
	t.Parallel()
	for _, h := range wiringOf(t, "../../topologies/demo.yaml", 0).Hosts {
		if strings.HasPrefix(h.Name, "host-") {
			t.Errorf("%s was made up", h.Name)
		}
	}
}

func TestAServerOfAPairIsOnBothLeavesOrOnNone(t *testing.T) {
	t.Parallel()
	ends := map[string]int{}
	for _, c := range wiringOf(t, "../../topologies/two-sites.yaml", 8).Cables {
		for _, e := range []plant.End{c.A, c.B} {
			if strings.HasPrefix(e.Device, "host-") && strings.Contains(e.Device, "-lag") {
				ends[e.Device]++
			}
		}
	}
	for server, nics := range ends {
		if nics != 2 {
			t.Errorf("%s has %d cables, want one to each leaf of its pair", server, nics)
		}
	}
	if len(ends) == 0 {
		t.Error("no server is on a pair")
	}
}
