package light

import "github.com/loomfabric/loom/pkg/optics"

// Device is what the running configuration of one device says of light. It is never changed once made.
type Device struct {
	Lasers     []Laser  // sorted by port
	Clients    []Client // sorted by port
	Amplifiers map[string]Amplifier
	Media      []Media
}

// Laser is a coherent transceiver as it is set. Its receiver is tuned by the same laser.
type Laser struct {
	Port      string
	On        bool   // the module; it listens
	Shines    bool   // the laser leaves the port
	Frequency uint64 // MHz
	Power     optics.DBm
	Mode      *optics.Mode // nil: one that the module does not know
}

// Client is a port of a transponder towards a router, and the line port that carries it.
type Client struct {
	Port, Line string
	On         bool
}

// Amplifier is an amplifier as it is set, with what attenuates behind it.
type Amplifier struct {
	On   bool
	Gain optics.DB
	VOA  optics.DB
}

// Media is a piece of spectrum that a line system takes from one of its ports to another.
type Media struct {
	Index     uint32
	Low, High uint64 // MHz
	From, To  string
	On        bool
}

// laser returns the transceiver of a port; nil where there is none.
func (d *Device) laser(port string) *Laser {
	if d == nil {
		return nil
	}
	for i := range d.Lasers {
		if d.Lasers[i].Port == port {
			return &d.Lasers[i]
		}
	}
	return nil
}

// covers tells whether light of a centre and a width lies inside, all in MHz.
func (m *Media) covers(centre, width uint64) bool {
	return m.Low <= centre-width/2 && centre+width/2 <= m.High
}
