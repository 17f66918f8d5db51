package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
)

// keys are the certificates of a controller, in a directory that only its user reads:
//
//	ca.pem ca.key              the authority that signs, and behind it those that are trusted beside it
//	next.pem next.key          the authority that is to sign next; mostly there is none
//	server.pem server.key      the controller's
//	admin.pem admin.key        its administrator's
//
// They are looked at again twice a second: what is put there counts for the next who calls, and what is due is made anew.
type keys struct {
	dir    string
	names  []string // of the controller, in its certificate
	admits admits

	mu      sync.Mutex // of the directory
	files   map[string][]byte
	current atomic.Pointer[keyring]
}

// keyring is what was read of them together.
type keyring struct {
	authority *auth.Authority
	tls       *tls.Config // of the controller, towards who calls
}

// admits is what decides about certificates beside their authority.
type admits struct {
	tokens  bool                      // who has a token needs no certificate
	revoked func(auth.Identity) error // nil: nobody is
}

// openKeys reads the certificates of a directory, and makes those that there are not, and those that are due.
func openKeys(dir string, names []string, a admits, now time.Time) (*keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	k := &keys{dir: dir, names: names, admits: a}
	return k, k.load(now)
}

// authority is the one that signs now.
func (k *keys) authority() *auth.Authority { return k.current.Load().authority }

// load reads the directory.
func (k *keys) load(now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.read(now)
}

func (k *keys) read(now time.Time) error {
	authority, err := k.readAuthority(now)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(k.dir, "ca.pem"), err)
	}
	server, err := k.keep(authority, "server", now, func(c *x509.Certificate) bool { return hasNames(c, k.names) }, func() (auth.Pair, error) {
		return authority.Server(k.names, now, rand.Reader)
	})
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(server.Certificate, server.Key)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(k.dir, "server.pem"), err)
	}
	if _, err = k.keep(authority, "admin", now, k.notRevoked, func() (auth.Pair, error) {
		return authority.Client("admin", []string{auth.Admin}, now, rand.Reader)
	}); err != nil {
		return err
	}
	k.current.Store(&keyring{authority, k.config(authority, pair)})
	k.files, err = k.look()
	return err
}

// readAuthority reads the authority, or makes one. A step from one to the next that was not finished is finished.
func (k *keys) readAuthority(now time.Time) (*auth.Authority, error) {
	ca, err := k.pair("ca")
	if errors.Is(err, fs.ErrNotExist) {
		made, err := auth.NewAuthority("loom "+filepath.Base(k.dir), now, rand.Reader)
		if err != nil {
			return nil, err
		}
		return made, k.write("ca", made.Pair())
	}
	if err != nil {
		return nil, err
	}
	out, err := auth.ReadAuthority(ca)
	next, e := k.nextAuthority()
	switch {
	case e != nil || next == nil:
		return out, errors.Join(err, e)
	case err == nil && out.Certificate().Equal(next.Certificate()):
		return out, k.drop("next")
	case err == nil:
		return out, nil
	}
	switched, e := auth.ReadAuthority(auth.Pair{Certificate: ca.Certificate, Key: next.Pair().Key})
	if e != nil {
		return nil, err
	}
	return switched, errors.Join(k.write("ca", switched.Pair()), k.drop("next"))
}

func (k *keys) notRevoked(c *x509.Certificate) bool {
	who, err := auth.IdentityOf(c)
	return err == nil && (k.admits.revoked == nil || k.admits.revoked(who) == nil)
}

// keep reads a certificate, or makes it anew where there is none, it is due, another authority has signed it, or it is not fit.
func (k *keys) keep(authority *auth.Authority, name string, now time.Time, fit func(*x509.Certificate) bool, make func() (auth.Pair, error)) (auth.Pair, error) {
	p, err := k.pair(name)
	if err == nil {
		var pair tls.Certificate
		pair, err = tls.X509KeyPair(p.Certificate, p.Key)
		if err == nil && authority.Signed(pair.Leaf) && !auth.Due(pair.Leaf, now) && fit(pair.Leaf) {
			return p, nil
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return p, fmt.Errorf("%s: %w; take it away, and it is made anew", filepath.Join(k.dir, name+".pem"), err)
	}
	if p, err = make(); err != nil {
		return p, err
	}
	return p, k.write(name, p)
}

func hasNames(c *x509.Certificate, names []string) bool {
	return !slices.ContainsFunc(names, func(n string) bool { return c.VerifyHostname(n) != nil })
}

func (k *keys) pair(name string) (auth.Pair, error) {
	cert, err := os.ReadFile(filepath.Join(k.dir, name+".pem"))
	if err != nil {
		return auth.Pair{}, err
	}
	key, err := os.ReadFile(filepath.Join(k.dir, name+".key"))
	return auth.Pair{Certificate: cert, Key: key}, err
}

// write writes the key first: a certificate without a key is of no use, and a key without one is made anew.
func (k *keys) write(name string, p auth.Pair) error {
	if err := replaceFile(filepath.Join(k.dir, name+".key"), p.Key); err != nil {
		return err
	}
	return replaceFile(filepath.Join(k.dir, name+".pem"), p.Certificate)
}

func (k *keys) drop(name string) error {
	return errors.Join(os.Remove(filepath.Join(k.dir, name+".pem")), os.Remove(filepath.Join(k.dir, name+".key")))
}

// replaceFile writes a file that only its owner reads, whole or not at all.
func replaceFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// looksAgain is how often the directory is looked at.
const looksAgain = 500 * time.Millisecond

// follow takes over what is put into the directory, and renews what is due, until ctx ends. What is wrong with it is told once, and
// changes nothing.
func (k *keys) follow(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(looksAgain)
	defer tick.Stop()
	told := ""
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		err := k.again(time.Now())
		if err == nil {
			told = ""
		} else if err.Error() != told {
			told = err.Error()
			log.Error("certificates were not read again; those from before are used", "error", err)
		}
	}
}

// again reads the directory where something is different, or due.
func (k *keys) again(now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	files, err := k.look()
	if err != nil {
		return err
	}
	same := true
	for name, data := range files {
		same = same && bytes.Equal(data, k.files[name])
	}
	if own := k.current.Load().tls.Certificates[0].Leaf; same && !auth.Due(own, now) && !k.adminDue(files, now) {
		return nil
	}
	return k.read(now)
}

func (k *keys) adminDue(files map[string][]byte, now time.Time) bool {
	pair, err := tls.X509KeyPair(files["admin.pem"], files["admin.key"])
	return err != nil || auth.Due(pair.Leaf, now) || !k.notRevoked(pair.Leaf)
}

// look is what is in the files.
func (k *keys) look() (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, name := range []string{"ca", "server", "admin"} {
		for _, end := range []string{".pem", ".key"} {
			data, err := os.ReadFile(filepath.Join(k.dir, name+end))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			out[name+end] = data
		}
	}
	return out, nil
}

// server is TLS as callers meet it, with what is in the directory when they come.
func (k *keys) server() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return k.current.Load().tls, nil },
	}
}

// config has both sides show a certificate, with TLS 1.3 alone. Where tokens are taken who calls may have one instead: the call shows it.
func (k *keys) config(authority *auth.Authority, own tls.Certificate) *tls.Config {
	c := &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Pool(), Certificates: []tls.Certificate{own},
		NextProtos:             []string{"h2", "http/1.1"},
		SessionTicketsDisabled: true, // who was let in before is looked at again
	}
	if k.admits.tokens {
		c.ClientAuth = tls.VerifyClientCertIfGiven
	}
	c.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.VerifiedChains) == 0 || k.admits.revoked == nil {
			return nil
		}
		who, err := auth.IdentityOf(s.VerifiedChains[0][0])
		if err != nil {
			return err
		}
		return k.admits.revoked(who)
	}
	return c
}

// rotate takes a step from one authority to the next.
func (k *keys) rotate(step int, now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	ca := k.authority()
	next, err := k.nextAuthority()
	if err != nil {
		return err
	}
	switch step {
	case 1:
		if next == nil {
			if next, err = auth.NewAuthority("loom "+filepath.Base(k.dir), now, rand.Reader); err != nil {
				return err
			}
			if err := k.write("next", next.Pair()); err != nil {
				return err
			}
		}
		err = k.write("ca", ca.Trusting(next).Pair())
	case 2:
		if next == nil {
			return fmt.Errorf("%w: there is no next authority; prepare first", controller.ErrNotNow)
		}
		// Who finds the certificate without its key takes that of the next one.
		to := next.Trusting(ca).Pair()
		err = replaceFile(filepath.Join(k.dir, "ca.pem"), to.Certificate)
		if err == nil {
			err = k.write("ca", to)
		}
		if err == nil {
			err = k.drop("next")
		}
	case 3:
		if next != nil {
			return fmt.Errorf("%w: the next authority was prepared, and does not sign yet; switch first", controller.ErrNotNow)
		}
		err = k.write("ca", ca.Trusting().Pair())
	default:
		return fmt.Errorf("%w: step: use PREPARE, SWITCH or FINISH", controller.ErrInvalid)
	}
	if err != nil {
		return err
	}
	return k.read(now)
}

// nextAuthority is the one that was prepared; nil: none was.
func (k *keys) nextAuthority() (*auth.Authority, error) {
	p, err := k.pair("next")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a, err := auth.ReadAuthority(p)
	if err != nil {
		err = fmt.Errorf("%s: %w; take it away, and prepare again", filepath.Join(k.dir, "next.pem"), err)
	}
	return a, err
}

// introduce writes down, where the command line finds it, how the administrator calls the controller.
func (k *keys) introduce(grpc net.Addr, rest net.Listener) (string, error) {
	dir, err := filepath.Abs(k.dir)
	if err != nil {
		return "", err
	}
	c := callContext{
		Name: filepath.Base(filepath.Dir(dir)), Server: callable(grpc),
		CA: filepath.Join(dir, "ca.pem"), Cert: filepath.Join(dir, "admin.pem"), Key: filepath.Join(dir, "admin.key"),
	}
	if rest != nil {
		c.REST = callable(rest.Addr())
	}
	all, err := readContexts()
	if err != nil {
		return "", err
	}
	return c.Name, all.put(c)
}

// callable is an address as it is called on this host.
func callable(a net.Addr) string {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil || !at.Addr().IsUnspecified() {
		return a.String()
	}
	return net.JoinHostPort("localhost", strconv.Itoa(int(at.Port())))
}
