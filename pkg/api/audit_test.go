package api

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/audit"
	"github.com/loomfabric/loom/pkg/controller"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
)

// teller is an auditor with a list instead of a store.
type teller struct {
	mu      sync.Mutex
	entries []string // "what stage code"
	ids     int
	full    error // of what is to be durable
}

func (a *teller) ID() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids++
	return strconv.Itoa(a.ids)
}

func (a *teller) Durable(ctx context.Context, e audit.Entry) error {
	if a.full != nil {
		return a.full
	}
	return a.Gather(ctx, e)
}

func (a *teller) Gather(_ context.Context, e audit.Entry) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.entries = append(a.entries, e.What+" "+string(e.Stage)+" "+e.Outcome.Code)
	return nil
}

// Each call is told of, whatever becomes of it, but of those that ask whether all is well; and where that cannot be written, nothing is
// changed, and what is asked is answered.
func TestEachCallIsToldOf(t *testing.T) {
	t.Parallel()
	a := &teller{}
	s := &Server{Intents: &controller.Intents{Ledger: nothing{}}, Operations: demo{}}
	g := grpc.NewServer(slices.Concat(Unknown(a), Authenticate(who{}), Audit(a), s.Authorize())...)
	api.RegisterIntentServiceServer(g, api.UnimplementedIntentServiceServer{})
	api.RegisterEventServiceServer(g, api.UnimplementedEventServiceServer{})
	grpc_health_v1.RegisterHealthServer(g, health.NewServer())
	pipe := bufconn.Listen(1 << 16)
	go func() { _ = g.Serve(pipe) }()
	t.Cleanup(g.Stop)
	conn, err := grpc.NewClient("passthrough:it", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	const intents, events = "/loom.v1.IntentService/", "/loom.v1.EventService/"
	put := func(ctx context.Context) error {
		_, err := api.NewIntentServiceClient(conn).DeleteTopology(ctx, &api.DeleteTopologyRequest{Topology: "demo"})
		return err
	}
	list := func(ctx context.Context) error {
		_, err := api.NewIntentServiceClient(conn).ListTopologies(ctx, &api.ListTopologiesRequest{})
		return err
	}
	watch := func(ctx context.Context) error {
		w, err := api.NewEventServiceClient(conn).WatchEvents(ctx, &api.WatchEventsRequest{})
		if err != nil {
			return err
		}
		_, err = w.Recv()
		return err
	}
	well := func(ctx context.Context) error {
		_, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		return err
	}
	for _, c := range []struct {
		name string
		as   string
		full error
		call func(context.Context) error
		code codes.Code
		want []string
	}{
		{"something is read", "admin/e", nil, list, codes.Unimplemented, []string{intents + "ListTopologies whole Unimplemented"}},
		{"something is changed", "admin/e", nil, put, codes.Unimplemented, []string{intents + "DeleteTopology before ", intents + "DeleteTopology after Unimplemented"}},
		{"somebody may not", "viewer/e", nil, put, codes.PermissionDenied, []string{intents + "DeleteTopology before ", intents + "DeleteTopology after PermissionDenied"}},
		{"nobody is known", "", nil, put, codes.Unauthenticated, []string{intents + "DeleteTopology whole Unauthenticated"}},
		{"nobody is known, and watches", "", nil, watch, codes.Unauthenticated, []string{events + "WatchEvents before ", events + "WatchEvents after Unauthenticated"}},
		{"somebody watches", "admin/e", nil, watch, codes.Unimplemented, []string{events + "WatchEvents before ", events + "WatchEvents after Unimplemented"}},
		{"somebody asks whether all is well", "", nil, well, codes.OK, nil},
		{"it cannot be written, and something is changed", "admin/e", errors.New("full"), put, codes.Unavailable, nil},
		{"it cannot be written, and something is read", "admin/e", errors.New("full"), list, codes.Unimplemented, []string{intents + "ListTopologies whole Unimplemented"}},
	} {
		a.entries, a.full = nil, c.full
		ctx := t.Context()
		if c.as != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+c.as)
		}
		if err := c.call(ctx); status.Code(err) != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
		a.mu.Lock()
		if d := cmp.Diff(c.want, a.entries); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		a.mu.Unlock()
	}
}
