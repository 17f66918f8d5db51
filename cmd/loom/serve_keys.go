package main

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/loomfabric/loom/pkg/auth"
)

// keys are the certificates of a controller, in a directory that only its user reads:
//
//	ca.pem ca.key              the authority that all of them trust
//	server.pem server.key      the controller's
//	admin.pem admin.key        its administrator's
type keys struct {
	dir       string
	authority *auth.Authority
	current   atomic.Pointer[tls.Certificate] // the controller's
}

// openKeys reads the certificates of a directory, and makes those that there are not, and those that are due.
func openKeys(dir string, names []string, now time.Time) (*keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	k := &keys{dir: dir}
	ca, err := k.read("ca")
	switch {
	case err == nil:
		k.authority, err = auth.ReadAuthority(ca)
	case errors.Is(err, fs.ErrNotExist):
		if k.authority, err = auth.NewAuthority("loom "+filepath.Base(dir), now, rand.Reader); err == nil {
			err = k.write("ca", k.authority.Pair())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, "ca.pem"), err)
	}
	server, err := k.keep("server", now, func(c *x509.Certificate) bool { return hasNames(c, names) }, func() (auth.Pair, error) {
		return k.authority.Server(names, now, rand.Reader)
	})
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(server.Certificate, server.Key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, "server.pem"), err)
	}
	k.current.Store(&pair)
	_, err = k.keep("admin", now, nil, func() (auth.Pair, error) {
		return k.authority.Client("admin", []string{auth.Admin}, now, rand.Reader)
	})
	return k, err
}

// keep reads a certificate, or makes it anew where there is none, it is due, another authority has signed it, or it is not fit.
func (k *keys) keep(name string, now time.Time, fit func(*x509.Certificate) bool, make func() (auth.Pair, error)) (auth.Pair, error) {
	p, err := k.read(name)
	if err == nil {
		var pair tls.Certificate
		pair, err = tls.X509KeyPair(p.Certificate, p.Key)
		if err == nil && k.authority.Signed(pair.Leaf) && !auth.Due(pair.Leaf, now) && (fit == nil || fit(pair.Leaf)) {
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

func (k *keys) read(name string) (auth.Pair, error) {
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

// server is TLS as callers meet it: both sides show a certificate, TLS 1.3 alone.
func (k *keys) server() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: k.authority.Pool(),
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.current.Load(), nil },
	}
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
