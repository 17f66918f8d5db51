package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/verify"
)

// runHere runs loom without anybody at a terminal.
func runHere(ctx context.Context, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = run(ctx, args, &terminal{in: strings.NewReader(""), out: &o, err: &e})
	return code, o.String(), e.String()
}

// asShell are those of a command behind the name of the program, as a shell reads what quoted has written.
func asShell(command string) []string {
	var out []string
	for i, part := range strings.Split(command, "'") {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out[1:]
}

// A watch that begins anew goes on with the slope of the one before, of channels whose light takes the same way.
func TestASlopeOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	n := compiled(t, litTopology)
	begin := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	kept := &keptMargins{name: filepath.Join(t.TempDir(), "new", "margins-lit.json")}
	if h, err := kept.read(n.design, begin); err != nil || len(h.Series()) > 0 {
		t.Fatalf("of nothing: %v, %v", h.Series(), err)
	}
	var h verify.History
	for i := range 3 * 24 {
		at := begin.Add(time.Duration(i) * time.Hour)
		margin := optics.DB(4 - 0.2*at.Sub(begin).Hours()/24)
		h = h.Add(at, map[string]optics.DB{"bj-sh/2": margin, "bj-sh/3": margin})
		again, err := kept.read(n.design, at) // each look is one of a process of its own
		if err != nil {
			t.Fatal(err)
		}
		if err := kept.write(n.design, again.Add(at, map[string]optics.DB{"bj-sh/2": margin, "bj-sh/3": margin}), at, true); err != nil {
			t.Fatal(err)
		}
	}
	now := begin.Add(72 * time.Hour)
	again, err := kept.read(n.design, now)
	if err != nil {
		t.Fatal(err)
	}
	x := verify.NewIndex(n.design)
	got, want := messages(x.Forecast(again)), messages(x.Forecast(h))
	if !slices.Equal(got, want) || len(got) != 2 || !strings.HasSuffix(got[0], "at -0.20 dB a day, measured since "+begin.Local().Format("2006-01-02 15:04")) {
		t.Errorf("got %q, want %q", got, want)
	}
	c := &n.design.Channels[channelIndex(n.design, "bj-sh/2")]
	was := c.Power
	c.Power += 1 // it is another channel now
	if other, err := kept.read(n.design, now); err != nil || len(other.Series()) != 1 || other.Series()[0].Channel != "bj-sh/3" {
		t.Errorf("of a channel that was set anew: %v, %v", other.Series(), err)
	}
	c.Power = was
	if early, err := kept.read(n.design, begin.Add(90*time.Minute)); err != nil || len(early.Series()[0].Samples) != 2 {
		t.Errorf("by a clock that was set back: %v, %v", early.Series(), err)
	}
	if err := os.WriteFile(kept.name, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.read(n.design, now); err == nil || !strings.Contains(err.Error(), kept.name) {
		t.Errorf("of half a file: %v", err)
	}
}

func messages(findings []verify.Finding) []string {
	var out []string
	for i := range findings {
		out = append(out, findings[i].Message)
	}
	return out
}

// compiled is a network that nobody simulates.
func compiled(t *testing.T, file string) *network {
	t.Helper()
	srcs, err := sources([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	n, err := compileNetwork(&terminal{out: &bytes.Buffer{}, err: &bytes.Buffer{}}, srcs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
