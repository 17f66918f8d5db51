package srlinux

import (
	"fmt"
	"slices"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// Names and values of what a drain adds.
const (
	setShutdown    = "loom-graceful-shutdown"
	policyDrain    = "loom-drain"       // towards other AS numbers
	policyInternal = "loom-drain-local" // inside one

	communityShutdown = "65535:0" // GRACEFUL_SHUTDOWN, RFC 8326 §3.1
	// A path over a drained router has to be longer than any other way: in a fabric of leaves and
	// spines all ways are equally long, and one AS number more would do.
	drainPrepends = "3"
)

// Drain returns a configuration of the device with its traffic moved away. All that it announces becomes
// the last choice of who hears it, and stays a choice: what is reached over this router only is reached still.
// To other AS numbers the path is longer, inside an AS the local preference is 0 (the longer path would look
// like a loop there, RFC 4271 §9.1.2), and everything carries GRACEFUL_SHUTDOWN for those who heed it (RFC 8326).
// The ports of ethernet segments go down, so that servers use their other leaf (RFC 7432 §17.3).
//
// The policy stands in front of those that are there and leaves the decision to them. Draining twice is
// draining once. An error names an export policy that is where none can stand in front of it.
func Drain(t *config.Tree, d *fabric.Device) (*config.Tree, error) {
	e := drain{tree: t, root: observation{t.Root()}, policies: map[string]bool{}}
	for _, ni := range e.root.entries(srl.NetworkInstance) {
		if err := e.instance(ni); err != nil {
			return nil, fmt.Errorf("%s: drain: %w", d.Name, err)
		}
	}
	e.segments()
	e.define()
	if len(e.req.Replace) == 0 {
		return t, nil
	}
	out, err := config.ApplyFor(t, &e.req, config.Cause{Ref: string(d.Ref), Rule: "drain"})
	if err != nil {
		return nil, fmt.Errorf("%s: drain: %w", d.Name, err)
	}
	return out, nil
}

// drain collects what has to be written.
type drain struct {
	tree     *config.Tree
	root     observation
	req      gnmi.SetRequest
	policies map[string]bool // that are put to use
}

// instance puts the policy in front of all that a network instance announces by BGP. What a group has of
// its own stands in for what the instance has, and what a neighbor has for what its group has.
func (e *drain) instance(ni observation) error {
	for _, a := range ni.entries(srl.NetworkInstanceProtocolsBgpAfiSafi) {
		if a.has(srl.NetworkInstanceProtocolsBgpAfiSafiExportPolicy) {
			return fmt.Errorf("%s: its export policy is that of all groups, inside an AS and outside; give it to the groups instead", a.Path())
		}
	}
	inherited := values(ni.at(srl.NetworkInstanceProtocolsBgpExportPolicy))
	internal := map[string]bool{}
	for group, g := range ni.entries(srl.NetworkInstanceProtocolsBgpGroup) {
		internal[group] = ni.internal(group, g)
		own := g.at(srl.NetworkInstanceProtocolsBgpGroupExportPolicy)
		policies := inherited
		if own.Valid() {
			policies = values(own)
		}
		e.front(g.Path(), policies, internal[group])
		for _, a := range g.entries(srl.NetworkInstanceProtocolsBgpGroupAfiSafi) {
			e.overrides(a, srl.NetworkInstanceProtocolsBgpGroupAfiSafiExportPolicy, internal[group])
		}
	}
	for _, n := range ni.entries(srl.NetworkInstanceProtocolsBgpNeighbor) {
		local := internal[n.text(srl.NetworkInstanceProtocolsBgpNeighborPeerGroup)]
		e.overrides(n, srl.NetworkInstanceProtocolsBgpNeighborExportPolicy, local)
		for _, a := range n.entries(srl.NetworkInstanceProtocolsBgpNeighborAfiSafi) {
			e.overrides(a, srl.NetworkInstanceProtocolsBgpNeighborAfiSafiExportPolicy, local)
		}
	}
	return nil
}

// overrides puts the policy in front where a node has export policies of its own.
func (e *drain) overrides(at observation, leaf config.ID, internal bool) {
	if own := at.at(leaf); own.Valid() {
		e.front(at.Path(), values(own), internal)
	}
}

// front puts the policy in front of others.
func (e *drain) front(at config.Path, others []string, internal bool) {
	name := policyDrain
	if internal {
		name = policyInternal
	}
	e.policies[name] = true
	if len(others) == 0 || others[0] != name {
		e.list(at.Child("export-policy"), append([]string{name}, others...))
	}
}

// internal tells whether the sessions of a group are with the own AS.
func (o observation) internal(name string, group observation) bool {
	own := group.number(srl.NetworkInstanceProtocolsBgpGroupLocalAsAsNumber)
	if own == 0 {
		own = o.number(srl.NetworkInstanceProtocolsBgpAutonomousSystem)
	}
	if as := group.number(srl.NetworkInstanceProtocolsBgpGroupPeerAs); as != 0 {
		return as == own
	}
	for _, n := range o.entries(srl.NetworkInstanceProtocolsBgpNeighbor) {
		if n.text(srl.NetworkInstanceProtocolsBgpNeighborPeerGroup) == name {
			return n.number(srl.NetworkInstanceProtocolsBgpNeighborPeerAs) == own
		}
	}
	return false
}

// segments takes the ports of ethernet segments down. A LAG itself stays as it is: without ports it
// is down, and its LACP says nothing that a server would wait for.
func (e *drain) segments() {
	for _, port := range e.root.segmentPorts() {
		if port.text(srl.InterfaceAdminState) != switchedOff {
			e.leaf(port.Path().Child("admin-state"), switchedOff)
		}
	}
}

// segmentPorts are the interfaces of ethernet segments: ports that are one themselves, and members of LAGs that are.
func (o observation) segmentPorts() (out []observation) {
	ports := map[string]bool{}
	const list = srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstance
	for _, bgp := range o.entries(list) {
		for _, es := range bgp.entries(srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegment) {
			for port := range es.entries(srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentInterface) {
				ports[port] = true
			}
		}
	}
	for name, i := range o.entries(srl.Interface) {
		bundle := i.text(srl.InterfaceEthernetAggregateId)
		if ports[name] && !i.has(srl.InterfaceLag) || bundle != "" && ports[bundle] {
			out = append(out, i)
		}
	}
	return out
}

// define writes the policies that are put to use.
func (e *drain) define() {
	if len(e.policies) == 0 {
		return
	}
	set := drained("/routing-policy/community-set[name=" + setShutdown + "]")
	e.list(set.Child("member"), []string{communityShutdown})
	for _, name := range []string{policyDrain, policyInternal} {
		if !e.policies[name] {
			continue
		}
		action := drained("/routing-policy/policy[name=" + name + "]/default-action")
		e.leaf(action.Child("policy-result"), "next-policy")
		bgp := action.Child("bgp")
		e.leaf(bgp.Child("communities").Child("add"), setShutdown)
		if name == policyInternal {
			e.leaf(bgp.Child("local-preference").Child("set"), "0")
			continue
		}
		e.leaf(bgp.Child("as-path").Child("prepend").Child("as-number"), "auto")
		e.leaf(bgp.Child("as-path").Child("prepend").Child("repeat-n"), drainPrepends)
	}
}

// drained panics on a path that does not parse: it is the programmer's.
func drained(path string) config.Path { return rule(path, config.Whole, "").Path }

// leaf writes a leaf that has another value.
func (e *drain) leaf(at config.Path, value string) {
	if c := e.tree.Find(at); !c.Valid() || c.Value() != value {
		e.req.Replace = append(e.req.Replace, &gnmi.Update{Path: at.GNMI(), Val: word(value)})
	}
}

// list writes a leaf-list that has other values, or the same in another order.
func (e *drain) list(at config.Path, all []string) {
	if slices.Equal(values(observation{e.tree.Find(at)}), all) {
		return
	}
	list := &gnmi.ScalarArray{}
	for _, v := range all {
		list.Element = append(list.Element, word(v))
	}
	e.req.Replace = append(e.req.Replace, &gnmi.Update{Path: at.GNMI(), Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_LeaflistVal{LeaflistVal: list}}})
}

func word(text string) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: text}}
}

// values are those of a leaf-list, in their order.
func values(list observation) []string { return srl.Schema.Texts(list.Cursor, list.ID()) }
