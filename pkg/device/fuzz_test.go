package device

import (
	"encoding/json"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// FuzzDocument joins two updates of a hostile device. What is no JSON is refused, by then or when it is parsed, and of
// two values that are neither reaches into the other.
func FuzzDocument(f *testing.F) {
	f.Add("/", `{"interface":[{"name":"a"}]}`, "/interface[name=a]/mtu", `9000`)
	f.Add("/interface", `[{"name":"a","subinterface":[{"index":0}]}]`, "/interface[name=a]/subinterface[index=0]", `{"type":"routed"}`)
	f.Add("/x[a=1]/b", `{}`, "/x", `[[],{}]`)
	f.Add("/policy[name=p]/tag", `["a"]`, "/policy[name=p]/tag", `["b"]`)
	f.Fuzz(func(t *testing.T, path1, json1, path2, json2 string) {
		doc := newDocument(simtest.Schema())
		for _, u := range []given{{path1, json1}, {path2, json2}} {
			p, err := config.ParsePath(u.path)
			if err != nil {
				return
			}
			val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(u.json)}}
			if doc.add(nil, &gnmi.Update{Path: p.GNMI(), Val: val}) != nil {
				return
			}
		}
		data, err := doc.json()
		if err != nil {
			return
		}
		_, _, err = config.Parse(simtest.Schema(), simtest.New, data, config.ParseOptions{})
		switch valid := json.Valid(data); {
		case json.Valid([]byte(json1)) && json.Valid([]byte(json2)) && !valid:
			t.Fatalf("of JSON came %s", data)
		case !valid && err == nil:
			t.Fatalf("no JSON, and parsed: %s", data)
		}
	})
}
