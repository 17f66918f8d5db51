package fabric

import (
	"strings"
	"testing"

	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/topology"
)

func TestEveryMistakeIsNamedWithItsCause(t *testing.T) {
	t.Parallel()
	type edit func(in *intent.Topology)
	leaf := func(number string, change func(d *intent.Device)) edit {
		return func(in *intent.Topology) { change(device(in, "dc-leaf"+number)) }
	}
	spine := func(number string, change func(d *intent.Device)) edit {
		return func(in *intent.Topology) { change(device(in, "dc-spine"+number)) }
	}
	site := func(change func(s *intent.Site)) edit {
		return func(in *intent.Topology) { change(in.Sites[0]) }
	}
	web := func(change func(s *intent.Segment)) edit {
		return func(in *intent.Topology) { change(in.Tenants[0].Segments[0]) }
	}
	attach := func(members string, change func(a *intent.Attachment)) edit {
		return func(in *intent.Topology) {
			a := &intent.Attachment{Members: ends(strings.Fields(members)...), Untagged: "red/web"}
			change(a)
			in.Attachments = append(in.Attachments, a)
		}
	}
	plain := func(*intent.Attachment) {}
	cables := func(pairs ...string) edit {
		return func(in *intent.Topology) {
			for i := 0; i < len(pairs); i += 2 {
				in.Cables = append(in.Cables, cableBetween(pairs[i], pairs[i+1]))
			}
		}
	}
	all := func(edits ...edit) edit {
		return func(in *intent.Topology) {
			for _, e := range edits {
				e(in)
			}
		}
	}
	secondSite := func(in *intent.Topology) { in.Sites = append(in.Sites, newSite("sh", 2, 1, 1)) }
	tests := []struct {
		name string
		edit edit
		want []string
	}{
		{"a fabric without mistakes has no diagnostics", func(*intent.Topology) {}, nil},

		{"an unknown platform", leaf("3", func(d *intent.Device) { d.Platform = "7220-IXR-D9" }),
			[]string{"dc-leaf3: no platform 7220-IXR-D9"}},
		{"an unknown release", leaf("3", func(d *intent.Device) { d.Release = "23.10" }),
			[]string{"dc-leaf3: no release 23.10 for 7220-IXR-D2L"}},
		{"a leaf without EVPN services", leaf("3", func(d *intent.Device) { d.Platform = "7220-IXR-H3" }),
			[]string{"dc-leaf3: 7220-IXR-H3 has no EVPN services on 25.3"}},
		{"a leaf without VXLAN", leaf("3", func(d *intent.Device) { d.Platform = "7250-IXR-X3b" }),
			[]string{"dc-leaf3: 7250-IXR-X3b has no VXLAN on 25.3"}},
		{"a pair that is not mutual", leaf("3", func(d *intent.Device) { d.Peer = "dc-leaf2" }),
			[]string{"dc-leaf3: no pair with dc-leaf2", "dc-leaf4: no pair with dc-leaf3"}},
		{"two devices with one name", func(in *intent.Topology) {
			in.Sites[0].Devices = append(in.Sites[0].Devices, newDevice(in.Sites[0], intent.Role_ROLE_LEAF, 5, "7220-IXR-D2L"))
			in.Sites[0].Devices[6].Name = "dc-leaf4"
		}, []string{"dc-leaf4: two devices have this name", "dc-leaf3: no pair with dc-leaf4"}},
		{"a device without a number", spine("2", func(d *intent.Device) { d.Number = 0 }),
			[]string{"dc-spine2: number 0: numbers start at 1"}},

		{"a pool that is not a prefix", site(func(s *intent.Site) { s.Pool = "10.1.0.1/16" }),
			[]string{"10.1.0.1/16: not a prefix"}},
		{"a pool of IPv6", site(func(s *intent.Site) { s.Pool = "2001:db8::/64" }),
			[]string{"pool 2001:db8::/64: not IPv4"}},
		{"a pool without room for the loopbacks", all(site(func(s *intent.Site) { s.Pool, s.Underlay.Links = "10.1.0.0/27", intent.Links_LINKS_UNNUMBERED })),
			[]string{"dc-leaf4: no loopback: pool 10.1.0.0/27 of site dc is exhausted; use a pool of /26, or give it explicitly"}},
		{"a pool without room for the links", all(site(func(s *intent.Site) { s.Pool = "10.1.0.0/23" }), leaf("4", func(d *intent.Device) { d.Number = 3; d.Asn = 9 }), func(in *intent.Topology) {
			in.Sites[0].Devices = in.Sites[0].Devices[:5]
			in.Sites[0].Devices[4].Peer = ""
		}),
			[]string{"dc-leaf3: no subnet for ethernet-1/49: pool 10.1.0.0/23 of site dc is exhausted; use a pool of /22", "dc-leaf3: no subnet for ethernet-1/50: pool 10.1.0.0/23"}},
		{"a loopback that is also derived", leaf("3", func(d *intent.Device) { d.Loopback = "10.1.32.4" }),
			[]string{"dc-leaf4: address 10.1.32.4 is also that of dc-leaf3"}},
		{"a loopback that a link has", leaf("3", func(d *intent.Device) { d.Loopback = "10.1.128.98" }),
			[]string{"derived cable dc-leaf1:ethernet-1/49 - dc-spine1:ethernet-1/1: address 10.1.128.98 is also that of dc-leaf3"}},
		{"a loopback that is no address", leaf("3", func(d *intent.Device) { d.Loopback = "::1" }),
			[]string{"dc-leaf3: loopback ::1: not an IPv4 address"}},

		{"a leaf number beyond the AS block", leaf("4", func(d *intent.Device) { d.Number, d.Management = 9900, "172.20.1.250"; d.Loopback = "10.9.9.9" }),
			[]string{"dc-leaf4: no AS number: the block of site dc, 4200010000+, has 10000 numbers", "dc-leaf4: no port left on dc-spine1: 7220-IXR-D3L has 32 ports towards leaves, 1 per leaf", "dc-leaf4: no port left on dc-spine2"}},
		{"an AS block at the end of all numbers", site(func(s *intent.Site) { s.Asns = 4294967200 }),
			[]string{"dc-leaf1: no AS number", "dc-leaf2: no AS number", "dc-leaf3: no AS number", "dc-leaf4: no AS number"}},
		{"a leaf with the AS number of another", leaf("3", func(d *intent.Device) { d.Asn = 4200010104 }),
			[]string{"dc-leaf4: AS 4200010104 is also that of dc-leaf3"}},
		{"a leaf with the AS number of the spines", leaf("3", func(d *intent.Device) { d.Asn = 4200010000 }),
			[]string{"dc-leaf3: AS 4200010000 is also that of dc-spine1"}},
		{"spines of two sites with one AS number", all(secondSite, func(in *intent.Topology) { device(in, "sh-spine1").Asn = 4200010000 }),
			[]string{"sh-spine1: AS 4200010000 is also that of dc-spine1"}},
		{"a derived AS number that is the overlay's", site(func(s *intent.Site) { s.Asns = 64897 }),
			[]string{"dc-leaf3: AS 65000 is the overlay's"}},
		{"a reserved AS number", leaf("3", func(d *intent.Device) { d.Asn = 23456 }),
			[]string{"dc-leaf3: AS 23456 is reserved"}},

		{"a management prefix that is too small", site(func(s *intent.Site) { s.Management = "172.20.1.0/26" }),
			[]string{"dc-leaf1: no management address: 172.20.1.0/26 of site dc is exhausted", "dc-leaf2: no", "dc-leaf3: no", "dc-leaf4: no"}},
		{"a management address of two devices", leaf("3", func(d *intent.Device) { d.Management = "172.20.1.11" }),
			[]string{"dc-leaf3: management address 172.20.1.11 is also that of dc-spine1"}},

		{"a port that the platform lacks", attach("dc-leaf3:ethernet-1/99", plain),
			[]string{"dc-leaf3: no port ethernet-1/99 on 7220-IXR-D2L; use ethernet-1/1..58"}},
		{"a channel of a port that cannot be broken out", attach("dc-leaf3:ethernet-1/1/1", plain),
			[]string{"dc-leaf3: no port ethernet-1/1/1 on 7220-IXR-D2L; its ports cannot be broken out"}},
		{"a channel that a breakout does not have", all(leaf("3", func(d *intent.Device) { d.Platform = "7220-IXR-D3L" }), attach("dc-leaf3:ethernet-1/1/5", plain)),
			[]string{"dc-leaf3: no port ethernet-1/1/5 on 7220-IXR-D3L; its channels end at 4"}},
		{"two speeds on the channels of one port", all(leaf("3", func(d *intent.Device) { d.Platform = "7220-IXR-D3L" }),
			attach("dc-leaf3:ethernet-1/1/1", func(a *intent.Attachment) { a.Speed = "25G" }), attach("dc-leaf3:ethernet-1/1/2", func(a *intent.Attachment) { a.Speed = "10G" })),
			[]string{"dc-leaf3:ethernet-1/1/2: speed 10G, but ethernet-1/1/1 of the same port runs at 25G"}},
		{"a speed that no breakout with so many channels has", all(leaf("3", func(d *intent.Device) { d.Platform = "7220-IXR-D3L" }), attach("dc-leaf3:ethernet-1/1/3", func(a *intent.Attachment) { a.Speed = "50G" })),
			[]string{"dc-leaf3:ethernet-1/1/3: no breakout of 7220-IXR-D3L has channel 3 at 50G; use one of 4x25G, 4x10G, 2x50G"}},
		{"a port and its own channel", all(leaf("3", func(d *intent.Device) { d.Platform = "7220-IXR-D3L" }), attach("dc-leaf3:ethernet-1/1/1", plain), attach("dc-leaf3:ethernet-1/1", plain)),
			[]string{"dc-leaf3:ethernet-1/1/1: two users: attachment dc-leaf3:ethernet-1/1 and attachment dc-leaf3:ethernet-1/1/1"}},
		{"an attachment on a derived uplink", attach("dc-leaf3:ethernet-1/49", plain),
			[]string{"dc-leaf3:ethernet-1/49: two users: derived cable dc-leaf3:ethernet-1/49 - dc-spine1:ethernet-1/3 and attachment dc-leaf3:ethernet-1/49"}},
		{"two attachments on one port", attach("dc-leaf1:ethernet-1/1", plain),
			[]string{"dc-leaf1:ethernet-1/1: two users: attachment dc-leaf1:ethernet-1/1 and attachment dc-leaf1:ethernet-1/1"}},
		{"two cables on one port", cables("dc-leaf3:ethernet-1/49", "dc-spine1:ethernet-1/30", "dc-leaf4:ethernet-1/49", "dc-spine1:ethernet-1/30"),
			[]string{"dc-spine1:ethernet-1/30: two users: cable dc-leaf3:ethernet-1/49 - dc-spine1:ethernet-1/30 and cable dc-leaf4:ethernet-1/49 - dc-spine1:ethernet-1/30"}},
		{"a cable on a port that is derived for another pair", cables("dc-leaf3:ethernet-1/51", "dc-spine1:ethernet-1/4"),
			[]string{"dc-spine1:ethernet-1/4: two users: derived cable dc-leaf4:ethernet-1/49 - dc-spine1:ethernet-1/4 and cable dc-leaf3:ethernet-1/51 - dc-spine1:ethernet-1/4"}},
		{"a cable and an attachment on one port", all(cables("dc-leaf3:ethernet-1/51", "dc-spine1:ethernet-1/3"), attach("dc-leaf3:ethernet-1/51", plain)),
			[]string{"dc-leaf3:ethernet-1/51: two users: cable dc-leaf3:ethernet-1/51 - dc-spine1:ethernet-1/3 and attachment dc-leaf3:ethernet-1/51"}},
		{"a server on a fabric port", cables("server:web1:eth0", "dc-leaf3:ethernet-1/49"),
			[]string{"dc-leaf3:ethernet-1/49: two users: derived cable dc-leaf3:ethernet-1/49 - dc-spine1:ethernet-1/3 and cable to server:web1:eth0"}},
		{"two servers on one port", cables("server:web1:eth0", "dc-leaf3:ethernet-1/1", "server:web2:eth0", "dc-leaf3:ethernet-1/1"),
			[]string{"dc-leaf3:ethernet-1/1: two users: cable to server:web1:eth0 and cable to server:web2:eth0"}},

		{"a leaf's platform as a spine", spine("1", func(d *intent.Device) { d.Platform = "7220-IXR-D2L" }), nil},
		{"more uplinks than a leaf has", site(func(s *intent.Site) { s.LinksPerSpine = 5 }),
			[]string{"dc-spine2: no port left on dc-leaf1: 7220-IXR-D2L has 8 uplinks, 5 per spine", "dc-spine2: no port left on dc-leaf2", "dc-spine2: no port left on dc-leaf3", "dc-spine2: no port left on dc-leaf4"}},
		{"ports without a common speed", all(func(in *intent.Topology) { device(in, "dc-spine1").Platform = "7220-IXR-H4" }, cables("dc-leaf3:ethernet-1/1", "dc-spine1:ethernet-1/3")),
			[]string{"cable dc-leaf3:ethernet-1/1 - dc-spine1:ethernet-1/3: speed mismatch: dc-leaf3 runs at 25G, 10G or 1G, dc-spine1 at 400G, 200G, 100G or 40G"}},
		{"a cable between two leaves", cables("dc-leaf3:ethernet-1/1", "dc-leaf4:ethernet-1/1"),
			[]string{"dc-leaf3:ethernet-1/1 - dc-leaf4:ethernet-1/1: cable between two leaves"}},
		{"a cable between two sites", all(secondSite, cables("dc-leaf3:ethernet-1/51", "sh-spine1:ethernet-1/9")),
			[]string{"dc-leaf3:ethernet-1/51 - sh-spine1:ethernet-1/9: cable between two sites"}},
		{"a cable to nowhere", cables("dc-leaf9:ethernet-1/51", "dc-spine1:ethernet-1/9"),
			[]string{"dc-leaf9: no such device"}},
		{"a numbered link from a breakout", all(leaf("3", func(d *intent.Device) { d.Platform = "7220-IXR-D3L" }), func(in *intent.Topology) { device(in, "dc-spine1").Platform = "7220-IXR-D2L" },
			cables("dc-leaf3:ethernet-1/1/1", "dc-spine1:ethernet-1/1")),
			[]string{"cable dc-leaf3:ethernet-1/1/1 - dc-spine1:ethernet-1/1: no subnet follows from port ethernet-1/1/1"}},
		{"a subnet that is no /31", func(in *intent.Topology) {
			c := cableBetween("dc-leaf3:ethernet-1/49", "dc-spine1:ethernet-1/3")
			c.Subnet = "192.168.0.0/30"
			in.Cables = append(in.Cables, c)
		}, []string{"subnet 192.168.0.0/30: not an IPv4 /31"}},
		{"a subnet where links are unnumbered", func(in *intent.Topology) {
			in.Sites[0].Underlay.Links = intent.Links_LINKS_UNNUMBERED
			c := cableBetween("dc-leaf3:ethernet-1/49", "dc-spine1:ethernet-1/3")
			c.Subnet = "192.168.0.0/31"
			in.Cables = append(in.Cables, c)
		}, []string{"subnet 192.168.0.0/31: links of site dc are unnumbered"}},
		{"explicit cabling without a cable", all(site(func(s *intent.Site) { s.Cabling = intent.Cabling_CABLING_EXPLICIT; s.Devices = s.Devices[:4] }),
			cables("dc-leaf1:ethernet-1/49", "dc-spine1:ethernet-1/1", "dc-leaf1:ethernet-1/50", "dc-spine2:ethernet-1/1")),
			[]string{"dc-leaf2: no cable to any spine, and cabling is explicit"}},
		{"a leaf with uneven uplinks", cables("dc-leaf3:ethernet-1/51", "dc-spine1:ethernet-1/30", "dc-leaf3:ethernet-1/52", "dc-spine1:ethernet-1/31"),
			[]string{"dc-leaf3: odd uplink counts: 2 to dc-spine1, 1 to dc-spine2"}},

		{"an underlay MTU that a platform cannot do", site(func(s *intent.Site) { s.Underlay.Mtu = 9400 }),
			[]string{"underlay of site dc: mtu 9400: 7220-IXR-D3L of dc-spine1 does at most 9398"}},
		{"a segment MTU that does not fit the underlay's", web(func(s *intent.Segment) { s.Mtu = 9165 }),
			[]string{"segment red/web: mtu 9165 and 50 of VXLAN do not fit the underlay's 9214 at site dc; use at most 9164"}},
		{"an underlay too small for the default gateway MTU", site(func(s *intent.Site) { s.Underlay.Mtu = 1500 }),
			[]string{"segment red/web: mtu 1500 and 50", "segment red/db: mtu 1500 and 50"}},
		{"a port MTU that a platform cannot do", attach("dc-leaf3:ethernet-1/1", func(a *intent.Attachment) { a.Mtu = 9500 }),
			[]string{"dc-leaf3:ethernet-1/1: mtu 9500: 7220-IXR-D2L does at most 9412"}},
		{"a speed that a port does not have", attach("dc-leaf3:ethernet-1/1", func(a *intent.Attachment) { a.Speed = "100G" }),
			[]string{"dc-leaf3:ethernet-1/1: no speed 100G; it runs at 25G, 10G"}},

		{"two speeds in a group of ports that share a clock", all(attach("dc-leaf3:ethernet-1/40", func(*intent.Attachment) {}), attach("dc-leaf3:ethernet-1/41", func(a *intent.Attachment) { a.Speed = "10G" })),
			[]string{"dc-leaf3:ethernet-1/41: speed 10G, but ethernet-1/40, which shares its clock, runs at 25G; run all of ethernet-1/40, ethernet-1/41, ethernet-1/43, ethernet-1/45 at 25G, or none of them"}},
		{"one speed in a group of ports that share a clock", all(attach("dc-leaf3:ethernet-1/40", func(a *intent.Attachment) { a.Speed = "1G" }), attach("dc-leaf3:ethernet-1/41", func(a *intent.Attachment) { a.Speed = "10G" })), nil},

		{"a VNI of two segments", web(func(s *intent.Segment) { s.Vni = 10020 }),
			[]string{"segment red/db: VNI 10020 is also that of segment red/web"}},
		{"a VNI of a segment and a tenant", web(func(s *intent.Segment) { s.Vni = 20001 }),
			[]string{"segment red/web: VNI 20001 is also that of tenant red"}},
		{"an EVI twice on a device", web(func(s *intent.Segment) { s.Evi = 20 }),
			[]string{"segment red/db: EVI 20 is also that of segment red/web, and dc-leaf1 carries both"}},
		{"an EVI twice, but on no common device", all(web(func(s *intent.Segment) { s.Evi = 30 }), func(in *intent.Topology) {
			in.Tenants[0].Segments = append(in.Tenants[0].Segments, &intent.Segment{Name: "gpu", Number: 30})
		}, attach("dc-leaf4:ethernet-1/1", func(a *intent.Attachment) { a.Untagged = "red/gpu" })), nil},
		{"a VLAN of two segments on a port", web(func(s *intent.Segment) { s.Vlan = 20 }),
			[]string{"dc-leaf1:ethernet-1/2: VLAN 20 is that of red/web and of red/db"}},
		{"a tagged segment whose number is no VLAN id", web(func(s *intent.Segment) { s.Number = 5000 }),
			[]string{"segment red/web: no VLAN id follows from number 5000, and it is tagged"}},
		{"network instances with one name", func(in *intent.Topology) {
			in.Tenants = append(in.Tenants, &intent.Tenant{Name: "red-web", Number: 2})
		}, []string{"segment red/web: network instance red-web is also that of tenants/red-web"}},
		{"a reserved network instance", func(in *intent.Topology) {
			in.Tenants = append(in.Tenants, &intent.Tenant{Name: "mgmt", Number: 2})
		}, []string{"tenant mgmt: network instance mgmt is reserved"}},
		{"a segment that spans sites without a way between them", all(secondSite, attach("sh-leaf1:ethernet-1/1", plain)),
			[]string{"segment red/web: used at sites dc and sh, and no DCI leads from one to the other"}},
		{"a tenant that spans sites without a way between them", all(secondSite, func(in *intent.Topology) {
			in.Tenants[0].Segments = append(in.Tenants[0].Segments, &intent.Segment{Name: "sh", Number: 30, Gateway: []string{"10.30.0.1/24"}})
		}, attach("sh-leaf1:ethernet-1/1", func(a *intent.Attachment) { a.Untagged = "red/sh" })),
			[]string{"tenant red: routed at sites dc and sh, and no DCI leads from one to the other"}},
		{"a segment at a site that it is not for", func(in *intent.Topology) { in.Tenants[0].Segments[1].Sites = []string{"sh"} },
			[]string{"dc-leaf1: segment red/db is not for site dc", "dc-leaf2: segment red/db is not for site dc"}},
		{"a gateway that is no address", web(func(s *intent.Segment) { s.Gateway = []string{"10.10.0.1"} }),
			[]string{"red/web: gateway 10.10.0.1: not an address with prefix length"}},
		{"an unknown segment", attach("dc-leaf3:ethernet-1/1", func(a *intent.Attachment) { a.Untagged = "red/wbe" }),
			[]string{"dc-leaf3:ethernet-1/1: no segment red/wbe"}},

		{"an attachment on a spine", attach("dc-spine1:ethernet-1/31", plain),
			[]string{"dc-spine1:ethernet-1/31: attachment on a spine"}},
		{"an attachment on leaves that are no pair", attach("dc-leaf2:ethernet-1/3 dc-leaf3:ethernet-1/3", plain),
			[]string{"dc-leaf2:ethernet-1/3: attachment on leaves that are not a pair: dc-leaf2 and dc-leaf3"}},
		{"an attachment with three members", attach("dc-leaf1:ethernet-1/3 dc-leaf2:ethernet-1/3 dc-leaf3:ethernet-1/3", plain),
			[]string{"dc-leaf1:ethernet-1/3: attachment with 3 members"}},
		{"a channel whose LAG has the number of a port's", all(leaf("3", func(d *intent.Device) { d.Platform = "7220-IXR-D3L" }),
			attach("dc-leaf3:ethernet-1/1/2", func(a *intent.Attachment) { a.Lag = true }), attach("dc-leaf3:ethernet-1/12", func(a *intent.Attachment) { a.Lag = true })),
			[]string{"dc-leaf3:ethernet-1/12: lag12 is also that of dc-leaf3:ethernet-1/1/2"}},
		{"an attachment without a port", func(in *intent.Topology) { in.Attachments = append(in.Attachments, &intent.Attachment{}) },
			[]string{"attachment without a port"}},

		{"an underlay of ibgp", site(func(s *intent.Site) { s.Underlay.Routing = intent.Routing_ROUTING_IBGP }),
			[]string{"underlay of site dc: routing ibgp: not built yet"}},
		{"a cluster id that is none", site(func(s *intent.Site) { s.Overlay.ClusterId = "ten" }),
			[]string{"cluster-id ten: not a dotted quad"}},
		{"raw configuration of no device", func(in *intent.Topology) {
			in.Raw = append(in.Raw, &intent.Raw{Device: "dc-leaf9", Path: "/system", Value: "x"})
		}, []string{"dc-leaf9: no such device"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := small()
			tt.edit(in)
			design, diags := Compile(topology.New(in))
			if (design == nil) != diags.HasErrors() {
				t.Errorf("design %v with diagnostics %v", design != nil, diags)
			}
			expect(t, diags, tt.want)
		})
	}
}

// expect holds diagnostics against the starts of their texts, in any order.
func expect(t *testing.T, diags topology.Diagnostics, want []string) {
	t.Helper()
	found := make([]bool, len(want))
	for _, diag := range diags {
		known := false
		for i, text := range want {
			if !found[i] && strings.Contains(diag.Message+"; "+diag.Fix, text) {
				found[i], known = true, true
				break
			}
		}
		if !known {
			t.Errorf("unexpected: %s", diag)
		}
	}
	for i, text := range want {
		if !found[i] {
			t.Errorf("missing: %s", text)
		}
	}
}

func TestAnEmptyIntentCompilesToAnEmptyDesign(t *testing.T) {
	t.Parallel()
	for _, in := range []*intent.Topology{nil, {}} {
		if got := compile(t, in); len(got.Devices) != 0 || got.Device("leaf1") != nil {
			t.Errorf("got %v", got)
		}
	}
}
