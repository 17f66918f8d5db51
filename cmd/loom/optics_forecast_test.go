//go:build !race

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/verify"
)

// A fibre of the simulator gets worse by half a dB a day, and what is read scatters. What is forecast after some days comes true; a line that only gets older,
// as it was planned to, is no forecast.
func TestAForecastComesTrue(t *testing.T) {
	t.Parallel()
	n := compiled(t, litTopology)
	begin := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	clock := sim.NewManualClock(begin)
	c := simulation{bgp: bgpComputed, noise: 7}.config(n.design, nil)
	c.Clock = clock
	f := &fleet{n: n}
	f.design = n.design
	var err error
	if f.sim, err = sim.Start(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.sim.Close)
	f.configure(t)
	o, x := f.observer(t), verify.NewIndex(n.design)
	o.now = clock.Now
	margins := func() map[string]optics.DB {
		t.Helper()
		if err := f.sim.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		return x.Margins(o.observe(t.Context(), []string{"bj-gateway1", "sh-gateway1"}))
	}
	var h verify.History
	watch := func(looks int, every time.Duration) {
		for range looks {
			h = h.Add(clock.Now(), margins())
			clock.Advance(every)
		}
	}
	watch(16, 12*time.Hour)
	if got := messages(x.Forecast(h)); len(got) > 0 {
		t.Fatalf("of a line that is well: %q", got)
	}
	fault, err := sim.ParseFault("fibre-loss", "north1", map[string]string{"loss": "15", "delay": "720h"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.sim.Inject(fault); err != nil {
		t.Fatal(err)
	}
	h = verify.History{}
	watch(16, 12*time.Hour)
	got := x.Forecast(h)
	if len(got) != 2 || got[0].Object != "bj-sh/2" || got[1].Object != "bj-sh/3" {
		t.Fatalf("%q", messages(got))
	}
	lasted := 0 // days
	var said []string
	for m := margins()["bj-sh/2"]; m > 0 && lasted < 30; m = margins()["bj-sh/2"] { // a channel that is down has none
		said = append(said, x.Forecast(h)[0].Message)
		watch(2, 12*time.Hour)
		lasted++
	}
	for day, text := range said {
		var left float64
		if _, err := fmt.Sscanf(text, "margin of bj-sh/2 reaches zero in %f days", &left); err != nil {
			left = 1 // "23 hours"
		}
		if off := left - float64(lasted-day); off < -2 || off > 2 {
			t.Errorf("%d days before the margin is used up: %s", lasted-day, text)
		}
	}
	if lasted < 3 || lasted == 30 {
		t.Errorf("it lasted %d days", lasted)
	}
}

// A job of CI looks once: 0 all is well, 2 something is wrong, 1 it could not tell. What it proposes runs as it is printed, and each look adds to the
// margins that are kept.
func TestALookIsAnsweredByItsExitCodeAndWhatItProposesRuns(t *testing.T) {
	t.Parallel()
	f := litFleet(t, bgpComputed)
	if err := f.until(t.Context(), time.Minute, f.incomplete); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	topo, inventory := filepath.Join(dir, "lit.yaml"), filepath.Join(dir, "of the lab.json")
	text, err := os.ReadFile(litTopology)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{topo: text, inventory: f.sim.Inventory().JSON()} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	once := []string{"optics", "watch", topo, "--inventory", inventory, "--once"}
	if code, out, errs := runHere(t.Context(), once...); code != exitOK || out != "" {
		t.Fatalf("of a healthy network: %d, %s%s", code, out, errs)
	}
	if code, _, errs := runHere(t.Context(), append(once, "--for", "1m")...); code != exitError || !strings.Contains(errs, "use one of them") {
		t.Errorf("with --for: %d, %s", code, errs)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if code, _, errs := runHere(ended, once...); code != exitError || !strings.Contains(errs, "before all devices were read") {
		t.Errorf("interrupted before it has seen anything: %d, %s", code, errs)
	}
	fault, err := sim.ParseFault("fibre-cut", "river", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.sim.Inject(fault); err != nil {
		t.Fatal(err)
	}
	if err := f.sim.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	code, out, errs := runHere(t.Context(), append(once, "--format", "json")...)
	if code != exitChanges {
		t.Fatalf("with a duct cut: %d, %s%s", code, out, errs)
	}
	var commands, events []string
	for line := range strings.Lines(out) {
		var e lightEvent
		if err := json.Unmarshal([]byte(line), &struct {
			Event   *string
			Command *string
		}{&e.Event, &e.Command}); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if events = append(events, e.Event); e.Command != "" {
			commands = strings.Split(e.Command, " && ")
		}
	}
	if got := strings.Join(events, " "); got != "found proposal margins" || len(commands) != 2 {
		t.Fatalf("events %s, commands %q", got, commands)
	}
	if code, out, errs := runHere(t.Context(), asShell(commands[0])...); code != exitOK || !strings.Contains(out, "bj-sh/1 goes over long instead of dark") {
		t.Errorf("%s: %d, %s%s", commands[0], code, out, errs)
	}
	// It is asked of somebody whether light may go out, and nobody is there: by then all devices were reached.
	if code, out, errs := runHere(t.Context(), asShell(commands[1])...); code != exitError || !strings.Contains(out, "4 devices to change") || !strings.Contains(errs, "not approved: ") {
		t.Errorf("%s: %d, %s%s", commands[1], code, out, errs)
	}
	kept := &keptMargins{name: filepath.Join(dir, ".loom", "margins-lit.json")}
	h, err := kept.read(f.design, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range h.Series() {
		if want := map[string]int{"bj-sh/1": 1, "bj-sh/2": 2}[s.Channel]; want > 0 && len(s.Samples) != want {
			t.Errorf("%s: %d margins are kept", s.Channel, len(s.Samples))
		}
	}
}
