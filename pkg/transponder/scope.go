package transponder

import (
	"sync"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// ownership is what Loom owns on a transponder or line system. Hardware is owned entry by entry, as far as the design
// uses it: nobody can delete a port. What is made by configuration alone is owned whole, as are lasers that
// leave by line ports: light that nobody intends disturbs the channels of others.
var ownership = []struct {
	path string
	own  config.Ownership
	why  string
}{
	{"/components/component", config.Entry, "ports and transceivers that are in use"},
	{"/components/component[name=" + opticalPrefix + "*]", config.Whole, "channels of light"},
	{"/components/component[name=" + transceiver("line-*") + "]/transceiver/physical-channels", config.Whole, "no laser sends into a line that nobody intends"},
	{"/terminal-device/logical-channels", config.Whole, "how clients come to the line"},
	{"/optical-amplifier/amplifiers/amplifier", config.Entry, "amplifiers that are in use"},
	{"/optical-attenuator/attenuators/attenuator", config.Entry, "attenuators that are in use"},
	{"/wavelength-router/media-channels", config.Whole, "which spectrum goes where"},
	{"/lldp/config/system-name", config.Whole, "neighbors and telemetry name the device by it"},
	{"/lldp/config/system-description", config.Whole, "the mark that says whose the device is"},
}

// owned is the table as rules; reading it once is enough, for nobody changes a rule.
var owned = sync.OnceValue(func() config.Scope {
	var s config.Scope
	for _, o := range ownership {
		s = append(s, rule(o.path, o.own, o.why))
	}
	return s[:len(s):len(s)]
})

// Scope is the part of a device's configuration that Loom owns.
func Scope(d *fabric.Device) config.Scope {
	s := owned()
	for _, leaf := range d.Raw {
		if p, err := config.ParsePath(leaf.Path); err == nil {
			s = append(s, config.Rule{Path: p, Own: config.Whole, Why: "set by the topology"})
		}
	}
	return s
}

// rule panics on a path that does not parse: the table above is the programmer's.
func rule(path string, own config.Ownership, why string) config.Rule {
	p, err := config.ParsePath(path)
	if err != nil {
		panic(err)
	}
	return config.Rule{Path: p, Own: own, Why: why}
}
