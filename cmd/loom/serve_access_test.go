package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/loomfabric/loom/models/api"
	pkgapi "github.com/loomfabric/loom/pkg/api"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/store"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// entrance is a controller without devices: what is tested is who comes in.
type entrance struct {
	*testing.T
	s    *serving
	at   string // host:port of gRPC
	rest string
	log  *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newEntrance(t *testing.T, oidc *issuer) *entrance {
	t.Helper()
	e := &entrance{T: t, log: &lockedBuffer{}}
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(pkgapi.Itself(context.Background()))
	e.s = &serving{
		ctx: ctx, stopping: ctx, dir: dir, access: &access{warn: func(string, ...any) {}}, storeFlags: &storeFlags{dir: dir},
		fabrics: map[string]*fabricRun{}, without: map[string]error{}, wake: make(chan struct{}, 1), log: slog.New(slog.NewTextHandler(e.log, nil)),
	}
	e.s.measures = newMeasures(e.s)
	e.s.storeFlags.committed = e.s.measures.committed
	var err error
	e.s.store, err = e.s.storeFlags.open(ctx, &terminal{out: io.Discard, err: io.Discard}, dir)
	e.check(err)
	e.check(e.s.openAudit(""))
	e.s.intents = &controller.Intents{Ledger: &intentLedger{e.s.store}, Check: e.s.compiled.check, Now: time.Now, Allow: pkgapi.AllowWrite}
	e.s.book, err = openAccess(ctx, e.s.store, e.s.log)
	e.check(err)
	e.s.book.oidc = oidc
	e.s.book.keys, err = openKeys(filepath.Join(dir, "pki"), []string{"127.0.0.1", "loom.example.net"}, admits{oidc != nil, e.s.book.isRevoked}, time.Now())
	e.check(err)
	var all sync.WaitGroup
	writing, stop := context.WithCancel(context.Background())
	var writer sync.WaitGroup
	writer.Go(func() { e.s.audit.run(writing, e.s) })
	all.Go(func() { e.s.book.follow(ctx) })
	all.Go(func() { e.s.book.sweep(ctx) })
	all.Go(func() { e.s.book.keys.follow(ctx, e.s.log) })
	d := &door{tls: e.s.book.keys.server()}
	d.listener, err = net.Listen("tcp", "127.0.0.1:0")
	e.check(err)
	d.rest, err = net.Listen("tcp", "127.0.0.1:0")
	e.check(err)
	rest, err := e.s.openREST(d)
	e.check(err)
	server := d.server(e.s)
	all.Go(func() { _ = server.Serve(d.listener) })
	all.Go(func() { _ = rest.serve() })
	e.at, e.rest = d.listener.Addr().String(), d.rest.Addr().String()
	t.Cleanup(func() {
		server.Stop()
		rest.stop()
		cancel()
		all.Wait()
		stop()
		writer.Wait()
		e.check(e.s.store.Close())
	})
	return e
}

func (e *entrance) check(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

func (e *entrance) authority() *auth.Authority { return e.s.book.keys.authority() }

// certificate is one that an authority signs, beside the controller's records, as an earlier release did.
func (e *entrance) certificate(by *auth.Authority, name string, roles []string, at time.Time) *tls.Config {
	e.Helper()
	p, err := by.Client(name, roles, at, rand.Reader)
	e.check(err)
	return e.with(p)
}

func (e *entrance) with(p auth.Pair) *tls.Config {
	e.Helper()
	pair, err := tls.X509KeyPair(p.Certificate, p.Key)
	e.check(err)
	return &tls.Config{RootCAs: e.authority().Pool(), Certificates: []tls.Certificate{pair}}
}

func (e *entrance) admin() *client {
	return e.dial(e.certificate(e.authority(), "root", []string{auth.Admin}, time.Now()))
}

func (e *entrance) dial(c *tls.Config, more ...grpc.DialOption) *client {
	e.Helper()
	conn, err := grpc.NewClient(e.at, append(more, grpc.WithTransportCredentials(credentials.NewTLS(c)))...)
	e.check(err)
	e.Cleanup(func() { _ = conn.Close() })
	return &client{ClientConn: conn}
}

// issue has the controller issue a certificate, as loom certificate issue does.
func (e *entrance) issue(admin *client, name string, roles ...string) (*tls.Config, *api.Certificate) {
	e.Helper()
	request, key, err := auth.Request(rand.Reader)
	e.check(err)
	m, err := api.NewAccessServiceClient(admin).IssueCertificate(e.Context(), &api.IssueCertificateRequest{Request: request, Name: name, Roles: roles, Renewable: true})
	e.check(err)
	return e.with(auth.Pair{Certificate: m.GetPem(), Key: key}), m.GetCertificate()
}

func whoami(ctx context.Context, c grpc.ClientConnInterface) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	_, err := api.NewAccessServiceClient(c).WhoAmI(ctx, &api.WhoAmIRequest{})
	return err
}

// watching is a stream of events that has begun.
func (e *entrance) watching(c *client) (ends func() error) {
	e.Helper()
	ctx, cancel := context.WithTimeout(e.Context(), time.Minute) // one that goes on ends otherwise
	e.Cleanup(cancel)
	stream, err := api.NewEventServiceClient(c).WatchEvents(ctx, &api.WatchEventsRequest{})
	e.check(err)
	_, err = stream.Recv()
	e.check(err)
	return func() error {
		for {
			if _, err := stream.Recv(); err != nil {
				return err
			}
		}
	}
}

// TestWhoComesIn is S1 of the catalogue of faults, towards the controller: what is wrong with a caller keeps it out before a call.
func TestWhoComesIn(t *testing.T) {
	t.Parallel()
	e := newEntrance(t, nil)
	admin := e.admin()
	other, err := auth.NewAuthority("other", time.Now(), rand.Reader)
	e.check(err)
	ours, now := e.authority(), time.Now()
	good := e.certificate(ours, "ann", nil, now)
	bySerial, which := e.issue(admin, "bob")
	_, err = api.NewAccessServiceClient(admin).RevokeCertificate(t.Context(), &api.RevokeCertificateRequest{Serial: which.GetSerial(), Reason: "lost"})
	e.check(err)
	byName := e.certificate(ours, "eve", []string{auth.Admin}, now.Add(-time.Hour))
	_, err = api.NewAccessServiceClient(admin).RevokeCertificate(t.Context(), &api.RevokeCertificateRequest{Name: "eve"})
	e.check(err)
	server, err := ours.Server([]string{"ann"}, now, rand.Reader)
	e.check(err)
	old := good.Clone()
	old.MaxVersion = tls.VersionTLS12
	elsewhere := good.Clone()
	elsewhere.ServerName = "somewhere.example.net"
	stranger := good.Clone()
	stranger.RootCAs = other.Pool()
	named := good.Clone()
	named.ServerName = "loom.example.net"
	for _, tt := range []struct {
		name string
		as   credentials.TransportCredentials
		in   bool
	}{
		{"a certificate of the authority", credentials.NewTLS(good), true},
		{"another name of the controller", credentials.NewTLS(named), true},
		{"none", credentials.NewTLS(&tls.Config{RootCAs: ours.Pool()}), false},
		{"one that has expired", credentials.NewTLS(e.certificate(ours, "ann", nil, now.Add(-2*auth.ClientLife))), false},
		{"one that is not good yet", credentials.NewTLS(e.certificate(ours, "ann", nil, now.Add(time.Hour))), false},
		{"one that was revoked", credentials.NewTLS(bySerial), false},
		{"one of a name that was revoked, which nobody has a record of", credentials.NewTLS(byName), false},
		{"one of that name that was issued later", credentials.NewTLS(e.certificate(ours, "eve", nil, now.Add(2*time.Second))), true},
		{"one of another authority", credentials.NewTLS(e.certificate(other, "admin", []string{auth.Admin}, now)), false},
		{"one of a server", credentials.NewTLS(e.with(server)), false},
		{"TLS 1.2", credentials.NewTLS(old), false},
		{"no TLS", insecure.NewCredentials(), false},
		{"a controller of another name is not called", credentials.NewTLS(elsewhere), false},
		{"nor one of another authority", credentials.NewTLS(stranger), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := grpc.NewClient(e.at, grpc.WithTransportCredentials(tt.as))
			e.check(err)
			defer conn.Close()
			if err := whoami(t.Context(), conn); (err == nil) != tt.in {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestWhatIsTakenBackEndsWhatIsOpen(t *testing.T) {
	t.Parallel()
	e := newEntrance(t, nil)
	admin := e.admin()
	access := api.NewAccessServiceClient(admin)
	config, cert := e.issue(admin, "ann")
	ann := e.dial(config)
	if _, err := api.NewIntentServiceClient(ann).ListTopologies(t.Context(), &api.ListTopologiesRequest{}); status.Code(err) != codes.PermissionDenied || !strings.Contains(err.Error(), "viewer") {
		t.Errorf("somebody without a role: %v, want a denial that says which role it takes", err)
	}
	bound, err := access.PutBinding(t.Context(), &api.PutBindingRequest{Binding: &api.Binding{Subject: "certificate:ann", Role: "viewer"}})
	e.check(err)
	ends := e.watching(ann)
	_, err = access.DeleteBinding(t.Context(), &api.DeleteBindingRequest{Id: bound.GetBinding().GetId()})
	e.check(err)
	if err := ends(); status.Code(err) != codes.PermissionDenied {
		t.Errorf("a stream whose role was taken back ends with %v", err)
	}
	_, err = access.PutBinding(t.Context(), &api.PutBindingRequest{Binding: &api.Binding{Subject: "ann", Role: "viewer"}})
	e.check(err)
	ends = e.watching(ann)
	begun := time.Now()
	_, err = access.RevokeCertificate(t.Context(), &api.RevokeCertificateRequest{Serial: cert.GetSerial()})
	e.check(err)
	if err := ends(); status.Code(err) != codes.Unauthenticated || time.Since(begun) > 5*time.Second {
		t.Errorf("a stream whose certificate was revoked ends with %v after %s", err, time.Since(begun))
	}
	if err := whoami(t.Context(), ann); status.Code(err) != codes.Unauthenticated {
		t.Errorf("a call on a connection that is open: %v", err)
	}
	if err := whoami(t.Context(), e.dial(config)); status.Code(err) != codes.Unavailable {
		t.Errorf("a connection that is new: %v", err)
	}
	soon := time.Now().Add(2 * time.Second)
	p, err := e.authority().Client("bob", []string{auth.Organization("viewer")}, soon.Add(-auth.ClientLife), rand.Reader)
	e.check(err)
	if err := e.watching(e.dial(e.with(p)))(); status.Code(err) != codes.Unauthenticated || time.Now().Before(soon.Truncate(time.Second)) {
		t.Errorf("a stream whose certificate expires ends with %v", err)
	}
}

func TestTheAuthorityIsFollowedByTheNext(t *testing.T) {
	t.Parallel()
	e := newEntrance(t, nil)
	admin := e.admin()
	access := api.NewAccessServiceClient(admin)
	before := e.authority()
	config, _ := e.issue(admin, "ann", "viewer")
	ann := e.dial(config)
	watched := e.watching(ann)
	step := func(s api.RotationStep) []byte {
		t.Helper()
		m, err := access.RotateAuthority(t.Context(), &api.RotateAuthorityRequest{Step: s})
		e.check(err)
		return m.GetPem()
	}
	if _, err := access.RotateAuthority(t.Context(), &api.RotateAuthorityRequest{Step: api.RotationStep_ROTATION_STEP_SWITCH}); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("a switch to nothing: %v", err)
	}
	both := step(api.RotationStep_ROTATION_STEP_PREPARE)
	if got := bytes.Count(both, []byte("BEGIN CERTIFICATE")); got != 2 {
		t.Errorf("%d authorities are trusted", got)
	}
	config.RootCAs = x509.NewCertPool()
	config.RootCAs.AppendCertsFromPEM(both)
	step(api.RotationStep_ROTATION_STEP_SWITCH)
	if e.authority().Certificate().Equal(before.Certificate()) {
		t.Error("the old authority signs")
	}
	e.check(whoami(t.Context(), e.dial(config))) // the old certificate, towards the new one of the controller
	request, key, err := auth.Request(rand.Reader)
	e.check(err)
	m, err := api.NewAccessServiceClient(ann).RenewCertificate(t.Context(), &api.RenewCertificateRequest{Request: request})
	e.check(err)
	renewed := e.with(auth.Pair{Certificate: m.GetPem(), Key: key})
	e.check(whoami(t.Context(), e.dial(renewed)))
	step(api.RotationStep_ROTATION_STEP_FINISH)
	e.check(whoami(t.Context(), e.dial(renewed)))
	if err := whoami(t.Context(), e.dial(config)); status.Code(err) != codes.Unavailable {
		t.Errorf("a certificate of the authority from before: %v", err)
	}
	e.check(whoami(t.Context(), ann)) // which was connected all the time
	_, err = access.RevokeCertificate(t.Context(), &api.RevokeCertificateRequest{Name: "ann"})
	e.check(err)
	if err := watched(); status.Code(err) != codes.Unauthenticated {
		t.Errorf("the stream that was there all the time ends with %v", err)
	}
	if _, err := access.RenewCertificate(t.Context(), &api.RenewCertificateRequest{Request: request}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("what was not issued to be renewed: %v", err)
	}
}

func TestCertificatesAreReadAgain(t *testing.T) {
	t.Parallel()
	e := newEntrance(t, nil)
	serial := func() string {
		conn, err := tls.Dial("tcp", e.at, e.certificate(e.authority(), "ann", nil, time.Now()))
		e.check(err)
		defer conn.Close()
		return auth.SerialOf(conn.ConnectionState().PeerCertificates[0])
	}
	admin := e.admin()
	e.check(whoami(t.Context(), admin))
	before := serial()
	made, err := e.authority().Server([]string{"127.0.0.1", "loom.example.net"}, time.Now(), rand.Reader)
	e.check(err)
	e.check(replaceFile(filepath.Join(e.s.dir, "pki", "server.pem"), made.Certificate)) // its key comes later, as with a copy
	until(t, "what does not fit is told", func() bool { return strings.Contains(e.log.String(), "not read again") })
	if got := serial(); got != before {
		t.Error("what does not fit was taken")
	}
	e.check(replaceFile(filepath.Join(e.s.dir, "pki", "server.key"), made.Key))
	block, _ := pem.Decode(made.Certificate)
	cert, err := x509.ParseCertificate(block.Bytes)
	e.check(err)
	until(t, "the new certificate is shown", func() bool { return serial() == auth.SerialOf(cert) })
	e.check(whoami(t.Context(), admin))
	old, err := e.authority().Server([]string{"127.0.0.1", "loom.example.net"}, time.Now().Add(-auth.ServerLife+time.Hour), rand.Reader)
	e.check(err)
	e.check(e.s.book.keys.write("server", old))
	until(t, "one that is due is made anew", func() bool { s := serial(); return s != auth.SerialOf(cert) && s != before })
}

func TestBreakingTheGlassIsLoudAndEnds(t *testing.T) {
	t.Parallel()
	e := newEntrance(t, nil)
	admin := e.admin()
	config, _ := e.issue(admin, "ann", "break-glass")
	ann := e.dial(config)
	mine, theirs := api.NewAccessServiceClient(ann), api.NewAccessServiceClient(admin)
	findings := func() int {
		m, err := api.NewEventServiceClient(admin).ListFindings(t.Context(), &api.ListFindingsRequest{Kinds: []string{"break-glass"}})
		e.check(err)
		return len(m.GetFindings())
	}
	asks := func() codes.Code {
		_, err := mine.ListBindings(t.Context(), &api.ListBindingsRequest{})
		return status.Code(err)
	}
	if got := asks(); got != codes.PermissionDenied {
		t.Errorf("before: %s", got)
	}
	if _, err := theirs.BreakGlass(t.Context(), &api.BreakGlassRequest{Reason: "fire"}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("who has not that role: %v", err)
	}
	if _, err := mine.BreakGlass(t.Context(), &api.BreakGlassRequest{}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("without saying why: %v", err)
	}
	m, err := mine.BreakGlass(t.Context(), &api.BreakGlassRequest{Reason: "bj burns"})
	e.check(err)
	if got := asks(); got != codes.OK {
		t.Errorf("with it: %s", got)
	}
	if log := e.log.String(); !strings.Contains(log, "level=WARN msg=\"a broken glass was used\" by=ann method=/loom.v1.AccessService/ListBindings") || !strings.Contains(log, "bj burns") {
		t.Errorf("the log says %s", log)
	}
	if findings() != 1 {
		t.Error("no finding")
	}
	events, err := api.NewEventServiceClient(admin).ListEvents(t.Context(), &api.ListEventsRequest{Kinds: []string{"access"}})
	e.check(err)
	if !slices.ContainsFunc(events.GetEvents(), func(x *api.Event) bool { return strings.Contains(x.GetMessage(), "bj burns") && x.GetBy() == "ann" }) {
		t.Error("no event")
	}
	_, err = mine.EndBreakGlass(t.Context(), &api.EndBreakGlassRequest{Id: m.GetBinding().GetId()})
	e.check(err)
	if got := asks(); got != codes.PermissionDenied || findings() != 0 {
		t.Errorf("after: %s, %d findings", got, findings())
	}
	_, err = e.s.book.Break(t.Context(), auth.Identity{Kind: auth.Certificate, Name: "ann"}, auth.Scope{}, "again", time.Second)
	e.check(err)
	if got := asks(); got != codes.OK {
		t.Errorf("again: %s", got)
	}
	until(t, "it is over by itself", func() bool { return asks() == codes.PermissionDenied && findings() == 0 })
}

func TestFourEyesOnAPlan(t *testing.T) {
	t.Parallel()
	e := newEntrance(t, nil)
	e.s.fourEyes = controller.FourEyes{"renumber"}
	tiny := read(t, "topologies/tiny.yaml")
	put := func(by, text string) {
		config, _ := e.issue(e.admin(), by, "planner")
		_, err := api.NewIntentServiceClient(e.dial(config)).PutTopology(t.Context(), &api.PutTopologyRequest{Files: []*api.File{{Name: "tiny.yaml", Data: []byte(text)}}})
		e.check(err)
	}
	put("ann", tiny)
	p := &controller.Planned{ID: "plan-1", Topology: "tiny", Revision: 1, By: "bob", Hash: "h", Plan: &plan.Plan{Topology: "tiny", Risks: []plan.Risk{{Class: plan.Renumber}}}}
	e.check(e.s.describe(p))
	e.check(e.s.putPlan(t.Context(), store.Tx{}, p, "planned"))
	_, err := api.NewAccessServiceClient(e.admin()).PutBinding(t.Context(), &api.PutBindingRequest{Binding: &api.Binding{Subject: "eve", Role: "approver"}})
	e.check(err)
	approve := func(by, hash string, classes ...string) error {
		config, _ := e.issue(e.admin(), by, "approver")
		_, err := api.NewPlanServiceClient(e.dial(config)).ApprovePlan(t.Context(), &api.ApprovePlanRequest{Id: "plan-1", Hash: hash, Classes: classes})
		return err
	}
	for _, author := range []string{"ann", "bob"} { // who wrote the revision, and who asked for the plan
		if err := approve(author, "h", "renumber"); status.Code(err) != codes.PermissionDenied || !strings.Contains(err.Error(), "certificate:eve") {
			t.Errorf("%s approves its own: %v, want a denial that says who may", author, err)
		}
	}
	e.check(approve("bob", "h", "many-devices")) // which takes nobody else
	if err := approve("eve", "of another plan", "renumber"); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("an approval of another plan: %v", err)
	}
	e.check(approve("eve", "h", "renumber"))
}

// tokens is an OpenID Connect issuer, over HTTPS.
type tokens struct {
	*httptest.Server
	t    *testing.T
	mu   sync.Mutex
	keys map[string]*ecdsa.PrivateKey
	asks int
}

func newTokens(t *testing.T) (*tokens, *issuer) {
	t.Helper()
	o := &tokens{t: t, keys: map[string]*ecdsa.PrivateKey{}}
	o.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		defer o.mu.Unlock()
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": o.URL, "jwks_uri": o.URL + "/keys"})
		case "/keys":
			o.asks++
			var set jose.JSONWebKeySet
			for id, k := range o.keys {
				set.Keys = append(set.Keys, jose.JSONWebKey{Key: &k.PublicKey, KeyID: id, Algorithm: "ES256", Use: "sig"})
			}
			_ = json.NewEncoder(w).Encode(set)
		}
	}))
	t.Cleanup(o.Close)
	ca := filepath.Join(t.TempDir(), "issuer.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: o.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	i, err := (&oidcFlags{issuer: o.URL, audience: "loom", ca: ca, groups: "groups"}).open()
	if err != nil {
		t.Fatal(err)
	}
	return o, i
}

// rotate has one key alone.
func (o *tokens) rotate(id string) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		o.t.Fatal(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keys = map[string]*ecdsa.PrivateKey{id: k}
}

func (o *tokens) token(id string, until time.Time) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: o.keys[id], KeyID: id}}, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(map[string]any{"iss": o.URL, "aud": "loom", "sub": "7", "groups": []string{"netops"}, "exp": until.Unix()}).Serialize()
	if err != nil {
		o.t.Fatal(err)
	}
	return text
}

func TestTokensOfAnIssuer(t *testing.T) {
	t.Parallel()
	o, i := newTokens(t)
	var clock sync.Mutex
	ahead := time.Duration(0)
	i.now = func() time.Time {
		clock.Lock()
		defer clock.Unlock()
		return time.Now().Add(ahead)
	}
	later := func() {
		clock.Lock()
		defer clock.Unlock()
		ahead += keysAgain
	}
	o.rotate("one")
	e := newEntrance(t, i)
	admin := e.admin()
	_, err := api.NewAccessServiceClient(admin).PutBinding(t.Context(), &api.PutBindingRequest{Binding: &api.Binding{Subject: "group:netops", Role: "viewer"}})
	e.check(err)
	anonymous := &tls.Config{RootCAs: e.authority().Pool()}
	by := func(token string) *client {
		file := filepath.Join(t.TempDir(), "token")
		e.check(os.WriteFile(file, []byte(token+"\n"), 0o600))
		return e.dial(anonymous, grpc.WithPerRPCCredentials(tokenFile(file)))
	}
	hour := time.Now().Add(time.Hour)
	first := by(o.token("one", hour))
	m, err := api.NewAccessServiceClient(first).WhoAmI(t.Context(), &api.WhoAmIRequest{})
	if err != nil || m.GetName() != "oidc:7" || m.GetCredential() != "token" || len(m.GetBindings()) != 1 {
		t.Errorf("%v, %v", m, err)
	}
	if err := whoami(t.Context(), e.dial(anonymous)); status.Code(err) != codes.Unauthenticated {
		t.Errorf("with neither a certificate nor a token: %v", err)
	}
	if _, err := api.NewAccessServiceClient(first).ListBindings(t.Context(), &api.ListBindingsRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("what its role does not allow: %v", err)
	}
	twice := e.certificate(e.authority(), "ann", nil, time.Now())
	file := filepath.Join(t.TempDir(), "token")
	e.check(os.WriteFile(file, []byte(o.token("one", hour)), 0o600))
	if err := whoami(t.Context(), e.dial(twice, grpc.WithPerRPCCredentials(tokenFile(file)))); status.Code(err) != codes.Unauthenticated {
		t.Errorf("with both: %v", err)
	}
	expires := time.Now().Add(-auth.Skew + 3*time.Second)
	if err := e.watching(by(o.token("one", expires)))(); status.Code(err) != codes.Unauthenticated {
		t.Errorf("a stream whose token expires ends with %v", err)
	}
	overREST(e, anonymous, o.token("one", hour))
	later()
	o.rotate("two")
	e.check(whoami(t.Context(), first)) // the key is not asked for again before its time
	e.check(whoami(t.Context(), by(o.token("two", hour))))
	if err := whoami(t.Context(), first); status.Code(err) != codes.Unauthenticated {
		t.Errorf("with a key that was taken back: %v", err)
	}
	asked := o.asks
	for range 5 {
		if err := whoami(t.Context(), first); status.Code(err) != codes.Unauthenticated {
			t.Error(err)
		}
	}
	if o.asks != asked {
		t.Errorf("whoever sends strange tokens has the issuer asked %d times", o.asks-asked)
	}
}

// overREST calls with a token, with a strange one, and with none.
func overREST(e *entrance, config *tls.Config, token string) {
	e.Helper()
	web := &http.Client{Transport: &http.Transport{TLSClientConfig: config.Clone()}, Timeout: time.Minute}
	defer web.CloseIdleConnections()
	for header, want := range map[string]int{"Bearer " + token: 200, "Bearer x": 401, "": 401} {
		q, err := http.NewRequestWithContext(e.Context(), http.MethodGet, "https://"+e.rest+"/v1/access/me", nil)
		e.check(err)
		if header != "" {
			q.Header.Set("Authorization", header)
		}
		r, err := web.Do(q)
		e.check(err)
		data, err := io.ReadAll(r.Body)
		e.check(errors.Join(err, r.Body.Close()))
		if r.StatusCode != want || want == 200 && !strings.Contains(string(data), `"oidc:7"`) {
			e.Errorf("%.10s: %d: %s", header, r.StatusCode, data)
		}
	}
}
