// Package hardware is what Loom knows about boxes: ports, speeds, breakouts, MTU limits and
// features of each platform, as data with its source.
package hardware

import "strconv"

// Platform is the profile of one box. It is shared by everyone who looks it up: read only.
type Platform struct {
	Name    string   // as Nokia writes it: "7220-IXR-D3L"
	Kind    Kind     // what it can be
	OS      string   // "srlinux"; "openconfig" for what speaks that and nothing of its own
	Type    string   // as the box reports it in /platform/chassis/type: "7220 IXR-D3L"
	Cards   []Card   // that its ports are on, and that have to be configured before these; none on boxes of one piece
	Fabrics []string // types of the switch fabric modules in slots 1.. that have to be configured: "sfm-2s"; none where they need not be
	Ports   []Port   // in the order of the front panel
	// Connectors says that ports are connectors, "1/1/c1", of which only channels are used: "1/1/c1/1". A connector has to be
	// broken out even into one channel of its own speed.
	Connectors bool
	Uplinks    []string            // ports in the order in which a leaf uses them towards spines
	Downlinks  []string            // ports in the order in which a spine uses them towards leaves
	Releases   map[string]Features // by release: "25.3"
	PortMTU    uint32              // largest port MTU in bytes
	IPMTU      uint32              // largest IP MTU in bytes
	LAGs       uint32              // highest number of a LAG
	// SpeedGroups are ports that share a clock: all of a group run at their own speed, or none does.
	SpeedGroups [][]string
	Clients     []string  // ports of a transponder towards routers, in the order in which they are used
	Grey        []string  // ports of a gateway towards transponders, in the order in which those are used that run at the speed of their clients
	Coherent    *Coherent // nil: no port takes coherent optics
	Source      string    // where the facts come from
}

// Card is a line card with the adapters that carry its ports.
type Card struct {
	Slot uint32 `yaml:"slot"`
	Type string `yaml:"type"` // "xcm-1s"
	MDAs []MDA  `yaml:"mdas"`
}

// MDA is a media dependent adapter of a card.
type MDA struct {
	Slot uint32 `yaml:"slot"`
	Type string `yaml:"type"` // "s36-400gb-qsfpdd"
}

// Kind is what a box can be. A router has any role of those that carry packets, as far as its features allow.
type Kind string

// The kinds.
const (
	Router      Kind = "router"
	Transponder Kind = "transponder"
	LineSystem  Kind = "line-system" // amplifiers, and what adds and drops channels
)

// Coherent is what a box can do with coherent optics.
type Coherent struct {
	Ports  []string // that take them, in the order in which they are used
	Modes  []CoherentMode
	Source string
}

// CoherentMode is a transceiver mode as a box is set to it.
type CoherentMode struct {
	Name     string `yaml:"mode"`     // of models/optics
	Setting  string `yaml:"setting"`  // the box's own name or number for it: "1085", "open-zrp-ofec1"
	Breakout string `yaml:"breakout"` // "3x100G": how its port is broken out then; "" where it is not
	Lanes    int    `yaml:"lanes"`    // electrical lanes that it uses; 0: all that the transceiver has
}

// Mode finds a mode by its name.
func (c *Coherent) Mode(name string) (CoherentMode, bool) {
	if c != nil {
		for _, m := range c.Modes {
			if m.Name == name {
				return m, true
			}
		}
	}
	return CoherentMode{}, false
}

// Newest is the newest release of the platform; "" where there is none.
func (p *Platform) Newest() string {
	newest := ""
	for release := range p.Releases {
		newest = max(newest, release)
	}
	return newest
}

// Port is one port of a platform, or one connector.
type Port struct {
	Name      string   // "ethernet-1/49", "1/1/c36"
	Speeds    []string // speeds it runs at, its own first: "100G", "40G"
	Breakouts []string // "4x25G"
}

// Features are what a platform can do on one release.
type Features struct {
	EVPN        bool `yaml:"evpn"` // EVPN services: MAC-VRF and IP-VRF
	VXLAN       bool `yaml:"vxlan"`
	MultiHoming bool `yaml:"multi-homing"` // ethernet segments
}

// PortIndex returns the index in Ports of the port with the given name, or -1.
func (p *Platform) PortIndex(name string) int {
	if i := ordinal(name) - 1; i >= 0 && i < len(p.Ports) && p.Ports[i].Name == name {
		return i // the usual case: ports are numbered from 1 without gaps
	}
	for i := range p.Ports {
		if p.Ports[i].Name == name {
			return i
		}
	}
	return -1
}

// Channel is the name of a channel, from 1, of a connector or of a port that is broken out: "1/1/c1/1", "ethernet-1/3/2".
func Channel(port string, n int) string { return port + "/" + strconv.Itoa(n) }

// ordinal returns N of ethernet-1/N and of 1/1/cN, or 0.
func ordinal(name string) int {
	n, start := 0, len(name)
	for start > 0 && name[start-1] >= '0' && name[start-1] <= '9' {
		start--
	}
	if len(name)-start > 4 {
		return 0
	}
	for _, digit := range name[start:] {
		n = n*10 + int(digit-'0')
	}
	return n
}
