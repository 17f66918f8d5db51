package network

import (
	"cmp"
	"net/netip"
	"slices"
)

// Preferences of protocols in the route table: the lower one wins (srl_nokia-ip-route-tables, and the
// defaults of static-routes, isis/instance/level and bgp/preference).
const (
	preferLocal  = 0
	preferStatic = 5
	preferISIS1  = 15
	preferISIS2  = 18
	preferBGP    = 170
)

// deepest is how often a next hop may be looked up by way of another one. It ends next hops that lead to
// themselves.
const deepest = 4

// FIB is where one network instance of a router sends packets. It is never changed once made; methods
// may be called from any goroutine.
type FIB struct {
	plant            *Plant
	router, instance string
	subs             map[string]*Subinterface // attached and up
	own              prefixTable[ownRoute]
	learned          learner // nil: nothing by BGP
	sessions         []Session
}

// ownRoute is a route that does not come from BGP.
type ownRoute struct {
	TableRoute
	via []netip.Addr // next hops that still have to be looked up
}

// learner gives the routes of BGP.
type learner interface {
	// used returns the longest prefix with an address that has used paths, and these. depth says how many
	// next hops are being looked up already.
	used(router string, a netip.Addr, depth int) (netip.Prefix, []Path)
	// all returns the used paths of one family, sorted by prefix.
	all(router string, f Family) []Path
}

// Table returns the FIB of an instance. r may be nil: then it has connected, static and IS-IS routes only.
// Routes by BGP are those of the default instance; an instance that does not exist has no routes.
func Table(p *Plant, r Routing, router, instance string) *FIB {
	f := newFIB(p, router, instance)
	if in := p.instance(router, instance); in != nil && in.Kind == Default {
		return f.with(r)
	}
	return f
}

// with returns the same FIB and what BGP adds.
func (f *FIB) with(r Routing) *FIB {
	if r == nil {
		return f
	}
	g := *f
	g.sessions = r.Sessions(f.router)
	if l, ok := r.(learner); ok {
		g.learned = l
	} else {
		g.learned = snapshot(r, f.router)
	}
	return &g
}

// over returns the same FIB for paths that come by other sessions.
func (f *FIB) over(sessions []Session) *FIB {
	if f == nil {
		return nil
	}
	g := *f
	g.sessions = sessions
	return &g
}

// newFIB holds all but the routes of BGP.
func newFIB(p *Plant, router, instance string) *FIB {
	f := &FIB{plant: p, router: router, instance: instance, subs: map[string]*Subinterface{}}
	links := p.Links[router]
	if links == nil {
		return f
	}
	r := p.Routers[router]
	for i := range r.Subinterfaces {
		sub := &r.Subinterfaces[i]
		if at := links.Subs[sub.Name]; at.Up && at.Instance == instance {
			f.subs[sub.Name] = sub
			f.connect(sub)
		}
	}
	f.igp(links)
	if in := p.instance(router, instance); in != nil {
		for _, s := range in.Static {
			f.put(TableRoute{Prefix: s.Prefix.Masked(), Protocol: "static", Preference: preferStatic}, s.NextHops)
		}
	}
	f.own.sort()
	return f
}

// connect puts a subinterface's subnets and own addresses.
func (f *FIB) connect(sub *Subinterface) {
	far := f.plant.far[End{f.router, sub.Name}].Device
	hop := []Hop{{Subinterface: sub.Name, Router: far}}
	for _, a := range sub.Addresses {
		if !a.Prefix.IsSingleIP() {
			f.put(TableRoute{Prefix: a.Prefix.Masked(), Protocol: "local", Preference: preferLocal, NextHops: hop}, nil)
		}
		self := netip.PrefixFrom(a.Prefix.Addr(), a.Prefix.Addr().BitLen())
		f.put(TableRoute{Prefix: self, Protocol: "host", Preference: preferLocal, NextHops: []Hop{{Subinterface: sub.Name}}}, nil)
	}
}

// igp puts what IS-IS gives.
func (f *FIB) igp(links *Links) {
	for _, r := range links.IGP {
		if r.Instance != f.instance {
			continue
		}
		preference := preferISIS2
		if r.Level == 1 {
			preference = preferISIS1
		}
		f.put(TableRoute{Prefix: r.Prefix.Masked(), Protocol: "isis", Preference: preference, Metric: r.Metric, NextHops: r.NextHops}, nil)
	}
}

// put keeps the better of two routes to a prefix.
func (f *FIB) put(r TableRoute, via []netip.Addr) {
	if old, ok := f.own.get(r.Prefix); !ok || r.Preference < old.Preference {
		f.own.put(r.Prefix, ownRoute{r, via})
	}
}

// Lookup returns the active route to an address: the longest prefix, and among protocols the preferred
// one. A route without next hops drops what it is given. Link-local addresses have no route.
func (f *FIB) Lookup(a netip.Addr) (TableRoute, bool) { return f.lookup(a, 0) }

func (f *FIB) lookup(a netip.Addr, depth int) (TableRoute, bool) {
	if !a.IsValid() || a.IsLinkLocalUnicast() || depth > deepest {
		return TableRoute{}, false
	}
	own, ok := f.lookupOwn(a, depth)
	if f.learned == nil || ok && own.Prefix.IsSingleIP() {
		return own, ok
	}
	prefix, paths := f.learned.used(f.router, a, depth)
	if ok && own.Prefix.Bits() >= prefix.Bits() {
		return own, true
	}
	if r := f.byBGP(prefix, paths, depth); len(r.NextHops) > 0 {
		return r, true
	}
	return own, ok
}

// lookupOwn finds the longest active route that is not BGP's.
func (f *FIB) lookupOwn(a netip.Addr, depth int) (TableRoute, bool) {
	for r := range f.own.matches(a) {
		if active, ok := f.activate(r, depth); ok {
			return active, true
		}
	}
	return TableRoute{}, false
}

// metric is how far IS-IS has it to an address; 0 where another protocol leads to it.
func (f *FIB) metric(a netip.Addr) uint32 {
	if f == nil || !a.IsValid() {
		return 0
	}
	r, _ := f.lookupOwn(a, 0)
	return r.Metric
}

// activate looks up the next hops of a static route; the route is active while one of them is reached.
func (f *FIB) activate(r ownRoute, depth int) (TableRoute, bool) {
	if len(r.via) == 0 {
		return r.TableRoute, true
	}
	for _, a := range r.via {
		r.NextHops = append(r.NextHops, f.towards(a, depth+1)...)
	}
	r.NextHops = distinct(r.NextHops)
	return r.TableRoute, len(r.NextHops) > 0
}

// byBGP is the route that used paths come to.
func (f *FIB) byBGP(prefix netip.Prefix, paths []Path, depth int) TableRoute {
	r := TableRoute{Prefix: prefix, Protocol: "bgp", Preference: preferBGP}
	for i := range paths {
		r.Metric = paths[0].MED
		r.NextHops = append(r.NextHops, f.resolve(&paths[i], depth)...)
	}
	r.NextHops = distinct(r.NextHops)
	return r
}

// Resolve returns where packets for a path's next hop go; nowhere means that the path is not valid. The path
// is one of the router's in the routing that the FIB was made with. An own path has no hops.
func (f *FIB) Resolve(path *Path) []Hop { return f.resolve(path, 0) }

func (f *FIB) resolve(path *Path, depth int) []Hop {
	if path.From < 0 {
		return nil
	}
	s := &f.sessions[path.From]
	if path.NextHop.IsLinkLocalUnicast() && s.Interface != "" {
		// The next hop is on the link of the session itself (RFC 2545 §3, RFC 8950 §4). A routing may be older than
		// the plant: then the link may be gone.
		if f.subs[s.Interface] == nil {
			return nil
		}
		return []Hop{{Subinterface: s.Interface, Addr: path.NextHop.WithZone(""), Router: s.Remote}}
	}
	return f.towards(path.NextHop, depth+1)
}

// towards returns the hops that lead to a next hop: it itself where it is connected.
func (f *FIB) towards(a netip.Addr, depth int) []Hop {
	r, ok := f.lookup(a, depth)
	switch {
	case !ok || r.Protocol == "host":
		return nil // a next hop that is the router itself leads nowhere
	case r.Protocol == "local":
		return []Hop{{Subinterface: r.NextHops[0].Subinterface, Addr: a, Router: r.NextHops[0].Router}}
	}
	return r.NextHops
}

// Routes returns all active routes, sorted by prefix.
func (f *FIB) Routes() []TableRoute {
	var all []TableRoute
	for _, r := range f.own.entries {
		if active, ok := f.activate(r, 0); ok {
			all = append(all, active)
		}
	}
	if f.learned != nil {
		all = f.appendBGP(all, f.learned.all(f.router, IPv4))
		all = f.appendBGP(all, f.learned.all(f.router, IPv6))
	}
	slices.SortFunc(all, func(a, b TableRoute) int { return a.Prefix.Compare(b.Prefix) })
	return all
}

// appendBGP adds a route for each prefix that no protocol with a better preference has.
func (f *FIB) appendBGP(all []TableRoute, paths []Path) []TableRoute {
	for len(paths) > 0 {
		n := 1
		for n < len(paths) && paths[n].Prefix == paths[0].Prefix {
			n++
		}
		prefix := paths[0].Prefix
		if own, taken := f.own.get(prefix); !taken || !f.active(own) {
			if r := f.byBGP(prefix, paths[:n], 0); len(r.NextHops) > 0 {
				all = append(all, r)
			}
		}
		paths = paths[n:]
	}
	return all
}

func (f *FIB) active(r ownRoute) bool {
	_, ok := f.activate(r, 0)
	return ok
}

// distinct sorts hops and leaves each once.
func distinct(hops []Hop) []Hop {
	slices.SortFunc(hops, func(a, b Hop) int {
		return cmp.Or(cmp.Compare(a.Subinterface, b.Subinterface), a.Addr.Compare(b.Addr))
	})
	return slices.Compact(hops)
}

// instance returns a network instance by name; nil: there is none.
func (p *Plant) instance(router, name string) *Instance {
	if r := p.Routers[router]; r != nil {
		for i := range r.Instances {
			if r.Instances[i].Name == name {
				return &r.Instances[i]
			}
		}
	}
	return nil
}

// defaultInstance returns the instance that forwards between sites and loopbacks; nil: there is none.
func (p *Plant) defaultInstance(router string) *Instance {
	if r := p.Routers[router]; r != nil {
		for i := range r.Instances {
			if r.Instances[i].Kind == Default {
				return &r.Instances[i]
			}
		}
	}
	return nil
}
