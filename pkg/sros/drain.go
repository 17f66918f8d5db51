package sros

import (
	"fmt"
	"slices"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// Names and values of what a drain adds.
const (
	communityDrain = "loom-graceful-shutdown"
	policyDrain    = "loom-drain"       // towards other AS numbers
	policyInternal = "loom-drain-local" // inside one

	communityShutdown = "65535:0" // GRACEFUL_SHUTDOWN, RFC 8326 §3.1
	// A path over a drained router has to be longer than any other way.
	drainPrepends = "3"
)

// Drain returns a configuration of the gateway with its traffic moved away. All that it announces by BGP becomes the last choice of
// who hears it, and stays a choice: what is reached over this gateway only is reached still. To other AS numbers the path is
// longer, inside an AS the local preference is 0, and everything carries GRACEFUL_SHUTDOWN for those who heed it (RFC 8326).
// IS-IS announces its links at the highest metric, so that what is between other sites passes it only where there is no other way:
// with the overload bit (ISO 10589 §7.2.8.1) nothing would, and gateways drained at two sites could part them. Its own loopback stays
// reached, for routes decide about tunnels that end there. On the segment of its site it yields to the others (RFC 9785 §4.1),
// and keeps to itself the routes that would bring it a share of what they take (withheld).
//
// The policy stands in front of those that are there and leaves the decision to them. Draining twice is draining once.
func Drain(t *config.Tree, d *fabric.Device) (*config.Tree, error) {
	e := drain{tree: t, policies: map[string]bool{}, shared: shares(t)}
	router := observation{t.Root()}.entry(sros.ConfigureRouter, base)
	if router.Valid() {
		e.bgp(router)
		for _, isis := range router.entries(sros.ConfigureRouterIsis) {
			if !isis.has(sros.ConfigureRouterIsisOverload) {
				e.put(isis.Path().Child("overload"), &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(`{"max-metric": true}`)}})
			}
		}
	}
	e.define(d)
	e.segments()
	return e.applied(d, "drain")
}

// drain collects what has to be written.
type drain struct {
	tree     *config.Tree
	req      gnmi.SetRequest
	policies map[string]bool // that are put to use
	shared   bool            // others stitch what the router does
}

func (e *drain) applied(d *fabric.Device, rule string) (*config.Tree, error) {
	if len(e.req.Replace)+len(e.req.Delete) == 0 {
		return e.tree, nil
	}
	out, err := config.ApplyFor(e.tree, &e.req, config.Cause{Ref: string(d.Ref), Rule: rule})
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", d.Name, rule, err)
	}
	return out, nil
}

// bgp puts the policy in front of all that the router announces. What a group has of its own stands in for what the router has,
// and what a neighbor has for what its group has.
func (e *drain) bgp(router observation) {
	inherited := router.values(sros.ConfigureRouterBgpExportPolicy)
	internal := map[string]bool{}
	for name, g := range router.entries(sros.ConfigureRouterBgpGroup) {
		internal[name] = router.internal(name, g)
		policies := inherited
		if g.has(sros.ConfigureRouterBgpGroupExport) {
			policies = g.values(sros.ConfigureRouterBgpGroupExportPolicy)
		}
		e.front(g.Path(), policies, internal[name])
	}
	for _, n := range router.entries(sros.ConfigureRouterBgpNeighbor) {
		if n.has(sros.ConfigureRouterBgpNeighborExport) {
			e.front(n.Path(), n.values(sros.ConfigureRouterBgpNeighborExportPolicy), internal[n.text(sros.ConfigureRouterBgpNeighborGroup)])
		}
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
		e.list(at.Child("export").Child("policy"), append([]string{name}, others...))
	}
}

// internal tells whether the sessions of a group are with the own AS.
func (o observation) internal(name string, group observation) bool {
	own := group.number(sros.ConfigureRouterBgpGroupLocalAsAsNumber)
	if own == 0 {
		own = o.number(sros.ConfigureRouterAutonomousSystem)
	}
	if as := group.number(sros.ConfigureRouterBgpGroupPeerAs); as != 0 {
		return as == own
	}
	for _, n := range o.entries(sros.ConfigureRouterBgpNeighbor) {
		if n.text(sros.ConfigureRouterBgpNeighborGroup) == name {
			return n.number(sros.ConfigureRouterBgpNeighborPeerAs) == own
		}
	}
	return false
}

const policyPath = "/configure/policy-options/policy-statement[name="

// withheld are the types of routes that a gateway of several tells nobody while it is drained. Who has a MAC address on a segment
// sends to all that have announced the segment and the instance (aliasing, RFC 7432 §8.4), whatever BGP says of their routes; and of
// two routes of one MAC address EVPN takes that of the lowest address, not the more preferred one. Another gateway of the site
// says the same, and what nobody says any more is flooded. Types 3 and 4 stay: with them what is flooded still passes here if the
// others are gone, for then it is this one that is elected. Prefixes stay too, as the last choice: BGP decides about them.
var withheld = []string{"ethernet-auto-discovery", "mac-ip-advertisement"}

// withhold writes an entry for each type into a policy.
func (e *drain) withhold(policy string) {
	for i, kind := range withheld {
		entry := pathOf(policyPath + policy + "]/entry[entry-id=" + decimal(10*(i+1)) + "]")
		e.leaf(entry.Child("from").Child("evpn-type"), kind)
		e.leaf(entry.Child("action").Child("action-type"), "reject")
	}
}

// define writes the policies that are put to use.
func (e *drain) define(d *fabric.Device) {
	if len(e.policies) == 0 {
		return
	}
	e.put(pathOf("/configure/policy-options/community[name="+communityDrain+"]/member[member="+communityShutdown+"]"), nil)
	for _, name := range []string{policyDrain, policyInternal} {
		if !e.policies[name] {
			continue
		}
		if e.shared {
			e.withhold(name)
		}
		action := pathOf(policyPath + name + "]/default-action")
		e.leaf(action.Child("action-type"), "next-policy")
		e.list(action.Child("community").Child("add"), []string{communityDrain})
		if name == policyInternal {
			e.leaf(action.Child("local-preference"), "0")
			continue
		}
		e.leaf(action.Child("as-path-prepend").Child("as-path"), decimal(d.ASN))
		e.leaf(action.Child("as-path-prepend").Child("repeat"), drainPrepends)
	}
}

// leaf writes a leaf that has another value.
func (e *drain) leaf(at config.Path, value string) {
	if c := e.tree.Find(at); !c.Valid() || c.Value() != value {
		e.put(at, word(value))
	}
}

// put writes a node where it is not there; without a value it is an entry with nothing but its keys.
func (e *drain) put(at config.Path, value *gnmi.TypedValue) {
	if value == nil {
		if e.tree.Find(at).Valid() {
			return
		}
		value = &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte("{}")}}
	}
	e.req.Replace = append(e.req.Replace, &gnmi.Update{Path: at.GNMI(), Val: value})
}

// list writes a leaf-list that has other values, or the same in another order.
func (e *drain) list(at config.Path, all []string) {
	var has []string
	for v := range e.tree.Find(at).Children() {
		has = append(has, v.Value())
	}
	if slices.Equal(has, all) {
		return
	}
	list := &gnmi.ScalarArray{}
	for _, v := range all {
		list.Element = append(list.Element, word(v))
	}
	e.put(at, &gnmi.TypedValue{Value: &gnmi.TypedValue_LeaflistVal{LeaflistVal: list}})
}

func word(text string) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: text}}
}
