package srossim

import (
	"net/netip"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// actionIDs are the nodes of an action: entries have one, and so has what no entry matches.
type actionIDs struct {
	result, localPref, nextHop           config.ID
	metricAdd, metricSubtract, metricSet config.ID
	add, remove, replace                 config.ID
	prepend, repeat                      config.ID
}

var entryAction = actionIDs{
	result:         sros.ConfigurePolicyOptionsPolicyStatementEntryActionActionType,
	localPref:      sros.ConfigurePolicyOptionsPolicyStatementEntryActionLocalPreference,
	nextHop:        sros.ConfigurePolicyOptionsPolicyStatementEntryActionNextHop,
	metricAdd:      sros.ConfigurePolicyOptionsPolicyStatementEntryActionMetricAdd,
	metricSubtract: sros.ConfigurePolicyOptionsPolicyStatementEntryActionMetricSubtract,
	metricSet:      sros.ConfigurePolicyOptionsPolicyStatementEntryActionMetricSet,
	add:            sros.ConfigurePolicyOptionsPolicyStatementEntryActionCommunityAdd,
	remove:         sros.ConfigurePolicyOptionsPolicyStatementEntryActionCommunityRemove,
	replace:        sros.ConfigurePolicyOptionsPolicyStatementEntryActionCommunityReplace,
	prepend:        sros.ConfigurePolicyOptionsPolicyStatementEntryActionAsPathPrependAsPath,
	repeat:         sros.ConfigurePolicyOptionsPolicyStatementEntryActionAsPathPrependRepeat,
}

var defaultAction = actionIDs{
	result:         sros.ConfigurePolicyOptionsPolicyStatementDefaultActionActionType,
	localPref:      sros.ConfigurePolicyOptionsPolicyStatementDefaultActionLocalPreference,
	nextHop:        sros.ConfigurePolicyOptionsPolicyStatementDefaultActionNextHop,
	metricAdd:      sros.ConfigurePolicyOptionsPolicyStatementDefaultActionMetricAdd,
	metricSubtract: sros.ConfigurePolicyOptionsPolicyStatementDefaultActionMetricSubtract,
	metricSet:      sros.ConfigurePolicyOptionsPolicyStatementDefaultActionMetricSet,
	add:            sros.ConfigurePolicyOptionsPolicyStatementDefaultActionCommunityAdd,
	remove:         sros.ConfigurePolicyOptionsPolicyStatementDefaultActionCommunityRemove,
	replace:        sros.ConfigurePolicyOptionsPolicyStatementDefaultActionCommunityReplace,
	prepend:        sros.ConfigurePolicyOptionsPolicyStatementDefaultActionAsPathPrependAsPath,
	repeat:         sros.ConfigurePolicyOptionsPolicyStatementDefaultActionAsPathPrependRepeat,
}

var results = map[string]network.Result{
	"accept": network.Accept, "reject": network.Reject, "next-entry": network.NextStatement, "next-policy": network.NextPolicy,
}

// action reads an action; of one that is not there nothing is done. Of several community lists the first one counts.
func action(c config.Cursor, ids actionIDs) network.Action {
	if !c.Valid() {
		return network.Action{}
	}
	a := network.Action{
		Result:  results[text(c, ids.result)],
		MED:     med(c, ids),
		NextHop: parseAddr(text(c, ids.nextHop)),
		Add:     first(texts(c, ids.add)),
		Remove:  first(texts(c, ids.remove)),
		Replace: first(texts(c, ids.replace)),
	}
	if has(c, ids.localPref) {
		value := uint32(number(c, ids.localPref))
		a.LocalPref = &value
	}
	if text(c, ids.nextHop) == "self" {
		a.NextHop = netip.IPv4Unspecified()
	}
	if has(c, ids.prepend) {
		a.Prepend = network.ASPrepend{AS: uint32(number(c, ids.prepend)), Count: max(1, int(number(c, ids.repeat)))}
	}
	return a
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// med reads what becomes of the metric. What is no number, the metric of the IGP, leaves it as it is.
func med(c config.Cursor, ids actionIDs) func(uint32) uint32 {
	switch {
	case has(c, ids.metricAdd):
		n := number(c, ids.metricAdd)
		return func(old uint32) uint32 { return uint32(min(uint64(old)+n, 1<<32-1)) }
	case has(c, ids.metricSubtract):
		n := uint32(number(c, ids.metricSubtract))
		return func(old uint32) uint32 { return old - min(old, n) }
	case has(c, ids.metricSet) && text(c, ids.metricSet) != "igp":
		n := uint32(number(c, ids.metricSet))
		return func(uint32) uint32 { return n }
	}
	return nil
}
