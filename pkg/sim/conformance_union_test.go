package sim_test

import (
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
)

// unites returns a union_replace of alternating paths and values.
func (b *bench) unites(parts ...string) *gnmi.SetRequest {
	b.Helper()
	req := &gnmi.SetRequest{}
	for i := 0; i < len(parts); i += 2 {
		req.UnionReplace = append(req.UnionReplace, b.update(parts[i], parts[i+1]))
	}
	return req
}

// union_replace §5.2.2 and gNMI §3.4: it goes with no other operation.
func TestUnionReplaceGoesAlone(t *testing.T) {
	t.Parallel()
	b := filled(t)
	for _, other := range []*gnmi.SetRequest{b.remove("/policy"), b.replace("/types/small", "1"), b.put("/types/small", "1")} {
		other.UnionReplace = b.unites("/types", `{"small":2}`).UnionReplace
		b.unchanged(other, codes.InvalidArgument, "does not go with")
	}
}

// union_replace §5.3.2: the union of all values replaces what lies at the paths, at the root the whole
// configuration; each is answered as UNION_REPLACE.
func TestUnionReplaceReplacesByTheUnion(t *testing.T) {
	t.Parallel()
	b := filled(t)
	b.mustSet(b.unites("/types", `{"small":1,"numbers":[5]}`, "/types/numbers", `[6]`, "/types/pair[first=x][second=1]", `{"value":"n"}`))
	b.holds("/types", `{"small":1,"numbers":[5,6],"pair":[{"first":"x","second":1,"value":"n"}]}`)
	b.holds("/interface[name=e1]/mtu", "9000")
	resp, err := b.gnmi.Set(b.ctx, b.unites("/", `{"system":{"name":{"host-name":"a"}}}`, "/policy[name=q]", `{"tag":["x"]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := bareNames(string(b.device.Running().AppendJSON(nil, false))); got != `{"policy":[{"name":"q","tag":["x"]}],"system":{"name":{"host-name":"a"}}}` {
		t.Errorf("running = %s", got)
	}
	for _, r := range resp.GetResponse() {
		if r.GetOp() != gnmi.UpdateResult_UNION_REPLACE {
			t.Errorf("answered %s", r.GetOp())
		}
	}
	if len(resp.GetResponse()) != 2 {
		t.Errorf("%d answers", len(resp.GetResponse()))
	}
}

// union_replace §5.3.3.2 and §5.3.4: values that conflict are INVALID_ARGUMENT; the same value twice is none.
func TestUnionReplaceRefusesConflictingValues(t *testing.T) {
	t.Parallel()
	b := filled(t)
	b.unchanged(b.unites("/types", `{"small":1}`, "/types/small", "2"), codes.InvalidArgument, "Error in path: .types.small")
	b.unchanged(b.unites("/interface[name=e1]/admin-state", `"enable"`, "/interface[name=e1]/admin-state", `"disable"`), codes.InvalidArgument, "conflict")
	b.unchanged(b.unites("/interface[name=e1]/ethernet/aggregate-id", `"e1"`, "/interface[name=e1]/ethernet", `{"aggregate-id":"e9"}`), codes.InvalidArgument, "conflict")
	b.mustSet(b.unites("/types", `{"small":1}`, "/types/small", "1"))
	b.holds("/types", `{"small":1}`)
}

// union_replace §5.2.2: what cannot be put into effect is INTERNAL, an invalid value INVALID_ARGUMENT; both
// leave everything as it was. An origin that is not there is UNIMPLEMENTED, beside one that is, too.
func TestUnionReplaceThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	b := filled(t)
	b.unchanged(b.unites("/interface[name=e1]/ethernet", `{"aggregate-id":"e9"}`), codes.Internal, "e9")
	b.unchanged(b.unites("/types", `{"small":1}`, "/interface[name=e1]/mtu", `1`), codes.InvalidArgument, "mtu")
	b.unchanged(b.unites("/", `{}`), codes.InvalidArgument, "use delete")
	mixed := b.unites("/types", `{"small":1}`, "/policy[name=q]", `{"tag":["x"]}`)
	mixed.UnionReplace[0].Path.Origin, mixed.UnionReplace[1].Path.Origin = "native", "openconfig"
	b.unchanged(mixed, codes.Unimplemented, "openconfig")
}
