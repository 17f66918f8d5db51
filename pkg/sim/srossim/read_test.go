package srossim

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// port finds a port of a router.
func port(r *network.Router, name string) (p network.Port) {
	for _, p := range r.Ports {
		if p.Name == name {
			return p
		}
	}
	return p
}

func TestPortsAreChannelsOfConnectors(t *testing.T) {
	t.Parallel()
	whole := baseWith("")
	for _, c := range []struct {
		name, from, to, port string
		want                 network.Port // without its address
	}{
		{"a whole connector", "", "", "1/1/c1/1", network.Port{Name: "1/1/c1/1", Enabled: true, Speed: "400G", MTU: 9196, LLDP: true, Text: `1/1/c1/1, 400G Ethernet, "to sh"`}},
		{"a quarter of one", "", "", "1/1/c2/1", network.Port{Name: "1/1/c2/1", Enabled: true, Speed: "100G", MTU: 9212, Nameless: true, ID: "270549249"}},
		{"a quarter that nobody configures", "", "", "1/1/c2/4", network.Port{Name: "1/1/c2/4", Speed: "100G", MTU: 9212, Nameless: true, ID: "270549252"}},
		{"a connector that is off", `"1/1/c1", "admin-state": "enable"`, `"1/1/c1", "admin-state": "disable"`, "1/1/c1/1",
			network.Port{Name: "1/1/c1/1", Speed: "400G", MTU: 9196, LLDP: true, Text: `1/1/c1/1, 400G Ethernet, "to sh"`}},
		{"a card that is not provisioned as it is", `"card-type": "xcm-1s"`, `"card-type": "xcm-2s"`, "1/1/c2/1",
			network.Port{Name: "1/1/c2/1", Speed: "100G", MTU: 9212, Nameless: true, ID: "270549249"}},
		{"no breakout, no channel", `"connector": {"breakout": "c4-100g"}`, `"description": "whole"`, "1/1/c2/1", network.Port{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := port(read(chassis(t), parse(t, edited(t, whole, c.from, c.to))), c.port)
			got.MAC = network.MAC{}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestInterfacesAreSubinterfacesOfTheirNames(t *testing.T) {
	t.Parallel()
	r := read(chassis(t), parse(t, baseWith(`,"ipv6": {"router-advertisement": {"interface": [{"ip-int-name": "fabric", "admin-state": "enable"}]}}`)))
	got := map[string]network.Subinterface{}
	for _, s := range r.Subinterfaces {
		got[s.Name] = s
	}
	if s := got["system"]; s.Kind != network.Loopback || s.Addresses[0].Prefix != netip.MustParsePrefix("10.1.64.1/32") || !s.Enabled {
		t.Errorf("%+v", s)
	}
	bfd := network.BFD{Transmit: 300 * time.Millisecond, Receive: 300 * time.Millisecond, Multiplier: 3}
	if s := got["to-sh"]; s.Parent != "1/1/c1/1" || s.IPMTU != 9182 || s.BFD == nil || *s.BFD != bfd || s.IPv6 || s.MAC != port(r, "1/1/c1/1").MAC {
		t.Errorf("%+v", s)
	}
	if s := got["fabric"]; s.Parent != "1/1/c2/1" || s.IPMTU != 9198 || s.IPv4 || !s.RA || s.LinkLocal != port(r, "1/1/c2/1").MAC.LinkLocal() {
		t.Errorf("%+v", s)
	}
	if base := r.Instances[0]; !base.UncheckedIPv4 || !reflect.DeepEqual(base.Interfaces, []string{"fabric", "system", "to-sh"}) {
		t.Errorf("%+v", base)
	}
}

const sessions = `,"bgp": {"admin-state": "enable", "router-id": "10.1.64.1", "multipath": {"max-paths": 64},
	"group": [
		{"group-name": "underlay", "family": {"ipv4": true}, "local-as": {"as-number": 65011, "prepend-global-as": false}, "import": {"policy": ["in"]}, "export": {"policy": ["out"]},
			"extended-nh-encoding": {"ipv4": true}, "advertise-ipv6-next-hops": {"ipv4": true}, "bfd-liveness": true,
			"dynamic-neighbor": {"interface": [{"interface-name": "fabric", "allowed-peer-as": ["65001"]}]}},
		{"group-name": "wan", "type": "internal", "peer-as": 65000, "family": {"evpn": true}, "local-address": "10.1.64.1", "def-recv-evpn-encap": "mpls", "export": {"policy": ["out"]}},
		{"group-name": "spines", "type": "internal", "family": {"evpn": true}, "def-recv-evpn-encap": "vxlan", "vpn-apply-export": true, "export": {"policy": ["out"]}}],
	"neighbor": [
		{"ip-address": "10.2.64.1", "group": "wan"},
		{"ip-address": "10.1.0.1", "group": "spines", "keepalive": 5, "hold-time": {"seconds": 60}},
		{"ip-address": "10.1.0.2", "group": "spines", "family": {"ipv4": true, "evpn": true}, "vpn-apply-export": false, "admin-state": "disable"}]},
	"isis": [{"isis-instance": 0, "admin-state": "enable", "level-capability": "2", "area-address": ["49.0001"], "advertise-passive-only": true,
		"segment-routing": {"admin-state": "enable", "prefix-sid-range": {"global": [null]}},
		"interface": [{"interface-name": "system", "passive": true, "ipv4-node-sid": {"index": "101"}},
			{"interface-name": "to-sh", "interface-type": "point-to-point", "bfd-liveness": {"ipv4": {}}, "level": [{"level-number": "2", "metric": 20}]}]}],
	"mpls-labels": {"sr-labels": {"start": 100000, "end": 125999}}`

const policies = `,"policy-options": {
	"prefix-list": [{"name": "loopbacks", "prefix": [{"ip-prefix": "10.1.0.0/17", "type": "range", "start-length": 32, "end-length": 32}, {"ip-prefix": "10.9.0.0/16", "type": "longer"}]}],
	"community": [{"name": "mpls", "member": [{"member": "bgp-tunnel-encap:MPLS"}]}, {"name": "red", "member": [{"member": "target:65000:100010"}]},
		{"name": "blue", "member": [{"member": "target:65000:100020"}]}],
	"policy-statement": [
		{"name": "in", "entry": [{"entry-id": 20, "from": {"tag": "7"}, "action": {"action-type": "accept"}},
			{"entry-id": 10, "from": {"prefix-list": ["loopbacks"], "protocol": {"name": ["direct", "bgp"]}}, "action": {"action-type": "accept", "local-preference": 50}}],
			"default-action": {"action-type": "reject"}},
		{"name": "out", "entry": [{"entry-id": 10, "from": {"community": {"expression": "[red] AND [mpls] OR [blue]"}}, "action": {"action-type": "accept"}}]}]}`

func TestNeighborsSayWhatTheirGroupsDoNot(t *testing.T) {
	t.Parallel()
	b := read(chassis(t), parse(t, baseWith(sessions)+policies)).Instances[0].BGP
	if !b.Enabled || b.AS != 65000 || b.Multipath[network.IPv4] != (network.Multipath{EBGP: 8, IBGP: 8, MultipleAS: true}) || len(b.Neighbors) != 3 || len(b.Dynamic) != 1 {
		t.Fatalf("%+v", b)
	}
	d := b.Dynamic[0]
	if n := d.Template; d.Interface != "fabric" || n.LocalAS != 65011 || n.PrependGlobal || !n.BFD || n.AllowedAS[0] != (network.ASRange{Low: 65001, High: 65001}) ||
		!n.IPv6NextHops.Send || !n.IPv6NextHops.Receive || !n.RejectImport || !reflect.DeepEqual(n.Import, []string{"in"}) {
		t.Errorf("%+v", d)
	}
	first, second, wan := b.Neighbors[0], b.Neighbors[1], b.Neighbors[2]
	if first.PeerAS != 65000 || first.HoldTime != time.Minute || first.KeepAlive != 5*time.Second || first.Assumes != network.OverVXLAN || !reflect.DeepEqual(first.Export, []string{"out"}) {
		t.Errorf("%+v", first)
	}
	if second.Enabled || len(second.Families) != 2 || !reflect.DeepEqual(second.Export, []string{"out@base"}) { // not applied to routes of services
		t.Errorf("%+v", second)
	}
	if wan.Assumes != network.OverMPLS || wan.Local != netip.MustParseAddr("10.1.64.1") || wan.Export != nil || wan.HoldTime != 90*time.Second || wan.LocalAS != 65000 {
		t.Errorf("%+v", wan)
	}
}

func TestEntriesAreAskedInTheirOrder(t *testing.T) {
	t.Parallel()
	p := read(chassis(t), parse(t, baseWith(sessions)+policies)).Policies
	in := p.Policies["in"].Statements
	if len(in) != 3 || in[0].Match.Protocol != "bgp" || in[1].Match.Protocol != "local" || *in[0].Action.LocalPref != 50 || in[0].Match.PrefixSet != "loopbacks" ||
		in[2].Match.PrefixSet != nowhere || p.Policies["in"].Default.Result != network.Reject { // tags are not simulated
		t.Errorf("%+v", in)
	}
	want := []network.PrefixRange{{Prefix: netip.MustParsePrefix("10.1.0.0/17"), Low: 32, High: 32}, {Prefix: netip.MustParsePrefix("10.9.0.0/16"), Low: 16, High: 32}}
	if got := p.Prefixes["loopbacks"]; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	out := p.Policies["out"].Statements
	if len(out) != 2 {
		t.Fatalf("%+v", out)
	}
	both, blue := p.Communities[out[0].Match.CommunitySet], p.Communities[out[1].Match.CommunitySet]
	if !reflect.DeepEqual(both, network.CommunitySet{All: true, Members: []string{"target:65000:100010", "encapsulation:mpls"}}) ||
		!reflect.DeepEqual(blue.Members, []string{"target:65000:100020"}) {
		t.Errorf("%+v, %+v", both, blue)
	}
}

func TestISISHasTheLabelsOfTheRouter(t *testing.T) {
	t.Parallel()
	document := baseWith(sessions) + policies
	ranged := edited(t, document, `"global": [null]`, `"start-label": 110000, "max-index": 999`)
	for name, c := range map[string]struct {
		document    string
		first, size uint32
	}{
		"all of them":               {document, 100000, 26000},
		"some of them":              {ranged, 110000, 1000},
		"others than it has":        {edited(t, ranged, "110000", "125500"), 0, 0},
		"none without an own range": {edited(t, document, `"start": 100000, "end": 125999`, ``), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := read(chassis(t), parse(t, c.document)).Instances[0].ISIS
			if i.Base != c.first || i.Size != c.size || !i.Enabled || i.Level1 || !i.Level2 || i.NET != "49.0001.0100.0106.4001.00" || !i.PassiveOnly {
				t.Errorf("%+v", i)
			}
			if c.size > 0 && i.Index != 101 {
				t.Errorf("index %d", i.Index)
			}
			if p := i.Interfaces[1]; p.Name != "to-sh" || p.Metric != 20 || !p.PointToPoint || !p.BFD || p.Level1 || !p.Level2 {
				t.Errorf("%+v", p)
			}
		})
	}
}

// An access point is of no use on a port that takes smaller frames than its service forwards; a tag comes on top.
func TestAnAccessPointNeedsRoomForItsService(t *testing.T) {
	t.Parallel()
	const vpls = `,"service": {"customer": [{"customer-name": "1"}], "vpls": [{"service-name": "web", "service-id": 10, "customer": "1", "admin-state": "enable"MTU, "sap": [{"sap-id": "1/1/c2/1:7"}]}]}`
	tagged := edited(t, baseWith(""), `"ethernet": {"mode": "network"}`, `"ethernet": {"mode": "access", "encap-type": "dot1q", "mtu": 1600}`)
	for mtu, up := range map[string]bool{"": true, `, "service-mtu": 1596`: true, `, "service-mtu": 1597`: false} {
		r := read(chassis(t), parse(t, tagged+strings.Replace(vpls, "MTU", mtu, 1)))
		far := &network.Router{Name: "far", Ports: []network.Port{{Name: "eth0", Enabled: true, MAC: network.MAC{2, 9}, Speed: "100G"}}}
		wiring := network.Wiring{Cables: []network.Cable{{A: network.End{Device: "far", Port: "eth0"}, B: network.End{Device: r.Name, Port: "1/1/c2/1"}}}}
		p := network.Survey(map[string]*network.Router{r.Name: r, "far": far}, &wiring, network.Outages{})
		if got := p.Links[r.Name].Subs["1/1/c2/1:7"]; got.Up != up || !up && got.Self.Reason != "l2-mtu-too-large" {
			t.Errorf("service-mtu %q: %+v", mtu, got)
		}
	}
}
