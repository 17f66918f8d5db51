package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Leaves of a switch in these tests.
const (
	described = "/interface[name=ethernet-1/1]/description" // of which nothing is intended
	port      = "/interface[name=ethernet-1/49]"            // to the spine
	operState = port + "/oper-state"
)

// collector is somebody who listens, and what it knows by what it was told.
type collector struct {
	*served
	gnmi.GNMI_SubscribeClient
	knows  map[string]string // target and path
	synced int
	told   int64 // updates
	missed int64
}

// collect begins a Subscribe.
func (c *served) collect(r *gnmi.SubscribeRequest) *collector {
	c.Helper()
	s, err := gnmi.NewGNMIClient(c.there).Subscribe(c.Context())
	c.check(err)
	c.check(s.Send(r))
	return &collector{served: c, GNMI_SubscribeClient: s, knows: map[string]string{}}
}

// hears takes one message, and what it says.
func (o *collector) hears() error {
	resp, err := o.Recv()
	if err != nil {
		return err
	}
	if resp.GetSyncResponse() {
		o.synced++
	}
	n := resp.GetUpdate()
	name := func(p *gnmi.Path) string { return n.GetPrefix().GetTarget() + ":" + pathText(n.GetPrefix(), p) }
	for _, d := range n.GetDelete() {
		maps.DeleteFunc(o.knows, func(path, _ string) bool {
			return path == name(d) || strings.HasPrefix(path, strings.TrimSuffix(name(d), "/")+"/")
		})
	}
	for _, u := range n.GetUpdate() {
		o.told++
		o.missed += int64(u.GetDuplicates())
		o.knows[name(u.GetPath())] = strings.Trim(string(u.GetVal().GetJsonIetfVal()), `"`)
	}
	return nil
}

func pathText(prefix, p *gnmi.Path) string {
	out := ""
	for _, e := range append(slices.Clone(prefix.GetElem()), p.GetElem()...) {
		out += "/" + e.GetName()
		for _, k := range slices.Sorted(maps.Keys(e.GetKey())) {
			out += "[" + k + "=" + e.GetKey()[k] + "]"
		}
	}
	return out
}

// until hears until something holds.
func (o *collector) until(what string, holds func() bool) {
	o.Helper()
	late := time.AfterFunc(20*time.Second, func() { _ = o.CloseSend(); o.there.Close() })
	defer late.Stop()
	for !holds() {
		if err := o.hears(); err != nil {
			o.Fatalf("%s: %v; it knows %v", what, err, o.knows)
		}
	}
}

// learns hears until it knows something, which is nothing for "".
func (o *collector) learns(path, value string) {
	o.Helper()
	o.until(path+" = "+value, func() bool { return o.knows[path] == value })
}

func (o *collector) sync() {
	o.Helper()
	n := o.synced
	o.until("sync_response", func() bool { return o.synced > n })
}

func TestCollectorsAreServedWhatDevicesSay(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	client := gnmi.NewGNMIClient(c.there)
	c.box("leaf1", map[string]string{described: "first"})
	names := sortedKeys(c.n.trees)
	each := func(path, value string) map[string]string {
		out := map[string]string{}
		for _, name := range names {
			out[name+":"+path] = value
		}
		return out
	}

	caps, err := client.Capabilities(t.Context(), &gnmi.CapabilityRequest{})
	c.check(err)
	if !slices.Contains(caps.GetSupportedEncodings(), gnmi.Encoding_JSON_IETF) || len(caps.GetSupportedModels()) < 10 || caps.GetGNMIVersion() == "" {
		t.Errorf("capabilities %v", caps)
	}

	get, err := client.Get(t.Context(), &gnmi.GetRequest{Prefix: &gnmi.Path{Target: "leaf1"}, Encoding: gnmi.Encoding_JSON_IETF, Path: []*gnmi.Path{mustPath(described).GNMI()}})
	c.check(err)
	if n := get.GetNotification(); len(n) != 1 || n[0].GetPrefix().GetTarget() != "leaf1" || string(n[0].GetUpdate()[0].GetVal().GetJsonIetfVal()) != `"first"` {
		t.Errorf("Get answers %v", get)
	}

	once := c.collect(wish("*", gnmi.SubscriptionList_ONCE, "/system/name/host-name", "/meta/connected"))
	once.sync()
	want := each("/meta/connected", "true")
	for _, name := range names {
		want[name+":/system/name/host-name"] = name
	}
	if !maps.Equal(once.knows, want) {
		t.Errorf("ONCE says %v, want %v", once.knows, want)
	}

	poll := c.collect(wish("pair/leaf1", gnmi.SubscriptionList_POLL, described))
	poll.sync()
	c.box("leaf1", map[string]string{described: "second"})
	c.check(poll.Send(&gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Poll{Poll: &gnmi.Poll{}}}))
	poll.sync()
	if got := poll.knows["pair/leaf1:"+described]; got != "second" {
		t.Errorf("POLL says %q after a change", got)
	}
	c.check(poll.CloseSend())

	calls := c.sim.Device("leaf1").Calls()
	stream, second := c.collect(wish("*", gnmi.SubscriptionList_STREAM, port, described)), c.collect(wish("leaf1", gnmi.SubscriptionList_STREAM, port, described))
	stream.sync()
	second.sync()
	if got := stream.knows["leaf1:"+operState]; got != "up" {
		t.Fatalf("%s is %q", operState, got)
	}
	if got := c.sim.Device("leaf1").Calls() - calls; got != 2 {
		t.Errorf("two collectors of two paths have %d subscriptions to a device, want 2", got)
	}
	c.box("leaf1", map[string]string{described: "third", port + "/admin-state": "disable"})
	for _, o := range []*collector{stream, second} {
		o.learns("leaf1:"+described, "third")
		o.learns("leaf1:"+operState, "down")
	}
	c.box("leaf1", map[string]string{described: ""})
	stream.learns("leaf1:"+described, "")

	chosen := wish("leaf1", gnmi.SubscriptionList_STREAM, operState)
	chosen.GetSubscribe().GetSubscription()[0].Mode = gnmi.SubscriptionMode_TARGET_DEFINED
	chosen.GetSubscribe().UpdatesOnly = true
	o := c.collect(chosen)
	o.sync()
	if o.told > 0 {
		t.Errorf("told %v of what was there", o.knows)
	}
	c.box("leaf1", map[string]string{port + "/admin-state": "enable"})
	o.learns("leaf1:"+operState, "up")
}

func TestADeviceOfTwoTopologiesIsCalledByBoth(t *testing.T) {
	t.Parallel()
	with := func(names ...string) *fabricRun {
		f := &fabricRun{agents: map[string]*agent{}}
		for _, n := range names {
			f.agents[n] = &agent{}
		}
		return f
	}
	s := &serving{fabrics: map[string]*fabricRun{"bj": with("leaf1", "leaf2"), "gz": with("leaf1")}}
	for target, want := range map[string]string{
		"*":        "map[{bj leaf1}:bj/leaf1 {bj leaf2}:leaf2 {gz leaf1}:gz/leaf1]",
		"leaf2":    "map[{bj leaf2}:leaf2]",
		"bj/leaf2": "map[{bj leaf2}:bj/leaf2]",
		"gz/leaf1": "map[{gz leaf1}:gz/leaf1]",
		"leaf1":    `invalid: prefix.target is "leaf1", which is in bj and gz; say bj/leaf1`,
		"gz/leaf2": `no such target: prefix.target is "gz/leaf2", and no device in care has that name; loom devices lists them, * means all`,
	} {
		all, err := s.targets(target)
		got := fmt.Sprint(all)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
}

// wish is a subscription to paths, on change where it is a stream.
func wish(target string, mode gnmi.SubscriptionList_Mode, paths ...string) *gnmi.SubscribeRequest {
	list := &gnmi.SubscriptionList{Prefix: &gnmi.Path{Target: target}, Mode: mode, Encoding: gnmi.Encoding_JSON_IETF}
	for _, p := range paths {
		one := &gnmi.Subscription{Path: mustPath(p).GNMI()}
		if mode == gnmi.SubscriptionList_STREAM {
			one.Mode = gnmi.SubscriptionMode_ON_CHANGE
		}
		list.Subscription = append(list.Subscription, one)
	}
	return &gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: list}}
}

func TestSamplesAndHeartbeatsComeInTime(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	sampled := wish("leaf1", gnmi.SubscriptionList_STREAM, "/system/name/host-name")
	one := sampled.GetSubscribe().GetSubscription()[0]
	one.Mode, one.SampleInterval = gnmi.SubscriptionMode_SAMPLE, uint64(time.Second)
	suppressed := proto.Clone(sampled).(*gnmi.SubscribeRequest)
	suppressed.GetSubscribe().GetSubscription()[0].SuppressRedundant = true
	beating := wish("leaf1", gnmi.SubscriptionList_STREAM, "/system/name/host-name")
	beating.GetSubscribe().GetSubscription()[0].HeartbeatInterval = uint64(time.Second)
	all := map[string]*collector{"SAMPLE": c.collect(sampled), "heartbeat": c.collect(beating)}
	quiet := c.collect(suppressed)
	for name, o := range all {
		o.sync()
		o.until("another "+name, func() bool { return o.told >= 2 })
	}
	c.box("leaf1", map[string]string{"/system/name/host-name": "other"})
	quiet.learns("leaf1:/system/name/host-name", "other")
	if quiet.told != 2 {
		t.Errorf("%d updates where only one has changed anything", quiet.told-1)
	}
}

// A collector that does not read is told the last value, and how many it has missed; others are told all the time.
func TestASlowCollectorHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	slow, quick := c.collect(wish("leaf1", gnmi.SubscriptionList_STREAM, described)), c.collect(wish("leaf1", gnmi.SubscriptionList_STREAM, described))
	slow.sync()
	quick.sync()
	var u *upstream
	at := c.s.collected(deviceName{"pair", "leaf1"})
	at.mu.Lock()
	for _, u = range at.feeds {
	}
	at.mu.Unlock()
	const changes = 5000
	last := ""
	for i := range changes {
		last = fmt.Sprintf("%d %s", i, strings.Repeat("x", 200))
		c.check(u.feed.Hear(&gnmi.Notification{Timestamp: int64(i), Update: []*gnmi.Update{{Path: mustPath(described).GNMI(), Val: jsonVal(last)}}}))
	}
	for _, o := range []*collector{quick, slow} {
		// A value may be told before all those are counted that it has taken the place of.
		o.until("all are told or counted", func() bool { return o.told+o.missed >= changes })
		if got := o.knows["leaf1:"+described]; got != last || o.told+o.missed != changes {
			t.Errorf("told %d and missed %d of %d, the last one %q", o.told, o.missed, changes, got)
		}
	}
	if slow.missed == 0 {
		t.Error("nothing was missed: this shows nothing")
	}
}

func jsonVal(text string) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(`"` + text + `"`)}}
}

func TestWhatIsGoneWhenADeviceIsBackIsToldAsDeleted(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	c.box("leaf1", map[string]string{described: "first"})
	o := c.collect(wish("leaf1", gnmi.SubscriptionList_STREAM, described, port+"/admin-state", "/meta"))
	o.sync()
	o.learns("leaf1:/meta/sync", "true")
	id := c.inject("unreachable", "leaf1", nil)
	o.learns("leaf1:/meta/connected", "false")
	o.until("why", func() bool { return o.knows["leaf1:/meta/connectError"] != "" })
	if o.knows["leaf1:"+described] != "first" || o.knows["leaf1:/meta/sync"] != "false" {
		t.Errorf("of a device that is lost it knows %v", o.knows)
	}
	late := c.collect(wish("*", gnmi.SubscriptionList_STREAM, described))
	late.sync()
	if late.knows["leaf1:"+described] != "first" {
		t.Errorf("who comes later knows %v", late.knows)
	}
	_, err := gnmi.NewGNMIClient(c.there).Get(t.Context(), &gnmi.GetRequest{Prefix: &gnmi.Path{Target: "leaf1"}, Encoding: gnmi.Encoding_JSON_IETF, Path: []*gnmi.Path{mustPath(described).GNMI()}})
	if status.Code(err) != codes.Unavailable {
		t.Errorf("Get of a device that is lost: %v", err)
	}
	c.box("leaf1", map[string]string{described: ""})
	c.check(c.sim.Clear(id))
	o.learns("leaf1:"+described, "")
	o.learns("leaf1:/meta/connectError", "")
	o.learns("leaf1:/meta/sync", "true")
	late.learns("leaf1:"+described, "")
	c.stand(controller.InSync, "leaf1")
}

func TestWhatCollectorsMayNotIsRefusedWithWhatToDo(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	edited := func(edit func(*gnmi.SubscriptionList)) *gnmi.SubscribeRequest {
		r := wish("leaf1", gnmi.SubscriptionList_STREAM, described)
		edit(r.GetSubscribe())
		return r
	}
	for name, r := range map[string]struct {
		request *gnmi.SubscribeRequest
		code    codes.Code
		says    string
	}{
		"an unknown target":       {wish("leaf9", gnmi.SubscriptionList_STREAM, described), codes.NotFound, `"leaf9"`},
		"an unknown target, once": {wish("leaf9", gnmi.SubscriptionList_ONCE, described), codes.NotFound, `"leaf9"`},
		"no target":               {wish("", gnmi.SubscriptionList_STREAM, described), codes.InvalidArgument, "* for all"},
		"no subscription":         {&gnmi.SubscribeRequest{}, codes.InvalidArgument, "3.5.1.1"},
		"no path":                 {wish("leaf1", gnmi.SubscriptionList_STREAM), codes.InvalidArgument, "3.5.1.2"},
		"a path that the device has not": {edited(func(l *gnmi.SubscriptionList) {
			l.Subscription[0].Path = &gnmi.Path{Elem: []*gnmi.PathElem{{Name: "nonsense"}}}
		}), codes.InvalidArgument, "nonsense"},
		"that no device has": {edited(func(l *gnmi.SubscriptionList) {
			l.Prefix.Target = "*"
			l.Subscription[0].Path = &gnmi.Path{Elem: []*gnmi.PathElem{{Name: "nonsense"}}}
		}), codes.InvalidArgument, "all devices"},
		"a target in a path":            {edited(func(l *gnmi.SubscriptionList) { l.Subscription[0].Path.Target = "leaf1" }), codes.InvalidArgument, "2.2.2.1"},
		"an encoding that it has not":   {edited(func(l *gnmi.SubscriptionList) { l.Encoding = gnmi.Encoding_BYTES }), codes.Unimplemented, "leaf1"},
		"a heartbeat that is too short": {edited(func(l *gnmi.SubscriptionList) { l.Subscription[0].HeartbeatInterval = 5 }), codes.InvalidArgument, "shortest"},
		"an interval without SAMPLE":    {edited(func(l *gnmi.SubscriptionList) { l.Subscription[0].SampleInterval = 5 }), codes.InvalidArgument, "SAMPLE"},
		"an interval that is too short for the device": {edited(func(l *gnmi.SubscriptionList) {
			l.Subscription[0].Mode, l.Subscription[0].SampleInterval = gnmi.SubscriptionMode_SAMPLE, 5
		}), codes.InvalidArgument, "leaf1"},
		"models with STREAM": {edited(func(l *gnmi.SubscriptionList) { l.UseModels = []*gnmi.ModelData{{Name: "x"}} }), codes.Unimplemented, "use_models"},
		"too many paths": {edited(func(l *gnmi.SubscriptionList) {
			for range 100 {
				l.Subscription = append(l.Subscription, l.Subscription[0])
			}
		}), codes.ResourceExhausted, "at most 64"},
	} {
		o := c.collect(r.request)
		var err error
		for err == nil {
			err = o.hears()
		}
		if status.Code(err) != r.code || !strings.Contains(err.Error(), r.says) {
			t.Errorf("%s: %v, want %s with %q", name, err, r.code, r.says)
		}
	}
	_, err := gnmi.NewGNMIClient(c.there).Set(t.Context(), &gnmi.SetRequest{Prefix: &gnmi.Path{Target: "leaf1"}})
	if status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), "loom intent put") {
		t.Errorf("Set: %v", err)
	}
	o := c.collect(wish("leaf1", gnmi.SubscriptionList_STREAM, described))
	c.check(o.Send(wish("leaf1", gnmi.SubscriptionList_STREAM, described)))
	for err = nil; err == nil; {
		err = o.hears()
	}
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("another subscription on a stream: %v", err)
	}
	leave := make([]func(), 0, mostOfOne)
	for range mostOfOne {
		l, err := c.s.collectors.enter("admin")
		c.check(err)
		leave = append(leave, l)
	}
	o = c.collect(wish("leaf1", gnmi.SubscriptionList_STREAM, described))
	if err := o.hears(); status.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), "64 calls of admin") {
		t.Errorf("one call too many: %v", err)
	}
	for _, l := range leave {
		l()
	}
	o = c.collect(edited(func(l *gnmi.SubscriptionList) {
		l.Subscription = nil
		for i := range mostSubscribed + 1 {
			l.Subscription = append(l.Subscription, &gnmi.Subscription{Path: mustPath(fmt.Sprintf("/interface[name=ethernet-1/%d]/mtu", i+1)).GNMI(), Mode: gnmi.SubscriptionMode_ON_CHANGE})
		}
	}))
	for err = nil; err == nil; {
		err = o.hears()
	}
	if status.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), "leaf1: limit reached: collectors have 1") {
		t.Errorf("more subscriptions than the device is asked for: %v", err)
	}
}

// A device that is taken out is deleted for who listens to all, and ends who listens to it alone; one that comes is told of.
func TestCollectorsFollowWhichDevicesThereAre(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	all, one := c.collect(wish("*", gnmi.SubscriptionList_STREAM, "/system/name/host-name")), c.collect(wish("leaf2", gnmi.SubscriptionList_STREAM, "/system/name/host-name"))
	all.sync()
	one.sync()
	var err error
	agents := c.f.agents
	alone := maps.Clone(agents)
	delete(alone, "leaf2")
	have := func(agents map[string]*agent) {
		c.f.mu.Lock()
		c.f.agents = agents
		c.f.mu.Unlock()
		c.s.mu.Lock()
		c.s.tell()
		c.s.mu.Unlock()
	}
	have(alone)
	all.learns("leaf2:/system/name/host-name", "")
	for err = nil; err == nil; {
		err = one.hears()
	}
	if status.Code(err) != codes.NotFound {
		t.Errorf("who listens to a device that is taken out: %v", err)
	}
	have(agents)
	all.learns("leaf2:/system/name/host-name", "leaf2")
}
