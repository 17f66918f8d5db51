package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// operations prints a request in short.
func operations(req *gnmi.SetRequest) []string {
	out := []string{}
	for _, p := range req.Delete {
		path, _ := FromGNMI(nil, p)
		out = append(out, "delete "+path.String())
	}
	for _, u := range req.Replace {
		path, _ := FromGNMI(nil, u.Path)
		out = append(out, fmt.Sprintf("replace %s %s", path, u.Val.GetJsonIetfVal()))
	}
	for _, u := range req.Update {
		path, _ := FromGNMI(nil, u.Path)
		out = append(out, fmt.Sprintf("update %s %s", path, u.Val.GetJsonIetfVal()))
	}
	return out
}

func TestSetRequestIsTheCheapest(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	for _, c := range []struct {
		name, from, to string
		owned          bool
		want           []string
	}{
		{"nothing to do", `{"system":{"mtu":9000}}`, `{}`, true, []string{}},
		{"one leaf is one update", `{"system":{"name":"a"}}`, `{"system":{"name":"b"}}`, true, []string{`update /system/name "b"`}},
		{"two leaves of a container are one update", `{"system":{"name":"a","banner":"` + long + `"}}`, `{"system":{"name":"b","mtu":1500,"banner":"` + long + `"}}`, true,
			[]string{`update /system {"ex-base:name":"b","ex-base:mtu":1500}`}},
		{"a container that mostly changes is replaced if it may be", `{"system":{"name":"a","big":1,"flag":[null]}}`, `{"system":{"name":"b"}}`, true,
			[]string{`replace /system {"ex-base:name":"b"}`}},
		{"and is not if it may not", `{"system":{"name":"a","big":1,"flag":[null]}}`, `{"system":{"name":"b"}}`, false,
			[]string{"delete /system/big", "delete /system/flag", `update /system/name "b"`}},
		{"a new entry is replaced if it is ours", `{}`, `{"interface":[{"name":"lag1","mtu":1500}]}`, true,
			[]string{`replace /interface[name=lag1] {"ex-base:name":"lag1","ex-base:mtu":1500}`}},
		{"and updated if it is not", `{}`, `{"interface":[{"name":"lag1","mtu":1500}]}`, false,
			[]string{`update /interface[name=lag1] {"ex-base:name":"lag1","ex-base:mtu":1500}`}},
		{"changes in many places are one update at the root", `{"interface":[{"name":"lag1"}]}`, `{"system":{"dns":{}},"interface":[{"name":"lag1","mtu":1500},{"name":"lag2"}]}`, false,
			[]string{`update / {"ex-base:system":{"ex-more:dns":{}},"ex-base:interface":[{"name":"lag1","mtu":1500},{"name":"lag2"}]}`}},
		{"an entry goes as a whole if it is ours", `{"interface":[{"name":"lag1","mtu":1500}]}`, `{}`, true, []string{`delete /interface[name=lag1]`}},
		{"and leaf by leaf if it is not", `{"interface":[{"name":"lag1","mtu":1500,"subinterface":[{"index":1,"type":"routed"}],"group":["a"]}]}`, `{}`, false,
			[]string{`delete /interface[name=lag1]/mtu`, `delete /interface[name=lag1]/group`, `delete /interface[name=lag1]/subinterface[index=1]/type`}},
		{"a leaf-list is replaced, and what surrounds it updated", `{"routing":{"community":["a","b"]},"system":{"banner":"` + long + `"}}`, `{"routing":{"community":["a"],"as-path":[1]},"system":{"name":"n","banner":"` + long + `"}}`, false,
			[]string{`replace /routing/community ["a"]`, `update / {"ex-base:system":{"name":"n"},"ex-base:routing":{"as-path":[1]}}`}},
		{"an entry at the end of a user-ordered list is added", `{"routing":{"policy":[{"name":"a"},{"name":"b"}]}}`, `{"routing":{"policy":[{"name":"a"},{"name":"b"},{"name":"c"}]}}`, false,
			[]string{`update /routing/policy[name=c] {"ex-base:name":"c"}`}},
		{"one in the middle replaces what surrounds the list", `{"routing":{"policy":[{"name":"a"},{"name":"b"}]}}`, `{"routing":{"policy":[{"name":"a"},{"name":"c"},{"name":"b"}]}}`, true,
			[]string{`replace /routing {"ex-base:policy":[{"name":"a"},{"name":"c"},{"name":"b"}]}`}},
		{"or moves what follows it", `{"routing":{"policy":[{"name":"a"},{"name":"b"}]}}`, `{"routing":{"policy":[{"name":"a"},{"name":"c"},{"name":"b"}]}}`, false,
			[]string{`delete /routing/policy[name=b]`, `update /routing {"ex-base:policy":[{"name":"c"},{"name":"b"}]}`}},
		{"a presence container that loses all is not replaced by nothing", `{"system":{"dns":{"domain":"d","server":["a"]}}}`, `{"system":{"dns":{}}}`, true,
			[]string{`replace /system {"ex-more:dns":{}}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			from, to := parse(t, c.from), parse(t, c.to)
			req := SetRequest(from, to, func(Cursor) bool { return c.owned })
			if diff := cmp.Diff(c.want, operations(req)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestManyEntriesThatChangeAreOneOperation(t *testing.T) {
	t.Parallel()
	a := build(t, func(b *Builder) { leafSwitch(b, 9000) })
	b := build(t, func(b *Builder) { leafSwitch(b, 9100) })
	if ops := operations(SetRequest(a, b, nil)); len(ops) != 1 || len(ops[0]) > 64*50 {
		t.Errorf("got %d operations: %.200s", len(ops), ops)
	}
}
