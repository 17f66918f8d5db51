package sim

import (
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim/light"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Software is how an operating system behaves, beyond what its driver says of it: what its
// configuration means, and what state follows. A nil function does nothing. All of them are pure.
type Software struct {
	// Read says what a running configuration means. It reads whatever was accepted, also what Loom
	// would never render. Nil: the device carries no packets.
	Read func(h network.Hardware, running *config.Tree) *network.Router
	// Light says what a running configuration sets of light; nil where it sets nothing.
	Light func(h network.Hardware, running *config.Tree) *light.Device
	// Observe adds the state leaves to a builder that already holds the running configuration.
	Observe func(b *config.Builder, o Observation)
	// Large are the tables that Observe adds only where they are asked for.
	Large []config.Path
	// Server says how the running configuration wants the gNMI server to be.
	Server func(running *config.Tree) Server
	// Limits says which values of a numeric leaf the platform has, where these are fewer than the schema's.
	Limits func(h network.Hardware, leaf config.Cursor) (r config.Range, ok bool)
	// Refuses says what of a running configuration the platform does not take, though the schema and Limits allow it:
	// *config.ValueError, joined.
	Refuses func(h network.Hardware, running *config.Tree) error
	// Words words a refusal, *config.PathError or joined *config.ValueError, as the operating system does. Nil: as SR Linux.
	Words func(s *config.Schema, err error) string
	// Sampled tells whether a node is sampled, not sent on change, where a subscription leaves the
	// choice to the device (gNMI spec §3.5.1.5.2, TARGET_DEFINED).
	Sampled func(s *config.Schema, id config.ID) bool
}

// Observation is what state is made from.
type Observation struct {
	Running  *config.Tree
	Hardware network.Hardware
	Router   *network.Router
	State    *network.State // nil before the network was looked at for the first time
	Before   *config.Tree   // what was shown before, for times and counts of changes; nil at first
	Booted   time.Time
	Changed  time.Time // when the last of configuration and network changed
	Now      time.Time
	Server   ServerState
	Large    bool // large tables are wanted too
	Light    *Light
	Noise    light.Noise // of what is measured
}

// Light is what one device sees of light. Where there is nothing to see, it is nil.
type Light struct {
	Ports      map[string]light.Port // coherent ones, by name
	Amplifiers map[string]light.Amplified
	Media      map[uint32]optics.DBm // power of each media channel
	Clients    map[string]ClientPort // ports towards routers, of a transponder
}

// ClientPort is what a transponder sees of a port towards a router.
type ClientPort struct {
	Light  bool                  // the router sends
	Up     bool                  // and the line carries it to a client at the far end
	Router *network.LLDPNeighbor // that is heard in passing; nil: none
}

// Server is how a gNMI server is configured. The zero value lets everybody with the right password in, without limits.
type Server struct {
	Door                     // where it is to be reached
	Name       string        // key of its entry
	RateLimit  int           // RPCs per minute; 0: none
	Sessions   int           // at a time; 0: any number
	Anonymous  bool          // asks for no user name and password
	ClientCA   []byte        // PEM; clients have to show a certificate of it. nil: they need none
	Streams    int           // paths in one subscription request; 0: any number
	Origin     string        // what paths without an origin mean; "": the device's own models
	Defaults   bool          // Get of configuration shows leaves that equal their defaults
	CommitSave bool          // every accepted Set is saved to startup
	Confirm    time.Duration // every Set has to be confirmed in this time; 0: no
	Idle       time.Duration // a connection without RPCs is closed after this; 0: never
}

// Door is what decides whether a client gets in at all. When it changes, all connections end. The zero value is open to
// everybody who speaks TLS.
type Door struct {
	Shut   bool // nobody is served at the address of the device
	Plain  bool // without TLS
	NoGNMI bool // serves no gNMI
	NoGNOI bool // serves no gNOI
}

// ServerState is what a gNMI server shows of itself.
type ServerState struct {
	Clients []Client // sorted by id
}

// Client is a connection to a gNMI server.
type Client struct {
	ID        uint32
	Host      string
	Port      uint16
	UserAgent string
}

// Engine runs BGP among routers. Its methods may be called from any goroutine.
type Engine interface {
	// Unsayable names what of a router's configuration the engine cannot be told; nil where it can be told all. While
	// there is such a router the engine is not updated, and what BGP comes to is computed.
	Unsayable(r *network.Router) []string
	// Update tells what is there now: the routers and what came up between them, the sessions that
	// both ends could have, and what each router announces by itself. It returns at once.
	Update(p *network.Plant, sessions map[string][]network.Session, announced map[string][]network.Route)
	// Routing returns what the speakers have come to, as of the last Update.
	Routing() network.Routing
	// Changed returns a channel that gets a value after Routing has changed.
	Changed() <-chan struct{}
	// Close ends all sessions.
	Close()
}
