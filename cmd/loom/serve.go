package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/api"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/replica"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

func serveCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "The controller: keeps devices as intended, and speaks gRPC and REST",
		Long: `Keeps what is intended revision by revision, follows every device by a subscription, tells of what nobody
intended, and carries plans out. All that it knows is in one directory (--data), or in an etcd cluster (--etcd).

The first start makes an authority of its own, a certificate for the controller and one for its administrator, and a
context by which other commands find it (loom context). Everybody who calls shows a certificate: there is no other way in.

Several of them on one etcd cluster are replicas: each topology falls to one of them, which the others take the place of
within seconds, and calls work on any. They need the same authority: copy pki/ca.pem and pki/ca.key from --data of the
first to that of each other one before its first start.

It stops with SIGINT or SIGTERM: a transaction under way is carried to its end, and devices keep what they have.

Every flag can be given by the environment, too (--listen as LOOM_SERVE_LISTEN), or by a file (--config) with lines
such as "listen: 127.0.0.1:9559". A flag wins over the environment, and that over the file.`,
		Example: `  loom serve --data /var/lib/loom
  loom serve --data ./state --inventory sim.json
  loom serve --etcd https://etcd1:2379,https://etcd2:2379 --etcd-ca ca.pem --etcd-cert loom.pem --etcd-key loom.key
  loom serve --data /var/lib/loom --listen :9559 --advertise loom2.example.net:9559 --etcd https://etcd1:2379 --etcd-ca ca.pem`,
		Args: cobra.NoArgs,
	}
	o := &serveOptions{access: accessFlags(c), store: addStoreFlags(c), oidc: addOIDCFlags(c), log: addLogFlags(c)}
	c.Flags().StringVar(&o.listen, "listen", "127.0.0.1:9559", "`ADDRESS` for gRPC: host:port, :port for every address")
	c.Flags().StringVar(&o.rest, "rest", "", "`ADDRESS` for REST, as --listen, or none (default: that of --listen with the next port)")
	c.Flags().StringSliceVar(&o.names, "name", nil, "`NAMES` and addresses under which callers find it, for its certificate (default: those of --listen and of this host)")
	c.Flags().StringVar(&o.replica, "replica", "", "`NAME` of this process among those on one etcd cluster (default: as it was in --data, or a new one)")
	c.Flags().StringVar(&o.advertise, "advertise", "", "`ADDRESS` at which the other replicas reach this one (default: that of --listen, or this host's name)")
	c.Flags().BoolVar(&o.acceptOld, "accept-old-store", false, "change devices though the store is older than what was done to them, as one restored from a backup is; for one start")
	c.Flags().IntVar(&o.parallel, "parallel", 16, "devices of a wave that are changed at the same time")
	c.Flags().IntVar(&o.unattended, "unattended", 20, "devices of a topology within an hour whose drift is taken back where the policy is to enforce, at most; a quarter of them at once")
	c.Flags().DurationVar(&o.grace, "grace", defaultGrace, "how long a device may not answer before that is a finding")
	c.Flags().IntVar(&o.retention.Newest, "plans", controller.DefaultRetention.Newest, "plans that are kept, the newest; none goes within its first hour")
	c.Flags().DurationVar(&o.retention.For, "plans-for", controller.DefaultRetention.For, "how long a plan is kept")
	c.Flags().StringVar(&o.checkpoints, "audit-checkpoints", "", "`FILE` or directory elsewhere to which signed checkpoints of the audit log are added")
	c.Flags().StringSliceVar(&o.fourEyes, "four-eyes", nil, "`CLASSES` of risks that somebody else has to approve than who wants the change; all for every class")
	c.Flags().BoolVar(&o.profiled, "pprof", false, "profiles of the process at /debug/pprof/ of REST, for administrators")
	c.Flags().StringVar(&o.config, "config", "", "`FILE` with settings, a flag's name and its value on each line")
	c.PreRunE = func(cmd *cobra.Command, _ []string) error { return settle(cmd, o.config) }
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return logged(t, o, func(log *slog.Logger, t *terminal) error { return serve(cmd.Context(), t, log, o) })
	}
	return c
}

type serveOptions struct {
	access   *access
	store    *storeFlags
	oidc     *oidcFlags
	fourEyes []string
	log      *logFlags
	profiled bool
	listen   string
	rest     string
	names    []string
	parallel int

	replica, advertise string
	acceptOld          bool
	grace              time.Duration
	config             string

	checkpoints string // second place of those of the audit log

	unattended int
	retention  controller.Retention
}

// serving is the controller as a process.
type serving struct {
	ctx        context.Context // of all that follows devices
	stopping   context.Context // done when the controller stops: streams that have no end are ended
	dir        string          // data directory
	log        *slog.Logger
	store      *store.Store
	storeFlags *storeFlags
	control    *control
	marks      marks
	access     *access
	parallel   int
	unattended int // devices within an hour whose drift is taken back without people, at most
	retention  controller.Retention
	grace      time.Duration // a device that does not answer for so long is a finding
	intents    *controller.Intents
	compiled   compilations
	audit      *auditing // nil: nobody audits
	replicas   *replicas // nil: the store is this process's alone
	name       string    // among replicas; empty: it is alone
	acting     sync.Mutex
	old        error // the store is older than what was done to devices, and nothing is changed on them; nil: it is not
	followers  followers
	collectors collectors
	book       *accessBook // who may do what
	measures   *measures
	fourEyes   controller.FourEyes
	profiled   bool // profiles of the process are shown to administrators

	mu      sync.Mutex
	fabrics map[string]*fabricRun
	without map[string]error         // topologies that could not be taken into care, and why
	tries   map[string]int           // how often it was tried
	told    chan struct{}            // closed when one of these two changes; nil: nobody waits
	minded  map[string]chan struct{} // topologies that somebody looks after; a nudge has it look now
	minders sync.WaitGroup
	health  []*health.Server // of each server that tells of it

	asking  map[string]chan struct{} // keys of requests that somebody is at; closed when that is over
	page    pageOfEvents
	written int // events since the oldest were forgotten
	wake    chan struct{}
}

// serve is the whole of `loom serve`.
func serve(ctx context.Context, t *terminal, log *slog.Logger, o *serveOptions) (err error) {
	if err := checkRetention(o.retention); err != nil {
		return err
	}
	if _, err := o.access.read(); err != nil { // it is read anew for each topology; who mistypes it is told now
		return err
	}
	dir := dataDir(nil)
	if o.store.dir != "" {
		dir = o.store.dir
	}
	if err := checkFourEyes(o.fourEyes); err != nil {
		return err
	}
	s := &serving{
		dir: dir, fourEyes: o.fourEyes, access: o.access, parallel: o.parallel, grace: o.grace, unattended: o.unattended, retention: o.retention, storeFlags: o.store, fabrics: map[string]*fabricRun{}, without: map[string]error{}, tries: map[string]int{}, minded: map[string]chan struct{}{},
		wake: make(chan struct{}, 1), log: log, profiled: o.profiled,
	}
	s.measures = newMeasures(s)
	o.store.committed = s.measures.committed
	if s.store, err = o.store.open(ctx, t, dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	if !s.store.Shared() {
		s.marks = o.store.marks(dir)
		if s.control, err = openControl(o.store.storeDir(dir), s.store); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.control.close()) }()
	}
	if s.store.Shared() {
		if s.name, err = nameReplica(dir, o.replica); err != nil {
			return err
		}
	}
	if err := s.checkAge(ctx, o.acceptOld); err != nil {
		return err
	}
	if err := s.openAudit(o.checkpoints); err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	s.intents = &controller.Intents{Ledger: &intentLedger{s.store}, Check: s.compiled.check, Now: time.Now, Allow: api.AllowWrite}
	if s.book, err = openAccess(ctx, s.store, s.log); err != nil {
		return err
	}
	stopping, endStreams := context.WithCancel(context.Background())
	defer endStreams()
	s.stopping = stopping
	door, err := s.openDoor(o)
	if err != nil {
		return err
	}
	defer func() { _ = door.close() }() // servers have closed what they listen at
	if s.store.Shared() {
		if s.replicas, err = openReplicas(ctx, s, s.book.keys, replica.Member{Name: s.name, Address: door.advertised, Version: version, Since: time.Now().UTC()}); err != nil {
			return err
		}
		t.notef("loom: replica %s, which others reach at %s\n", s.name, door.advertised)
	}
	rest, err := s.openREST(door)
	if err != nil {
		return err
	}
	followed, cancel := context.WithCancel(api.Itself(context.Background()))
	var all sync.WaitGroup
	s.ctx = followed
	writing, stopWriting := context.WithCancel(context.Background())
	var writer sync.WaitGroup
	writer.Go(func() { s.write(writing) })
	writer.Go(func() { s.audit.run(writing, s) })
	defer func() {
		cancel()
		all.Wait()
		s.minders.Wait()
		s.stopFabrics()
		stopWriting()
		writer.Wait()
	}()
	s.followers.began = time.Now()
	all.Go(func() { s.book.follow(followed) })
	all.Go(func() { s.book.sweep(followed) })
	all.Go(func() { s.book.keys.follow(followed, s.log) })
	if s.replicas != nil {
		all.Go(func() { s.replicas.run(followed) })
	}
	all.Go(func() { s.care(followed) })
	all.Go(func() { s.forgetOld(followed) })
	all.Go(func() { s.followSources(followed) })
	server := door.server(s)
	failed := make(chan error, 2)
	all.Go(func() { failed <- server.Serve(door.listener) })
	t.notef("loom: gRPC at %s\n", door.listener.Addr())
	if rest != nil {
		all.Go(func() { failed <- rest.serve() })
		t.notef("loom: REST at %s\n", rest.listener.Addr())
	}
	t.notef("loom: context %s: loom context use %[1]s\n", door.context)
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	endStreams()
	var servers sync.WaitGroup
	if rest != nil {
		servers.Go(rest.stop)
	}
	stopServer(server)
	servers.Wait()
	return err
}

// patience is how long calls may take to end when the controller stops.
const patience = 5 * time.Second

// stopServer lets calls end, but not for ever.
func stopServer(s *grpc.Server) {
	done := make(chan struct{})
	go func() {
		s.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		s.Stop()
		<-done
	}
}

// care takes every topology into care that there is, and follows what becomes of it.
func (s *serving) care(ctx context.Context) {
	for ctx.Err() == nil {
		heads, revision, err := s.heads(ctx)
		if err == nil {
			for _, h := range heads {
				s.mind(h.Topology)
			}
			err = s.watchHeads(ctx, revision+1)
		}
		if ctx.Err() == nil {
			s.log.Error("what is intended could not be followed; trying again", "error", err)
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
	}
}

func (s *serving) heads(ctx context.Context) ([]controller.Revision, int64, error) {
	records, revision, err := s.store.List(ctx, headKey(""))
	if err != nil {
		return nil, 0, err
	}
	out := make([]controller.Revision, len(records))
	for i, r := range records {
		if err := unpack(r.Value, &out[i]); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", r.Key, err)
		}
	}
	return out, revision, nil
}

func (s *serving) watchHeads(ctx context.Context, from int64) error {
	for c := range s.store.Watch(ctx, headKey(""), from) {
		if c.Err != nil {
			return c.Err
		}
		for _, r := range c.Put {
			var h controller.Revision
			if err := unpack(r.Value, &h); err != nil {
				return fmt.Errorf("%s: %w", r.Key, err)
			}
			s.mind(h.Topology)
		}
	}
	return ctx.Err()
}

// mind has somebody look after a topology: one for each, as what holds one up is no concern of the others.
func (s *serving) mind(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	nudge := s.minded[name]
	if nudge == nil {
		nudge = make(chan struct{}, 1)
		s.minded[name] = nudge
		s.minders.Go(func() { s.lookAfter(s.ctx, name, nudge) })
	}
	select {
	case nudge <- struct{}{}:
	default: // it will look anyway
	}
}

// Between two attempts to look after a topology that fails.
const (
	soon   = time.Second
	seldom = time.Minute
)

// lookAfter follows what is intended of a topology, and tries again what fails.
func (s *serving) lookAfter(ctx context.Context, name string, nudge <-chan struct{}) {
	wait := soon
	var again <-chan time.Time
	for {
		select {
		case <-nudge:
		case <-again:
		case <-s.lost(name):
		case <-ctx.Done():
			return
		}
		again = nil
		if !s.letGo(name) {
			again = time.After(soon)
			continue
		}
		head, ok, err := s.intents.Ledger.Head(ctx, name)
		if err == nil && ok {
			err = s.careFor(ctx, head)
		}
		if err == nil {
			wait = soon
			continue
		}
		if ctx.Err() != nil {
			return
		}
		again, wait = time.After(wait), min(2*wait, seldom)
	}
}

// errNotYet is why nothing can be done with a topology that is being taken into care.
var errNotYet = errors.New("it is being taken into care: its devices are reached next, unless somebody else holds the lock on its fabric")

// careFor has the devices of a topology be as its newest revision intends.
func (s *serving) careFor(ctx context.Context, head *controller.Intent) (err error) {
	name := head.Topology
	s.mu.Lock()
	f, was := s.fabrics[name], s.without[name]
	if f == nil && was == nil && !head.Deleted {
		s.without[name] = errNotYet
	}
	s.mu.Unlock()
	switch {
	case head.Deleted && f != nil:
		err, f = errors.Join(f.stop(), s.forgetFindings(ctx, name)), nil
	case head.Deleted:
		err = s.forgetFindings(ctx, name)
	case f != nil:
		err = f.follow(ctx, head)
	case s.replicas.mine(name):
		f, err = s.takeOn(ctx, name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.tell()
	s.tries[name]++
	delete(s.without, name)
	if f == nil {
		delete(s.fabrics, name)
	} else {
		s.fabrics[name] = f
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	s.without[name] = err
	if was == nil || was == errNotYet || was.Error() != err.Error() { // told once
		s.log.Error("not followed", "topology", name, "error", err)
		s.note(controller.Event{Kind: controller.ControllerEvent, Topology: name, Message: "not followed: " + err.Error()})
	}
	return err
}

// tell wakes who waits for a topology to be in care. s.mu is held.
func (s *serving) tell() {
	if s.told != nil {
		close(s.told)
		s.told = nil
	}
}

// inCare is a topology in care. One that was put is so a moment later: that is waited for, with patience.
func (s *serving) inCare(ctx context.Context, name string) (*fabricRun, error) {
	limit := time.After(patience)
	for {
		news := s.replicas.news()
		s.mu.Lock()
		if s.told == nil {
			s.told = make(chan struct{})
		}
		told, why := s.told, s.without[name]
		s.mu.Unlock()
		f, err := s.fabric(name)
		if err == nil || why != nil && why != errNotYet || errors.As(err, new(*controller.ElsewhereError)) {
			return f, err
		}
		if _, none := s.intents.Head(ctx, name); none != nil {
			return nil, none
		}
		select {
		case <-told:
		case <-news:
		case <-limit:
			if errors.Is(err, controller.ErrMoving) {
				return nil, err
			}
			return nil, fmt.Errorf("%s: %w: %w", name, controller.ErrNotNow, errNotYet)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *serving) stopFabrics() {
	for _, f := range s.fabrics {
		if err := f.stop(); err != nil {
			s.log.Error("stopping", "topology", f.name, "error", err)
		}
	}
}

// door is how callers come in.
type door struct {
	listener net.Listener
	rest     net.Listener // nil: REST is not spoken
	tls      *tls.Config
	context  string

	advertised string // at which the other replicas reach it; empty: it is alone
}

// openDoor makes certificates where there are none yet, and listens.
func (s *serving) openDoor(o *serveOptions) (*door, error) {
	host, _, err := net.SplitHostPort(o.listen)
	if err != nil {
		return nil, fmt.Errorf("--listen %s: %w; use host:port, or :port", o.listen, err)
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w; use another port, or end what has this one", err)
	}
	d := &door{listener: l}
	if d.rest, err = listenREST(o.rest, o.listen); err != nil {
		return nil, errors.Join(err, d.close())
	}
	if s.book.oidc, err = o.oidc.open(); err != nil {
		return nil, errors.Join(err, d.close())
	}
	names := certificateNames(o.names, host)
	if s.store.Shared() {
		if d.advertised, err = advertised(o.advertise, l.Addr()); err != nil {
			return nil, errors.Join(err, d.close())
		}
		names = withName(names, d.advertised)
	}
	k, err := openKeys(filepath.Join(s.dir, "pki"), names, admits{s.book.oidc != nil, s.book.isRevoked}, time.Now())
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	s.book.keys = k
	d.tls = k.server()
	if d.context, err = k.introduce(l.Addr(), d.rest); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func (d *door) close() error {
	err := d.listener.Close()
	if d.rest != nil {
		err = errors.Join(err, d.rest.Close())
	}
	return err
}

// Limits towards callers.
const (
	mostMessage = 64 << 20 // bytes: a topology of 32 MiB and what is around it
	mostHeaders = 64 << 10
	mostStreams = 256 // of one connection
)

// server is the gRPC server that callers reach.
func (d *door) server(s *serving) *grpc.Server {
	return s.services(grpc.Creds(credentials.NewTLS(d.tls)), grpc.MaxHeaderListSize(mostHeaders), grpc.MaxConcurrentStreams(mostStreams))
}

// services is a gRPC server with everything on it.
func (s *serving) services(more ...grpc.ServerOption) *grpc.Server {
	guard := api.Guard(func(method, stack string) { s.log.Error("a call went wrong", "method", method, "stack", stack) })
	services := &api.Server{Intents: s.intents, Operations: s, Access: s.book, Audit: s.audit}
	// What rights are about another replica may have to say, and so a call is passed on before it is looked at what its caller may do: there
	// that is looked at, too.
	options := slices.Concat(s.measures.ofCalls(), more, guard, api.Unknown(s.audit), api.Authenticate(s.book), api.Audit(s.audit), guard,
		[]grpc.ServerOption{api.Ending(s.stopping), grpc.MaxRecvMsgSize(mostMessage)}, api.Relay(s.replicas), services.Authorize())
	g := grpc.NewServer(options...)
	services.Register(g)
	(&api.Collectors{Observed: observed{s}}).Register(g)
	h := health.NewServer()
	h.SetServingStatus("", grpc_health_v1.HealthCheckResponse_SERVING)
	grpc_health_v1.RegisterHealthServer(g, h)
	reflection.Register(g)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health = append(s.health, h)
	return g
}

// healthy tells whoever asks for the health of the controller whether it serves.
func (s *serving) healthy(is bool) {
	status := grpc_health_v1.HealthCheckResponse_SERVING
	if !is {
		status = grpc_health_v1.HealthCheckResponse_NOT_SERVING
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.health {
		h.SetServingStatus("", status)
	}
}

// certificateNames are under what callers find the controller.
func certificateNames(given []string, host string) []string {
	if len(given) > 0 {
		return given
	}
	out := []string{"localhost", "127.0.0.1", "::1"}
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) && !strings.EqualFold(host, "localhost") {
		out = append([]string{host}, out...)
	}
	return out
}
