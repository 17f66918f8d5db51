package api

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/loomfabric/loom/pkg/transaction"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

var update = flag.Bool("update", false, "rewrite golden files")

// who are the callers of the tests: their token says which role they have, of what.
type who struct{ Admission }

// scopes are what roles are of, each with its letter in the table.
var scopes = []struct {
	letter byte
	of     string
	scope  auth.Scope
}{
	{'e', "everything", auth.Scope{}},
	{'t', "the topology", auth.Scope{Topologies: []string{"demo"}}},
	{'s', "the site of the device, and of all that the plan and the transaction change", auth.Scope{Sites: []string{"bj"}}},
	{'n', "the tenant of all that the plan changes", auth.Scope{Tenants: []string{"red"}}},
	{'x', "another topology, another site, another tenant", auth.Scope{}},
}

var elsewhere = []auth.Scope{{Topologies: []string{"other"}}, {Sites: []string{"sh"}}, {Tenants: []string{"blue"}}}

func (who) Token(_ context.Context, token string) (auth.Identity, error) {
	return auth.Identity{Kind: auth.Token, Name: token}, nil
}

func (who) Rights(i auth.Identity) (auth.Rights, error) {
	role, at, _ := strings.Cut(i.Name, "/")
	var all []auth.Binding
	for _, s := range scopes {
		if at == string(s.letter) && s.letter != 'x' {
			all = append(all, auth.Binding{Subject: auth.SubjectOf(i), Role: role, Scope: s.scope})
		}
	}
	for _, s := range elsewhere {
		if at == "x" {
			all = append(all, auth.Binding{Subject: auth.SubjectOf(i), Role: role, Scope: s})
		}
	}
	return auth.RightsOf(i, all, time.Time{}), nil
}

func (who) Changed() <-chan struct{} { return nil }

func (who) Used(auth.Identity, auth.Binding, string) {}

// demo is a topology of two sites, with a plan that changes what tenant red has at site bj, and the transaction that carries it out.
type demo struct{ controller.Operations }

func (demo) Devices(_ context.Context, topology, limit string) ([]controller.DeviceView, error) {
	var out []controller.DeviceView
	for _, d := range []controller.DeviceView{{Topology: "demo", Name: "bj-leaf1", Site: "bj"}, {Topology: "demo", Name: "sh-leaf1", Site: "sh"}} {
		if topology == "demo" && (limit == "" || limit == d.Name) {
			out = append(out, d)
		}
	}
	return out, nil
}

func (d demo) Plan(context.Context, string) (*controller.Planned, error) {
	p := &controller.Planned{ID: "it", Topology: "demo", Transaction: "it"}
	p.Plan = &plan.Plan{Devices: []plan.Device{{Name: "bj-leaf1", Changes: []plan.Change{{Cause: plan.Cause{Ref: "tenants/red/segments/web"}}}}}}
	return p, nil
}

func (d demo) Plans(ctx context.Context, _ string) ([]*controller.Planned, error) {
	p, err := d.Plan(ctx, "it")
	return []*controller.Planned{p}, err
}

func (demo) Transaction(context.Context, string) (*controller.TransactionView, error) {
	return &controller.TransactionView{ID: "it", Topology: "demo", Devices: map[string]transaction.Status{"bj-leaf1": "confirmed"}}, nil
}

// nothing is a ledger with one topology.
type nothing struct{ controller.Ledger }

func (nothing) Head(context.Context, string) (*controller.Intent, bool, error) {
	return &controller.Intent{Files: []topology.Source{{Name: "demo.yaml", Data: []byte("fabric: demo\n")}}}, true, nil
}

// TestEveryCallHasARule keeps a call from being added that nobody has thought about: without a rule nobody may make it.
func TestEveryCallHasARule(t *testing.T) {
	t.Parallel()
	for _, m := range methods() {
		rule := Rules()[fullName(m)]
		if rule == nil {
			t.Errorf("%s: no option (rule): say who may call it", fullName(m))
			continue
		}
		known := slices.ContainsFunc(auth.Permissions, func(p struct {
			Name auth.Permission
			For  string
		}) bool {
			return string(p.Name) == rule.GetPermission()
		})
		if known == (rule.GetScope() == api.Scope_SCOPE_CALLER) {
			t.Errorf("%s: permission %q with scope %s", fullName(m), rule.GetPermission(), rule.GetScope())
		}
		fields := []string{rule.GetTopology(), rule.GetName(), rule.GetOwn(), rule.GetApproves()}
		switch rule.GetScope() {
		case api.Scope_SCOPE_DEVICE:
			fields = append(fields, "topology", cmp.Or(rule.GetName(), "device"))
		case api.Scope_SCOPE_PLAN, api.Scope_SCOPE_TRANSACTION:
			fields = append(fields, cmp.Or(rule.GetName(), "id"))
		case api.Scope_SCOPE_DEVICES:
			fields = append(fields, "topology")
		}
		for _, f := range fields {
			if f != "" && m.Input().Fields().ByTextName(f) == nil {
				t.Errorf("%s: its rule names a field %s of %s, which has none", fullName(m), f, m.Input().Name())
			}
		}
	}
}

// TestWhoMayCallWhat calls everything, as everybody, over the wire, and compares who is let through with testdata/access.golden.
func TestWhoMayCallWhat(t *testing.T) {
	t.Parallel()
	conn := serveRules(t)
	var out strings.Builder
	out.WriteString("# Who may call what. A letter is a scope with which a role may:\n")
	for _, s := range scopes {
		fmt.Fprintf(&out, "#   %c  %s\n", s.letter, s.of)
	}
	out.WriteString("# Of what the permission has to be: answer: of something, and the answer has what the caller may see; change: of something, and then of\n" +
		"# each resource that is changed; the others are told in access.proto. Last column: somebody who is known, and has no role.\n")
	fmt.Fprintf(&out, "%-41s%-15s%-12s", "call", "permission", "of")
	for _, r := range auth.Roles {
		fmt.Fprintf(&out, "%-13s", r.Name)
	}
	out.WriteString("none\n")
	for _, m := range methods() {
		rule := Rules()[fullName(m)]
		fmt.Fprintf(&out, "%-41s%-15s%-12s", strings.TrimPrefix(fullName(m), "/loom.v1."), rule.GetPermission(), strings.ToLower(strings.TrimPrefix(rule.GetScope().String(), "SCOPE_")))
		if got := call(t, conn, m, ""); got != codes.Unauthenticated {
			t.Errorf("%s: without a credential: %s", fullName(m), got)
		}
		for _, r := range auth.Roles {
			cell := ""
			for _, s := range scopes {
				cell += allowed(t, m, call(t, conn, m, r.Name+"/"+string(s.letter)), string(s.letter))
			}
			fmt.Fprintf(&out, "%-13s", cell)
		}
		out.WriteString(allowed(t, m, call(t, conn, m, "nobody"), "yes") + "\n")
	}
	const golden = "testdata/access.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("-want +got; go test ./pkg/api -update writes it:\n%s", diff)
	}
}

func allowed(t *testing.T, m protoreflect.MethodDescriptor, c codes.Code, yes string) string {
	switch c {
	case codes.Unimplemented:
		return yes
	case codes.PermissionDenied:
		return strings.Repeat("-", len(yes))
	}
	t.Errorf("%s: %s", fullName(m), c)
	return "?"
}

// serveRules is a server whose calls do nothing, behind the rules of the real ones.
func serveRules(t *testing.T) *grpc.ClientConn {
	t.Helper()
	s := &Server{Intents: &controller.Intents{Ledger: nothing{}}, Operations: demo{}}
	g := grpc.NewServer(append(Authenticate(who{}), s.Authorize()...)...)
	api.RegisterIntentServiceServer(g, api.UnimplementedIntentServiceServer{})
	api.RegisterPlanServiceServer(g, api.UnimplementedPlanServiceServer{})
	api.RegisterTransactionServiceServer(g, api.UnimplementedTransactionServiceServer{})
	api.RegisterDeviceServiceServer(g, api.UnimplementedDeviceServiceServer{})
	api.RegisterQueryServiceServer(g, api.UnimplementedQueryServiceServer{})
	api.RegisterEventServiceServer(g, api.UnimplementedEventServiceServer{})
	api.RegisterSourceServiceServer(g, api.UnimplementedSourceServiceServer{})
	api.RegisterAccessServiceServer(g, api.UnimplementedAccessServiceServer{})
	api.RegisterAuditServiceServer(g, api.UnimplementedAuditServiceServer{})
	g.RegisterService(&grpc.ServiceDesc{ServiceName: "loom.v1.NewService", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
		MethodName: "Do", Handler: func(srv any, ctx context.Context, dec func(any) error, i grpc.UnaryServerInterceptor) (any, error) {
			m := &api.WhoAmIRequest{}
			if err := dec(m); err != nil {
				return nil, err
			}
			return i(ctx, m, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/loom.v1.NewService/Do"}, func(context.Context, any) (any, error) { return &api.WhoAmIResponse{}, nil })
		},
	}}}, struct{}{})
	pipe := bufconn.Listen(1 << 16)
	go func() { _ = g.Serve(pipe) }()
	t.Cleanup(g.Stop)
	conn, err := grpc.NewClient("passthrough:it", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// call makes a call about device bj-leaf1 of topology demo, about its plan or transaction, and returns how it is refused.
func call(t *testing.T, conn *grpc.ClientConn, m protoreflect.MethodDescriptor, as string) codes.Code {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if as != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+as)
	}
	asked := dynamicpb.NewMessage(m.Input())
	for name, value := range map[string]string{"topology": "demo", "device": "bj-leaf1", "name": "bj-leaf1", "id": "it"} {
		if f := m.Input().Fields().ByTextName(name); f != nil && f.Kind() == protoreflect.StringKind && !f.IsList() {
			asked.Set(f, protoreflect.ValueOfString(value))
		}
	}
	answer := dynamicpb.NewMessage(m.Output())
	if !m.IsStreamingServer() {
		return status.Code(conn.Invoke(ctx, fullName(m), asked, answer))
	}
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, fullName(m))
	if err == nil {
		if err = stream.SendMsg(asked); err == nil {
			err = stream.CloseSend()
		}
	}
	if err == nil {
		err = stream.RecvMsg(answer)
	}
	return status.Code(err)
}

func TestACallWithoutARuleIsDenied(t *testing.T) {
	t.Parallel()
	conn := serveRules(t)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer admin/e")
	err := conn.Invoke(ctx, "/loom.v1.NewService/Do", &api.WhoAmIRequest{}, &api.WhoAmIResponse{})
	if status.Code(err) != codes.PermissionDenied || !strings.Contains(err.Error(), "no rule") {
		t.Errorf("an administrator may: %v", err)
	}
}

// TestWhatARequestSaysMatters looks at requests that need more, or less, as they say something more.
func TestWhatARequestSaysMatters(t *testing.T) {
	t.Parallel()
	conn := serveRules(t)
	for _, tt := range []struct {
		name, as, method string
		asked            proto.Message
		want             codes.Code
	}{
		{"a drain takes the permission to apply", "operator/s", "/loom.v1.DeviceService/DrainDevice", &api.DrainDeviceRequest{Topology: "demo", Device: "bj-leaf1"}, codes.Unimplemented},
		{"one that approves risks takes that permission, too", "operator/s", "/loom.v1.DeviceService/DrainDevice", &api.DrainDeviceRequest{Topology: "demo", Device: "bj-leaf1", Approve: []string{"many-devices"}}, codes.PermissionDenied},
		{"the other site is another", "operator/s", "/loom.v1.DeviceService/DrainDevice", &api.DrainDeviceRequest{Topology: "demo", Device: "sh-leaf1"}, codes.PermissionDenied},
		{"a device that there is none of is of no site", "operator/s", "/loom.v1.DeviceService/GetDevice", &api.GetDeviceRequest{Topology: "demo", Name: "none"}, codes.PermissionDenied},
		{"the policy of a device is that of its site", "operator/s", "/loom.v1.DeviceService/SetDriftPolicy", &api.SetDriftPolicyRequest{Topology: "demo", Device: "bj-leaf1"}, codes.Unimplemented},
		{"that of the topology is not", "operator/s", "/loom.v1.DeviceService/SetDriftPolicy", &api.SetDriftPolicyRequest{Topology: "demo"}, codes.PermissionDenied},
		{"drift of a site is taken back by its operator", "operator/s", "/loom.v1.DeviceService/RevertDrift", &api.RevertDriftRequest{Topology: "demo", Limit: "bj-leaf1"}, codes.Unimplemented},
		{"and not that of all", "operator/s", "/loom.v1.DeviceService/RevertDrift", &api.RevertDriftRequest{Topology: "demo"}, codes.PermissionDenied},
		{"files of one's own may be asked about", "viewer/s", "/loom.v1.QueryService/Validate", &api.ValidateRequest{Files: []*api.File{{Name: "x"}}}, codes.Unimplemented},
		{"and not what is intended, with them", "viewer/s", "/loom.v1.QueryService/Validate", &api.ValidateRequest{Topology: "demo", Files: []*api.File{{Name: "x"}}}, codes.PermissionDenied},
	} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+tt.as)
		if got := status.Code(conn.Invoke(ctx, tt.method, tt.asked, &api.WhoAmIResponse{})); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestATokenIsShownInOneWay(t *testing.T) {
	t.Parallel()
	conn := serveRules(t)
	for _, header := range []string{"admin/e", "Basic admin/e", "Bearer", "Bearer ", "Bearer " + strings.Repeat("x", mostToken+1)} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", header)
		if err := conn.Invoke(ctx, "/loom.v1.AccessService/WhoAmI", &api.WhoAmIRequest{}, &api.WhoAmIResponse{}); status.Code(err) != codes.Unauthenticated {
			t.Errorf("%.20q: %v", header, err)
		}
	}
}
