package network

// Meet pairs the BGP neighbors of all routers: who is at the other end, whether packets get through, and
// what becomes of the session by what both ends have configured. It returns the sessions of each
// router, sorted by instance and address. r says how loopbacks are reached; nil means by connected, static and
// IS-IS routes only.
func Meet(p *Plant, r Routing) map[string][]Session { return nil }

// Compute says what BGP comes to, without any speaker: sessions by Meet, routes by a fixpoint.
func Compute(p *Plant) Routing { return nil }

// Select orders the paths of one NLRI, best first, and marks which are best and used (RFC 4271 §9.1).
func Select(p *Plant, router string, sessions []Session, paths []Path) {}
