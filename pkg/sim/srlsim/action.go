package srlsim

import (
	"net/netip"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// actionIDs are the nodes of an action: policies have one for each statement and one by default.
type actionIDs struct {
	result, localPref, nextHop               config.ID
	medSet, medOperation, medValue           config.ID // set until 24.10, the others from 25.3 on
	add, remove, replace                     config.ID
	prepend, repeat, removePath, replacePath config.ID
	tags                                     config.ID
}

var defaultAction = actionIDs{
	result:       srl.RoutingPolicyPolicyDefaultActionPolicyResult,
	localPref:    srl.RoutingPolicyPolicyDefaultActionBgpLocalPreferenceSet,
	nextHop:      srl.RoutingPolicyPolicyDefaultActionBgpNextHopSet,
	medSet:       srl.RoutingPolicyPolicyDefaultActionBgpMedSet,
	medOperation: srl.RoutingPolicyPolicyDefaultActionBgpMedOperation,
	medValue:     srl.RoutingPolicyPolicyDefaultActionBgpMedValue,
	add:          srl.RoutingPolicyPolicyDefaultActionBgpCommunitiesAdd,
	remove:       srl.RoutingPolicyPolicyDefaultActionBgpCommunitiesRemove,
	replace:      srl.RoutingPolicyPolicyDefaultActionBgpCommunitiesReplace,
	prepend:      srl.RoutingPolicyPolicyDefaultActionBgpAsPathPrependAsNumber,
	repeat:       srl.RoutingPolicyPolicyDefaultActionBgpAsPathPrependRepeatN,
	removePath:   srl.RoutingPolicyPolicyDefaultActionBgpAsPathRemove,
	replacePath:  srl.RoutingPolicyPolicyDefaultActionBgpAsPathReplace,
	tags:         srl.RoutingPolicyPolicyDefaultActionInternalTagsSetTagSet,
}

var statementAction = actionIDs{
	result:       srl.RoutingPolicyPolicyStatementActionPolicyResult,
	localPref:    srl.RoutingPolicyPolicyStatementActionBgpLocalPreferenceSet,
	nextHop:      srl.RoutingPolicyPolicyStatementActionBgpNextHopSet,
	medSet:       srl.RoutingPolicyPolicyStatementActionBgpMedSet,
	medOperation: srl.RoutingPolicyPolicyStatementActionBgpMedOperation,
	medValue:     srl.RoutingPolicyPolicyStatementActionBgpMedValue,
	add:          srl.RoutingPolicyPolicyStatementActionBgpCommunitiesAdd,
	remove:       srl.RoutingPolicyPolicyStatementActionBgpCommunitiesRemove,
	replace:      srl.RoutingPolicyPolicyStatementActionBgpCommunitiesReplace,
	prepend:      srl.RoutingPolicyPolicyStatementActionBgpAsPathPrependAsNumber,
	repeat:       srl.RoutingPolicyPolicyStatementActionBgpAsPathPrependRepeatN,
	removePath:   srl.RoutingPolicyPolicyStatementActionBgpAsPathRemove,
	replacePath:  srl.RoutingPolicyPolicyStatementActionBgpAsPathReplace,
	tags:         srl.RoutingPolicyPolicyStatementActionInternalTagsSetTagSet,
}

var results = map[string]network.Result{
	"accept": network.Accept, "reject": network.Reject, "next-statement": network.NextStatement, "next-policy": network.NextPolicy,
}

// read reads the action of a policy or of a statement.
func (ids actionIDs) read(c config.Cursor) network.Action {
	a := network.Action{
		Result:   results[text(c, ids.result)],
		MED:      ids.med(c),
		NextHop:  parseAddr(text(c, ids.nextHop)),
		Add:      text(c, ids.add),
		Remove:   text(c, ids.remove),
		Replace:  text(c, ids.replace),
		Prepend:  ids.prepended(c),
		RemoveAS: yes(c, ids.removePath),
		SetTags:  texts(c, ids.tags),
	}
	if has(c, ids.localPref) {
		value := uint32(number(c, ids.localPref))
		a.LocalPref = &value
	}
	if text(c, ids.nextHop) == "self" {
		a.NextHop = netip.IPv4Unspecified()
	}
	for _, as := range texts(c, ids.replacePath) {
		a.ReplaceAS = uint32(parseNumber(as))
		break
	}
	return a
}

// prepended: without an AS number, or with "auto", the AS is 0, the router's own.
func (ids actionIDs) prepended(c config.Cursor) network.ASPrepend {
	if !has(c, ids.prepend) && !has(c, ids.repeat) {
		return network.ASPrepend{}
	}
	return network.ASPrepend{AS: uint32(number(c, ids.prepend)), Count: max(1, int(number(c, ids.repeat)))}
}

// med reads a new value (24.10), or an operation with its value (25.3 on). What is no number, the cost inside
// the AS, leaves the MED as it is.
func (ids actionIDs) med(c config.Cursor) func(uint32) uint32 {
	value, operation := either(c, ids.medSet, ids.medValue), text(c, ids.medOperation)
	if value == "" || value == "route-table-cost" {
		return nil
	}
	n := uint32(parseNumber(value))
	switch operation {
	case "add":
		return func(old uint32) uint32 { return uint32(min(uint64(old)+uint64(n), 1<<32-1)) }
	case "subtract":
		return func(old uint32) uint32 { return old - min(old, n) }
	}
	return func(uint32) uint32 { return n }
}
