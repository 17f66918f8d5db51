package srlinux

import (
	"fmt"
	"testing"
)

func TestAccessPorts(t *testing.T) {
	t.Parallel()
	hold(t, []fact{
		{
			name: "a LAG member has its LAG and none of the leaves that the models forbid beside it", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				"/interface[name=ethernet-1/2]/ethernet/aggregate-id": "lag2",
				"/interface[name=ethernet-1/2]/mtu":                   "absent",
				"/interface[name=ethernet-1/2]/vlan-tagging":          "absent",
				"/interface[name=ethernet-1/2]/subinterface":          "absent",
			},
		},
		{
			name: "a LAG speaks LACP, and carries the MTU of its ports", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				"/interface[name=lag2]/lag/lag-type":       "lacp",
				"/interface[name=lag2]/lag/lacp/lacp-mode": "ACTIVE",
				"/interface[name=lag2]/mtu":                "9100",
			},
		},
		{
			name: "a bridged subinterface follows the MTU of its port, or the router keeps it down", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				"/interface[name=lag2]/subinterface[index=0]/l2-mtu":          "9100",
				"/interface[name=ethernet-1/4]/mtu":                           "9100",
				"/interface[name=ethernet-1/4]/subinterface[index=11]/l2-mtu": "9100",
				"/interface[name=ethernet-1/3]/mtu":                           "absent",
				"/interface[name=ethernet-1/3]/subinterface[index=0]/l2-mtu":  "absent",
			},
		},
		{
			name: "a tagged port has a subinterface for each VLAN, and one for what comes untagged", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				"/interface[name=lag1]/vlan-tagging":                                                    "true",
				"/interface[name=lag1]/subinterface":                                                    "0,10,11",
				"/interface[name=lag1]/subinterface[index=0]/vlan/encap/untagged":                       "present",
				"/interface[name=lag1]/subinterface[index=10]/vlan/encap/single-tagged/vlan-id":         "10",
				"/interface[name=ethernet-1/4]/subinterface[index=11]/vlan/encap/single-tagged/vlan-id": "11",
			},
		},
		{
			name: "a port that is only untagged knows no VLANs", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				"/interface[name=ethernet-1/3]/vlan-tagging":               "absent",
				"/interface[name=ethernet-1/3]/subinterface[index=0]/type": bridged,
				"/interface[name=ethernet-1/3]/subinterface[index=0]/vlan": "absent",
			},
		},
		{
			name: "the speed of a port is said only where it is not the port's own", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				"/interface[name=ethernet-1/3]/ethernet":             "absent",
				"/interface[name=ethernet-1/4]/ethernet/port-speed":  "10G",
				"/interface[name=ethernet-1/49]/ethernet/port-speed": "absent",
			},
		},
		{
			name: "descriptions name the far end", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				"/interface[name=ethernet-1/1]/description":  "server:web-1:eth0",
				"/interface[name=ethernet-1/4]/description":  "array",
				"/interface[name=ethernet-1/50]/description": "spine2 ethernet-1/1",
			},
		},
		{
			name: "unused ports are shut where the topology says so", topology: "unnumbered", device: "leaf1",
			want: map[string]string{"/interface[name=ethernet-1/5]/admin-state": "disable", "/interface[name=ethernet-1/58]/admin-state": "disable"},
		},
		{
			name: "and left alone where it does not", topology: "numbered", device: "leaf1",
			want: map[string]string{"/interface": "ethernet-1/1,ethernet-1/49,ethernet-1/50,irb1,lag1,system0"},
		},
		{
			name: "a port that breaks out has its channels and nothing of a port", topology: "odd", device: "leaf1",
			want: map[string]string{
				"/interface[name=ethernet-1/3]/breakout-mode/num-breakout-ports":  "4",
				"/interface[name=ethernet-1/3]/breakout-mode/breakout-port-speed": "25G",
				"/interface[name=ethernet-1/3]/mtu":                               "absent",
				"/interface[name=ethernet-1/3]/ethernet":                          "absent",
				"/interface[name=ethernet-1/3]/subinterface":                      "absent",
				"/interface[name=ethernet-1/3/2]/ethernet/port-speed":             "absent",
				"/interface[name=ethernet-1/3/2]/subinterface[index=0]/type":      bridged,
				"/interface[name=ethernet-1/3/4]":                                 "absent",
			},
		},
		{
			name: "a fabric port holds the IP MTU and its ethernet header", topology: "odd", device: "spine1",
			want: map[string]string{
				"/interface[name=ethernet-1/1]/mtu":                          "9014",
				"/interface[name=ethernet-1/1]/subinterface[index=0]/ip-mtu": "9000",
				"/interface[name=ethernet-1/1]/subinterface[index=0]/l2-mtu": "absent",
				"/interface[name=ethernet-1/1]/subinterface[index=0]/type":   routed,
			},
		},
		{
			name: "what the topology sets by path is set", topology: "odd", device: "leaf1",
			want: map[string]string{
				"/interface[name=ethernet-1/3/1]/ethernet/hold-time/up": "500",
				"/system/information/location":                          "row 3, rack 7",
			},
		},
	})
}

func TestLAGNumbersStayWithinThePlatform(t *testing.T) {
	t.Parallel()
	const topology = `loom: v1
name: channels
spines: {count: 1, platform: 7220-IXR-D5}
leaves: {count: 2, platform: %s, pairs: true}
tenants: {red: {number: 1, segments: {web: {number: 10}}}}
ports: [{on: leaves, range: ethernet-1/7/1, lag: pair, segments: [web], speed: 25G}]
`
	for platform, want := range map[string]string{
		"7220-IXR-D3L": "",
		"7220-IXR-D5":  "leaf1: /interface[name=lag71]: a 7220-IXR-D5 has lag1 to lag64; use another port for the LAG",
	} {
		_, err := Render(open(t, fmt.Sprintf(topology, platform), "").device(t, "leaf1"))
		if got := text(err); got != want {
			t.Errorf("%s: got %q, want %q", platform, got, want)
		}
	}
}
