package sim

import (
	"cmp"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// election is the number of a master: a 128-bit integer (gNMI master arbitration 0.1.0, §3.1).
type election struct{ high, low uint64 }

// compare is negative, zero or positive as e is older than, the same as or younger than o.
func (e election) compare(o election) int {
	return cmp.Or(cmp.Compare(e.high, o.high), cmp.Compare(e.low, o.low))
}

// masters are the highest elections that a device has seen since it booted.
type masters struct {
	boot   uint64 // the number of the boot that it was
	byRole map[string]election
}

// arbitrate refuses a Set of a client that is no longer the master of its role, and notes who is (§3.2). A
// Set without the extension is nobody's, and passes. The caller holds mu.
func (d *Device) arbitrate(req *gnmi.SetRequest) error {
	if d.masters.boot != d.boots || d.masters.byRole == nil {
		d.masters = masters{d.boots, map[string]election{}}
	}
	for _, e := range req.GetExtension() {
		if m := e.GetMasterArbitration(); m != nil {
			return d.masters.admit(m)
		}
	}
	return nil
}

// admit takes an election that is not older than the one that its role has.
func (m *masters) admit(claim *gnmi_ext.MasterArbitration) error {
	if claim.GetElectionId() == nil {
		return status.Error(codes.InvalidArgument, "master arbitration without an election id")
	}
	id := election{claim.GetElectionId().GetHigh(), claim.GetElectionId().GetLow()}
	role := claim.GetRole().GetId() // "" is the default role
	if master, known := m.byRole[role]; known && id.compare(master) < 0 {
		return status.Errorf(codes.PermissionDenied, "election id {high: %d, low: %d} is lower than that of the master, {high: %d, low: %d}",
			id.high, id.low, master.high, master.low)
	}
	m.byRole[role] = id
	return nil
}
