package speaker

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	api "github.com/osrg/gobgp/v3/api"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// decoder reads what speakers have. Thousands of paths share a few attributes, and every route is in the tables of many
// routers, so it keeps what it has read. It is not for several goroutines.
type decoder struct {
	attributes map[string]*attributes
	routes     map[string]*network.Route
	announced  map[network.NLRI][]*network.Route // by all routers
	known      *map[string][]network.Route       // announced is made from
}

// attributes are those of a path, whatever route it leads to.
type attributes struct {
	nextHop     netip.Addr // invalid: it is in MP_REACH_NLRI, with the route
	asPath      []uint32
	localPref   uint32
	med         uint32
	originator  netip.Addr
	cluster     []netip.Addr
	communities []string
	ext         string // extended communities as they were sent
	vni         uint32 // of the tunnel attribute
	dpath       string // as it was sent
}

func newDecoder() *decoder {
	d := &decoder{}
	d.know(&map[string][]network.Route{})
	return d
}

// know tells which routes there are. Paths that lead to one of them share it.
func (d *decoder) know(announced *map[string][]network.Route) {
	d.known = announced
	d.attributes, d.routes = map[string]*attributes{}, map[string]*network.Route{}
	d.announced = map[network.NLRI][]*network.Route{}
	for _, routes := range *announced {
		for i := range routes {
			r := &routes[i]
			d.announced[r.NLRI] = append(d.announced[r.NLRI], r)
		}
	}
}

// defaultLocalPref is that of a path that came without (RFC 4271 §9.1.1 leaves it to the router; this is SR Linux's).
const defaultLocalPref = 100

// path reads a path of a router's table.
func (d *decoder) path(router string, p *api.Path, f network.Family) (network.Path, error) {
	var key []byte
	var hop netip.Addr
	for _, a := range p.PattrsBinary {
		if len(a) > 1 && a[1] == attrMPReach {
			hop = reachHop(a)
			continue
		}
		key = append(key, a...)
	}
	a := d.attributes[string(key)]
	if a == nil {
		a = readAttributes(key)
		d.attributes[string(key)] = a
	}
	route, err := d.route(router, p, f, a)
	if err != nil {
		return network.Path{}, err
	}
	if !hop.IsValid() {
		hop = a.nextHop
	}
	return network.Path{
		Route: route, NextHop: hop, ASPath: a.asPath, LocalPref: a.localPref, MED: a.med,
		Originator: a.originator, Cluster: a.cluster, Communities: a.communities, Valid: true,
	}, nil
}

// route returns the route that a path leads to: an announced one, if it is on the wire as that one was.
func (d *decoder) route(router string, p *api.Path, f network.Family, a *attributes) (*network.Route, error) {
	key := string(p.NlriBinary) + a.ext
	switch {
	case f != network.L2EVPN:
		key += "/" + string(rune(f)) + router // which of several announcers it is depends on who asks
	case a.vni != 0:
		key += string(appendVNI(nil, a.vni))
	}
	key += a.dpath
	if r := d.routes[key]; r != nil {
		return r, nil
	}
	read, err := readNLRI(f, p.NlriBinary)
	if err != nil {
		return nil, err
	}
	readExtended(&read, a.ext)
	if read.Type == network.InclusiveMulticast {
		read.VNI = a.vni
	}
	readLabels(&read)
	read.Domains = readDPath(a.dpath)
	r := d.announcedAs(router, &read)
	d.routes[key] = r
	return r, nil
}

// announcedAs returns the announced route that this one is. A prefix that several routers announce is the router's
// own, or nobody's in particular.
func (d *decoder) announcedAs(router string, read *network.Route) *network.Route {
	all := d.announced[read.NLRI]
	for _, r := range all {
		if sameOnWire(r, read) && (read.Family == network.L2EVPN || r.Origin == router || len(all) == 1) {
			return r
		}
	}
	return read
}

// sameOnWire returns whether two routes with the same NLRI are the same to those who get them.
func sameOnWire(a, b *network.Route) bool {
	return a.VNI == b.VNI && a.VNI2 == b.VNI2 && a.ESI2 == b.ESI2 && a.Gateway == b.Gateway &&
		slices.Equal(a.Targets, b.Targets) && a.Encap == b.Encap && a.RouterMAC == b.RouterMAC &&
		a.ESImport == b.ESImport && a.ESILabel == b.ESILabel && a.SingleActive == b.SingleActive &&
		sameElection(a.DF, b.DF) && a.Static == b.Static && a.Sequence == b.Sequence && a.Default == b.Default &&
		slices.Equal(a.Domains, b.Domains)
}

func sameElection(a, b *network.DFElection) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// reachHop returns the next hop of MP_REACH_NLRI (RFC 4760 §3).
func reachHop(attribute []byte) (hop netip.Addr) {
	eachAttribute(attribute, func(_ byte, v []byte) {
		if len(v) > 4 && len(v) >= 4+int(v[3]) {
			hop, _ = netip.AddrFromSlice(v[4 : 4+min(16, int(v[3]))])
			hop = hop.Unmap() // an IPv4 one among IPv6 routes (RFC 4291 §2.5.5.2)
		}
	})
	return hop
}

func readAttributes(all []byte) *attributes {
	a := &attributes{localPref: defaultLocalPref}
	eachAttribute(all, func(kind byte, v []byte) {
		r := reader{b: v}
		switch kind {
		case attrASPath:
			eachAS(v, func(number []byte) { a.asPath = append(a.asPath, binary.BigEndian.Uint32(number)) })
		case attrNextHop:
			a.nextHop, _ = netip.AddrFromSlice(v)
		case attrMED:
			a.med = r.uint32()
		case attrLocalPref:
			if a.localPref = r.uint32(); a.localPref == lowest {
				a.localPref = 0
			}
		case attrCommunities:
			for ; len(v) >= 4; v = v[4:] {
				a.communities = append(a.communities, fmt.Sprintf("%d:%d", binary.BigEndian.Uint16(v), binary.BigEndian.Uint16(v[2:])))
			}
		case attrLarge:
			for len(r.b) >= 12 {
				if one := fmt.Sprintf("%d:%d:%d", r.uint32(), r.uint32(), r.uint32()); one != nonclient {
					a.communities = append(a.communities, one)
				}
			}
		case originatorID:
			a.originator, _ = netip.AddrFromSlice(v)
		case attrClusterList:
			for ; len(v) >= 4; v = v[4:] {
				a.cluster = append(a.cluster, netip.AddrFrom4([4]byte(v)))
			}
		case attrExtCommunities:
			a.ext = string(v)
		case attrTunnel:
			r.take(2)
			a.vni = r.vni()
		case attrDPath:
			a.dpath = string(v)
		}
	})
	return a
}

// readDPath reads the domains of all segments of D-PATH.
func readDPath(value string) (domains []string) {
	for r := (reader{b: []byte(value)}); len(r.b) > 0; {
		for range r.take(1)[0] {
			domain := r.take(7)
			domains = append(domains, fmt.Sprintf("%d:%d", binary.BigEndian.Uint32(domain), binary.BigEndian.Uint16(domain[4:])))
		}
	}
	return domains
}

// readExtended reads what extendedCommunities writes.
func readExtended(r *network.Route, ext string) {
	for b := []byte(ext); len(b) >= 8; b = b[8:] {
		v := b[2:8]
		switch kind := [2]byte(b); kind {
		case extEncap:
			r.Encap = network.Encapsulation(v[5])
		case extGateway:
			r.Default = true
		case extMobility:
			r.Static, r.Sequence = v[0]&1 == 1, binary.BigEndian.Uint32(v[2:])
		case extESILabel:
			r.ESILabel, r.SingleActive = true, v[0]&1 == 1
		case extESImport:
			r.ESImport = network.MAC(v)
		case extRouterMAC:
			r.RouterMAC = network.MAC(v)
		case extDF:
			r.DF = &network.DFElection{Preference: v[0] != 0, Value: binary.BigEndian.Uint32(v[2:]), AnyCircuit: v[1]&0x40 == 0}
		default:
			if kind[0] <= 2 && kind[1] == extTarget[1] {
				r.Targets = append(r.Targets, network.RT(administrated(kind[0], v)))
			}
		}
	}
}
