package topology

import (
	"fmt"
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
	joinsKey = Key{Name: "joins", Kind: Texts, Form: nameForm, Example: "[bj, sh]",
		Doc: "Without channels: the two sites whose gateways cables join, each with one of the other, or with the router that `over` names."}
	overCoreKey = Key{Name: "over", Kind: Text, Form: nameForm, Default: "none: cables join gateways with one another", Example: "p1",
		Doc: "With `joins`: a router that Loom does not manage, to which `cables` lead (`external:p1:1/1/c5/1`). With `service: vxlan` it speaks BGP with the gateways, and passes on what they announce; otherwise IS-IS, and with `vxlan-mpls` segment routing."}
	overASNKey = Key{Name: "over-asn", Kind: Number, Min: 1, Max: 4294967294, Default: "none: needed with `service: vxlan`", Example: "64999",
		Doc: "AS number of the router that `over` names."}
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

// joinsByCables reads what a DCI without channels joins. It has one or the other.
func (p *parser) joinsByCables(d *dci, b *block) {
	light := b.given("wavelengths") || b.given("channels")
	switch {
	case !b.given("joins") && !light:
		p.fault(b.at, d.label+": no channels", "add wavelengths: {count: 1, mode: OpenZR+ 400G, over: long}, or joins: [bj, sh] where cables join gateways")
	case b.given("over") && !b.given("joins"):
		p.fault(b.get("over").keyAt(), b.name("over")+": joins no sites", "add joins: [bj, sh], or give over with the wavelengths")
	case b.given("over-asn") && !b.given("over"):
		p.fault(b.get("over-asn").keyAt(), b.name("over-asn")+": over no router", "add over: p1, or take it out: the gateways of sites have AS numbers of their own")
	case b.has("joins") && light:
		p.fault(b.get("joins").keyAt(), b.name("joins")+": its channels join sites already", "make it a DCI of its own")
	case b.has("joins"):
		d.out.Joins, d.out.External, d.out.ExternalAsn = b.texts("joins"), b.text("over"), b.number("over-asn")
		if n := len(d.out.Joins); n != 2 || d.out.Joins[0] == d.out.Joins[1] {
			p.fault(b.get("joins").at(), fmt.Sprintf("%s: %s", b.name("joins"), strings.Join(d.out.Joins, ", ")), "name two sites")
		}
		sites := map[string]spot{}
		for _, s := range p.sites {
			sites[s.out.Name] = spot{}
		}
		for _, n := range b.items("joins") {
			p.isKnown(spotOf(b.get("joins").source, n), b.name("joins"), n.Value, "site", sites)
		}
	}
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
