package topology

// Kind is the shape of a key's value.
type Kind uint8

// The shapes.
const (
	Number      Kind = iota // a decimal number in Min..Max
	Flag                    // true or false
	Word                    // one of Words
	Text                    // one text of the key's Form
	Texts                   // a list of texts of the key's Form
	TextOrSet               // one such text, or a list of them
	Scalar                  // any single value, taken as it is written
	Release                 // a release, or releases by operating system
	Pairs                   // true, false, or a list of pairs of numbers
	TextOrBlock             // one text of the key's Form, or the keys of Of
	Block                   // the keys of Of
	Named                   // a name for each entry, and the keys of Of in it
	Numbered                // a set of numbers for each entry, and the keys of Of in it
	List                    // a list of entries with the keys of Of
	CableList               // a list of cables, each a text or the keys of Of
)

// Key describes one key of the language.
type Key struct {
	Name     string
	Kind     Kind
	Form     *Form    // of Text, Texts, TextOrSet and TextOrBlock
	Min, Max uint64   // of Number
	Words    []string // of Word
	Of       *Keys    // of Block, TextOrBlock, Named, Numbered, List and CableList
	Doc      string   // one sentence or more
	Default  string   // what holds where the key is left out; "" where nothing does
	Example  string   // a value, as one would write it in YAML
	Required bool
	Unbuilt  bool // known, and refused until it is built
}

// Keys is a set of keys that stand together, in the order in which they are documented and formatted.
type Keys struct {
	Name string // of the section in the reference
	Doc  string
	List []Key

	free bool // any names, with the keys of List[0].Of below each
}

// find returns the index of the key with the given name, or -1.
func (ks *Keys) find(name string) int {
	for i := range ks.List {
		if ks.List[i].Name == name {
			return i
		}
	}
	return -1
}

// maxKeys bounds the keys of one block, so that a block is read without allocating.
const maxKeys = 40

// The table. Everything the language has is below and in forms.go, and nothing else is accepted.
var (
	loginKeys = &Keys{
		Name: "Login",
		Doc:  "How Loom logs in to devices. Secrets never stand in the file, only where to find them.",
		List: []Key{
			{Name: "username", Kind: Text, Form: secretForm, Doc: "Where the user name is found.", Example: "env:LOOM_USERNAME"},
			{Name: "password", Kind: Text, Form: secretForm, Doc: "Where the password is found.", Example: "env:LOOM_PASSWORD"},
			{Name: "ca", Kind: Text, Form: secretForm, Doc: "PEM bundle of the authority that signs the devices' certificates.", Example: "file:ca.pem"},
		},
	}
	underlayKeys = &Keys{
		Name: "Underlay",
		Doc:  "The routed fabric below the tunnels.",
		List: []Key{
			{Name: "routing", Kind: Word, Words: []string{"ebgp"}, Default: "ebgp", Example: "ebgp",
				Doc: "Routing protocol between leaves and spines: eBGP with an AS number per device."},
			{Name: "links", Kind: Word, Words: []string{"unnumbered", "numbered"}, Default: "unnumbered", Example: "numbered",
				Doc: "How fabric links are addressed: IPv6 link-local addresses that carry IPv4 routes (RFC 8950), or an IPv4 /31 each (RFC 3021)."},
			{Name: "bfd", Kind: Text, Form: bfdForm, Default: "off", Example: "3x300ms",
				Doc: "BFD on fabric links (RFC 5880): packets missed (3..20) and interval (10..100000 ms), or off."},
			{Name: "mtu", Kind: Number, Min: 1280, Max: 9486, Default: "9214", Example: "9214",
				Doc: "IP MTU of fabric links in bytes."},
			{Name: "max-paths", Kind: Number, Min: 1, Max: 256, Default: "64", Example: "64",
				Doc: "Equal-cost paths that a device may install."},
			{Name: "loopbacks6", Kind: Text, Form: pool6Form, Default: "none: IPv4 only", Example: "\"2001:db8::/48\"",
				Doc: "IPv6 prefix from which loopbacks get an address beside the IPv4 one; the underlay then carries IPv6, too. Sites may share it. It needs unnumbered links; " +
					"of two sites that a DCI of service `vxlan` joins both have it, or none."},
		},
	}
	overlayKeys = &Keys{
		Name: "Overlay",
		Doc:  "EVPN over VXLAN.",
		List: []Key{
			{Name: "routing", Kind: Word, Words: []string{"ibgp", "ebgp"}, Default: "ibgp", Example: "ibgp",
				Doc: "iBGP in the overlay AS with route reflectors, or eBGP through the spines."},
			{Name: "reflectors", Kind: Word, Words: []string{"spines"}, Default: "spines", Example: "spines",
				Doc: "Devices that reflect EVPN routes; only with ibgp."},
			{Name: "cluster-id", Kind: Text, Form: addressForm, Default: "each reflector's own loopback", Example: "10.10.10.10",
				Doc: "Cluster id of the reflectors as an IPv4 address; only with ibgp."},
		},
	}
	cableKeys = &Keys{
		Name: "Cable",
		Doc: "A cable is a text `DEVICE:PORT - DEVICE:PORT`, or these keys. A device is `leaf3`, `bj/leaf3` or `bj-leaf3`; " +
			"a server that Loom does not manage is `server:NAME:INTERFACE`, and a router between sites `external:NAME:PORT`.",
		List: []Key{
			{Name: "cable", Kind: Text, Form: cableForm, Required: true, Example: "bj/leaf3:ethernet-1/53 - bj/spine2:ethernet-1/31",
				Doc: "Its two ends."},
			{Name: "subnet", Kind: Text, Form: linkForm, Default: "derived", Example: "192.168.11.0/31",
				Doc: "IPv4 /31 of a numbered link; the lower address is at the first end."},
			{Name: "speed", Kind: Text, Form: speedForm, Default: "the fastest of both ports", Example: "100G",
				Doc: "What it runs at. Of a port of a router that Loom does not manage, only the operator knows."},
		},
	}
	segmentKeys = &Keys{
		Name: "Segment",
		Doc:  "A segment is one broadcast domain: a MAC-VRF on every leaf where it is attached.",
		List: []Key{
			{Name: "number", Kind: Number, Min: 1, Max: 9999, Required: true, Example: "10",
				Doc: "Stable number, unique in the topology. VNI, EVPN instance and VLAN follow from it."},
			{Name: "gateway", Kind: TextOrSet, Form: gatewayForm, Default: "none: the segment is not routed", Example: "[10.10.0.1/24, \"2001:db8:10::1/64\"]",
				Doc: "Anycast gateway addresses with prefix length, the same on every leaf."},
			{Name: "vlan", Kind: Number, Min: 1, Max: 4094, Default: "derived", Example: "10", Doc: "VLAN id on tagged ports."},
			{Name: "vni", Kind: Number, Min: 1, Max: 16777215, Default: "derived", Example: "10010", Doc: "VNI, unique in the topology."},
			{Name: "evi", Kind: Number, Min: 1, Max: 65535, Default: "derived", Example: "10", Doc: "EVPN instance, unique in the topology where it is given."},
			{Name: "mtu", Kind: Number, Min: 1280, Max: 9486, Default: "the device's own", Example: "9000", Doc: "IP MTU of the gateway in bytes."},
			{Name: "sites", Kind: Texts, Form: nameForm, Default: "the tenant's", Example: "[bj]", Doc: "Sites in which it may be used."},
			wanTargetKey, wanVNIKey,
		},
	}
	tenantKeys = &Keys{
		Name: "Tenant",
		Doc:  "A tenant is one routing domain (an IP-VRF on every leaf where a routed segment is attached) with its segments.",
		List: []Key{
			{Name: "number", Kind: Number, Min: 1, Max: 9999, Required: true, Example: "1",
				Doc: "Stable number, unique in the topology. The VNI and the EVPN instance of the IP-VRF follow from it."},
			{Name: "sites", Kind: Texts, Form: nameForm, Default: "all", Example: "[bj, sh]", Doc: "Sites in which it may be used."},
			{Name: "vni", Kind: Number, Min: 1, Max: 16777215, Default: "derived", Example: "50001", Doc: "VNI of the IP-VRF, unique in the topology."},
			{Name: "evi", Kind: Number, Min: 1, Max: 65535, Default: "derived", Example: "50001", Doc: "EVPN instance of the IP-VRF, unique in the topology where it is given."},
			wanTargetKey, wanVNIKey,
			{Name: "segments", Kind: Named, Of: segmentKeys, Example: "{web: {number: 10, gateway: 10.10.0.1/24}}", Doc: "Its segments by name."},
		},
	}
	portKeys = &Keys{
		Name: "Ports",
		Doc: "Access ports, as rules: each says something about a range of ports on some leaves. Rules are applied in order; " +
			"a later one wins field by field, port by port.",
		List: []Key{
			{Name: "on", Kind: Text, Form: selectorForm, Required: true, Example: "\"bj/leaf*\"", Doc: "The leaves."},
			{Name: "range", Kind: Text, Form: rangeForm, Required: true, Example: "ethernet-1/1..40", Doc: "The ports."},
			{Name: "lag", Kind: Word, Words: []string{"pair", "none"}, Default: "none", Example: "pair",
				Doc: "`pair` makes the same port on both leaves of a pair one all-active ethernet segment with LACP (RFC 7432)."},
			{Name: "segments", Kind: Texts, Form: segmentForm, Example: "[web, red/db]",
				Doc: "Segments on the port: exactly one, untagged, or any number with `tagged: true`."},
			{Name: "tagged", Kind: Flag, Default: "false", Example: "true", Doc: "Whether `segments` carry VLAN tags."},
			{Name: "untagged", Kind: Text, Form: segmentForm, Default: "none", Example: "web", Doc: "The segment without tags beside tagged ones."},
			{Name: "speed", Kind: Text, Form: speedForm, Default: "the port's own", Example: "25G", Doc: "Port speed."},
			{Name: "mtu", Kind: Number, Min: 1450, Max: 9500, Default: "the device's own", Example: "9100", Doc: "Port MTU in bytes."},
			{Name: "labels", Kind: Texts, Form: labelForm, Example: "[server]", Doc: "Free labels."},
			{Name: "description", Kind: Text, Form: textForm, Default: "names the far end of the cable", Example: "rack 4, patch panel 2",
				Doc: "Interface description."},
		},
	}
	attachmentKeys = &Keys{
		Name: "Attachment",
		Doc:  "One access port, or one port on each leaf of a pair, spelled out; `loom fmt --expand` prints ports like this.",
		List: []Key{
			{Name: "members", Kind: Texts, Form: endForm, Required: true, Example: "[\"leaf1:ethernet-1/1\", \"leaf2:ethernet-1/1\"]",
				Doc: "One port, or one on each leaf of a pair."},
			{Name: "tagged", Kind: Texts, Form: segmentForm, Example: "[red/web]", Doc: "Segments with VLAN tags."},
			{Name: "untagged", Kind: Text, Form: segmentForm, Default: "none", Example: "red/web", Doc: "The segment without tags."},
			{Name: "lag", Kind: Flag, Default: "true with two members, otherwise false", Example: "true", Doc: "Whether the members form a LAG with LACP."},
			{Name: "speed", Kind: Text, Form: speedForm, Default: "the port's own", Example: "25G", Doc: "Port speed."},
			{Name: "mtu", Kind: Number, Min: 1450, Max: 9500, Default: "the device's own", Example: "9100", Doc: "Port MTU in bytes."},
			{Name: "labels", Kind: Texts, Form: labelForm, Example: "[server]", Doc: "Free labels."},
			{Name: "description", Kind: Text, Form: textForm, Default: "names the far end of the cable", Example: "rack 4, patch panel 2",
				Doc: "Interface description."},
		},
	}
	rawKeys = &Keys{
		Name: "Raw",
		Doc:  "Configuration that Loom does not model: one leaf of the device's own schema, checked against that schema.",
		List: []Key{
			{Name: "on", Kind: Text, Form: selectorForm, Required: true, Example: "leaf3", Doc: "The devices."},
			{Name: "path", Kind: Text, Form: pathForm, Required: true, Example: "\"/interface[name=ethernet-1/1]/ethernet/hold-time/up\"",
				Doc: "Path of the leaf, gNMI style."},
			{Name: "value", Kind: Scalar, Required: true, Example: "100", Doc: "Value in the device's own form."},
		},
	}
)
