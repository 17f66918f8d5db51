package topology

// The parts of the table that share keys with one another: sites, defaults, roles, overrides, devices and the
// top of the file.

var (
	unusedKey = Key{Name: "unused-ports", Kind: Word, Words: []string{"untouched", "disabled"}, Default: "untouched", Example: "disabled",
		Doc: "Ports that no cable and no access port uses: left as they are, or owned and disabled."}
	platformKey = Key{Name: "platform", Kind: Text, Form: platformForm, Required: true, Example: "7220-IXR-D3L",
		Doc: "Hardware, as Nokia writes it; required, but it may also stand in `defaults` or in an override."}
	labelsKey = Key{Name: "labels", Kind: Texts, Form: labelForm, Example: "[gpu]", Doc: "Free labels; `label:gpu` selects by them."}
	asnKey    = Key{Name: "asn", Kind: Number, Min: 1, Max: 4294967294, Default: "derived from the number", Example: "4200010103",
		Doc: "AS number, unique in the topology."}
	loopbackKey = Key{Name: "loopback", Kind: Text, Form: addressForm, Default: "derived from the number", Example: "10.1.0.13",
		Doc: "IPv4 address of the loopback, unique in the topology."}
	loopback6Key = Key{Name: "loopback6", Kind: Text, Form: address6Form, Default: "derived from the number", Example: "\"2001:db8::1:1:d\"",
		Doc: "IPv6 address of the loopback, unique in the topology; only where the underlay has `loopbacks6`."}
	managementKey = Key{Name: "management", Kind: Text, Form: hostForm, Default: "derived from the number", Example: "172.20.1.13",
		Doc: "Management address, IPv4 or IPv6, in the site's management network where that is given."}
	fingerprintKey = Key{Name: "fingerprint", Kind: Text, Form: fingerprintForm, Default: "none: trust by authority",
		Example: "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"", Doc: "SHA-256 of its certificate in hex."}
	countKey = Key{Name: "count", Kind: Number, Min: 1, Max: maxNumber, Example: "4",
		Doc: "How many, numbered from 1. Short for `numbers: 1..COUNT`; give one of the two."}
	numbersKey = Key{Name: "numbers", Kind: Text, Form: numbersForm, Example: "\"1..4,6\"",
		Doc: "Which numbers exist. A number is stable: everything derived follows from it, so leaving a hole renumbers nothing."}
	overrideKey = Key{Name: "override", Kind: Numbered, Of: overrideKeys, Example: "{17..18: {platform: 7220-IXR-D5, labels: [gpu]}}",
		Doc: "What differs on some of them, by number."}
)

// fabricKeys are what a site and `defaults` share.
var fabricKeys = []Key{
	releaseKey,
	{Name: "underlay", Kind: Block, Of: underlayKeys, Example: "{links: numbered, bfd: 3x300ms}", Doc: "The routed fabric."},
	{Name: "overlay", Kind: Block, Of: overlayKeys, Example: "{routing: ibgp}", Doc: "EVPN over VXLAN."},
	{Name: "cabling", Kind: Word, Words: []string{"derived", "explicit"}, Default: "derived", Example: "explicit",
		Doc: "`derived`: every leaf to every spine, ports in the hardware's order, and a listed cable replaces the derived ones " +
			"between its two devices. `explicit`: only the listed cables."},
	{Name: "links-per-spine", Kind: Number, Min: 1, Max: 64, Default: "1", Example: "2",
		Doc: "Parallel cables between each leaf and each spine where cabling is derived. Give this or `uplinks`."},
	{Name: "uplinks", Kind: Number, Min: 1, Max: 512, Example: "8",
		Doc: "Cables from each leaf to all spines together where cabling is derived, a multiple of the number of spines."},
	unusedKey,
	{Name: "spines", Kind: Block, Of: spineKeys, Example: "{count: 4, platform: 7220-IXR-D3L}", Doc: "The spines."},
	{Name: "leaves", Kind: Block, Of: leafKeys, Example: "{count: 16, platform: 7220-IXR-D2L, pairs: true}", Doc: "The leaves."},
	{Name: "gateways", Kind: Block, Of: gatewayKeys, Example: "{count: 2, platform: 7250-IXR-X3b}", Doc: "The gateways to other sites."},
	{Name: "transponders", Kind: Block, Of: transponderKeys, Example: "{count: 1, platform: openconfig-transponder}",
		Doc: "What makes the light of channels with `transponders: true`."},
}

// ownKeys are what only a site has.
var ownKeys = []Key{
	{Name: "number", Kind: Number, Min: 1, Max: 255, Example: "1",
		Doc: "Stable number, unique; required where there are several sites. Pools and AS numbers follow from it.", Default: "1 for a single site"},
	{Name: "prefix", Kind: Text, Form: prefixForm, Default: "the site's name and a hyphen", Example: "\"bj-\"",
		Doc: "What the names of its devices begin with."},
	{Name: "pool", Kind: Text, Form: poolForm, Default: "10.NUMBER.0.0/16", Example: "10.1.0.0/16",
		Doc: "IPv4 prefix for loopbacks (lower half) and numbered links (upper half)."},
	{Name: "management", Kind: Text, Form: networkForm, Default: "none", Example: "172.20.1.0/24",
		Doc: "Management network, IPv4 or IPv6."},
	{Name: "asns", Kind: Text, Form: asnsForm, Default: "4200000000 + 10000 x NUMBER", Example: "4200010000+",
		Doc: "First AS number of the site's block."},
	{Name: "domain", Kind: Text, Form: domainForm, Default: "OVERLAY-AS:NUMBER", Example: "\"65000:1\"",
		Doc: "Domain of its fabric in the D-PATH of routes, where its gateways stitch tenants."},
}

// ownAndFabric are the keys at the top of a file that make a site of their own.
var ownAndFabric = concat(ownKeys, fabricKeys, []Key{devicesKey})

var devicesKey = Key{Name: "devices", Kind: List, Of: deviceKeys, Example: "[{role: leaf, number: 1, platform: 7220-IXR-D2L}]",
	Doc: "Devices spelled out one by one."}

// notBuilt are keys of the language that this release refuses.
var notBuilt = []Key{
	{Name: "require", Unbuilt: true, Doc: "Properties that must hold."},
	{Name: "spans", Unbuilt: true, Doc: "Fibre spans of a line."},
	{Name: "roadms", Unbuilt: true, Doc: "Optical switches of a line system."},
}

var (
	overrideKeys = &Keys{
		Name: "Override",
		Doc:  "What differs on some devices of a role. Addresses, AS numbers and fingerprints are for a single number.",
		List: []Key{optional(platformKey), releaseKey, labelsKey, unusedKey, asnKey, loopbackKey, loopback6Key, managementKey, fingerprintKey},
	}
	spineKeys = &Keys{
		Name: "Spines",
		Doc:  "The spines of a site.",
		List: []Key{countKey, numbersKey, optional(platformKey), releaseKey, labelsKey, unusedKey, overrideKey},
	}
	leafKeys = &Keys{
		Name: "Leaves",
		Doc:  "The leaves of a site. Any platform that can do EVPN and VXLAN may be a leaf.",
		List: []Key{countKey, numbersKey, optional(platformKey), releaseKey, labelsKey, unusedKey,
			{Name: "pairs", Kind: Pairs, Default: "false", Example: "[[1, 2], [3, 5]]",
				Doc: "Leaves that share ethernet segments. `true` pairs 1 and 2, 3 and 4, and so on; a leaf whose partner does not exist has no pair."},
			overrideKey},
	}
	gatewayKeys = &Keys{
		Name: "Gateways",
		Doc: "The gateways of a site. Each is joined to every spine, like a leaf, and to the gateways of other sites by the channels of a [DCI](#dci). " +
			"With SR Linux they carry routes and no services.",
		List: []Key{countKey, numbersKey, optional(platformKey), releaseKey, labelsKey, unusedKey,
			{Name: "override", Kind: Numbered, Of: gatewayOverrideKeys, Example: "{2: {node-sid: 17}}", Doc: "What differs on some of them, by number."}},
	}
	gatewayOverrideKeys = &Keys{
		Name: "Gateway override",
		Doc:  "What differs on some gateways. Addresses, AS numbers, fingerprints and labels of segment routing are for a single number.",
		List: concat(overrideKeys.List, []Key{nodeSIDKey}),
	}
	transponderKeys = &Keys{
		Name: "Transponders",
		Doc:  "The transponders of a site: they turn grey ports of gateways into channels.",
		List: []Key{countKey, numbersKey, optional(platformKey), labelsKey,
			{Name: "override", Kind: Numbered, Of: transponderOverrideKeys, Example: "{2: {labels: [lab]}}", Doc: "What differs on some of them, by number."}},
	}
	transponderOverrideKeys = &Keys{
		Name: "Transponder override",
		Doc:  "What differs on some transponders. Addresses and fingerprints are for a single number.",
		List: []Key{optional(platformKey), labelsKey, managementKey, fingerprintKey},
	}
	deviceKeys = &Keys{
		Name: "Device",
		Doc:  "One device, spelled out; `loom fmt --expand` prints devices like this. Most files use `spines` and `leaves` instead.",
		List: []Key{
			{Name: "name", Kind: Text, Form: nameForm, Default: "prefix, role and number", Example: "bj-leaf3",
				Doc: "Full name; nothing else than the default is accepted."},
			{Name: "role", Kind: Word, Words: []string{"spine", "leaf", "gateway", "transponder"}, Required: true, Example: "leaf", Doc: "Role in the fabric."},
			{Name: "number", Kind: Number, Min: 1, Max: maxNumber, Required: true, Example: "3", Doc: "Stable number, unique in its role and site."},
			platformKey, releaseKey, labelsKey, unusedKey, asnKey, loopbackKey, loopback6Key, managementKey, fingerprintKey, nodeSIDKey,
			{Name: "peer", Kind: Text, Form: nameForm, Default: "none", Example: "bj-leaf4",
				Doc: "Full name of the leaf with which it shares ethernet segments."},
		},
	}
	siteKeys = &Keys{
		Name: "Site",
		Doc:  "A site is one datacenter: one leaf-spine fabric with its own pools.",
		List: concat(ownKeys, fabricKeys, []Key{devicesKey}),
	}
	defaultKeys = &Keys{
		Name: "Defaults",
		Doc: "What all sites have in common. The most specific place wins, field by field: an override, then the role " +
			"(`spines`, `leaves`, `gateways`, `transponders`), then the site, each of them in the site before the same in `defaults`.",
		List: fabricKeys,
	}
	fileKeys = &Keys{
		Name: "A topology file",
		Doc: "A topology is one file or several. Several files are merged: sites, tenants, ducts, lines and DCIs by name, lists by " +
			"concatenation; a name or a key given twice is an error. Where there are no `sites`, the keys of a site " +
			"stand at the top and make one site with the topology's name, number 1 and no prefix.",
		List: concat(headKeys(), siteKeys.List, tailKeys(), notBuilt),
	}
)

func headKeys() []Key {
	return []Key{
		{Name: "loom", Kind: Word, Words: []string{"v1"}, Required: true, Example: "v1", Doc: "Version of the format; the first key of every file."},
		{Name: "name", Kind: Text, Form: nameForm, Required: true, Example: "demo", Doc: "Name of the whole network."},
		{Name: "overlay-as", Kind: Number, Min: 1, Max: 65535, Default: "65000", Example: "65000",
			Doc: "AS number of the overlay, shared by all sites; the first half of every route target."},
		{Name: "login", Kind: Block, Of: loginKeys, Example: "{username: env:LOOM_USERNAME, password: env:LOOM_PASSWORD}", Doc: "How Loom logs in to devices."},
		{Name: "defaults", Kind: Block, Of: defaultKeys, Example: "{release: \"25.3\"}", Doc: "What all sites have in common."},
		{Name: "sites", Kind: Named, Of: siteKeys, Example: "{bj: {number: 1}, sh: {number: 2}}", Doc: "Sites by name."},
	}
}

func tailKeys() []Key {
	return []Key{
		{Name: "cables", Kind: CableList, Of: cableKeys, Example: "[\"bj/leaf5:ethernet-1/48 - server:db-17:eth0\"]",
			Doc: "Cables, where reality differs from what is derived, and to servers."},
		{Name: "tenants", Kind: Named, Of: tenantKeys, Example: "{red: {number: 1, segments: {web: {number: 10}}}}", Doc: "Tenants by name."},
		{Name: "ports", Kind: List, Of: portKeys, Example: "[{on: leaves, range: ethernet-1/1..4, segments: [web]}]", Doc: "Access ports, as rules."},
		{Name: "attachments", Kind: List, Of: attachmentKeys, Example: "[{members: [\"leaf1:ethernet-1/1\"], untagged: red/web}]", Doc: "Access ports, spelled out."},
		{Name: "ducts", Kind: Named, Of: ductKeys, Example: "{river: {from: bj, to: sh, km: 38}}", Doc: "Ways of fibres between places, by name."},
		{Name: "lines", Kind: Named, Of: lineKeys, Example: "{dark: {from: bj, to: sh, via: [river]}}", Doc: "Optical lines over ducts, by name."},
		{Name: "dci", Kind: Named, Of: dciKeys, Example: "{bj-sh: {number: 1, wavelengths: {count: 1, mode: 400ZR unamplified, over: dark}}}",
			Doc: "What joins two sites by light, by name."},
		{Name: "raw", Kind: List, Of: rawKeys, Example: "[{on: leaf3, path: \"/interface[name=ethernet-1/1]/mtu\", value: 9000}]",
			Doc: "Configuration that Loom does not model."},
	}
}

func optional(k Key) Key {
	k.Required = false
	return k
}

func concat(lists ...[]Key) []Key {
	var all []Key
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// allKeys are all sets of keys, in the order of the reference.
var allKeys = []*Keys{
	fileKeys, loginKeys, defaultKeys, siteKeys, releaseKeys, underlayKeys, overlayKeys, spineKeys, leafKeys, gatewayKeys, transponderKeys,
	overrideKeys, gatewayOverrideKeys, transponderOverrideKeys, deviceKeys, cableKeys, tenantKeys, segmentKeys, portKeys, attachmentKeys,
	ductKeys, lineKeys, amplifierKeys, ageingKeys, lineDeviceKeys, dciKeys, wavelengthKeys, wavelengthOverrideKeys, channelKeys, rawKeys,
}
