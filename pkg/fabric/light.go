package fabric

import "github.com/loomfabric/loom/pkg/optics"

// The roles of what carries light between sites, beside the gateway, which carries packets as well.
const (
	Gateway     Role = "gateway"     // a router with links to other sites; no services of its own
	Transponder Role = "transponder" // turns a router's grey light into a channel of a line
	LineSystem  Role = "line"        // amplifiers, and at the ends of a line what adds and drops channels
)

// Duct is one way of fibres between two places, decided.
type Duct struct {
	Name   string
	A, B   string       // places: sites, or huts, which are places that only ducts name
	Fiber  optics.Fiber // one fibre of it, both directions alike
	Shares []string     // what it has in common with other ducts, and would be cut with it; sorted
	Ref    Ref
}

// Line is one line over ducts between two sites, decided: what it is built of, and how it is set.
type Line struct {
	Name    string
	A, B    string         // sites; A is from
	Ducts   []string       // in order from A
	Risks   []string       // of its ducts, "duct NAME" among them; sorted
	Devices []string       // its own devices in order from A; none where nobody amplifies
	Ahead   *optics.Line   // as it is built from A to B, whatever is lit
	Astern  *optics.Line   // as it is built from B to A
	Age     optics.Ageing  // what it loses until the end of its life
	There   *optics.Report // from A to B; nil where nothing is lit
	Back    *optics.Report // from B to A; nil where nothing is lit
	Ref     Ref
}

// Channel is one wavelength of a DCI, decided.
type Channel struct {
	Name   string // "bj-sh/3": unique
	DCI    string
	Number uint32   // in its DCI, from 1; ports and frequency follow from it
	Lines  []string // that it passes, in order from A; more than one where ROADMs pass it on
	Slot   optics.Slot
	Mode   *optics.Mode
	Power  optics.DBm // of its transmitters
	Asked  optics.DB  // margin that it has to keep
	A, B   Terminal
	Ref    Ref
}

// Terminal is one end of a channel.
type Terminal struct {
	Site   string
	Device string   // with the coherent port: a gateway or a transponder
	Port   string   // "ethernet-1/1" of a gateway, "line-1" of a transponder
	Router string   // whose packets the channel carries: a gateway
	Ports  []string // of the router, one for each link that the channel carries; Port itself where the router is the device
}

// DCI is what joins two sites.
type DCI struct {
	Name     string
	A, B     string    // sites, A the one with the smaller number
	Service  Service   // how what tenants send passes it
	Why      string    // the service is this one: "bj-gateway1 runs srlinux 25.3, which stitches no tenants"; "" where the intent asks for it
	Channels []string  // names, by number
	Cables   int       // Gb/s of the cables that join the sites without channels: of an external router those of the site that has less
	Circuits []Circuit `json:",omitempty"` // these cables
	Ref      Ref
}

// Circuit is a cable that leads out of a site.
type Circuit struct {
	Device, Port string // gateway; of a cable between two that at the site with the smaller number
	Far, FarPort string // gateway, or router that Loom does not manage
	A, B         int    // Gb/s that it gives each of the sites of the DCI
}

// Carried is what the cables of a DCI carry in Gb/s, without those that are down.
func (x *DCI) Carried(down func(*Circuit) bool) int {
	a, b := 0, 0
	for i := range x.Circuits {
		if c := &x.Circuits[i]; !down(c) {
			a, b = a+c.A, b+c.B
		}
	}
	return min(a, b)
}

// Light is what a device does with light; the zero Light is nothing.
type Light struct {
	Coherent   []CoherentPort // sorted by port
	Clients    []ClientPort   // of a transponder, sorted by port
	Amplifiers []Amplifier    // of a line system, sorted by name
	Media      []MediaChannel // of a line system at the end of a line, sorted by frequency
}

// CoherentPort is a port with a coherent transceiver.
type CoherentPort struct {
	Port      string     // "ethernet-1/1", "line-1"
	Channel   string     // that it is an end of
	Frequency uint64     // MHz, centre
	Power     optics.DBm // transmitted, in hundredths
	Mode      *optics.Mode
	Setting   string   // the platform's own name or number for the mode: operational-mode "1085", compatibility "open-zrp-ofec1"
	Lanes     int      // electrical lanes of the transceiver that the mode uses (num-physical-channels); 0: all that it has
	Clients   []string // ports of the same transponder whose traffic it carries, sorted; none on a router
	PeerName  string   // far end of the channel
	PeerPort  string
	Ref       Ref
}

// ClientPort is a port of a transponder towards a router.
type ClientPort struct {
	Port     string // "client-1"
	Rate     int    // Gb/s
	Line     string // port whose channel carries it
	PeerName string // router
	PeerPort string
	Ref      Ref
}

// Amplifier is one amplifier of a line system, as it is set.
type Amplifier struct {
	Name   string // "long-there": its line and the direction of its light
	Line   string
	Kind   *optics.AmplifierKind
	Gain   optics.DB  // hundredths
	VOA    optics.DB  // attenuation behind it
	Output optics.DBm // of all channels, as planned today
	Ref    Ref
}

// MediaChannel is a piece of spectrum that the end of a line adds and drops.
type MediaChannel struct {
	Index     uint32 // from 1, in the order of frequencies at first; stable: half slots of 6.25 GHz from the band's lower edge
	Low, High uint64 // MHz
	Channel   string
	Port      string // where the channel is plugged: "add-drop-<dci>-<number>" of a ROADM, "add-drop-<slot>" of a multiplexer with a fixed grid, "express-<line>"
	Ref       Ref
}
