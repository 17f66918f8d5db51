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
		checkUnique(t, srl.TunnelInterfaceVxlanInterfaceIngressVni, "vni"),
		checkUnique(t, srl.NetworkInstanceProtocolsBgpEvpnBgpInstanceEvi, "evi"),
		checkMTU(t, d),
	)
}

// checkSubinterfaces: /network-instance/interface/name is a pattern in the models, not a leafref.
func checkSubinterfaces(t *config.Tree) error {
	var errs []error
	have := map[string]bool{}
	for name := range entries(t, srl.Interface) {
		for sub := range name.Child(srl.InterfaceSubinterface).Children() {
			have[name.Keys()[0]+"."+sub.Keys()[0]] = true
		}
	}
	for ni := range entries(t, srl.NetworkInstance) {
		for i := range ni.Child(srl.NetworkInstanceInterface).Children() {
			if name := i.Keys()[0]; !have[name] {
				errs = append(errs, fmt.Errorf("%s: no subinterface %s", i.Path(), name))
			}
		}
	}
	return errors.Join(errs...)
}

// checkUnique: two entries may not share a VNI or an EVI on one device.
func checkUnique(t *config.Tree, id config.ID, what string) error {
	var errs []error
	first := map[string]config.Path{}
	walk(t.Root(), func(c config.Cursor) {
		if c.ID() != id {
			return
		}
		if p, taken := first[c.Value()]; taken {
			errs = append(errs, fmt.Errorf("%s: %s %s is used by %s already", c.Path(), what, c.Value(), p))
			return
		}
		first[c.Value()] = c.Path()
	})
	return errors.Join(errs...)
}

// checkMTU: the models allow more than the platforms do (/interface/mtu 9500, ip-mtu 9486).
func checkMTU(t *config.Tree, d *fabric.Device) error {
	limits := map[config.ID]uint32{
		srl.InterfaceMtu:               d.Platform.PortMTU,
		srl.InterfaceSubinterfaceIpMtu: d.Platform.IPMTU,
	}
	var errs []error
	walk(t.Root(), func(c config.Cursor) {
		limit, ok := limits[c.ID()]
		if v, err := strconv.ParseUint(c.Value(), 10, 32); ok && limit != 0 && err == nil && v > uint64(limit) {
			errs = append(errs, fmt.Errorf("%s: %d is more than a %s takes; at most %d", c.Path(), v, d.Platform.Name, limit))
		}
	})
	return errors.Join(errs...)
}

// entries are the entries of a top-level list.
func entries(t *config.Tree, list config.ID) func(func(config.Cursor) bool) {
	return t.Root().Child(list).Children()
}

func walk(c config.Cursor, visit func(config.Cursor)) {
	visit(c)
	for child := range c.Children() {
		walk(child, visit)
	}
}
