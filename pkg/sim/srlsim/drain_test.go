package srlsim

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/sim/network"
	"github.com/loomfabric/loom/pkg/srlinux"
)

// states is what every router of a design shows, with some of them drained.
func states(t *testing.T, design *fabric.Design, drained ...string) map[string]network.State {
	t.Helper()
	routers := map[string]*network.Router{}
	for i, d := range design.Devices {
		tree := render(t, d)
		if slices.Contains(drained, d.Name) {
			var err error
			if tree, err = srlinux.Drain(tree, d); err != nil {
				t.Fatal(err)
			}
		}
		routers[d.Name] = read(chassis(t, d.Name, d.Platform.Name, byte(i+1)), tree)
	}
	plant := network.Survey(routers, plug(design), network.Outages{})
	routing := network.Compute(plant)
	out := map[string]network.State{}
	for name := range routers {
		out[name] = *network.Observe(plant, routing, name)
	}
	return out
}

// over counts, by the first router on the way, the ways that a router has to a loopback.
func over(s network.State, to netip.Addr) map[string]int {
	out := map[string]int{}
	for _, r := range s.Instances["default"].Routes {
		if r.Prefix.Addr() != to || r.Protocol != "bgp" {
			continue
		}
		for _, hop := range r.NextHops {
			out[hop.Router]++
		}
	}
	return out
}

func TestNoLeafSendsOverADrainedSpine(t *testing.T) {
	t.Parallel()
	for _, release := range releases {
		design := demo(t, release)
		check := func(states map[string]network.State, want string) {
			t.Helper()
			for _, from := range []string{"leaf1", "leaf4", "leaf8"} {
				for _, to := range []string{"leaf2", "leaf3", "leaf7"} {
					if from == to {
						continue
					}
					if got := fmt.Sprint(over(states[from], design.Device(to).Loopback)); got != want {
						t.Errorf("%s: %s to %s over %s, want %s", release, from, to, got, want)
					}
				}
			}
		}
		check(states(t, design), "map[spine1:1 spine2:1 spine3:1 spine4:1]")
		check(states(t, design, "spine1"), "map[spine2:1 spine3:1 spine4:1]")
		check(states(t, design, "spine1", "spine2", "spine3", "spine4"), "map[spine1:1 spine2:1 spine3:1 spine4:1]")
	}
}

// The server web-1 hangs on leaf1 and leaf2.
func TestAServerOfADrainedLeafIsReachedOverTheOther(t *testing.T) {
	t.Parallel()
	design := demo(t, "25.3")
	web := network.MAC{2, 0, 9, 0, 0, 1}
	vteps := func(all map[string]network.State) []netip.Addr {
		mac := network.MACEntry{}
		for _, m := range all["leaf5"].Instances["red-web"].MACs {
			if m.MAC == web {
				mac = m
			}
		}
		if mac.VTEP.IsValid() {
			return []netip.Addr{mac.VTEP}
		}
		var out []netip.Addr
		for _, tunnel := range all["leaf5"].Tunnels {
			for _, s := range tunnel.Segments {
				for _, v := range s.VTEPs {
					if s.ESI == mac.ESI && mac.ESI != (network.ESI{}) && !slices.Contains(out, v.VTEP) {
						out = append(out, v.VTEP)
					}
				}
			}
		}
		return out
	}
	leaf1, leaf2 := design.Device("leaf1").Loopback, design.Device("leaf2").Loopback
	for _, c := range []struct {
		drained []string
		want    []netip.Addr
	}{
		{nil, []netip.Addr{leaf1, leaf2}},
		{[]string{"leaf1"}, []netip.Addr{leaf2}},
		{[]string{"leaf2"}, []netip.Addr{leaf1}},
		{[]string{"spine1"}, []netip.Addr{leaf1, leaf2}},
	} {
		all := states(t, design, c.drained...)
		if got := vteps(all); !slices.Equal(got, c.want) {
			t.Errorf("%v drained: leaf5 reaches the server over %v, want %v", c.drained, got, c.want)
		}
		forwards := map[bool]string{}
		for _, name := range []string{"leaf1", "leaf2"} {
			for _, s := range all[name].Segments {
				for _, in := range s.Instances {
					if s.Name == "es-lag1" && in.Instance == "red-web" && in.DF {
						forwards[true] += name
					}
				}
			}
		}
		if slices.Contains(c.drained, "leaf1") && forwards[true] != "leaf2" || len(forwards[true]) != len("leaf1") {
			t.Errorf("%v drained: %q forwards broadcast to the server", c.drained, forwards[true])
		}
	}
}
