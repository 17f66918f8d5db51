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
	"time"

	"github.com/loomfabric/loom/pkg/store"
)

// ledger is what can be read of a store by somebody who does not hold it.
type ledger interface {
	Get(ctx context.Context, key string) (store.Record, bool, error)
	List(ctx context.Context, prefix string) ([]store.Record, int64, error)
}

// asker takes what people say about a transaction that is under way: "confirm" or "cancel".
type asker interface {
	ask(ctx context.Context, id, word string) error
}

// A data directory belongs to one process at a time. That process answers others on a socket in a
// directory that only its user may enter; the file control.sock in the data directory names it, because paths of
// sockets are short.
const controlFile = "control.sock"

// control is the socket.
type control struct {
	server       *http.Server
	pointer, dir string
}

// openControl serves what others may ask of the holder of a store.
func openControl(dir string, s *store.Store) (*control, error) {
	tmp, err := os.MkdirTemp("", "loom-")
	if err != nil {
		return nil, err
	}
	c := &control{pointer: filepath.Join(dir, controlFile), dir: tmp}
	socket := filepath.Join(tmp, "s")
	l, err := net.Listen("unix", socket)
	if err == nil {
		err = writePrivate(c.pointer, []byte(socket))
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(tmp))
	}
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
		answer(w, nil, (&storeAsker{s}).ask(r.Context(), r.FormValue("id"), r.FormValue("word")))
	})
	c.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go c.server.Serve(l)
	return c, nil
}

func (c *control) close() error {
	return errors.Join(c.server.Close(), os.Remove(c.pointer), os.RemoveAll(c.dir))
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

// storeAsker puts what people say where the transaction looks.
type storeAsker struct{ store *store.Store }

func (a *storeAsker) ask(ctx context.Context, id, word string) error {
	_, err := a.store.Commit(ctx, store.Tx{Put: map[string][]byte{"requests/" + id: []byte(word)}})
	return err
}

// nobody takes what people say where no process works on a transaction: it would never be heard.
type nobody struct{}

func (nobody) ask(_ context.Context, id, _ string) error {
	return fmt.Errorf("%s: %w", id, errNobody)
}

var errNobody = errors.New("it is not over, and no process works on it; loom transactions resume ends it, and so does the next loom apply")

// listen hears what people say about a transaction: each word to confirm comes out of the channel, as a
// transaction of several parts wants one for each; one to cancel ends the context.
func (j *journal) listen(ctx context.Context, id string) (context.Context, <-chan struct{}, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	watching, stop := context.WithCancel(ctx)
	release := make(chan struct{}, 1)
	go func() {
		for change := range j.store.Watch(watching, "requests/"+id, 0) {
			for _, r := range change.Put {
				switch string(r.Value) {
				case "confirm":
					select {
					case release <- struct{}{}:
					default: // said twice
					}
				case "cancel":
					cancel(errors.New("cancelled by loom transactions cancel"))
				}
			}
		}
	}()
	return ctx, release, func() { stop(); cancel(nil) }
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

func (r *remote) ask(ctx context.Context, id, word string) error {
	return r.call(ctx, http.MethodPost, "ask", url.Values{"id": {id}, "word": {word}}, nil)
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
