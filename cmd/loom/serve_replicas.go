package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/replica"
	"github.com/loomfabric/loom/pkg/store"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
)

// How replicas know of each other. A replica that is silent for longer than its lease is not there any more.
const (
	replicaLease = 3 * time.Second // etcd grants none that is shorter than one and a half of its election timeouts: 1.5 s by default
	replicaRetry = 500 * time.Millisecond
	replicaPulse = 100 * time.Millisecond // how often it is looked whether the store answers
)

// replicas are the processes that run on one store, as this one sees them:
//
//	lock replica/NAME      who is there, held by each of them: a replica.Member
//	lock fabric/TOPOLOGY   who looks after a topology: leading
//
// nil is that of a process that has its store for itself.
type replicas struct {
	s    *serving
	keys *keys
	self replica.Member

	mu      sync.Mutex
	lease   *store.Lease             // nil: it is not one of them now
	members []replica.Member         // by name
	leaders map[string]string        // replica by topology; empty: somebody who is none
	changed chan struct{}            // closed when one of these two changes
	away    time.Time                // since when the store does not answer; zero: it does
	peers   map[string]*otherReplica // connections with others, by name
}

// leading is what is said with the lock on a fabric.
type leading struct {
	Replica string `json:"replica"`
}

// otherReplica is a connection with another replica.
type otherReplica struct {
	*grpc.ClientConn
	address   string
	authority *auth.Authority // by which both know each other
}

// openReplicas has this process be a replica.
func openReplicas(ctx context.Context, s *serving, k *keys, self replica.Member) (*replicas, error) {
	r := &replicas{s: s, keys: k, self: self, leaders: map[string]string{}, changed: make(chan struct{}), peers: map[string]*otherReplica{}}
	wait, cancel := context.WithTimeout(ctx, 3*replicaLease) // until it is seen that an earlier process is dead
	defer cancel()
	if err := r.join(wait); err != nil {
		if h := (*store.HeldError)(nil); errors.As(err, &h) {
			return nil, fmt.Errorf("replica %s is running already: %w; give this one another --replica, and a --data of its own", self.Name, h)
		}
		return nil, fmt.Errorf("replica %s: %w", self.Name, err)
	}
	return r, nil
}

// join has this process be seen by the others.
func (r *replicas) join(ctx context.Context) error {
	says, err := json.Marshal(r.self)
	if err != nil {
		return err
	}
	l, err := r.s.store.Hold(ctx, "replica/"+r.self.Name, store.Holder{Who: whoAmI(), TTL: r.ttl(), Wait: true, Says: says})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lease = l
	return nil
}

// ttl is how long locks of replicas outlive them.
func (r *replicas) ttl() time.Duration { return min(replicaLease, boundsOf(r.s.store).Lease) }

// run follows who is there, until ctx ends.
func (r *replicas) run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { r.follow(ctx, "replica/", r.see) })
	all.Go(func() { r.follow(ctx, "fabric/", r.seeLeaders) })
	all.Go(func() { r.watchStore(ctx) })
	all.Go(func() { r.stay(ctx) })
	all.Wait()
	r.mu.Lock()
	lease, peers := r.lease, r.peers
	r.peers = map[string]*otherReplica{}
	r.mu.Unlock()
	for _, p := range peers {
		_ = p.Close() // calls that are under way are told so
	}
	if lease != nil {
		leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), replicaLease)
		defer cancel()
		if err := lease.Release(leave); err != nil {
			r.s.log.Warn("the others see later that this replica is gone", "error", err)
		}
	}
}

func (r *replicas) follow(ctx context.Context, prefix string, on func([]store.Holding)) {
	for ctx.Err() == nil {
		if err := r.s.store.FollowHolders(ctx, prefix, on); err != nil && ctx.Err() == nil {
			r.s.log.Warn("who is there could not be followed; trying again", "locks", prefix, "error", err)
		}
		select {
		case <-time.After(replicaRetry):
		case <-ctx.Done():
		}
	}
}

// stay joins again where this replica was silent for so long that the others took it for dead.
func (r *replicas) stay(ctx context.Context) {
	for {
		r.mu.Lock()
		lease := r.lease
		r.mu.Unlock()
		select {
		case <-lease.Lost():
		case <-ctx.Done():
			return
		}
		r.s.log.Warn("the other replicas took this one for dead, as it was silent for too long; joining again", "replica", r.self.Name)
		for ctx.Err() == nil {
			err := r.join(ctx)
			if err == nil {
				r.s.note(controller.Event{Kind: controller.ControllerEvent, Subject: r.self.Name, Message: "replica " + r.self.Name + " was silent for too long, and has joined again"})
				break
			}
			if ctx.Err() == nil {
				r.s.log.Error("joining again", "replica", r.self.Name, "error", err)
			}
			select {
			case <-time.After(replicaRetry):
			case <-ctx.Done():
			}
		}
	}
}

// see takes who is there.
func (r *replicas) see(all []store.Holding) {
	var members []replica.Member
	for _, h := range all {
		var m replica.Member
		if err := json.Unmarshal(h.Says, &m); err != nil || "replica/"+m.Name != h.Name {
			r.s.log.Error("a replica that says nothing of itself is passed over", "lock", h.Name, "by", h.Who)
			continue
		}
		members = append(members, m)
	}
	replica.Sort(members)
	r.mu.Lock()
	before := r.members
	r.members = members
	for name, p := range r.peers {
		if m, ok := replica.Find(members, name); !ok || m.Address != p.address {
			_ = p.Close()
			delete(r.peers, name)
		}
	}
	r.tell()
	r.mu.Unlock()
	r.s.nudgeAll()
	told := func(all, others []replica.Member, what string) {
		for _, m := range all {
			if _, ok := replica.Find(others, m.Name); !ok && m.Name != r.self.Name {
				r.s.log.Info("replica "+what, "replica", m.Name, "address", m.Address)
			}
		}
	}
	told(members, before, "joined")
	told(before, members, "left")
}

// seeLeaders takes who looks after which topology.
func (r *replicas) seeLeaders(all []store.Holding) {
	leaders := map[string]string{}
	for _, h := range all {
		var by leading
		_ = json.Unmarshal(h.Says, &by) // a command says nothing
		leaders[strings.TrimPrefix(h.Name, "fabric/")] = by.Replica
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaders = leaders
	r.tell()
}

// tell wakes who waits for something to change. r.mu is held.
func (r *replicas) tell() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// news is closed when who is there, or who looks after what, has changed; nil, and so never, for a process that is alone.
func (r *replicas) news() <-chan struct{} {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// mine tells whether a topology falls to this replica.
func (r *replicas) mine(topology string) bool {
	if r == nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return replica.Owner(topology, r.members) == r.self.Name
}

// whileMine is a context that ends when a topology falls to another replica.
func (r *replicas) whileMine(ctx context.Context, topology string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if r != nil {
		go func() {
			for {
				news := r.news()
				if !r.mine(topology) {
					cancel()
					return
				}
				select {
				case <-news:
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	return ctx, cancel
}

// elsewhere tells which other replica looks after a topology; nil: none, as far as is known.
func (r *replicas) elsewhere(topology string) error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if by := r.leaders[topology]; by != "" && by != r.self.Name {
		return &controller.ElsewhereError{Topology: topology, Replica: by}
	}
	return nil
}

// free tells whether a topology is one that replicas share and that none of them looks after, nor a command.
func (r *replicas) free(topology string) bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	by, held := r.leaders[topology]
	return !held || by != ""
}

// holder is who takes the lock on a fabric.
func (r *replicas) holder(b bounds) store.Holder {
	h := store.Holder{Who: whoAmI(), Wait: true, TTL: b.Lease}
	if r != nil {
		h.TTL = r.ttl()
		h.Says, _ = json.Marshal(leading{r.self.Name}) // of a string
	}
	return h
}

// Reach implements api.Others.
func (r *replicas) Reach(name string) (grpc.ClientConnInterface, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := replica.Find(r.members, name)
	if !ok {
		return nil, fmt.Errorf("replica %s is not there any more", name)
	}
	authority := r.keys.authority()
	if p := r.peers[name]; p != nil && p.authority == authority {
		return p, nil
	} else if p != nil {
		_ = p.Close()
	}
	creds, err := r.keys.asReplica(authority, r.self.Name, time.Now())
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(m.Address, grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(mostMessage)), grpc.WithConnectParams(peerConnect))
	if err != nil {
		return nil, fmt.Errorf("replica %s at %s: %w", name, m.Address, err)
	}
	p := &otherReplica{conn, m.Address, authority}
	r.peers[name] = p
	return p, nil
}

// Whole implements api.Others.
func (r *replicas) Whole() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away.IsZero() {
		return nil
	}
	return fmt.Errorf("%w: the store has not answered replica %s since %s, and without it nothing is changed on any device; mend the etcd cluster, or the way to it",
		controller.ErrMoving, r.self.Name, r.away.UTC().Format(time.RFC3339))
}

// watchStore tells whoever asks for the health of the controller whether its store answers, until ctx ends. Devices are followed all
// the same; that nothing is changed on them while it does not is no matter of this: see fenced.
func (r *replicas) watchStore(ctx context.Context) {
	tick := time.NewTicker(replicaPulse)
	defer tick.Stop()
	for {
		r.mu.Lock()
		lease, was := r.lease, r.away
		answers := lease.Fresh()
		switch {
		case answers:
			r.away = time.Time{}
		case was.IsZero():
			r.away = time.Now()
		}
		r.mu.Unlock()
		switch {
		case answers && !was.IsZero():
			r.s.healthy(true)
			r.s.log.Info("the store answers again", "away", time.Since(was).Round(time.Millisecond))
			r.s.note(controller.Event{Kind: controller.ControllerEvent, Subject: r.self.Name,
				Message: fmt.Sprintf("the store did not answer replica %s for %s; it changed no device meanwhile", r.self.Name, time.Since(was).Round(100*time.Millisecond))})
		case !answers && was.IsZero():
			r.s.healthy(false)
			r.s.log.Error("the store does not answer, and so nothing is changed on any device", "replica", r.self.Name)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// namesReplica is what a name may be: it is part of a key of the store.
var namesReplica = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// nameReplica is the name of the replica that has a data directory: as told, as it was, or a new one.
func nameReplica(dir, told string) (string, error) {
	file := filepath.Join(dir, "replica")
	name := told
	if name == "" {
		data, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		name = strings.TrimSpace(string(data))
	}
	if name == "" {
		host, err := os.Hostname()
		if err != nil || !namesReplica.MatchString(host) {
			host = "loom"
		}
		var b [3]byte
		_, _ = rand.Read(b[:]) // never fails
		name = host[:min(len(host), 50)] + "-" + hex.EncodeToString(b[:])
	}
	if !namesReplica.MatchString(name) {
		return "", fmt.Errorf("--replica %q: is no name; use letters, digits, dots and dashes, 63 at most", name)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return name, replaceFile(file, []byte(name+"\n"))
}

// advertised is the address at which others reach what listens at an address of this host.
func advertised(told string, at net.Addr) (string, error) {
	host, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return "", err
	}
	if told != "" {
		h, p, err := net.SplitHostPort(told)
		if err != nil || h == "" {
			return "", fmt.Errorf("--advertise %s: is no address; use host:port, as others reach this replica", told)
		}
		if p == "0" || p == "" {
			return net.JoinHostPort(h, port), nil
		}
		return told, nil
	}
	if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
		return at.String(), nil
	}
	if host, err = os.Hostname(); err != nil {
		return "", fmt.Errorf("--advertise: %w; say how others reach this replica", err)
	}
	return net.JoinHostPort(host, port), nil
}

// withName adds the name that others call to those of a certificate.
func withName(names []string, address string) []string {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "" || slices.Contains(names, host) {
		return names
	}
	return append(slices.Clone(names), host)
}

// peerConnect is how soon it is tried again to reach another replica.
var peerConnect = grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second}, MinConnectTimeout: 2 * time.Second}

// asReplica is TLS as a replica speaks it with another one: by a certificate that says that it is one, of an authority.
func (k *keys) asReplica(authority *auth.Authority, name string, now time.Time) (credentials.TransportCredentials, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, err := k.keep(authority, "replica", now, func(c *x509.Certificate) bool { return c.Subject.CommonName == name }, func() (auth.Pair, error) {
		return authority.Client(name, []string{auth.Replica}, now, rand.Reader)
	})
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(p.Certificate, p.Key)
	if err != nil {
		return nil, err
	}
	return credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: authority.Pool(), Certificates: []tls.Certificate{pair}}), nil
}

// nudgeAll has those who look after topologies look now.
func (s *serving) nudgeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, nudge := range s.minded {
		leaveWord(nudge)
	}
}

// lost is closed when the lock on the fabric of a topology in care is lost; nil: it is not in care.
func (s *serving) lost(name string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.fabrics[name]; f != nil {
		return f.keep.lease.Lost()
	}
	return nil
}

// letGo lets a topology go whose lock is lost, or that falls to another replica by now: when the transaction is over that is under way.
// It tells whether that is not to be waited for.
func (s *serving) letGo(name string) bool {
	s.mu.Lock()
	f := s.fabrics[name]
	s.mu.Unlock()
	if f == nil {
		return true
	}
	why := "another process may have it, as this one was silent for too long"
	select {
	case <-f.keep.lease.Lost():
	default:
		if s.replicas.mine(name) {
			return true
		}
		if !f.changing.TryLock() {
			return false
		}
		f.changing.Unlock()
		why = "another replica takes it on"
	}
	s.mu.Lock()
	delete(s.fabrics, name)
	s.tell()
	s.mu.Unlock()
	s.log.Info("let go", "topology", name, "why", why)
	if err := f.stop(); err != nil {
		s.log.Warn("letting go", "topology", name, "error", err)
	}
	return true
}
