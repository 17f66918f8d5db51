package fabric

import (
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/topology"
)

// greyLight is two sites that transponders join, each with a gateway.
const greyLight = `
loom: v1
name: grey
defaults:
  spines: {count: 1, platform: 7220-IXR-D5}
  gateways: {count: 1, platform: GATEWAY}
  transponders: {count: 1, platform: openconfig-BOX}
sites: {bj: {number: 1}, sh: {number: 2}}
ducts: {river: {from: bj, to: sh, km: 38}}
lines: {dark: {from: bj, to: sh, via: [river], ends: roadm, amplifiers: EDFA}}
dci: {bj-sh: {number: 1, wavelengths: {count: 2, mode: OpenZR+ 400G, over: dark, transponders: true}}}
`

// A gateway has ports for the clients of transponders that run at their speed, beside those towards spines.
func TestPortsTowardsTransponderRunAtTheSpeedOfItsClients(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ gateway, box, want string }{
		{"7220-IXR-D2", "muxponder", "bj-sh/2: no port left on bj-gateway1: 7220-IXR-D2 has 4 ports of 100G towards transponders"},
		{"7220-IXR-D3", "muxponder", "ethernet-1/3..10 at 100G"},
		{"7220-IXR-D3L", "muxponder", "ethernet-1/1..8 at 100G"},
		{"7220-IXR-D4", "muxponder", "ethernet-1/1..8 at 100G"},
		{"7220-IXR-D5", "muxponder", "ethernet-1/1..8 at 100G, slower than the port's own"},
		{"7250-IXR-X3b", "muxponder", "ethernet-1/17..24 at 100G, slower than the port's own"},
		{"7220-IXR-D2L", "transponder", "no port of bj-gateway1 towards transponders runs at 400G (7220-IXR-D2L), as clients of bj-transponder1 do (openconfig-transponder); use openconfig-muxponder or other gateways"},
		{"7220-IXR-D3L", "transponder", "no port of bj-gateway1 towards transponders runs at 400G (7220-IXR-D3L)"},
		{"7220-IXR-D4", "transponder", "ethernet-1/33..35 at 400G"},
		{"7220-IXR-D5", "transponder", "ethernet-1/1..3 at 400G"},
		{"7220-IXR-H3", "transponder", "ethernet-1/3..5 at 400G"},
		{"7250-IXR-X3b", "transponder", "ethernet-1/17..19 at 400G"},
	} {
		t.Run(c.gateway+" with a "+c.box, func(t *testing.T) {
			t.Parallel()
			source := strings.NewReplacer("GATEWAY", c.gateway, "BOX", c.box).Replace(greyLight)
			design, diags := Compile(topology.New(intentOf(t, "grey.yaml", []byte(source))))
			if design == nil {
				if !strings.Contains(diags.Error(), c.want) {
					t.Errorf("got\n%s\nwant %s", diags.Error(), c.want)
				}
				return
			}
			first, last, slower := "", "", ""
			for _, l := range design.Device("bj-gateway1").Links {
				if l.Via == "" {
					continue
				}
				if first == "" {
					first = l.Port
				}
				if last = strings.TrimPrefix(l.Port, "ethernet-1/"); l.Speed != "" {
					slower = ", slower than the port's own"
				}
			}
			speed := ""
			for _, x := range design.Cables {
				if x.A.Device == "bj-gateway1" && x.A.Port == first {
					speed = x.Speed
				}
			}
			if got := first + ".." + last + " at " + speed + slower; got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
