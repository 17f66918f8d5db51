package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// from is the context of a call by the holder of a certificate, which comes with headers.
func from(name, organization string, headers ...string) context.Context {
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name, Organization: []string{organization}}}
	info := credentials.TLSInfo{State: tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{cert}}}}
	ctx := peer.NewContext(context.Background(), &peer.Peer{AuthInfo: info})
	return metadata.NewIncomingContext(ctx, metadata.Pairs(headers...))
}

func TestOnlyReplicasAreBelievedWhoCalls(t *testing.T) {
	t.Parallel()
	ann := `{"Kind":"certificate","Name":"ann"}`
	for _, tt := range []struct {
		name string
		ctx  context.Context
		want string // caller; empty: the call is refused
	}{
		{"a replica that passes a call on", from("loom-2", auth.Replica, callerHeader, ann), "ann"},
		{"a replica that calls itself", from("loom-2", auth.Replica), "loom-2"},
		{"an administrator who says to be another", from("eve", auth.Admin, callerHeader, ann), "eve"},
		{"somebody with an organization like a replica's", from("eve", "replica", callerHeader, ann), "eve"},
		{"a replica that says it is for nobody", from("loom-2", auth.Replica, callerHeader, `{}`), ""},
		{"a replica that says two names", from("loom-2", auth.Replica, callerHeader, ann, callerHeader, ann), ""},
		{"a replica that says it is for a replica", from("loom-2", auth.Replica, callerHeader, `{"Name":"x","Roles":["`+auth.Replica+`"]}`), ""},
		{"a replica that says it is for the controller itself", from("loom-2", auth.Replica, callerHeader, `{"Name":"x","Kind":"controller"}`), ""},
		{"a replica that says no JSON", from("loom-2", auth.Replica, callerHeader, "ann"), ""},
	} {
		ctx, err := identify(tt.ctx, nil)
		if tt.want == "" {
			if status.Code(err) != codes.Unauthenticated {
				t.Errorf("%s: %v, want UNAUTHENTICATED", tt.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if who, ok := Caller(ctx); !ok || who.Name != tt.want {
			t.Errorf("%s: it is %q who calls, want %q", tt.name, who.Name, tt.want)
		}
	}
}

// another is one other replica.
type another struct {
	grpc.ClientConnInterface
	away  error // why the store does not answer; nil: it does
	asked []string
	says  string // identity as it was stated
}

func (a *another) Whole() error { return a.away }

func (a *another) Reach(name string) (grpc.ClientConnInterface, error) {
	if name != "b" {
		return nil, errors.New("there is no " + name)
	}
	return a, nil
}

func (a *another) Invoke(ctx context.Context, method string, _, reply any, _ ...grpc.CallOption) error {
	a.asked = append(a.asked, method)
	md, _ := metadata.FromOutgoingContext(ctx)
	a.says = md.Get(callerHeader)[0]
	reply.(*api.GetPlanResponse).Plan = &api.Plan{Id: "there"}
	return nil
}

func TestACallIsPassedOnOnce(t *testing.T) {
	t.Parallel()
	ann, err := identify(from("ann", auth.Admin), nil)
	passedOn, e := identify(from("c", auth.Replica, callerHeader, `{"Name":"ann"}`), nil)
	if err = errors.Join(err, e); err != nil {
		t.Fatal(err)
	}
	isElsewhere := func(name string) error {
		return failure(errors.Join(errors.New("x"), &controller.ElsewhereError{Topology: "demo", Replica: name}))
	}
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		others *another
		here   error
		want   codes.Code
		there  bool
	}{
		{"that can be answered here", ann, &another{}, nil, codes.OK, false},
		{"that is refused here", ann, &another{}, status.Error(codes.NotFound, "x"), codes.NotFound, false},
		{"that another can answer", ann, &another{}, isElsewhere("b"), codes.OK, true},
		{"that one can answer who is not there any more", ann, &another{}, isElsewhere("gone"), codes.Unavailable, false},
		{"that was passed on already", passedOn, &another{}, isElsewhere("b"), codes.Unavailable, false},
		{"while the store does not answer", ann, &another{away: controller.ErrMoving}, nil, codes.Unavailable, false},
	} {
		answer, err := relayCalls(tt.others)(tt.ctx, &api.GetPlanRequest{}, &grpc.UnaryServerInfo{FullMethod: api.PlanService_GetPlan_FullMethodName}, func(context.Context, any) (any, error) { return &api.GetPlanResponse{}, tt.here })
		if status.Code(err) != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if there := len(tt.others.asked) == 1; there != tt.there || there && answer.(*api.GetPlanResponse).GetPlan().GetId() != "there" {
			t.Errorf("%s: passed on %v, answer %v", tt.name, tt.others.asked, answer)
		}
		if tt.there && tt.others.says == "" {
			t.Errorf("%s: nobody is stated to call", tt.name)
		}
		if tt.want == codes.Unavailable && !retries(err) {
			t.Errorf("%s: nobody says when to call again: %v", tt.name, err)
		}
	}
}

func retries(err error) bool {
	for _, d := range status.Convert(err).Details() {
		if _, ok := d.(*errdetails.RetryInfo); ok {
			return true
		}
	}
	return false
}
