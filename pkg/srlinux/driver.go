// Package srlinux is the driver for Nokia SR Linux: it renders a design into the configuration of
// 7220 and 7250 IXR routers for every release of the profile, and says which part of a router's
// configuration Loom owns. A feature is a file.
//
// The rule that matters most: a dialect is chosen by asking the profile whether the release has a
// node, never by comparing release numbers.
package srlinux

import (
	"strings"
	"time"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/driver"
)

// OS is the name of the operating system in hardware profiles and inventories.
const OS = "srlinux"

// Driver returns the driver. It is a value without state; every call returns an equal one.
func Driver() *driver.Driver {
	return &driver.Driver{
		OS:      OS,
		Schema:  srl.Schema,
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
			Version:  "/system/information/version",
			Chassis:  "/platform/chassis/type",
			Release:  releaseOf,
			Platform: platformOf,
		},
		Manners: manners,
		Guards:  guards,

		Drain:      Drain,
		Undrain:    Undrain,
		Disruptive: disruptive,
		Stages:     pluggables.Stages,
		Dims:       pluggables.Dims,
	}
}

// manners are SR Linux's, from its documentation and its models (srl_nokia-grpc, srl_nokia-gnmi).
var manners = driver.Manners{
	Port:        57400,
	GNMIVersion: "0.10.0",
	Rollback:    10 * time.Minute, // default of the commit-confirmed extension
	Confirm:     func(release string) bool { return release != "23.10" },
	Arbitrate:   func(string) bool { return false }, // nothing published says that a release honours it
	SaveOn:      "/system/configuration/auto-save",
	StartupFile: "/etc/opt/srlinux/config.json",
	// config.json begins with {"_preamble":{"header":{"generated-by":"SRLINUX","created":...}}}: seen of 25.10 and 26.3.
	Preamble: "_preamble",
	// All of /system, because a raw leaf may lie anywhere in it.
	ReadPaths: []string{"/interface", "/network-instance", "/tunnel-interface", "/routing-policy", "/bfd", "/system"},
	// A router takes no more than 36 paths in one subscription (srl_nokia-configuration), so not all state is left out.
	Restless:   []string{"/interface/statistics", "/interface/traffic-rate", "/network-instance/route-table", "/network-instance/bgp-rib"},
	SetTimeout: 60 * time.Second,
}

// releaseOf turns "v25.3.1-149-g1234" into "25.3".
func releaseOf(version string) string {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return version
	}
	return parts[0] + "." + parts[1]
}

// platformOf turns "7220 IXR-D3L" into "7220-IXR-D3L".
func platformOf(chassis string) string {
	return strings.ReplaceAll(strings.TrimSpace(chassis), " ", "-")
}
