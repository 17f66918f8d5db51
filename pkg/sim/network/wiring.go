package network

import "net/netip"

// Wiring is what is plugged in: it follows from no configuration.
type Wiring struct {
	Cables []Cable // sorted by ends
	Hosts  []Host  // sorted by name
}

// Cable joins two ends. Its id is "leaf1:ethernet-1/49 - spine1:ethernet-1/1".
type Cable struct{ A, B End }

// End is a port of a router or of a host.
type End struct{ Device, Port string }

// String writes an end as a topology file does.
func (e End) String() string { return e.Device + ":" + e.Port }

// String writes a cable as a topology file does.
func (c Cable) String() string { return c.A.String() + " - " + c.B.String() }

// Host is a simulated server: it does LACP, LLDP and ARP, and talks in one or more VLANs.
type Host struct {
	Name      string
	MAC       MAC
	NICs      []string // names of its ports, in order; they are bonded if it has LACP
	LACP      bool
	Addresses []HostAddress
}

// HostAddress is one interface of a host.
type HostAddress struct {
	VLAN uint16 // tag of its frames; 0: untagged
	MAC  MAC
	IPs  []netip.Prefix // with the length of its subnet
}

// Outages is what does not work, whatever is configured.
type Outages struct {
	Cables  map[string]bool // ids of cables that are cut
	Ports   map[End]bool    // ports whose laser is dead: both sides see no light
	Devices map[string]bool // devices that are switched off
}
