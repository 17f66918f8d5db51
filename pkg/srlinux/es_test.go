package srlinux

import "testing"

func TestEthernetSegments(t *testing.T) {
	t.Parallel()
	const segments = "/system/network-instance/protocols/evpn/ethernet-segments/bgp-instance[id=1]/ethernet-segment"
	hold(t, []fact{
		{
			name: "a LAG to a pair is an ethernet segment, all-active and enabled", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				segments:                              "es-lag1,es-lag2",
				segments + "[name=es-lag1]/interface": "lag1",
				segments + "[name=es-lag1]/multi-homing-mode":             "all-active",
				segments + "[name=es-lag1]/admin-state":                   "enable",
				"/system/network-instance/protocols/bgp-vpn/bgp-instance": "1", // for the routes of segments
			},
		},
		{
			name: "a leaf without a pair has none", topology: "unnumbered", device: "leaf3",
			want: map[string]string{"/system/network-instance": "absent"},
		},
		{
			name: "a spine has none", topology: "unnumbered", device: "spine1",
			want: map[string]string{"/system/network-instance": "absent"},
		},
	})
}

func TestBothLeavesOfASegmentShowTheSameLACPSystemAndESI(t *testing.T) {
	t.Parallel()
	f := open(t, "unnumbered", "")
	a, b := f.render(t, "leaf1"), f.render(t, "leaf2")
	for _, path := range []string{
		"/interface[name=lag1]/lag/lacp/system-id-mac",
		"/interface[name=lag1]/lag/lacp/admin-key",
		"/system/network-instance/protocols/evpn/ethernet-segments/bgp-instance[id=1]/ethernet-segment[name=es-lag1]/esi",
	} {
		if x, y := show(t, a, path), show(t, b, path); x != y || x == "absent" {
			t.Errorf("%s: %s on leaf1, %s on leaf2", path, x, y)
		}
	}
	const second = "/interface[name=lag2]/lag/lacp/system-id-mac"
	if x, y := show(t, a, second), show(t, a, "/interface[name=lag1]/lag/lacp/system-id-mac"); x == y {
		t.Errorf("two LAGs share the LACP system %s", x)
	}
}

func TestASingleHomedLAGIsNoEthernetSegment(t *testing.T) {
	t.Parallel()
	d := *open(t, "unnumbered", "").device(t, "leaf1")
	lag := d.LAGs[0]
	lag.ESI, lag.ESName, lag.Peer = "", "", ""
	d.LAGs = append(d.LAGs[:0:0], lag, d.LAGs[1])
	const segments = "/system/network-instance/protocols/evpn/ethernet-segments/bgp-instance[id=1]/ethernet-segment"
	if got := show(t, render(t, &d), segments); got != "es-lag2" {
		t.Errorf("got %s", got)
	}
}
