package device_test

import (
	"context"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnoi/file"
	"github.com/openconfig/gnoi/types"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// storing is a device with these running and startup configurations.
func storing(t *testing.T, running, startup string) *device.Device {
	sum := sha256.Sum256([]byte(startup))
	h := &hostile{
		get: func(context.Context, *gnmi.GetRequest) (*gnmi.GetResponse, error) {
			val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(running)}}
			return &gnmi.GetResponse{Notification: []*gnmi.Notification{{Update: []*gnmi.Update{{Val: val}}}}}, nil
		},
		startup: []*file.GetResponse{
			{Response: &file.GetResponse_Contents{Contents: []byte(startup)}},
			{Response: &file.GetResponse_Hash{Hash: &types.HashType{Method: types.HashType_SHA256, Hash: sum[:]}}},
		},
	}
	to, _ := h.run(t)
	to.Driver.Manners.Preamble = "_preamble"
	return dial(t, to)
}

// What was expected is compared without being parsed; what differs is the same as if all had been.
func TestBothLeavesOutWhatWasExpected(t *testing.T) {
	t.Parallel()
	const mine, others = `"policy":[{"name":"p","tag":["a"]}]`, `"system":{"name":{"host-name":"x"}}`
	expected, _, err := config.Parse(simtest.Driver().Schema, simtest.New, []byte("{"+mine+"}"), config.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		running, startup string
		left             bool   // what was expected is left out
		want             string // what differs
	}{
		"the same":                     {mine + "," + others, `"_preamble":{},` + mine + "," + others, true, ""},
		"others' part differs":         {mine + "," + others, mine + `,"system":{"name":{"host-name":"y"}}`, true, "/system/name/host-name"},
		"others' part is not saved":    {mine + "," + others, mine, true, "/system"},
		"a part that nobody knows":     {mine + `,"acme":1`, mine + `,"acme":2`, true, "/acme"},
		"ours differs":                 {mine + "," + others, `"policy":[{"name":"p","tag":["b"]}],` + others, false, "/policy[name=p]/tag /policy[name=p]/tag"},
		"ours is not saved":            {mine, `"policy":[]`, false, "/policy[name=p]"},
		"running is not what it was":   {`"policy":[{"name":"q"}]`, mine, false, "/policy[name=p] /policy[name=q]"},
		"the same in another order":    {`"policy":[{"tag":["a"],"name":"p"}]`, mine, false, ""},
		"there is more of an entry":    {`"policy":[{"name":"p","tag":["a"],"statement":[{"name":"s"}]}]`, mine, false, "/policy[name=p]/statement[name=s]"},
		"others have an entry as well": {`"policy":[{"name":"o"},{"name":"p","tag":["a"]}]`, mine, true, "/policy[name=o]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := storing(t, "{"+c.running+"}", "{"+c.startup+"}")
			for _, tree := range []*config.Tree{expected, nil} {
				running, startup, left, err := d.Both(t.Context(), tree)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, change := range config.Diff(startup.Tree, running.Tree) {
					got = append(got, change.At.String())
				}
				got = append(got, config.DiffUnknown(startup.Unknown, running.Unknown)...)
				if strings.Join(got, " ") != c.want {
					t.Errorf("got %v, want %s", got, c.want)
				}
				if left != (c.left && tree != nil) {
					t.Errorf("what was expected is left out: %t", left)
				}
			}
		})
	}
}
