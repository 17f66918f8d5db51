package sim_test

import (
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"

	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// What gNMI says holds for a device of every kind. All kinds have ports with a description and an MTU, and a name; how they call
// these, how they word a refusal, and what they make of the commit-confirmed extension is data.
func TestEveryKindOfDeviceConforms(t *testing.T) {
	t.Parallel()
	for name, k := range kinds {
		for rule, holds := range kindRules {
			t.Run(name+": "+rule, func(t *testing.T) {
				t.Parallel()
				b := newBenchOf(t, k.spec(t))
				if k.given != "" {
					b.mustSet(b.put(k.given, `{"breakout":"c4-100g"}`))
				}
				holds(b, k)
			})
		}
	}
}

// kind is a kind of device: what its schema calls things, and its manners.
type kind struct {
	spec        func(*testing.T) sim.Spec
	given       string // path of what has to be there before there are ports; ""
	port, other string // paths of two ports, with anyPort that of all
	anyPort     string
	mtu         string // path of the MTU below a port
	entry       string // a port with an MTU of 1500 and the description "new"
	name        string // path of the name of the device
	tooSmall    string // how it words an MTU of 1
	unknown     string // how it words an element "nothing" of a port
	confirms    sim.Extension
	refuses     bool // and that extension where it does not honour it; otherwise it does not see it
}

var kinds = map[string]kind{
	"a small system":                       interfaces(func(*testing.T) sim.Spec { return leaf1(nil) }, sim.Honoured),
	"a small system of old":                interfaces(small(simtest.Old), sim.Ignored),
	"SR Linux 24.10":                       interfaces(func(t *testing.T) sim.Spec { return router(t, "24.10") }, sim.Honoured),
	"SR Linux 25.3":                        interfaces(func(t *testing.T) sim.Spec { return router(t, "25.3") }, sim.Honoured),
	"SR OS 26.3":                           ports(sim.AsReleased),
	"SR OS 26.3 that has commit confirmed": ports(sim.Honoured),
	"SR OS 26.3 that overlooks it":         ports(sim.Ignored),
}

func small(release string) func(*testing.T) sim.Spec {
	return func(*testing.T) sim.Spec {
		spec := leaf1(nil)
		spec.Release = release
		return spec
	}
}

// interfaces is a kind that calls its ports so.
func interfaces(spec func(*testing.T) sim.Spec, confirms sim.Extension) kind {
	return kind{
		spec: spec, port: "/interface[name=ethernet-1/1]", other: "/interface[name=ethernet-1/2]", anyPort: "/interface[name=*]",
		mtu: "/mtu", entry: `{"name":"ethernet-1/1","mtu":1500,"description":"new"}`, name: "/system/name/host-name",
		tooSmall: "mtu 1 out of range", unknown: "unknown element 'nothing'. Options are [name, ", confirms: confirms,
	}
}

// ports is SR OS: what is used of a connector is a channel of it. Nobody has published whether it has the extension.
func ports(confirms sim.Extension) kind {
	return kind{
		spec: func(t *testing.T) sim.Spec {
			spec := gateway(t)
			spec.Commits = confirms
			return spec
		},
		given: "/configure/port[port-id=1/1/c1]/connector",
		port:  "/configure/port[port-id=1/1/c1/1]", other: "/configure/port[port-id=1/1/c1/2]", anyPort: "/configure/port[port-id=*]",
		mtu: "/ethernet/mtu", entry: `{"port-id":"1/1/c1/1","description":"new","ethernet":{"mtu":1500}}`, name: "/configure/system/name",
		tooSmall: `port "1/1/c1/2" ethernet mtu - Invalid element value - `, unknown: `MINOR: MGMT_CORE #2201: /configure port "1/1/c1/1" nothing - Unknown element`,
		confirms: confirms, refuses: confirms == sim.AsReleased,
	}
}

var kindRules = map[string]func(b *bench, k kind){
	"each path is answered in its own notification (§3.3.2)": func(b *bench, k kind) {
		b.mustSet(b.put(k.port+k.mtu, "9000"))
		b.answers(&gnmi.GetRequest{}, []string{k.port + k.mtu, k.port + "/description", k.port + k.mtu},
			[]string{k.port + k.mtu + " 9000"}, nil, []string{k.port + k.mtu + " 9000"})
		b.answers(&gnmi.GetRequest{Encoding: gnmi.Encoding_PROTO}, []string{k.port + k.mtu}, []string{k.port + k.mtu + " uint_val:9000"})
	},
	"each model that is listed can be asked for, as listed (§2.6.1)": func(b *bench, k kind) {
		models := b.models()
		if len(models) == 0 {
			b.Error("no models")
		}
		for _, m := range models {
			_, err := b.read(&gnmi.GetRequest{UseModels: []*gnmi.ModelData{m}}, k.name)
			b.refuses(err, codes.OK, "")
			other := &gnmi.ModelData{Name: m.GetName(), Organization: m.GetOrganization(), Version: m.GetVersion() + "1"}
			_, err = b.read(&gnmi.GetRequest{UseModels: []*gnmi.ModelData{m, other}}, k.name)
			b.refuses(err, codes.InvalidArgument, "is not supported")
		}
	},
	"wildcards are spelled out (§2.2.2)": func(b *bench, k kind) {
		b.mustSet(&gnmi.SetRequest{Update: []*gnmi.Update{b.update(k.port+k.mtu, "9000"), b.update(k.other+k.mtu, "1500")}})
		b.answers(&gnmi.GetRequest{Encoding: gnmi.Encoding_PROTO}, []string{k.anyPort + k.mtu}, []string{k.port + k.mtu + " uint_val:9000", k.other + k.mtu + " uint_val:1500"})
	},
	"deletes come before replaces, these before updates (§3.4)": func(b *bench, k kind) {
		b.mustSet(b.put(k.port, `{"description":"old"}`))
		b.mustSet(&gnmi.SetRequest{
			Update:  []*gnmi.Update{b.update(k.port+k.mtu, "1501")},
			Replace: []*gnmi.Update{b.update(k.port, k.entry)},
			Delete:  []*gnmi.Path{b.gnmiPath(k.port)},
		})
		if got := b.running(k.port+k.mtu) + b.running(k.port+"/description"); got != "1501new" {
			b.Error(got)
		}
	},
	"a Set is done as a whole or not at all (§3.4.3)": func(b *bench, k kind) {
		b.unchanged(&gnmi.SetRequest{Update: []*gnmi.Update{b.update(k.port+k.mtu, "1500"), b.update(k.other+k.mtu, "1")}}, codes.InvalidArgument, k.tooSmall)
		b.unchanged(&gnmi.SetRequest{}, codes.OK, "")
	},
	"what is absent is deleted in silence, what is unknown is not (§3.4.6)": func(b *bench, k kind) {
		b.mustSet(b.remove(k.port + "/description"))
		b.unchanged(b.remove(k.port+"/nothing"), codes.InvalidArgument, k.unknown)
	},
	"encodings are served as listed, and no other (§3.3.1)": func(b *bench, k kind) {
		_, err := b.gnmi.Get(b.ctx, &gnmi.GetRequest{Path: []*gnmi.Path{b.gnmiPath(k.name)}})
		b.refuses(err, codes.Unimplemented, "received encoding: 0")
	},
	"a subscription once ends after its sync_response (§3.5.1.5.1)": func(b *bench, k kind) {
		b.mustSet(b.put(k.name, `"here"`))
		stream := b.subscribe(&gnmi.SubscriptionList{Mode: gnmi.SubscriptionList_ONCE}, k.name)
		b.wants(b.untilSync(stream), k.name+` "here"`)
		if resp, err := stream.Recv(); err == nil || err.Error() != "EOF" {
			b.Errorf("after the sync_response: %v, %v", resp, err)
		}
	},
	"a stream tells what changes, and nothing of what is refused (§3.5.1.5.2)": func(b *bench, k kind) {
		stream := b.subscribe(&gnmi.SubscriptionList{UpdatesOnly: true}, k.port+k.mtu)
		b.wants(b.untilSync(stream))
		b.unchanged(b.put(k.port+k.mtu, "1"), codes.InvalidArgument, "")
		b.mustSet(b.put(k.port+k.mtu, "2000"))
		b.wants(b.next(stream), k.port+k.mtu+" 2000")
		b.mustSet(b.remove(k.port + k.mtu))
		b.wants(b.next(stream), "-"+k.port+k.mtu)
	},
	"a commit that nobody confirms is taken back (commit confirmed 0.1.0 §2), or the extension is not there": func(b *bench, k kind) {
		ask := confirmed(b.put(k.port+k.mtu, "2000"), "a", time.Minute)
		if k.refuses {
			b.unchanged(ask, codes.Unimplemented, "not supported")
			return
		}
		b.mustSet(ask)
		if k.confirms == sim.Honoured {
			b.refuses(b.set(b.put(k.port+k.mtu, "3000")), codes.FailedPrecondition, `"a" is waiting`)
		}
		b.clock.Advance(time.Minute)
		want := map[bool]string{false: "2000"}[k.confirms == sim.Honoured]
		if got := b.running(k.port + k.mtu); got != want || b.device.Pending() != "" {
			b.Errorf("mtu is %q, not %q, open is %q", got, want, b.device.Pending())
		}
	},
}
