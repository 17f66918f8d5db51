package srlinux

import "testing"

func TestBFD(t *testing.T) {
	t.Parallel()
	hold(t, []fact{
		{
			name: "it runs on every fabric link, in microseconds", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				"/bfd/subinterface": "ethernet-1/49.0,ethernet-1/50.0",
				"/bfd/subinterface[id=ethernet-1/49.0]/desired-minimum-transmit-interval": "300000",
				"/bfd/subinterface[id=ethernet-1/49.0]/required-minimum-receive":          "300000",
				"/bfd/subinterface[id=ethernet-1/49.0]/detection-multiplier":              "3",
				bgp + "/group[group-name=underlay]/failure-detection/enable-bfd":          "true",
			},
		},
		{
			name: "the overlay trusts the underlay", topology: "unnumbered", device: "spine1",
			want: map[string]string{bgp + "/group[group-name=overlay]/failure-detection": "absent"},
		},
		{
			name: "without it there is none", topology: "numbered", device: "leaf1",
			want: map[string]string{"/bfd": "absent", bgp + "/group[group-name=underlay]/failure-detection": "absent"},
		},
	})
}
