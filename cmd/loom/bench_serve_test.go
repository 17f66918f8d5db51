package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/srlinux"
	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// bareClient is one device to who connects, subscribes to what a controller subscribes to, and reads what it reads.
type bareClient struct {
	conn   *grpc.ClientConn
	stream gnmi.GNMI_SubscribeClient
	ctx    context.Context
	end    context.CancelFunc
}

// meetBare connects to all devices, as many at a time as a controller does, and returns when each has been subscribed to and
// read. The first one is the device that can be changed.
func (f *farm) meetBare(b *testing.B) (all []*bareClient) {
	pool, err := f.inventory.Pool()
	if err != nil {
		b.Fatal(err)
	}
	mine, err := f.inventory.Certificate()
	if err != nil {
		b.Fatal(err)
	}
	var mu sync.Mutex
	drv := drivers[srlinux.OS]
	followed := protoPaths(drv.Followed(drv.Schema.Releases[len(drv.Schema.Releases)-1]))
	read := protoPaths(drv.Manners.ReadPaths)
	entries := map[string]device.InventoryEntry{}
	for _, e := range f.inventory.Devices {
		entries[e.Name] = e
	}
	err = sideBySide(nil, sortedKeys(entries), func(name string) error {
		creds := credentials.NewTLS(&tls.Config{RootCAs: pool, Certificates: []tls.Certificate{*mine}, ServerName: name, MinVersion: tls.VersionTLS13})
		conn, err := grpc.NewClient("passthrough:///"+entries[name].Address, grpc.WithTransportCredentials(creds), grpc.WithReadBufferSize(0))
		if err != nil {
			return err
		}
		c := &bareClient{conn: conn}
		c.ctx, c.end = context.WithCancel(metadata.AppendToOutgoingContext(context.Background(), "username", f.inventory.Username, "password", f.inventory.Password))
		mu.Lock()
		all = append(all, c)
		if name == f.simulated {
			all[0], all[len(all)-1] = c, all[0]
		}
		mu.Unlock()
		return c.meet(followed, read)
	})
	if err != nil {
		b.Fatal(err)
	}
	return all
}

// meet subscribes, and reads when the device has told all that it wants to.
func (c *bareClient) meet(followed, read []*gnmi.Path) error {
	there := gnmi.NewGNMIClient(c.conn)
	stream, err := there.Subscribe(c.ctx)
	if err != nil {
		return err
	}
	c.stream = stream
	list := &gnmi.SubscriptionList{Mode: gnmi.SubscriptionList_STREAM, Encoding: gnmi.Encoding_JSON_IETF, UpdatesOnly: true}
	for _, p := range followed {
		list.Subscription = append(list.Subscription, &gnmi.Subscription{Path: p, Mode: gnmi.SubscriptionMode_ON_CHANGE})
	}
	if err := stream.Send(&gnmi.SubscribeRequest{Request: &gnmi.SubscribeRequest_Subscribe{Subscribe: list}}); err != nil {
		return err
	}
	for synced := false; !synced; {
		r, err := stream.Recv()
		if err != nil {
			return err
		}
		synced = r.GetSyncResponse()
	}
	_, err = there.Get(c.ctx, &gnmi.GetRequest{Type: gnmi.GetRequest_CONFIG, Encoding: gnmi.Encoding_JSON_IETF, Path: read}, grpc.MaxCallRecvMsgSize(mostMessage))
	return err
}

func closeBareClients(all []*bareClient) {
	for _, c := range all {
		c.end()
		_ = c.conn.Close()
	}
}

// controllerOf is a controller for a farm, as a process, with the farm's topology put: all devices are in sync. It is stopped.
func (f *farm) controllerOf(b *testing.B) *serveProcess {
	b.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0") // the same after each start
	if err != nil {
		b.Fatal(err)
	}
	p := &serveProcess{t: b, dir: b.TempDir(), address: free.Addr().String(), rest: "none"}
	_ = free.Close()
	inventory, err := os.ReadFile(filepath.Join(f.dir, "sim.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(p.dir, "inventory.json"), inventory, 0o600)
	}
	if err != nil {
		b.Fatal(err)
	}
	p.start()
	put := func() error {
		there, err := p.client()
		if err != nil {
			return err
		}
		defer there.Close()
		data, err := os.ReadFile(f.topology())
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
		defer cancel()
		_, err = api.NewIntentServiceClient(there).PutTopology(ctx, &api.PutTopologyRequest{Files: []*api.File{{Name: "bench.yaml", Data: data}}}, grpc.WaitForReady(true))
		return err
	}
	waitFor(b, time.Minute, func() (string, bool) {
		err := put()
		return fmt.Sprint(err), err == nil
	})
	p.inSync(b, len(f.inventory.Devices))
	return p
}

// waitFor asks again and again, until something holds.
func waitFor(b *testing.B, limit time.Duration, holds func() (what string, ok bool)) {
	b.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); ; <-tick.C {
		what, ok := holds()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("waited %s: %s", limit, what)
		}
	}
}

// inSync waits until the controller says of so many devices that they are in sync.
func (p *serveProcess) inSync(b *testing.B, devices int) {
	b.Helper()
	var there *client
	defer func() {
		if there != nil {
			_ = there.Close()
		}
	}()
	waitFor(b, 5*time.Minute, func() (string, bool) {
		if there == nil {
			c, err := p.client()
			if err != nil {
				return err.Error(), false
			}
			there = c
		}
		ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
		defer cancel()
		m, err := api.NewDeviceServiceClient(there).ListDevices(ctx, &api.ListDevicesRequest{
			PageSize: 1000, Statuses: []api.DeviceStatus{api.DeviceStatus_DEVICE_STATUS_IN_SYNC}, ReadMask: &fieldmaskpb.FieldMask{Paths: []string{"name"}},
		})
		n := len(m.GetDevices())
		return fmt.Sprintf("%d of %d devices in sync, %v", n, devices, err), n == devices
	})
}

// stop ends it as an operator does, and waits.
func (p *serveProcess) stop(b *testing.B) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := errors.Join(p.cmd.Process.Signal(os.Interrupt), p.cmd.Wait()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkServeRestart starts a controller again, until all devices are connected, subscribed to, read, and compared with what is
// intended. The floor is a client that connects to the same devices, subscribes to the same, reads the same, and looks at nothing.
func BenchmarkServeRestart(b *testing.B) {
	for _, sites := range []int{2, 20} {
		s := derived
		s.sites = sites
		devices := sites * (s.spines + s.leaves)
		b.Run(fmt.Sprintf("%d devices", devices), func(b *testing.B) {
			f := newFarm(b, s)
			p := f.controllerOf(b)
			p.stop(b)
			var floor, loom, beyond samples
			var cpu []float64
			for b.Loop() {
				f.idle(b, 500*time.Millisecond)
				runtime.GC()
				start := time.Now()
				all := f.meetBare(b)
				least := time.Since(start)
				closeBareClients(all)
				f.idle(b, 500*time.Millisecond)
				start = time.Now()
				p.start()
				p.inSync(b, devices)
				took := time.Since(start)
				cpu = append(cpu, float64(process(p.cmd.Process.Pid).ticks(b))/100)
				p.stop(b)
				floor.add(least)
				loom.add(took)
				beyond.add(took - least)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(floor.median().Seconds(), "floor-s")
			b.ReportMetric(loom.median().Seconds(), "restart-s")
			b.ReportMetric(beyond.median().Seconds(), "beyond-s")
			b.ReportMetric(middle(cpu), "cpu-s")
			b.ReportMetric(3, "goal-beyond-s")
		})
	}
}

// inCare has a controller in this process take care of a farm; before is called when it has nothing to care for yet.
func (f *farm) inCare(b *testing.B, before func()) *fabricRun {
	b.Helper()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	dir := b.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	s := &serving{
		ctx: ctx, dir: dir, access: &access{inventory: filepath.Join(f.dir, "sim.json"), warn: func(string, ...any) {}}, parallel: 4, storeFlags: &storeFlags{dir: dir},
		grace: defaultGrace, fabrics: map[string]*fabricRun{}, without: map[string]error{}, wake: make(chan struct{}, 1), log: slog.New(slog.DiscardHandler),
	}
	var err error
	s.store, err = s.storeFlags.open(b.Context(), nowhere(), dir)
	must(err)
	s.intents = &controller.Intents{Ledger: &intentLedger{s.store}, Check: s.compiled.check, Now: time.Now}
	writing, stop := context.WithCancel(context.Background())
	var writer sync.WaitGroup
	writer.Go(func() { s.write(writing) })
	s.note(controller.Event{Kind: controller.ControllerEvent, Message: "what the store keeps ready is not for a device"})
	s.writePage()
	before()
	srcs, err := sources([]string{f.topology()})
	must(err)
	put, err := s.intents.Put(b.Context(), srcs, controller.Write{By: "test"})
	must(err)
	run, err := s.takeOn(b.Context(), put.Revision.Topology)
	must(err)
	s.fabrics[run.name] = run
	b.Cleanup(func() {
		cancel()
		err := run.stop()
		stop()
		writer.Wait()
		must(errors.Join(err, s.store.Close()))
	})
	waitFor(b, 5*time.Minute, func() (string, bool) {
		still := 0
		for _, d := range f.inventory.Devices {
			if s, _, _ := run.agent(d.Name).standing(); s.Status != controller.InSync {
				still++
			}
		}
		return fmt.Sprintf("%d devices are not in sync", still), still == 0
	})
	return run
}

// observed waits until every device has been observed, and there is nothing left to do.
func (f *farm) observed(b *testing.B, run *fabricRun) {
	waitFor(b, 5*time.Minute, func() (string, bool) {
		still := 0
		for _, d := range f.inventory.Devices {
			if _, how, _ := run.watch.see(d.Name, time.Now()); how != controller.Seen {
				still++
			}
		}
		return fmt.Sprintf("%d devices were not observed", still), still == 0
	})
	f.idle(b, time.Second)
	process(os.Getpid()).idle(b, 2*time.Second)
}

// kept is what is alive in this process.
type kept struct{ heap, stacks float64 }

func inUse() kept {
	runtime.GC()
	runtime.GC() // what finalizers and pools held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return kept{float64(m.HeapAlloc), float64(m.StackInuse)}
}

// BenchmarkServeMemory is what a controller keeps for each device that is in sync and was observed, of its heap: what is intended of
// it, what it has and shows, and its connection.
func BenchmarkServeMemory(b *testing.B) {
	for _, sites := range []int{2, 20} {
		s := derived
		s.sites = sites
		devices := float64(sites * (s.spines + s.leaves))
		b.Run(fmt.Sprintf("%.0f devices", devices), func(b *testing.B) {
			f := newFarm(b, s)
			var before kept
			goroutines := 0
			run := f.inCare(b, func() { before, goroutines = inUse(), runtime.NumGoroutine() })
			f.observed(b, run)
			var after kept
			for b.Loop() {
				after = inUse()
			}
			if name := os.Getenv("LOOM_BENCH_HEAP"); name != "" {
				writeHeap(b, name)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric((after.heap-before.heap)/devices/1e3, "heap-KB/device")
			b.ReportMetric((after.stacks-before.stacks)/devices/1e3, "stack-KB/device")
			b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/devices, "goroutines/device")
			b.ReportMetric(250, "goal-KB/device")
		})
	}
}

func writeHeap(b *testing.B, name string) {
	f, err := os.Create(name)
	if err == nil {
		err = errors.Join(pprof.Lookup("heap").WriteTo(f, 0), f.Close())
	}
	if err != nil {
		b.Error(err)
	}
}

// BenchmarkDriftFlood changes a leaf of a device by hand while all others tell of leaves that are as they were, 100,000 a second
// together, and measures how long it takes until the controller tells of it. The floor is a client that subscribes to the same device:
// until it has the notification.
func BenchmarkDriftFlood(b *testing.B) {
	const rate = 100_000
	for _, sites := range []int{2, 20} {
		s := derived
		s.sites = sites
		b.Run(fmt.Sprintf("%d devices", sites*(s.spines+s.leaves)), func(b *testing.B) {
			f := newFarm(b, s)
			run := f.inCare(b, func() {})
			f.observed(b, run)
			bare := f.only(f.simulated).meetBare(b)[0]
			defer closeBareClients([]*bareClient{bare})
			arrived := make(chan string, 1<<10)
			go bare.hear(arrived)
			path := mustPath("/interface[name=ethernet-1/1]/description").GNMI()
			heard := func() (n int64) {
				for _, d := range f.inventory.Devices {
					_, received, _ := run.agent(d.Name).standing()
					n += received
				}
				return n
			}
			f.flood(b, rate)
			defer f.flood(b, 0)
			waitFor(b, time.Minute, func() (string, bool) { return "nothing is heard", heard() > 0 })
			var floor, seen samples
			began, before, n := time.Now(), heard(), 0
			for b.Loop() {
				n++
				value := fmt.Sprintf("drift %d", n)
				start := time.Now()
				set := &gnmi.SetRequest{Update: []*gnmi.Update{{Path: path, Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: value}}}}}
				if _, err := gnmi.NewGNMIClient(bare.conn).Set(bare.ctx, set); err != nil {
					b.Fatal(err)
				}
				for v := range arrived {
					if v == value || v == `"`+value+`"` {
						break
					}
				}
				floor.add(time.Since(start))
				for deadline := time.Now().Add(time.Minute); ; {
					if s, _, _ := run.agent(f.simulated).standing(); len(s.Drifts) == 1 && s.Drifts[0].Has == value {
						break
					} else if time.Now().After(deadline) {
						b.Fatalf("%+v", s)
					}
					<-time.After(time.Millisecond)
				}
				seen.add(time.Since(start))
			}
			told := float64(heard()-before) / time.Since(began).Seconds()
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(told, "leaves/s")
			for what, s := range map[string]samples{"floor": floor, "seen": seen} {
				slices.Sort(s)
				b.ReportMetric(s.median().Seconds()*1e3, what+"-p50-ms")
				b.ReportMetric(s[len(s)*99/100].Seconds()*1e3, what+"-p99-ms")
			}
			b.ReportMetric(1000, "goal-ms")
		})
	}
}

// only is a farm of one of the devices.
func (f *farm) only(name string) *farm {
	out := *f
	out.inventory.Devices = slices.DeleteFunc(slices.Clone(f.inventory.Devices), func(e device.InventoryEntry) bool { return e.Name != name })
	return &out
}

// hear hands on the values that a device tells of.
func (c *bareClient) hear(arrived chan<- string) {
	for {
		r, err := c.stream.Recv()
		if err != nil {
			return
		}
		for _, u := range r.GetUpdate().GetUpdate() {
			arrived <- u.GetVal().GetStringVal() + string(u.GetVal().GetJsonIetfVal())
		}
	}
}
