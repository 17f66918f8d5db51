package verify

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/loomfabric/loom/pkg/fabric"
)

// Contract is one thing that the design asks one device to show. Which fields mean something depends on
// what is asked; the others are zero.
type Contract struct {
	Asks    Ask
	Device  string
	Object  string     // as findings name it; the same from both ends
	Far     []string   // the devices at the other ends
	Perhaps []string   // devices of which one may be the other end, where nobody knows; of light, all that it passes
	Ref     fabric.Ref // of the intent

	Port, FarPort string     // Up, Neighbor
	Server        bool       // Up, Neighbor: the far end is no device of the design
	Listed        bool       // Up, Bundled: the intent lists a cable for the port
	Instance      string     // Speaking, Watched: network instance
	Peer          netip.Addr // Speaking, Watched: invalid where it is found on Port
	PeerAS        uint32     // Speaking
	Families      []string   // Speaking: those that it is there for
	Overlay       bool       // Speaking: between loopbacks, not over one link
	VNI           uint32     // Stretched
	VTEPs         []VTEP     // Stretched: all that have the segment, this device too; sorted by address
	Number        uint32     // Bundled: of the LAG
	Members       []string   // Bundled: its ports
	Segment       string     // Joined, Stretched: name of the ethernet segment, key of the segment
	ESI           string     // Joined
	Ends          []VTEP     // Joined: its leaves
	Instances     []string   // Joined: network instances that it has a port in, or stands for

	Trunk   bool       // Watched, Bundled, Adjacent: between gateways that stitch; no session runs over it, and Port is an interface
	Links   []string   // Watched, Bundled, Adjacent: objects of its links, where it is a trunk
	System  netip.Addr // Adjacent: router id of the neighbor; invalid where it is not known
	Service string     // Serving, Routed, Stretched: name of what a gateway stitches with; Stretched by MPLS without VNI
	Inside  bool       // Routed: from the fabric of its site, and not from others
	Subnets []Subnet   // Routed: those that the design has there, sorted

	Channel   string               // Lit, Passed: of light; Up: that carries the link, or that carries what a client sends
	Via       string               // Up, Neighbor: object of the cable to the transponder that the port is plugged into
	FarVia    string               // Up, Neighbor: that of the far end
	Client    bool                 // Up, Neighbor: a transponder's port, which listens and says nothing
	Coherent  *fabric.CoherentPort // Lit
	Amplifier *fabric.Amplifier    // Amplified
	Media     *fabric.MediaChannel // Passed
}

// Ask is what a contract asks for.
type Ask string

// What contracts ask for.
const (
	Up        Ask = "up"        // a port is up
	Neighbor  Ask = "neighbor"  // a port hears the far end of its cable
	Bundled   Ask = "bundled"   // a LAG has all its members
	Speaking  Ask = "speaking"  // a BGP session is established with its family
	Adjacent  Ask = "adjacent"  // a trunk has an IS-IS neighbor
	Watched   Ask = "watched"   // BFD is up beside a session
	Serving   Ask = "serving"   // a gateway's bridge or router is up
	Labelled  Ask = "labelled"  // segment routing leads to every gateway of other sites
	Routed    Ask = "routed"    // a gateway's router has routes from one of its sides
	Stretched Ask = "stretched" // broadcast of a segment goes to every other VTEP that has it
	Joined    Ask = "joined"    // an ethernet segment is up, with all its ends and one designated forwarder
	Lit       Ask = "lit"       // a coherent port sends as it is set, and understands what comes in
	Amplified Ask = "amplified" // an amplifier gives what it is set to
	Passed    Ask = "passed"    // the end of a line adds and drops the spectrum of a channel
)

// VTEP is a device by the address of its tunnels.
type VTEP struct {
	Device string
	Addr   netip.Addr
}

// Index is a design, ready to be asked for the contracts of single devices. It is never changed.
type Index struct {
	design  *fabric.Design
	place   map[string]int             // of a device in the design
	vteps   map[string][]VTEP          // by what is flooded together: see flooded; sorted by address
	cables  map[Far]fabric.CableEnd    // listed servers, by the port of the device
	ends    map[string][]VTEP          // leaves of an ethernet segment, by ESI
	bonds   map[string][]string        // their LAGs, by ESI
	links   map[[2]string][]string     // objects of the links between two devices, in name order
	speaks  map[string]map[string]bool // who has an overlay session with whom
	servers map[string]bool            // names of listed servers
	light   func() *lightPlan          // what should be seen of light

	stitched map[string]bool       // keys of segments whose tunnels end at gateways
	shared   map[string][]VTEP     // gateways of a site that share a segment towards other sites, by its ESI
	subnets  map[tenantAt][]Subnet // of tenants at sites

	// Of Wanting; all empty where the devices are wanted as designed.
	asked     map[string]*shown     // what devices are asked for
	withdrawn map[string]bool       // findings, by ID, of links and sessions that one end is not asked for
	beyond    map[string][]Contract // for what devices are asked for beside the design
	renewed   map[string]bool       // objects of those contracts
}

// NewIndex reads a design once.
func NewIndex(design *fabric.Design) *Index {
	x := &Index{
		design: design, place: map[string]int{}, vteps: map[string][]VTEP{}, cables: map[Far]fabric.CableEnd{},
		ends: map[string][]VTEP{}, bonds: map[string][]string{}, links: map[[2]string][]string{}, speaks: map[string]map[string]bool{}, servers: map[string]bool{}, stitched: map[string]bool{},
		shared: map[string][]VTEP{}, subnets: map[tenantAt][]Subnet{},
	}
	for _, s := range design.Spans {
		if s.Service != fabric.LeafToLeaf {
			x.stitched[s.Key] = true
		}
	}
	for i, d := range design.Devices {
		x.place[d.Name] = i
		x.device(d)
	}
	for _, list := range x.vteps {
		slices.SortFunc(list, func(a, b VTEP) int { return a.Addr.Compare(b.Addr) })
	}
	for _, c := range design.Cables {
		x.cable(c)
	}
	x.light = sync.OnceValue(func() *lightPlan { return planLight(design) })
	return x
}

func (x *Index) device(d *fabric.Device) {
	self := VTEP{d.Name, d.Loopback}
	for i := range d.Segments {
		key := x.flooded(d, d.Segments[i].Key)
		x.vteps[key] = append(x.vteps[key], self)
	}
	for i := range d.WAN.Bridges {
		key := x.flooded(d, d.WAN.Bridges[i].Key)
		x.vteps[key] = append(x.vteps[key], self)
	}
	x.stitches(d)
	for i := range d.LAGs {
		if esi := d.LAGs[i].ESI; esi != "" {
			x.ends[esi] = append(x.ends[esi], self)
			x.bonds[esi] = append(x.bonds[esi], lagObject(d.Name, d.LAGs[i].Number))
		}
	}
	for i := range d.Links {
		if l := &d.Links[i]; d.Name < l.PeerName {
			pair := [2]string{d.Name, l.PeerName}
			x.links[pair] = append(x.links[pair], linkObject(d.Name, l))
		}
	}
	x.speaks[d.Name] = make(map[string]bool, len(d.Overlay.Neighbors))
	for _, n := range d.Overlay.Neighbors {
		x.speaks[d.Name][n.Name] = true
	}
}

func (x *Index) cable(c fabric.Cable) {
	server, port := c.A, c.B
	if !server.Server {
		server, port = port, server
	}
	if server.Server && !c.Derived {
		x.cables[Far{port.Device, port.Port}] = server
		x.servers[server.Device] = true
	}
}

// linksOf returns the objects of the links between two devices.
func (x *Index) linksOf(a, b string) []string { return x.links[[2]string{min(a, b), max(a, b)}] }

// Neighbors returns the devices that a device has links, overlay sessions, ethernet segments or light with, in
// the order of the design: those whose view of it can change when it does, but for far VTEPs.
func (x *Index) Neighbors(device string) []string {
	d := x.design.Device(device)
	if d == nil {
		return nil
	}
	set := map[string]bool{}
	for i := range d.Links {
		set[d.Links[i].PeerName] = true
	}
	for _, n := range slices.Concat(d.Overlay.Neighbors, d.WAN.Neighbors) {
		set[n.Name] = true
	}
	for i := range d.LAGs {
		if d.LAGs[i].Peer != "" {
			set[d.LAGs[i].Peer] = true
		}
	}
	if d.WAN.Segment != nil {
		for _, end := range x.shared[d.WAN.Segment.ESI] {
			set[end.Device] = true
		}
	}
	for _, channel := range channelsOf(d) {
		for _, name := range x.along(channel) {
			set[name] = true
		}
	}
	delete(set, device)
	x.meet(device, set)
	var out []string
	for name := range set {
		out = append(out, name)
	}
	x.sort(out)
	return out
}

// sort sorts names of devices as the design has them.
func (x *Index) sort(names []string) {
	slices.SortFunc(names, func(a, b string) int { return x.place[a] - x.place[b] })
}

// Contracts returns what a device is asked to show, in a fixed order: by the design, unless it is wanted otherwise (see
// Wanting); nothing of a device that the design has not. It costs what the device has.
func (x *Index) Contracts(device string) []Contract {
	designed := x.designedContracts(device)
	if len(x.asked) == 0 {
		return designed
	}
	var out []Contract
	for i := range designed {
		if x.wanted(&designed[i]) {
			out = append(out, designed[i])
		}
	}
	return append(out, x.beyond[device]...)
}

func (x *Index) designedContracts(device string) []Contract {
	d := x.design.Device(device)
	if d == nil {
		return nil
	}
	var out []Contract
	for i := range d.Links {
		out = append(out, x.linkContracts(d, &d.Links[i])...)
	}
	for i := range d.Ports {
		out = append(out, x.portContracts(d, &d.Ports[i])...)
	}
	for i := range d.LAGs {
		out = append(out, x.lagContracts(d, &d.LAGs[i])...)
	}
	for i := range d.WAN.Trunks {
		out = append(out, x.trunkContracts(d, &d.WAN.Trunks[i])...)
	}
	for i := range d.Overlay.Neighbors {
		out = append(out, overlayContract(d, &d.Overlay.Neighbors[i]))
	}
	for i := range d.WAN.Neighbors {
		out = append(out, wanContract(d, &d.WAN.Neighbors[i]))
	}
	for i := range d.Segments {
		out = append(out, x.segmentContract(d, &d.Segments[i]))
	}
	for i := range d.WAN.Bridges {
		b := &d.WAN.Bridges[i]
		out = append(out, x.bridgeContract(d, b), x.betweenContract(d, b))
	}
	out = append(out, x.stitchContracts(d)...)
	return append(out, x.lightContracts(d)...)
}

// defaultInstance is where underlay and overlay run on every operating system that Loom renders.
const defaultInstance = "default"

// Names of address families (RFC 4760), as verify.Family is keyed.
const (
	familyIPv4 = "ipv4-unicast"
	familyIPv6 = "ipv6-unicast"
	familyEVPN = "evpn"
)

// linkContracts: the port is up, hears its far end, and the underlay session over it stands, where there is to be one.
func (x *Index) linkContracts(d *fabric.Device, l *fabric.Link) []Contract {
	c := Contract{
		Device: d.Name, Object: linkObject(d.Name, l), Far: []string{l.PeerName}, Ref: l.Ref, Port: l.Port, FarPort: l.PeerPort,
		Instance: defaultInstance, Peer: l.Peer, PeerAS: l.PeerASN, Families: underlayFamilies(d),
		Channel: l.Channel,
	}
	if l.Via != "" {
		c.Via = pairObject(Far{d.Name, l.Port}.String(), l.Via)
		c.FarVia = x.cordOf(l.PeerName, l.PeerPort)
	}
	out := []Contract{c, c, c}
	out[0].Asks, out[1].Asks, out[2].Asks = Up, Neighbor, Speaking
	if l.Trunk != "" {
		out = out[:2]
	}
	if l.External {
		return slices.Delete(out, 1, 2) // what it calls itself and its ports, only its owner knows
	}
	if l.BFD.Multiplier != 0 && l.Peer.IsValid() {
		c.Asks = Watched
		out = append(out, c)
	}
	return out
}

// underlayFamilies are those of loopbacks.
func underlayFamilies(d *fabric.Device) []string {
	if d.Loopback6.IsValid() {
		return []string{familyIPv4, familyIPv6}
	}
	return []string{familyIPv4}
}

// cordOf is the cable between a port and the transponder that it is plugged into; "" where there is none.
func (x *Index) cordOf(device, port string) string {
	for _, l := range x.design.Device(device).Links {
		if l.Port == port && l.Via != "" {
			return pairObject(Far{device, port}.String(), l.Via)
		}
	}
	return ""
}

// portContracts are those of a port towards a server. Of the members of a LAG the LAG speaks.
func (x *Index) portContracts(d *fabric.Device, p *fabric.AccessPort) []Contract {
	c := Contract{Asks: Neighbor, Device: d.Name, Object: Far{d.Name, p.Port}.String(), Ref: p.Ref, Port: p.Port, Server: true}
	if server, listed := x.cables[Far{d.Name, p.Port}]; listed {
		c.Listed = true
		c.Object += " - " + Far{server.Device, server.Port}.String()
	}
	if p.LAG != 0 {
		return []Contract{c}
	}
	up := c
	up.Asks = Up
	return []Contract{up, c}
}

func (x *Index) lagContracts(d *fabric.Device, l *fabric.LAG) []Contract {
	c := Contract{
		Asks: Bundled, Device: d.Name, Object: lagObject(d.Name, l.Number),
		Ref: l.Ref, Number: l.Number,
	}
	for i := range d.Ports {
		if p := &d.Ports[i]; p.LAG == l.Number {
			c.Members = append(c.Members, p.Port)
			_, listed := x.cables[Far{d.Name, p.Port}]
			c.Listed = c.Listed || listed
		}
	}
	if l.ESI == "" {
		return []Contract{c}
	}
	c.Object, c.Segment, c.ESI, c.Ends = strings.Join(x.bonds[l.ESI], " + "), l.ESName, l.ESI, x.ends[l.ESI]
	if l.Peer != "" {
		c.Far = []string{l.Peer}
	}
	joined := c
	joined.Asks, joined.Instances = Joined, instancesOf(d, l.Subs)
	return []Contract{c, joined}
}

// instancesOf are the MAC-VRFs of subinterfaces.
func instancesOf(d *fabric.Device, subs []fabric.SubPort) []string {
	var out []string
	for _, s := range subs {
		if i := slices.IndexFunc(d.Segments, func(m fabric.MACVRF) bool { return m.Key == s.Segment }); i >= 0 {
			out = append(out, d.Segments[i].Name)
		}
	}
	return out
}

func overlayContract(d *fabric.Device, n *fabric.OverlayNeighbor) Contract {
	c := Contract{
		Asks: Speaking, Device: d.Name, Object: pairObject(d.Name, n.Name), Far: []string{n.Name}, Ref: d.Overlay.Ref,
		Instance: defaultInstance, Peer: n.Addr, PeerAS: n.ASN, Families: []string{familyEVPN}, Overlay: true,
	}
	if d.Overlay.IBGP {
		c.PeerAS = d.Overlay.AS
	}
	return c
}

func (x *Index) segmentContract(d *fabric.Device, s *fabric.MACVRF) Contract {
	return Contract{
		Asks: Stretched, Device: d.Name, Object: s.Key, Ref: s.Ref, VNI: s.VNI, Segment: s.Key, VTEPs: x.vteps[x.flooded(d, s.Key)],
	}
}

// bridgeContract is about a stitched segment on a gateway: towards the fabric it is one of the VTEPs of its site.
func (x *Index) bridgeContract(d *fabric.Device, b *fabric.Bridge) Contract {
	return Contract{
		Asks: Stretched, Device: d.Name, Object: b.Key, Ref: b.Ref, VNI: b.Fabric.VNI, Segment: b.Key, Service: b.Name, VTEPs: x.vteps[x.flooded(d, b.Key)],
	}
}

// betweenContract is about a stitched segment between sites, by VXLAN or MPLS: it reaches the gateways of the others that have it, and
// not those of its own site.
func (x *Index) betweenContract(d *fabric.Device, b *fabric.Bridge) Contract {
	c := Contract{Asks: Stretched, Device: d.Name, Object: b.Key + " between sites", Ref: b.Ref, VNI: b.WAN.VNI, Segment: b.Key, Service: b.Name, VTEPs: []VTEP{{d.Name, d.Loopback}}}
	for _, n := range d.WAN.Neighbors {
		has := func(other fabric.Bridge) bool { return other.Key == b.Key }
		if slices.ContainsFunc(x.design.Device(n.Name).WAN.Bridges, has) {
			c.VTEPs = append(c.VTEPs, VTEP{n.Name, n.Addr})
		}
	}
	slices.SortFunc(c.VTEPs, func(a, b VTEP) int { return a.Addr.Compare(b.Addr) })
	return c
}

// flooded is what the broadcast of a device's segment reaches as VXLAN: the segment, or its part at the device's site where gateways end
// the tunnels of leaves (RFC 9014 §4).
func (x *Index) flooded(d *fabric.Device, key string) string {
	if x.stitched[key] {
		return key + " at " + d.Site
	}
	return key
}

// linkObject names a link by its ends, the same from both.
func linkObject(device string, l *fabric.Link) string {
	return pairObject(Far{device, l.Port}.String(), Far{l.PeerName, l.PeerPort}.String())
}

// lagObject names one end of a bond.
func lagObject(device string, number uint32) string {
	return Far{device, "lag" + strconv.FormatUint(uint64(number), 10)}.String()
}

// pairObject names what is between two ends.
func pairObject(a, b string) string { return min(a, b) + " - " + max(a, b) }
