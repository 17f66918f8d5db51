package sros

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/verify"
)

// stitched gives a gateway two segments and a tenant that other sites have as well. The numbers are those of docs/numbering.md.
func stitched(d *fabric.Device) {
	for i, name := range []string{"web", "db"} {
		n := uint32(10 + i)
		d.WAN.Bridges = append(d.WAN.Bridges, fabric.Bridge{
			Key: "red/" + name, Name: "red-" + name, Number: n, ID: 10000 + n, MTU: 9014, MTURef: "sites/bj/underlay#mtu", Ref: fabric.Ref("tenants/red/segments/" + name),
			Fabric: side(10000+n, n, 0, "65000:1"), WAN: side(110000+n, n, 30000, "65000:65535"),
		})
	}
	d.WAN.Routers = []fabric.Router{{
		Key: "red", Name: "red", Number: 1, ID: 120001, Inner: 20001, ECMP: 8, MTU: 9000, MTURef: "sites/bj/underlay#mtu", Ref: "tenants/red",
		Fabric: side(20001, 5001, 0, "65000:1"), WAN: side(120001, 5001, 30000, "65000:65535"),
	}}
	if d.WAN.Labels.Size != 0 {
		for i := range d.WAN.Bridges {
			d.WAN.Bridges[i].WAN.VNI = 0
		}
		d.WAN.Routers[0].WAN.VNI = 0
	}
	d.WAN.Origin = "65000:60001"
	d.WAN.Segment = &fabric.SiteSegment{Name: "interconnect", ESI: "00:00:01:00:00:00:01:00:00:00", Ref: "sites/bj"}
}

func side(vni, evi, beyond uint32, domain string) fabric.Instance {
	return fabric.Instance{VNI: vni, EVI: evi, RT: "target:65000:" + decimal(vni), RD: "10.1.64.1:" + decimal(evi+beyond), Domain: domain}
}

func alone(d *fabric.Device) { d.WAN.Segment = nil }

func at(tree *config.Tree, path string) string { return tree.Find(pathOf(path)).Value() }

func TestSidesHaveTheirOwnEncapsulation(t *testing.T) {
	t.Parallel()
	const interfaceFul = "/configure/service/system/bgp/evpn/ip-prefix-routes/interface-ful"
	const web, red = vplsPath + "[service-name=red-web]", vprnPath + "[service-name=red]"
	mpls, vxlan := render(t, gateway(t, stitched)), render(t, gateway(t, plain, stitched))
	for path, want := range map[string][2]string{
		web + "/vxlan/instance[vxlan-instance=1]/vni":                                                                     {"10010", "10010"},
		web + "/vxlan/instance[vxlan-instance=2]/vni":                                                                     {"", "110010"},
		web + "/bgp-evpn/vxlan[bgp-instance=1]/mh-mode":                                                                   {"access", "access"},
		web + "/bgp-evpn/vxlan[bgp-instance=2]/mh-mode":                                                                   {"", "network"},
		web + "/bgp-evpn/mpls[bgp-instance=2]/mh-mode":                                                                    {"network", ""},
		web + "/bgp-evpn/mpls[bgp-instance=2]/auto-bind-tunnel/resolution-filter/sr-isis":                                 {"true", ""},
		web + "/bgp[bgp-instance=1]/route-target/import":                                                                  {"target:65000:10010", "target:65000:10010"},
		web + "/bgp[bgp-instance=2]/route-target/import":                                                                  {"target:65000:110010", "target:65000:110010"},
		web + "/bgp[bgp-instance=2]/route-distinguisher":                                                                  {"10.1.64.1:30010", "10.1.64.1:30010"},
		red + "/bgp-evpn/mpls[bgp-instance=1]/domain-id":                                                                  {"65000:65535", ""},
		red + "/bgp-evpn/vxlan[bgp-instance=1]/domain-id":                                                                 {"", "65000:65535"},
		red + "/vxlan/instance[vxlan-instance=1]/vni":                                                                     {"", "120001"},
		vplsPath + "[service-name=red.fabric]/bgp-evpn/routes/ip-prefix/domain-id":                                        {"65000:1", "65000:1"},
		red + "/interface[interface-name=fabric]/vpls[vpls-name=red.fabric]/evpn-tunnel/ipv6-gateway-address":             {"mac", "mac"},
		vplsPath + "[service-name=red.fabric]/service-mtu":                                                                {"9014", "9014"},
		red + "/interface[interface-name=fabric]/ip-mtu":                                                                  {"9000", "9000"},
		interfaceFul + "/attribute-uniform-propagation":                                                                   {"true", "true"},
		interfaceFul + "/bgp-path-selection":                                                                              {"true", "true"},
		"/configure/router[router-name=Base]/bgp/group[group-name=wan]/def-recv-evpn-encap":                               {"mpls", "vxlan"},
		"/configure/policy-options/policy-statement[name=loom-wan-export]/default-action/action-type":                     {"reject", "reject"},
		"/configure/policy-options/extended-community-set[name=loom-wan-targets]/member[value=target:65000:120001]/value": {"target:65000:120001", "target:65000:120001"},
	} {
		if got := [2]string{at(mpls, path), at(vxlan, path)}; got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

// What is only bridged has no prefixes that could lose anything.
func TestAGatewayWithoutTenantsSaysNothingOfTheirPrefixes(t *testing.T) {
	t.Parallel()
	bridging := gateway(t, stitched, func(d *fabric.Device) { d.WAN.Routers = nil })
	if at := render(t, bridging).Find(pathOf("/configure/service/system/bgp/evpn/ip-prefix-routes")); at.Valid() {
		t.Errorf("%s is there", at.Path())
	}
}

// Whatever a gateway has to do with other sites, its sessions with them tell only what has a target of the WAN.
func TestNothingGoesToOtherSitesUnlessItIsStitched(t *testing.T) {
	t.Parallel()
	for kind, d := range kinds(t) {
		if len(d.WAN.Neighbors) == 0 {
			continue
		}
		tree := render(t, d)
		if got := (observation{tree.Find(pathOf(groupPath + "[group-name=wan]/export/policy"))}); !slices.Equal(members(got), []string{policyWAN}) {
			t.Errorf("%s: export policies %v", kind, members(got))
		}
		policy := statements + "[name=" + policyWAN + "]"
		if at(tree, policy+"/default-action/action-type") != "reject" {
			t.Errorf("%s: the rest is not rejected", kind)
		}
		for _, entry := range (observation{tree.Find(pathOf(policy))}).entries(sros.ConfigurePolicyOptionsPolicyStatementEntry) {
			if entry.text(sros.ConfigurePolicyOptionsPolicyStatementEntryFromExtendedCommunitySet) != targetsWAN {
				t.Errorf("%s: %s asks for no target", kind, entry.Path())
			}
		}
		if in := tree.Find(pathOf(groupPath + "[group-name=overlay]/export/policy")); len(d.WAN.Bridges) > 0 && !slices.Equal(members(observation{in}), []string{policyFabric}) {
			t.Errorf("%s: the fabric hears what %v says", kind, members(observation{in}))
		}
	}
}

func members(o observation) (out []string) {
	for v := range o.Children() {
		out = append(out, v.Value())
	}
	return out
}

// Towards the fabric: all that is not for the WAN. Inside an AS nobody passes on what he hears, and by eBGP what other sites say has
// targets of the WAN.
func TestTheFabricHearsWhatIsForIt(t *testing.T) {
	t.Parallel()
	about := map[string]string{"path-type": "ibgp", "evpn-type": "ethernet-auto-discovery", "extended-community-set": targetsWAN}
	for name, c := range map[string]struct {
		edits []func(*fabric.Device)
		want  string
	}{
		"inside an AS":        {[]func(*fabric.Device){stitched}, "10 reject extended-community-set"},
		"by eBGP":             {[]func(*fabric.Device){external, stitched}, "10 reject extended-community-set"},
		"by eBGP, no segment": {[]func(*fabric.Device){external, stitched, alone}, "10 reject extended-community-set"},
	} {
		tree := render(t, gateway(t, c.edits...))
		policy := statements + "[name=" + policyFabric + "]"
		var got []string
		for id := range 40 {
			entry := policy + "/entry[entry-id=" + decimal(id) + "]"
			for leaf, value := range about {
				if at(tree, entry+"/from/"+leaf) == value {
					got = append(got, decimal(id)+" "+at(tree, entry+"/action/action-type")+" "+leaf)
				}
			}
		}
		if strings.Join(got, ", ") != c.want || at(tree, policy+"/default-action/action-type") != "accept" {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// Whoever is drained forwards nothing that is flooded, as soon as others have heard of it.
func TestADrainedGatewayYieldsOnTheSegment(t *testing.T) {
	t.Parallel()
	d := gateway(t, stitched)
	tree := render(t, d)
	const value = segmentPath + "[ethernet-segment-name=interconnect]/df-election/manual/preference/value"
	drained, err := Drain(tree, d)
	if err != nil || at(tree, value) != preferred || at(drained, value) != yielding {
		t.Fatalf("%v: preference %s, drained %s", err, at(tree, value), at(drained, value))
	}
	for name, intended := range map[string]*config.Tree{"as it was": tree, "without the segment": render(t, gateway(t, stitched, alone))} {
		if back, err := Undrain(drained, intended, d); err != nil || at(back, value) != preferred {
			t.Errorf("%s: %v: preference %s", name, err, at(back, value))
		}
	}
}

// A gateway without others in its site elects nobody.
func TestOneGatewayHasNoSegment(t *testing.T) {
	t.Parallel()
	text := string(render(t, gateway(t, stitched, alone)).AppendJSON(nil, false))
	for _, word := range []string{"ethernet-segment", "auto-disc", "rx-discard-on-ndf", "ethernet-auto-discovery"} {
		if strings.Contains(text, word) {
			t.Errorf("there is %s", word)
		}
	}
}

func TestRangesHoldSegmentsAndNothingElse(t *testing.T) {
	t.Parallel()
	every := func(from, step uint32, n int) (ids []uint32) {
		for i := range n {
			ids = append(ids, from+step*uint32(i))
		}
		return ids
	}
	for name, c := range map[string]struct {
		bridges, others []uint32
		want            []span
	}{
		"one":                             {[]uint32{10010}, nil, []span{{10010, 10010}}},
		"neighbours, in any order":        {[]uint32{12, 10, 11, 20}, nil, []span{{10, 12}, {20, 20}}},
		"eight as they are":               {every(10, 2, 8), nil, []span{{10, 10}, {12, 12}, {14, 14}, {16, 16}, {18, 18}, {20, 20}, {22, 22}, {24, 24}}},
		"nine over the narrowest gap":     {append(every(10, 10, 8), 85), nil, []span{{10, 10}, {20, 20}, {30, 30}, {40, 40}, {50, 50}, {60, 60}, {70, 70}, {80, 85}}},
		"nine around a tenant in the gap": {append(every(10, 10, 8), 85), []uint32{82}, []span{{10, 20}, {30, 30}, {40, 40}, {50, 50}, {60, 60}, {70, 70}, {80, 80}, {85, 85}}},
	} {
		r := renderer{d: &fabric.Device{}}
		for _, id := range c.bridges {
			r.d.WAN.Bridges = append(r.d.WAN.Bridges, fabric.Bridge{ID: id})
		}
		for _, id := range c.others {
			r.d.WAN.Routers = append(r.d.WAN.Routers, fabric.Router{Inner: id, ID: id + 100000})
		}
		if diff := cmp.Diff(c.want, r.onSegment(), cmp.AllowUnexported(span{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestServicesThatARouterWouldNotTakeAreRefused(t *testing.T) {
	t.Parallel()
	raw := func(pairs ...string) func(*fabric.Device) {
		return func(d *fabric.Device) {
			for i := 0; i < len(pairs); i += 2 {
				d.Raw = append(d.Raw, fabric.RawLeaf{Path: pairs[i], Value: pairs[i+1], Ref: "raw/0"})
			}
		}
	}
	const mine, red = vplsPath + "[service-name=mine]", vprnPath + "[service-name=red]"
	// routed leads another interface of red to a bridge of which something is said.
	routed := func(what, value, ipMTU string) func(*fabric.Device) {
		const other = red + "/interface[interface-name=other]"
		return raw(mine+"/service-id", "7", mine+"/customer", customer, mine+"/routed-vpls/vxlan-ipv4-tep-ecmp", "true", mine+"/"+what, value,
			other+"/ip-mtu", ipMTU, other+"/vpls[vpls-name=mine]/evpn-tunnel/ipv6-gateway-address", "ip")
	}
	for name, c := range map[string]struct {
		edit func(*fabric.Device)
		want string
	}{
		"a service id twice":            {raw(mine+"/service-id", "10010", mine+"/customer", customer), "service id 10010 is used by"},
		"a name twice":                  {raw(vplsPath+"[service-name=red]/service-id", "7", vplsPath+"[service-name=red]/customer", customer), "service name red is used by"},
		"a service without id":          {raw(mine+"/customer", customer), "has no service-id"},
		"a service for nobody":          {raw(mine+"/service-id", "7"), "customer"},
		"a service for a stranger":      {raw(mine+"/service-id", "7", mine+"/customer", "stranger"), "stranger"},
		"a VNI twice":                   {func(d *fabric.Device) { d.WAN.Bridges[0].Fabric.VNI = 10011 }, "vni 10011 is used by"},
		"an EVI twice":                  {func(d *fabric.Device) { d.WAN.Routers[0].Fabric.EVI = 10 }, "evi 10 is used by"},
		"a route distinguisher twice":   {func(d *fabric.Device) { d.WAN.Routers[0].WAN.RD = d.WAN.Bridges[0].Fabric.RD }, "route distinguisher 10.1.64.1:10 is used by"},
		"one target on both sides":      {func(d *fabric.Device) { d.WAN.Bridges[0].WAN.RT = d.WAN.Bridges[0].Fabric.RT }, "both instances import target:65000:10010"},
		"one domain on both sides":      {func(d *fabric.Device) { d.WAN.Routers[0].WAN.Domain = "65000:1" }, "domain 65000:1 is on both sides of red"},
		"a SAP on no port":              {raw(vplsPath+"[service-name=red-web]/sap[sap-id=1/1/c9/1:10]/description", "mine"), "there is no port 1/1/c9/1"},
		"a SAP on a port of the fabric": {raw(vplsPath+"[service-name=red-web]/sap[sap-id=1/1/c35/1:10]/description", "mine"), "1/1/c35/1 is a network port"},
		"a SAP on a trunk":              {raw(vplsPath+"[service-name=red-web]/sap[sap-id=lag-1:10]/description", "mine"), "lag-1 is a network port"},
		"a bridge that is none":         {raw(red+"/interface[interface-name=other]/vpls[vpls-name=gone]/evpn-tunnel/ipv6-gateway-address", "ip"), "there is no routed VPLS gone"},
		"a bridge that routes nothing":  {raw(red+"/interface[interface-name=other]/vpls[vpls-name=red-web]/evpn-tunnel/ipv6-gateway-address", "ip"), "there is no routed VPLS red-web"},
		"a bridge that takes less":      {routed("service-mtu", "2000", "1987"), "1987 do not fit the service-mtu of 2000 of VPLS mine, which counts an ethernet header of 14 as well; use at most 1986, or a service-mtu of 2001"},
		"a bridge of the usual size":    {routed("description", "mine", "1501"), "1501 do not fit the service-mtu of 1514 of VPLS mine"},
		"both sides to other gateways":  {raw(vplsPath+"[service-name=red.fabric]/bgp-evpn/mpls[bgp-instance=1]/ecmp", "2", vplsPath+"[service-name=red.fabric]/bgp-evpn/mpls[bgp-instance=2]/ecmp", "2"), "both EVPN instances are of mh-mode network"},
		"an instance of both kinds":     {raw(vplsPath+"[service-name=red-web]/bgp-evpn/mpls[bgp-instance=1]/ecmp", "2"), "BGP instance 1 has another encapsulation"},
		"an instance without BGP":       {raw(vplsPath+"[service-name=red.fabric]/bgp-evpn/mpls[bgp-instance=2]/ecmp", "2"), "there is no BGP instance 2"},
		"ranges that overlap":           {raw(segmentPath+"[ethernet-segment-name=interconnect]/association/network-interconnect-vxlan[network-interconnect-vxlan-id=1]/virtual-ranges/service-id[start=10011]/end", "10020"), "overlaps"},
		"a segment without identifier":  {raw(segmentPath+"[ethernet-segment-name=mine]/admin-state", "enable"), "is enabled and has no esi"},
		"an identifier twice":           {raw(segmentPath+"[ethernet-segment-name=mine]/esi", "00:00:01:00:00:00:01:00:00:00"), "esi 00:00:01:00:00:00:01:00:00:00 is used by"},
		"VXLAN without VNI":             {func(d *fabric.Device) { d.WAN.Labels = fabric.Labels{} }, "red/web has no VNI towards the WAN"},
		"segments among tenants": {func(d *fabric.Device) {
			d.WAN.Bridges, d.WAN.Routers = nil, nil
			for i := range uint32(9) {
				d.WAN.Bridges = append(d.WAN.Bridges, fabric.Bridge{ID: 10 * i})
				d.WAN.Routers = append(d.WAN.Routers, fabric.Router{Inner: 10*i + 5})
			}
		}, "stitched segments lie in 9 ranges"},
	} {
		_, err := Render(gateway(t, stitched, c.edit))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// shows is what a router shows of its services, and what it is set to.
const shows = `{"nokia-conf:configure": {"router": [{"router-name": "Base", "interface": [{"interface-name": "system", "ipv4": {"primary": {"address": "10.1.64.1", "prefix-length": 32}}}]}],
 "service": {"vpls": [
  {"service-name": "red-web", "vxlan": {"instance": [{"vxlan-instance": 1, "vni": 10010}, {"vxlan-instance": 2, "vni": 110010}]}},
  {"service-name": "red-db", "vxlan": {"instance": [{"vxlan-instance": 1, "vni": 10011}]}},
  {"service-name": "red.fabric", "routed-vpls": {}, "vxlan": {"instance": [{"vxlan-instance": 1, "vni": 20001}]}}]}},
"nokia-state:state": {"service": {
 "system": {"bgp": {"evpn": {"ethernet-segment": [{"ethernet-segment-name": "interconnect", "oper-esi": "00:00:01:00:00:00:01:00:00:00", "oper-state": "up", "evi": [
   {"id": 10, "df": true, "service-name": "red-web", "df-candidates": {"ip-address": [{"ip-address": "10.1.64.2"}, {"ip-address": "10.1.64.1"}]}},
   {"id": 11, "df": false, "service-name": "red-db", "df-candidates": {"ip-address": [{"ip-address": "10.1.64.1"}, {"ip-address": "10.1.64.2"}]}},
   {"id": 13, "df": false, "service-name": "red-three", "df-candidates": {"ip-address": [
     {"ip-address": "10.1.64.1", "operational-preference-value": 0}, {"ip-address": "10.1.64.3", "operational-preference-value": 32767},
     {"ip-address": "10.1.64.2", "operational-preference-value": 32767}]}}]}]}}},
 "vpls": [
  {"service-name": "red-web", "oper-state": "up", "vxlan": {"instance": [
    {"vxlan-instance": 1, "destinations": {"non-ethernet-segment-destination": [
      {"ip-address": "10.1.0.12", "vni": 10010, "oper-state": "up", "multicast-forwarding-type": "broadcast-multicast"},
      {"ip-address": "10.1.0.11", "vni": 10010, "oper-state": "up", "multicast-forwarding-type": "broadcast-multicast"},
      {"ip-address": "10.1.0.13", "vni": 10010, "oper-state": "up", "multicast-forwarding-type": "none"},
      {"ip-address": "10.1.0.14", "vni": 10010, "oper-state": "down", "multicast-forwarding-type": "broadcast-multicast"}]}},
    {"vxlan-instance": 2}]}},
  {"service-name": "red-db", "oper-state": "down"},
  {"service-name": "red.fabric", "oper-state": "up"}]}}}`

func TestServicesAreObserved(t *testing.T) {
	t.Parallel()
	tree, unknown, err := config.Parse(sros.Schema, "26.3", []byte(shows), config.ParseOptions{Strict: true, State: true})
	if err != nil || len(unknown) > 0 {
		t.Fatal(err, unknown)
	}
	got := Observe(tree, nil)
	one, two := addr("10.1.64.1"), addr("10.1.64.2")
	want := verify.Device{
		Tunnels: map[uint32]verify.Tunnel{
			10010:  {Up: true, VTEPs: []netip.Addr{addr("10.1.0.11"), addr("10.1.0.12")}},
			110010: {Up: true},
			10011:  {Reason: "down"},
		},
		Segments: map[string]verify.Segment{"interconnect": {ESI: "00:00:01:00:00:00:01:00:00:00", Up: true, Elections: map[string]verify.Election{
			"red-web":   {Candidates: []netip.Addr{one, two}, Forwarders: []netip.Addr{one}},
			"red-db":    {Candidates: []netip.Addr{one, two}, Forwarders: []netip.Addr{two}},
			"red-three": {Candidates: []netip.Addr{one, two, addr("10.1.64.3")}, Forwarders: []netip.Addr{two}},
		}}},
	}
	if diff := cmp.Diff(want, verify.Device{Tunnels: got.Tunnels, Segments: got.Segments}, addresses); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAConfigurationAsksForItsServices(t *testing.T) {
	t.Parallel()
	got := Asks(render(t, gateway(t, plain, stitched)))
	want := verify.Device{
		Tunnels: map[uint32]verify.Tunnel{10010: {}, 10011: {}, 110010: {}, 110011: {}},
		Segments: map[string]verify.Segment{"interconnect": {ESI: "00:00:01:00:00:00:01:00:00:00", Elections: map[string]verify.Election{
			"red-web": {}, "red-db": {},
		}}},
	}
	if diff := cmp.Diff(want, verify.Device{Tunnels: got.Tunnels, Segments: got.Segments}, addresses); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// A bridge of one side is on no segment, and one that is off is nowhere.
	one, err := config.Apply(render(t, gateway(t, plain, stitched)), &gnmi.SetRequest{Delete: []*gnmi.Path{
		pathOf(vplsPath + "[service-name=red-db]/bgp-evpn/vxlan[bgp-instance=2]").GNMI(), pathOf(vplsPath + "[service-name=red-web]/admin-state").GNMI(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	got = Asks(one)
	want.Tunnels = map[uint32]verify.Tunnel{10011: {}}
	clear(want.Segments["interconnect"].Elections)
	if diff := cmp.Diff(want, verify.Device{Tunnels: got.Tunnels, Segments: got.Segments}, addresses); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
