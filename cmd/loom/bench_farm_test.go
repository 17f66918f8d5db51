package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// farm is a process of devices which have what a topology intends, and let nobody in without a certificate. They answer what a
// simulated device has answered once, at once: what a simulated device computes for an answer would be charged to who asks, as both
// share the processors. One of them is simulated, so that it can be changed.
type farm struct {
	process
	dir       string // bench.yaml is the topology, sim.json the inventory
	inventory device.Inventory
	simulated string // the device that can be changed
	tell      io.Writer
}

// The environment tells a process that it is to be a farm, and where; and where answers are kept from run to run, if anywhere.
const farmDir, farmKeep = "LOOM_BENCH_FARM", "LOOM_BENCH_KEEP"

// newFarm starts the devices of a fabric, and ends them with the benchmark.
func newFarm(b *testing.B, s starter) *farm {
	b.Helper()
	f := &farm{dir: b.TempDir()}
	if err := os.WriteFile(f.topology(), s.yaml(), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestBenchmarkFarm$", "-test.timeout=0")
	cmd.Env = append(os.Environ(), farmDir+"="+f.dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = in.Close(); _, _ = io.Copy(io.Discard, out); _ = cmd.Wait() })
	f.process, f.tell = process(cmd.Process.Pid), in
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatalf("the devices: %v\n%s", err, line)
	}
	f.simulated = strings.TrimSpace(line)
	data, err := os.ReadFile(filepath.Join(f.dir, "sim.json"))
	if err == nil {
		f.inventory, err = device.ParseInventory(data)
	}
	if err != nil {
		b.Fatal(err)
	}
	f.idle(b, time.Second)
	return f
}

func (f *farm) topology() string { return filepath.Join(f.dir, "bench.yaml") }

// flood has all devices together tell of so many leaves a second, that are as they were.
func (f *farm) flood(b *testing.B, rate int) {
	if _, err := fmt.Fprintln(f.tell, rate); err != nil {
		b.Fatal(err)
	}
}

// TestBenchmarkFarm is the process of newFarm, and no test otherwise.
func TestBenchmarkFarm(t *testing.T) {
	dir := os.Getenv(farmDir)
	if dir == "" {
		t.Skip("a part of the benchmarks")
	}
	saveMemory()
	r, err := recorded(t, filepath.Join(dir, "bench.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	farmed, err := r.farm()
	if err != nil {
		t.Fatal(err)
	}
	one, err := r.simulate(t, farmed)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "sim.json"), farmed.inventory.JSON(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	fmt.Println(r.first)
	begin := sync.OnceFunc(func() { close(farmed.begun) })
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); begin() {
		var rate int64
		if _, err := fmt.Sscan(lines.Text(), &rate); err != nil {
			t.Fatal(err)
		}
		farmed.rate.Store(rate)
	}
	farmed.server.Stop()
}

// answerBook is what devices answer.
type answerBook struct {
	network *network
	first   string // the device that is simulated
	user    [2]string
	Answers map[string]map[string][]byte // by device and question
	Leaf    map[string][]byte            // what it tells of again and again, by device
}

// recorded asks simulated devices that have what is intended everything that a controller asks, unless that was done before.
func recorded(t *testing.T, file string) (*answerBook, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &answerBook{user: [2]string{"admin", newPassword()}}
	if r.network, err = compileNetwork(nowhere(), []topology.Source{{Name: file, Data: data}}, nil); err != nil {
		return nil, err
	}
	r.first = r.network.design.Devices[len(r.network.design.Devices)-1].Name
	kept := os.Getenv(farmKeep)
	if kept != "" {
		kept = filepath.Join(kept, fmt.Sprintf("farm-%d.gob", len(r.network.trees)))
		if f, err := os.Open(kept); err == nil {
			defer f.Close()
			return r, gob.NewDecoder(f).Decode(r)
		}
	}
	if err := r.record(t); err != nil || kept == "" {
		return r, err
	}
	f, err := os.Create(kept)
	if err != nil {
		return r, err
	}
	return r, errors.Join(gob.NewEncoder(f).Encode(r), f.Close())
}

// record configures simulated devices, and asks them when the network between them has come to rest.
func (r *answerBook) record(t *testing.T) error {
	s, err := simulation{bgp: bgpComputed}.start(t.Context(), r.network.design)
	if err != nil {
		return err
	}
	defer s.Close()
	for name, tree := range r.network.trees {
		val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: tree.AppendJSON(nil, false)}}
		if err := s.Device(name).Apply(&gnmi.SetRequest{Update: []*gnmi.Update{{Path: &gnmi.Path{}, Val: val}}}); err != nil {
			return err
		}
	}
	const tick = 100 * time.Millisecond
	for quiet, spent := 0, processorTime(); quiet < 20; quiet++ {
		<-time.After(tick)
		if now := processorTime(); now-spent > tick/3 {
			quiet, spent = 0, now
		} else {
			spent = now
		}
	}
	access, err := newResolver(r.network.design.Login, s.Inventory())
	if err != nil {
		return err
	}
	r.Answers, r.Leaf = map[string]map[string][]byte{}, map[string][]byte{}
	var mu sync.Mutex
	return sideBySide(nil, sortedKeys(r.network.trees), func(name string) error {
		answers, err := r.ask(t.Context(), access, name)
		mu.Lock()
		defer mu.Unlock()
		r.Answers[name] = answers
		return err
	})
}

// ask asks one device what a controller asks.
func (r *answerBook) ask(ctx context.Context, access *resolver, name string) (map[string][]byte, error) {
	d := r.network.design.Device(name)
	to, err := access.target(d)
	if err != nil {
		return nil, err
	}
	creds := credentials.NewTLS(&tls.Config{RootCAs: to.CA, ServerName: name})
	conn, err := grpc.NewClient("passthrough:///"+to.Address, grpc.WithTransportCredentials(creds), grpc.WithPerRPCCredentials(bareLogin(r.userOf(access))))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	out := map[string][]byte{}
	capabilities, err := gnmi.NewGNMIClient(conn).Capabilities(ctx, &gnmi.CapabilityRequest{})
	if err != nil {
		return nil, err
	}
	if out[""], err = proto.Marshal(capabilities); err != nil {
		return nil, err
	}
	for _, req := range questions(drivers[d.OS]) {
		answer, err := gnmi.NewGNMIClient(conn).Get(ctx, req, grpc.MaxCallRecvMsgSize(mostMessage))
		if err != nil {
			return nil, err
		}
		if out[questionText(req)], err = proto.Marshal(answer); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *answerBook) userOf(a *resolver) [2]string { return [2]string{a.username, a.password} }

// questions are what a controller reads of a device without light.
func questions(drv *driver.Driver) []*gnmi.GetRequest {
	ask := func(what gnmi.GetRequest_DataType, texts ...string) *gnmi.GetRequest {
		return &gnmi.GetRequest{Type: what, Encoding: gnmi.Encoding_JSON_IETF, Path: protoPaths(texts)}
	}
	return []*gnmi.GetRequest{
		ask(gnmi.GetRequest_ALL, drv.Identity.Version, drv.Identity.Chassis),
		ask(gnmi.GetRequest_CONFIG, drv.Manners.ReadPaths...),
		ask(gnmi.GetRequest_ALL, drv.ObservePaths...),
	}
}

func protoPaths(texts []string) []*gnmi.Path {
	out := make([]*gnmi.Path, len(texts))
	for i, p := range mustPaths(texts) {
		out[i] = p.GNMI()
	}
	return out
}

// questionText is by what the answer to a Get is found again.
func questionText(req *gnmi.GetRequest) string {
	var b strings.Builder
	b.WriteString(req.GetType().String())
	for _, p := range req.GetPath() {
		for _, e := range p.GetElem() {
			b.WriteString("/" + e.GetName())
		}
		b.WriteString(" ")
	}
	return b.String()
}

// bareLogin is a user and a password.
type bareLogin [2]string

func (l bareLogin) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"username": l[0], "password": l[1]}, nil
}
func (bareLogin) RequireTransportSecurity() bool { return true }

// farmed are the devices of a farm that answer what was recorded.
type farmed struct {
	inventory device.Inventory
	server    *grpc.Server
	answers   map[string]map[string][]byte // by local address and question
	tells     map[string][]byte            // by local address
	rate      atomic.Int64                 // leaves a second, of all devices together
	begun     chan struct{}                // closed when the first flood begins
}

// farm lets devices answer, each at an address of its own and with a certificate of its own.
func (r *answerBook) farm() (*farmed, error) {
	f := &farmed{answers: map[string]map[string][]byte{}, tells: map[string][]byte{}, begun: make(chan struct{})}
	ca, err := auth.NewAuthority("devices", time.Now(), rand.Reader)
	if err != nil {
		return nil, err
	}
	mine, err := ca.Client("loom", nil, time.Now(), rand.Reader)
	if err != nil {
		return nil, err
	}
	f.inventory = device.Inventory{CA: string(ca.Pair().Certificate), Cert: string(mine.Certificate), Key: string(mine.Key), Username: r.user[0], Password: r.user[1]}
	certificates := map[string]*tls.Certificate{}
	var listeners []net.Listener
	for _, name := range sortedKeys(r.Answers) {
		if name == r.first {
			continue
		}
		pair, err := ca.Server([]string{name}, time.Now(), rand.Reader)
		if err != nil {
			return nil, err
		}
		cert, err := tls.X509KeyPair(pair.Certificate, pair.Key)
		if err != nil {
			return nil, err
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		at := l.Addr().String()
		listeners, certificates[at], f.answers[at] = append(listeners, l), &cert, r.Answers[name]
		if f.tells[at], err = r.leafOf(name); err != nil {
			return nil, err
		}
		f.inventory.Devices = append(f.inventory.Devices, device.InventoryEntry{Name: name, Address: at})
	}
	f.server = grpc.NewServer(grpc.ForceServerCodec(bytesAlone{}), grpc.UnknownServiceHandler(f.serve), grpc.Creds(credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(), SessionTicketsDisabled: true,
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return certificates[h.Conn.LocalAddr().String()], nil
		},
	})))
	for _, l := range listeners {
		go func() { _ = f.server.Serve(l) }()
	}
	return f, nil
}

// simulate simulates the one device that can be changed.
func (r *answerBook) simulate(t *testing.T, f *farmed) (*sim.Sim, error) {
	d := r.network.design.Device(r.first)
	s, err := sim.Start(t.Context(), sim.Config{Username: r.user[0], Password: r.user[1], Devices: []sim.Spec{{
		Name: d.Name, Platform: d.Platform.Name, Release: d.Release, Driver: drivers[d.OS], Software: software[d.OS], Ports: jacks(d.Platform),
	}}})
	if err != nil {
		return nil, err
	}
	val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: r.network.trees[r.first].AppendJSON(nil, false)}}
	inv := s.Inventory()
	f.inventory.CA += inv.CA
	f.inventory.Devices = append(f.inventory.Devices, inv.Devices...)
	return s, s.Device(r.first).Apply(&gnmi.SetRequest{Update: []*gnmi.Update{{Path: &gnmi.Path{}, Val: val}}})
}

// leafOf is a notification of a leaf that a device has, with the value that it has.
func (r *answerBook) leafOf(name string) ([]byte, error) {
	const path = "/interface[name=mgmt0]/admin-state"
	c := r.network.trees[name].Find(mustPath(path))
	val := &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: "enable"}}
	if c.Valid() {
		val.Value = &gnmi.TypedValue_StringVal{StringVal: c.Value()}
	}
	return proto.Marshal(&gnmi.SubscribeResponse{Response: &gnmi.SubscribeResponse_Update{Update: &gnmi.Notification{
		Timestamp: time.Now().UnixNano(), Update: []*gnmi.Update{{Path: mustPath(path).GNMI(), Val: val}},
	}}})
}

// bytesAlone is a codec that leaves messages as they are.
type bytesAlone struct{}

func (bytesAlone) Name() string                       { return "proto" }
func (bytesAlone) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (bytesAlone) Unmarshal(data []byte, v any) error { *v.(*[]byte) = data; return nil }

// serve answers one call.
func (f *farmed) serve(_ any, stream grpc.ServerStream) error {
	who, _ := peer.FromContext(stream.Context())
	at := who.LocalAddr.String()
	var asked []byte
	if err := stream.RecvMsg(&asked); err != nil {
		return err
	}
	method, _ := grpc.MethodFromServerStream(stream)
	key := ""
	switch method {
	case gnmi.GNMI_Subscribe_FullMethodName:
		return f.follow(stream, at, asked)
	case gnmi.GNMI_Get_FullMethodName:
		var req gnmi.GetRequest
		if err := proto.Unmarshal(asked, &req); err != nil {
			return err
		}
		key = questionText(&req)
	}
	answer, ok := f.answers[at][key]
	if !ok {
		return status.Errorf(codes.Unimplemented, "%s: nobody has asked %q before", method, key)
	}
	return stream.SendMsg(&answer)
}

// follow says that it has told all, and tells of a leaf again and again, if anything: who is told of configuration.
func (f *farmed) follow(stream grpc.ServerStream, at string, asked []byte) error {
	var req gnmi.SubscribeRequest
	if err := proto.Unmarshal(asked, &req); err != nil {
		return err
	}
	synced, err := proto.Marshal(&gnmi.SubscribeResponse{Response: &gnmi.SubscribeResponse_SyncResponse{SyncResponse: true}})
	if err != nil {
		return err
	}
	if err := stream.SendMsg(&synced); err != nil {
		return err
	}
	elements := req.GetSubscribe().GetSubscription()[0].GetPath().GetElem()
	begun := f.begun
	if elements[len(elements)-1].GetName() != "name" { // what is observed
		begun = nil
	}
	select {
	case <-stream.Context().Done():
		return stream.Context().Err()
	case <-begun:
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	leaf, owed := f.tells[at], 0.0
	for last := time.Now(); ; {
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case now := <-tick.C:
			owed += now.Sub(last).Seconds() * float64(f.rate.Load()) / float64(len(f.answers))
			for last = now; owed >= 1; owed-- {
				if err := stream.SendMsg(&leaf); err != nil {
					return err
				}
			}
		}
	}
}
