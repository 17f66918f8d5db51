package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/pkg/fabric"
)

// The public lab srl-labs/nokia-basic-dci-lab as its own configurations have it, as facts; docs/basic-dci-lab.md tells the story.
// A fact is what a line of this table says; where Loom's differs, the page has a row that names both, and this test holds them together.

// labFact is one thing that a router of the lab does, there and here.
type labFact struct {
	what         string
	there, loom  string // equal where both do the same
	router, path string // where it is read of what Loom renders
}

var dciLabFacts = []labFact{
	// A leaf with a client.
	{"AS number of leaf1", "65511", "65511", "dc1-leaf1", "network-instance[default]/protocols/bgp/autonomous-system"},
	{"router id of leaf1", "10.0.0.11", "10.0.0.11", "dc1-leaf1", "network-instance[default]/protocols/bgp/router-id"},
	{"loopback of leaf1", "10.0.0.11/32", "10.0.0.11/32", "dc1-leaf1", "interface[system0]/subinterface[0]/ipv4/address/*/ip-prefix"},
	{"link of leaf1 to spine1", "1.11.21.11/24", "1.11.21.11/31", "dc1-leaf1", "interface[ethernet-1/31]/subinterface[0]/ipv4/address/*/ip-prefix"},
	{"link of leaf1 to spine2", "1.11.22.11/24", "1.11.22.11/31", "dc1-leaf1", "interface[ethernet-1/32]/subinterface[0]/ipv4/address/*/ip-prefix"},
	{"underlay sessions of leaf1", "1.11.21.21 AS 65520, 1.11.22.22 AS 65520", "1.11.21.10 AS 65520, 1.11.22.10 AS 65521", "dc1-leaf1", "sessions underlay"},
	{"overlay sessions of leaf1", "10.0.0.21 AS 65501, 10.0.0.22 AS 65501", "10.0.0.21 AS 65501, 10.0.0.22 AS 65501", "dc1-leaf1", "sessions overlay"},
	{"equal-cost paths of leaf1", "64", "64", "dc1-leaf1", "network-instance[default]/protocols/bgp/afi-safi[srl_nokia-common:ipv4-unicast]/multipath/maximum-paths"},
	{"anycast gateway of the clients of dc1", "10.0.0.254/24", "10.0.0.254/24", "dc1-leaf1", "interface[irb1]/subinterface[*]/ipv4/address/*/ip-prefix"},
	{"EVI of the clients' bridge of dc1", "1", "1", "dc1-leaf1", "network-instance[ip-vrf-101-subnet-a]/protocols/bgp-evpn/bgp-instance[1]/evi"},
	{"route target of the clients' bridge of dc1", "target:65501:1", "target:65501:1", "dc1-leaf1", "network-instance[ip-vrf-101-subnet-a]/protocols/bgp-vpn/bgp-instance[1]/route-target/import-rt"},
	{"EVI of the clients' bridge of dc2", "1", "2", "dc2-leaf1", "network-instance[ip-vrf-101-subnet-b]/protocols/bgp-evpn/bgp-instance[1]/evi"},
	{"route target of the clients' bridge of dc2", "target:65501:1", "target:65501:2", "dc2-leaf1", "network-instance[ip-vrf-101-subnet-b]/protocols/bgp-vpn/bgp-instance[1]/route-target/import-rt"},
	{"EVI of the IP-VRF", "101", "101", "dc1-leaf1", "network-instance[ip-vrf-101]/protocols/bgp-evpn/bgp-instance[1]/evi"},
	{"route target of the IP-VRF", "target:65501:101", "target:65501:101", "dc1-leaf1", "network-instance[ip-vrf-101]/protocols/bgp-vpn/bgp-instance[1]/route-target/import-rt"},
	{"VNIs of leaf1", "1, 101", "1, 101", "dc1-leaf1", "tunnel-interface[*]/vxlan-interface[*]/ingress/vni"},
	{"VNIs of leaf2", "101", "", "dc1-leaf2", "tunnel-interface[*]/vxlan-interface[*]/ingress/vni"},
	// A spine.
	{"AS number of spine1", "65520", "65520", "dc1-spine1", "network-instance[default]/protocols/bgp/autonomous-system"},
	{"AS number of spine2", "65520", "65521", "dc1-spine2", "network-instance[default]/protocols/bgp/autonomous-system"},
	{"cluster of spine1", "10.0.0.21", "10.0.0.21", "dc1-spine1", "network-instance[default]/protocols/bgp/group[overlay]/route-reflector/cluster-id"},
	{"overlay sessions of spine1", "10.0.0.11 AS 65501, 10.0.0.12 AS 65501, 10.0.0.13 AS 65501, 10.0.0.14 AS 65501, 10.0.0.31 AS 65501, 10.0.0.32 AS 65501",
		"10.0.0.11 AS 65501, 10.0.0.12 AS 65501, 10.0.0.13 AS 65501, 10.0.0.14 AS 65501, 10.0.0.31 AS 65501, 10.0.0.32 AS 65501", "dc1-spine1", "sessions overlay"},
	{"VLAN tag towards gateways", "1", "", "dc1-spine1", "interface[ethernet-1/31]/subinterface[*]/vlan/encap/single-tagged/vlan-id"},
	// A gateway.
	{"AS number of the gateways' router", "1257", "65501", "dc1-gateway1", "configure/router[Base]/autonomous-system"},
	{"AS number that gateway 1 shows its fabric", "65531", "65531", "dc1-gateway1", "configure/router[Base]/bgp/group[underlay]/local-as/as-number"},
	{"loopback of gateway 1", "10.0.0.31", "10.0.0.31", "dc1-gateway1", "configure/router[Base]/interface[system]/ipv4/primary/address"},
	{"breakout of gateway 1", "c1-100g", "c1-100g", "dc1-gateway1", "configure/port[1/1/c1]/connector/breakout"},
	{"address of gateway 1 towards p1", "10.31.49.31", "10.31.49.31", "dc1-gateway1", "configure/router[Base]/interface[wan-1/1/c1/1]/ipv4/primary/address"},
	{"prefix length towards p1", "24", "31", "dc1-gateway1", "configure/router[Base]/interface[wan-1/1/c1/1]/ipv4/primary/prefix-length"},
	{"port mode towards p1", "hybrid", "network", "dc1-gateway1", "configure/port[1/1/c1/1]/ethernet/mode"},
	{"address of gateway 1 towards spine1", "1.21.31.31", "1.21.31.31", "dc1-gateway1", "configure/router[Base]/interface[fabric-1/1/c3/1]/ipv4/primary/address"},
	{"sessions of gateway 1", "1.21.31.21, 1.22.31.22, 10.0.0.21, 10.0.0.22, 10.0.0.49", "1.21.31.30, 1.22.31.30, 10.0.0.21, 10.0.0.22, 20.0.0.31, 20.0.0.32", "dc1-gateway1", "configure/router[Base]/bgp/neighbor[*]/ip-address"},
	{"IS-IS level", "2", "2", "dc1-gateway1", "configure/router[Base]/isis[0]/level-capability"},
	{"IS-IS area", "00.0001", "49.0001", "dc1-gateway1", "configure/router[Base]/isis[0]/area-address/*"},
	{"IS-IS interfaces", "p1, system", "system, wan-1/1/c1/1", "dc1-gateway1", "configure/router[Base]/isis[0]/interface[*]/interface-name"},
	{"IS-IS interface type", "point-to-point", "point-to-point", "dc1-gateway1", "configure/router[Base]/isis[0]/interface[wan-1/1/c1/1]/interface-type"},
	{"VNI of the R-VPLS", "101", "101", "dc1-gateway1", "configure/service/vpls[ip-vrf-101.fabric]/vxlan/instance[1]/vni"},
	{"EVI of the R-VPLS", "101", "101", "dc1-gateway1", "configure/service/vpls[ip-vrf-101.fabric]/bgp-evpn/evi"},
	{"route distinguisher of the R-VPLS", "10.0.0.31:101", "10.0.0.31:101", "dc1-gateway1", "configure/service/vpls[ip-vrf-101.fabric]/bgp[1]/route-distinguisher"},
	{"import target of the R-VPLS", "target:65501:101", "target:65501:101", "dc1-gateway1", "configure/service/vpls[ip-vrf-101.fabric]/bgp[1]/route-target/import"},
	{"export target of the R-VPLS", "target:65501:101", "target:65501:101", "dc1-gateway1", "configure/service/vpls[ip-vrf-101.fabric]/bgp[1]/route-target/export"},
	{"IP prefixes towards the fabric", "true", "true", "dc1-gateway1", "configure/service/vpls[ip-vrf-101.fabric]/bgp-evpn/routes/ip-prefix/advertise"},
	{"attributes that cross the R-VPLS", "true", "true", "dc1-gateway1", "configure/service/system/bgp/evpn/ip-prefix-routes/interface-ful/attribute-uniform-propagation"},
	{"service MTU of the R-VPLS", "9194", "8964", "dc1-gateway1", "configure/service/vpls[ip-vrf-101.fabric]/service-mtu"},
	{"IP MTU of leaf1 towards spine1", "", "9000", "dc1-leaf1", "interface[ethernet-1/31]/subinterface[0]/ip-mtu"},
	{"service id of the R-VPLS", "1010", "101", "dc1-gateway1", "configure/service/vpls[ip-vrf-101.fabric]/service-id"},
	{"route target between sites", "target:65100:101", "target:65100:101", "dc1-gateway1", "configure/service/vprn[ip-vrf-101]/bgp-evpn/mpls[1]/vrf-target/community"},
	{"route distinguisher of the VPRN", "10.0.0.31:101", "10.0.0.31:30101", "dc1-gateway1", "configure/service/vprn[ip-vrf-101]/bgp-evpn/mpls[1]/route-distinguisher"},
	{"tunnels between sites", "any", "sr-isis", "dc1-gateway1", "tunnels"},
	{"AS number of the VPRN", "65100", "65501", "dc1-gateway1", "configure/service/vprn[ip-vrf-101]/autonomous-system"},
	{"route of the VPRN that leads nowhere", "0.0.0.0/0", "", "dc1-gateway1", "configure/service/vprn[ip-vrf-101]/static-routes/route[*]/ip-prefix"},
}

func networkOfFile(t *testing.T, file string) *network {
	t.Helper()
	srcs, err := sources([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	n, err := compileNetwork(&terminal{out: io.Discard, err: io.Discard}, srcs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheDCILabIsDoneTheSameJob(t *testing.T) {
	t.Parallel()
	n := networkOfFile(t, "../../topologies/basic-dci-lab.yaml")
	for _, name := range []string{"dc1-leaf1", "dc1-spine1", "dc1-gateway1"} {
		sameDocument(t, filepath.Join("testdata", "basic-dci-lab", name+".json"), n.trees[name].AppendJSON(nil, true))
	}
	page := read(t, "docs/basic-dci-lab.md")
	rows := 0
	docs := map[string]any{}
	for _, f := range dciLabFacts {
		if docs[f.router] == nil {
			docs[f.router] = labTree(t, n.trees[f.router].AppendJSON(nil, true))
		}
		if got := labValue(docs[f.router], f.path); got != f.loom {
			t.Errorf("%s: %s renders %q, and the table says %q", f.what, f.router, got, f.loom)
		}
		row := fmt.Sprintf("| %s | %s | %s |", f.what, orNone(f.there), orNone(f.loom))
		switch listed := strings.Contains(page, row); {
		case f.there == f.loom && strings.Contains(page, "| "+f.what+" |"):
			t.Errorf("docs/basic-dci-lab.md: %s is the same in both, and is listed as a difference", f.what)
		case f.there != f.loom && !listed:
			t.Errorf("docs/basic-dci-lab.md lacks the row %s", row)
		case f.there != f.loom:
			rows++
		}
	}
	if want := strings.Count(section(page, "## What a test reads"), "\n| ") - 1; rows != want {
		t.Errorf("docs/basic-dci-lab.md has %d differences that the test reads, and there are %d", want, rows)
	}
	if got := roles(n.design); !cmp.Equal(got, map[fabric.Role]int{fabric.Spine: 4, fabric.Leaf: 8, fabric.Gateway: 4}) {
		t.Errorf("devices: %v", got)
	}
}

// sameDocument holds a document against the one that is kept.
func sameDocument(t *testing.T, file string, got []byte) {
	t.Helper()
	if got = append(got, '\n'); *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// section is what stands under a heading of a page.
func section(page, heading string) string {
	_, after, _ := strings.Cut(page, heading+"\n")
	before, _, _ := strings.Cut(after, "\n## ")
	return before
}

func roles(d *fabric.Design) map[fabric.Role]int {
	out := map[fabric.Role]int{}
	for _, x := range d.Devices {
		out[x.Role]++
	}
	return out
}

// labTree is a document without module names.
func labTree(t *testing.T, doc []byte) any {
	t.Helper()
	var tree any
	if err := json.Unmarshal(doc, &tree); err != nil {
		t.Fatal(err)
	}
	return bare(tree)
}

// bare takes modules off member names (RFC 7951 §4).
func bare(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			if _, rest, ok := strings.Cut(name, ":"); ok {
				name = rest
			}
			out[name] = bare(value)
		}
		return out
	case []any:
		for i := range v {
			v[i] = bare(v[i])
		}
	}
	return v
}

// labValue reads what a path leads to, sorted where that is several; "" where there is nothing. NAME[KEY] is the entry of a list whose first
// text is KEY, NAME[*] every one, * every element.
func labValue(doc any, path string) string {
	switch {
	case strings.HasPrefix(path, "sessions "):
		return labSessions(doc, strings.TrimPrefix(path, "sessions "))
	case path == "tunnels":
		filter, _ := walk(doc, "configure/service/vprn[ip-vrf-101]/bgp-evpn/mpls[1]/auto-bind-tunnel/resolution-filter")[0].(map[string]any)
		return strings.Join(sortedKeys(filter), ", ")
	}
	var out []string
	for _, v := range walk(doc, path) {
		out = append(out, fmt.Sprint(v))
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}

// labSessions are the neighbours in a group, with the AS that they or their group name.
func labSessions(doc any, group string) string {
	bgp := "network-instance[default]/protocols/bgp/"
	var out []string
	for _, v := range walk(doc, bgp+"neighbor[*]") {
		n, _ := v.(map[string]any)
		if n["peer-group"] != group {
			continue
		}
		as := n["peer-as"]
		if as == nil {
			as = labValue(doc, bgp+"group["+group+"]/peer-as")
		}
		out = append(out, fmt.Sprintf("%v AS %v", n["peer-address"], as))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// walk follows a path.
func walk(v any, path string) []any {
	if path == "" {
		return []any{v}
	}
	step, rest := firstStep(path)
	var out []any
	if list, ok := v.([]any); ok && step == "*" {
		for _, e := range list {
			out = append(out, walk(e, rest)...)
		}
		return out
	}
	name, key, entry := strings.Cut(strings.TrimSuffix(step, "]"), "[")
	m, _ := v.(map[string]any)
	next, ok := m[name]
	if !ok {
		return nil
	}
	if !entry {
		return walk(next, rest)
	}
	list, _ := next.([]any)
	for _, e := range list {
		if fields, _ := e.(map[string]any); key == "*" || named(fields, key) {
			out = append(out, walk(e, rest)...)
		}
	}
	return out
}

// firstStep cuts a path at its first slash outside of brackets.
func firstStep(path string) (step, rest string) {
	inside := false
	for i, r := range path {
		switch {
		case r == '[':
			inside = true
		case r == ']':
			inside = false
		case r == '/' && !inside:
			return path[:i], path[i+1:]
		}
	}
	return path, ""
}

// keyed are the keys of the lists that paths of the table name.
var keyed = []string{"name", "index", "afi-safi-name", "group-name", "id", "router-name", "interface-name", "port-id", "isis-instance", "service-name", "vxlan-instance", "bgp-instance"}

func named(fields map[string]any, key string) bool {
	return slices.ContainsFunc(keyed, func(k string) bool { v, ok := fields[k]; return ok && fmt.Sprint(v) == key })
}
