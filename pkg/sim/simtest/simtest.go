// Package simtest is a small operating system for tests of the client, the simulator and what is
// built on them: a schema with one node of each kind, and a driver that renders nothing.
package simtest

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
)

// Releases of the operating system. The first has no commit-confirmed extension.
const (
	Old    = "23.10"
	Middle = "24.10"
	New    = "25.3"
)

// Platform is the one platform that the tests use.
const Platform = "7220-IXR-D3L"

// Driver returns the driver.
func Driver() *driver.Driver {
	return &driver.Driver{
		OS:      "testos",
		Schema:  Schema(),
		Factory: Factory,
		Identity: driver.Identity{
			Version:  "/system/information/version",
			Chassis:  "/platform/chassis/type",
			Release:  releaseOf,
			Platform: func(chassis string) string { return strings.ReplaceAll(chassis, " ", "-") },
		},
		Manners: driver.Manners{
			Port:        57400,
			GNMIVersion: "0.10.0",
			Rollback:    10 * time.Minute,
			Confirm:     func(release string) bool { return release != Old },
			Arbitrate:   func(release string) bool { return release != Old },
			SaveOn:      "/system/configuration/auto-save",
			StartupFile: "/etc/config.json",
			ReadPaths:   []string{"/interface", "/policy", "/system"},
			SetTimeout:  10 * time.Second,
		},
	}
}

// releaseOf turns "v25.3.1-1-g0" into "25.3".
func releaseOf(version string) string {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 3 {
		return ""
	}
	return parts[0] + "." + parts[1]
}

// Factory is the configuration of a new device. The DHCP client and the gRPC server are not in the schema.
func Factory(name, platform, release string) []byte {
	return fmt.Appendf(nil, `{
  "test-interfaces:interface": [
    {
      "name": "mgmt0",
      "subinterface": [{"index": 0, "ipv4": {"test-dhcp:dhcp-client": {}}}]
    }
  ],
  "test-system:system": {
    "name": {"host-name": %q},
    "test-grpc:grpc-server": [{"name": "mgmt", "admin-state": "enable"}]
  }
}`, name)
}

// Indices of Schema().Types.
const (
	text = iota
	admin
	mtu
	oper
	boolean
	reference
	index
	kind
	speed
	counter64
	signed
	decimal
	empty
	binary
	small
	either
)

// Schema returns the schema: interfaces with subinterfaces, policies with ordered statements, and a
// system. It is the same one every time: trees of different schemas are never equal.
var Schema = sync.OnceValue(newSchema)

func newSchema() *config.Schema {
	s := &config.Schema{
		OS:       "testos",
		Releases: []string{Old, Middle, New},
		Modules:  []string{"test-interfaces", "test-vlans", "test-policy", "test-system", "test-platform", "test-types"},
		Models: []config.Model{
			published("interfaces", "2023-10-31", "2024-10-31", "2025-03-31"),
			published("vlans", "2023-10-31", "2024-10-31", "2024-10-31"),
			published("policy", "2023-10-31", "2023-10-31", "2025-03-31"),
			published("system", "2023-10-31", "2023-10-31", "2023-10-31"),
			published("platform", "2021-03-31", "2021-03-31", "2021-03-31"),
			published("types", "2021-03-31", "2021-03-31", "2021-03-31"),
			published("new-types", "", "", "2025-03-31"), // has types only, so no node is of it
		},
		Types: []config.Type{
			text:      {Name: "string", Base: config.String},
			admin:     {Name: "admin-state", Base: config.Enumeration, Enums: enums("enable", "disable")},
			mtu:       {Name: "mtu", Base: config.Uint16, Range: []config.Range{{Min: 1450, Max: 9500}}},
			oper:      {Name: "oper-state", Base: config.Enumeration, Enums: enums("up", "down", "testing")},
			boolean:   {Name: "boolean", Base: config.Bool},
			reference: {Name: "interface-ref", Base: config.Leafref, Members: []uint16{text}, Target: "/interface/name"},
			index:     {Name: "index", Base: config.Uint32, Range: []config.Range{{Min: 0, Max: 9999}}},
			kind:      {Name: "subinterface-type", Base: config.Identityref, Enums: enums("routed", "bridged")},
			speed:     {Name: "port-speed", Base: config.Enumeration, Enums: enums("10G", "25G", "100G")},
			counter64: {Name: "counter64", Base: config.Uint64, Range: []config.Range{{Min: 0, Max: math.MaxInt64}}},
			signed:    {Name: "int64", Base: config.Int64},
			decimal:   {Name: "power", Base: config.Decimal64, Fraction: 2},
			empty:     {Name: "empty", Base: config.Empty},
			binary:    {Name: "binary", Base: config.Binary, Length: []config.Range{{Min: 2, Max: 2}}},
			small:     {Name: "int8", Base: config.Int8},
			either:    {Name: "either", Base: config.Union, Members: []uint16{boolean, small, mtu, counter64, decimal, empty, binary, admin}},
		},
		Nodes: []config.Node{{In: all}},
	}
	t := table{s}
	t.interfaces()
	t.policies()
	t.system()
	t.types()
	return s
}

// published is a model with its version in each release.
func published(name string, versions ...string) config.Model {
	return config.Model{Name: "urn:test/" + name + ":test-" + name, Organization: "Test", Versions: versions}
}

// all is the set of all releases.
const all config.Releases = 1<<3 - 1

// enums returns values that every release has, of module 0.
func enums(names ...string) []config.Enum {
	var out []config.Enum
	for _, n := range names {
		out = append(out, config.Enum{Name: n, In: all})
	}
	return out
}

// table adds nodes to a schema.
type table struct{ *config.Schema }

func (t table) add(parent config.ID, n config.Node) config.ID {
	if n.In == 0 {
		n.In = all
	}
	n.Parent = parent
	id := config.ID(len(t.Nodes))
	t.Nodes = append(t.Nodes, n)
	t.Nodes[parent].Children = append(t.Nodes[parent].Children, id)
	return id
}

// list adds a list with one key, which is its first child.
func (t table) list(parent config.ID, n config.Node, key string, keyType uint16) config.ID {
	n.Kind = config.List
	id := t.add(parent, n)
	t.Nodes[id].Keys = []config.ID{t.add(id, config.Node{Name: key, Module: n.Module, Kind: config.Leaf, Type: keyType})}
	return id
}

func (t table) interfaces() {
	i := t.list(config.Root, config.Node{Name: "interface"}, "name", text)
	t.add(i, config.Node{Name: "description", Kind: config.Leaf, Type: text})
	t.add(i, config.Node{Name: "admin-state", Kind: config.Leaf, Type: admin, HasDefault: true, Default: "enable"})
	t.add(i, config.Node{Name: "mtu", Kind: config.Leaf, Type: mtu})
	t.add(i, config.Node{Name: "oper-state", Kind: config.Leaf, Type: oper, State: true})
	t.add(i, config.Node{Name: "vlan-tagging", Module: 1, Kind: config.Leaf, Type: boolean})
	e := t.add(i, config.Node{Name: "ethernet", Kind: config.Container})
	t.add(e, config.Node{Name: "aggregate-id", Kind: config.Leaf, Type: reference})
	t.add(e, config.Node{Name: "reload-delay", Kind: config.Leaf, Type: index, In: 1 << 2})
	b := t.add(i, config.Node{Name: "breakout-mode", Kind: config.Presence})
	t.add(b, config.Node{Name: "breakout-port-speed", Kind: config.Leaf, Type: speed, Mandatory: true})
	t.add(i, config.Node{Name: "in-octets", Kind: config.Leaf, Type: counter64, State: true})
	s := t.list(i, config.Node{Name: "subinterface"}, "index", index)
	t.add(s, config.Node{Name: "type", Kind: config.Leaf, Type: kind})
	v4 := t.add(s, config.Node{Name: "ipv4", Kind: config.Container})
	t.list(v4, config.Node{Name: "address"}, "ip-prefix", text)
}

func (t table) policies() {
	p := t.list(config.Root, config.Node{Name: "policy", Module: 2}, "name", text)
	t.add(p, config.Node{Name: "tag", Module: 2, Kind: config.LeafList, Type: text})
	s := t.list(p, config.Node{Name: "statement", Module: 2, UserOrdered: true}, "name", text)
	t.add(s, config.Node{Name: "action", Module: 2, Kind: config.Leaf, Type: text})
}

func (t table) system() {
	s := t.add(config.Root, config.Node{Name: "system", Module: 3, Kind: config.Container})
	n := t.add(s, config.Node{Name: "name", Module: 3, Kind: config.Container})
	t.add(n, config.Node{Name: "host-name", Module: 3, Kind: config.Leaf, Type: text})
	i := t.add(s, config.Node{Name: "information", Module: 3, Kind: config.Container, State: true})
	t.add(i, config.Node{Name: "version", Module: 3, Kind: config.Leaf, Type: text, State: true})
	c := t.add(s, config.Node{Name: "configuration", Module: 3, Kind: config.Container})
	t.add(c, config.Node{Name: "auto-save", Module: 3, Kind: config.Leaf, Type: boolean, HasDefault: true, Default: "false"})
	p := t.add(config.Root, config.Node{Name: "platform", Module: 4, Kind: config.Container, State: true})
	h := t.add(p, config.Node{Name: "chassis", Module: 4, Kind: config.Container, State: true})
	t.add(h, config.Node{Name: "type", Module: 4, Kind: config.Leaf, Type: text, State: true})
}

// types adds a leaf of each type that the rest does not have, a list with two keys, and a leaf-list with
// defaults.
func (t table) types() {
	c := t.add(config.Root, config.Node{Name: "types", Module: 5, Kind: config.Container})
	leaf := func(name string, typ uint16) {
		t.add(c, config.Node{Name: name, Module: 5, Kind: config.Leaf, Type: typ})
	}
	leaf("signed", signed)
	leaf("decimal", decimal)
	leaf("empty", empty)
	leaf("binary", binary)
	leaf("small", small)
	leaf("either", either)
	t.add(c, config.Node{Name: "numbers", Module: 5, Kind: config.LeafList, Type: index})
	t.add(c, config.Node{Name: "features", Module: 5, Kind: config.LeafList, Type: text, HasDefault: true, Default: "x y"})
	p := t.list(c, config.Node{Name: "pair", Module: 5}, "first", text)
	t.Nodes[p].Keys = append(t.Nodes[p].Keys, t.add(p, config.Node{Name: "second", Module: 5, Kind: config.Leaf, Type: index}))
	t.add(p, config.Node{Name: "value", Module: 5, Kind: config.Leaf, Type: text})
}
