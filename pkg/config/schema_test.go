package config

// model is a small schema with one of everything, in two releases.
//
//	/system           container: leaves of most types, a presence container, state
//	/interface[name]  system-ordered, with a list in it, defaults, a second module
//	/routing          user-ordered list and leaf-list, a reference
//	/bgp              presence, with a mandatory leaf
var model = newModel()

const (
	oldRelease = "1.0"
	newRelease = "2.0"
)

// node returns the ID of a schema path of the model.
func nodeID(path string) ID {
	id, ok := model.index().schemaPath(path)
	if !ok {
		panic("no such node: " + path)
	}
	return id
}

var (
	idSystem      = nodeID("/system")
	idName        = nodeID("/system/name")
	idMTU         = nodeID("/system/mtu")
	idBanner      = nodeID("/system/banner")
	idRatio       = nodeID("/system/ratio")
	idBig         = nodeID("/system/big")
	idHuge        = nodeID("/system/huge")
	idFlag        = nodeID("/system/flag")
	idBlob        = nodeID("/system/blob")
	idNewThing    = nodeID("/system/new-thing")
	idDNS         = nodeID("/system/dns")
	idServer      = nodeID("/system/dns/server")
	idDomain      = nodeID("/system/dns/domain")
	idTimeout     = nodeID("/system/dns/options/timeout")
	idInterface   = nodeID("/interface")
	idIfName      = nodeID("/interface/name")
	idAdmin       = nodeID("/interface/admin-state")
	idIfMTU       = nodeID("/interface/mtu")
	idDescription = nodeID("/interface/description")
	idSpeed       = nodeID("/interface/speed")
	idTagging     = nodeID("/interface/vlan-tagging")
	idSub         = nodeID("/interface/subinterface")
	idSubType     = nodeID("/interface/subinterface/type")
	idV4Admin     = nodeID("/interface/subinterface/ipv4/admin-state")
	idAddress     = nodeID("/interface/subinterface/ipv4/address")
	idPrimary     = nodeID("/interface/subinterface/ipv4/address/primary")
	idACL         = nodeID("/interface/subinterface/acl")
	idACLEntry    = nodeID("/interface/subinterface/acl/number")
	idGroup       = nodeID("/interface/group")
	idPolicy      = nodeID("/routing/policy")
	idAction      = nodeID("/routing/policy/action")
	idMatch       = nodeID("/routing/policy/match/prefix")
	idCommunity   = nodeID("/routing/community")
	idPath        = nodeID("/routing/as-path")
	idUplink      = nodeID("/routing/uplink")
	idAS          = nodeID("/bgp/autonomous-system")
	idRouter      = nodeID("/bgp/router-id")
)

type modelMaker struct {
	s     *Schema
	types map[string]uint16
}

func (m *modelMaker) typ(name string, t Type) {
	if t.Name == "" {
		t.Name = name
	}
	m.types[name] = uint16(len(m.s.Types))
	m.s.Types = append(m.s.Types, t)
}

// add appends a node below a parent. Module, releases and type have defaults.
func (m *modelMaker) add(parent ID, n Node, typ string) ID {
	n.Parent, n.Type = parent, m.types[typ]
	if n.Module == 0 {
		n.Module = m.s.Nodes[parent].Module
	}
	if n.In == 0 {
		n.In = 3
	}
	n.State = n.State || m.s.Nodes[parent].State
	id := ID(len(m.s.Nodes))
	m.s.Nodes = append(m.s.Nodes, n)
	p := &m.s.Nodes[parent]
	p.Children = append(p.Children, id)
	return id
}

func (m *modelMaker) leaf(parent ID, name, typ string) ID {
	return m.add(parent, Node{Name: name, Kind: Leaf}, typ)
}

func (m *modelMaker) withDefault(parent ID, name, typ, value string) {
	m.add(parent, Node{Name: name, Kind: Leaf, HasDefault: true, Default: value}, typ)
}

func (m *modelMaker) container(parent ID, name string) ID {
	return m.add(parent, Node{Name: name, Kind: Container}, "")
}

// list adds a list with key leaves, given as name, type, name, type.
func (m *modelMaker) list(parent ID, n Node, keys ...string) ID {
	n.Kind = List
	id := m.add(parent, n, "")
	for i := 0; i < len(keys); i += 2 {
		k := m.leaf(id, keys[i], keys[i+1])
		m.s.Nodes[id].Keys = append(m.s.Nodes[id].Keys, k)
	}
	return id
}

func newModel() *Schema {
	m := modelMaker{types: map[string]uint16{}, s: &Schema{
		OS: "test", Releases: []string{oldRelease, newRelease}, Modules: []string{"", "ex-base", "ex-more"},
		Nodes: []Node{{In: 3, Module: 1}},
	}}
	m.addTypes()
	m.addSystem()
	m.addInterface()
	m.addRouting()
	return m.s
}

func (m *modelMaker) addTypes() {
	m.typ("string", Type{Base: String})
	m.typ("name", Type{Base: String, Length: []Range{{1, 32}}})
	m.typ("port", Type{Base: String, Patterns: []string{`^(?:(mgmt0|(ethernet|lag)[0-9/-]+))$`}})
	m.typ("bool", Type{Base: Bool})
	m.typ("mtu", Type{Base: Uint16, Range: []Range{{1450, 9412}}})
	m.typ("uint8", Type{Base: Uint8})
	m.typ("uint32", Type{Base: Uint32})
	m.typ("timer", Type{Base: Int32, Range: []Range{{-1, -1}, {0, 0}, {100, 86400}}})
	m.typ("int64", Type{Base: Int64})
	m.typ("uint64", Type{Base: Uint64, Max64: true, Range: []Range{{10, 1<<63 - 1}}})
	m.typ("decimal", Type{Base: Decimal64, Fraction: 2, Range: []Range{{-2200, 400}}})
	m.typ("state", Type{Base: Enumeration, Enums: []Enum{{"enable", 0, 3}, {"disable", 0, 3}, {"maintenance", 0, 2}}})
	m.typ("kind", Type{Base: Identityref, Enums: []Enum{{"routed", 1, 3}, {"bridged", 2, 3}, {"mirror", 2, 2}}})
	m.typ("empty", Type{Base: Empty})
	m.typ("binary", Type{Base: Binary, Length: []Range{{1, 8}}})
	m.typ("speed", Type{Base: Union, Members: []uint16{m.types["uint8"], m.types["state"], m.types["kind"], m.types["int64"]}})
	m.typ("ref", Type{Base: Leafref, Target: "/interface/name", Members: []uint16{m.types["port"]}})
}

func (m *modelMaker) addSystem() {
	sys := m.container(Root, "system")
	m.leaf(sys, "name", "name")
	m.withDefault(sys, "mtu", "mtu", "9000")
	m.leaf(sys, "banner", "string")
	m.leaf(sys, "ratio", "decimal")
	m.leaf(sys, "big", "int64")
	m.leaf(sys, "huge", "uint64")
	m.leaf(sys, "flag", "empty")
	m.leaf(sys, "blob", "binary")
	m.withDefault(sys, "hold", "timer", "0")
	m.add(sys, Node{Name: "new-thing", Kind: Leaf, In: 2}, "string")
	m.add(sys, Node{Name: "uptime", Kind: Leaf, State: true}, "uint64")
	dns := m.add(sys, Node{Name: "dns", Kind: Presence, Module: 2}, "")
	m.add(dns, Node{Name: "server", Kind: LeafList, UserOrdered: true}, "string")
	m.leaf(dns, "domain", "string")
	m.withDefault(m.container(dns, "options"), "timeout", "uint8", "5")
}

func (m *modelMaker) addInterface() {
	itf := m.list(Root, Node{Name: "interface", MaxElements: 64}, "name", "port")
	m.withDefault(itf, "admin-state", "state", "enable")
	m.leaf(itf, "mtu", "mtu")
	m.leaf(itf, "description", "string")
	m.leaf(itf, "speed", "speed")
	m.add(itf, Node{Name: "vlan-tagging", Kind: Leaf, Module: 2}, "bool")
	m.add(itf, Node{Name: "group", Kind: LeafList, HasDefault: true, Default: "all p1"}, "string")
	sub := m.list(itf, Node{Name: "subinterface"}, "index", "uint32")
	m.leaf(sub, "type", "kind")
	v4 := m.container(sub, "ipv4")
	m.withDefault(v4, "admin-state", "state", "disable")
	m.leaf(m.list(v4, Node{Name: "address"}, "ip-prefix", "string"), "primary", "empty")
	m.leaf(m.list(sub, Node{Name: "acl", Module: 2}, "name", "string", "type", "state"), "number", "uint32")
	stats := m.add(itf, Node{Name: "statistics", Kind: Container, State: true}, "")
	m.leaf(stats, "in", "uint64")
	m.leaf(m.list(stats, Node{Name: "event"}), "text", "string")
	m.leaf(stats, "condition", "state")
	m.leaf(stats, "role", "kind")
	m.leaf(stats, "pace", "speed")
	m.leaf(stats, "fast", "bool")
	m.add(stats, Node{Name: "alarm", Kind: LeafList}, "state")
	m.leaf(m.list(stats, Node{Name: "flow"}, "type", "state"), "in", "uint64")
}

func (m *modelMaker) addRouting() {
	rt := m.container(Root, "routing")
	policy := m.list(rt, Node{Name: "policy", UserOrdered: true}, "name", "name")
	m.leaf(policy, "action", "state")
	m.leaf(m.container(policy, "match"), "prefix", "string")
	m.add(rt, Node{Name: "community", Kind: LeafList, MaxElements: 8}, "string")
	m.add(rt, Node{Name: "as-path", Kind: LeafList, UserOrdered: true}, "uint32")
	m.leaf(rt, "uplink", "ref")
	bgp := m.add(Root, Node{Name: "bgp", Kind: Presence}, "")
	m.add(bgp, Node{Name: "autonomous-system", Kind: Leaf, Mandatory: true}, "uint32")
	m.leaf(bgp, "router-id", "string")
}

// fatal is what tests, benchmarks and properties have in common.
type fatal interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// build makes a tree of the new release and stops the test on a mistake.
func build(t fatal, body func(b *Builder)) *Tree {
	t.Helper()
	b, err := NewBuilder(model, newRelease)
	if err != nil {
		t.Fatal(err)
	}
	body(b)
	tree, err := b.Tree()
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// parse reads a document of the new release and stops the test on a mistake.
func parse(t fatal, doc string) *Tree {
	t.Helper()
	tree, unknown, err := Parse(model, newRelease, []byte(doc), ParseOptions{})
	if err != nil || len(unknown) > 0 {
		t.Fatalf("parse %s: %v, unknown %v", doc, err, unknown)
	}
	return tree
}

func path(t fatal, s string) Path {
	t.Helper()
	p, err := ParsePath(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
