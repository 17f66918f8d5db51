package sim_test

import (
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"github.com/openconfig/gnoi/system"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/loomfabric/loom/pkg/sim"
)

const theServer = "/system/grpc-server[name=mgmt]"

// lockouts are Sets after which a client gets no further.
func (b *bench) lockouts() map[string]*gnmi.SetRequest {
	return map[string]*gnmi.SetRequest{
		"the server is deleted":            b.remove(theServer),
		"the server is disabled":           b.put(theServer+"/admin-state", `"disable"`),
		"the server serves nothing":        b.remove(theServer + "/services"),
		"the server serves no gNMI":        b.replace(theServer+"/services", `["gnoi"]`),
		"the server has another port":      b.put(theServer+"/port", `50052`),
		"the server is in no instance":     b.remove(theServer + "/network-instance"),
		"the server is in another":         {Update: []*gnmi.Update{b.update("/network-instance[name=other]", `{"type":"ip-vrf"}`), b.update(theServer+"/network-instance", `"other"`)}},
		"the instance is disabled":         b.put("/network-instance[name=mgmt]/admin-state", `"disable"`),
		"the instance is gone":             b.remove("/network-instance[name=mgmt]", theServer+"/network-instance", "/system/ssh-server"),
		"the instance has no interface":    b.remove("/network-instance[name=mgmt]/interface"),
		"the TLS profile is not there":     b.put(theServer+"/tls-profile", `"nothing"`),
		"the TLS profile is deleted":       b.remove("/system/tls/server-profile[name=fabric]"),
		"the server has no TLS":            b.remove(theServer + "/tls-profile"),
		"mgmt0 is disabled":                b.put("/interface[name=mgmt0]/admin-state", `"disable"`),
		"mgmt0 is deleted":                 b.remove("/interface[name=mgmt0]"),
		"mgmt0 has no address":             b.remove("/interface[name=mgmt0]/subinterface[index=0]/ipv4", "/interface[name=mgmt0]/subinterface[index=0]/ipv6"),
		"the whole configuration is gone":  b.remove("/"),
		"the subinterface of mgmt0 is off": b.put("/interface[name=mgmt0]/subinterface[index=0]/admin-state", `"disable"`),
	}
}

// confirmed makes a Set one that is taken back after a time unless it is confirmed.
func confirmed(req *gnmi.SetRequest, id string, rollback time.Duration) *gnmi.SetRequest {
	req.Extension = []*gnmi_ext.Extension{{Ext: &gnmi_ext.Extension_Commit{Commit: &gnmi_ext.Commit{
		Id: id, Action: &gnmi_ext.Commit_Commit{Commit: &gnmi_ext.CommitRequest{RollbackDuration: durationpb.New(rollback)}}}}}}
	return req
}

// shutOut fails unless the client gets nothing more from the device, on the connection that it has and on a new one.
func (b *bench) shutOut(code codes.Code) {
	b.Helper()
	b.soon("the connection that stands is of no use", func() bool { return b.ask() != nil })
	b.soon("a new connection is refused with "+code.String(), func() bool { // one that comes while the old ones end may be reset
		b.use(connect(b.T, b.sim, "leaf1"))
		return status.Code(b.ask()) == code
	})
}

// letIn waits until the client is served again, at the same address.
func (b *bench) letIn() {
	b.Helper()
	b.soon("a client is served again", func() bool {
		b.use(connect(b.T, b.sim, "leaf1"))
		return b.ask() == nil
	})
}

// A Set may be the last one that a client can make. It is answered, then all connections end, and the device lives
// on until the timer of the commit lets the client in again (gNMI commit-confirmed extension 0.1.0, §1).
func TestASetThatLocksTheClientOutIsTakenBackByItsTimer(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, router(t, ""))
	address := b.device.Address()
	for name, req := range b.lockouts() {
		b.Log(name)
		before := b.device.Running()
		stream := b.list(b.one("/system/name", gnmi.SubscriptionMode_ON_CHANGE))
		b.untilSync(stream)
		b.mustSet(confirmed(req, name, time.Minute))
		for {
			if _, err := stream.Recv(); err != nil {
				b.refuses(err, codes.Unavailable, "")
				break
			}
		}
		code := codes.Unavailable
		if name == "the server serves no gNMI" {
			code = codes.Unimplemented
		}
		b.shutOut(code)
		if b.device.Pending() != name || b.device.Running() == before {
			b.Errorf("%s: the commit %q is open", name, b.device.Pending())
		}
		b.clock.Advance(time.Minute)
		b.letIn()
		if b.device.Running() != before || b.device.Address() != address {
			b.Errorf("%s: the configuration or the address is another one", name)
		}
	}
}

func TestWhoIsLockedOutIsLetInByARebootOrAtTheBox(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, router(t, ""))
	disable, enable := b.put(theServer+"/admin-state", `"disable"`), b.put(theServer+"/admin-state", `"enable"`)
	for name, rescue := range map[string]func() error{
		"a reboot to startup": func() error { b.device.Reboot(); return nil },
		"a change at the box": func() error { return b.device.Apply(enable) },
		"a factory reset":     func() error { return b.device.RebootWith(sim.Boot{Source: sim.Factory}) },
	} {
		b.mustSet(disable)
		b.shutOut(codes.Unavailable)
		if err := rescue(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b.letIn()
	}
	// What was accepted and saved at the box outlives the timer, power and reboots.
	b.mustSet(confirmed(disable, "fatal", time.Minute))
	b.shutOut(codes.Unavailable)
	if err := b.device.Accept(); err != nil {
		t.Fatal(err)
	}
	b.save()
	b.clock.Advance(time.Hour)
	b.device.Reboot()
	b.shutOut(codes.Unavailable)
	b.device.Stop()
	b.device.Restart()
	b.shutOut(codes.Unavailable)
	if got := b.device.Running().Find(b.path(theServer + "/admin-state")).Value(); got != "disable" {
		t.Errorf("admin-state = %q", got)
	}
}

// A server that serves gNOI alone knows no gNMI, and the other way round; without a TLS profile it speaks plaintext,
// which gNMI spec §3.1 does not allow and SR Linux does (srl_nokia-grpc.yang, tls-profile).
func TestAServerServesWhatItIsConfiguredTo(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, router(t, ""))
	gnoi := func() error {
		_, err := system.NewSystemClient(b.conn).Time(b.ctx, &system.TimeRequest{})
		return err
	}
	b.refuses(gnoi(), codes.OK, "")
	b.mustSet(b.replace(theServer+"/services", `["gnmi"]`))
	b.soon("gNOI is gone", func() bool { return gnoi() != nil })
	b.letIn()
	b.refuses(gnoi(), codes.Unimplemented, "unknown service gnoi.system.System")
	b.mustSet(b.remove(theServer + "/tls-profile"))
	b.shutOut(codes.Unavailable)
	b.use(dial(t, b.sim, "leaf1", insecure.NewCredentials()))
	b.mustAsk("without TLS")
}

// The streams of a server end with it, also where the client has nothing more to say or is asked to speak.
func TestEveryKindOfStreamEndsWithItsServer(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, router(t, ""))
	silent, err := b.gnmi.Subscribe(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	poll := b.subscribe(&gnmi.SubscriptionList{Mode: gnmi.SubscriptionList_POLL}, "/system/name")
	done := b.list(b.one("/system/name", gnmi.SubscriptionMode_ON_CHANGE))
	b.untilSync(poll)
	b.untilSync(done)
	if err := done.CloseSend(); err != nil {
		t.Fatal(err)
	}
	b.mustSet(b.put(theServer+"/admin-state", `"disable"`))
	for _, stream := range []gnmi.GNMI_SubscribeClient{silent, poll, done} {
		_, err := stream.Recv()
		b.refuses(err, codes.Unavailable, "configured anew")
	}
}
