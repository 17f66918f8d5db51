package sim_test

import (
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/sim"
)

// What is told without a path is something that the device has, whatever its schema: a client must not be able to leave
// it out for its path alone.
func TestWhatIsToldWithoutAPathFitsTheSchema(t *testing.T) {
	t.Parallel()
	for _, release := range []string{"24.10", "25.3"} {
		for _, c := range []struct{ kind, form, value, want string }{
			{"firehose", "", "", `/network-instance[name=sim-0]/description "0"`},
			{"firehose", "", `"up"`, `/network-instance[name=sim-0]/description "up"`},
			{"firehose", "", "7", `/network-instance[name=sim-0]/bridge-table/mac-duplication/hold-down-time 7`},
			{"unasked", "", "", `/network-instance[name=sim-0]/description "unasked"`},
			{"garbage", "distinct", "", `/network-instance[name=sim-0]/description "x"`},
		} {
			t.Run(release+" "+c.kind+c.value, func(t *testing.T) {
				t.Parallel()
				b := newBenchOf(t, router(t, release))
				if _, err := b.sim.Inject(sim.Fault{Kind: c.kind, Form: c.form, Target: "leaf1", Value: c.value, Times: 1}); err != nil {
					t.Fatal(err)
				}
				stream := b.subscribe(&gnmi.SubscriptionList{UpdatesOnly: true}, "/system/name/host-name")
				var got []string
				for len(got) == 0 { // sync_response may come first
					resp, err := stream.Recv()
					if err != nil {
						t.Fatal(err)
					}
					got = told(resp.GetUpdate())
				}
				b.wants(got[:1], c.want)
			})
		}
	}
}
