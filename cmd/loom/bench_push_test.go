package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/durationpb"
)

// pushed is a fabric of simulated devices that are connected to twice: by Loom, and by the bare loop that
// it is compared with, both over mutual TLS. No network is simulated between them: what a device computes of its neighbours
// after a Set would be charged to whoever comes next.
type pushed struct {
	names   []string
	sim     *sim.Sim
	network *network
	devices map[string]*live
	journal *journal
	plan    *plan.Plan
	bare    map[string]*bareDevice
	learned map[string]*known // what Loom knows of each device when a plan is made
	inv     device.Inventory  // with our certificate
	// As `loom apply` has them unless told otherwise.
	parallel, unverified int
}

// bareDevice is one device to the bare loop: its connection, and what it is sent and asked, ready made.
type bareDevice struct {
	conn *grpc.ClientConn
	set  *gnmi.SetRequest // as Loom sends it
	back *gnmi.SetRequest // leads back to where it was
	get  *gnmi.GetRequest // as Loom asks to read back
}

// newPushed starts the devices of a fabric and connects to all of them.
func newPushed(b *testing.B, s starter) *pushed {
	b.Helper()
	f := &pushed{bare: map[string]*bareDevice{}}
	f.network, _ = cold(b, s.yaml())
	f.start(b)
	r, err := newResolver(fabric.Login{}, f.inv)
	if err != nil {
		b.Fatal(err)
	}
	if f.devices, err = connect(b.Context(), f.network, r, f.names); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { closeAll(f.devices); closeBare(f.bare) })
	f.defaults(b)
	f.openJournal(b)
	f.prepare(b)
	f.loop(func(d *bareDevice) { d.send(b, d.set) })
	f.reset(b) // ports that were mentioned once are there for ever: the way back leads here from now on
	f.prepare(b)
	return f
}

// start simulates the devices, which let nobody in without a certificate of their authority.
func (f *pushed) start(b *testing.B) {
	var anchor atomic.Pointer[sim.Server]
	anchor.Store(&sim.Server{})
	software := &sim.Software{Server: func(*config.Tree) sim.Server { return *anchor.Load() }}
	c := sim.Config{Username: "admin", Password: newPassword()}
	for _, d := range f.network.design.Devices {
		c.Devices = append(c.Devices, sim.Spec{Name: d.Name, Platform: d.Platform.Name, Release: d.Release, Driver: drivers[d.OS], Software: software})
		f.names = append(f.names, d.Name)
	}
	var err error
	if f.sim, err = sim.Start(b.Context(), c); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(f.sim.Close)
	f.inv = f.sim.Inventory()
	anchor.Store(&sim.Server{ClientCA: []byte(f.inv.CA)})
	cert, key, err := f.sim.ClientCertificate("loom")
	if err != nil {
		b.Fatal(err)
	}
	f.inv.Cert, f.inv.Key = string(cert), string(key)
}

// defaults are what the flags of `loom apply` say.
func (f *pushed) defaults(b *testing.B) {
	flags := applyCommand(&terminal{out: io.Discard, err: io.Discard}).Flags()
	for name, to := range map[string]*int{"parallel": &f.parallel, "unverified": &f.unverified} {
		var err error
		if *to, err = strconv.Atoi(flags.Lookup(name).DefValue); err != nil {
			b.Fatal(err)
		}
	}
}

// prepare makes the plan, and the bare loop ready.
func (f *pushed) prepare(b *testing.B) {
	b.Helper()
	f.replan(b)
	f.connectBare(b)
}

// replan compares what the devices have with what is intended.
func (f *pushed) replan(b *testing.B) {
	b.Helper()
	var err error
	if f.plan, err = f.network.planDevices(b.Context(), f.names, f.devices); err != nil {
		b.Fatal(err)
	}
	f.learned = map[string]*known{}
	for name, l := range f.devices {
		f.learned[name] = l.known.Load()
	}
}

// forget leaves Loom with what it knew when the plan was made: what it has read in the turn before would spare it work.
func (f *pushed) forget() {
	for name, l := range f.devices {
		l.known.Store(f.learned[name])
	}
}

func (f *pushed) openJournal(b *testing.B) {
	dir := b.TempDir()
	s, err := store.Open(b.Context(), store.Options{Dir: dir, Owner: "benchmark"})
	if err != nil {
		b.Fatal(err)
	}
	lease, err := s.Hold(b.Context(), "fabric/bench", store.Holder{Who: "benchmark"})
	if err != nil {
		b.Fatal(err)
	}
	f.journal = newJournal(&keeper{store: s, lease: lease, topology: "bench", bounds: boundsOf(s)})
	b.Cleanup(func() {
		if err := f.journal.close(); err != nil {
			b.Error(err)
		}
	})
}

// connectBare makes a connection of the bare loop to each device that changes, and one call on it.
func (f *pushed) connectBare(b *testing.B) {
	inv := f.inv
	pool, err := inv.Pool()
	if err != nil {
		b.Fatal(err)
	}
	mine, err := inv.Certificate()
	if err != nil {
		b.Fatal(err)
	}
	closeBare(f.bare)
	f.bare = map[string]*bareDevice{}
	at := map[string]device.InventoryEntry{}
	for _, e := range inv.Devices {
		at[e.Name] = e
	}
	for i := range f.plan.Devices {
		d := &f.plan.Devices[i]
		l := f.devices[d.Name]
		creds := credentials.NewTLS(&tls.Config{RootCAs: pool, Certificates: []tls.Certificate{*mine}, ServerName: d.Name, MinVersion: tls.VersionTLS13})
		conn, err := grpc.NewClient("passthrough:///"+at[d.Name].Address, grpc.WithTransportCredentials(creds), grpc.WithReadBufferSize(0),
			grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, call grpc.UnaryInvoker, o ...grpc.CallOption) error {
				return call(metadata.AppendToOutgoingContext(ctx, "username", inv.Username, "password", inv.Password), method, req, reply, cc, o...)
			}))
		if err != nil {
			b.Fatal(err)
		}
		one := &bareDevice{conn: conn, set: l.unsaved(d.Request), back: l.unsaved(l.Request(d.After, d.Before)), get: &gnmi.GetRequest{Type: gnmi.GetRequest_CONFIG, Encoding: gnmi.Encoding_JSON_IETF}}
		for _, text := range l.Target().Driver.Manners.ReadPaths {
			one.get.Path = append(one.get.Path, mustPath(text).GNMI())
		}
		one.read(b)
		f.bare[d.Name] = one
	}
}

func closeBare(all map[string]*bareDevice) {
	for _, d := range all {
		d.conn.Close()
	}
}

func (d *bareDevice) send(b *testing.B, req *gnmi.SetRequest) {
	if _, err := gnmi.NewGNMIClient(d.conn).Set(b.Context(), req); err != nil {
		b.Error(err)
	}
}

func (d *bareDevice) read(b *testing.B) {
	if _, err := gnmi.NewGNMIClient(d.conn).Get(b.Context(), d.get); err != nil {
		b.Error(err)
	}
}

// commit sends the request as a commit that has to be confirmed.
func (d *bareDevice) commit(b *testing.B) {
	d.send(b, extended(d.set, &gnmi_ext.Commit{Id: bareCommit, Action: &gnmi_ext.Commit_Commit{Commit: &gnmi_ext.CommitRequest{RollbackDuration: durationpb.New(time.Hour)}}}))
}

func (d *bareDevice) confirm(b *testing.B) {
	d.send(b, extended(&gnmi.SetRequest{}, &gnmi_ext.Commit{Id: bareCommit, Action: &gnmi_ext.Commit_Confirm{Confirm: &gnmi_ext.CommitConfirm{}}}))
}

const bareCommit = "bare"

func extended(req *gnmi.SetRequest, c *gnmi_ext.Commit) *gnmi.SetRequest {
	return &gnmi.SetRequest{Delete: req.Delete, Replace: req.Replace, Update: req.Update, Extension: []*gnmi_ext.Extension{{Ext: &gnmi_ext.Extension_Commit{Commit: c}}}}
}

// loop does something with every device, as many at the same time as Loom has.
func (f *pushed) loop(do func(*bareDevice)) {
	work := make(chan *bareDevice)
	var wg sync.WaitGroup
	for range f.parallel {
		wg.Go(func() {
			for d := range work {
				do(d)
			}
		})
	}
	for _, name := range sortedKeys(f.bare) {
		work <- f.bare[name]
	}
	close(work)
	wg.Wait()
}

// reset brings every device back to where it was, and leaves no garbage to whoever is measured next.
func (f *pushed) reset(b *testing.B) {
	f.loop(func(d *bareDevice) { d.send(b, d.back) })
	f.settle(b)
}

func (f *pushed) settle(b *testing.B) {
	runtime.GC()
	if b.Failed() {
		b.FailNow()
	}
}

// took is what something cost.
type took struct {
	wall, cpu time.Duration
	decided   span // until the decision was durable: every device was read back
	confirmed span // until the last device had confirmed, where there are timers
	verified  map[string]time.Duration
}

// span is a time, on the wall and of the processors.
type span struct{ wall, cpu time.Duration }

// stopwatch tells how long ago it was made.
func stopwatch() func() span {
	start, cpu := time.Now(), processorTime()
	return func() span { return span{time.Since(start), processorTime() - cpu} }
}

// measure tells what something costs: in time, and in processor time of this process, in which the devices are too.
func measure(do func()) took {
	since := stopwatch()
	do()
	all := since()
	return took{wall: all.wall, cpu: all.cpu}
}

// processorTime is what this process has had, garbage collection included.
func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails for arguments that are none only
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// pushing is how Loom pushes.
type pushing struct {
	timed   bool                    // devices take back by themselves what is not confirmed
	on      func(transaction.Event) // may be nil
	through func(transaction.Device) transaction.Device
}

// push is Loom's way: everything `loom apply` does between the approval and its last word but the gates, all devices in
// one wave.
func (f *pushed) push(b *testing.B, how pushing) took {
	b.Helper()
	f.forget()
	verified := map[string]time.Duration{}
	var confirmed span
	since := stopwatch()
	start := time.Now()
	watch := &decisionWatch{Journal: f.journal, since: since}
	t := measure(func() {
		c := f.change(b, how.timed)
		if err := f.journal.prepare(b.Context(), c.spec.ID, c.members, c.trees); err != nil {
			b.Fatal(err)
		}
		run := f.journal.runner(f.devices, c.work)
		run.Journal, run.Parallel = watch, f.parallel
		if how.through != nil {
			for name, d := range run.Devices {
				run.Devices[name] = how.through(d)
			}
		}
		run.Progress = func(e transaction.Event) {
			if e.Status == transaction.Verified {
				verified[e.Device] = time.Since(start)
			}
			if e.Status == transaction.Confirmed {
				confirmed = since()
			}
			if how.on != nil {
				how.on(e)
			}
		}
		if res := run.Run(b.Context(), transaction.New(c.spec, start)); res.Outcome != transaction.Done {
			b.Fatalf("%s: %v", res.Outcome, res.Err)
		}
	})
	t.decided, t.confirmed, t.verified = watch.decided, confirmed, verified
	return t
}

func (f *pushed) change(b *testing.B, timed bool) *change {
	for _, l := range f.devices {
		l.timed = timed
	}
	o := &applyOptions{rollback: 5 * time.Minute, unverified: f.unverified}
	c, err := newChange(f.plan, f.devices, newID(), o.limits(f.plan))
	if err != nil {
		b.Fatal(err)
	}
	c.spec.Segments = []transaction.Segment{{Waves: [][]string{sortedKeys(f.bare)}}}
	return c
}

// decisionWatch notes when the decision is durable.
type decisionWatch struct {
	transaction.Journal
	since   func() span
	decided span
}

func (w *decisionWatch) Append(ctx context.Context, id string, records []transaction.Record) error {
	err := w.Journal.Append(ctx, id, records)
	if slices.ContainsFunc(records, func(r transaction.Record) bool { return r.Kind == transaction.Decided }) {
		w.decided = w.since()
	}
	return err
}

// pushes are two sizes of fabric: one for whoever works on the code, one for the goal.
func pushes(b *testing.B, do func(*testing.B, *pushed)) {
	for _, sites := range []int{2, 20} {
		s := derived
		s.sites = sites
		b.Run(fmt.Sprintf("%d devices", sites*(s.spines+s.leaves)), func(b *testing.B) { do(b, newPushed(b, s)) })
	}
}

// compared collects turns of Loom and of its floor: each is a time on the wall and one of the processors.
type compared struct{ saved, decided, confirmed, floor spans }

// spans are samples of both times.
type spans struct{ wall, cpu samples }

func (s *spans) add(t span) {
	s.wall.add(t.wall)
	s.cpu.add(t.cpu)
}

func (c *compared) add(loom, floor took) {
	c.saved.add(span{loom.wall, loom.cpu})
	c.decided.add(loom.decided)
	c.confirmed.add(loom.confirmed)
	c.floor.add(span{floor.wall, floor.cpu})
}

// report tells how much longer Loom took than the floor: until the decision, the last confirm where devices confirm, and the
// end.
func (c *compared) report(b *testing.B, confirms bool, goal float64) {
	b.ReportMetric(0, "ns/op") // with the way back
	b.ReportMetric(c.floor.wall.median().Seconds()*1e3, "floor-ms")
	b.ReportMetric(c.floor.cpu.median().Seconds()*1e3, "floor-cpu-ms")
	c.beside(b, "decided", &c.decided)
	if confirms {
		c.beside(b, "confirmed", &c.confirmed)
	}
	c.beside(b, "saved", &c.saved)
	b.ReportMetric(goal, "goal_x")
}

func (c *compared) beside(b *testing.B, what string, s *spans) {
	b.ReportMetric(s.wall.median().Seconds()*1e3, what+"-ms")
	b.ReportMetric(ratio(s.wall, c.floor.wall), "x_"+what)
	b.ReportMetric(ratio(s.cpu, c.floor.cpu), "x_"+what+"_cpu")
}

func ratio(a, b samples) float64 { return float64(a.median()) / float64(b.median()) }

// BenchmarkPush gives devices from the factory their whole configuration, by plain Sets. The floor is the same Sets
// and one Get each, whose answers nobody parses.
func BenchmarkPush(b *testing.B) {
	pushes(b, func(b *testing.B, f *pushed) {
		var c compared
		for b.Loop() {
			floor := measure(func() { f.loop(func(d *bareDevice) { d.send(b, d.set); d.read(b) }) })
			f.reset(b)
			loom := f.push(b, pushing{})
			f.reset(b)
			c.add(loom, floor)
		}
		c.report(b, false, 2.5)
	})
}

// BenchmarkPushConfirmed is the same with commits that are confirmed. The floor is the two RPCs for each device: the
// commits of all, and then the confirms.
func BenchmarkPushConfirmed(b *testing.B) {
	pushes(b, func(b *testing.B, f *pushed) {
		var c compared
		for b.Loop() {
			floor := measure(func() {
				f.loop(func(d *bareDevice) { d.commit(b) })
				f.loop(func(d *bareDevice) { d.confirm(b) })
			})
			f.reset(b)
			loom := f.push(b, pushing{timed: true})
			f.reset(b)
			c.add(loom, floor)
		}
		c.report(b, true, 2.5)
	})
}

// BenchmarkHangingDevices pushes while one device of ten takes no packet any more. Healthy devices are compared with
// themselves in a push where all are well, by the time at which each was read back.
func BenchmarkHangingDevices(b *testing.B) {
	pushes(b, func(b *testing.B, f *pushed) {
		names := sortedKeys(f.bare)
		hanging := map[string]bool{}
		for i := 0; i < len(names); i += 10 {
			hanging[names[i]] = true
		}
		var well, ill samples
		for b.Loop() {
			well.add(healthy(f.push(b, pushing{}), hanging))
			f.reset(b)
			ill.add(healthy(f.pushHanging(b, hanging), hanging))
			f.reset(b)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(well.median().Seconds()*1e3, "well-p99-ms")
		b.ReportMetric(ill.median().Seconds()*1e3, "hanging-p99-ms")
		b.ReportMetric(ratio(ill, well), "x_well")
		b.ReportMetric(1.2, "goal_x")
	})
}

// pushHanging lets some devices hang until all others have been read back.
func (f *pushed) pushHanging(b *testing.B, hanging map[string]bool) took {
	var ids []string
	for _, name := range sortedKeys(hanging) {
		id, err := f.sim.Inject(sim.Fault{Kind: "blackhole", Target: name})
		if err != nil {
			b.Fatal(err)
		}
		ids = append(ids, id)
	}
	left := len(f.bare) - len(hanging)
	return f.push(b, pushing{on: func(e transaction.Event) {
		if e.Status != transaction.Verified || hanging[e.Device] {
			return
		}
		if left--; left > 0 {
			return
		}
		for _, id := range ids {
			if err := f.sim.Clear(id); err != nil {
				b.Error(err)
			}
		}
	}})
}

// healthy is the 99th percentile of the times at which healthy devices were read back.
func healthy(t took, hanging map[string]bool) time.Duration {
	var s samples
	for name, at := range t.verified {
		if !hanging[name] {
			s.add(at)
		}
	}
	slices.Sort(s)
	return s[len(s)*99/100]
}

// BenchmarkOneLeaf changes one leaf of one configured device, from the approval until the device has answered the Set.
// The floor is one durable write of the store, and then that Set. Each turn begins where the one before ended, and leads to
// a configuration that never was.
func BenchmarkOneLeaf(b *testing.B) {
	s := derived
	s.sites = 1
	f := newPushed(b, s)
	f.push(b, pushing{})
	f.names = []string{"leaf1"}
	f.describe(b, "leaf1", "one")
	f.prepare(b)
	one, leaf := f.bare["leaf1"], f.devices["leaf1"]
	var wire, total, floor samples
	n := 0
	for b.Loop() {
		n++
		f.describe(b, "leaf1", fmt.Sprint("turn ", n))
		f.replan(b)
		if len(f.plan.Devices) != 1 || len(f.plan.Devices[0].Changes) != 1 {
			b.Fatalf("%+v", f.plan.Devices)
		}
		one.set, one.back = leaf.unsaved(f.plan.Devices[0].Request), leaf.unsaved(leaf.Request(f.plan.Devices[0].After, f.plan.Devices[0].Before))
		start := time.Now()
		key := fmt.Sprintf("bench/%d", n)
		if _, err := f.journal.store.Commit(b.Context(), store.Tx{Put: map[string][]byte{key: make([]byte, 512)}, If: []store.Condition{f.journal.lease.Condition(), store.Absent(key)}}); err != nil {
			b.Fatal(err)
		}
		one.send(b, one.set)
		floor.add(time.Since(start))
		one.send(b, one.back)
		f.replan(b)
		first, last := f.toWire(b)
		wire.add(first)
		total.add(last)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(floor.median().Seconds()*1e6, "floor-us")
	b.ReportMetric(wire.median().Seconds()*1e6, "wire-us")
	b.ReportMetric(total.median().Seconds()*1e6, "saved-us")
	b.ReportMetric(ratio(wire, floor), "x_floor")
	b.ReportMetric(1.5, "goal_x")
}

// toWire is a push that tells also how long it took until the device had answered the Set.
func (f *pushed) toWire(b *testing.B) (wire, saved time.Duration) {
	start := time.Now()
	t := f.push(b, pushing{through: func(d transaction.Device) transaction.Device {
		return answering{d, func() { wire = time.Since(start) }}
	}})
	return wire, t.wall
}

// answering tells when a device has answered a Set.
type answering struct {
	transaction.Device
	answered func()
}

func (a answering) Set(ctx context.Context, req *gnmi.SetRequest) error {
	defer a.answered()
	return a.Device.Set(ctx, req)
}

// describe gives the first interface of a device that has a description another one.
func (f *pushed) describe(b *testing.B, name, text string) {
	var at config.Path
	tree := f.network.trees[name]
	tree.Walk(func(c config.Cursor) bool {
		if at == nil && c.Node().Name == "description" {
			at = c.Path()
		}
		return at == nil
	})
	val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(strconv.Quote(text))}}
	after, err := config.Apply(tree, &gnmi.SetRequest{Update: []*gnmi.Update{{Path: at.GNMI(), Val: val}}})
	if err != nil {
		b.Fatal(err)
	}
	f.network.trees[name], f.devices[name].intended = after, after
}
