package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/spf13/cobra"
)

// storeFlags say where what must survive is kept.
type storeFlags struct {
	dir           string
	etcd          []string
	ca, cert, key string
	wait          time.Duration
	committed     func(took time.Duration, err error) // told of each transaction of the store; nil: nobody is
}

func addStoreFlags(c *cobra.Command) *storeFlags {
	f := &storeFlags{}
	c.Flags().StringVar(&f.dir, "data", "", "`DIR` for journal and locks (default: $LOOM_DATA, or else .loom beside the topology)")
	c.Flags().StringSliceVar(&f.etcd, "etcd", nil, "`URL`s of an etcd cluster instead, shared by all who change this fabric")
	c.Flags().StringVar(&f.ca, "etcd-ca", "", "`FILE` with the authority of the cluster's certificates")
	c.Flags().StringVar(&f.cert, "etcd-cert", "", "`FILE` with our certificate towards the cluster")
	c.Flags().StringVar(&f.key, "etcd-key", "", "`FILE` with its key")
	c.Flags().DurationVar(&f.wait, "wait", 0, "wait so long for somebody else who changes the same fabric (default: do not wait)")
	return f
}

// keeper is what a command that changes devices holds on to: the store, and the lock on its fabric.
type keeper struct {
	store    *store.Store
	lease    *store.Lease
	topology string
	flags    string   // that name the store to another command, with a space before them
	control  *control // nil for a store that others can open too
	bounds   bounds
	marks    marks                     // zero for a store that others can open too
	sets     *setBook                  // nil: nobody audits
	audits   func() (*auditLog, error) // who takes what the book has written into the log when it is closed; nil: somebody else
}

// dataDir is where the journal of a topology is, unless told otherwise.
func dataDir(srcs []topology.Source) string {
	if dir := os.Getenv("LOOM_DATA"); dir != "" {
		return dir
	}
	dir := "."
	if len(srcs) > 0 {
		dir = filepath.Dir(srcs[0].Name)
	}
	return filepath.Join(dir, ".loom")
}

// open opens the store. Nothing is locked yet.
func (f *storeFlags) open(ctx context.Context, t *terminal, dir string) (*store.Store, error) {
	o := tunedStore(store.Options{Owner: whoAmI(), Wait: f.wait > 0, Committed: f.committed})
	if len(f.etcd) > 0 {
		o.Endpoints = f.etcd
		var err error
		if o.TLS, err = f.tls(); err != nil {
			return nil, fmt.Errorf("--etcd: %w", err)
		}
	} else {
		o.Dir = f.storeDir(dir)
	}
	ctx, cancel := context.WithTimeout(ctx, max(f.wait, openTimeout))
	defer cancel()
	s, err := store.Open(ctx, o)
	if err != nil {
		return nil, f.advise(err)
	}
	for _, notice := range s.Notices() {
		t.notef("%s\n", notice)
	}
	return s, nil
}

// openTimeout is how long a store may take to open: an election, or the way to a cluster.
const openTimeout = 10 * time.Second

// advise says what to do about a store that does not open.
func (f *storeFlags) advise(err error) error {
	switch {
	case len(f.etcd) > 0:
		return fmt.Errorf("--etcd %s: %w; name the client URLs of a cluster that answers, such as https://host:2379, and with --etcd-ca, --etcd-cert, --etcd-key what it takes to be let in", strings.Join(f.etcd, ","), err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; use --data DIR, or $LOOM_DATA, for a directory that you may write", err)
	}
	return err
}

// tls is how to reach a cluster: as its URLs say. A plain one is for loopback and tests.
func (f *storeFlags) tls() (*tls.Config, error) {
	if (f.cert == "") != (f.key == "") {
		return nil, errors.New("--etcd-cert and --etcd-key belong together; give both")
	}
	secure := false
	for _, e := range f.etcd {
		u, err := url.Parse(e)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("%q is no URL; write https://host:2379", e)
		}
		secure = secure || u.Scheme == "https"
	}
	if !secure {
		if f.ca != "" || f.cert != "" {
			return nil, fmt.Errorf("certificates are for https, and %s is not; write https://host:2379", strings.Join(f.etcd, ","))
		}
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS13}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no PEM certificate", f.ca)
		}
	}
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// keep opens the store and takes the lock on a fabric.
func (f *storeFlags) keep(ctx context.Context, t *terminal, dir, topology string) (*keeper, error) {
	s, err := f.openAfterReaders(ctx, t, dir)
	if err != nil {
		return nil, held(err, topology)
	}
	wait, cancel := context.WithTimeout(ctx, max(f.wait, 10*time.Second))
	defer cancel()
	b := boundsOf(s)
	lease, err := s.Hold(wait, "fabric/"+topology, store.Holder{Who: whoAmI(), Wait: f.wait > 0, TTL: b.Lease})
	if err != nil {
		return nil, errors.Join(held(err, topology), s.Close())
	}
	k := &keeper{store: s, lease: lease, topology: topology, flags: f.flags(dir), bounds: b}
	if !s.Shared() {
		k.marks = f.marks(dir)
		if k.control, err = openControl(f.storeDir(dir), s); err != nil {
			return nil, errors.Join(err, k.close())
		}
	}
	k.audited(newAuditWriter(s, whoAmI()))
	k.audits = func() (*auditLog, error) { return auditLogOf(s, filepath.Dir(f.storeDir(dir))) }
	return k, nil
}

// audited has the audit log tell of every Set to the devices of the fabric.
func (k *keeper) audited(w *auditWriter) {
	k.sets = &setBook{auditWriter: w, topology: k.topology, check: k.check}
}

// check tells whether the lock on the fabric is held.
func (k *keeper) check(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, k.bounds.Patience)
	defer cancel()
	return k.lease.Check(wait)
}

// openAfterReaders opens the store, and waits a moment for commands that only look into it.
func (f *storeFlags) openAfterReaders(ctx context.Context, t *terminal, dir string) (*store.Store, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for tries := 0; ; tries++ {
		s, err := f.open(ctx, t, dir)
		h := (*store.HeldError)(nil)
		if err == nil || tries == 30 || !errors.As(err, &h) || !looks(h.By) {
			return s, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// looks tells whether somebody, as whoAmI says it, only reads.
func looks(who string) bool {
	for _, command := range []string{"transactions", "plan", "check"} {
		if strings.HasSuffix(who, " loom "+command) {
			return true
		}
	}
	return false
}

// flags name the store to another command that is started in the same directory.
func (f *storeFlags) flags(dir string) string {
	switch dir = filepath.Dir(f.storeDir(dir)); {
	case len(f.etcd) > 0:
		out := " --etcd " + strings.Join(f.etcd, ",")
		for _, file := range []struct{ flag, name string }{{"ca", f.ca}, {"cert", f.cert}, {"key", f.key}} {
			if file.name != "" {
				out += " --etcd-" + file.flag + " " + file.name
			}
		}
		return out
	case dir == filepath.Clean(dataDir(nil)):
		return ""
	}
	return " --data " + dir
}

// held says what to do about somebody else who is at work.
func held(err error, topology string) error {
	if h := (*store.HeldError)(nil); errors.As(err, &h) {
		return fmt.Errorf("%s: somebody else changes this fabric: %w\nuse --wait DURATION to wait for it", topology, err)
	}
	return err
}

func (k *keeper) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var err error
	if k.control != nil {
		err = k.control.close()
	}
	err = errors.Join(err, k.sets.closes(k.audits))
	return errors.Join(err, k.lease.Release(ctx), k.store.Close())
}

// whoAmI is what others see who want the same: user@host, process and command.
func whoAmI() string {
	name, host := os.Getenv("USER"), "localhost"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	command := "loom"
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		command += " " + os.Args[1]
	}
	return fmt.Sprintf("%s@%s pid %d %s", name, host, os.Getpid(), command)
}
