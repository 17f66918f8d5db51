package device

import (
	"encoding/json"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// FuzzDocument joins two updates of a hostile device: the result is refused or is JSON, and parsing it
// does not fail in any way but with an error.
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
		if !json.Valid(data) {
			t.Fatalf("no JSON: %s", data)
		}
		if _, _, err := config.Parse(simtest.Schema(), simtest.New, data, config.ParseOptions{}); err != nil {
			return
		}
	})
}
