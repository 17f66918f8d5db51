package sim_test

import (
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc/codes"

	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// claim adds the master arbitration extension to an otherwise empty Set.
func claim(role string, high, low uint64) *gnmi.SetRequest {
	m := &gnmi_ext.MasterArbitration{ElectionId: &gnmi_ext.Uint128{High: high, Low: low}}
	if role != "" {
		m.Role = &gnmi_ext.Role{Id: role}
	}
	return &gnmi.SetRequest{Extension: []*gnmi_ext.Extension{{Ext: &gnmi_ext.Extension_MasterArbitration{MasterArbitration: m}}}}
}

// Master arbitration §3.2: the same or a higher election passes and is kept, a lower one is PERMISSION_DENIED and
// told the highest, one without a number INVALID_ARGUMENT, and nobody at all passes.
func TestTheHighestElectionIsTheMaster(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(claim("", 0, 5))
	b.mustSet(claim("", 0, 5))
	b.unchanged(claim("", 0, 4), codes.PermissionDenied, "{high: 0, low: 5}")
	b.mustSet(claim("", 1, 0))
	stale := claim("", 0, 9)
	stale.Update = b.put("/types/small", "1").Update
	b.unchanged(stale, codes.PermissionDenied, "{high: 1, low: 0}")
	none := claim("", 0, 0)
	none.Extension[0].GetMasterArbitration().ElectionId = nil
	b.unchanged(none, codes.InvalidArgument, "without an election id")
	b.mustSet(b.put("/types/small", "2"))
	master := claim("", 1, 0)
	master.Update = b.put("/types/small", "3").Update
	b.mustSet(master)
	b.holds("/types/small", "3")
}

// Master arbitration §2: every role has a master of its own, the default role too.
func TestEachRoleHasItsMaster(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(claim("", 0, 9))
	b.mustSet(claim("a", 0, 3))
	b.mustSet(claim("b", 0, 1))
	b.unchanged(claim("a", 0, 2), codes.PermissionDenied, "low: 3")
	b.mustSet(claim("b", 0, 1))
}

// Master arbitration §3.2: an election counts from when it is seen, also if the Set that carries it fails.
// It does not outlive the device's boot.
func TestAnElectionCountsUntilTheDeviceBoots(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	failing := claim("", 0, 9)
	failing.Update = b.put("/types/small", "1000").Update
	b.unchanged(failing, codes.InvalidArgument, "1000")
	b.unchanged(claim("", 0, 8), codes.PermissionDenied, "low: 9")
	b.device.Reboot()
	b.gnmi = gnmi.NewGNMIClient(connect(t, b.sim, "leaf1"))
	b.mustSet(claim("", 0, 1))
}
