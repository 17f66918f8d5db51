package srlinux

import (
	"fmt"
	"slices"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// Undrain returns a configuration of the device without what Drain has added to it, and otherwise as it is: the same tree
// where that is nothing. What a drain has overwritten is taken from what is intended of the device today: whether a port of an
// ethernet segment is up, and whether export policies are a group's own or inherited.
func Undrain(t, intended *config.Tree, d *fabric.Device) (*config.Tree, error) {
	e := undrain{drain{tree: t, root: observation{t.Root()}}, intended}
	for _, ni := range e.root.entries(srl.NetworkInstance) {
		e.instance(ni)
	}
	e.segments()
	e.forget()
	if len(e.req.Replace)+len(e.req.Delete) == 0 {
		return t, nil
	}
	out, err := config.ApplyFor(t, &e.req, config.Cause{Ref: string(d.Ref), Rule: "undrain"})
	if err != nil {
		return nil, fmt.Errorf("%s: undrain: %w", d.Name, err)
	}
	return out, nil
}

// undrain collects what has to be written.
type undrain struct {
	drain
	intended *config.Tree
}

// instance takes the policy away from wherever a network instance announces something by BGP.
func (e *undrain) instance(ni observation) {
	inherited := values(ni.at(srl.NetworkInstanceProtocolsBgpExportPolicy))
	for _, g := range ni.entries(srl.NetworkInstanceProtocolsBgpGroup) {
		e.exports(g, srl.NetworkInstanceProtocolsBgpGroupExportPolicy, inherited)
		for _, a := range g.entries(srl.NetworkInstanceProtocolsBgpGroupAfiSafi) {
			e.exports(a, srl.NetworkInstanceProtocolsBgpGroupAfiSafiExportPolicy, nil)
		}
	}
	for _, n := range ni.entries(srl.NetworkInstanceProtocolsBgpNeighbor) {
		e.exports(n, srl.NetworkInstanceProtocolsBgpNeighborExportPolicy, nil)
		for _, a := range n.entries(srl.NetworkInstanceProtocolsBgpNeighborAfiSafi) {
			e.exports(a, srl.NetworkInstanceProtocolsBgpNeighborAfiSafiExportPolicy, nil)
		}
	}
}

// exports leaves a node the export policies that it had, none where those are what it inherits.
func (e *undrain) exports(at observation, leaf config.ID, inherited []string) {
	has := values(at.at(leaf))
	rest := slices.DeleteFunc(slices.Clone(has), func(name string) bool { return name == policyDrain || name == policyInternal })
	if len(rest) == len(has) {
		return
	}
	path := at.Path().Child("export-policy")
	own := e.intended.Find(path).Valid()
	if len(rest) == 0 || slices.Equal(rest, inherited) && !own {
		e.req.Delete = append(e.req.Delete, path.GNMI())
		return
	}
	e.list(path, rest)
}

// segments brings the ports of ethernet segments up, but those that are down on purpose.
func (e *undrain) segments() {
	for _, port := range e.root.segmentPorts() {
		path := port.Path().Child("admin-state")
		want := "enable"
		if c := e.intended.Find(path); c.Valid() {
			want = c.Value()
		}
		if port.text(srl.InterfaceAdminState) == switchedOff && want != switchedOff {
			e.leaf(path, want)
		}
	}
}

// forget deletes the policies and the set that nothing uses any more.
func (e *undrain) forget() {
	for _, path := range []string{
		"/routing-policy/policy[name=" + policyDrain + "]", "/routing-policy/policy[name=" + policyInternal + "]", "/routing-policy/community-set[name=" + setShutdown + "]",
	} {
		if p := drained(path); e.tree.Find(p).Valid() {
			e.req.Delete = append(e.req.Delete, p.GNMI())
		}
	}
}
