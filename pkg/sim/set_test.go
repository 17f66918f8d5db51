package sim_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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

// What an SR Linux router of a platform says to values that are none, where public reports tell; never which operation
// of the request it was, nor a regular expression.
func TestARouterRefusesValuesInItsOwnWords(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, router(t, ""))
	const port, sub = "/interface[name=ethernet-1/1]", "/interface[name=ethernet-1/1]/subinterface[index=0]"
	at := func(leaf, text string) string {
		return "Error in path: .interface{.name==\"ethernet-1/1\"}" + leaf + "\n[InvalidArgument] " + text
	}
	for path, c := range map[string]struct{ value, want string }{
		port + "/mtu":          {`9500`, at(".mtu", "mtu 9500 out of range [1500-9412]")},
		sub + "/ip-mtu":        {`9399`, at(".subinterface{.index==0}.ip-mtu", "ip-mtu 9399 out of range [1280-9398]")},
		sub + "/l2-mtu":        {`9413`, at(".subinterface{.index==0}.l2-mtu", "l2-mtu 9413 out of range [1500-9412]")},
		port + "/description":  {`5`, ""},
		"/interface[name=a b]": {`{"description":"x"}`, "Error in path: .interface.name\n[InvalidArgument] 'a b' is not a valid value of 'name'"},
		"/interface[name=mgmt0]/mtu": {`9217`,
			"Error in path: .interface{.name==\"mgmt0\"}.mtu\n[InvalidArgument] mtu 9217 out of range [1500-9216]"},
		"/interface[name=ethernet-1/1]/ethernet/hold-time/up": {`50`, at(".ethernet.hold-time.up", "up 50 out of range [0, 100-86400000]")},
		"/system/grpc-server[name=mgmt]/port":                 {`99999`, "Error in path: .system.grpc-server{.name==\"mgmt\"}.port\n[InvalidArgument] port 99999 out of range [0-65535]"},
		port + "/oper-state":                                  {`"up"`, "Path not valid - "},
		port + "/transceiver/functional-type": {`"srl_nokia-interfaces:digital-coherent-optics"`,
			at(".transceiver.functional-type", "7220 IXR-D2L has no digital-coherent-optics")},
	} {
		b.unchanged(b.put(path, c.value), codes.InvalidArgument, c.want)
		if path == port+"/mtu" { // the operator at the box has the same platform
			if err := b.device.Apply(b.put(path, c.value)); err == nil {
				t.Error("mtu 9500 is applied at the box")
			}
		}
	}
	err := b.set(&gnmi.SetRequest{Update: []*gnmi.Update{
		b.update(port+"/mtu", `9413`), b.update(port+"/mtu", `9412`), b.update(sub, `{"type":"routed","ip-mtu":9398}`)}})
	b.refuses(err, codes.OK, "")
	for _, req := range []*gnmi.SetRequest{
		b.put(port+"/nothing", `1`), b.put(port+"/oper-state", `"up"`), b.put("/interface[name=*]/mtu", `9000`), b.put(port, `{"mtu":`),
		b.put(port+"/ethernet/aggregate-id", `"x y"`), b.put(sub+"/ipv4/address[ip-prefix=1.2.3.4.5]", `{}`),
		{Delete: []*gnmi.Path{b.gnmiPath("/system/grpc-server[key=mgmt]")}}, b.replace(port+"/mtu", `"many"`),
	} {
		err := b.set(req)
		if text := status.Convert(err).Message(); err == nil || strings.ContainsAny(text, "^\\$") || foreignWords.MatchString(text) {
			t.Errorf("%v: %q", req, text)
		}
	}
}

var foreignWords = regexp.MustCompile(`(update|replace|delete|offset) \d+:`)

func TestSetTakesAnArrayAtAListForNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	before := b.device.Running()
	b.mustSet(b.put("/interface", `[{"name":"e1"}]`))
	b.mustSet(&gnmi.SetRequest{Replace: []*gnmi.Update{b.update("/interface", ` [{"name":"e1"}]`)}})
	if got := b.device.Running().AppendJSON(nil, true); string(got) != string(before.AppendJSON(nil, true)) {
		t.Errorf("running changed: %s", got)
	}
	for name, value := range map[string]string{
		"text that is no JSON":      `[{"name":"e1"}`,
		"more after the array":      `[{"name":"e1"}] x`,
		"an array of scalars":       `["e1"]`,
		"an array of arrays":        `[[{"name":"e1"}]]`,
		"an entry without its key":  `[{"mtu":1500}]`,
		"an entry with another key": `[{"index":1}]`,
		"a leaf of another type":    `[{"name":"e1","mtu":"many"}]`,
		"a leaf out of range":       `[{"name":"e1","mtu":1}]`,
		"an element that is none":   `[{"name":"e1","nothing":1}]`,
	} {
		t.Log(name)
		b.unchanged(b.put("/interface", value), codes.InvalidArgument, "")
		b.unchanged(b.replace("/interface", value), codes.InvalidArgument, "")
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
