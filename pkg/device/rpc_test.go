package device_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnoi/file"
	"github.com/openconfig/gnoi/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/device"
)

// classes are the sentinels, of which an error is exactly one.
var classes = map[string]error{"retry": device.ErrRetry, "refused": device.ErrRefused, "unknown": device.ErrUnknown}

// classOf names the class of an error.
func classOf(t *testing.T, err error) string {
	t.Helper()
	found := ""
	for name, sentinel := range classes {
		if errors.Is(err, sentinel) {
			found += name
		}
	}
	var e *device.Error
	if !errors.As(err, &e) || e.Device != "leaf3" {
		t.Errorf("%v does not name the device", err)
	}
	return found
}

func TestSetSaysWhatIsKnownAboutTheOutcome(t *testing.T) {
	t.Parallel()
	for code, want := range map[codes.Code]string{
		codes.InvalidArgument: "refused", codes.NotFound: "refused", codes.AlreadyExists: "refused",
		codes.PermissionDenied: "refused", codes.FailedPrecondition: "refused", codes.Aborted: "refused",
		codes.OutOfRange: "refused", codes.Unimplemented: "refused", codes.Unauthenticated: "refused",
		codes.ResourceExhausted: "retry",
		codes.Unavailable:       "unknown", codes.Internal: "unknown", codes.Unknown: "unknown", codes.DataLoss: "unknown",
		codes.DeadlineExceeded: "unknown", codes.Canceled: "unknown",
	} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			h := &hostile{set: func(context.Context, *gnmi.SetRequest) (*gnmi.SetResponse, error) {
				return nil, status.Error(code, "because\n  I say so")
			}}
			to, _ := h.run(t)
			err := dial(t, to).Set(t.Context(), &gnmi.SetRequest{}, nil)
			if got := classOf(t, err); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if !strings.HasPrefix(err.Error(), "leaf3: set: ") || !strings.HasSuffix(err.Error(), ": because I say so") {
				t.Errorf("got %q", err)
			}
			if status.Code(err) != code {
				t.Errorf("code %s is lost: %v", code, status.Code(err))
			}
		})
	}
}

func TestGetMayAlwaysBeTriedAgainUnlessItIsRefused(t *testing.T) {
	t.Parallel()
	for code, want := range map[codes.Code]string{
		codes.InvalidArgument: "refused", codes.Unauthenticated: "refused",
		codes.Unavailable: "retry", codes.DeadlineExceeded: "retry", codes.Internal: "retry", codes.ResourceExhausted: "retry",
	} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			h := &hostile{get: func(context.Context, *gnmi.GetRequest) (*gnmi.GetResponse, error) {
				return nil, status.Error(code, "no")
			}}
			to, _ := h.run(t)
			_, _, err := dial(t, to).Get(t.Context(), nil)
			if got := classOf(t, err); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestSetThatIsNotAnsweredHasAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(cancel func(), stop func()){
		"the caller gives up":       func(cancel, _ func()) { cancel() },
		"the connection breaks":     func(_, stop func()) { go stop() },
		"the time of a Set is over": func(_, _ func()) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan struct{})
			h := &hostile{set: func(ctx context.Context, _ *gnmi.SetRequest) (*gnmi.SetResponse, error) {
				close(arrived)
				<-ctx.Done()
				return nil, ctx.Err()
			}}
			to, server := h.run(t)
			to.Driver.Manners.SetTimeout = time.Minute
			if name == "the time of a Set is over" {
				to.Driver.Manners.SetTimeout = 50 * time.Millisecond
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				<-arrived
				end(cancel, server.Stop)
			}()
			err := dial(t, to).Set(ctx, &gnmi.SetRequest{}, nil)
			if got := classOf(t, err); got != "unknown" {
				t.Errorf("got %s: %v", got, err)
			}
		})
	}
}

func TestSetThatCannotHaveLeftIsSafeToRepeat(t *testing.T) {
	t.Parallel()
	h := &hostile{}
	to, server := h.run(t)
	d := dial(t, to)
	server.Stop()
	if _, _, err := d.Get(t.Context(), nil); classOf(t, err) != "retry" { // notices the end, if nothing else has
		t.Errorf("Get: %v", err)
	}
	err := d.Set(t.Context(), &gnmi.SetRequest{}, nil)
	if got := classOf(t, err); got != "retry" {
		t.Errorf("got %s: %v", got, err)
	}
	d.Close()
	if got := classOf(t, d.Set(t.Context(), &gnmi.SetRequest{}, nil)); got != "refused" {
		t.Errorf("after Close: got %s", got)
	}
}

func TestAnswersThatAreTooLarge(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 65<<20)
	h := &hostile{
		get: func(context.Context, *gnmi.GetRequest) (*gnmi.GetResponse, error) {
			return &gnmi.GetResponse{Notification: []*gnmi.Notification{{Update: []*gnmi.Update{{Path: &gnmi.Path{Target: large}}}}}}, nil
		},
		set: func(context.Context, *gnmi.SetRequest) (*gnmi.SetResponse, error) {
			return &gnmi.SetResponse{Prefix: &gnmi.Path{Target: large}}, nil
		},
	}
	to, _ := h.run(t)
	d := dial(t, to)
	if _, _, err := d.Get(t.Context(), nil); classOf(t, err) != "refused" {
		t.Errorf("Get: %v", err)
	}
	if err := d.Set(t.Context(), &gnmi.SetRequest{}, nil); classOf(t, err) != "unknown" {
		t.Errorf("Set: %v", err)
	}
}

func TestGetRefusesAnswersThatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	for name, val := range map[string]*gnmi.TypedValue{
		"no JSON":    {Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(`{"interface":[`)}},
		"wrong type": {Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(`{"interface":[{"name":"e1","mtu":{}}]}`)}},
		"no value":   nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &hostile{get: func(context.Context, *gnmi.GetRequest) (*gnmi.GetResponse, error) {
				return &gnmi.GetResponse{Notification: []*gnmi.Notification{{Update: []*gnmi.Update{{Val: val}}}}}, nil
			}}
			to, _ := h.run(t)
			_, _, err := dial(t, to).Get(t.Context(), nil)
			if got := classOf(t, err); got != "refused" || !strings.Contains(err.Error(), "leaf3: get: refused: answer: ") {
				t.Errorf("got %s: %v", got, err)
			}
		})
	}
}

// A device newer than the schema has states that nobody has heard of, and settings, which are left out.
func TestStatesThatNobodyHasHeardOfAreObserved(t *testing.T) {
	t.Parallel()
	for leaf, want := range map[string]string{"oper-state": "dormant", "admin-state": ""} {
		at, err := config.ParsePath("/interface[name=e1]/" + leaf)
		if err != nil {
			t.Fatal(err)
		}
		h := &hostile{get: func(context.Context, *gnmi.GetRequest) (*gnmi.GetResponse, error) {
			val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(`"dormant"`)}}
			return &gnmi.GetResponse{Notification: []*gnmi.Notification{{Update: []*gnmi.Update{{Path: at.GNMI(), Val: val}}}}}, nil
		}}
		to, _ := h.run(t)
		tree, err := dial(t, to).Observe(t.Context(), []config.Path{at})
		if err != nil || tree.Find(at).Value() != want {
			t.Errorf("%s: got %q, want %q: %v", leaf, tree.Find(at).Value(), want, err)
		}
	}
}

func TestIdentifyRefusesADeviceOfAnotherKind(t *testing.T) {
	t.Parallel()
	good := func() *gnmi.CapabilityResponse {
		return &gnmi.CapabilityResponse{
			GNMIVersion: "0.10.0", SupportedEncodings: []gnmi.Encoding{gnmi.Encoding_JSON_IETF},
			SupportedModels: []*gnmi.ModelData{
				{Name: "urn:another/prefix:test-interfaces"}, {Name: "test-policy"}, {Name: "test-system"}, {Name: "test-platform"},
			},
		}
	}
	for name, c := range map[string]struct {
		change func(*gnmi.CapabilityResponse)
		want   string
	}{
		"no JSON_IETF":        {func(r *gnmi.CapabilityResponse) { r.SupportedEncodings = nil }, "without encoding JSON_IETF"},
		"no version":          {func(r *gnmi.CapabilityResponse) { r.GNMIVersion = "" }, "without a version"},
		"other models":        {func(r *gnmi.CapabilityResponse) { r.SupportedModels = nil }, "not a testos device: it has no model test-system"},
		"a model is missing":  {func(r *gnmi.CapabilityResponse) { r.SupportedModels[1].Name += "2" }, "not a testos device: it has no model test-policy"},
		"nothing to identify": {func(*gnmi.CapabilityResponse) {}, "/system/information/version has no value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp := good()
			c.change(resp)
			h := &hostile{
				able: func(context.Context, *gnmi.CapabilityRequest) (*gnmi.CapabilityResponse, error) { return resp, nil },
				get:  func(context.Context, *gnmi.GetRequest) (*gnmi.GetResponse, error) { return &gnmi.GetResponse{}, nil },
			}
			to, _ := h.run(t)
			_, err := dial(t, to).Identify(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestStartupWantsAFileThatIsWhole(t *testing.T) {
	t.Parallel()
	content := func(s string) *file.GetResponse {
		return &file.GetResponse{Response: &file.GetResponse_Contents{Contents: []byte(s)}}
	}
	hash := func(m types.HashType_HashMethod, s string) *file.GetResponse {
		sum := sha256.Sum256([]byte(s))
		return &file.GetResponse{Response: &file.GetResponse_Hash{Hash: &types.HashType{Method: m, Hash: sum[:]}}}
	}
	const whole = `{"interface":[{"name":"e1"}]}`
	for name, c := range map[string]struct {
		answer []*file.GetResponse
		want   string // "" means that it is read
	}{
		"in two pieces":          {[]*file.GetResponse{content(whole[:9]), content(whole[9:]), hash(types.HashType_SHA256, whole)}, ""},
		"cut":                    {[]*file.GetResponse{content(whole[:9]), hash(types.HashType_SHA256, whole)}, "hash does not fit"},
		"without hash":           {[]*file.GetResponse{content(whole)}, "without a hash"},
		"with a hash of nothing": {[]*file.GetResponse{content(whole), hash(types.HashType_MD5, whole)}, "hash method MD5"},
		"no JSON":                {[]*file.GetResponse{content("x"), hash(types.HashType_SHA256, "x")}, "/etc/config.json: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to, _ := (&hostile{startup: c.answer}).run(t)
			tree, _, err := dial(t, to).Startup(t.Context())
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want == "" && !tree.Find(path(t, "/interface[name=e1]")).Valid():
				t.Error("the entry is lost")
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestCheckNamesBothSides(t *testing.T) {
	t.Parallel()
	id := device.Identity{Release: "24.10", Platform: "7220-IXR-D2L", Version: "v24.10.1", Chassis: "7220 IXR-D2L"}
	if err := id.Check("24.10", ""); err != nil {
		t.Error(err)
	}
	err := id.Check("25.3", "7220-IXR-D3L")
	const want = "is a 7220-IXR-D2L with release 24.10 (7220 IXR-D2L, v24.10.1), and should be a 7220-IXR-D3L with release 25.3"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestGetReadsAnAnswerInPieces(t *testing.T) {
	t.Parallel()
	h := &hostile{get: func(_ context.Context, r *gnmi.GetRequest) (*gnmi.GetResponse, error) {
		if r.GetType() != gnmi.GetRequest_CONFIG || r.GetEncoding() != gnmi.Encoding_JSON_IETF || len(r.GetPath()) != 2 {
			return nil, status.Error(codes.InvalidArgument, "not what was meant")
		}
		return &gnmi.GetResponse{Notification: []*gnmi.Notification{
			{Update: []*gnmi.Update{jsonUpdate(t, "/", `{"test-interfaces:interface":[{"name":"e1","mtu":9000}]}`)}},
			{Update: []*gnmi.Update{jsonUpdate(t, "/interface[name=e1]/subinterface[index=1]", `{"type":"routed","foreign":1}`)}},
			{Prefix: path(t, "/system").GNMI(), Update: []*gnmi.Update{jsonUpdate(t, "/name/host-name", `"a"`)}},
		}}, nil
	}}
	to, _ := h.run(t)
	tree, unknown, err := dial(t, to).Get(t.Context(), []config.Path{path(t, "/interface"), path(t, "/system")})
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{
		"/interface[name=e1]/mtu":                        "9000",
		"/interface[name=e1]/subinterface[index=1]/type": "test-interfaces:routed",
		"/system/name/host-name":                         "a",
	} {
		if got := tree.Find(path(t, at)).Value(); got != want {
			t.Errorf("%s = %q, want %q", at, got, want)
		}
	}
	if len(unknown) != 1 || unknown[0].Path.String() != "/interface[name=e1]/subinterface[index=1]/foreign" || string(unknown[0].JSON) != "1" {
		t.Errorf("unknown = %v", unknown)
	}
}

func TestBothTellsWhatTheSchemaDoesNotHave(t *testing.T) {
	t.Parallel()
	const saved = `{"_preamble":{"header":{"created":"2025-03-31T12:00:00Z"}},"interface":[{"name":"e1","mtu":"big"}],"x:acme":[1,2]}`
	sum := sha256.Sum256([]byte(saved))
	for name, c := range map[string]struct{ running, want string }{
		"the same in another order": {`{"acme":[2,1],"interface":[{"mtu":"big","name":"e1"}]}`, ""},
		"a value is another":        {`{"acme":[1,2],"interface":[{"name":"e1","mtu":"bigger"}]}`, "/interface[name=e1]/mtu"},
		"a node is not saved":       {`{"acme":[1,2],"new":{},"interface":[{"name":"e1","mtu":"big"}]}`, "/new"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &hostile{
				get: func(context.Context, *gnmi.GetRequest) (*gnmi.GetResponse, error) {
					val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(c.running)}}
					return &gnmi.GetResponse{Notification: []*gnmi.Notification{{Update: []*gnmi.Update{{Val: val}}}}}, nil
				},
				startup: []*file.GetResponse{
					{Response: &file.GetResponse_Contents{Contents: []byte(saved)}},
					{Response: &file.GetResponse_Hash{Hash: &types.HashType{Method: types.HashType_SHA256, Hash: sum[:]}}},
				},
			}
			to, _ := h.run(t)
			to.Driver.Manners.Preamble = "_preamble"
			running, startup, _, err := dial(t, to).Both(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(config.DiffUnknown(startup.Unknown, running.Unknown), " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A device that refuses to leave out what there is already is asked for everything.
func TestFollowTakesADeviceThatTellsEverything(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{codes.InvalidArgument, codes.Unimplemented} {
		h := &hostile{follow: func(r *gnmi.SubscribeRequest, stream gnmi.GNMI_SubscribeServer) error {
			if r.GetSubscribe().GetUpdatesOnly() {
				return status.Error(code, "no updates_only here")
			}
			if err := stream.Send(&gnmi.SubscribeResponse{Response: &gnmi.SubscribeResponse_SyncResponse{SyncResponse: true}}); err != nil {
				return err
			}
			<-stream.Context().Done()
			return nil
		}}
		to, _ := h.run(t)
		d := dial(t, to)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		listens := false
		err := d.Follow(ctx, []config.Path{path(t, "/interface")}, func(n *gnmi.Notification) {
			listens = n == nil
			cancel()
		})
		if err != nil || !listens {
			t.Errorf("%v: got %v, listens %t", code, err, listens)
		}
	}
}
