package srlinux

import "testing"

func TestPolicies(t *testing.T) {
	t.Parallel()
	const prefixes, policies = "/routing-policy/prefix-set", "/routing-policy/policy"
	hold(t, []fact{
		{
			name: "a leaf exports its own loopback only", topology: "unnumbered", device: "leaf2",
			want: map[string]string{
				bgp + "/group[group-name=underlay]/export-policy":                                policyExport,
				policies + "[name=" + policyExport + "]/default-action/policy-result":            "reject",
				policies + "[name=" + policyExport + "]/statement":                               "10",
				policies + "[name=" + policyExport + "]/statement[name=10]/action/policy-result": "accept",
				prefixes + "[name=" + setSelf + "]/prefix":                                       "10.1.32.2/32 exact",
			},
		},
		{
			name: "a spine exports every loopback of the site and no link", topology: "numbered", device: "spine1",
			want: map[string]string{
				prefixes: setLoopbacks,
				prefixes + "[name=" + setLoopbacks + "]/prefix": "10.1.0.0/17 32..32", // links are in 10.1.128.0/17
			},
		},
		{
			name: "an explicit loopback outside of the pool is let through", topology: "odd", device: "spine1",
			want: map[string]string{prefixes + "[name=" + setLoopbacks + "]/prefix": "10.1.0.0/17 32..32,192.0.2.1/32 exact"},
		},
		{
			name: "before 25.3 a statement names its prefix set", topology: "unnumbered", device: "leaf1", release: "24.10",
			want: map[string]string{
				policies + "[name=" + policyExport + "]/statement[name=10]/match/prefix-set": setSelf,
				policies + "[name=" + policyImport + "]/statement[name=10]/match/prefix-set": setLoopbacks,
				policies + "[name=" + policyImport + "]/statement[name=10]/match/prefix":     "absent",
			},
		},
		{
			name: "from 25.3 on a prefix set is matched in a container of its own", topology: "unnumbered", device: "leaf1", release: "25.3",
			want: map[string]string{
				policies + "[name=" + policyExport + "]/statement[name=10]/match/prefix/prefix-set": setSelf,
				policies + "[name=" + policyImport + "]/statement[name=10]/match/prefix/prefix-set": setLoopbacks,
			},
		},
		{
			name: "an iBGP overlay needs no policy", topology: "unnumbered", device: "leaf1",
			want: map[string]string{
				policies: policyExport + "," + policyImport,
				bgp + "/group[group-name=overlay]/import-policy": "absent",
				bgp + "/group[group-name=overlay]/export-policy": "absent",
			},
		},
		{
			name: "an eBGP overlay passes nothing without a policy, so it has one", topology: "numbered", device: "spine1",
			want: map[string]string{
				bgp + "/group[group-name=overlay]/import-policy":                       policyOverlay,
				bgp + "/group[group-name=overlay]/export-policy":                       policyOverlay,
				policies + "[name=" + policyOverlay + "]/default-action/policy-result": "accept",
			},
		},
	})
}
