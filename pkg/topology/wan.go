package topology

import (
	"strings"

	"github.com/loomfabric/loom/models/intent"
)

// The parts of the language that say how tenants get from one site to another.

var (
	serviceKey = Key{Name: "service", Kind: Word, Words: []string{"vxlan", "vxlan-vxlan", "vxlan-mpls"}, Default: "`vxlan-mpls` between SR OS gateways, otherwise `vxlan`", Example: "vxlan",
		Doc: "How what tenants send passes it. `vxlan`: leaves send VXLAN to leaves of the other site, and gateways route it. `vxlan-vxlan` and `vxlan-mpls`: gateways end the " +
			"VXLAN of their site, and speak VXLAN or MPLS among themselves (RFC 9014). The same on all DCIs that join sites with one another."}
	bundleKey = Key{Name: "bundle", Kind: Word, Words: []string{"routed", "lag"}, Default: "routed", Example: "lag",
		Doc: "What its channels between the same two gateways make: routed links of equal cost, or one LAG with LACP."}
	wanTargetKey = Key{Name: "wan-target", Kind: Text, Form: targetForm, Default: "derived", Example: "\"target:65000:110010\"",
		Doc: "Route target between the gateways of different sites, where they stitch it; unique in the topology."}
	wanVNIKey = Key{Name: "wan-vni", Kind: Number, Min: 1, Max: 16777215, Default: "derived", Example: "110010",
		Doc: "VNI between the gateways of different sites, where they stitch it with `vxlan-vxlan`; unique in the topology."}
	nodeSIDKey = Key{Name: "node-sid", Kind: Number, Min: 1, Max: 25999, Default: "derived", Example: "101",
		Doc: "Of a gateway that stitches with `vxlan-mpls`: index of its loopback in the label block of segment routing, unique in the topology."}

	targetForm = &Form{Name: "a route target", Pattern: `^target:[1-9][0-9]{0,4}:[1-9][0-9]{0,9}$`, check: func(s string) (string, string) {
		if rest, ok := strings.CutPrefix(s, "target:"); ok && isPair(rest) {
			return "", ""
		}
		return "is not a route target", "write target:AS:NUMBER with an AS number from 1 to 65535, as target:65000:110010"
	}}
	domainForm = &Form{Name: "a domain", Pattern: `^[1-9][0-9]{0,9}:[1-9][0-9]{0,4}$`, check: func(s string) (string, string) {
		as, number, _ := strings.Cut(s, ":")
		_, ok1 := parseNumber(as, 1, 4294967295)
		_, ok2 := parseNumber(number, 1, 65535)
		if ok1 && ok2 {
			return "", ""
		}
		return "is not a domain", "write AS:NUMBER with a number from 1 to 65535, as \"65000:1\""
	}}
)

// isPair reports whether a text is a two-byte AS number, a colon and a number of four bytes (RFC 4360 §3.1).
func isPair(s string) bool {
	as, number, _ := strings.Cut(s, ":")
	_, ok1 := parseNumber(as, 1, 65535)
	_, ok2 := parseNumber(number, 1, 4294967295)
	return ok1 && ok2
}

// serviceWords are the words of the services, in the language.
var serviceWords = map[intent.Service]string{
	intent.Service_SERVICE_VXLAN: "vxlan", intent.Service_SERVICE_VXLAN_VXLAN: "vxlan-vxlan", intent.Service_SERVICE_VXLAN_MPLS: "vxlan-mpls",
}

// serviceOf is the service that a DCI asks for; unspecified where it is to be chosen.
func serviceOf(b *block) intent.Service {
	for service, word := range serviceWords {
		if b.text("service") == word {
			return service
		}
	}
	return intent.Service_SERVICE_UNSPECIFIED
}

func bundleOf(b *block) intent.Bundle {
	if b.text("bundle") == "lag" {
		return intent.Bundle_BUNDLE_LAG
	}
	return intent.Bundle_BUNDLE_ROUTED
}
