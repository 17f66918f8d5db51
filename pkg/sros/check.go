package sros

import (
	"errors"
	"fmt"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// canRender refuses what the driver has no words for, before it says half of it.
func (r renderer) canRender() error {
	switch d := r.d; {
	case d.Role != fabric.Gateway:
		return caused(d.Ref, "role", "SR OS routers are gateways here, and this is a %s; use a platform with SR Linux", d.Role)
	case len(d.Ports)+len(d.LAGs)+len(d.Segments)+len(d.VRFs) > 0:
		return caused(d.Ref, "services", "a gateway on SR OS has no servers of its own")
	}
	return r.canStitch()
}

// caused says what the design asks for and cannot have.
func caused(ref fabric.Ref, rule, format string, args ...any) error {
	return &config.CausedError{Cause: config.Cause{Ref: string(ref), Rule: rule}, Err: fmt.Errorf(format, args...)}
}

// check rejects what the YANG models accept and a router does not: a name that only looks like a reference, and the limits of the
// platform. A raw leaf can break each of them.
func check(t *config.Tree, d *fabric.Device) error {
	return errors.Join(checkPorts(t, d), checkLAGs(t, d), checkServices(t), checkScope(t, d))
}

// checkScope: what the operator sets by path may lie where nobody but the router's owner writes. What the driver renders by itself
// lies inside; a test holds that.
func checkScope(t *config.Tree, d *fabric.Device) error {
	if len(d.Raw) == 0 {
		return nil
	}
	var errs []error
	for _, p := range Scope(d).Outside(t) {
		errs = append(errs, mistake(t.Find(p), "outside of what Loom owns on SR OS; remove it from the topology"))
	}
	return errors.Join(errs...)
}
