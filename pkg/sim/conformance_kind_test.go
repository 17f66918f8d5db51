package sim_test

import (
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"

	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// What gNMI says holds for a device of every kind. Both kinds have interfaces with a description and an MTU, and a
// host name; all else of the two schemas differs.
func TestEveryKindOfDeviceConforms(t *testing.T) {
	t.Parallel()
	small := func(t *testing.T, release string) sim.Spec {
		spec := leaf1(nil)
		spec.Release = release
		return spec
	}
	for kind, c := range map[string]struct {
		spec    func(*testing.T, string) sim.Spec
		release string
		extends bool // the release has commit confirmed
	}{
		"a small system": {small, simtest.New, true}, "a small system of old": {small, simtest.Old, false},
		"SR Linux 24.10": {router, "24.10", true}, "SR Linux 25.3": {router, "25.3", true},
	} {
		for rule, holds := range kindRules {
			if rule == confirmRule && !c.extends {
				continue
			}
			t.Run(kind+": "+rule, func(t *testing.T) {
				t.Parallel()
				holds(newBenchOf(t, c.spec(t, c.release)))
			})
		}
	}
}

const (
	confirmRule = "a commit that nobody confirms is taken back (commit confirmed 0.1.0 §2)"
	thePort     = "/interface[name=ethernet-1/1]"
	otherPort   = "/interface[name=ethernet-1/2]"
	theName     = "/system/name/host-name"
)

var kindRules = map[string]func(b *bench){
	"each path is answered in its own notification (§3.3.2)": func(b *bench) {
		b.mustSet(b.put(thePort+"/mtu", "9000"))
		b.answers(&gnmi.GetRequest{}, []string{thePort + "/mtu", thePort + "/description", thePort + "/mtu"},
			[]string{thePort + "/mtu 9000"}, nil, []string{thePort + "/mtu 9000"})
		b.answers(&gnmi.GetRequest{Encoding: gnmi.Encoding_PROTO}, []string{thePort + "/mtu"}, []string{thePort + "/mtu uint_val:9000"})
	},
	"each model that is listed can be asked for, as listed (§2.6.1)": func(b *bench) {
		models := b.models()
		if len(models) == 0 {
			b.Error("no models")
		}
		for _, m := range models {
			_, err := b.read(&gnmi.GetRequest{UseModels: []*gnmi.ModelData{m}}, theName)
			b.refuses(err, codes.OK, "")
			other := &gnmi.ModelData{Name: m.GetName(), Organization: m.GetOrganization(), Version: m.GetVersion() + "1"}
			_, err = b.read(&gnmi.GetRequest{UseModels: []*gnmi.ModelData{m, other}}, theName)
			b.refuses(err, codes.InvalidArgument, "is not supported")
		}
	},
	"wildcards are spelled out (§2.2.2)": func(b *bench) {
		b.mustSet(&gnmi.SetRequest{Update: []*gnmi.Update{b.update(thePort+"/mtu", "9000"), b.update(otherPort+"/mtu", "1500")}})
		b.answers(&gnmi.GetRequest{Encoding: gnmi.Encoding_PROTO}, []string{"/interface[name=*]/mtu"}, []string{thePort + "/mtu uint_val:9000", otherPort + "/mtu uint_val:1500"})
	},
	"deletes come before replaces, these before updates (§3.4)": func(b *bench) {
		b.mustSet(b.put(thePort, `{"description":"old"}`))
		b.mustSet(&gnmi.SetRequest{
			Update:  []*gnmi.Update{b.update(thePort+"/mtu", "1501")},
			Replace: []*gnmi.Update{b.update(thePort, `{"name":"ethernet-1/1","mtu":1500,"description":"new"}`)},
			Delete:  []*gnmi.Path{b.gnmiPath(thePort)},
		})
		if got := b.running(thePort+"/mtu") + b.running(thePort+"/description"); got != "1501new" {
			b.Error(got)
		}
	},
	"a Set is done as a whole or not at all (§3.4.3)": func(b *bench) {
		b.unchanged(&gnmi.SetRequest{Update: []*gnmi.Update{b.update(thePort+"/mtu", "1500"), b.update(otherPort+"/mtu", "1")}}, codes.InvalidArgument, "mtu 1 out of range")
		b.unchanged(&gnmi.SetRequest{}, codes.OK, "")
	},
	"what is absent is deleted in silence, what is unknown is not (§3.4.6)": func(b *bench) {
		b.mustSet(b.remove(thePort + "/description"))
		b.unchanged(b.remove(thePort+"/nothing"), codes.InvalidArgument, "unknown element 'nothing'. Options are [name, ")
	},
	"encodings are served as listed, and no other (§3.3.1)": func(b *bench) {
		_, err := b.gnmi.Get(b.ctx, &gnmi.GetRequest{Path: []*gnmi.Path{b.gnmiPath(theName)}})
		b.refuses(err, codes.Unimplemented, "received encoding: 0")
	},
	"a subscription once ends after its sync_response (§3.5.1.5.1)": func(b *bench) {
		b.mustSet(b.put(theName, `"here"`))
		stream := b.subscribe(&gnmi.SubscriptionList{Mode: gnmi.SubscriptionList_ONCE}, theName)
		b.wants(b.untilSync(stream), theName+` "here"`)
		if resp, err := stream.Recv(); err == nil || err.Error() != "EOF" {
			b.Errorf("after the sync_response: %v, %v", resp, err)
		}
	},
	"a stream tells what changes, and nothing of what is refused (§3.5.1.5.2)": func(b *bench) {
		stream := b.subscribe(&gnmi.SubscriptionList{UpdatesOnly: true}, thePort+"/mtu")
		b.wants(b.untilSync(stream))
		b.unchanged(b.put(thePort+"/mtu", "1"), codes.InvalidArgument, "")
		b.mustSet(b.put(thePort+"/mtu", "2000"))
		b.wants(b.next(stream), thePort+"/mtu 2000")
		b.mustSet(b.remove(thePort + "/mtu"))
		b.wants(b.next(stream), "-"+thePort+"/mtu")
	},
	confirmRule: func(b *bench) {
		b.mustSet(confirmed(b.put(thePort+"/mtu", "2000"), "a", time.Minute))
		b.refuses(b.set(b.put(thePort+"/mtu", "3000")), codes.FailedPrecondition, `"a" is waiting`)
		b.clock.Advance(time.Minute)
		if got := b.running(thePort + "/mtu"); got != "" || b.device.Pending() != "" {
			b.Errorf("mtu is %q, open is %q", got, b.device.Pending())
		}
	},
}
