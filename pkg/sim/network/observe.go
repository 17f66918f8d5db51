package network

// Originate returns the routes that a router announces by itself: connected, static and IS-IS ones that its
// export policies may take, and the EVPN routes of its instances, segments and hosts.
func Originate(p *Plant, router string) []Route { return nil }

// Imports returns whether a router has a use of its own for an EVPN route: an instance that imports one of
// its route targets, or the ethernet segment that it is about.
func Imports(p *Plant, router string) func(*Route) bool { return func(*Route) bool { return false } }

// Observe returns all that one router shows.
func Observe(p *Plant, r Routing, router string) *State {
	return &State{Links: p.Links[router]}
}
