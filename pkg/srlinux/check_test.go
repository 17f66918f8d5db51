package srlinux

import (
	"errors"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
)

// withRaw is a leaf with one port and whatever the operator sets by path.
func withRaw(lines string) string {
	return `loom: v1
name: raw
spines: {count: 1, platform: 7220-IXR-D3L}
leaves: {count: 1, platform: 7220-IXR-D2L}
tenants: {red: {number: 1, segments: {web: {number: 10, gateway: 10.10.0.1/24}, db: {number: 11}}}}
ports: [{on: leaf1, range: ethernet-1/1, segments: [web, db], tagged: true}]
raw:
` + lines
}

func TestWhatTheModelsAcceptAndARouterDoesNotIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ topology, want string }{
		"an interface names a subinterface that is absent": {
			withRaw(`  - {on: leaf1, path: "/network-instance[name=red]/interface[name=lo1.0]/name", value: lo1.0}`),
			`leaf1: /network-instance[name=red]/interface[name=lo1.0]: no subinterface lo1.0`,
		},
		"a VNI is used twice": {
			withRaw(`  - {on: leaf1, path: "/tunnel-interface[name=vxlan1]/vxlan-interface[index=9]/type", value: bridged}
  - {on: leaf1, path: "/tunnel-interface[name=vxlan1]/vxlan-interface[index=9]/ingress/vni", value: 10010}`),
			`leaf1: /tunnel-interface[name=vxlan1]/vxlan-interface[index=10010]/ingress/vni: vni 10010 is used by /tunnel-interface[name=vxlan1]/vxlan-interface[index=9]/ingress/vni already`,
		},
		"an EVI is used twice": {
			withRaw(`  - {on: leaf1, path: "/network-instance[name=zoo]/protocols/bgp-vpn/bgp-instance[id=1]/id", value: 1}
  - {on: leaf1, path: "/network-instance[name=zoo]/protocols/bgp-evpn/bgp-instance[id=1]/evi", value: 10}`),
			`leaf1: /network-instance[name=zoo]/protocols/bgp-evpn/bgp-instance[id=1]/evi: evi 10 is used by /network-instance[name=red-web]/protocols/bgp-evpn/bgp-instance[id=1]/evi already`,
		},
		"a port MTU is more than the platform takes": {
			withRaw(`  - {on: leaf1, path: "/interface[name=ethernet-1/2]/mtu", value: 9500}`),
			`leaf1: /interface[name=ethernet-1/2]/mtu: 9500 is more than a 7220-IXR-D2L takes; at most 9412`,
		},
		"a port MTU is less than a port takes": {
			withRaw(`  - {on: leaf1, path: "/interface[name=ethernet-1/2]/mtu", value: 1499}`),
			`leaf1: /interface[name=ethernet-1/2]/mtu: 1499 is less than a 7220-IXR-D2L takes; at least 1500`,
		},
		"an IP MTU is more than the platform takes": {
			withRaw(`  - {on: leaf1, path: "/interface[name=irb2]/subinterface[index=1]/ip-mtu", value: 9486}`),
			`leaf1: /interface[name=irb2]/subinterface[index=1]/ip-mtu: 9486 is more than a 7220-IXR-D2L takes; at most 9398`,
		},
		"a port MTU is set behind the back of its subinterfaces": {
			withRaw(`  - {on: leaf1, path: "/interface[name=ethernet-1/1]/mtu", value: 9100}`),
			`leaf1: /interface[name=ethernet-1/1]/mtu: frames of 9232 bytes on subinterface 10 do not fit the port's 9100; set mtu where the port is declared, not by a raw leaf
/interface[name=ethernet-1/1]/mtu: frames of 9232 bytes on subinterface 11 do not fit the port's 9100; set mtu where the port is declared, not by a raw leaf`,
		},
		"a gateway's packets do not fit a port of its segment": {
			`loom: v1
name: narrow
spines: {count: 1, platform: 7220-IXR-D3L}
leaves: {count: 1, platform: 7220-IXR-D2L}
tenants: {red: {number: 1, segments: {web: {number: 10, gateway: 10.10.0.1/24}}}}
ports: [{on: leaf1, range: ethernet-1/1..2, segments: [web], tagged: true, mtu: 1514}]
`,
			`leaf1: /interface[name=ethernet-1/1]/subinterface[index=10]/l2-mtu: leaves 1510 bytes for frames, and red-web has packets of 1500 and 14 of ethernet header; raise the mtu of the port or lower that of the segment`,
		},
		"a raw leaf contradicts what is derived": {
			withRaw(`  - {on: leaf1, path: "/interface[name=ethernet-1/49]/mtu", value: 9100}`),
			`leaf1: /interface[name=ethernet-1/49]/mtu: is set to "9228" (sites/raw/underlay#mtu, fabric mtu) and to "9100" (raw/0, raw)`,
		},
		"a raw leaf is none of SR Linux": {
			withRaw(`  - {on: leaf1, path: /system/configuration/nonsense, value: 1}`),
			`leaf1: /system/configuration: unknown element "nonsense": options are [auto-checkpoint, auto-save, idle-timeout, max-candidates, max-checkpoints, max-paths-per-subscription-request]`,
		},
		"a raw leaf would touch the management interface": {
			withRaw(`  - {on: leaf1, path: "/interface[name=mgmt0]/description", value: ours}`),
			`leaf1: /interface[name=mgmt0]/description: outside of what Loom owns on SR Linux; remove it from the topology`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Render(open(t, c.topology, "25.3").device(t, "leaf1"))
			if got := text(err); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestMistakesKeepTheirCause(t *testing.T) {
	t.Parallel()
	_, err := Render(open(t, withRaw(`  - {on: leaf1, path: "/system/configuration/max-paths", value: 1}
  - {on: leaf1, path: "/interface[name=ethernet-1/1]/mtu", value: 9100}`), "").device(t, "leaf1"))
	var caused *config.CausedError
	if !errors.As(err, &caused) || caused.Cause.Ref != "raw/0" {
		t.Errorf("%v is not caused by raw/0", err)
	}
	_, err = Render(open(t, withRaw(`  - {on: leaf1, path: "/interface[name=ethernet-1/1]/mtu", value: 9100}`), "").device(t, "leaf1"))
	if !errors.As(err, &caused) || caused.Cause.Ref != "raw/0" {
		t.Errorf("%v is not caused by raw/0", err)
	}
}

func TestAnUnknownReleaseIsRefused(t *testing.T) {
	t.Parallel()
	d := *open(t, "numbered", "").device(t, "leaf1")
	d.Release = "23.10"
	_, err := Render(&d)
	if got, want := text(err), "leaf1: srlinux: release 23.10 is not one of [24.10 25.3]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAPortThatJustFitsIsAccepted(t *testing.T) {
	t.Parallel()
	tree := open(t, `loom: v1
name: narrow
spines: {count: 1, platform: 7220-IXR-D3L}
leaves: {count: 1, platform: 7220-IXR-D2L}
tenants: {red: {number: 1, segments: {web: {number: 10, gateway: 10.10.0.1/24}, lab: {number: 11}}}}
ports:
  - {on: leaf1, range: ethernet-1/1, segments: [web], tagged: true, mtu: 1518}
  - {on: leaf1, range: ethernet-1/2, segments: [web], mtu: 1514}
  - {on: leaf1, range: ethernet-1/3, segments: [lab], mtu: 1500}
`, "").render(t, "leaf1")
	if got := show(t, tree, "/interface[name=ethernet-1/3]/subinterface[index=0]/l2-mtu"); got != "1500" {
		t.Errorf("got %s", got)
	}
}
