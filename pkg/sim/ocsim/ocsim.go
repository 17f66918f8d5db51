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
	"iter"
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

// at is the node below c that has a schema node, with nothing but containers in between; the zero Cursor where there is none.
func at(c config.Cursor, id config.ID) config.Cursor {
	if !c.Valid() || id == config.Root {
		return config.Cursor{}
	}
	if parent := oc.Schema.Nodes[id].Parent; parent != c.ID() {
		c = at(c, parent)
	}
	return c.Child(id)
}

// text is the value of a leaf, its default where it is absent.
func text(c config.Cursor, leaf config.ID) string {
	if found := at(c, leaf); found.Valid() {
		return found.Value()
	}
	return oc.Schema.Nodes[leaf].Default
}

func entries(c config.Cursor, list config.ID) iter.Seq[config.Cursor] { return at(c, list).Children() }

func key(entry config.Cursor) string { return entry.Keys()[0] }

// number is a decimal or an integer; 0 of none.
func number(c config.Cursor, leaf config.ID) float64 {
	v, _ := strconv.ParseFloat(text(c, leaf), 64) // the schema has checked it
	return v
}

func whole(c config.Cursor, leaf config.ID) uint64 {
	v, _ := strconv.ParseUint(text(c, leaf), 10, 64) // likewise
	return v
}

// local drops the module of an identity.
func local(identity string) string { return identity[strings.IndexByte(identity, ':')+1:] }
