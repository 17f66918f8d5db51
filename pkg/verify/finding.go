package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/fabric"
)

// Kind is what kind of thing is not as designed.
type Kind string

// The kinds of findings, in the order in which they are worth reading.
const (
	DeviceUnreachable Kind = "device-unreachable" // it cannot be read
	Drifted           Kind = "drift"              // its configuration is not the intended one
	FibreCut          Kind = "fibre-cut"          // no light comes through a duct
	AmplifierOff      Kind = "amplifier"          // an amplifier does not give what it is set to
	FibreLoss         Kind = "fibre-loss"         // a duct takes more light than planned
	NoiseAdded        Kind = "noise"              // a line adds more noise than planned
	ConnectorLoss     Kind = "connector"          // light is lost between a line and what is plugged into it
	LaserOff          Kind = "laser-off"          // a coherent port sends nothing
	Mistuned          Kind = "tuning"             // a coherent port is not at the frequency, mode or power that is intended
	SpectrumShut      Kind = "spectrum"           // the end of a line does not pass what a channel needs
	ChannelDown       Kind = "channel-down"       // an end of a channel does not understand what comes in
	OffPlan           Kind = "off-plan"           // a channel arrives otherwise than planned
	MarginLow         Kind = "margin"             // a channel has less margin than is asked
	MarginFalling     Kind = "margin-falling"     // a channel will have no margin left before long (see History)
	InterfaceDown     Kind = "interface-down"     // a port that the design uses is down
	CableWrong        Kind = "cable"              // LLDP sees another far end than the design, or none
	LAGDegraded       Kind = "lag-degraded"       // members of a LAG are down
	AdjacencyDown     Kind = "adjacency-down"     // IS-IS on a trunk between gateways has no neighbor, or another one
	SessionDown       Kind = "session-down"       // a BGP session is not established
	SessionFamily     Kind = "session-family"     // an address family of it was not negotiated
	BFDDown           Kind = "bfd-down"           // nothing watches a session that stands
	ServiceDown       Kind = "service-down"       // what a gateway stitches a tenant or a segment with is down
	TunnelMissing     Kind = "tunnel-missing"     // a leaf or gateway does not send broadcast of a segment to another one that has it, or has no MPLS to it
	SegmentBroken     Kind = "segment"            // an ethernet segment is down, lacks an end, or has no single designated forwarder
	RoutesMissing     Kind = "routes-missing"     // a gateway has no routes of a tenant from one of its sides
	CapacityLost      Kind = "capacity"           // channels or cables of a DCI are down
)

// Severity is how bad a finding is by itself.
type Severity int

// The severities, from bad to worse.
const (
	// Notice is what may be as it should be: nothing is plugged into a port that no cable is listed for.
	Notice Severity = iota
	// Warning is what carries traffic, or would, but not as designed.
	Warning
	// Error is what carries no traffic.
	Error
)

var severities = []string{"notice", "warning", "error"}

// String returns "error", "warning" or "notice".
func (s Severity) String() string { return severities[s] }

// MarshalText writes the severity as String does.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Severity) UnmarshalText(text []byte) error {
	i := slices.Index(severities, string(text))
	if i < 0 {
		return fmt.Errorf("severity %q: is none of %s", text, strings.Join(severities, ", "))
	}
	*s = Severity(i)
	return nil
}

// Finding is one difference between the design and what was observed.
type Finding struct {
	// ID is kind and object. It does not depend on what the devices say.
	ID       string     `json:"id"`
	Kind     Kind       `json:"kind"`
	Severity Severity   `json:"severity"`
	Devices  []string   `json:"devices"` // all ends, in the order of the design
	Object   string     `json:"object"`  // "leaf1:ethernet-1/49 - spine1:ethernet-1/1"
	Message  string     `json:"message"` // the object first, then the evidence of each end
	Ref      fabric.Ref `json:"ref"`     // of the intent
	// Absent means that the object does not exist on a device at all: not configured, or not enabled. To an index of
	// Wanting only where it is known what the devices without it are to have: others are left as they are.
	Absent bool `json:"absent,omitempty"`
	// Withdrawn means that the object is to be absent: the configuration that is wanted of one of its ends does not
	// ask for it (see Index.Wanting).
	Withdrawn bool `json:"withdrawn,omitempty"`
	// Perhaps are devices of which one may be the other end, where it is not known; of light, all that it passes on its way.
	Perhaps []string `json:"perhaps,omitempty"`
	// Ducts are what a fibre-cut or fibre-loss is of, as fabric.Restore takes it: the duct, those of which it is one, or what ducts share.
	Ducts []string `json:"ducts,omitempty"`
	// Causes are the IDs of findings that explain this one, sorted. A finding without is a root.
	Causes []string `json:"causes,omitempty"`
}

// Root tells whether nothing else explains the finding.
func (f *Finding) Root() bool { return len(f.Causes) == 0 }
