//go:build !race

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/pkg/sim"
)

// checks is what `loom check` prints of a network that has come to rest.
func (f *fleet) checks(t *testing.T) string {
	t.Helper()
	if err := f.sim.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := f.observer(t)
	o.drift = true
	var names []string
	for _, d := range f.design.Devices {
		names = append(names, d.Name)
	}
	var out bytes.Buffer
	f.n.checked(o.observe(t.Context(), names), 0).text(&terminal{out: &out, err: io.Discard}, false)
	return regexp.MustCompile(`cannot be read: .*`).ReplaceAllString(out.String(), "cannot be read: …")
}

// What breaks between sites, or somebody changes at a box, is one cause with its place in the topology; what gateways on SR OS miss
// because of it is counted below it.
func TestWhatBreaksBetweenStitchedSitesHasOneCause(t *testing.T) {
	t.Parallel()
	const (
		file     = "testdata/crossing.yaml"
		isis     = "/configure/router[router-name=Base]/isis[isis-instance=0]"
		segment  = "/configure/service/system/bgp/evpn/ethernet-segment[ethernet-segment-name=interconnect]"
		on, off  = `"enable"`, `"disable"`
		designed = "crossing: 12 devices as designed\n"
	)
	f := fleetOf(t, file, bgpComputed)
	f.configure(t)
	if got := f.checks(t); got != designed {
		t.Fatal(got)
	}
	var got strings.Builder
	for _, scene := range []struct{ name, kind, target, path string }{
		{name: "a gateway is switched off", kind: "device-down", target: "bj-gateway1"},
		{name: "a line is cut", kind: "fibre-cut", target: "north"},
		{name: "IS-IS is disabled on a trunk", target: "bj-gateway1", path: isis + "/interface[interface-name=wan-1/1/c1/1]/admin-state"},
		{name: "IS-IS is disabled on all trunks of a gateway", target: "bj-gateway1", path: isis + "/admin-state"},
		{name: "segment routing is disabled", target: "sh-gateway1", path: isis + "/segment-routing/admin-state"},
		{name: "a gateway leaves the ethernet segment of its site", target: "sh-gateway2", path: segment + "/admin-state"},
		{name: "the router of a tenant is disabled", target: "sh-gateway1", path: "/configure/service/vprn[service-name=red]/admin-state"},
		{name: "the way of a tenant into the fabric is disabled", target: "bj-gateway1", path: "/configure/service/vpls[service-name=red.fabric]/admin-state"},
		{name: "a stitched segment is disabled", target: "sh-gateway1", path: "/configure/service/vpls[service-name=red-web]/admin-state"},
	} {
		back := func() { f.hand(t, scene.target, scene.path, on) }
		if scene.kind == "" {
			f.hand(t, scene.target, scene.path, off)
		} else {
			id, err := f.sim.Inject(sim.Fault{Kind: scene.kind, Target: scene.target})
			if err != nil {
				t.Fatal(err)
			}
			back = func() {
				if err := f.sim.Clear(id); err != nil {
					t.Fatal(err)
				}
			}
		}
		text := f.checks(t)
		got.WriteString("-- " + scene.name + " --\n" + text)
		if roots := strings.Count("\n"+text, "\n"+file+":"); roots != 1 {
			t.Errorf("%s: %d causes", scene.name, roots)
		}
		back()
		if text := f.checks(t); text != designed {
			t.Errorf("after %s was taken back:\n%s", scene.name, text)
		}
	}
	golden := filepath.Join("testdata", "crossing.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
