package network

// Survey finds out what comes up when these routers are plugged together like that.
func Survey(routers map[string]*Router, w *Wiring, o Outages) *Plant {
	return &Plant{Routers: routers, Wiring: w, Links: map[string]*Links{}}
}
