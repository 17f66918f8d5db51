package sros

import (
	"slices"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// Undrain returns a configuration of the gateway without what Drain has added to it, and otherwise as it is: the same tree where
// that is nothing. Whether export policies are a group's own or inherited, whether IS-IS is overloaded, and how much the gateway is preferred on
// the segment of its site, is taken from what is intended of the device today.
func Undrain(t, intended *config.Tree, d *fabric.Device) (*config.Tree, error) {
	e := undrain{drain{tree: t}, intended}
	router := observation{t.Root()}.entry(sros.ConfigureRouter, base)
	if router.Valid() {
		inherited := router.values(sros.ConfigureRouterBgpExportPolicy)
		for _, g := range router.entries(sros.ConfigureRouterBgpGroup) {
			e.exports(g, g.values(sros.ConfigureRouterBgpGroupExportPolicy), inherited)
		}
		for _, n := range router.entries(sros.ConfigureRouterBgpNeighbor) {
			e.exports(n, n.values(sros.ConfigureRouterBgpNeighborExportPolicy), nil)
		}
		for _, isis := range router.entries(sros.ConfigureRouterIsis) {
			e.forget(isis.Path().Child("overload"))
		}
	}
	e.segments()
	for _, name := range []string{policyDrain, policyInternal} {
		e.forget(pathOf(policyPath + name + "]"))
	}
	e.forget(pathOf("/configure/policy-options/community[name=" + communityDrain + "]"))
	return e.applied(d, "undrain")
}

// undrain collects what has to be written.
type undrain struct {
	drain
	intended *config.Tree
}

// exports leaves a node the export policies that it had, none where those are what it inherits.
func (e *undrain) exports(at observation, has, inherited []string) {
	rest := slices.DeleteFunc(slices.Clone(has), func(name string) bool { return name == policyDrain || name == policyInternal })
	if len(rest) == len(has) {
		return
	}
	path := at.Path().Child("export")
	own := e.intended.Find(path).Valid()
	if len(rest) == 0 || slices.Equal(rest, inherited) && !own {
		e.req.Delete = append(e.req.Delete, path.GNMI())
		return
	}
	e.list(path.Child("policy"), rest)
}

// forget deletes what nothing uses any more, unless it is intended.
func (e *undrain) forget(path config.Path) {
	if e.tree.Find(path).Valid() && !e.intended.Find(path).Valid() {
		e.req.Delete = append(e.req.Delete, path.GNMI())
	}
}
