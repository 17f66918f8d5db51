package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/loomfabric/loom/pkg/store"
)

// ledger is what can be read of a store by somebody who does not hold it.
type ledger interface {
	Get(ctx context.Context, key string) (store.Record, bool, error)
	List(ctx context.Context, prefix string) ([]store.Record, int64, error)
}

// control answers others who want something of the holder of a data directory, as that belongs to one process at a time.
type control struct {
	server *http.Server
	socket *socket
	shown  atomic.Pointer[look] // how the transaction stands; nil before there is one
}

// openControl serves what others may ask of the holder of a store.
func openControl(dir string, s *store.Store) (*control, error) {
	l, err := listenAt(dir)
	if err != nil {
		return nil, err
	}
	c := &control{socket: l}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /get", func(w http.ResponseWriter, r *http.Request) {
		rec, ok, err := s.Get(r.Context(), r.FormValue("key"))
		answer(w, got{rec, ok}, err)
	})
	mux.HandleFunc("GET /list", func(w http.ResponseWriter, r *http.Request) {
		list, rev, err := s.List(r.Context(), r.FormValue("prefix"))
		answer(w, listing{list, rev}, err)
	})
	mux.HandleFunc("POST /ask", func(w http.ResponseWriter, r *http.Request) {
		answer(w, nil, request(r.Context(), s, r.FormValue("id"), r.FormValue("word"), hearing))
	})
	mux.HandleFunc("GET /look", func(w http.ResponseWriter, _ *http.Request) { answer(w, c.shown.Load(), nil) })
	c.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go c.server.Serve(l)
	return c, nil
}

// close answers who has asked already, and nobody else.
func (c *control) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := os.Remove(c.socket.pointer)
	if c.server.Shutdown(ctx) != nil {
		err = errors.Join(err, c.server.Close())
	}
	return errors.Join(err, c.socket.remove())
}

// watched has others see what is shown, where they ask this process.
func (k *keeper) watched(p *progress) *progress {
	if k.control != nil {
		other := p.publish
		p.publish = func(l look) {
			k.control.shown.Store(&l)
			if other != nil {
				other(l)
			}
		}
	}
	return p
}

type got struct {
	Record store.Record
	OK     bool
}

type listing struct {
	Records  []store.Record
	Revision int64
}

func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(v) // the other side is gone
}

// remote is the store of another process, behind its socket.
type remote struct{ client *http.Client }

// dialControl finds the process that holds a data directory.
func dialControl(dir string) (*remote, error) {
	path, err := os.ReadFile(filepath.Join(dir, controlFile))
	if err != nil {
		return nil, err
	}
	socket := strings.TrimSpace(string(path))
	probe, err := net.Dial("unix", socket) // the file of a process that was killed stays
	if err != nil {
		return nil, err
	}
	_ = probe.Close()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	return &remote{&http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: 10 * time.Second}}, nil
}

func (r *remote) Get(ctx context.Context, key string) (store.Record, bool, error) {
	var g got
	err := r.call(ctx, http.MethodGet, "get", url.Values{"key": {key}}, &g)
	return g.Record, g.OK, err
}

func (r *remote) List(ctx context.Context, prefix string) ([]store.Record, int64, error) {
	var l listing
	err := r.call(ctx, http.MethodGet, "list", url.Values{"prefix": {prefix}}, &l)
	return l.Records, l.Revision, err
}

// look is how the transaction that the process carries out stands; nil where it has none.
func (r *remote) look(ctx context.Context) (*look, error) {
	var l *look
	err := r.call(ctx, http.MethodGet, "look", nil, &l)
	return l, err
}

func (r *remote) call(ctx context.Context, method, what string, v url.Values, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://loom/"+what+"?"+v.Encode(), nil)
	if err != nil {
		return err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // as much of it as there is
		return fmt.Errorf("the process that holds the store: %s", strings.TrimSpace(string(why)))
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}
