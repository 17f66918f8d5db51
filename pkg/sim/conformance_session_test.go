package sim_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnoi/file"
	"github.com/openconfig/gnoi/system"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// serverAt is where the tests' operating system keeps the configuration of its gNMI server, as JSON.
const serverAt = "/interface[name=mgmt0]/description"

// configured returns a bench whose device reads how its server shall be from serverAt.
func configured(t *testing.T, s sim.Server) *bench {
	t.Helper()
	b := newBenchOf(t, leaf1(&sim.Software{Server: readServer}))
	b.configure(s)
	return b
}

func readServer(running *config.Tree) (s sim.Server) {
	path, err := config.ParsePath(serverAt)
	if err != nil {
		panic(err)
	}
	if text := running.Find(path).Value(); text != "" {
		err = json.Unmarshal([]byte(text), &s)
	}
	if err != nil {
		panic(err)
	}
	return s
}

// configure commits another configuration of the server, at the box: no RPC is spent on it.
func (b *bench) configure(s sim.Server) {
	b.Helper()
	value, _ := json.Marshal(s)
	quoted, _ := json.Marshal(string(value))
	if err := b.device.Apply(b.put(serverAt, string(quoted))); err != nil {
		b.Fatal(err)
	}
}

// ask makes the cheapest RPC.
func (b *bench) ask() error {
	_, err := b.gnmi.Capabilities(b.ctx, &gnmi.CapabilityRequest{})
	return err
}

// mustAsk fails where that is refused.
func (b *bench) mustAsk(when string) {
	b.Helper()
	if err := b.ask(); err != nil {
		b.Errorf("%s: %v", when, err)
	}
}

// patience is how long tests wait for what happens on another goroutine, at most.
const patience = 20 * time.Second

// soon asks until something is so: a server hears of the end of an RPC a moment after the client.
func (b *bench) soon(what string, is func() bool) {
	b.Helper()
	for deadline := time.Now().Add(patience); !is(); {
		if time.Now().After(deadline) {
			b.Fatalf("%s: not so after %s", what, patience)
		}
	}
}

// watch opens a stream that stays, and returns what ends it.
func (b *bench) watch() (end func(), err error) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.ctx)
	b.Cleanup(cancel)
	stream, err := b.gnmi.Subscribe(ctx)
	if err != nil {
		b.Fatal(err)
	}
	list := &gnmi.SubscriptionList{Encoding: gnmi.Encoding_JSON_IETF, UpdatesOnly: true, Subscription: []*gnmi.Subscription{
		{Path: b.path("/interface[name=e1]/mtu").GNMI(), Mode: gnmi.SubscriptionMode_ON_CHANGE}}}
	if err := stream.Send(&gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: list}}); err != nil && err != io.EOF {
		b.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		return nil, err
	}
	return func() {
		cancel()
		for err == nil {
			_, err = stream.Recv()
		}
	}, nil
}

// gNMI §3.1: the session is encrypted, always; there is no falling back to plaintext.
func TestAClientWithoutTLSIsNotServed(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.use(dial(t, b.sim, "leaf1", insecure.NewCredentials()))
	b.refuses(b.ask(), codes.Unavailable, "")
}

// gNMI §3.1: TLS 1.2 or later.
func TestTLSBefore12IsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	for version, want := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", b.device.Address(), &tls.Config{
			RootCAs: authority(t, b.sim), ServerName: "leaf1", NextProtos: []string{"h2"},
			MinVersion: tls.VersionTLS10, MaxVersion: version,
		})
		if got := err == nil; got != want {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			conn.Close()
		}
	}
}

// gNMI §3.1: the client can tell that it speaks to the device that it means.
func TestADeviceShowsACertificateForItsName(t *testing.T) {
	t.Parallel()
	b, other := newBench(t, simtest.New), newBench(t, simtest.New)
	b.use(dial(t, b.sim, "leaf1", credentials.NewTLS(&tls.Config{RootCAs: authority(t, b.sim), ServerName: "leaf2"})))
	b.refuses(b.ask(), codes.Unavailable, "valid for leaf1, not leaf2")
	b.use(dial(t, b.sim, "leaf1", credentials.NewTLS(&tls.Config{RootCAs: authority(t, other.sim), ServerName: "leaf1"})))
	b.refuses(b.ask(), codes.Unavailable, "unknown authority")
}

// clientCertificate returns a certificate that a simulation made for a client.
func clientCertificate(t *testing.T, s *sim.Sim) tls.Certificate {
	t.Helper()
	cert, key, err := s.ClientCertificate("operator")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// gNMI §3.1: mutual authentication, as far as the server is configured for it
// (srl_nokia-tls.yang, server-profile/authenticate-client and trust-anchor).
func TestAClientShowsItsCertificateWhereTheServerWantsOne(t *testing.T) {
	t.Parallel()
	b, other := configured(t, sim.Server{}), newBench(t, simtest.New)
	mine, foreign := clientCertificate(t, b.sim), clientCertificate(t, other.sim)
	b.mustAsk("before any is wanted")
	before := b.gnmi

	b.configure(sim.Server{ClientCA: []byte(b.sim.Inventory().CA)})
	for _, c := range []struct {
		name string
		show []tls.Certificate
		want codes.Code
	}{
		{"with a certificate of the anchor", []tls.Certificate{mine}, codes.OK},
		{"with another authority's", []tls.Certificate{foreign}, codes.Unavailable},
		{"with none", nil, codes.Unavailable},
	} {
		b.use(connect(t, b.sim, "leaf1", c.show...))
		if err := b.ask(); status.Code(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := before.Capabilities(b.ctx, &gnmi.CapabilityRequest{}); err != nil {
		t.Errorf("a connection from before the commit: %v", err)
	}

	b.configure(sim.Server{ClientCA: []byte("no certificate")})
	b.use(connect(t, b.sim, "leaf1", mine))
	b.refuses(b.ask(), codes.Unavailable, "")

	b.configure(sim.Server{})
	b.use(connect(t, b.sim, "leaf1", foreign))
	b.mustAsk("with any certificate, where none is wanted")
}

// services are RPCs of every service that a device has.
var services = map[string]func(context.Context, *grpc.ClientConn) error{
	"gNMI Capabilities": func(ctx context.Context, c *grpc.ClientConn) error {
		_, err := gnmi.NewGNMIClient(c).Capabilities(ctx, &gnmi.CapabilityRequest{})
		return err
	},
	"gNMI Get": func(ctx context.Context, c *grpc.ClientConn) error {
		_, err := gnmi.NewGNMIClient(c).Get(ctx, &gnmi.GetRequest{Encoding: gnmi.Encoding_JSON_IETF})
		return err
	},
	"gNMI Set": func(ctx context.Context, c *grpc.ClientConn) error {
		_, err := gnmi.NewGNMIClient(c).Set(ctx, &gnmi.SetRequest{})
		return err
	},
	"gNMI Subscribe": func(ctx context.Context, c *grpc.ClientConn) error {
		stream, err := gnmi.NewGNMIClient(c).Subscribe(ctx)
		return ended(stream, err, &gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Subscribe{
			Subscribe: &gnmi.SubscriptionList{Mode: gnmi.SubscriptionList_ONCE, Encoding: gnmi.Encoding_JSON_IETF,
				Subscription: []*gnmi.Subscription{{Path: &gnmi.Path{}}}}}})
	},
	"gNOI File": func(ctx context.Context, c *grpc.ClientConn) error {
		stream, err := file.NewFileClient(c).Get(ctx, &file.GetRequest{RemoteFile: "/etc/config.json"})
		return ended(stream, err, nil)
	},
	"gNOI System": func(ctx context.Context, c *grpc.ClientConn) error {
		_, err := system.NewSystemClient(c).Time(ctx, &system.TimeRequest{})
		return err
	},
	"reflection": func(ctx context.Context, c *grpc.ClientConn) error {
		_, err := reflected(ctx, c)
		return err
	},
}

// ended sends a message, if there is one, and returns what a stream ends with, nil for its regular end.
func ended(stream grpc.ClientStream, err error, request any) error {
	if err == nil && request != nil {
		err = stream.SendMsg(request)
	}
	if err == nil {
		err = stream.CloseSend()
	}
	for err == nil {
		err = stream.RecvMsg(new(file.GetResponse)) // any message: unknown fields are kept
	}
	if errors.Is(err, io.EOF) {
		err = stream.RecvMsg(new(file.GetResponse)) // the status, where sending found the stream gone
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// reflected returns the services that a server says it has.
func reflected(ctx context.Context, c *grpc.ClientConn) (names []string, err error) {
	stream, err := grpc_reflection_v1.NewServerReflectionClient(c).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	defer stream.CloseSend()
	// A refusal may come before the request is out; Recv tells it.
	_ = stream.Send(&grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}})
	resp, err := stream.Recv()
	for _, s := range resp.GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	return names, err
}

// gNMI §3.1 and the authentication document beside it: username and password in the metadata of
// every RPC; UNAUTHENTICATED without them. Not a gNMI matter alone: every service of the server is behind it.
func TestEveryCallWantsUserAndPassword(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	for service, call := range services {
		for name, md := range map[string][]string{
			"nothing": nil, "a wrong password": {"username", "admin", "password", "x"}, "no user": {"password", "secret"},
			"two users": {"username", "admin", "username", "admin", "password", "secret"},
		} {
			if err := call(metadata.AppendToOutgoingContext(t.Context(), md...), b.conn); status.Code(err) != codes.Unauthenticated {
				t.Errorf("%s with %s: %v", service, name, err)
			}
		}
		if err := call(b.ctx, b.conn); err != nil {
			t.Errorf("%s with both: %v", service, err)
		}
	}
}

// srl_nokia-grpc.yang, metadata-authentication false.
func TestNobodyIsAskedForAPasswordWhereTheServerIsConfiguredSo(t *testing.T) {
	t.Parallel()
	b := configured(t, sim.Server{Anonymous: true})
	if _, err := b.gnmi.Capabilities(t.Context(), &gnmi.CapabilityRequest{}); err != nil {
		t.Error(err)
	}
	b.configure(sim.Server{})
	_, err := b.gnmi.Capabilities(t.Context(), &gnmi.CapabilityRequest{})
	b.refuses(err, codes.Unauthenticated, "Invalid username or password")
}

// srl_nokia-grpc.yang, rate-limit: RPCs per minute, of all clients together; gNMI §2.5: a code that
// says that trying later may do.
func TestRPCsPastTheRateLimitAreRefusedUntilTimePasses(t *testing.T) {
	t.Parallel()
	b := configured(t, sim.Server{RateLimit: 3})
	over := func(when string) {
		t.Helper()
		b.refuses(b.ask(), codes.ResourceExhausted, "Rate limit of 3 RPCs per minute exceeded")
	}
	b.mustAsk("first")
	b.use(connect(t, b.sim, "leaf1")) // another client of the same server
	b.mustAsk("second")
	_, err := b.gnmi.Capabilities(t.Context(), &gnmi.CapabilityRequest{}) // whoever calls
	b.refuses(err, codes.Unauthenticated, "")
	over("fourth")
	b.clock.Advance(20 * time.Second)
	b.mustAsk("after a third of a minute")
	over("right after it")
	b.clock.Advance(time.Hour)
	for range 3 {
		b.mustAsk("after an hour")
	}
	over("the fourth after an hour: what was not used is not saved up")

	b.configure(sim.Server{RateLimit: 5})
	for range 5 {
		b.mustAsk("after a commit of another limit")
	}
	b.configure(sim.Server{})
	for range 20 {
		b.mustAsk("without a limit")
	}
}

// srl_nokia-grpc.yang, session-limit: a session is an RPC while it lasts.
func TestRPCsPastTheSessionLimitAreRefusedUntilOneEnds(t *testing.T) {
	t.Parallel()
	b := configured(t, sim.Server{Sessions: 2})
	end, err := b.watch()
	if err != nil {
		t.Fatal(err)
	}
	b.mustAsk("beside one stream")
	b.use(connect(t, b.sim, "leaf1")) // another client of the same server
	if _, err := b.watch(); err != nil {
		t.Fatal(err)
	}
	_, err = b.watch()
	b.refuses(err, codes.ResourceExhausted, "Limit of 2 active sessions reached")
	b.refuses(b.ask(), codes.ResourceExhausted, "Limit of 2 active sessions reached")

	b.configure(sim.Server{Sessions: 3})
	b.mustAsk("after a commit of another limit")
	b.configure(sim.Server{Sessions: 2})
	end()
	b.soon("the end of a session makes room", func() bool { return b.ask() == nil })
}

// Some operating systems take so many connections, and so many RPCs over them, of all clients together (SR OS: 8 and 225).
func TestClientsPastTheManneredOnesAreRefusedUntilOneGoes(t *testing.T) {
	t.Parallel()
	spec := leaf1(nil)
	spec.Driver.Manners.Sessions, spec.Driver.Manners.Channels = 2, 3
	b := newBenchOf(t, spec)
	first := b.conn
	for range 2 {
		if _, err := b.watch(); err != nil {
			t.Fatal(err)
		}
	}
	b.use(connect(t, b.sim, "leaf1"))
	if _, err := b.watch(); err != nil {
		t.Fatal(err)
	}
	b.refuses(b.ask(), codes.ResourceExhausted, "Limit of 3 active sessions reached")
	third := connect(t, b.sim, "leaf1")
	b.use(third)
	b.refuses(b.ask(), codes.ResourceExhausted, "Limit of 2 sessions reached")
	first.Close()
	b.soon("a client that goes makes room", func() bool { return b.ask() == nil })
}

// srl_nokia-grpc.yang, timeout: of idle connections.
func TestAnIdleConnectionIsClosedAndOneInUseIsNot(t *testing.T) {
	t.Parallel()
	b := configured(t, sim.Server{Idle: time.Minute})
	used := b.conn
	end, err := b.watch()
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	b.use(connect(t, b.sim, "leaf1"))
	b.mustAsk("at first")
	b.clock.Advance(50 * time.Second)
	b.mustAsk("just in time")
	b.clock.Advance(50 * time.Second)
	b.mustAsk("again just in time")
	b.clock.Advance(time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if !b.conn.WaitForStateChange(ctx, connectivity.Ready) {
		t.Error("a connection without RPCs for a minute is still there")
	}
	if got := used.GetState(); got != connectivity.Ready {
		t.Errorf("a connection with a stream is %s", got)
	}
}

// watched is software that keeps what it was told about its server.
type watched struct {
	mu     sync.Mutex
	server sim.ServerState
}

func (w *watched) Observe(_ *config.Builder, o sim.Observation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.server = o.Server
}

// srl_nokia-grpc.yang, client: those that have a subscription are listed.
func TestTheServerListsWhoSubscribes(t *testing.T) {
	t.Parallel()
	var w watched
	b := newBenchOf(t, leaf1(&sim.Software{Observe: w.Observe}))
	clients := func() []sim.Client {
		t.Helper()
		b.clock.Advance(time.Minute) // state is looked at anew
		if _, err := b.get(gnmi.GetRequest_STATE, "/system"); err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.server.Clients
	}
	if got := clients(); len(got) != 0 {
		t.Fatalf("got %v before anybody subscribed", got)
	}
	end, err := b.watch()
	if err != nil {
		t.Fatal(err)
	}
	got := clients()
	if len(got) != 1 {
		t.Fatalf("got %v, want one client", got)
	}
	host, err := netip.ParseAddr(got[0].Host)
	if err != nil || !host.IsLoopback() || got[0].Port == 0 || !strings.HasPrefix(got[0].UserAgent, "bench ") || got[0].ID == 0 {
		t.Errorf("got %+v", got[0])
	}
	end()
	b.soon("a client that has gone is not listed", func() bool { return len(clients()) == 0 })
}

// Reflection is how clients without proto files find out what there is.
func TestReflectionNamesTheServices(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	got, err := reflected(b.ctx, b.conn)
	if err != nil {
		t.Fatal(err)
	}
	b.wants(got, "gnmi.gNMI", "gnoi.file.File", "gnoi.system.System",
		"grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
}
