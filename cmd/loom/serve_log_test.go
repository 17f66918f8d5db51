package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loomfabric/loom/models/api"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestLogFlags(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		flags logFlags
		want  string // what stands there; empty: nothing
		wrong string
	}{
		{"text is for people", logFlags{"text", "info"}, "loom: gRPC at [::1]:1\ntime=T level=INFO msg=hello device=leaf1\n", ""},
		{"json is one object on each line, what people are told included", logFlags{"json", "info"}, `{"time":"T","level":"INFO","msg":"gRPC at [::1]:1"}` + "\n" + `{"time":"T","level":"INFO","msg":"hello","device":"leaf1"}` + "\n", ""},
		{"what is worth less is left out", logFlags{"json", "warn"}, "", ""},
		{"a format that there is not", logFlags{"xml", "info"}, "", `--log-format "xml": use text or json`},
		{"a level that there is not", logFlags{"text", "loud"}, "", `--log-level "loud": use debug, info, warn or error`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			log, beside, err := tc.flags.open(&terminal{err: &out})
			if tc.wrong != "" {
				if err == nil || err.Error() != tc.wrong {
					t.Errorf("error %v, want %s", err, tc.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			beside.notef("loom: gRPC at ")
			beside.notef("[::1]:1\n")
			log.Info("hello", "device", "leaf1")
			if got := withoutTimes(out.String()); got != tc.want {
				t.Errorf("got\n%s, want\n%s", got, tc.want)
			}
		})
	}
}

// withoutTimes has T instead of the times of lines.
func withoutTimes(log string) string {
	var out strings.Builder
	for line := range strings.Lines(log) {
		for _, at := range []struct{ before, behind string }{{`{"time":"`, `"`}, {"time=", " "}} {
			if rest, ok := strings.CutPrefix(line, at.before); ok {
				line = at.before + "T" + rest[strings.Index(rest, at.behind):]
			}
		}
		out.WriteString(line)
	}
	return out.String()
}

func TestWhyAControllerHasEndedIsInItsLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := logged(&terminal{err: &out}, &serveOptions{log: &logFlags{"json", "error"}}, func(*slog.Logger, *terminal) error { return errors.New("no room") })
	if e := (exit{}); !errors.As(err, &e) || e.code != exitError || e.err != nil {
		t.Errorf("it ends with %#v", err)
	}
	if got, want := withoutTimes(out.String()), `{"time":"T","level":"ERROR","msg":"the controller has ended","error":"no room"}`+"\n"; got != want {
		t.Errorf("logged is %s, want %s", got, want)
	}
}

// What a controller logs says what it is about, and no value of a device. Its profiles are for administrators, where they are asked for.
func TestLogAndProfiles(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	const canary = "canary-in-a-mine"
	c.box("leaf1", map[string]string{"/system/name/host-name": canary})
	c.logs(map[string]any{"level": "WARN", "msg": "device is drifted", "topology": "pair", "device": "leaf1", "drifts": 1.0})
	plans := api.NewPlanServiceClient(c.there)
	made, err := plans.CreatePlan(t.Context(), &api.CreatePlanRequest{Topology: c.f.name})
	c.check(err)
	applied, err := plans.ApplyPlan(t.Context(), &api.ApplyPlanRequest{Id: made.GetPlan().GetId(), Hash: made.GetPlan().GetHash(), Gate: durationpb.New(0)})
	c.check(err)
	first, err := applied.Recv()
	for c.check(err); err == nil; {
		_, err = applied.Recv()
	}
	c.logs(map[string]any{"level": "INFO", "msg": "transaction begun", "topology": "pair", "transaction": first.GetTransaction(), "by": "admin", "devices": 1.0})
	c.logs(map[string]any{"level": "INFO", "msg": "transaction done", "topology": "pair", "transaction": first.GetTransaction()})
	c.logs(map[string]any{"level": "INFO", "msg": "device is in sync", "topology": "pair", "device": "leaf1", "drifts": 0.0})
	if strings.Contains(c.logged.String(), canary) {
		t.Errorf("a value of a device is in the log:\n%s", c.logged.String())
	}

	pages := httptest.NewUnstartedServer(c.s.pages(http.NotFoundHandler()))
	pages.TLS = c.s.book.keys.server()
	pages.StartTLS()
	t.Cleanup(pages.Close)
	heap := pages.URL + profilesAt + "heap?debug=1"
	if _, code := c.get(t, heap, "root", "admin"); code != http.StatusNotFound {
		t.Errorf("without --pprof: status %d", code)
	}
	c.s.profiled = true
	if _, code := c.get(t, heap, "ann", "operator"); code != http.StatusForbidden {
		t.Errorf("an operator: status %d", code)
	}
	if text, code := c.get(t, heap, "root", "admin"); code != http.StatusOK || !strings.HasPrefix(text, "heap profile: ") {
		t.Errorf("an administrator: status %d, %.100s", code, text)
	}
}

// logs waits for a line with some attributes.
func (c *served) logs(want map[string]any) {
	c.Helper()
	c.until(func() string { return "no such line in the log:\n" + c.logged.String() }, func() bool {
		for line := range strings.Lines(c.logged.String()) {
			var has map[string]any
			c.check(json.Unmarshal([]byte(line), &has))
			fits := true
			for k, v := range want {
				fits = fits && has[k] == v
			}
			if fits {
				return true
			}
		}
		return false
	})
}
