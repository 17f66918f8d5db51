package sim_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"

	"github.com/loomfabric/loom/pkg/sim/simtest"
)

func (b *bench) replace(at, value string) *gnmi.SetRequest {
	b.Helper()
	return &gnmi.SetRequest{Replace: []*gnmi.Update{b.update(at, value)}}
}

func (b *bench) remove(paths ...string) *gnmi.SetRequest {
	b.Helper()
	req := &gnmi.SetRequest{}
	for _, p := range paths {
		req.Delete = append(req.Delete, b.gnmiPath(p))
	}
	return req
}

// holds fails unless a node of the running configuration has a value in JSON; "" means that it is not there.
func (b *bench) holds(at, want string) {
	b.Helper()
	if got := bareNames(string(b.device.Running().Find(b.path(at)).AppendJSON(nil))); got != want {
		b.Errorf("%s is %s, want %s", at, got, want)
	}
}

// unchanged fails unless a request is refused, with a code and a text, and changes nothing.
func (b *bench) unchanged(req *gnmi.SetRequest, code codes.Code, text string) {
	b.Helper()
	before := b.device.Running()
	b.refuses(b.set(req), code, text)
	if b.device.Running() != before {
		b.Error("the refused request changed something")
	}
}

// §3.4: delete, then replace, then update, whatever the order of the fields on the wire.
func TestSetDeletesThenReplacesThenUpdates(t *testing.T) {
	t.Parallel()
	b := filled(t)
	b.mustSet(&gnmi.SetRequest{
		Update:  []*gnmi.Update{b.update("/interface[name=e1]/mtu", "1501")},
		Replace: []*gnmi.Update{b.update("/interface[name=e1]", `{"name":"e1","description":"replaced","mtu":1500}`)},
		Delete:  []*gnmi.Path{b.gnmiPath("/interface[name=e1]")},
	})
	b.holds("/interface[name=e1]", `{"name":"e1","description":"replaced","mtu":1501}`)
}

// §3.4: of operations on the same path, all are done, and the last is what stays.
func TestSetDoesARepeatedPathInOrder(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(&gnmi.SetRequest{
		Replace: []*gnmi.Update{b.update("/interface[name=e1]", `{"name":"e1","mtu":1500}`), b.update("/interface[name=e1]", `{"name":"e1","description":"second"}`)},
		Update:  []*gnmi.Update{b.update("/interface[name=e2]/mtu", "1500"), b.update("/interface[name=e2]/mtu", "1600")},
	})
	b.holds("/interface[name=e1]", `{"name":"e1","description":"second"}`)
	b.holds("/interface[name=e2]", `{"name":"e2","mtu":1600}`)
}

// §3.4: a request without operations is no error.
func TestAnEmptySetIsAccepted(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.unchanged(&gnmi.SetRequest{}, codes.OK, "")
}

// §3.4.2: one UpdateResult per operation, in the order in which they are done, with the path of the request;
// the prefix, with its target (§2.2.2.1), comes back; the time is that of acceptance.
func TestSetAnswersEachOperation(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	prefix := b.gnmiPath("/interface[name=e1]")
	prefix.Target = "leaf1"
	resp, err := b.gnmi.Set(b.ctx, &gnmi.SetRequest{
		Prefix:  prefix,
		Update:  []*gnmi.Update{b.update("/mtu", "1500"), b.update("/description", `"u"`)},
		Replace: []*gnmi.Update{b.update("/ethernet/aggregate-id", `"e1"`)},
		Delete:  []*gnmi.Path{b.gnmiPath("/subinterface"), b.gnmiPath("/mtu")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range resp.GetResponse() {
		e := r.GetPath().GetElem()
		got = append(got, r.GetOp().String()+" "+e[len(e)-1].GetName())
	}
	b.wants(got, "DELETE subinterface", "DELETE mtu", "REPLACE aggregate-id", "UPDATE mtu", "UPDATE description")
	if resp.GetPrefix().GetTarget() != "leaf1" || len(resp.GetPrefix().GetElem()) != 1 || resp.GetTimestamp() != b.clock.Now().UnixNano() {
		t.Errorf("got %v", resp)
	}
	b.holds("/interface[name=e1]", `{"name":"e1","description":"u","mtu":1500,"ethernet":{"aggregate-id":"e1"}}`)
}

// §3.4.3: all operations, or none.
func TestSetIsOneTransaction(t *testing.T) {
	t.Parallel()
	b := filled(t)
	b.unchanged(&gnmi.SetRequest{
		Delete: []*gnmi.Path{b.gnmiPath("/policy")},
		Update: []*gnmi.Update{b.update("/interface[name=e2]/mtu", "1500"), b.update("/interface[name=e3]/mtu", "1")},
	}, codes.InvalidArgument, `Error in path: .interface{.name=="e3"}.mtu`)
}

// §3.4.4: what a replace does not name is deleted, or falls back to its default.
func TestReplaceResetsWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	b := filled(t)
	b.mustSet(b.put("/interface[name=e1]/admin-state", `"disable"`))
	b.mustSet(b.replace("/interface[name=e1]", `{"name":"e1","description":"new"}`))
	b.holds("/interface[name=e1]", `{"name":"e1","description":"new"}`)
	b.answers(&gnmi.GetRequest{}, []string{"/interface[name=e1]/admin-state"}, []string{`/interface[name=e1]/admin-state "enable"`})
}

// §3.4.4: a replace of a collection removes the entries that it does not have; an update adds to it.
func TestReplaceShrinksACollectionAndUpdateGrowsIt(t *testing.T) {
	t.Parallel()
	b := filled(t)
	b.mustSet(b.put("/policy[name=p]", `{"tag":["c"],"statement":[{"name":"a"}]}`))
	b.holds("/policy[name=p]/tag", `["a","b","c"]`)
	b.holds("/policy[name=p]/statement", `[{"name":"z","action":"drop"},{"name":"a"}]`)
	b.mustSet(b.replace("/policy[name=p]", `{"name":"p","tag":["c"],"statement":[{"name":"a"}]}`))
	b.holds("/policy[name=p]/tag", `["c"]`)
	b.holds("/policy[name=p]/statement", `[{"name":"a"}]`)
	b.mustSet(b.replace("/policy[name=p]/tag", `["d"]`))
	b.holds("/policy[name=p]/tag", `["d"]`)
}

// §3.4.4: a replace is no way to delete.
func TestReplaceByNothingIsRefused(t *testing.T) {
	t.Parallel()
	b := filled(t)
	for path, value := range map[string]string{
		"/":                           `{}`,
		"/interface[name=e1]":         `{}`,
		"/interface[name=e1]/mtu":     `null`,
		"/types":                      ` { } `,
		"/types/numbers":              `[]`,
		"/interface[name=new]":        `{}`,
		"/policy[name=p]/tag":         `[ ]`,
		"/interface[name=e1]/missing": `{}`,
	} {
		b.unchanged(b.replace(path, value), codes.InvalidArgument, "")
	}
	none := &gnmi.TypedValue{Value: &gnmi.TypedValue_LeaflistVal{LeaflistVal: &gnmi.ScalarArray{}}}
	b.unchanged(&gnmi.SetRequest{Replace: []*gnmi.Update{{Path: b.gnmiPath("/types/numbers"), Val: none}}}, codes.InvalidArgument, "use delete")
}

// §3.4.5: some of the keys are not enough for an update or a replace, also where the value has the rest.
func TestPartialKeysAreRefused(t *testing.T) {
	t.Parallel()
	b := filled(t)
	b.unchanged(b.put("/types/pair[first=a]/value", `"x"`), codes.InvalidArgument, "second")
	b.unchanged(b.put("/types/pair[first=a]", `{"second":1,"value":"x"}`), codes.InvalidArgument, "second")
	b.unchanged(b.replace("/types/pair[second=1]", `{"first":"a","value":"x"}`), codes.InvalidArgument, "first")
}

// §3.4.5: a key in the path and another in the value contradict each other; the same key twice does not.
func TestConflictingKeysAreRefused(t *testing.T) {
	t.Parallel()
	b := filled(t)
	b.unchanged(b.put("/interface[name=e1]", `{"name":"e2"}`), codes.InvalidArgument, "e2")
	b.unchanged(b.put("/interface[name=e1]/name", `"e2"`), codes.InvalidArgument, "e2")
	b.unchanged(b.replace("/types/pair[first=a][second=1]", `{"first":"a","second":2}`), codes.InvalidArgument, "second")
	b.mustSet(b.put("/types/pair[first=a][second=1]", `{"first":"a","second":1,"value":"w"}`))
	b.holds("/types/pair[first=a][second=1]/value", `"w"`)
}

// §3.4.6: a delete takes all below it along, and of what is not there it is silent.
func TestDeleteIsRecursiveAndSilent(t *testing.T) {
	t.Parallel()
	b := filled(t)
	b.unchanged(b.remove("/nothing"), codes.InvalidArgument, "unknown element 'nothing'")
	b.mustSet(b.remove("/interface[name=e1]", "/interface[name=e9]/mtu", "/types/pair[first=z][second=9]"))
	b.holds("/interface[name=e1]", "")
	b.holds("/interface", `[{"name":"mgmt0","subinterface":[{"index":0}]}]`)
}

// §3.4.6: wildcards are expanded, and some of the keys mean all entries that have them. Path conventions:
// also "..." is a wildcard.
func TestDeleteExpandsWildcards(t *testing.T) {
	t.Parallel()
	for path, left := range map[string][]string{
		"/interface[name=*]/subinterface": {"/interface[name=mgmt0]", `{"name":"mgmt0"}`},
		"/interface/subinterface":         {"/interface[name=mgmt0]", `{"name":"mgmt0"}`},
		"/interface":                      {"/interface", ""},
		"/types/pair[first=a]":            {"/types/pair", `[{"first":"b","second":1}]`},
		"/types/pair[second=1]":           {"/types/pair", `[{"first":"a","second":2}]`},
		"/types/pair[second=7]":           {"/types/pair", `[{"first":"a","second":1,"value":"v"},{"first":"a","second":2},{"first":"b","second":1}]`},
		"/.../value":                      {"/types/pair", `[{"first":"a","second":1},{"first":"a","second":2},{"first":"b","second":1}]`},
		"/interface[name=e1]/.../address": {"/interface[name=e1]/subinterface", `[{"index":0,"type":"routed"}]`},
		"/types/*":                        {"/types", ""},
		"/types/...":                      {"/types", ""},
	} {
		b := filled(t)
		b.mustSet(b.put("/types", `{"pair":[{"first":"a","second":2},{"first":"b","second":1}]}`))
		b.mustSet(b.remove(path))
		t.Log(path)
		if want := left[1]; want != "" {
			b.holds(left[0], want)
		} else if c := b.device.Running().Find(b.path(left[0])); c.Valid() && !c.IsDefault() {
			t.Errorf("%s is left", left[0])
		}
	}
}

// §3.4.7: the code of each kind of mistake. SR Linux has INVALID_ARGUMENT where the specification has NOT_FOUND,
// for a path that is not valid, and FAILED_PRECONDITION for what only the commit finds out.
func TestEachMistakeHasItsCode(t *testing.T) {
	t.Parallel()
	b := filled(t)
	cli := b.remove("/policy")
	cli.Delete[0].Origin = "cli"
	for name, c := range map[string]struct {
		req  *gnmi.SetRequest
		code codes.Code
	}{
		"a path that is not valid":           {b.put("/interface[name=e1]/nothing", "1"), codes.InvalidArgument},
		"a path that cannot be parsed":       {&gnmi.SetRequest{Update: []*gnmi.Update{{Path: &gnmi.Path{Elem: []*gnmi.PathElem{{Name: "/"}}}}}}, codes.InvalidArgument},
		"a wildcard in an update":            {b.put("/interface[name=*]/mtu", "1500"), codes.InvalidArgument},
		"a value out of range":               {b.put("/interface[name=e1]/mtu", "1"), codes.InvalidArgument},
		"a value of another type":            {b.put("/interface[name=e1]/mtu", `"many"`), codes.InvalidArgument},
		"JSON that is none":                  {b.put("/interface[name=e1]", `{`), codes.InvalidArgument},
		"state":                              {b.put("/interface[name=e1]/oper-state", `"up"`), codes.InvalidArgument},
		"an encoding that is not there":      {b.typed("/interface[name=e1]/mtu", &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonVal{JsonVal: []byte("1500")}}), codes.Unimplemented},
		"an origin that is not there":        {cli, codes.Unimplemented},
		"a reference to nothing":             {b.put("/interface[name=e1]/ethernet/aggregate-id", `"e7"`), codes.FailedPrecondition},
		"a mandatory leaf that is not there": {b.put("/interface[name=e1]/breakout-mode", `{}`), codes.FailedPrecondition},
	} {
		t.Log(name)
		b.unchanged(c.req, c.code, "")
	}
}

// typed returns a request with one update of a value as it is.
func (b *bench) typed(at string, v *gnmi.TypedValue) *gnmi.SetRequest {
	b.Helper()
	return &gnmi.SetRequest{Update: []*gnmi.Update{{Path: b.gnmiPath(at), Val: v}}}
}

// Values in the fields of PROTO.
func text(v string) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: v}}
}
func signed(v int64) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_IntVal{IntVal: v}}
}
func unsigned(v uint64) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_UintVal{UintVal: v}}
}
func truth(v bool) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_BoolVal{BoolVal: v}}
}
func double(v float64) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_DoubleVal{DoubleVal: v}}
}
func octets(v ...byte) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_BytesVal{BytesVal: v}}
}
func array(v ...*gnmi.TypedValue) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_LeaflistVal{LeaflistVal: &gnmi.ScalarArray{Element: v}}}
}

// §2.2.3: a Set takes the scalars that a Get in PROTO gives.
func TestSetTakesNativeScalars(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	for _, c := range []struct {
		path string
		val  *gnmi.TypedValue
		want string
	}{
		{"/system/name/host-name", text("x"), `"x"`},
		{"/interface[name=e1]/admin-state", text("disable"), `"disable"`},
		{"/interface[name=e1]/mtu", unsigned(1500), `1500`},
		{"/interface[name=e1]/mtu", signed(1501), `1501`},
		{"/interface[name=e1]/mtu", text("1502"), `1502`},
		{"/interface[name=e1]/vlan-tagging", truth(true), `true`},
		{"/interface[name=e1]/ethernet/aggregate-id", text("e1"), `"e1"`},
		{"/interface[name=e1]/subinterface[index=0]/type", text("test-interfaces:routed"), `"routed"`},
		{"/types/signed", signed(-7), `"-7"`},
		{"/types/decimal", double(-2.25), `"-2.25"`},
		{"/types/decimal", signed(3), `"3.0"`},
		{"/types/empty", truth(true), `[null]`},
		{"/types/binary", octets(1, 2), `"AQI="`},
		{"/types/either", unsigned(8), `8`},
		{"/types/either", truth(false), `false`},
		{"/types/either", text("disable"), `"disable"`},
		{"/types/numbers", array(unsigned(2), unsigned(1)), `[1,2]`},
		{"/policy[name=p]/tag", array(text("b"), text("a")), `["a","b"]`},
	} {
		b.mustSet(b.typed(c.path, c.val))
		b.holds(c.path, c.want)
	}
}

// §3.4.7: a scalar that is not of the type of its leaf is INVALID_ARGUMENT, one that nobody encodes so
// UNIMPLEMENTED. The field value, which gNMI has given up, is not read.
func TestSetRefusesScalarsOfOtherTypes(t *testing.T) {
	t.Parallel()
	b := filled(t)
	for _, c := range []struct {
		path string
		val  *gnmi.TypedValue
		code codes.Code
	}{
		{"/interface[name=e1]/description", unsigned(5), codes.InvalidArgument},
		{"/interface[name=e1]/description", octets('x'), codes.InvalidArgument},
		{"/interface[name=e1]/mtu", truth(true), codes.InvalidArgument},
		{"/interface[name=e1]/mtu", signed(-1500), codes.InvalidArgument},
		{"/interface[name=e1]/mtu", double(1500), codes.InvalidArgument},
		{"/interface[name=e1]/mtu", array(unsigned(1500)), codes.InvalidArgument},
		{"/interface[name=e1]/vlan-tagging", unsigned(1), codes.InvalidArgument},
		{"/interface[name=e1]", text("e1"), codes.InvalidArgument},
		{"/types/empty", truth(false), codes.InvalidArgument},
		{"/types/either", text("none"), codes.InvalidArgument},
		{"/types/numbers", array(text("one")), codes.InvalidArgument},
		{"/types/numbers", array(array(unsigned(1))), codes.Unimplemented},
		{"/types/decimal", double(1.005), codes.InvalidArgument},
		{"/types/signed", &gnmi.TypedValue{Value: &gnmi.TypedValue_AsciiVal{AsciiVal: "1"}}, codes.Unimplemented},
		{"/types/signed", &gnmi.TypedValue{Value: &gnmi.TypedValue_ProtoBytes{ProtoBytes: []byte{1}}}, codes.Unimplemented},
		{"/types/signed", &gnmi.TypedValue{}, codes.InvalidArgument},
		{"/types/signed", nil, codes.InvalidArgument},
	} {
		t.Log(c.path, c.val)
		b.unchanged(b.typed(c.path, c.val), c.code, "")
	}
}

// §2.7: the device's own origin and any that it does not know mean the same, in one place only.
func TestSetKnowsItsOwnOrigin(t *testing.T) {
	t.Parallel()
	b := filled(t)
	both := b.put("/types/small", "1")
	both.Prefix, both.Update[0].Path.Origin = &gnmi.Path{Origin: "native"}, "native"
	b.unchanged(both, codes.InvalidArgument, "give one")
	// §2.7.4: several origins are one transaction.
	several := &gnmi.SetRequest{Update: slices.Concat(b.put("/types/small", "1").Update, b.put("/types/signed", `"2"`).Update)}
	several.Update[0].Path.Origin, several.Update[1].Path.Origin = "native", "openconfig"
	b.unchanged(several, codes.Unimplemented, "openconfig")
	several.Update[1].Path.Origin = ""
	b.mustSet(several)
	if diff := cmp.Diff([]string{"1", "2"}, []string{b.running("/types/small"), b.running("/types/signed")}); diff != "" {
		t.Error(diff)
	}
}
