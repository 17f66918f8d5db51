package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/topology"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// served is a fabric in care with a door: callers come in by TLS with a certificate.
type served struct {
	*cared
	there *client
}

func newServed(t *testing.T, file string) *served {
	t.Helper()
	c := newCared(t, file)
	d, there := c.door()
	server := d.server(c.s)
	go func() { _ = server.Serve(d.listener) }()
	t.Cleanup(server.Stop)
	return &served{c, there}
}

// door is one for callers, and one who calls there.
func (c *cared) door() (*door, *client) {
	c.Helper()
	k, err := openKeys(filepath.Join(c.s.dir, "pki"), []string{"127.0.0.1"}, admits{revoked: c.s.book.isRevoked}, time.Now())
	c.check(err)
	c.s.book.keys = k
	l, err := net.Listen("tcp", "127.0.0.1:0")
	c.check(err)
	in := func(name string) string { return filepath.Join(c.s.dir, "pki", name) }
	there, err := callContext{Server: l.Addr().String(), CA: in("ca.pem"), Cert: in("admin.pem"), Key: in("admin.key")}.dial()
	c.check(err)
	c.Cleanup(func() { _ = there.Close() })
	return &door{listener: l, tls: k.server()}, there
}

// list asks for all findings.
func (c *served) list() []*api.Finding {
	c.Helper()
	m, err := api.NewEventServiceClient(c.there).ListFindings(c.Context(), &api.ListFindingsRequest{})
	c.check(err)
	return m.GetFindings()
}

// roots are the IDs of what nothing explains.
func roots(all []*api.Finding) []string {
	var out []string
	for _, f := range all {
		if len(f.GetCauses()) == 0 {
			out = append(out, f.GetId())
		}
	}
	return out
}

// finds waits until just these findings are roots.
func (c *served) finds(want ...string) []*api.Finding {
	c.Helper()
	var got []*api.Finding
	c.until(func() string { return fmt.Sprintf("found %v, want roots %v", got, want) }, func() bool {
		got = c.list()
		return slices.Equal(roots(got), want)
	})
	return got
}

// again has the controller begin anew, with what is in its store.
func (c *served) again() {
	c.Helper()
	c.check(c.f.stop())
	c.takeOn()
}

// takeOn has the controller take the topology into care.
func (c *served) takeOn() {
	c.Helper()
	f, err := c.s.takeOn(c.Context(), c.f.name)
	c.check(err)
	c.s.mu.Lock()
	c.f, c.s.fabrics[f.name] = f, f
	c.s.mu.Unlock()
}

// looked waits until everything was looked at since now.
func (c *served) looked() {
	c.Helper()
	c.stand(controller.InSync, sortedKeys(c.n.trees)...)
	for _, name := range sortedKeys(c.n.trees) {
		c.until(func() string { return name + " was not observed" }, func() bool {
			_, how, _ := c.f.watch.see(name, time.Now())
			return how == controller.Seen
		})
	}
}

// history are the events of findings.
func (c *served) history() []controller.Event {
	c.Helper()
	all, _, err := c.s.Events(c.Context(), 0)
	c.check(err)
	return slices.DeleteFunc(all, func(e controller.Event) bool { return e.Kind != controller.FindingEvent })
}

// object is a cable as findings name it: the leaf first.
func object(cable string) string {
	spine, leaf, _ := strings.Cut(cable, " - ")
	return leaf + " - " + spine
}

func TestWhatIsWrongIsFoundAndIsOverWhenItIsMended(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	c.looked()
	c.finds()
	cables := c.sim.Cables()
	i := slices.IndexFunc(cables, func(cable string) bool {
		return strings.Contains(cable, "leaf1:") && strings.Contains(cable, "spine1:")
	})
	j := slices.IndexFunc(cables, func(cable string) bool {
		return strings.Contains(cable, "leaf2:") && strings.Contains(cable, "spine1:")
	})
	if i < 0 || j < 0 {
		t.Fatalf("cables are %v", cables)
	}
	since := time.Now()

	c.check(c.sim.Cut(cables[i], true))
	got := c.finds("interface-down/" + object(cables[i]))
	if f := got[0]; f.GetSince().AsTime().Before(since) || !strings.Contains(f.GetAt(), "pair.yaml:") || f.GetSeverity() != api.Severity_SEVERITY_ERROR {
		t.Errorf("got %v", f)
	}
	c.again()
	c.stand(controller.InSync, sortedKeys(c.n.trees)...)
	if after := c.finds("interface-down/" + object(cables[i])); !after[0].GetSince().AsTime().Equal(got[0].GetSince().AsTime()) {
		t.Errorf("behind a restart it is there since %v, not %v", after[0].GetSince().AsTime(), got[0].GetSince().AsTime())
	}
	c.check(c.sim.Cut(cables[i], false))
	c.finds()

	c.check(c.sim.Swap(cables[i], cables[j]))
	c.finds("cable/" + object(cables[i])) // of two that are swapped the second follows from the first
	swapped := slices.DeleteFunc(c.sim.Cables(), func(cable string) bool { return slices.Contains(cables, cable) })
	c.check(c.sim.Swap(swapped[0], swapped[1]))
	c.finds()

	c.check(c.sim.Save("leaf2"))
	c.check(c.sim.Power("leaf2", false))
	c.finds("device-unreachable/leaf2")
	c.check(c.sim.Power("leaf2", true))
	c.finds()

	leaf1 := c.design.Device("leaf1").Loopback.String()
	peer := "/network-instance[name=default]/protocols/bgp/neighbor[peer-address=" + leaf1 + "]/peer-as"
	was := c.n.trees["spine1"].Find(mustPath(peer)).Value()
	c.box("spine1", map[string]string{peer: "64999"})
	got = c.finds("drift/spine1")
	c.until(func() string { return fmt.Sprint(c.list()) }, func() bool {
		return slices.ContainsFunc(c.list(), func(f *api.Finding) bool {
			return f.GetKind() == "session-down" && slices.Contains(f.GetCauses(), "drift/spine1")
		})
	})
	if !strings.Contains(got[0].GetMessage(), "peer-as") {
		t.Errorf("got %v", got[0])
	}
	c.box("spine1", map[string]string{peer: was})
	c.finds()
	came := map[string]int{}
	for _, e := range c.history() {
		came[e.Subject]++
	}
	for id, n := range came {
		if n%2 != 0 {
			t.Errorf("%s: %d events, want as many that tell that it came as that it is over", id, n)
		}
	}
}

// A controller that begins finds nothing that is not there, and takes nothing away before it has looked.
func TestARestartInventsAndLosesNoFinding(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	for range 3 {
		c.looked()
		c.again()
	}
	c.looked()
	if got := c.history(); len(got) > 0 {
		t.Errorf("of a healthy network: %v", got)
	}
	c.check(c.sim.Power("leaf2", false))
	first := c.finds("device-unreachable/leaf2")
	before := len(c.history())
	for range 3 {
		c.again()
		c.until(func() string { return "leaf2 was not asked for" }, func() bool {
			_, how, _ := c.f.watch.see("leaf2", time.Now())
			return how == controller.Silent
		})
	}
	last := c.finds("device-unreachable/leaf2")
	if !last[0].GetSince().AsTime().Equal(first[0].GetSince().AsTime()) {
		t.Errorf("since %v, not %v", last[0].GetSince().AsTime(), first[0].GetSince().AsTime())
	}
	if got := c.history()[before:]; len(got) > 0 {
		t.Errorf("behind restarts: %v", got)
	}
}

// Whoever watches, and goes on where it ended, gets each step once.
func TestAWatchOfFindingsGoesOnWhereItEnded(t *testing.T) {
	t.Parallel()
	c := newServed(t, filepath.Join("testdata", "pair.yaml"))
	c.looked()
	events := api.NewEventServiceClient(c.there)
	type step struct {
		id   string
		gone bool
	}
	var all []step
	resume := ""
	watch := func(most int) { // one connection, of some steps
		t.Helper()
		ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
		defer cancel()
		stream, err := events.WatchFindings(ctx, &api.WatchFindingsRequest{ResumeToken: resume})
		c.check(err)
		for n := 0; n < most; {
			m, err := stream.Recv()
			c.check(err)
			if f := m.GetFinding(); f != nil {
				all = append(all, step{f.GetId(), m.GetGone()})
				n++
			}
			if m.GetResumeToken() != "" {
				resume = m.GetResumeToken()
			}
		}
	}
	stream, err := events.WatchFindings(c.Context(), &api.WatchFindingsRequest{})
	c.check(err)
	m, err := stream.Recv()
	if err != nil || !m.GetSynced() {
		t.Fatalf("got %v, %v, want that there are none", m, err)
	}
	resume = m.GetResumeToken()

	c.check(c.sim.Save("leaf2"))
	c.check(c.sim.Power("leaf2", false))
	down := c.finds("device-unreachable/leaf2")
	c.check(c.sim.Power("leaf2", true))
	c.finds()
	over := func() bool {
		return !slices.ContainsFunc(down, func(f *api.Finding) bool { return !slices.Contains(all, step{f.GetId(), true}) })
	}
	for !over() {
		watch(1)
	}
	for _, f := range down {
		var of []bool
		for _, s := range all {
			if s.id == f.GetId() {
				of = append(of, s.gone)
			}
		}
		if len(of) < 2 || of[0] || !of[len(of)-1] || slices.Index(of, true) != len(of)-1 {
			t.Errorf("%s: got %v, want that it comes and goes once", f.GetId(), of)
		}
	}
	old, err := events.WatchFindings(c.Context(), &api.WatchFindingsRequest{ResumeToken: "no token"})
	c.check(err)
	if _, err := old.Recv(); status.Code(err) != codes.InvalidArgument {
		t.Errorf("got %v", err)
	}
}

// Nobody tells of light that fades: it is measured again and again.
func TestLightThatFadesIsFoundThoughNobodyTells(t *testing.T) {
	t.Parallel()
	c := newServed(t, litTopology)
	c.looked()
	c.finds()
	loss := c.inject("fibre-loss", "north1", map[string]string{"loss": "5"})
	var got []*api.Finding
	c.until(func() string { return fmt.Sprintf("no channel has less margin: %v", got) }, func() bool { // it shows a moment later
		got = c.finds("fibre-loss/north1")
		return slices.ContainsFunc(got, func(f *api.Finding) bool { return f.GetKind() == "margin" || f.GetKind() == "off-plan" })
	})
	c.check(c.sim.Clear(loss))
	c.finds()
}

// What is only intended is not missed: devices are held to what the last transaction has brought them to.
func TestWhatWaitsForATransactionIsNotMissed(t *testing.T) {
	t.Parallel()
	file := filepath.Join("testdata", "pair.yaml")
	c := newServed(t, file)
	c.looked()
	data, err := os.ReadFile(file)
	c.check(err)
	more := topology.Source{Name: "more.yaml", Data: []byte("loom: v1\ntenants:\n  blue: {number: 7, segments: {more: {number: 77, gateway: 10.77.0.1/24}}}\nports:\n  - {on: leaves, range: ethernet-1/9, segments: [more]}\n")}
	_, err = c.s.intents.Put(c.Context(), []topology.Source{{Name: "pair.yaml", Data: data}, more}, controller.Write{By: "test"})
	c.check(err)
	head, err := c.s.intents.Head(c.Context(), c.f.name)
	c.check(err)
	c.check(c.f.follow(c.Context(), head))
	c.stand(controller.Pending, "leaf1", "leaf2")
	c.check(c.sim.Cut(c.sim.Cables()[0], true)) // what is wrong is found all the same
	c.until(func() string { return fmt.Sprint(c.list()) }, func() bool { return len(c.list()) > 0 })
	for _, f := range c.list() {
		if f.GetKind() == "tunnel-missing" {
			t.Errorf("got %v", f)
		}
	}
	c.check(c.sim.Cut(c.sim.Cables()[0], false))
	c.finds()
}
