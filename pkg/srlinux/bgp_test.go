package srlinux

import (
	"strings"
	"testing"
)

const bgp = "/network-instance[name=default]/protocols/bgp"

func TestUnderlaySessions(t *testing.T) {
	t.Parallel()
	hold(t, []fact{
		{
			name: "a router has its own AS number and its loopback as router id", topology: "unnumbered", device: "leaf2",
			want: map[string]string{
				bgp + "/autonomous-system":                                                         "4200010102",
				bgp + "/router-id":                                                                 "10.1.32.2",
				"/network-instance[name=default]/router-id":                                        "10.1.32.2",
				"/interface[name=system0]/subinterface[index=0]/ipv4/address":                      "10.1.32.2/32",
				"/network-instance[name=default]/interface[name=system0.0]":                        "present",
				"/interface[name=system0]/subinterface[index=0]/ipv4/admin-state":                  "enable",
				"/network-instance[name=default]/interface":                                        "ethernet-1/49.0,ethernet-1/50.0,system0.0",
				"/network-instance[name=default]/type":                                             typeDefault,
				"/network-instance[name=default]/protocols/bgp/group[group-name=underlay]/peer-as": "absent",
			},
		},
		{
			name: "an unnumbered link finds its neighbour by router advertisements and takes its AS number only", topology: "unnumbered", device: "spine1",
			want: map[string]string{
				bgp + "/dynamic-neighbors/interface":                                                                    "ethernet-1/1.0,ethernet-1/2.0,ethernet-1/3.0,ethernet-1/4.0",
				bgp + "/dynamic-neighbors/interface[interface-name=ethernet-1/2.0]/allowed-peer-as":                     "4200010102",
				bgp + "/dynamic-neighbors/interface[interface-name=ethernet-1/2.0]/peer-group":                          groupUnderlay,
				bgp + "/dynamic-neighbors/interface[interface-name=ethernet-1/2.0]/max-sessions":                        "absent", // one, by default
				"/interface[name=ethernet-1/2]/subinterface[index=0]/ipv4":                                              "absent",
				"/interface[name=ethernet-1/2]/subinterface[index=0]/ipv6/admin-state":                                  "enable",
				"/interface[name=ethernet-1/2]/subinterface[index=0]/ipv6/router-advertisement/router-role/admin-state": "enable",
			},
		},
		{
			name: "IPv4 travels over IPv6 next hops on unnumbered links", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				bgp + "/group[group-name=underlay]/afi-safi[afi-safi-name=" + afiIPv4 + "]/ipv4-unicast/advertise-ipv6-next-hops": "true",
				bgp + "/group[group-name=underlay]/afi-safi[afi-safi-name=" + afiIPv4 + "]/ipv4-unicast/receive-ipv6-next-hops":   "true",
				"/network-instance[name=default]/ip-forwarding/receive-ipv4-check":                                                "false",
			},
		},
		{
			name: "a numbered link has a neighbour by address and nothing of IPv6", topology: "numbered", device: "leaf1",
			want: map[string]string{
				bgp + "/dynamic-neighbors":                                                               "absent",
				bgp + "/neighbor[peer-address=10.1.128.99]/peer-as":                                      "4200010000",
				bgp + "/neighbor[peer-address=10.1.128.99]/peer-group":                                   groupUnderlay,
				bgp + "/neighbor[peer-address=10.1.128.99]/description":                                  "spine1 ethernet-1/1",
				bgp + "/group[group-name=underlay]/afi-safi[afi-safi-name=" + afiIPv4 + "]/ipv4-unicast": "absent",
				"/interface[name=ethernet-1/49]/subinterface[index=0]/ipv4/address":                      "10.1.128.98/31",
				"/interface[name=ethernet-1/49]/subinterface[index=0]/ipv6":                              "absent",
				"/network-instance[name=default]/ip-forwarding":                                          "absent",
			},
		},
		{
			name: "the dialect of multipath follows the release: one number for all before 25.3", topology: "numbered", device: "leaf1", release: "24.10",
			want: map[string]string{
				bgp + "/afi-safi[afi-safi-name=" + afiIPv4 + "]/multipath/maximum-paths":     "4",
				bgp + "/afi-safi[afi-safi-name=" + afiIPv4 + "]/multipath/ebgp":              "absent",
				bgp + "/afi-safi[afi-safi-name=" + afiIPv4 + "]/multipath/allow-multiple-as": "true",
			},
		},
		{
			name: "the dialect of multipath follows the release: a number for eBGP from 25.3 on", topology: "numbered", device: "leaf1", release: "25.3",
			want: map[string]string{
				bgp + "/afi-safi[afi-safi-name=" + afiIPv4 + "]/multipath/maximum-paths":      "absent",
				bgp + "/afi-safi[afi-safi-name=" + afiIPv4 + "]/multipath/ebgp/maximum-paths": "4",
				bgp + "/afi-safi[afi-safi-name=" + afiIPv4 + "]/multipath/allow-multiple-as":  "true",
			},
		},
	})
}

func TestOverlaySessions(t *testing.T) {
	t.Parallel()
	const stretched = "../fabric/testdata/stretched.yaml" // tenants at several sites
	otherAS := strings.Replace(string(sources(t, stretched)[0].Data), "defaults:", "defaults:\n  overlay: {routing: ebgp}", 1)
	hold(t, []fact{
		{
			name: "inside the overlay AS a leaf is nobody's reflector", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				bgp + "/group[group-name=overlay]/peer-as":                 "65000",
				bgp + "/group[group-name=overlay]/local-as/as-number":      "65000",
				bgp + "/group[group-name=overlay]/route-reflector":         "absent",
				bgp + "/group[group-name=overlay]/transport/local-address": "10.1.32.1",
				bgp + "/neighbor": "10.1.0.1,10.1.0.2",
				bgp + "/neighbor[peer-address=10.1.0.1]/peer-group":                groupOverlay,
				bgp + "/neighbor[peer-address=10.1.0.1]/peer-as":                   "absent",
				bgp + "/afi-safi[afi-safi-name=" + afiEVPN + "]/evpn/inter-as-vpn": "absent",
			},
		},
		{
			name: "the AS number of the underlay stays out of the path of an iBGP overlay", topology: "unnumbered", device: "leaf1",
			want: map[string]string{bgp + "/group[group-name=overlay]/local-as/prepend-global-as": "false"},
		},
		{
			name: "spines reflect, each a cluster of its own", topology: "unnumbered", device: "spine2",
			want: map[string]string{
				bgp + "/group[group-name=overlay]/route-reflector/client":     "true",
				bgp + "/group[group-name=overlay]/route-reflector/cluster-id": "10.1.0.2",
				bgp + "/neighbor": "10.1.32.1,10.1.32.2,10.1.32.3,10.1.32.4",
			},
		},
		{
			name: "a cluster id that the topology gives is kept", topology: "odd", device: "spine3",
			want: map[string]string{bgp + "/group[group-name=overlay]/route-reflector/cluster-id": "10.9.9.9"},
		},
		{
			name: "overlay sessions carry EVPN and nothing else", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				bgp + "/group[group-name=overlay]/afi-safi[afi-safi-name=" + afiEVPN + "]/admin-state": "enable",
				bgp + "/group[group-name=overlay]/afi-safi[afi-safi-name=" + afiIPv4 + "]/admin-state": "disable",
				bgp + "/group[group-name=underlay]/afi-safi":                                           afiIPv4,
			},
		},
		{
			name: "a spine without services keeps EVPN routes of an eBGP overlay", topology: "numbered", device: "spine1",
			want: map[string]string{
				bgp + "/afi-safi[afi-safi-name=" + afiEVPN + "]/evpn/inter-as-vpn": "true",
				bgp + "/group[group-name=overlay]/next-hop-self":                   "false",
				bgp + "/group[group-name=overlay]/multihop/maximum-hops":           "2",
				bgp + "/group[group-name=overlay]/peer-as":                         "absent",
				bgp + "/group[group-name=overlay]/local-as":                        "absent",
				bgp + "/group[group-name=overlay]/route-reflector":                 "absent",
				bgp + "/neighbor[peer-address=10.1.32.2]/peer-as":                  "4200010102",
				bgp + "/neighbor[peer-address=10.1.32.2]/peer-group":               groupOverlay,
			},
		},
		{
			name: "a leaf of an eBGP overlay keeps what its services import", topology: "numbered", device: "leaf1",
			want: map[string]string{bgp + "/afi-safi[afi-safi-name=" + afiEVPN + "]/evpn/inter-as-vpn": "absent"},
		},
		{
			name: "reflectors of sites that have a tenant in common meet, and neither is the other's client", topology: stretched, device: "bj-spine1",
			want: map[string]string{
				bgp + "/group": "overlay,overlay-dci,underlay",
				bgp + "/group[group-name=overlay]/route-reflector/client":                                  "true",
				bgp + "/group[group-name=overlay-dci]/route-reflector":                                     "absent",
				bgp + "/group[group-name=overlay-dci]/peer-as":                                             "65000",
				bgp + "/group[group-name=overlay-dci]/next-hop-self":                                       "false",
				bgp + "/group[group-name=overlay-dci]/local-as/prepend-global-as":                          "false",
				bgp + "/group[group-name=overlay-dci]/afi-safi[afi-safi-name=" + afiIPv4 + "]/admin-state": "disable",
				bgp + "/neighbor": "10.1.32.1,10.2.0.1,10.2.0.2,10.3.0.1,10.3.0.2",
				bgp + "/neighbor[peer-address=10.3.0.2]/peer-group":  groupSites,
				bgp + "/neighbor[peer-address=10.1.32.1]/peer-group": groupOverlay,
			},
		},
		{
			name: "leaves meet the spines of their own site only", topology: stretched, device: "bj-leaf1",
			want: map[string]string{bgp + "/neighbor": "10.1.0.1,10.1.0.2"},
		},
		{
			name: "spines of two AS numbers pass EVPN routes on with their next hops, however far they are", topology: otherAS, device: "bj-spine1",
			want: map[string]string{
				bgp + "/afi-safi[afi-safi-name=" + afiEVPN + "]/evpn/inter-as-vpn": "true",
				bgp + "/group[group-name=overlay-dci]/next-hop-self":               "false",
				bgp + "/group[group-name=overlay-dci]/multihop/maximum-hops":       "64",
				bgp + "/group[group-name=overlay-dci]/export-policy":               policyOverlay,
				bgp + "/group[group-name=overlay-dci]/import-policy":               policyOverlay,
				bgp + "/neighbor[peer-address=10.3.0.2]/peer-as":                   "4200030000",
				bgp + "/neighbor[peer-address=10.3.0.2]/peer-group":                groupSites,
			},
		},
		{
			name: "a spine without leaves has no overlay", topology: "loom: v1\nname: lone\nspines: {count: 1, platform: 7220-IXR-D3L}\n", device: "spine1",
			want: map[string]string{
				bgp + "/group":    groupUnderlay,
				bgp + "/afi-safi": afiIPv4,
				bgp + "/neighbor": "absent",
			},
		},
	})
}
