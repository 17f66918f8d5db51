package srlinux

import "testing"

const (
	macVRFEVPN = "/network-instance[name=red-web]/protocols/bgp-evpn/bgp-instance[id=1]"
	ipVRFEVPN  = "/network-instance[name=red]/protocols/bgp-evpn/bgp-instance[id=1]"
)

// services is a fabric whose underlay and overlay use a given number of paths.
func services(paths string) string {
	return `loom: v1
name: services
underlay: {max-paths: ` + paths + `}
spines: {count: 1, platform: 7220-IXR-D3L}
leaves: {count: 2, platform: 7220-IXR-D2L}
tenants: {red: {number: 1, segments: {web: {number: 10, gateway: 10.10.0.1/24}}}}
ports: [{on: leaf1, range: ethernet-1/1, segments: [web]}]
`
}

func TestServices(t *testing.T) {
	t.Parallel()
	hold(t, []fact{
		{
			name: "a segment is a MAC-VRF with its VNI, EVI, route distinguisher and route target", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				"/network-instance[name=red-web]/type":                                                        typeMACVRF,
				"/network-instance[name=red-web]/vxlan-interface":                                             "vxlan1.10010",
				macVRFEVPN + "/vxlan-interface":                                                               "vxlan1.10010",
				macVRFEVPN + "/evi":                                                                           "10",
				"/tunnel-interface[name=vxlan1]/vxlan-interface[index=10010]/type":                            bridged,
				"/tunnel-interface[name=vxlan1]/vxlan-interface[index=10010]/ingress/vni":                     "10010",
				"/tunnel-interface[name=vxlan1]/vxlan-interface[index=10010]/egress/source-ip":                "use-system-ipv4-address",
				"/network-instance[name=red-web]/protocols/bgp-vpn/bgp-instance[id=1]/route-distinguisher/rd": "10.1.32.1:10",
				"/network-instance[name=red-web]/protocols/bgp-vpn/bgp-instance[id=1]/route-target/export-rt": "target:65000:10010",
				"/network-instance[name=red-web]/protocols/bgp-vpn/bgp-instance[id=1]/route-target/import-rt": "target:65000:10010",
			},
		},
		{
			name: "a tenant is an IP-VRF with an L3 VNI and the gateways of its segments", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				"/network-instance[name=red]/type":                                 typeIPVRF,
				"/network-instance[name=red]/interface":                            "irb1.10,irb1.11",
				ipVRFEVPN + "/evi":                                                 "10001",
				ipVRFEVPN + "/vxlan-interface":                                     "vxlan1.20001",
				"/tunnel-interface[name=vxlan1]/vxlan-interface[index=20001]/type": routed,
			},
		},
		{
			name: "a tenant without a gateway has no IP-VRF", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				"/network-instance[name=blue]":                  "absent",
				"/network-instance[name=blue-backup]/type":      typeMACVRF,
				"/network-instance[name=blue-backup]/interface": "lag1.0",
			},
		},
		{
			name: "ports, LAGs and the gateway are members of their segment", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				"/network-instance[name=red-db]/interface":  "ethernet-1/4.11,irb1.11,lag1.11,lag2.0",
				"/network-instance[name=red-web]/interface": "ethernet-1/3.0,irb1.10,lag1.10",
			},
		},
		{
			name: "a leaf carries what is attached to it and no more", topology: "unnumbered", device: "leaf3",
			want: map[string]string{
				"/network-instance": "blue-backup,default",
				"/tunnel-interface[name=vxlan1]/vxlan-interface": "10020",
				"/interface[name=irb1]":                          "absent",
			},
		},
		{
			name: "a leaf without services has no tunnel", topology: "unnumbered", device: "leaf4",
			want: map[string]string{"/network-instance": "default", "/tunnel-interface": "absent"},
		},
		{
			name: "MAC-VRF ecmp never exceeds 8", topology: services("128"), device: "leaf1",
			want: map[string]string{macVRFEVPN + "/ecmp": "8", ipVRFEVPN + "/ecmp": "64"},
		},
		{
			name: "fewer paths than that are kept", topology: services("2"), device: "leaf1",
			want: map[string]string{macVRFEVPN + "/ecmp": "2", ipVRFEVPN + "/ecmp": "2"},
		},
		{
			name: "explicit numbers are used, and the subinterface of a gateway has that of its segment", topology: "odd", device: "leaf1",
			want: map[string]string{
				macVRFEVPN + "/evi": "70",
				"/tunnel-interface[name=vxlan1]/vxlan-interface":                   "7,700",
				"/network-instance[name=red-web]/interface[name=irb1.5000]":        "present",
				"/network-instance[name=red-web]/interface[name=ethernet-1/3/3.7]": "present",
			},
		},
	})
}
