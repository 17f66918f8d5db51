package device

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// given is one update of an answer, written down.
type given struct{ path, json string }

func joined(t *testing.T, updates ...given) (string, error) {
	t.Helper()
	doc := newDocument(simtest.Schema())
	for _, u := range updates {
		p, err := config.ParsePath(u.path)
		if err != nil {
			t.Fatal(err)
		}
		val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(u.json)}}
		if err := doc.add(nil, &gnmi.Update{Path: p.GNMI(), Val: val}); err != nil {
			return "", err
		}
	}
	data, err := doc.json()
	return string(data), err
}

func TestDocumentJoinsWhatAnAnswerHasSplit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		updates []given
		want    string
	}{
		"nothing is an empty document": {nil, `{}`},
		"a value at the root is the document as it is": {
			[]given{{"/", `{"m:interface": [ ]}`}}, `{"m:interface": [ ]}`},
		"a container is wrapped in what holds it": {
			[]given{{"/system/name", `{"host-name":"a"}`}}, `{"system":{"name":{"host-name":"a"}}}`},
		"an entry gets its keys": {
			[]given{{"/interface[name=e1]/mtu", `9000`}}, `{"interface":[{"mtu":9000,"name":"e1"}]}`},
		"an entry that spells its keys keeps them as they are": {
			[]given{{"/interface[name=e1]", `{"name":"e1","mtu":9000}`}}, `{"interface":[{"name":"e1","mtu":9000}]}`},
		"entries from several updates make one list": {
			[]given{{"/interface[name=e1]", `{"mtu":1}`}, {"/interface[name=e2]", `{"mtu":2}`}},
			`{"interface":[{"name":"e1","mtu":1},{"name":"e2","mtu":2}]}`},
		"a list in two pieces at the root is one list": {
			[]given{{"/", `{"m:interface":[{"name":"e1"}]}`}, {"/", `{"m:interface":[{"name":"e2"}]}`}},
			`{"m:interface":[{"name":"e1"},{"name":"e2"}]}`},
		"one entry in two pieces is one entry": {
			[]given{{"/", `{"interface":[{"name":"e1","mtu":1}]}`}, {"/interface[name=e1]/description", `"x"`}},
			`{"interface":[{"name":"e1","mtu":1,"description":"x"}]}`},
		"a number as key is the same entry as its text": {
			[]given{{"/interface[name=e1]/subinterface[index=0]/type", `"routed"`}, {"/interface[name=e1]", `{"subinterface":[{"index":0,"x":1}]}`}},
			`{"interface":[{"subinterface":[{"type":"routed","index":0,"x":1}],"name":"e1"}]}`},
		"the later of two values of a leaf wins": {
			[]given{{"/system/name/host-name", `"a"`}, {"/system/name/host-name", `"b"`}}, `{"system":{"name":{"host-name":"b"}}}`},
		"an array at the path of a list is its entries": {
			[]given{{"/interface", `[{"name":"e1"}]`}}, `{"interface":[{"name":"e1"}]}`},
		"an unknown part goes where it belongs": {
			[]given{{"/", `{"s:system":{"name":{"host-name":"a"}}}`}, {"/system/grpc-server", `[{"name":"mgmt"}]`}},
			`{"s:system":{"name":{"host-name":"a"},"grpc-server":[{"name":"mgmt"}]}}`},
		"a list that the schema does not know is never cut": {
			[]given{{"/x", `[{"a":1}]`}, {"/x", `[{"a":2}]`}, {"/x[a=3]/b", `4`}}, `{"x":[{"a":1},{"a":2},{"b":4,"a":"3"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := joined(t, c.updates...)
			if err != nil {
				t.Fatal(err)
			}
			if !sameJSON(t, got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestDocumentRefusesWhatIsNoAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		updates []given
		want    string
	}{
		"a value that is no JSON":              {[]given{{"/system", `{"name":`}}, "not JSON"},
		"a value that would add members":       {[]given{{"/system/name/host-name", `1,"x":2`}}, "not JSON"},
		"an empty value":                       {[]given{{"/system", ``}}, "not JSON"},
		"an entry without its key":             {[]given{{"/interface", `[{"mtu":1}]`}, {"/interface[name=a]", `{}`}}, "without key name"},
		"an object where a list is":            {[]given{{"/interface", `{}`}, {"/interface[name=a]", `{}`}}, "no array"},
		"a member twice":                       {[]given{{"/interface[name=a]", `{"mtu":1,"mtu":2}`}}, "twice"},
		"a member twice under different names": {[]given{{"/interface[name=a]", `{"mtu":1,"m:mtu":2}`}}, "twice"},
		"a path without end":                   {[]given{{strings.Repeat("/a", 65), `1`}}, "65 elements"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := joined(t, c.updates...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestRawValueReadsScalars(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]*gnmi.TypedValue{
		`"a"`:     {Value: &gnmi.TypedValue_StringVal{StringVal: "a"}},
		`-1`:      {Value: &gnmi.TypedValue_IntVal{IntVal: -1}},
		`1`:       {Value: &gnmi.TypedValue_UintVal{UintVal: 1}},
		`true`:    {Value: &gnmi.TypedValue_BoolVal{BoolVal: true}},
		`{"a":1}`: {Value: &gnmi.TypedValue_JsonVal{JsonVal: []byte(`{"a":1}`)}},
		`["b"]`: {Value: &gnmi.TypedValue_LeaflistVal{LeaflistVal: &gnmi.ScalarArray{
			Element: []*gnmi.TypedValue{{Value: &gnmi.TypedValue_AsciiVal{AsciiVal: "b"}}}}}},
	} {
		got, err := rawValue(v)
		if err != nil || string(got) != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	if _, err := rawValue(&gnmi.TypedValue{Value: &gnmi.TypedValue_BytesVal{}}); err == nil {
		t.Error("bytes were accepted")
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal([]byte(a), &x); err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	if err := json.Unmarshal([]byte(b), &y); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return reflect.DeepEqual(x, y)
}
