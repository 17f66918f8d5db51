package sim_test

import (
	"strings"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"

	"github.com/loomfabric/loom/pkg/sim/simtest"
)

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
