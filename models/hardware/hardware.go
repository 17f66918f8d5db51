// Package hardware is what Loom knows about boxes: ports, speeds, breakouts, MTU limits and
// features of each platform, as data with its source.
package hardware

// Platform is the profile of one box. It is shared by everyone who looks it up: read only.
type Platform struct {
	Name      string              // as Nokia writes it: "7220-IXR-D3L"
	Kind      Kind                // what it can be
	OS        string              // "srlinux"; "openconfig" for what speaks that and nothing of its own
	Type      string              // as the box reports it in /platform/chassis/type: "7220 IXR-D3L"
	Ports     []Port              // in the order of the front panel
	Uplinks   []string            // ports in the order in which a leaf uses them towards spines
	Downlinks []string            // ports in the order in which a spine uses them towards leaves
	Releases  map[string]Features // by release: "25.3"
	PortMTU   uint32              // largest port MTU in bytes
	IPMTU     uint32              // largest IP MTU in bytes
	LAGs      uint32              // highest number of a LAG
	// SpeedGroups are ports that share a clock: all of a group run at their own speed, or none does.
	SpeedGroups [][]string
	Clients     []string  // ports of a transponder towards routers, in the order in which they are used
	Grey        []string  // ports of a gateway towards transponders, in the order in which they are used
	Coherent    *Coherent // nil: no port takes coherent optics
	Source      string    // where the facts come from
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
	Setting  uint16 `yaml:"setting"`  // the box's own number for it
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

// Port is one port of a platform.
type Port struct {
	Name      string   // "ethernet-1/49"
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

// ordinal returns N of ethernet-1/N, or 0.
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
