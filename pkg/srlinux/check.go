package srlinux

import (
	"errors"
	"fmt"
	"strconv"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// check rejects what the YANG models accept and a router does not: a name that only looks like a
// reference, a number that must be unique, and the limits of the platform. A raw leaf can break
// each of them.
func check(t *config.Tree, d *fabric.Device) error {
	return errors.Join(
		checkSubinterfaces(t),
		checkLeaves(t, d),
		checkFrames(t),
		checkBreakouts(t, d),
		checkCoherent(t),
		checkGateways(t),
		checkLAGs(t, d),
		checkScope(t, d),
	)
}

// mistake says what is wrong at a node, and keeps what caused it.
func mistake(at config.Cursor, format string, args ...any) error {
	return &config.CausedError{Cause: at.Cause(), Err: fmt.Errorf("%s: %w", at.Path(), fmt.Errorf(format, args...))}
}

// checkScope: what the operator sets by path may lie where nobody but the router's owner writes. What
// the driver renders by itself lies inside; a test holds that for every topology.
func checkScope(t *config.Tree, d *fabric.Device) error {
	if len(d.Raw) == 0 {
		return nil
	}
	var errs []error
	for _, p := range Scope(d).Outside(t) {
		errs = append(errs, mistake(t.Find(p), "outside of what Loom owns on SR Linux; remove it from the topology"))
	}
	return errors.Join(errs...)
}

// checkSubinterfaces: /network-instance/interface/name is a pattern in the models, not a leafref.
func checkSubinterfaces(t *config.Tree) error {
	var errs []error
	have := map[string]bool{}
	for name := range entries(t, srl.Interface) {
		for sub := range name.Child(srl.InterfaceSubinterface).Children() {
			have[onlyKey(name)+"."+onlyKey(sub)] = true
		}
	}
	for ni := range entries(t, srl.NetworkInstance) {
		for i := range ni.Child(srl.NetworkInstanceInterface).Children() {
			if name := onlyKey(i); !have[name] {
				errs = append(errs, mistake(i, "no subinterface %s", name))
			}
		}
	}
	return errors.Join(errs...)
}

// onlyKey is the key of an entry of a list with one key.
func onlyKey(entry config.Cursor) string { return entry.Child(entry.Node().Keys[0]).Value() }

// checkLeaves looks once at every leaf for numbers that may not be.
func checkLeaves(t *config.Tree, d *fabric.Device) error {
	vnis, evis := unique{what: "vni"}, unique{what: "evi"}
	var errs []error
	for c := range t.All() {
		switch c.ID() {
		case srl.TunnelInterfaceVxlanInterfaceIngressVni:
			errs = append(errs, vnis.check(c))
		case srl.NetworkInstanceProtocolsBgpEvpnBgpInstanceEvi:
			errs = append(errs, evis.check(c))
		case srl.InterfaceMtu:
			errs = append(errs, checkMTU(c, d, leastPortMTU, d.Platform.PortMTU))
		case srl.InterfaceSubinterfaceIpMtu:
			errs = append(errs, checkMTU(c, d, 0, d.Platform.IPMTU))
		}
	}
	return errors.Join(errs...)
}

// unique is the VNIs or EVIs of one device, of which no two may be equal.
type unique struct {
	what  string
	first map[string]config.Cursor
}

func (u *unique) check(c config.Cursor) error {
	if other, taken := u.first[c.Value()]; taken {
		return mistake(c, "%s %s is used by %s already", u.what, c.Value(), other.Path())
	}
	if u.first == nil {
		u.first = map[string]config.Cursor{}
	}
	u.first[c.Value()] = c
	return nil
}

// leastPortMTU is a must of /interface/mtu; its range begins at 1450 for virtual machines.
const leastPortMTU = 1500

// checkMTU: the models allow more than the platforms do (/interface/mtu 9500, ip-mtu 9486).
func checkMTU(c config.Cursor, d *fabric.Device, least, most uint32) error {
	v, err := strconv.ParseUint(c.Value(), 10, 32)
	switch {
	case err != nil:
		return mistake(c, "%w", err)
	case v < uint64(least):
		return mistake(c, "%d is less than a %s takes; at least %d", v, d.Platform.Name, least)
	case most != 0 && v > uint64(most):
		return mistake(c, "%d is more than a %s takes; at most %d", v, d.Platform.Name, most)
	}
	return nil
}

// entries are the entries of a top-level list.
func entries(t *config.Tree, list config.ID) func(func(config.Cursor) bool) {
	return t.Root().Child(list).Children()
}
