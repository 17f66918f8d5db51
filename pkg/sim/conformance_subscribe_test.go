package sim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"pgregory.net/rapid"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// newBenchOf returns a bench of a device as specified.
func newBenchOf(t *testing.T, spec sim.Spec) *bench {
	t.Helper()
	clock := sim.NewManualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	s, err := sim.Start(t.Context(), sim.Config{Devices: []sim.Spec{spec}, Username: "admin", Password: "secret", Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	b := &bench{T: t, sim: s, device: s.Device(spec.Name), clock: clock, conn: connect(t, s, spec.Name)}
	b.gnmi = gnmi.NewGNMIClient(b.conn)
	b.ctx = metadata.AppendToOutgoingContext(t.Context(), "username", "admin", "password", "secret")
	return b
}

// one returns a subscription to one path.
func (b *bench) one(path string, mode gnmi.SubscriptionMode) *gnmi.Subscription {
	b.Helper()
	return &gnmi.Subscription{Path: b.path(path).GNMI(), Mode: mode}
}

// request opens a Subscribe RPC with a first message.
func (b *bench) request(req *gnmi.SubscribeRequest) gnmi.GNMI_SubscribeClient {
	b.Helper()
	stream, err := b.gnmi.Subscribe(b.ctx)
	if err != nil {
		b.Fatal(err)
	}
	if err := stream.Send(req); err != nil {
		b.Fatal(err)
	}
	return stream
}

// list opens a subscription in STREAM mode.
func (b *bench) list(subs ...*gnmi.Subscription) gnmi.GNMI_SubscribeClient {
	b.Helper()
	return b.subscribe(&gnmi.SubscriptionList{Subscription: subs})
}

// quiet demands that nothing has been sent: the next thing that a stream says is about a change made now.
func (b *bench) quiet(stream gnmi.GNMI_SubscribeClient) {
	b.Helper()
	b.mustSet(b.put("/interface[name=mark]/description", fmt.Sprintf("%q", b.Name())))
	for _, said := range b.next(stream) {
		if len(said) < 21 || said[:21] != "/interface[name=mark]" {
			b.Errorf("said %s", said)
		}
	}
}

// §3.5.1.5.1: the updates, one sync_response, and the end of the RPC.
func TestOnceEndsAfterItsSyncResponse(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	stream := b.subscribe(&gnmi.SubscriptionList{Mode: gnmi.SubscriptionList_ONCE}, "/system/name")
	b.wants(b.untilSync(stream), `/system/name/host-name "leaf1"`)
	if resp, err := stream.Recv(); err == nil || err.Error() != "EOF" {
		t.Errorf("after the sync_response: %v, %v", resp, err)
	}
}

// §3.5.1.2, updates_only: what there is comes before the first poll. §3.5.1.5.3: after that it comes when
// polled, with a sync_response each time; nothing but polls is taken.
func TestPollSendsAtFirstAndWhenPolled(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	stream := b.subscribe(&gnmi.SubscriptionList{Mode: gnmi.SubscriptionList_POLL}, "/system/name")
	b.wants(b.untilSync(stream), `/system/name/host-name "leaf1"`)
	b.mustSet(b.put("/system/name/host-name", `"later"`))
	if err := stream.Send(&gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Poll{Poll: &gnmi.Poll{}}}); err != nil {
		t.Fatal(err)
	}
	b.wants(b.untilSync(stream), `/system/name/host-name "later"`)
	if err := stream.Send(&gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: &gnmi.SubscriptionList{}}}); err != nil {
		t.Fatal(err)
	}
	_, err := stream.Recv()
	b.refuses(err, codes.InvalidArgument, "polls only")
}

// §3.5.1.2, updates_only: before the first poll there is the sync_response alone. §3.5.1.5.3: each poll is answered by
// all the paths, not by what has changed since the last.
func TestPollWithUpdatesOnlyAnswersPollsInFull(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	stream := b.subscribe(&gnmi.SubscriptionList{Mode: gnmi.SubscriptionList_POLL, UpdatesOnly: true}, "/system/name")
	b.wants(b.untilSync(stream))
	for range 2 {
		if err := stream.Send(&gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Poll{Poll: &gnmi.Poll{}}}); err != nil {
			t.Fatal(err)
		}
		b.wants(b.untilSync(stream), `/system/name/host-name "leaf1"`)
	}
}

// §3.5.1.1: a stream cannot be changed by a second message.
func TestAStreamTakesOneMessage(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	stream := b.list(b.one("/system/name", gnmi.SubscriptionMode_ON_CHANGE))
	b.untilSync(stream)
	if err := stream.Send(&gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Poll{Poll: &gnmi.Poll{}}}); err != nil {
		t.Fatal(err)
	}
	_, err := stream.Recv()
	b.refuses(err, codes.InvalidArgument, "cannot be changed")
}

// gRPC: a client that has nothing more to say closes its side, and still listens.
func TestAStreamGoesOnWhenTheClientHasSaidAll(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	stream := b.list(b.one("/system/name", gnmi.SubscriptionMode_ON_CHANGE))
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	b.untilSync(stream)
	b.mustSet(b.put("/system/name/host-name", `"later"`))
	b.wants(b.next(stream), `/system/name/host-name "later"`)
}

// §3.5.1.5.2: initial updates first, then sync_response exactly once, then changes.
func TestOnChangeSyncsOnceAfterTheInitialState(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	stream := b.list(b.one("/system/name", gnmi.SubscriptionMode_ON_CHANGE))
	b.wants(b.untilSync(stream), `/system/name/host-name "leaf1"`)
	for _, name := range []string{"a", "b"} {
		b.mustSet(b.put("/system/name/host-name", `"`+name+`"`))
		resp, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if resp.GetSyncResponse() {
			t.Fatal("a second sync_response")
		}
		b.wants(told(resp.GetUpdate()), `/system/name/host-name "`+name+`"`)
	}
}

// §3.5.1.5.2: a heartbeat sends the value again though it has not changed.
func TestOnChangeHeartbeatSendsAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	sub := b.one("/system/name", gnmi.SubscriptionMode_ON_CHANGE)
	sub.HeartbeatInterval = uint64(30 * time.Second)
	stream := b.list(sub)
	b.untilSync(stream)
	for range 2 {
		b.clock.Advance(30 * time.Second)
		b.wants(b.next(stream), `/system/name/host-name "leaf1"`)
	}
}

// §3.5.1.5.2: each subscription has its own interval; 0 is the shortest that the device has.
func TestSamplesComeAtTheirOwnIntervals(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	slow, fast := b.one("/platform", gnmi.SubscriptionMode_SAMPLE), b.one("/system/name", gnmi.SubscriptionMode_SAMPLE)
	slow.SampleInterval = uint64(2 * time.Second)
	stream := b.list(slow, fast)
	b.untilSync(stream)
	b.clock.Advance(time.Second)
	b.wants(b.next(stream), `/system/name/host-name "leaf1"`)
	b.clock.Advance(time.Second)
	got := b.next(stream)
	for len(got) < 2 {
		got = append(got, b.next(stream)...)
	}
	slices.Sort(got)
	b.wants(got, `/platform/chassis/type "7220-IXR-D3L"`, `/system/name/host-name "leaf1"`)
}

// §3.5.1.5.2: an interval that the device cannot keep is refused.
func TestIntervalsThatAreTooShortAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	sample, beat := b.one("/system", gnmi.SubscriptionMode_SAMPLE), b.one("/system", gnmi.SubscriptionMode_ON_CHANGE)
	sample.SampleInterval, beat.HeartbeatInterval = uint64(time.Millisecond), uint64(time.Millisecond)
	for _, sub := range []*gnmi.Subscription{sample, beat} {
		_, err := b.list(sub).Recv()
		b.refuses(err, codes.InvalidArgument, "1ms is not supported, the shortest is 1s")
	}
}

// §3.5.1.5.2: suppress_redundant leaves out the leaves that have not changed; a heartbeat sends them all.
func TestSuppressRedundantSendsWhatChangedAndAllAtAHeartbeat(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(b.put("/interface[name=e1]", `{"mtu":9000,"description":"x"}`))
	sub := b.one("/interface[name=e1]", gnmi.SubscriptionMode_SAMPLE)
	sub.SampleInterval, sub.HeartbeatInterval, sub.SuppressRedundant = uint64(10*time.Second), uint64(25*time.Second), true
	stream := b.list(sub)
	all := b.untilSync(stream)
	b.mustSet(b.put("/interface[name=e1]/mtu", "9100"))
	b.clock.Advance(10 * time.Second)
	b.wants(b.next(stream), `/interface[name=e1]/mtu 9100`) // what was sent at first has not changed but for this
	b.clock.Advance(15 * time.Second)
	if got := b.next(stream); len(got) != len(all) {
		t.Errorf("the heartbeat sent %v", got)
	}
}

// §3.5.1.5.2: TARGET_DEFINED decides for each leaf: events on change, counters by samples.
func TestTargetDefinedSendsEventsOnChangeAndSamplesCounters(t *testing.T) {
	t.Parallel()
	soft := &sim.Software{
		Sampled: func(s *config.Schema, id config.ID) bool { return s.Nodes[id].Name == "in-octets" },
		Observe: func(cb *config.Builder, o sim.Observation) {
			p, _ := config.ParsePath("/interface[name=mgmt0]/in-octets")
			cb.SetPath(p, fmt.Sprint(o.Now.Sub(o.Booted).Milliseconds()))
		},
	}
	b := newBenchOf(t, sim.Spec{Name: "leaf1", Platform: simtest.Platform, Driver: simtest.Driver(), Software: soft})
	stream := b.list(b.one("/interface", gnmi.SubscriptionMode_TARGET_DEFINED))
	b.untilSync(stream)
	b.mustSet(b.put("/interface[name=mgmt0]/mtu", "9000"))
	b.wants(b.next(stream), `/interface[name=mgmt0]/mtu 9000`)
	b.clock.Advance(10 * time.Second)
	b.wants(b.next(stream), `/interface[name=mgmt0]/in-octets "10000"`)
}

// §3.5.1.2: with updates_only the sync_response is the first message, in every mode.
func TestUpdatesOnlyStartsWithTheSyncResponse(t *testing.T) {
	t.Parallel()
	for _, mode := range []gnmi.SubscriptionList_Mode{gnmi.SubscriptionList_STREAM, gnmi.SubscriptionList_ONCE} {
		b := newBench(t, simtest.New)
		stream := b.subscribe(&gnmi.SubscriptionList{Mode: mode, UpdatesOnly: true}, "/system/name")
		b.wants(b.untilSync(stream))
		if mode == gnmi.SubscriptionList_STREAM {
			b.mustSet(b.put("/system/name/host-name", `"x"`))
			b.wants(b.next(stream), `/system/name/host-name "x"`)
		}
	}
}

// §3.5.1.2: a subscription needs paths.
func TestASubscriptionWithoutPathsIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	_, err := b.list().Recv()
	b.refuses(err, codes.InvalidArgument, "at least one path")
}

// §3.5.1.3: a path that does not exist yet does not end the RPC, and is told when it comes.
func TestAPathMayComeLater(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	stream := b.list(b.one("/interface[name=e7]/mtu", gnmi.SubscriptionMode_ON_CHANGE))
	b.wants(b.untilSync(stream))
	b.mustSet(b.put("/interface[name=e7]/mtu", "9000"))
	b.wants(b.next(stream), `/interface[name=e7]/mtu 9000`)
}

// §2.2.2.1: the target of the prefix is given back in every notification; paths are joined to it.
func TestThePrefixIsJoinedAndItsTargetGivenBack(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	prefix := b.path("/system").GNMI()
	prefix.Target = "leaf1.example"
	stream := b.subscribe(&gnmi.SubscriptionList{Prefix: prefix, Mode: gnmi.SubscriptionList_ONCE}, "/name")
	resp, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.GetUpdate().GetPrefix().GetTarget(); got != "leaf1.example" {
		t.Errorf("target %q", got)
	}
	b.wants(told(resp.GetUpdate()), `/system/name/host-name "leaf1"`)
}

// §2.1: the timestamp is that of the change, not of the moment it is sent.
func TestATimestampIsThatOfTheChange(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	stream := b.list(b.one("/system/name", gnmi.SubscriptionMode_ON_CHANGE))
	b.untilSync(stream)
	b.clock.Advance(time.Hour)
	at := b.clock.Now()
	b.mustSet(b.put("/system/name/host-name", `"x"`))
	resp, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if got := time.Unix(0, resp.GetUpdate().GetTimestamp()); !got.Equal(at) {
		t.Errorf("timestamp %v, changed at %v", got, at)
	}
}

// §2.3: PROTO carries native values; an encoding that the device does not have is UNIMPLEMENTED (§3.5.1.1).
func TestStreamsSpeakTheEncodingThatWasAskedFor(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(b.put("/interface[name=e1]/mtu", "9000"))
	ask := func(e gnmi.Encoding) gnmi.GNMI_SubscribeClient {
		return b.request(&gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: &gnmi.SubscriptionList{
			Mode: gnmi.SubscriptionList_ONCE, Encoding: e, Subscription: []*gnmi.Subscription{b.one("/interface[name=e1]/mtu", 0)},
		}}})
	}
	resp, err := ask(gnmi.Encoding_PROTO).Recv()
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.GetUpdate().GetUpdate()[0].GetVal().GetUintVal(); got != 9000 {
		t.Errorf("value %v", resp)
	}
	_, err = ask(gnmi.Encoding_BYTES).Recv()
	b.refuses(err, codes.Unimplemented, "encoding")
}

// §2.6: only the data of the models that are asked for; one that the device does not have is refused.
func TestUseModelsRestrictsWhatIsShown(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	ask := func(model string) gnmi.GNMI_SubscribeClient {
		return b.subscribe(&gnmi.SubscriptionList{Mode: gnmi.SubscriptionList_ONCE, UseModels: []*gnmi.ModelData{{Name: model}}}, "/")
	}
	for _, said := range b.untilSync(ask("urn:test/system:test-system")) {
		if said[:7] != "/system" {
			t.Errorf("said %s", said)
		}
	}
	_, err := ask("openconfig-interfaces").Recv()
	b.refuses(err, codes.InvalidArgument, `model "openconfig-interfaces" is not supported`)
}

// Depth extension 0.1.0 §3: the leaves of so many levels below the path.
func TestDepthLimitsTheLevels(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(b.put("/interface[name=e1]", `{"mtu":9000,"ethernet":{"aggregate-id":"e1"}}`))
	const admin = `/interface[name=e1]/admin-state "enable"` // by default
	for level, want := range [][]string{
		1: {`/interface[name=e1]/name "e1"`, `/interface[name=e1]/mtu 9000`, `/interface[name=e1]/oper-state "up"`, admin},
		2: {`/interface[name=e1]/name "e1"`, `/interface[name=e1]/mtu 9000`, `/interface[name=e1]/oper-state "up"`, `/interface[name=e1]/ethernet/aggregate-id "e1"`, admin},
	} {
		if want == nil {
			continue
		}
		stream := b.request(&gnmi.SubscribeRequest{
			Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: &gnmi.SubscriptionList{
				Mode: gnmi.SubscriptionList_ONCE, Encoding: gnmi.Encoding_JSON_IETF,
				Subscription: []*gnmi.Subscription{b.one("/interface[name=e1]", 0)},
			}},
			Extension: []*gnmi_ext.Extension{{Ext: &gnmi_ext.Extension_Depth{Depth: &gnmi_ext.Depth{Level: uint32(level)}}}},
		})
		got := b.untilSync(stream)
		slices.Sort(got)
		slices.Sort(want)
		b.wants(got, want...)
	}
}

// Path conventions, "...": any number of levels; on change the same leaves are told as at first.
func TestSeveralLevelsMayBeLeftOpen(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(b.put("/interface[name=e1]", `{"mtu":9000}`))
	path := &gnmi.Path{Elem: []*gnmi.PathElem{{Name: "interface", Key: map[string]string{"name": "e1"}}, {Name: "..."}, {Name: "aggregate-id"}}}
	stream := b.list(&gnmi.Subscription{Path: path, Mode: gnmi.SubscriptionMode_ON_CHANGE})
	b.wants(b.untilSync(stream))
	b.mustSet(b.put("/interface[name=e1]", `{"mtu":9100,"ethernet":{"aggregate-id":"e1"}}`))
	b.wants(b.next(stream), `/interface[name=e1]/ethernet/aggregate-id "e1"`)
}

// Depth extension 0.1.0 §3: changes below the levels are not told.
func TestDepthLimitsTheChangesToo(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	stream := b.request(&gnmi.SubscribeRequest{
		Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: &gnmi.SubscriptionList{
			Encoding: gnmi.Encoding_JSON_IETF, Subscription: []*gnmi.Subscription{b.one("/interface[name=mgmt0]", gnmi.SubscriptionMode_ON_CHANGE)},
		}},
		Extension: []*gnmi_ext.Extension{{Ext: &gnmi_ext.Extension_Depth{Depth: &gnmi_ext.Depth{Level: 1}}}},
	})
	b.untilSync(stream)
	b.mustSet(b.put("/interface[name=mgmt0]", `{"mtu":9000,"ethernet":{"aggregate-id":"mgmt0"}}`))
	b.wants(b.next(stream), `/interface[name=mgmt0]/mtu 9000`)
}

// §3.5.1.5.2: what the target defines has no interval.
func TestTargetDefinedTakesNoInterval(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	sub := b.one("/system", gnmi.SubscriptionMode_TARGET_DEFINED)
	sub.SampleInterval = uint64(10 * time.Second)
	_, err := b.list(sub).Recv()
	b.refuses(err, codes.InvalidArgument, "the target chooses")
}

// §2.2.2, since 0.4.0: a path in the field that was replaced is refused by every RPC. Read as if that field were not there it is the root.
func TestPathsOfOldAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	//lint:ignore SA1019 that it is refused is the point
	old := &gnmi.Path{Element: []string{"interface[name=mgmt0]"}}
	before := b.device.Running()
	_, getErr := b.gnmi.Get(b.ctx, &gnmi.GetRequest{Path: []*gnmi.Path{old}, Encoding: gnmi.Encoding_JSON_IETF})
	_, prefixErr := b.gnmi.Get(b.ctx, &gnmi.GetRequest{Prefix: old, Encoding: gnmi.Encoding_JSON_IETF})
	_, streamErr := b.list(&gnmi.Subscription{Path: old}).Recv()
	for what, err := range map[string]error{
		"Get": getErr, "prefix": prefixErr, "Subscribe": streamErr,
		"delete":  b.set(&gnmi.SetRequest{Delete: []*gnmi.Path{old}}),
		"update":  b.set(&gnmi.SetRequest{Update: []*gnmi.Update{{Path: old, Val: b.update("/", "{}").GetVal()}}}),
		"replace": b.set(&gnmi.SetRequest{Replace: []*gnmi.Update{{Path: old, Val: b.update("/", "{}").GetVal()}}}),
	} {
		t.Log(what)
		b.refuses(err, codes.InvalidArgument, "use elem")
	}
	if !config.Equal(before, b.device.Running()) {
		t.Error("the configuration is another one")
	}
}

// SR Linux: /system/configuration/max-paths-per-subscription-request.
func TestTooManyPathsAreRefused(t *testing.T) {
	t.Parallel()
	soft := &sim.Software{Server: func(*config.Tree) sim.Server { return sim.Server{Streams: 2} }}
	b := newBenchOf(t, sim.Spec{Name: "leaf1", Platform: simtest.Platform, Driver: simtest.Driver(), Software: soft})
	_, err := b.list(b.one("/system", 0), b.one("/policy", 0), b.one("/interface", 0)).Recv()
	b.refuses(err, codes.InvalidArgument, "3 paths in one subscription request, at most 2 are allowed")
}

// commits opens a config subscription.
func (b *bench) commits(path string) gnmi.GNMI_SubscribeClient {
	b.Helper()
	return b.request(&gnmi.SubscribeRequest{
		Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: &gnmi.SubscriptionList{
			Encoding: gnmi.Encoding_JSON_IETF, Subscription: []*gnmi.Subscription{b.one(path, gnmi.SubscriptionMode_ON_CHANGE)},
		}},
		Extension: []*gnmi_ext.Extension{{Ext: &gnmi_ext.Extension_ConfigSubscription{
			ConfigSubscription: &gnmi_ext.ConfigSubscription{Action: &gnmi_ext.ConfigSubscription_Start{Start: &gnmi_ext.ConfigSubscriptionStart{}}},
		}}},
	})
}

// commit returns what a config subscription says about one commit, and the id at its boundary.
func (b *bench) commit(stream gnmi.GNMI_SubscribeClient) (said []string, id string) {
	b.Helper()
	for {
		resp, err := stream.Recv()
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range resp.GetExtension() {
			if done := e.GetConfigSubscription().GetSyncDone(); done.GetDone() {
				return said, done.GetCommitConfirmId()
			}
		}
		said = append(said, told(resp.GetUpdate())...)
	}
}

// Config-subscription extension 0.1.0 §2.2.1: configuration only, state never.
func TestAConfigSubscriptionShowsNoState(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(b.put("/interface[name=e1]/mtu", "9000"))
	b.wants(b.untilSync(b.commits("/interface[name=e1]")), `/interface[name=e1]/name "e1"`, `/interface[name=e1]/mtu 9000`)
}

// Config-subscription extension 0.1.0 §3: the boundary of every commit, also of one that shows nothing here.
func TestAConfigSubscriptionTellsWhereEachCommitEnds(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	stream := b.commits("/interface[name=mgmt0]")
	b.untilSync(stream)
	b.mustSet(b.put("/interface[name=mgmt0]/mtu", "9000"))
	b.mustSet(b.put("/system/name/host-name", `"other"`))
	b.mustSet(open(b.put("/interface[name=mgmt0]/mtu", "9100"), "change-7", time.Minute))
	b.clock.Advance(time.Minute)
	for _, want := range []struct{ said, id string }{
		{"/interface[name=mgmt0]/mtu 9000", ""},
		{"", ""},
		{"/interface[name=mgmt0]/mtu 9100", "change-7"},
		{"/interface[name=mgmt0]/mtu 9000", "change-7"}, // taken back: §3.3
	} {
		said, id := b.commit(stream)
		if got := fmt.Sprintf("%s", said); got != "["+want.said+"]" || id != want.id {
			t.Errorf("said %s at commit %q, want %+v", got, id, want)
		}
	}
}

// §3.4.3: no stream shows a change before it is accepted, nor any of a Set that is refused.
func TestARefusedSetIsNeverSeen(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	stream := b.list(b.one("/interface", gnmi.SubscriptionMode_ON_CHANGE))
	b.untilSync(stream)
	if err := b.set(&gnmi.SetRequest{Update: []*gnmi.Update{b.update("/interface[name=e1]/mtu", "9000"), b.update("/interface[name=e1]/mtu", "1")}}); err == nil {
		t.Fatal("not refused")
	}
	b.quiet(stream)
}

// Whatever is set, a client that keeps what a stream says has in the end what a Get of all types returns, defaults
// that are in use included (§3.5.2.4); one that follows commits has what a Get of configuration returns.
func TestAStreamAndAGetAgree(t *testing.T) {
	t.Parallel()
	for what, server := range map[gnmi.GetRequest_DataType]sim.Server{gnmi.GetRequest_ALL: {}, gnmi.GetRequest_CONFIG: {}} {
		agree(t, what, server)
	}
	agree(t, gnmi.GetRequest_CONFIG, sim.Server{Defaults: true})
}

// agree draws Sets, and compares what a stream and a Get of some type say after each few.
func agree(t *testing.T, what gnmi.GetRequest_DataType, server sim.Server) {
	t.Helper()
	b := configured(t, server)
	paths := []string{"/interface", "/policy", "/types"}
	req := &gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: &gnmi.SubscriptionList{Encoding: gnmi.Encoding_PROTO}}}
	for _, p := range paths {
		list := req.GetSubscribe()
		list.Subscription = append(list.Subscription, b.one(p, gnmi.SubscriptionMode_ON_CHANGE))
	}
	if what == gnmi.GetRequest_CONFIG {
		req.Extension = []*gnmi_ext.Extension{{Ext: &gnmi_ext.Extension_ConfigSubscription{ConfigSubscription: &gnmi_ext.ConfigSubscription{
			Action: &gnmi_ext.ConfigSubscription_Start{Start: &gnmi_ext.ConfigSubscriptionStart{}}}}}}
	}
	stream := b.request(req)
	store, serial := map[string]string{}, 0
	keepUntil := func(done func(*gnmi.SubscribeResponse) bool) {
		for {
			resp, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			keepNative(store, resp.GetUpdate())
			if done(resp) {
				return
			}
		}
	}
	keepUntil((*gnmi.SubscribeResponse).GetSyncResponse)
	rapid.Check(t, func(r *rapid.T) {
		for range rapid.IntRange(1, 5).Draw(r, "sets") {
			_ = b.set(b.anySet(r)) // one that is refused changes nothing
		}
		serial++
		mark := fmt.Sprint(serial)
		b.mustSet(b.put("/interface[name=mark]/description", fmt.Sprintf("%q", mark)))
		const at = "/interface[name=mark]/description"
		keepUntil(func(*gnmi.SubscribeResponse) bool { return store[at] == printed(text(mark)) })
		got, err := b.read(&gnmi.GetRequest{Type: what, Encoding: gnmi.Encoding_PROTO}, paths...)
		if err != nil {
			r.Fatal(err)
		}
		want := map[string]string{}
		for _, said := range slices.Concat(got...) {
			path, value, _ := strings.Cut(said, " ")
			want[path] = value
		}
		if diff := cmp.Diff(want, store); diff != "" {
			r.Fatalf("%s: a Get and a stream (-Get +stream):\n%s", what, diff)
		}
	})
}

// keepNative does to a store what a client does on a notification.
func keepNative(store map[string]string, n *gnmi.Notification) {
	for _, p := range n.GetDelete() {
		path, _ := config.FromGNMI(n.GetPrefix(), p)
		forgetBelow(store, path.String())
	}
	for _, u := range n.GetUpdate() {
		path, _ := config.FromGNMI(n.GetPrefix(), u.GetPath())
		store[path.String()] = printed(u.GetVal())
	}
}

// anySet draws a Set on a few interfaces and policies.
func (b *bench) anySet(r *rapid.T) *gnmi.SetRequest {
	entry := rapid.SampledFrom([]string{"/interface[name=e1]", "/interface[name=e2]", "/policy[name=p]"}).Draw(r, "entry")
	leaf, value := entry+"/description", fmt.Sprintf("%q", rapid.StringMatching("[a-c]").Draw(r, "text"))
	if entry == "/policy[name=p]" {
		leaf, value = entry+"/tag", fmt.Sprintf("[%q]", rapid.StringMatching("[a-c]").Draw(r, "tag"))
	}
	switch rapid.IntRange(0, 5).Draw(r, "what") {
	case 4: // a leaf that has a default, and a container in which another has one
		return b.put("/interface[name=e1]/admin-state", rapid.SampledFrom([]string{`"enable"`, `"disable"`}).Draw(r, "state"))
	case 5:
		return rapid.SampledFrom([]*gnmi.SetRequest{b.put("/types/small", "1"), b.put("/types/features", `["x","y"]`), b.put("/types/features", `["z"]`),
			b.remove("/types"), b.remove("/types/features"), b.remove("/interface[name=e1]/admin-state")}).Draw(r, "default")
	case 0:
		return &gnmi.SetRequest{Delete: []*gnmi.Path{b.path(entry).GNMI()}}
	case 1:
		return &gnmi.SetRequest{Delete: []*gnmi.Path{b.path(leaf).GNMI()}}
	case 2:
		return &gnmi.SetRequest{Replace: []*gnmi.Update{b.update(leaf, value)}}
	}
	return b.put(leaf, value)
}

// forgetBelow deletes from a store what is at and below a path.
func forgetBelow(store map[string]string, gone string) {
	for path := range store {
		if path == gone || strings.HasPrefix(path, gone+"/") {
			delete(store, path)
		}
	}
}
