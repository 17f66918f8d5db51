package srlinux

import "testing"

func TestGateways(t *testing.T) {
	t.Parallel()
	const web, db = "/interface[name=irb1]/subinterface[index=10]", "/interface[name=irb1]/subinterface[index=11]"
	hold(t, []fact{
		{
			name: "every leaf has the same address and the same MAC", topology: "unnumbered", device: "leaf2",
			want: map[string]string{
				db + "/ipv4/address": "10.11.0.1/24",
				db + "/ipv4/address[ip-prefix=10.11.0.1/24]/anycast-gw": "true",
				db + "/ipv4/address[ip-prefix=10.11.0.1/24]/primary":    "",
				db + "/anycast-gw/virtual-router-id":                    "1",
				db + "/anycast-gw/anycast-gw-mac":                       "absent",
				"/interface[name=irb1]/subinterface":                    "10,11",
				"/interface[name=irb1]/mtu":                             "absent", // not configurable on irb
				db + "/type":                                            "absent", // likewise
			},
		},
		{
			name: "hosts are learned from ARP, told to the other leaves and routed to", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				web + "/ipv4/arp/learn-unsolicited":   "true",
				web + "/ipv4/arp/host-route/populate": "dynamic",
				web + "/ipv4/arp/evpn/advertise":      "dynamic",
			},
		},
		{
			name: "hosts are learned from neighbour discovery likewise", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				web + "/ipv6/address":                                "2001:db8:10::1/64",
				web + "/ipv6/neighbor-discovery/learn-unsolicited":   "global",
				web + "/ipv6/neighbor-discovery/host-route/populate": "dynamic",
				web + "/ipv6/neighbor-discovery/evpn/advertise":      "dynamic",
			},
		},
		{
			name: "an IPv6 gateway advertises itself", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				web + "/ipv6/admin-state":                                  "enable",
				web + "/ipv6/router-advertisement/router-role/admin-state": "enable",
			},
		},
		{
			name: "a gateway without IPv6 says nothing of it", topology: "unnumbered", device: "leaf1",
			want: map[string]string{db + "/ipv6": "absent", db + "/ipv4/admin-state": "enable"},
		},
		{
			name: "the MTU of a segment is that of its gateway", topology: "unnumbered", device: "leaf1",
			want: map[string]string{db + "/ip-mtu": "9000", web + "/ip-mtu": "absent"},
		},
	})
}
