// Package transponder is the driver for transponders and line systems that speak OpenConfig: it renders what a
// design says of light into logical channels, optical channels, amplifiers and media channels, and says which part
// of a device's configuration Loom owns.
//
// The rule that matters most: light that others pass beside is neither lit nor amplified at once. A change that makes
// more light than a step goes through stages (see Stages), and what carries traffic goes dark before it is tuned anew.
//
// What this is not: vendors name components differently and have numbers of their own for operational modes. Names are
// those of names.go; modes come from the platform's data.
package transponder

import (
	"strings"
	"time"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/driver"
)

// OS is the name of the operating system in hardware profiles and inventories.
const OS = "openconfig"

// Driver returns the driver. It is a value without state; every call returns an equal one.
func Driver() *driver.Driver {
	return &driver.Driver{
		OS:      OS,
		Schema:  oc.Schema,
		Render:  Render,
		Scope:   Scope,
		Mark:    Mark,
		Owner:   Owner,
		Factory: Factory,

		Observe:      Observe,
		ObservePaths: observePaths,
		LightPaths:   lightPaths,
		Asks:         Asks,

		Identity: driver.Identity{
			Version:  "/components/component[name=" + osComponent + "]/state/software-version",
			Chassis:  "/components/component[name=" + chassisComponent + "]/state/model-name",
			Release:  releaseOf,
			Platform: platformOf,
		},
		Manners: manners,
		Guards:  guards,

		Drain:   Drain,
		Undrain: Undrain,
		Stages:  Stages,
		Dims:    Dims,
	}
}

// manners are those of the gNMI specification; what a vendor adds is not counted on. Nothing published says how startup
// follows running, so nothing is looked at: plans say so.
var manners = driver.Manners{
	Port:        9339, // IANA, gnmi-gnoi
	GNMIVersion: "0.10.0",
	Rollback:    10 * time.Minute,
	Confirm:     func(string) bool { return false }, // the extension is optional
	Arbitrate:   func(string) bool { return false },
	ReadPaths:   []string{"/components", "/terminal-device", "/optical-amplifier", "/optical-attenuator", "/wavelength-router", "/lldp"},
	SetTimeout:  60 * time.Second,
}

// releaseOf is the set of models, whatever the vendor calls the software: it says nothing about models.
func releaseOf(version string) string {
	if version == "" {
		return ""
	}
	return oc.Schema.Releases[len(oc.Schema.Releases)-1]
}

// platformOf turns "OpenConfig transponder" into "openconfig-transponder".
func platformOf(model string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimSpace(model), " ", "-"))
}
