// Package ocsim is how transponders and line systems that speak OpenConfig behave in a simulation: what their
// configuration does with light, and the state that they show.
//
// The rule that matters most: a device shows what it measures, not what it is set to. What it is set to is in state too,
// beside it, as OpenConfig has it.
//
// What it does not do:
//   - An amplifier that is to hold its output power holds its gain.
//   - Of frames nothing is counted, and of a trail trace nothing is received.
//   - Ranges of what is measured are those of the moment: they are as wide as readings scatter.
package ocsim

import (
	"strconv"
	"strings"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
)

// Software returns the behaviour.
func Software() *sim.Software {
	return &sim.Software{Light: lit, Observe: observe, Refuses: refuses, Sampled: sampled}
}

// sampled tells whether a subscription that leaves it to the device (TARGET_DEFINED) gets samples of a node: what is
// measured, which has a value for each moment.
func sampled(s *config.Schema, id config.ID) bool {
	if id == oc.ChannelMonitorsChannelMonitorChannelsChannelStatePower {
		return true // alone has no mean, least and most beside it
	}
	if s.Nodes[id].Kind == config.Leaf {
		id = s.Nodes[id].Parent
	}
	_, measured := s.Child(id, "instant")
	return measured
}

// How trees are read: by schema nodes, with defaults.
var (
	at      = oc.Schema.At
	text    = oc.Schema.Text
	whole   = oc.Schema.Number
	entries = oc.Schema.Entries
)

func key(entry config.Cursor) string { return entry.Keys()[0] }

// number is a decimal or an integer; 0 of none.
func number(c config.Cursor, leaf config.ID) float64 {
	v, _ := strconv.ParseFloat(text(c, leaf), 64) // the schema has checked it
	return v
}

// local drops the module of an identity.
func local(identity string) string { return identity[strings.IndexByte(identity, ':')+1:] }
