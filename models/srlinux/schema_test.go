package srl_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/openconfig/ygot/ygot"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/models/srlinux/ygotsrl"
	"github.com/loomfabric/loom/pkg/config"
)

func TestParentsAndChildrenAgree(t *testing.T) {
	s := srl.Schema
	for i := range s.Nodes {
		id, n := config.ID(i), &s.Nodes[i]
		for _, c := range n.Children {
			if s.Nodes[c].Parent != id || c == config.Root {
				t.Errorf("%s is listed under %s", s.Path(c), s.Path(id))
			}
			if s.Nodes[c].In&^n.In != 0 || s.Nodes[c].In == 0 {
				t.Errorf("%s is in releases %b, its parent in %b", s.Path(c), s.Nodes[c].In, n.In)
			}
			if n.State && !s.Nodes[c].State {
				t.Errorf("%s is configuration below state", s.Path(c))
			}
		}
		if id != config.Root && !slices.Contains(s.Nodes[n.Parent].Children, id) {
			t.Errorf("%s is not among its parent's children", s.Path(id))
		}
	}
}

// A leaf that is added with such a name is either a secret, or says here that it is none.
func TestLeavesWithNamesOfSecretsAreSecret(t *testing.T) {
	names := regexp.MustCompile(`(^|-)(password|passphrase|secret|community|token|key)$`)
	none := regexp.MustCompile(`/lacp/|/communities/|(send|bgp|extended)-community$|/next-hop-group`)
	for i := range srl.Schema.Nodes {
		n := &srl.Schema.Nodes[i]
		path := srl.Schema.Path(config.ID(i))
		if suspect := names.MatchString(n.Name) && n.Kind == config.Leaf && !n.State && !none.MatchString(path); suspect != n.Secret {
			t.Errorf("%s: secret: %v, want %v", path, n.Secret, suspect)
		}
	}
}

func TestSiblingsHaveDifferentNames(t *testing.T) {
	s := srl.Schema
	for i := range s.Nodes {
		seen := map[string]bool{}
		for _, c := range s.Nodes[i].Children {
			if seen[s.Nodes[c].Name] {
				t.Errorf("%s: twice", s.Path(c))
			}
			seen[s.Nodes[c].Name] = true
		}
	}
}

func TestKeysAreTheFirstChildren(t *testing.T) {
	s := srl.Schema
	for i, n := range s.Nodes {
		path := s.Path(config.ID(i))
		if (n.Kind == config.List) != (len(n.Keys) > 0) {
			t.Errorf("%s: keys of something else than a list, or a list without", path)
		}
		if !slices.Equal(n.Keys, n.Children[:min(len(n.Keys), len(n.Children))]) {
			t.Errorf("%s: keys %v, children %v", path, n.Keys, n.Children)
		}
		for _, k := range n.Keys {
			if key := s.Nodes[k]; key.Kind != config.Leaf || key.In != n.In {
				t.Errorf("%s is no key leaf of all its releases", s.Path(k))
			}
		}
	}
}

func TestLeavesHaveTypesAndOthersHaveNone(t *testing.T) {
	s := srl.Schema
	for i, n := range s.Nodes {
		path := s.Path(config.ID(i))
		leaf := n.Kind == config.Leaf || n.Kind == config.LeafList
		if leaf && len(n.Children) > 0 || !leaf && (n.HasDefault || n.Mandatory && n.Kind != config.List) {
			t.Errorf("%s: %+v", path, n)
		}
		if !leaf {
			continue
		}
		if int(n.Type) >= len(s.Types) {
			t.Fatalf("%s: type %d of %d", path, n.Type, len(s.Types))
		}
		if e := s.Types[n.Type].Enums; e != nil && !slices.ContainsFunc(e, func(e config.Enum) bool { return e.In&n.In != 0 }) {
			t.Errorf("%s has no value in its releases", path)
		}
	}
}

func TestTypesAreWhole(t *testing.T) {
	s := srl.Schema
	for i, x := range s.Types {
		for _, p := range x.Patterns {
			if _, err := regexp.Compile(p); err != nil || !strings.HasPrefix(p, "^(?:") || !strings.HasSuffix(p, ")$") {
				t.Errorf("%s: pattern %q: %v", x.Name, p, err)
			}
		}
		for _, m := range x.Members {
			if int(m) >= len(s.Types) || int(m) == i {
				t.Errorf("%s: member %d", x.Name, m)
			}
		}
		for _, e := range x.Enums {
			if e.In == 0 || x.Base == config.Identityref && int(e.Module) >= len(s.Modules) {
				t.Errorf("%s: %+v", x.Name, e)
			}
		}
		switch x.Base {
		case config.Enumeration, config.Identityref:
			if len(x.Enums) == 0 {
				t.Errorf("%s: no values", x.Name)
			}
		case config.Leafref:
			if len(x.Members) != 1 || x.Target != "" && !exists(s, x.Target) {
				t.Errorf("%s: leafref to %q with members %v", x.Name, x.Target, x.Members)
			}
		case config.Union:
			if len(x.Members) == 0 {
				t.Errorf("%s: union of nothing", x.Name)
			}
		}
		for _, r := range append(slices.Clone(x.Range), x.Length...) {
			if r.Min > r.Max {
				t.Errorf("%s: interval %v", x.Name, r)
			}
		}
	}
}

func exists(s *config.Schema, path string) bool {
	at := config.Root
	for _, step := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		next, ok := s.Child(at, step)
		if !ok {
			return false
		}
		at = next
	}
	return s.Nodes[at].Kind == config.Leaf
}

func TestConstantsNameTheirPaths(t *testing.T) {
	for path, id := range map[string]config.ID{
		"/interface": srl.Interface,
		"/interface/subinterface/ipv4/address/ip-prefix":                              srl.InterfaceSubinterfaceIpv4AddressIpPrefix,
		"/network-instance/protocols/bgp/afi-safi/multipath/ebgp/maximum-paths":       srl.NetworkInstanceProtocolsBgpAfiSafiMultipathEbgpMaximumPaths,
		"/system/network-instance/protocols/evpn/ethernet-segments/timers/boot-timer": srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsTimersBootTimer,
	} {
		if got := srl.Schema.Path(id); got != path {
			t.Errorf("got %s, want %s", got, path)
		}
	}
}

// The dialects in which the releases differ; renderers choose between them by what the release has.
func TestReleasesHaveTheirDialect(t *testing.T) {
	s := srl.Schema
	before, after := s.Release("24.10"), s.Release("25.3")
	if before != 0 || after != 1 || s.Release("23.10") != -1 {
		t.Fatalf("releases %v", s.Releases)
	}
	for _, pair := range []struct{ old, new config.ID }{
		{srl.NetworkInstanceProtocolsBgpAfiSafiMultipathMaximumPaths, srl.NetworkInstanceProtocolsBgpAfiSafiMultipathEbgpMaximumPaths},
		{srl.NetworkInstanceProtocolsBgpSendCommunity, srl.NetworkInstanceProtocolsBgpAfiSafiSendCommunityType},
		{srl.RoutingPolicyPolicyStatementMatchPrefixSet, srl.RoutingPolicyPolicyStatementMatchPrefixPrefixSet},
		{srl.RoutingPolicyPolicyStatementMatchBgpAsPathSet, srl.RoutingPolicyPolicyStatementMatchBgpAsPathAsPathSet},
		{srl.RoutingPolicyAsPathSetExpression, srl.RoutingPolicyAsPathSetAsPathSetMember},
		{srl.RoutingPolicyPolicyStatementActionBgpMedSet, srl.RoutingPolicyPolicyStatementActionBgpMedValue},
		{srl.InterfaceTransceiverForwardErrorCorrection, srl.InterfaceEthernetForwardErrorCorrectionFecOption},
	} {
		if old := s.Nodes[pair.old].In; !old.Has(before) || old.Has(after) {
			t.Errorf("%s is in %b, want 24.10 only", s.Path(pair.old), old)
		}
		if now := s.Nodes[pair.new].In; now.Has(before) || !now.Has(after) {
			t.Errorf("%s is in %b, want 25.3 only", s.Path(pair.new), now)
		}
	}
}

// A vendor's pattern that excludes 0.0.0.0 is inverted, which Go cannot say; the profile's says the same otherwise.
func TestRouterIDIsNotAllZero(t *testing.T) {
	patterns := srl.Schema.Types[srl.Schema.Nodes[srl.NetworkInstanceProtocolsBgpGroupRouteReflectorClusterId].Type]
	quad := srl.Schema.Types[patterns.Members[1]]
	matches := func(v string) bool {
		return !slices.ContainsFunc(quad.Patterns, func(p string) bool { return !regexp.MustCompile(p).MatchString(v) })
	}
	if !matches("10.0.0.1") || !matches("0.0.0.1") || matches("0.0.0.0") || matches("10.0.0") {
		t.Errorf("patterns %q", quad.Patterns)
	}
}

// Capabilities lists a model for each module that a node or an identity is of, and tells the releases apart.
func TestEveryModuleIsPublishedInEveryRelease(t *testing.T) {
	s := srl.Schema
	published := map[string][]string{}
	for _, m := range s.Models {
		published[config.ModuleOf(m.Name)] = m.Versions
		if !strings.HasPrefix(m.Name, "urn:nokia.com:srlinux:") || m.Organization != "Nokia" || len(m.Versions) != len(s.Releases) {
			t.Errorf("model %+v", m)
		}
	}
	for _, module := range s.Modules {
		if v := published[module]; v == nil || slices.Contains(v, "") {
			t.Errorf("%s is published as %q", module, v)
		}
	}
	if got, want := published["srl_nokia-bgp"], []string{"2024-10-31", "2025-03-31"}; !slices.Equal(got, want) {
		t.Errorf("srl_nokia-bgp: got %v, want %v", got, want)
	}
}

const document = `{
  "srl_nokia-interfaces:interface": [
    {"name": "ethernet-1/1", "srl_nokia-interfaces-vlans:vlan-tagging": true, "subinterface": [
      {"index": 0, "type": "srl_nokia-interfaces:bridged",
       "srl_nokia-interfaces-vlans:vlan": {"encap": {"single-tagged": {"vlan-id": 10}}}}]},
    {"name": "mgmt0", "subinterface": [
      {"index": 0, "ipv4": {"admin-state": "enable", "srl_nokia-interfaces-ip-dhcp:dhcp-client": {}}}]},
    {"name": "lag1", "srl_nokia-interfaces-lag:lag": {"lag-type": "lacp", "srl_nokia-lacp:lacp": {"interval": "FAST"}}}
  ],
  "srl_nokia-tunnel-interfaces:tunnel-interface": [
    {"name": "vxlan1", "vxlan-interface": [{"index": 10, "type": "srl_nokia-interfaces:bridged", "ingress": {"vni": 10}}]}],
  "srl_nokia-network-instance:network-instance": [
    {"name": "blue", "type": "srl_nokia-network-instance:mac-vrf", "interface": [{"name": "ethernet-1/1.0"}],
     "vxlan-interface": [{"name": "vxlan1.10"}],
     "protocols": {
       "bgp-evpn": {"srl_nokia-bgp-evpn:bgp-instance": [{"id": 1, "evi": 10, "vxlan-interface": "vxlan1.10"}]},
       "srl_nokia-bgp-vpn:bgp-vpn": {"bgp-instance": [{"id": 1, "route-target": {"import-rt": "target:65000:10"}}]}}}]
}`

func TestStructsReadAndCheckADocument(t *testing.T) {
	device := &ygotsrl.Device{}
	if err := ygotsrl.Unmarshal([]byte(document), device); err != nil {
		t.Fatal(err)
	}
	if err := device.Validate(); err != nil {
		t.Fatal(err)
	}
	if got := *device.TunnelInterface["vxlan1"].VxlanInterface[10].Ingress.Vni; got != 10 {
		t.Errorf("vni %d", got)
	}
	device.TunnelInterface["vxlan1"].VxlanInterface[10].Ingress.Vni = ygot.Uint32(1 << 24)
	if err := device.Validate(); err == nil {
		t.Error("a VNI of 25 bits passes")
	}
}
