package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// request makes a request of lines such as "update /system/name "a"".
func request(t fatal, lines ...string) *gnmi.SetRequest {
	t.Helper()
	req := &gnmi.SetRequest{}
	for _, l := range lines {
		op, rest, _ := strings.Cut(l, " ")
		p, value, _ := strings.Cut(rest, " ")
		u := &gnmi.Update{Path: path(t, p).GNMI(), Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(value)}}}
		switch op {
		case "delete":
			req.Delete = append(req.Delete, u.Path)
		case "replace":
			req.Replace = append(req.Replace, u)
		case "update":
			req.Update = append(req.Update, u)
		}
	}
	return req
}

const applyBase = `{"system":{"name":"a","banner":"b"},
	"interface":[{"name":"ethernet-1/1","mtu":1500},{"name":"lag1","mtu":1600,"group":["g"],"subinterface":[{"index":1,"type":"routed"},{"index":2,"type":"routed"}]}],
	"routing":{"policy":[{"name":"p1","action":"enable"},{"name":"p2"}],"community":["c"],"uplink":"ethernet-1/1"}}`

func TestApplyFollowsTheSpecification(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		ops  []string
		at   string
		want string
	}{
		{"deletes come first, then replaces, then updates", []string{`update /system/name "u"`, `replace /system {"name":"r","flag":[null]}`, `delete /system`}, "/system", `{"ex-base:name":"u","ex-base:flag":[null]}`},
		{"of two updates of one leaf the last wins", []string{`update /system/name "x"`, `update /system {"name":"y"}`}, "/system/name", `"y"`},
		{"an update leaves what it does not name", []string{`update /system {"mtu":1500}`}, "/system", `{"ex-base:name":"a","ex-base:mtu":1500,"ex-base:banner":"b"}`},
		{"a replace does not", []string{`replace /system {"mtu":1500}`}, "/system", `{"ex-base:mtu":1500}`},
		{"a replaced entry keeps its place", []string{`replace /routing/policy[name=p1] {"match":{"prefix":"x"}}`}, "/routing/policy", `[{"name":"p1","match":{"prefix":"x"}},{"name":"p2"}]`},
		{"a new entry comes last", []string{`update /routing {"policy":[{"name":"p0"},{"name":"p1"}]}`}, "/routing/policy", `[{"name":"p1","action":"enable"},{"name":"p2"},{"name":"p0"}]`},
		{"a replaced list has the order of its replacement", []string{`replace /routing/policy [{"name":"p2"},{"name":"p1"}]`}, "/routing/policy", `[{"name":"p2"},{"name":"p1"}]`},
		{"an update adds to a leaf-list", []string{`update /routing/community ["a"]`}, "/routing/community", `["a","c"]`},
		{"a replace replaces it", []string{`replace /routing/community ["a"]`}, "/routing/community", `["a"]`},
		{"a replaced leaf", []string{`replace /interface[name=lag1]/mtu 1700`}, "/interface[name=lag1]/mtu", `1700`},
		{"deleting what is absent is fine", []string{`delete /interface[name=lag9]/mtu`, `delete /system/dns/domain`}, "/system/name", `"a"`},
		{"a wildcard key in a delete", []string{`delete /interface[name=*]/mtu`}, "/interface", `[{"name":"ethernet-1/1"},{"name":"lag1","group":["g"],"subinterface":[{"index":1,"type":"ex-base:routed"},{"index":2,"type":"ex-base:routed"}]}]`},
		{"no keys in a delete", []string{`delete /interface/subinterface/type`, `delete /interface/group`}, "/interface[name=lag1]", `{"ex-base:name":"lag1","ex-base:mtu":1600,"ex-base:subinterface":[{"index":1},{"index":2}]}`},
		{"a list as a whole", []string{`delete /interface[name=lag1]/subinterface`}, "/interface[name=lag1]", `{"ex-base:name":"lag1","ex-base:mtu":1600,"ex-base:group":["g"]}`},
		{"a wildcard name", []string{`delete /system/*`, `delete /interface[name=lag1]/*`}, "/", `{"ex-base:interface":[{"name":"ethernet-1/1","mtu":1500},{"name":"lag1"}],"ex-base:routing":{"policy":[{"name":"p1","action":"enable"},{"name":"p2"}],"community":["c"],"uplink":"ethernet-1/1"}}`},
		{"the root", []string{`delete /`, `update / {"ex-base:system":{"name":"x"}}`}, "/", `{"ex-base:system":{"name":"x"}}`},
		{"a replaced root", []string{`replace / {"ex-base:system":{"name":"x"}}`}, "/", `{"ex-base:system":{"name":"x"}}`},
		{"an empty presence container", []string{`replace /system/dns {}`, `update /interface[name=lag2] {}`}, "/system", `{"ex-base:name":"a","ex-base:banner":"b","ex-more:dns":{}}`},
		{"canonical keys", []string{`delete /interface[name=lag1]/subinterface[index=01]`}, "/interface[name=lag1]/subinterface", `[{"index":2,"type":"ex-base:routed"}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			base := parse(t, applyBase)
			before := string(base.AppendJSON(nil, false))
			got, err := Apply(base, request(t, c.ops...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got.Find(path(t, c.at)).AppendJSON(nil))); diff != "" {
				t.Error(diff)
			}
			if string(base.AppendJSON(nil, false)) != before {
				t.Error("the base has changed")
			}
			if again := parse(t, string(got.AppendJSON(nil, false))); !Equal(got, again) {
				t.Error("the result is not the tree that its document parses to")
			}
		})
	}
}

func TestApplyTakesScalars(t *testing.T) {
	t.Parallel()
	req := &gnmi.SetRequest{Prefix: path(t, "/system").GNMI()}
	for p, v := range map[string]*gnmi.TypedValue{
		"/name":       {Value: &gnmi.TypedValue_StringVal{StringVal: "n"}},
		"/banner":     {Value: &gnmi.TypedValue_AsciiVal{AsciiVal: "b"}},
		"/mtu":        {Value: &gnmi.TypedValue_UintVal{UintVal: 1500}},
		"/big":        {Value: &gnmi.TypedValue_IntVal{IntVal: -5}},
		"/ratio":      {Value: &gnmi.TypedValue_DoubleVal{DoubleVal: -1.5}},
		"/huge":       {Value: &gnmi.TypedValue_JsonVal{JsonVal: []byte("12")}},
		"/dns/server": {Value: &gnmi.TypedValue_LeaflistVal{LeaflistVal: &gnmi.ScalarArray{Element: []*gnmi.TypedValue{{Value: &gnmi.TypedValue_StringVal{StringVal: "s"}}}}}},
	} {
		req.Update = append(req.Update, &gnmi.Update{Path: path(t, p).GNMI(), Val: v})
	}
	got, err := Apply(EmptyTree(model, newRelease), req)
	want := `{"ex-base:system":{"name":"n","mtu":1500,"banner":"b","ratio":"-1.5","big":"-5","huge":"12","ex-more:dns":{"server":["s"]}}}`
	if err != nil || string(got.AppendJSON(nil, false)) != want {
		t.Errorf("got %s, %v", got.AppendJSON(nil, false), err)
	}
	bit := &gnmi.Update{Path: path(t, "/interface[name=lag1]/vlan-tagging").GNMI(), Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_BoolVal{BoolVal: true}}}
	got, err = Apply(got, &gnmi.SetRequest{Update: []*gnmi.Update{bit}})
	if err != nil || got.Find(path(t, "/interface[name=lag1]/vlan-tagging")).Value() != "true" {
		t.Errorf("bool: %v", err)
	}
}

func TestApplyRefusesMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, op, want string }{
		{"an unknown element", `update /system/foo 1`, `update 0: /system: unknown element "foo": options are [name, mtu, `},
		{"an unknown element in a document", `update /system {"foo":1}`, `update 0: offset 7: /system: unknown element "foo": options are [name, mtu, `},
		{"an unknown element in a delete, though its parent is absent", `delete /system/dns/foo`, `delete 0: /system/dns: unknown element "foo"`},
		{"state", `update /system/uptime "5"`, `/system: state cannot be written: "uptime"`},
		{"state in a document", `replace /system {"uptime":"5"}`, `/system: state cannot be written: "uptime"`},
		{"a bad value", `replace /system/mtu 9500`, `replace 0: offset 0: /system/mtu: 9500 is out of range 1450..9412`},
		{"a bad key", `update /interface[name=eth0]/mtu 1500`, `/interface/name: "eth0" is not a valid port`},
		{"a bad key in a delete", `delete /interface[name=eth0]`, `/interface/name: "eth0" is not a valid port`},
		{"a missing key", `update /interface/mtu 1500`, `/interface: missing key "name"`},
		{"an unknown key", `delete /interface[nme=lag1]`, `/interface: unknown key "nme": options are [name]`},
		{"some keys", `delete /interface[name=lag1]/subinterface[index=1]/acl[name=x]`, ``},
		{"a key of a container", `update /system[name=x]/mtu 1500`, `/system: unknown key "name"`},
		{"a wildcard in an update", `update /interface[name=*]/mtu 1500`, `/: wildcards are for deletes: "interface"`},
		{"a key that changes", `update /interface[name=lag1]/name "lag2"`, `key is "lag1" in one place and "lag2" in another`},
		{"a key that goes", `delete /interface[name=lag1]/name`, `/interface[name=lag1]/name: is a key: delete the entry instead`},
		{"an empty object instead of a delete", `replace /system { }`, `/system: an empty object replaces nothing: use delete`},
		{"a reference that loses its target", `delete /interface[name=ethernet-1/1]`, `/routing/uplink: "ethernet-1/1" points at nothing`},
		{"a mandatory leaf that is missing", `update /bgp {"router-id":"x"}`, `/bgp/autonomous-system: is mandatory, but not there`},
		{"no JSON", `update /system`, `the document ends too early`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := Apply(parse(t, applyBase), request(t, c.op))
			if c.want == "" { // nothing there to match, so nothing to refuse
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || got != nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			var pe *PathError
			var ve *ValueError
			if !errors.As(err, &pe) && !errors.As(err, &ve) {
				t.Errorf("%v is neither a path nor a value error", err)
			}
		})
	}
}

func TestApplyRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	leaf := path(t, "/system/name").GNMI()
	one := func(p *gnmi.Path, v *gnmi.TypedValue) *gnmi.SetRequest {
		return &gnmi.SetRequest{Replace: []*gnmi.Update{{Path: p, Val: v}}}
	}
	text := &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: "x"}}
	bytes := &gnmi.TypedValue{Value: &gnmi.TypedValue_ProtoBytes{}}
	list := func(v *gnmi.TypedValue) *gnmi.TypedValue {
		return &gnmi.TypedValue{Value: &gnmi.TypedValue_LeaflistVal{LeaflistVal: &gnmi.ScalarArray{Element: []*gnmi.TypedValue{v}}}}
	}
	bad := &gnmi.Path{Elem: []*gnmi.PathElem{{Name: "a b"}}}
	for _, c := range []struct {
		name          string
		req           *gnmi.SetRequest
		want          string
		unimplemented bool
	}{
		{"union_replace", &gnmi.SetRequest{UnionReplace: []*gnmi.Update{{}}}, "union_replace: not implemented", true},
		{"bytes", one(leaf, bytes), "/system/name: a value of type *gnmi.TypedValue_ProtoBytes: not implemented", true},
		{"bytes in a leaf-list", one(path(t, "/system/dns/server").GNMI(), list(bytes)), "not implemented", true},
		{"no value", one(leaf, nil), "/system/name: has no value", false},
		{"a scalar for a container", one(path(t, "/system").GNMI(), text), `/system: is no leaf, so it cannot be "x"`, false},
		{"a bad scalar", one(path(t, "/system/mtu").GNMI(), text), `/system/mtu: "x" is not a whole number`, false},
		{"another key", one(path(t, "/interface[name=lag1]/name").GNMI(), text), `"x" is not a valid port`, false},
		{"a list for a leaf", one(leaf, list(text)), "/system/name: is no leaf-list", false},
		{"a bad list value", one(path(t, "/routing/as-path").GNMI(), list(text)), `/routing/as-path: "x" is not a whole number`, false},
		{"a bad path", one(bad, text), "is no node name", false},
		{"a bad path in a delete", &gnmi.SetRequest{Delete: []*gnmi.Path{bad}}, "is no node name", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Apply(EmptyTree(model, newRelease), c.req)
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrUnimplemented) != c.unimplemented {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestSomeKeysOfAnEntryAreNotEnoughForADelete(t *testing.T) {
	t.Parallel()
	base := parse(t, `{"interface":[{"name":"lag1","subinterface":[{"index":1,"acl":[{"name":"x","type":"enable"}]}]}]}`)
	_, err := Apply(base, request(t, `delete /interface[name=lag1]/subinterface[index=1]/acl[name=x]`))
	if err == nil || !strings.Contains(err.Error(), `missing key "type"`) {
		t.Errorf("got %v", err)
	}
}

func TestWhatWasNotValidBeforeDoesNotStopARequest(t *testing.T) {
	t.Parallel()
	base := parse(t, `{"routing":{"uplink":"lag9"}}`)
	if _, err := Apply(base, request(t, `update /system/name "x"`)); err != nil {
		t.Error(err)
	}
	if _, err := Apply(base, request(t, `update /bgp {}`)); err == nil || strings.Contains(err.Error(), "uplink") {
		t.Errorf("only the new mistake: got %v", err)
	}
}
