package sros

import "github.com/loomfabric/loom/pkg/driver"

const (
	statements = "/configure/policy-options/policy-statement"
	anyPort    = portPath + "[port-id={port-id}]"
)

// guards are what SR OS protects, carries and is known by: nokia-conf-policy-options, -router-bgp, -router-isis, -service, -svc-vpls, -svc-vprn, -port,
// -system.
var guards = driver.Guards{
	Kept: []driver.Meaning{
		{Path: statements, Why: "what the policy kept out is let in, or what it let in is kept out"},
		{Path: statements + "/entry", Why: "routes that the entry decided about go on to the next, or to the default action"},
		{Path: "/configure/policy-options/prefix-list", Why: setGone},
		{Path: "/configure/policy-options/community", Why: setGone},
		{Path: "/configure/policy-options/as-path", Why: setGone},
		{Path: "/configure/policy-options/extended-community-set", Why: setGone},
		{Path: segmentPath, Why: "both gateways of the site forward what is flooded; it comes twice, and may come back"},
		{Path: vplsPath + "/bgp-evpn/routes/ip-prefix/domain-id", Why: takenBack, With: vplsPath},
		{Path: vprnPath + "/bgp-evpn/mpls/domain-id", Why: takenBack, With: vprnPath + "/bgp-evpn/mpls"},
		{Path: vprnPath + "/bgp-evpn/vxlan/domain-id", Why: takenBack, With: vprnPath + "/bgp-evpn/vxlan"},
		{Path: groupPath + "/prefix-limit", Why: "nothing bounds how many routes a neighbor may send; a leak fills the tables", With: groupPath},
		{Path: peerPath + "/prefix-limit", Why: "nothing bounds how many routes the neighbor may send; a leak fills the tables", With: peerPath},
		{Path: groupPath + "/dynamic-neighbor/interface/max-sessions", Why: "nothing bounds how many sessions others may open", With: groupPath + "/dynamic-neighbor/interface"},
	},
	Applied: []driver.Meaning{
		{Path: bgpPath + "/import/policy", Why: unfiltered},
		{Path: bgpPath + "/export/policy", Why: unfiltered},
		{Path: groupPath + "/import/policy", Why: unfiltered},
		{Path: groupPath + "/export/policy", Why: unfiltered},
		{Path: groupPath + "/vpn-apply-import", Why: unheld, With: groupPath},
		{Path: groupPath + "/vpn-apply-export", Why: unheld, With: groupPath},
		{Path: peerPath + "/import/policy", Why: unfiltered},
		{Path: peerPath + "/export/policy", Why: unfiltered},
		{Path: vplsPath + "/bgp/vsi-import", Why: unfiltered},
		{Path: vplsPath + "/bgp/vsi-export", Why: unfiltered},
		{Path: vprnPath + "/bgp-evpn/mpls/vrf-import/policy", Why: unfiltered},
		{Path: vprnPath + "/bgp-evpn/mpls/vrf-export/policy", Why: unfiltered},
		{Path: vprnPath + "/bgp-evpn/vxlan/vrf-import/policy", Why: unfiltered},
		{Path: vprnPath + "/bgp-evpn/vxlan/vrf-export/policy", Why: unfiltered},
		{Path: isisPath + "/advertise-passive-only", Why: "addresses of links are announced to all other sites"},
	},
	Switches: []driver.Switch{
		{Path: statements + "/default-action/action-type", Closed: "reject", Why: "routes that no entry matches are no longer rejected"},
		{Path: bgpPath + "/ebgp-default-reject-policy/import", Closed: "true", Absent: "true", Why: "sessions without a policy accept everything (RFC 8212)"},
		{Path: bgpPath + "/ebgp-default-reject-policy/export", Closed: "true", Absent: "true", Why: "sessions without a policy announce everything (RFC 8212)"},
	},
	Terms: []driver.Terms{{ // tried in the order of their numbers
		List: statements + "/entry", Match: "from",
		Sets: []driver.Set{
			{Ref: "from/prefix-list", List: "/configure/policy-options/prefix-list", Members: []string{"prefix"}},
			{Ref: "from/extended-community-set", List: "/configure/policy-options/extended-community-set", Members: []string{"member"}},
			{Ref: "from/community/name", List: "/configure/policy-options/community", Members: []string{"member"}},
		},
	}},
	Uplinks: []driver.Object{{
		Name: "fabric link", Path: linkPath + "[interface-name=" + linkPrefix + "*]",
		Needs: []driver.Need{
			{Path: linkPath + "[interface-name={interface-name}]/port"},
			{Path: linkPath + "[interface-name={interface-name}]/admin-state", Not: switchedOff},
		},
	}},
	Sessions: []driver.Object{
		{Name: "BGP session", Path: peerPath, Each: "group", Needs: []driver.Need{
			{Path: peerPath + "[ip-address={ip-address}]/admin-state", Not: switchedOff},
			{Path: groupPath + "[group-name={group}]/admin-state", Not: switchedOff},
			{Path: bgpPath + "/admin-state", Not: switchedOff},
		}},
		{Name: "BGP session", Path: groupPath + "/dynamic-neighbor/interface", Needs: []driver.Need{
			{Path: groupPath + "[group-name={group-name}]/admin-state", Not: switchedOff},
			{Path: bgpPath + "/admin-state", Not: switchedOff},
		}},
		{Name: "way to other sites", Path: isisPath + "/interface", Needs: []driver.Need{
			{Path: isisPath + "[isis-instance={isis-instance}]/interface[interface-name={interface-name}]/admin-state", Not: switchedOff},
			{Path: isisPath + "[isis-instance={isis-instance}]/interface[interface-name={interface-name}]/passive", Not: "true"},
			{Path: isisPath + "[isis-instance={isis-instance}]/admin-state", Not: switchedOff},
		}},
	},
	Management: []driver.Meaning{
		{Path: "/configure/system/grpc", Why: "the server that Loom speaks to changes; clients may be refused"},
		{Path: "/configure/system/security", Why: "who may log in, and what the router shows and asks of its clients, changes"},
		{Path: "/configure/system/management-interface", Why: "how people and tools reach the router changes"},
		{Path: "/configure/router[router-name=management]", Why: "the router of the management port changes"},
	},
	Access: []driver.Object{
		{Name: "gRPC server", Path: "/configure/system/grpc", Needs: []driver.Need{
			{Path: "/configure/system/grpc/admin-state", Is: "enable"}, // its default is disable
		}},
		{Name: "gNMI service", Path: "/configure/system/grpc/gnmi", Needs: []driver.Need{
			{Path: "/configure/system/grpc/gnmi/admin-state", Not: switchedOff},
		}},
	},
	Addresses: []driver.Object{
		{Name: "address", Path: linkPath + "/ipv4/primary", Each: "address", Needs: interfaceRuns},
		{Name: "address", Path: linkPath + "/ipv6/address", Each: "ipv6-address", Needs: interfaceRuns},
	},
	Identity: []driver.Meaning{
		{Path: basePath + "/autonomous-system", Why: "every BGP session goes down until its other end expects the new number"},
		{Path: basePath + "/router-id", Why: "sessions start again, and neighbors see another router"},
		{Path: bgpPath + "/router-id", Why: "every BGP session starts again, and neighbors see another router"},
		{Path: groupPath + "/local-as/as-number", Why: "every session of the group goes down until its other end expects the new number"},
		{Path: linkPath + "[interface-name=" + systemInterface + "]/ipv4/primary/address", Why: "the router's VTEP and the ends of its overlay sessions move; tunnels to the old address carry nothing"},
		{Path: isisPath + "/interface/ipv4-node-sid/index", Why: "other gateways send to the old label until they have heard of the new one"},
	},
	Stitches: []driver.Object{
		segmentOver("mpls"), segmentOver("vxlan"), tenantOver("mpls"), tenantOver("vxlan"),
	},
	Light: []driver.Object{{
		Name: "light of", Path: portPath, Each: "port-id", Needs: []driver.Need{
			{Path: anyPort + "/transceiver/digital-coherent-optics", Is: "true"},
			{Path: anyPort + "/dwdm/frequency"},
			{Path: anyPort + "/admin-state", Is: "enable"}, // its default is disable
		},
	}},
	Tuned: []driver.Meaning{
		{Path: portPath + "/dwdm/frequency", Why: retuned},
		{Path: portPath + "/dwdm/coherent/compatibility", Why: remade},
		{Path: portPath + "/transceiver/digital-coherent-optics", Why: remade},
	},
}

// segmentOver is a segment that is stitched to a WAN of an encapsulation.
func segmentOver(encapsulation string) driver.Object {
	own := vplsPath + "[service-name={service-name}]"
	return driver.Object{Name: "segment", Path: vplsPath, Each: "service-name", Needs: []driver.Need{
		{Path: own + "/admin-state", Is: "enable"}, // its default is disable, as of the others
		{Path: own + "/bgp-evpn/vxlan[bgp-instance=" + towardsFabric + "]/admin-state", Is: "enable"},
		{Path: own + "/bgp-evpn/" + encapsulation + "[bgp-instance=" + towardsWAN + "]/admin-state", Is: "enable"},
	}}
}

// tenantOver is a tenant that is stitched to a WAN of an encapsulation.
func tenantOver(encapsulation string) driver.Object {
	own, inner := vprnPath+"[service-name={service-name}]", vplsPath+"[service-name={service-name}"+innerSuffix+"]"
	return driver.Object{Name: "tenant", Path: vprnPath, Each: "service-name", Needs: []driver.Need{
		{Path: own + "/admin-state", Is: "enable"},
		{Path: own + "/interface[interface-name=" + interfaceFabric + "]/admin-state", Not: switchedOff},
		{Path: inner + "/admin-state", Is: "enable"},
		{Path: inner + "/bgp-evpn/vxlan[bgp-instance=" + towardsFabric + "]/admin-state", Is: "enable"},
		{Path: own + "/bgp-evpn/" + encapsulation + "[bgp-instance=" + one + "]/admin-state", Is: "enable"},
	}}
}

// takenBack is what domains are for (draft-ietf-bess-evpn-ipvpn-interworking §4).
const takenBack = "prefixes that the other gateway of the site has brought are taken back, and go round"

// What happens to a channel.
const (
	retuned = "the channel is dark until its laser is tuned and the far end has followed"
	remade  = "the channel is dark until both ends have the same mode"
)

const (
	setGone    = "policies that ask for it match nothing, or everything"
	unfiltered = "what the policy decided about is decided by no policy: everything passes, or (RFC 8212) nothing"
	unheld     = "routes of services pass without any policy"
)

// interfaceRuns is what an address needs beside itself.
var interfaceRuns = []driver.Need{
	{Path: linkPath + "[interface-name={interface-name}]/admin-state", Not: switchedOff},
}
