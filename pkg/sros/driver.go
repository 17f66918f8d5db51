// Package sros is the driver for Nokia SR OS: it renders gateways on 7750 SR routers, and says which part of such a router's
// configuration Loom owns. A feature is a file.
//
// The rule that matters most: a gateway is one AS in two. The router itself is in the AS of the overlay, which all gateways share;
// towards its own site it shows the AS number that the design gives it. So what it hears by iBGP goes no further, and what
// crosses is what its services announce themselves.
package sros

import (
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/driver"
)

// OS is the name of the operating system in hardware profiles and inventories.
const OS = "sros"

// Driver returns the driver. It is a value without state; every call returns an equal one.
func Driver() *driver.Driver {
	return &driver.Driver{
		OS:      OS,
		Schema:  sros.Schema,
		Render:  Render,
		Scope:   Scope,
		Mark:    Mark,
		Owner:   Owner,
		Factory: Factory,

		Observe:      Observe,
		ObservePaths: slices.Concat(observePaths, servicePaths, wanPaths),
		LightPaths:   lightPaths,
		Asks:         Asks,

		Identity: driver.Identity{
			Version:  "/state/system/version/version-number",
			Chassis:  "/state/system/platform",
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

// manners are SR OS's, from its models (/configure/system/grpc) and its documentation of gRPC. Whether it has the commit-confirmed
// extension nothing published says: its models have confirmed commits for people and NETCONF only. So nobody counts on it, and each
// router is asked.
// What it saves is no JSON, and nobody looks at it. The version of gNMI: recall, not verified.
var manners = driver.Manners{
	Port:        57400,
	GNMIVersion: "0.8.0",
	Rollback:    10 * time.Minute,
	Confirm:     func(string) bool { return false },
	Ask:         true,
	Arbitrate:   func(string) bool { return false },
	SaveOn:      "/configure/system/grpc/gnmi/auto-config-save",
	ReadPaths: []string{
		"/configure/card", "/configure/sfm", "/configure/lag", "/configure/policy-options", "/configure/port", "/configure/router", "/configure/service", "/configure/system",
	},
	SetTimeout: 60 * time.Second,
	Sessions:   8,
	Channels:   225,
}

// releaseOf turns "C-26.3.R1" into "26.3".
func releaseOf(version string) string {
	if i := strings.IndexAny(version, "0123456789"); i >= 0 {
		version = version[i:]
	}
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return version
	}
	return parts[0] + "." + parts[1]
}

// platformOf turns "7750 SR-1s" into "7750-SR-1s".
func platformOf(chassis string) string {
	return strings.ReplaceAll(strings.TrimSpace(chassis), " ", "-")
}
