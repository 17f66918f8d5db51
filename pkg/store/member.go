package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// What a member takes of disk and time.
const (
	segment   = 1 << 20 // bytes of a file of the log; one more is always allocated ahead
	snapshots = 1000    // entries between snapshots, each of which lets older files of the log go
	tickMs    = 20      // an election of one member takes about one tick, once it may begin
	quota     = 2 << 30 // bytes of the database, beyond which writes are refused
	defragMB  = 4       // free space in the database from which on opening packs it
)

// The size of a log's files is a global of the library.
func init() { wal.SegmentSizeBytes = segment }

// member is an etcd server inside this process.
type member struct {
	claim *claim
	etcd  *embed.Etcd
}

// openMember claims the directory, checks the log, starts the member and waits for its election.
func (s *Store) openMember(ctx context.Context) error {
	claim, err := claimDir(ctx, s.options)
	if err != nil {
		return err
	}
	s.member = &member{claim: claim}
	s.fail.stop = s.end
	if err := s.start(ctx); err != nil {
		// The directory stays ours if the member may still write to it.
		return errors.Join(err, s.stopMember())
	}
	return nil
}

func (s *Store) start(ctx context.Context) error {
	dir := dataDir(s.options)
	notices, err := checkDir(dir)
	if err != nil {
		return err
	}
	s.notices = notices
	config := memberConfig(dir, s.options)
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(s.fail.logger())
	// On a goroutine of its own: a member that cannot start ends the goroutine.
	started := make(chan error, 1)
	go func() {
		defer s.fail.recover("the start of etcd")
		var err error
		s.member.etcd, err = embed.StartEtcd(config)
		started <- err
	}()
	select {
	case err := <-started:
		if err != nil {
			return fmt.Errorf("store: %s: %w", dir, s.fail.lately(err))
		}
	case <-s.done.Done():
		return fmt.Errorf("store: %s: %w", dir, s.fail.lately(context.Cause(s.done)))
	}
	select {
	case <-s.member.etcd.Server.ReadyNotify():
	case <-s.done.Done():
		return fmt.Errorf("store: %s: %w", dir, s.fail.lately(context.Cause(s.done)))
	case <-ctx.Done():
		return fmt.Errorf("store: %s: no election yet: %w", dir, s.fail.lately(ctx.Err()))
	}
	s.client = v3client.New(s.member.etcd.Server)
	s.beside(s.watchMember)
	if err := s.breakLocks(ctx); err != nil {
		return err
	}
	s.startCompactor(ctx)
	return nil
}

// watchMember stops the store if the member ends by itself.
func (s *Store) watchMember() {
	select {
	case <-s.member.etcd.Server.StopNotify():
		s.fail.died(s.fail.lately(errors.New("etcd ended by itself")))
	case <-s.done.Done():
	}
}

// memberConfig is a cluster of one, without a listener. etcd's wish for addresses is met by some that
// nobody dials: the port is 0.
func memberConfig(dir string, o Options) *embed.Config {
	nowhere := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	c := embed.NewConfig()
	c.Name = "loom"
	c.Dir = dir
	c.ListenPeerUrls, c.ListenClientUrls, c.ListenClientHttpUrls = nil, nil, nil
	c.AdvertisePeerUrls, c.AdvertiseClientUrls = nowhere, nowhere
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	c.TickMs, c.ElectionMs = tickMs, 5*tickMs
	c.SnapshotCount, c.SnapshotCatchUpEntries = snapshots, 1
	c.MaxSnapFiles, c.MaxWalFiles = 1, 1
	c.QuotaBackendBytes = quota
	c.BootstrapDefragThresholdMegabytes = defragMB
	c.MaxTxnOps, c.MaxRequestBytes = MaxOperations, MaxBytes
	c.UnsafeNoFsync = false
	c.EnableGRPCGateway = false
	c.BackendBatchInterval = o.batchInterval
	return c
}

// stopTime is how long a member that failed may take to end; it may hold locks of its own for ever.
const stopTime = 500 * time.Millisecond

// stopMember ends the member and gives the directory back, unless the member does not end: then
// something of it may still write, and the directory is this process's until it ends.
func (s *Store) stopMember() error {
	if s.client == nil && s.member.etcd == nil {
		if errors.Is(context.Cause(s.done), ErrStopped) {
			return nil // it died while it started
		}
		return s.member.claim.release()
	}
	ended := make(chan struct{})
	go func() {
		defer func() { _ = recover() }() // it is ending; why it had to is known
		if s.client != nil {
			_ = s.client.Close()
		}
		s.member.etcd.Close()
		close(ended)
	}()
	var late <-chan time.Time
	if errors.Is(context.Cause(s.done), ErrStopped) {
		late = time.After(stopTime)
	}
	select {
	case <-ended:
		return s.member.claim.release()
	case <-late:
		return nil
	}
}

// Close ends the store. It returns the error that stopped the store, if one did. Requests under way
// end with ErrClosed; of commits among them it is not known whether they were made.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.end(ErrClosed)
		s.starting.Lock()
		s.ending = true
		s.starting.Unlock()
		var err error
		if s.member != nil {
			err = s.stopMember()
		} else {
			err = s.client.Close()
		}
		s.running.Wait()
		if cause := context.Cause(s.done); !errors.Is(cause, ErrClosed) {
			err = errors.Join(cause, err)
		}
		s.closed = err
	})
	return s.closed
}

// openCluster reaches the user's cluster and reads once, so that a wrong address or certificate is an
// error now and not with the first commit.
func (s *Store) openCluster(ctx context.Context) error {
	s.fail.stop = func(err error) { s.end(err) }
	if err := s.options.greet(ctx); err != nil {
		return fmt.Errorf("store: etcd at %w", err)
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints:            s.options.Endpoints,
		TLS:                  s.options.TLS,
		Context:              s.done,
		DialKeepAliveTime:    10 * time.Second, // etcd's servers allow 5 s
		DialKeepAliveTimeout: 5 * time.Second,
		// A cluster that comes back is found before the leases that outlived it end.
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 500 * time.Millisecond},
			MinConnectTimeout: 5 * time.Second,
		})},
		Logger: s.fail.logger(),
	})
	if err != nil {
		return fmt.Errorf("store: %v: %w", s.options.Endpoints, err)
	}
	s.client = client
	if _, _, err := s.Get(ctx, "nothing"); err != nil {
		return errors.Join(fmt.Errorf("store: etcd is not to be read: %w", s.fail.lately(errors.Unwrap(err))), client.Close())
	}
	return nil
}
