package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// fleet is a simulated network whose devices run what Loom renders for them.
type fleet struct {
	watched
	n *network
}

// newFleet starts the devices of an example topology.
func newFleet(t *testing.T, file, bgp string) *fleet {
	t.Helper()
	return fleetOf(t, filepath.Join("..", "..", "topologies", file), bgp)
}

// fleetOf starts the devices of a topology.
func fleetOf(t *testing.T, file, bgp string) *fleet {
	t.Helper()
	return fleetWith(t, file, simulation{bgp: bgp, hosts: 2})
}

// fleetWith starts the devices of a topology as told.
func fleetWith(t testing.TB, file string, how simulation) *fleet {
	t.Helper()
	srcs, err := sources([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{}
	if f.n, err = compileNetwork(&terminal{out: io.Discard, err: io.Discard}, srcs, nil); err != nil {
		t.Fatal(err)
	}
	f.design, f.wiring = f.n.design, wiring(f.n.design, how.hosts)
	if f.sim, err = how.start(t.Context(), f.n.design); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.sim.Close)
	return f
}

// configure gives every device its intended configuration, as an operator at the box would.
func (f *fleet) configure(t *testing.T) {
	t.Helper()
	f.configureSome(t, sortedKeys(f.n.trees)...)
}

// configureSome gives some devices their intended configuration.
func (f *fleet) configureSome(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		tree := f.n.trees[name]
		val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: tree.AppendJSON(nil, false)}}
		if err := f.sim.Device(name).Apply(&gnmi.SetRequest{Update: []*gnmi.Update{{Path: &gnmi.Path{}, Val: val}}}); err != nil {
			t.Fatal(err)
		}
	}
}

// hand changes a leaf of a device as an operator at the box would.
func (f *fleet) hand(t *testing.T, name, path, json string) {
	t.Helper()
	val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(json)}}
	if err := f.sim.Device(name).Apply(&gnmi.SetRequest{Replace: []*gnmi.Update{{Path: mustPath(path).GNMI(), Val: val}}}); err != nil {
		t.Fatal(err)
	}
}

// passing are leaves that depend on when and how something came about, not on what it came to.
var passing = []string{
	"last-change", "last-established", "established-transitions", "last-event", "last-state", "last-update", "first-message",
	"current-datetime", "last-booted", "local-port", "remote-port", "received-end-of-rib", "latest-value",
	"oper-state-last-changed", "last-oper-change", "oper-state-change-count", "up-time", "current-time",
	"last-state-transition", "last-app-update", "add-time", "last-failure-time", "failure-transitions", "last-notification-time",
}

// differences are the state leaves in which two fleets differ, passing ones and counters left out. Speakers remember
// NOTIFICATIONs of sessions that are over; what is computed has the last one of those that cannot come up only.
func differences(live, computed *fleet, large bool) []string {
	var out []string
	for _, d := range live.sim.Devices() {
		one, _ := d.View(large)
		other, _ := computed.sim.Device(d.Name()).View(large)
		for _, c := range config.Diff(one, other) {
			path := c.At.String()
			if slices.Contains(passing, c.At[len(c.At)-1].Name) || strings.Contains(path, "/statistics") || strings.Contains(path, "/traffic-rate") {
				continue
			}
			if !c.To.Valid() && (strings.Contains(path, "/sent-messages") || strings.Contains(path, "/received-messages")) {
				continue
			}
			if c.From.Valid() && c.To.Valid() {
				out = append(out, fmt.Sprintf("%s: %s: %s, %s", d.Name(), path, c.From.Value(), c.To.Value()))
			} else {
				out = append(out, fmt.Sprintf("%s: %s: only one has it (first: %v)", d.Name(), path, c.From.Valid()))
			}
		}
	}
	return out
}

func TestComputedNetworksComeUp(t *testing.T) {
	t.Parallel()
	for _, file := range smallTopologies(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			comesUp(t, file)
		})
	}
}

func comesUp(t *testing.T, file string) {
	t.Helper()
	f := newFleet(t, file, bgpComputed)
	f.configure(t)
	if err := f.until(t.Context(), time.Minute, f.incomplete); err != nil {
		t.Fatal(err)
	}
}

// exampleTopologies are the files and folders that the project shows.
func exampleTopologies(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join("..", "..", "topologies", "*"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no topologies: %v", err)
	}
	for i := range all {
		all[i] = filepath.Base(all[i])
	}
	return all
}

// smallTopologies are those of at most 4 devices: the race detector makes GoBGP take ten times as long. What it sees of
// small networks is the same code; the large ones run without it, in large_test.go.
func smallTopologies(t *testing.T) []string { return topologiesThat(t, isSmall) }

func isSmall(devices int) bool { return devices <= 4 }

// topologiesThat are the example topologies whose number of devices passes a test.
func topologiesThat(t *testing.T, fits func(devices int) bool) []string {
	t.Helper()
	var out []string
	for _, file := range exampleTopologies(t) {
		srcs, err := sources([]string{filepath.Join("..", "..", "topologies", file)})
		if err != nil {
			t.Fatal(err)
		}
		n, err := compileNetwork(&terminal{out: io.Discard, err: io.Discard}, srcs, nil)
		if err != nil {
			t.Fatal(err)
		}
		if fits(len(n.design.Devices)) {
			out = append(out, file)
		}
	}
	if len(out) == 0 {
		t.Fatal("no topology is of this size")
	}
	return out
}

// liveTime is how long speakers may take on a busy machine.
const liveTime = 3 * time.Minute

// Both ways of running BGP show the same, on every topology: each is a check of the other.
func TestSpeakersAndComputationAgree(t *testing.T) {
	for _, file := range smallTopologies(t) {
		t.Run(file, func(t *testing.T) { speakersAndComputationAgree(t, file) })
	}
}

func speakersAndComputationAgree(t *testing.T, file string) {
	t.Helper()
	live, computed := newFleet(t, file, bgpLive), newFleet(t, file, bgpComputed)
	live.configure(t)
	computed.configure(t)
	if err := computed.sim.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := live.until(t.Context(), liveTime, live.incomplete); err != nil {
		t.Fatal(err)
	}
	live.agrees(t, computed)
}

// agrees waits until a fleet of speakers shows what a computed one does.
func (f *fleet) agrees(t *testing.T, computed *fleet) {
	t.Helper()
	if err := computed.sim.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, large := range []bool{false, true} { // large tables take long to compare: when the rest is there
		differ := func() string { return strings.Join(differences(f, computed, large), "\n") }
		if err := f.until(t.Context(), liveTime, differ); err != nil {
			t.Fatal(err)
		}
	}
}
