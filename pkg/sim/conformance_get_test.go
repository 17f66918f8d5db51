package sim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/prototext"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// gnmiPath reads a path that may have the elements "..." and "*".
func (b *bench) gnmiPath(s string) *gnmi.Path {
	b.Helper()
	const held = "any-levels"
	p := b.path(strings.ReplaceAll(s, "...", held)).GNMI()
	for _, e := range p.GetElem() {
		if e.GetName() == held {
			e.Name = "..."
		}
	}
	return p
}

// read does a Get in JSON_IETF, unless the request says otherwise, and returns its updates as "path value",
// one list a notification, with names without their module.
func (b *bench) read(req *gnmi.GetRequest, paths ...string) ([][]string, error) {
	b.Helper()
	if req.Encoding == gnmi.Encoding_JSON {
		req.Encoding = gnmi.Encoding_JSON_IETF
	}
	for _, p := range paths {
		req.Path = append(req.Path, b.gnmiPath(p))
	}
	resp, err := b.gnmi.Get(b.ctx, req)
	if err != nil {
		return nil, err
	}
	var out [][]string
	for _, n := range resp.GetNotification() {
		var one []string
		for _, u := range n.GetUpdate() {
			path, _ := config.FromGNMI(n.GetPrefix(), u.GetPath())
			one = append(one, path.String()+" "+bareNames(printed(u.GetVal())))
		}
		out = append(out, one)
	}
	return out, nil
}

// printed prints a value: JSON as it is, a scalar with its field.
func printed(v *gnmi.TypedValue) string {
	if json := v.GetJsonIetfVal(); json != nil {
		return compact(json)
	}
	text, _ := prototext.MarshalOptions{}.Marshal(v)
	return strings.ReplaceAll(string(text), "  ", " ") // prototext varies its spaces on purpose
}

// answers fails unless a Get of some paths gives these notifications.
func (b *bench) answers(req *gnmi.GetRequest, paths []string, want ...[]string) {
	b.Helper()
	got, err := b.read(req, paths...)
	if err != nil {
		b.Errorf("%v: %v", paths, err)
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("%v (-want +got)\n%s", paths, diff)
	}
}

// filled returns a bench whose device has something of everything.
func filled(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, simtest.New)
	b.fill()
	return b
}

func (b *bench) fill() {
	b.Helper()
	b.mustSet(&gnmi.SetRequest{Update: []*gnmi.Update{
		b.update("/interface[name=e1]", `{"mtu":9000,"vlan-tagging":true,"ethernet":{"aggregate-id":"e1"},"subinterface":[{"index":0,"type":"routed","ipv4":{"address":[{"ip-prefix":"10.0.0.0/31"}]}}]}`),
		b.update("/policy[name=p]", `{"tag":["b","a"],"statement":[{"name":"z","action":"drop"}]}`),
		b.update("/types", `{"signed":"-5","decimal":"1.5","empty":[null],"binary":"AQI=","small":-3,"either":"enable","numbers":[2,1],"pair":[{"first":"a","second":1,"value":"v"}]}`),
	}})
}

// §3.3.2: one notification for each path, in their order, with the time of the snapshot (§2.2.1: nanoseconds).
func TestGetAnswersEachPathInItsOwnNotification(t *testing.T) {
	t.Parallel()
	b := filled(t)
	b.answers(&gnmi.GetRequest{}, []string{"/policy[name=p]/tag", "/interface[name=e1]/mtu", "/interface[name=e1]/mtu"},
		[]string{`/policy[name=p]/tag ["a","b"]`}, []string{`/interface[name=e1]/mtu 9000`}, []string{`/interface[name=e1]/mtu 9000`})
	b.clock.Advance(time.Minute)
	resp, err := b.gnmi.Get(b.ctx, &gnmi.GetRequest{Encoding: gnmi.Encoding_JSON_IETF, Path: []*gnmi.Path{b.gnmiPath("/types")}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := resp.GetNotification()[0].GetTimestamp(), b.clock.Now().UnixNano(); got != want {
		t.Errorf("timestamp = %d, want %d", got, want)
	}
}

// §2.4.2: a path means the node and everything below it.
func TestGetIsRecursive(t *testing.T) {
	t.Parallel()
	b := filled(t)
	b.answers(&gnmi.GetRequest{Type: gnmi.GetRequest_CONFIG}, []string{"/interface[name=e1]/subinterface[index=0]"},
		[]string{`/interface[name=e1]/subinterface[index=0] {"index":0,"type":"routed","ipv4":{"address":[{"ip-prefix":"10.0.0.0/31"}]}}`})
}

// §3.3.1: CONFIG is what can be written, STATE and OPERATIONAL what cannot, and without a type it is all.
func TestGetSelectsByType(t *testing.T) {
	t.Parallel()
	b := filled(t)
	for kind, want := range map[gnmi.GetRequest_DataType][]string{
		gnmi.GetRequest_CONFIG:      {`/interface[name=mgmt0]/name string_val:"mgmt0"`, `/interface[name=mgmt0]/subinterface[index=0]/index uint_val:0`},
		gnmi.GetRequest_STATE:       {`/interface[name=mgmt0]/oper-state string_val:"up"`},
		gnmi.GetRequest_OPERATIONAL: {`/interface[name=mgmt0]/oper-state string_val:"up"`},
		gnmi.GetRequest_ALL: {`/interface[name=mgmt0]/name string_val:"mgmt0"`, `/interface[name=mgmt0]/admin-state string_val:"enable"`,
			`/interface[name=mgmt0]/oper-state string_val:"up"`, `/interface[name=mgmt0]/subinterface[index=0]/index uint_val:0`},
	} {
		b.answers(&gnmi.GetRequest{Type: kind, Encoding: gnmi.Encoding_PROTO}, []string{"/interface[name=mgmt0]"}, want)
	}
}

// §2.2.3 and §2.3.3: a container in PROTO is one update a leaf, each with the scalar of its type.
func TestGetInProtoHasNativeScalars(t *testing.T) {
	t.Parallel()
	b := filled(t)
	b.answers(&gnmi.GetRequest{Type: gnmi.GetRequest_CONFIG, Encoding: gnmi.Encoding_PROTO}, []string{"/types", "/interface[name=e1]", "/policy[name=p]/tag"}, []string{
		`/types/signed int_val:-5`,
		`/types/decimal double_val:1.5`,
		`/types/empty bool_val:true`,
		`/types/binary bytes_val:"\x01\x02"`,
		`/types/small int_val:-3`,
		`/types/either string_val:"enable"`,
		`/types/numbers leaflist_val:{element:{uint_val:1} element:{uint_val:2}}`,
		`/types/pair[first=a][second=1]/first string_val:"a"`,
		`/types/pair[first=a][second=1]/second uint_val:1`,
		`/types/pair[first=a][second=1]/value string_val:"v"`,
	}, []string{
		`/interface[name=e1]/name string_val:"e1"`,
		`/interface[name=e1]/mtu uint_val:9000`,
		`/interface[name=e1]/vlan-tagging bool_val:true`,
		`/interface[name=e1]/ethernet/aggregate-id string_val:"e1"`,
		`/interface[name=e1]/subinterface[index=0]/index uint_val:0`,
		`/interface[name=e1]/subinterface[index=0]/type string_val:"routed"`,
		`/interface[name=e1]/subinterface[index=0]/ipv4/address[ip-prefix=10.0.0.0/31]/ip-prefix string_val:"10.0.0.0/31"`,
	}, []string{`/policy[name=p]/tag leaflist_val:{element:{string_val:"a"} element:{string_val:"b"}}`})
}

// §2.2.3, RFC 7950 §9.12: a value of a union has the scalar of the member that took it.
func TestGetInProtoTellsTheMembersOfAUnionApart(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	for value, want := range map[string]string{
		"true": "bool_val:true", "-7": "int_val:-7", "7": "int_val:7", "1500": "uint_val:1500", `"70000"`: "uint_val:70000",
		`"1.25"`: "double_val:1.25", "[null]": "bool_val:true", `"AQI="`: `bytes_val:"\x01\x02"`, `"disable"`: `string_val:"disable"`,
	} {
		b.mustSet(b.put("/types/either", value))
		b.answers(&gnmi.GetRequest{Encoding: gnmi.Encoding_PROTO}, []string{"/types/either"}, []string{"/types/either " + want})
	}
}

// Path conventions, "Wildcards in paths": * for a name or a key, a key left out, ... for any number of levels.
func TestGetExpandsWildcards(t *testing.T) {
	t.Parallel()
	b := filled(t)
	const e1, mgmt0 = `/interface[name=e1]/oper-state string_val:"up"`, `/interface[name=mgmt0]/oper-state string_val:"up"`
	for path, want := range map[string][]string{
		"/interface[name=*]/oper-state":     {e1, mgmt0},
		"/interface/oper-state":             {e1, mgmt0},
		"/*/oper-state":                     {e1, mgmt0},
		"/.../oper-state":                   {e1, mgmt0},
		"/interface/.../oper-state":         {e1, mgmt0},
		"/.../interface/.../oper-state":     {e1, mgmt0},
		"/interface[name=e1]/*/type":        {`/interface[name=e1]/subinterface[index=0]/type string_val:"routed"`},
		"/.../ip-prefix":                    {`/interface[name=e1]/subinterface[index=0]/ipv4/address[ip-prefix=10.0.0.0/31]/ip-prefix string_val:"10.0.0.0/31"`},
		"/platform/...":                     {`/platform/chassis/type string_val:"7220-IXR-D3L"`},
		"/types/pair[first=a]/value":        {`/types/pair[first=a][second=1]/value string_val:"v"`},
		"/types/pair[second=1]/value":       {`/types/pair[first=a][second=1]/value string_val:"v"`},
		"/types/pair[second=2]/value":       nil,
		"/interface[name=e1]/.../address":   {`/interface[name=e1]/subinterface[index=0]/ipv4/address[ip-prefix=10.0.0.0/31]/ip-prefix string_val:"10.0.0.0/31"`},
		"/interface[name=mgmt0]/.../*/type": nil,
	} {
		b.answers(&gnmi.GetRequest{Encoding: gnmi.Encoding_PROTO}, []string{path}, want)
	}
	b.answers(&gnmi.GetRequest{Type: gnmi.GetRequest_STATE}, []string{"/.../oper-state"},
		[]string{`/ {"interface":[{"name":"e1","oper-state":"up"},{"name":"mgmt0","oper-state":"up"}]}`})
}

// §2.4.1: prefix and path are one path; §2.2.2.1: the target comes back, and only if it was given.
func TestGetJoinsThePrefixAndReflectsTheTarget(t *testing.T) {
	t.Parallel()
	b := filled(t)
	for _, target := range []string{"leaf1", ""} {
		prefix := b.gnmiPath("/interface[name=e1]")
		prefix.Target = target
		req := &gnmi.GetRequest{Prefix: prefix}
		b.answers(req, []string{"/mtu"}, []string{`/interface[name=e1]/mtu 9000`})
		resp, err := b.gnmi.Get(b.ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.GetNotification()[0].GetPrefix().GetTarget(); got != target {
			t.Errorf("target = %q, want %q", got, target)
		}
	}
}

// §3.3.1 and §3.3.4: a path that the schema does not have is INVALID_ARGUMENT, in SR Linux's words, even
// beside one that is valid.
func TestGetRefusesAnInvalidPath(t *testing.T) {
	t.Parallel()
	b := filled(t)
	for path, text := range map[string]string{
		"/nothing":                        "Path not valid - unknown element 'nothing'. Options are [interface, policy, system, platform, types]",
		"/interface[name=e1]/ethernet/x":  "Path not valid - unknown element 'x'. Options are [aggregate-id, reload-delay]",
		"/interface[index=e1]":            "'index' is not a key of 'interface'",
		"/.../nothing":                    "unknown element 'nothing'",
		"/interface[name=e1]/mtu/.../mtu": "unknown element 'mtu'",
	} {
		_, err := b.read(&gnmi.GetRequest{}, "/system", path)
		b.refuses(err, codes.InvalidArgument, text)
	}
	_, err := b.read(&gnmi.GetRequest{Path: []*gnmi.Path{{Elem: []*gnmi.PathElem{{Name: "a b"}}}}})
	b.refuses(err, codes.InvalidArgument, "Path not valid - ")
}

// §3.3.4 has NOT_FOUND for what does not exist; SR Linux answers a notification without updates, so that what
// exists beside it is not lost, and so do we.
func TestGetOfWhatDoesNotExistIsEmpty(t *testing.T) {
	t.Parallel()
	b := filled(t)
	b.answers(&gnmi.GetRequest{}, []string{"/interface[name=e9]", "/interface[name=e1]/description", "/interface[name=e1]/mtu"},
		nil, nil, []string{`/interface[name=e1]/mtu 9000`})
}

// §3.3.4: a default that is in use is a value; SR Linux leaves it out of CONFIG unless
// gnmi/include-defaults-in-config-only-responses is true.
func TestGetShowsDefaultsThatAreInUse(t *testing.T) {
	t.Parallel()
	all, conf := &gnmi.GetRequest{}, &gnmi.GetRequest{Type: gnmi.GetRequest_CONFIG}
	const admin, features = "/interface[name=mgmt0]/admin-state", "/types/features"
	value, values := []string{admin + ` "enable"`}, []string{features + ` ["x","y"]`}
	for name, c := range map[string]struct {
		server     sim.Server
		req        *gnmi.GetRequest
		admin, all []string
	}{
		"all":                         {sim.Server{}, all, value, values},
		"configuration":               {sim.Server{}, conf, nil, nil},
		"configuration with defaults": {sim.Server{Defaults: true}, conf, value, values},
	} {
		t.Run(name, func(t *testing.T) {
			b := configured(t, c.server)
			b.mustSet(b.put("/types/small", "1"))
			b.answers(&gnmi.GetRequest{Type: c.req.GetType()}, []string{admin, features, "/interface[name=e9]/admin-state"}, c.admin, c.all, nil)
			b.mustSet(b.put("/types/features", `["z"]`))
			b.answers(&gnmi.GetRequest{Type: c.req.GetType()}, []string{features}, []string{features + ` ["z"]`})
		})
	}
}

// §2.6: only what the named models define is sent.
func TestGetKeepsToTheModels(t *testing.T) {
	t.Parallel()
	b := filled(t)
	for model, want := range map[string][]string{
		"urn:test/interfaces:test-interfaces": {`/interface[name=e1] {"name":"e1","mtu":9000,"ethernet":{"aggregate-id":"e1"},"subinterface":[{"index":0,"type":"routed","ipv4":{"address":[{"ip-prefix":"10.0.0.0/31"}]}}]}`},
		"test-vlans":                          {`/interface[name=e1] {"name":"e1","vlan-tagging":true}`},
		"test-policy":                         nil,
	} {
		b.answers(&gnmi.GetRequest{Type: gnmi.GetRequest_CONFIG, UseModels: []*gnmi.ModelData{{Name: model}}}, []string{"/interface[name=e1]"}, want)
	}
	_, err := b.read(&gnmi.GetRequest{UseModels: []*gnmi.ModelData{{Name: "urn:other"}}}, "/")
	b.refuses(err, codes.InvalidArgument, `model "urn:other" is not supported`)
}

// §2.7: no origin is the device's own, and so is, in SR Linux, one that it does not know; OpenConfig and the
// command line are not there. An origin is given in one place.
func TestGetKnowsItsOwnOrigin(t *testing.T) {
	t.Parallel()
	b := filled(t)
	get := func(prefix, path string) error {
		p := b.gnmiPath("/system/name")
		p.Origin = path
		_, err := b.read(&gnmi.GetRequest{Prefix: &gnmi.Path{Origin: prefix}, Path: []*gnmi.Path{p}})
		return err
	}
	for _, origin := range []string{"", "native", "something"} {
		b.refuses(get(origin, ""), codes.OK, "")
		b.refuses(get("", origin), codes.OK, "")
	}
	for _, origin := range []string{"openconfig", "cli"} {
		b.refuses(get(origin, ""), codes.Unimplemented, "origin '"+origin+"' is not supported")
		b.refuses(get("", origin), codes.Unimplemented, "origin '"+origin+"' is not supported")
	}
	b.refuses(get("native", "native"), codes.InvalidArgument, "give one")
}

// §2.7: a device may take paths without an origin for those of other models (SR Linux: yang-models openconfig). Its own
// are then asked for by name, and what has no path at all goes on.
func TestPathsWithoutAnOriginMeanWhatTheServerSays(t *testing.T) {
	t.Parallel()
	b := configured(t, sim.Server{Origin: "openconfig"})
	at := func(origin string) *gnmi.Path {
		p := b.gnmiPath("/system/name/host-name")
		p.Origin = origin
		return p
	}
	for origin, want := range map[string]codes.Code{"": codes.Unimplemented, "native": codes.OK} {
		_, err := b.read(&gnmi.GetRequest{Path: []*gnmi.Path{at(origin)}})
		b.refuses(err, want, "")
		_, err = b.read(&gnmi.GetRequest{Prefix: &gnmi.Path{Origin: origin}, Path: []*gnmi.Path{at("")}})
		b.refuses(err, want, "")
		_, err = b.subscribe(&gnmi.SubscriptionList{Mode: gnmi.SubscriptionList_ONCE, Subscription: []*gnmi.Subscription{{Path: at(origin)}}}).Recv()
		b.refuses(err, want, "")
		b.refuses(b.set(&gnmi.SetRequest{Delete: []*gnmi.Path{at(origin)}}), want, "")
	}
	b.refuses(b.set(&gnmi.SetRequest{}), codes.OK, "")
	b.configure(sim.Server{})
	b.refuses(b.set(&gnmi.SetRequest{Delete: []*gnmi.Path{at("")}}), codes.OK, "")
}

// Depth extension §3.1, with the cases of its §4: leaves and leaf-lists of the path at level 1, and of what
// is below it at level 2; a list is the level of its entries. Level 0 is no limit.
func TestGetHonoursTheDepth(t *testing.T) {
	t.Parallel()
	b := filled(t)
	const policy = "/policy[name=p]"
	get := func(level uint32) *gnmi.GetRequest {
		return &gnmi.GetRequest{Type: gnmi.GetRequest_CONFIG, Extension: []*gnmi_ext.Extension{{Ext: &gnmi_ext.Extension_Depth{Depth: &gnmi_ext.Depth{Level: level}}}}}
	}
	const one = policy + ` {"name":"p","tag":["a","b"]`
	const all = one + `,"statement":[{"name":"z","action":"drop"}]}`
	for level, want := range map[uint32]string{0: all, 1: one + "}", 2: all, 3: all} {
		b.answers(get(level), []string{policy}, []string{want})
	}
	b.answers(get(1), []string{"/policy"}, []string{`/ {"policy":[{"name":"p","tag":["a","b"]}]}`})
	b.answers(get(1), []string{"/interface[name=e1]/mtu", "/interface[name=e1]/subinterface", "/"},
		[]string{`/interface[name=e1]/mtu 9000`}, []string{`/interface[name=e1] {"name":"e1","subinterface":[{"index":0,"type":"routed"}]}`}, nil)
	proto := get(2)
	proto.Encoding = gnmi.Encoding_PROTO
	b.answers(proto, []string{"/interface[name=e1]/subinterface[index=0]"}, []string{
		`/interface[name=e1]/subinterface[index=0]/index uint_val:0`, `/interface[name=e1]/subinterface[index=0]/type string_val:"routed"`})
	old := newBench(t, simtest.Old)
	old.fill()
	old.answers(get(1), []string{policy}, []string{all})
}

// §3.4.3, seen by Get: two leaves that are always set together are never seen apart.
func TestGetSeesAllOfASetOrNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	done := make(chan error, 1)
	go func() {
		defer close(done)
		for i := range 50 {
			value := fmt.Sprint(1500 + i)
			err := b.set(&gnmi.SetRequest{Update: []*gnmi.Update{b.update("/interface[name=e1]/mtu", value), b.update("/interface[name=e2]/mtu", value)}})
			if err != nil {
				done <- err
				return
			}
		}
	}()
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
		}
		got, err := b.read(&gnmi.GetRequest{Encoding: gnmi.Encoding_PROTO}, "/interface[name=e1]/mtu", "/interface[name=e2]/mtu")
		if err != nil {
			t.Fatal(err)
		}
		if one, two := fmt.Sprint(got[0]), fmt.Sprint(got[1]); strings.ReplaceAll(one, "e1", "e2") != two {
			t.Fatalf("%s beside %s", one, two)
		}
	}
}
