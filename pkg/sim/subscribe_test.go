package sim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"

	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// subscribe opens a subscription to some paths.
func (b *bench) subscribe(list *gnmi.SubscriptionList, paths ...string) gnmi.GNMI_SubscribeClient {
	b.Helper()
	stream, err := b.gnmi.Subscribe(b.ctx)
	if err != nil {
		b.Fatal(err)
	}
	list.Encoding = gnmi.Encoding_JSON_IETF
	for _, p := range paths {
		list.Subscription = append(list.Subscription, &gnmi.Subscription{Path: b.path(p).GNMI(), Mode: gnmi.SubscriptionMode_ON_CHANGE})
	}
	if err := stream.Send(&gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: list}}); err != nil {
		b.Fatal(err)
	}
	return stream
}

// untilSync returns what a stream says up to its sync_response.
func (b *bench) untilSync(stream gnmi.GNMI_SubscribeClient) []string {
	b.Helper()
	var out []string
	for {
		resp, err := stream.Recv()
		if err != nil {
			b.Fatal(err)
		}
		if resp.GetSyncResponse() {
			return out
		}
		out = append(out, told(resp.GetUpdate())...)
	}
}

// next returns what the next notification of a stream says.
func (b *bench) next(stream gnmi.GNMI_SubscribeClient) []string {
	b.Helper()
	resp, err := stream.Recv()
	if err != nil {
		b.Fatal(err)
	}
	return told(resp.GetUpdate())
}

func TestSubscribeOnceSendsEachLeafOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(b.put("/policy[name=p]/tag", `["b","a"]`))
	stream := b.subscribe(&gnmi.SubscriptionList{Mode: gnmi.SubscriptionList_ONCE}, "/policy", "/interface[name=*]/oper-state", "/platform", "/system/name")
	b.wants(b.untilSync(stream),
		`/policy[name=p]/name "p"`, `/policy[name=p]/tag ["a","b"]`,
		`/interface[name=mgmt0]/oper-state "up"`,
		`/platform/chassis/type "7220-IXR-D3L"`,
		`/system/name/host-name "leaf1"`)
}

func TestSubscribeOnChangeTellsWhatChanges(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(b.put("/interface[name=e1]", `{"mtu":9000,"ethernet":{"aggregate-id":"e1"}}`))
	b.mustSet(b.put("/policy[name=p]", `{"tag":["a"]}`))
	stream := b.subscribe(&gnmi.SubscriptionList{}, "/interface[name=e1]/mtu", "/interface[name=e2]", "/interface[name=*]/oper-state", "/policy")
	b.wants(b.untilSync(stream),
		`/interface[name=e1]/mtu 9000`,
		`/interface[name=e1]/oper-state "up"`, `/interface[name=mgmt0]/oper-state "up"`,
		`/policy[name=p]/name "p"`, `/policy[name=p]/tag ["a"]`)

	for _, c := range []struct {
		name string
		do   *gnmi.SetRequest
		want []string
	}{
		{"a leaf that changes", b.put("/interface[name=e1]/mtu", "9100"), []string{`/interface[name=e1]/mtu 9100`}},
		{"state that follows", b.put("/interface[name=e1]/admin-state", `"disable"`), []string{`/interface[name=e1]/oper-state "down"`}},
		{"an entry that comes", b.put("/interface[name=e2]", `{"mtu":1500,"subinterface":[{"index":1,"type":"routed"}]}`), []string{
			`/interface[name=e2]/name "e2"`, `/interface[name=e2]/mtu 1500`, `/interface[name=e2]/oper-state "up"`, `/interface[name=e2]/admin-state "enable"`,
			`/interface[name=e2]/subinterface[index=1]/index 1`, `/interface[name=e2]/subinterface[index=1]/type "test-interfaces:routed"`}},
		{"a value in a leaf-list", b.put("/policy[name=p]/tag", `["b"]`), []string{`/policy[name=p]/tag ["a","b"]`}},
		{"a leaf that goes", &gnmi.SetRequest{Delete: []*gnmi.Path{b.path("/interface[name=e2]/mtu").GNMI()}}, []string{`-/interface[name=e2]/mtu`}},
		{"an entry that goes", &gnmi.SetRequest{Delete: []*gnmi.Path{b.path("/interface[name=e2]").GNMI()}}, []string{`-/interface[name=e2]`}},
		{"an entry that goes and was seen in part", &gnmi.SetRequest{Delete: []*gnmi.Path{b.path("/interface[name=e1]").GNMI()}},
			[]string{`-/interface[name=e1]/mtu`, `-/interface[name=e1]/oper-state`}},
	} {
		b.mustSet(c.do)
		got := b.next(stream)
		slices.Sort(got)
		slices.Sort(c.want)
		t.Log(c.name)
		b.wants(got, c.want...)
	}
}

func TestSubscribeShowsNothingOfARefusedSet(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	stream := b.subscribe(&gnmi.SubscriptionList{}, "/interface[name=e1]")
	b.wants(b.untilSync(stream))
	if err := b.set(&gnmi.SetRequest{Update: []*gnmi.Update{b.update(mtu, "9000"), b.update(mtu, "1")}}); err == nil {
		t.Fatal("not refused")
	}
	b.mustSet(b.put("/interface[name=e1]/description", `"x"`))
	got := b.next(stream)
	slices.Sort(got)
	b.wants(got, `/interface[name=e1]/admin-state "enable"`, `/interface[name=e1]/description "x"`, `/interface[name=e1]/name "e1"`, `/interface[name=e1]/oper-state "up"`)
}

func TestSubscribeTellsThatACommitIsTakenBack(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	stream := b.subscribe(&gnmi.SubscriptionList{UpdatesOnly: true}, "/interface[name=mgmt0]")
	b.wants(b.untilSync(stream))
	b.mustSet(open(b.put("/interface[name=mgmt0]/mtu", "9000"), "a", time.Minute))
	b.wants(b.next(stream), `/interface[name=mgmt0]/mtu 9000`)
	b.clock.Advance(time.Minute)
	b.wants(b.next(stream), `-/interface[name=mgmt0]/mtu`)
}

func TestSubscribePollAnswersEachPoll(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	stream := b.subscribe(&gnmi.SubscriptionList{Mode: gnmi.SubscriptionList_POLL}, "/system/name")
	b.wants(b.untilSync(stream), `/system/name/host-name "leaf1"`)
	for _, name := range []string{"leaf1", "other"} {
		b.mustSet(b.put("/system/name/host-name", `"`+name+`"`))
		if err := stream.Send(&gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Poll{Poll: &gnmi.Poll{}}}); err != nil {
			t.Fatal(err)
		}
		b.wants(b.untilSync(stream), `/system/name/host-name "`+name+`"`)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
}

func TestSubscribeSampleSendsAtEachInterval(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	list := &gnmi.SubscriptionList{Subscription: []*gnmi.Subscription{
		{Path: b.path("/system/name").GNMI(), Mode: gnmi.SubscriptionMode_SAMPLE, SampleInterval: uint64(10 * time.Second)},
	}}
	stream := b.subscribe(list)
	b.wants(b.untilSync(stream), `/system/name/host-name "leaf1"`)
	for range 3 {
		b.clock.Advance(10 * time.Second)
		b.wants(b.next(stream), `/system/name/host-name "leaf1"`)
	}
}

func TestSubscriptionsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	_, err := b.subscribe(&gnmi.SubscriptionList{}, "/nothing").Recv()
	b.refuses(err, codes.InvalidArgument, "unknown element 'nothing'")
	stream, err := b.gnmi.Subscribe(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Poll{}}); err != nil {
		t.Fatal(err)
	}
	_, err = stream.Recv()
	b.refuses(err, codes.InvalidArgument, "subscribe")
}
