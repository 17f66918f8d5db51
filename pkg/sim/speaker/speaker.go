// Package speaker runs BGP among simulated routers for real: a GoBGP speaker each, sessions over TCP on
// loopback addresses, routes in BGP messages.
package speaker

import (
	_ "github.com/osrg/gobgp/v3/api"
	_ "github.com/osrg/gobgp/v3/pkg/apiutil"
	_ "github.com/osrg/gobgp/v3/pkg/config/oc"
	_ "github.com/osrg/gobgp/v3/pkg/log"
	_ "github.com/osrg/gobgp/v3/pkg/packet/bgp"
	_ "github.com/osrg/gobgp/v3/pkg/server"
)
