package sim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/loomfabric/loom/pkg/sim/simtest"
)

func TestSetIsAllOrNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	before := b.device.Running()
	err := b.set(&gnmi.SetRequest{Update: []*gnmi.Update{
		b.update("/interface[name=e1]/mtu", "9000"), b.update("/interface[name=e1]/mtu", "9600"),
	}})
	b.refuses(err, codes.InvalidArgument, `.interface{.name=="e1"}.mtu`)
	if b.device.Running() != before {
		t.Error("half of a refused request is running")
	}
}

func TestSetAnswersEachOperationInOrder(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	resp, err := b.gnmi.Set(b.ctx, &gnmi.SetRequest{
		Update:  []*gnmi.Update{b.update("/interface[name=e1]/mtu", "9000")},
		Replace: []*gnmi.Update{b.update("/interface[name=e1]", `{"description":"x"}`)},
		Delete:  []*gnmi.Path{b.path("/interface[name=e9]").GNMI()},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range resp.GetResponse() {
		got = append(got, r.GetOp().String()+" "+r.GetPath().GetElem()[0].GetKey()["name"])
	}
	b.wants(got, "DELETE e9", "REPLACE e1", "UPDATE e1")
	if b.running("/interface[name=e1]/mtu") != "9000" || b.running("/interface[name=e1]/description") != "x" {
		t.Error("the operations were not done in the order delete, replace, update")
	}
}

func TestSetIsRefusedInTheWordsOfTheDevice(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	for name, c := range map[string]struct {
		req  *gnmi.SetRequest
		code codes.Code
		text string
	}{
		"an unknown element": {b.put("/interface[name=e1]/state", `1`), codes.InvalidArgument,
			"Path not valid - unknown element 'state'. Options are [name, description, "},
		"an unknown element in a value": {b.put("/interface[name=e1]", `{"state":1}`), codes.InvalidArgument, "unknown element 'state'"},
		"a delete of an unknown element": {&gnmi.SetRequest{Delete: []*gnmi.Path{b.path("/interface[name=e1]/state").GNMI()}},
			codes.InvalidArgument, "unknown element 'state'"},
		"a value out of range":         {b.put("/interface[name=e1]/mtu", `9600`), codes.InvalidArgument, "9600"},
		"a reference to nothing":       {b.put("/interface[name=e1]/ethernet/aggregate-id", `"lag1"`), codes.FailedPrecondition, "lag1"},
		"a missing mandatory leaf":     {b.put("/interface[name=e1]/breakout-mode", `{}`), codes.FailedPrecondition, "breakout-port-speed"},
		"state":                        {b.put("/interface[name=e1]/oper-state", `"up"`), codes.InvalidArgument, "oper-state"},
		"another origin":               {&gnmi.SetRequest{Delete: []*gnmi.Path{{Origin: "cli"}}}, codes.Unimplemented, "cli"},
		"JSON that is none":            {b.put("/interface[name=e1]", `{"mtu":`), codes.InvalidArgument, ""},
		"a path with an illegal name":  {&gnmi.SetRequest{Delete: []*gnmi.Path{{Elem: []*gnmi.PathElem{{Name: "a b"}}}}}, codes.InvalidArgument, ""},
		"an array at an unknown place": {b.put("/nothing", `[]`), codes.InvalidArgument, "unknown element 'nothing'"},
	} {
		t.Run(name, func(t *testing.T) {
			err := b.set(c.req)
			b := *b
			b.T = t
			b.refuses(err, c.code, c.text)
		})
	}
}

func TestSetTakesAnArrayAtAListForNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	before := b.device.Running()
	b.mustSet(b.put("/interface", `[{"name":"e1"}]`))
	b.mustSet(&gnmi.SetRequest{Replace: []*gnmi.Update{b.update("/interface", ` [{"name":"e1"}]`)}})
	if got := b.device.Running().AppendJSON(nil, true); string(got) != string(before.AppendJSON(nil, true)) {
		t.Errorf("running changed: %s", got)
	}
	b.mustSet(b.put("/policy[name=p]/tag", `["a"]`)) // a leaf-list is no list
	if got, _ := b.get(gnmi.GetRequest_CONFIG, "/policy[name=p]/tag"); len(got) != 1 {
		t.Errorf("tag = %v", got)
	}
}

func TestWhatTheSchemaDoesNotKnowGoesWithWhatHoldsIt(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	foreign := func() int {
		t.Helper()
		got, err := b.get(gnmi.GetRequest_CONFIG, "/interface")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(strings.Join(got, "\n"), "dhcp-client")
	}
	b.mustSet(b.put("/interface[name=mgmt0]/description", `"x"`))
	b.mustSet(&gnmi.SetRequest{Delete: []*gnmi.Path{b.path("/interface[name=e1]").GNMI()}})
	if foreign() != 1 {
		t.Error("a change beside it took it away")
	}
	b.mustSet(&gnmi.SetRequest{Delete: []*gnmi.Path{b.path("/interface[name=*]/subinterface").GNMI()}})
	if foreign() != 0 {
		t.Error("it outlived its subinterface")
	}
	b.device.Reboot()
	b.conn = connect(t, b.sim, "leaf1")
	b.gnmi = gnmi.NewGNMIClient(b.conn)
	if foreign() != 1 {
		t.Error("it did not come back with startup")
	}
}

// commit adds the extension to a request.
func commit(req *gnmi.SetRequest, c *gnmi_ext.Commit) *gnmi.SetRequest {
	req.Extension = []*gnmi_ext.Extension{{Ext: &gnmi_ext.Extension_Commit{Commit: c}}}
	return req
}

func open(req *gnmi.SetRequest, id string, d time.Duration) *gnmi.SetRequest {
	c := &gnmi_ext.CommitRequest{}
	if d != 0 {
		c.RollbackDuration = durationpb.New(d)
	}
	return commit(req, &gnmi_ext.Commit{Id: id, Action: &gnmi_ext.Commit_Commit{Commit: c}})
}

func confirm(id string) *gnmi.SetRequest {
	return commit(&gnmi.SetRequest{}, &gnmi_ext.Commit{Id: id, Action: &gnmi_ext.Commit_Confirm{}})
}

func cancel(id string) *gnmi.SetRequest {
	return commit(&gnmi.SetRequest{}, &gnmi_ext.Commit{Id: id, Action: &gnmi_ext.Commit_Cancel{}})
}

func extend(id string, d time.Duration) *gnmi.SetRequest {
	return commit(&gnmi.SetRequest{}, &gnmi_ext.Commit{Id: id, Action: &gnmi_ext.Commit_SetRollbackDuration{
		SetRollbackDuration: &gnmi_ext.CommitSetRollbackDuration{RollbackDuration: durationpb.New(d)}}})
}

const mtu = "/interface[name=e1]/mtu"

func TestThereIsOneCommitAtATime(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.refuses(b.set(confirm("a")), codes.FailedPrecondition, "no commit is waiting")
	b.refuses(b.set(cancel("a")), codes.FailedPrecondition, "no commit is waiting")
	b.refuses(b.set(extend("a", time.Minute)), codes.FailedPrecondition, "no commit is waiting")
	b.refuses(b.set(open(b.put(mtu, "9000"), "", 0)), codes.InvalidArgument, "id is missing")
	b.refuses(b.set(open(b.put(mtu, "9000"), "a", -time.Second)), codes.InvalidArgument, "greater than 0")
	b.refuses(b.set(commit(&gnmi.SetRequest{}, &gnmi_ext.Commit{Id: "a"})), codes.InvalidArgument, "without an action")

	b.mustSet(open(b.put(mtu, "9000"), "a", time.Minute))
	b.refuses(b.set(b.put(mtu, "9001")), codes.FailedPrecondition, `commit "a" is waiting`)
	b.refuses(b.set(open(b.put(mtu, "9001"), "b", time.Minute)), codes.FailedPrecondition, `commit "a" is waiting`)
	b.refuses(b.set(confirm("b")), codes.InvalidArgument, `not "b"`)
	b.refuses(b.set(cancel("b")), codes.InvalidArgument, `not "b"`)
	b.refuses(b.set(extend("b", time.Minute)), codes.InvalidArgument, `not "b"`)
	b.refuses(b.set(extend("a", 0)), codes.InvalidArgument, "greater than 0")
	amended := confirm("a")
	amended.Update = []*gnmi.Update{b.update(mtu, "9001")}
	b.refuses(b.set(amended), codes.InvalidArgument, "cannot be amended")
	if got := b.running(mtu); got != "9000" {
		t.Errorf("mtu = %q", got)
	}
	b.mustSet(confirm("a"))
	b.refuses(b.set(confirm("a")), codes.FailedPrecondition, "no commit is waiting")
	if b.device.Pending() != "" {
		t.Error("a commit is pending")
	}
}

func TestACommitThatIsRefusedOpensNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.refuses(b.set(open(b.put(mtu, "9600"), "a", time.Minute)), codes.InvalidArgument, "9600")
	if got := b.device.Pending(); got != "" {
		t.Errorf("commit %q is pending", got)
	}
}

func TestACommitIsTakenBackWhateverHappensToTheDevice(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*bench){
		"its time passes":                      func(b *bench) { b.clock.Advance(time.Minute) },
		"its time passes while nobody can see": func(b *bench) { b.device.Stop(); b.clock.Advance(time.Minute) },
		"it is cancelled":                      func(b *bench) { b.mustSet(cancel("a")) },
		"the device reboots": func(b *bench) {
			b.device.Reboot()
			b.clock.Advance(time.Hour)
		},
		"somebody else changes the same leaf": func(b *bench) {
			if err := b.device.Apply(b.put(mtu, "9100")); err != nil {
				b.Fatal(err)
			}
			if got := b.running(mtu); got != "9100" {
				b.Errorf("mtu = %q after the foreign change", got)
			}
			b.clock.Advance(time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, simtest.New)
			b.mustSet(open(b.put(mtu, "9000"), "a", time.Minute))
			do(b)
			if got := b.running(mtu); got != "" || b.device.Pending() != "" {
				t.Errorf("mtu = %q, pending = %q", got, b.device.Pending())
			}
		})
	}
}

func TestTheTimerIsTheRequestsOrTenMinutes(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(open(b.put(mtu, "9000"), "a", 0))
	b.clock.Advance(10*time.Minute - 1)
	if b.device.Pending() != "a" {
		t.Fatal("it is over too early")
	}
	b.mustSet(extend("a", time.Second))
	b.clock.Advance(time.Second)
	if b.device.Pending() != "" {
		t.Error("the new time is not kept")
	}
}

func TestStartupFollowsOnlyWhatIsFinalAndWantsIt(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	saved := func() string { return b.device.Startup().Find(b.path(mtu)).Value() }
	check := func(want, when string) {
		t.Helper()
		if got := saved(); got != want {
			t.Errorf("startup has mtu %q %s, want %q", got, when, want)
		}
	}
	b.mustSet(b.put(mtu, "9000"))
	check("", "before it is saved")
	b.mustSet(b.put("/system/configuration/auto-save", "true"))
	check("9000", "after it is saved")
	b.mustSet(open(b.put(mtu, "9100"), "a", time.Minute))
	check("9000", "while a commit is open")
	b.mustSet(cancel("a"))
	check("9000", "after cancel")
	b.mustSet(open(b.put(mtu, "9200"), "a", time.Minute))
	if err := b.device.Apply(b.put("/interface[name=e1]/description", `"x"`)); err != nil {
		t.Fatal(err)
	}
	check("9000", "after a foreign change while a commit is open")
	b.mustSet(confirm("a"))
	check("9200", "after confirm")
	if err := b.device.Apply(b.put(mtu, "9300")); err != nil {
		t.Fatal(err)
	}
	check("9300", "after a foreign change")
	b.mustSet(b.put("/system/configuration/auto-save", "false"))
	b.mustSet(b.put(mtu, "9400"))
	check("9300", "after saving is off again")
}

func TestAReleaseWithoutTheExtensionDoesNotSeeIt(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.Old)
	b.mustSet(open(b.put(mtu, "9000"), "a", time.Minute))
	b.clock.Advance(time.Hour)
	if got := b.running(mtu); got != "9000" || b.device.Pending() != "" {
		t.Errorf("mtu = %q, pending = %q: want a final change", got, b.device.Pending())
	}
}

func TestRebootBootsStartup(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	factory := b.device.Startup().AppendJSON(nil, true)
	b.mustSet(b.put(mtu, "9000"))
	b.device.Reboot()
	if diff := cmp.Diff(string(factory), string(b.device.Running().AppendJSON(nil, true))); diff != "" {
		t.Error(diff)
	}
}
