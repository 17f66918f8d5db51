package sim_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openconfig/gnmi/proto/gnmi"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is one simulated device and a plain gNMI client of it.
type bench struct {
	*testing.T
	ctx    context.Context // with the right metadata
	sim    *sim.Sim
	device *sim.Device
	clock  *sim.ManualClock
	conn   *grpc.ClientConn
	gnmi   gnmi.GNMIClient
}

func newBench(t *testing.T, release string) *bench {
	t.Helper()
	spec := leaf1(nil)
	spec.Release = release
	return newBenchOf(t, spec)
}

// leaf1 is the device that most tests have.
func leaf1(s *sim.Software) sim.Spec {
	return sim.Spec{Name: "leaf1", Platform: simtest.Platform, Driver: simtest.Driver(), Software: s}
}

// use makes a connection the one that the bench speaks on.
func (b *bench) use(conn *grpc.ClientConn) {
	b.conn, b.gnmi = conn, gnmi.NewGNMIClient(conn)
}

// connect opens a connection that trusts the simulation's authority and the device's name, and shows
// certificates if it is asked for one.
func connect(t *testing.T, s *sim.Sim, name string, show ...tls.Certificate) *grpc.ClientConn {
	t.Helper()
	creds := credentials.NewTLS(&tls.Config{RootCAs: authority(t, s), ServerName: name, Certificates: show})
	return dial(t, s, name, creds)
}

// dial opens a connection to a device.
func dial(t *testing.T, s *sim.Sim, name string, creds credentials.TransportCredentials) *grpc.ClientConn {
	t.Helper()
	entry, _ := s.Inventory().Find(name)
	conn, err := grpc.NewClient("passthrough:///"+entry.Address, grpc.WithTransportCredentials(creds), grpc.WithUserAgent("bench"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// authority returns who signed the devices' certificates.
func authority(t *testing.T, s *sim.Sim) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(s.Inventory().CA)) {
		t.Fatal("the inventory has no authority")
	}
	return pool
}

func (b *bench) path(s string) config.Path {
	b.Helper()
	p, err := config.ParsePath(s)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func (b *bench) update(at, value string) *gnmi.Update {
	b.Helper()
	return &gnmi.Update{Path: b.path(at).GNMI(), Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(value)}}}
}

// put returns a request with one update.
func (b *bench) put(at, value string) *gnmi.SetRequest {
	b.Helper()
	return &gnmi.SetRequest{Update: []*gnmi.Update{b.update(at, value)}}
}

func (b *bench) set(req *gnmi.SetRequest) error {
	_, err := b.gnmi.Set(b.ctx, req)
	return err
}

func (b *bench) mustSet(req *gnmi.SetRequest) {
	b.Helper()
	if err := b.set(req); err != nil {
		b.Fatal(err)
	}
}

// running returns one leaf of the running configuration.
func (b *bench) running(at string) string {
	b.Helper()
	return b.device.Running().Find(b.path(at)).Value()
}

// get returns the updates of a Get as "path value".
func (b *bench) get(what gnmi.GetRequest_DataType, paths ...string) ([]string, error) {
	b.Helper()
	req := &gnmi.GetRequest{Type: what, Encoding: gnmi.Encoding_JSON_IETF}
	for _, p := range paths {
		req.Path = append(req.Path, b.path(p).GNMI())
	}
	resp, err := b.gnmi.Get(b.ctx, req)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, n := range resp.GetNotification() {
		out = append(out, told(n)...)
	}
	return out, nil
}

// told returns what a notification says, as "path value" and "-path".
func told(n *gnmi.Notification) []string {
	var out []string
	for _, p := range n.GetDelete() {
		path, _ := config.FromGNMI(n.GetPrefix(), p)
		out = append(out, "-"+path.String())
	}
	for _, u := range n.GetUpdate() {
		path, _ := config.FromGNMI(n.GetPrefix(), u.GetPath())
		out = append(out, path.String()+" "+compact(u.GetVal().GetJsonIetfVal()))
	}
	return out
}

func compact(data []byte) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.Encode(json.RawMessage(data))
	return strings.TrimSpace(b.String())
}

// wants fails where a list differs.
func (b *bench) wants(got []string, want ...string) {
	b.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("(-want +got)\n%s", diff)
	}
}

// refuses fails unless an error has a code and a text.
func (b *bench) refuses(err error, code codes.Code, text string) {
	b.Helper()
	if status.Code(err) != code || !strings.Contains(status.Convert(err).Message(), text) {
		b.Errorf("got %v, want %s with %q", err, code, text)
	}
}

func TestGetAnswersByTypeAndPath(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(&gnmi.SetRequest{Update: []*gnmi.Update{
		b.update("/interface[name=e1]", `{"mtu":9000,"admin-state":"disable","vlan-tagging":true}`),
		b.update("/interface[name=e2]", `{"admin-state":"enable"}`),
		b.update("/policy[name=p]", `{"tag":["b","a"],"statement":[{"name":"z"},{"name":"a","action":"drop"}]}`),
	}})
	const mgmt = `{"test-interfaces:name":"mgmt0","test-interfaces:subinterface":[{"index":0}]}`
	for name, c := range map[string]struct {
		what gnmi.GetRequest_DataType
		path string
		want []string
	}{
		"a leaf":                 {gnmi.GetRequest_CONFIG, "/interface[name=e1]/mtu", []string{`/interface[name=e1]/mtu 9000`}},
		"a leaf that is not set": {gnmi.GetRequest_CONFIG, "/interface[name=e1]/description", nil},
		"a leaf with its default is left out of configuration": {gnmi.GetRequest_CONFIG, "/interface[name=e2]/admin-state", nil},
		"a leaf with its default is in the rest":               {gnmi.GetRequest_ALL, "/interface[name=e2]/admin-state", []string{`/interface[name=e2]/admin-state "enable"`}},
		"an entry":                                             {gnmi.GetRequest_CONFIG, "/interface[name=e1]", []string{`/interface[name=e1] {"test-interfaces:name":"e1","test-interfaces:admin-state":"disable","test-interfaces:mtu":9000,"test-vlans:vlan-tagging":true}`}},
		"an entry that is not there":                           {gnmi.GetRequest_CONFIG, "/interface[name=e3]", nil},
		"an entry with nothing but its key":                    {gnmi.GetRequest_CONFIG, "/interface[name=e2]", []string{`/interface[name=e2] {"test-interfaces:name":"e2"}`}},
		"a leaf of all entries": {gnmi.GetRequest_CONFIG, "/interface[name=*]/mtu",
			[]string{`/ {"test-interfaces:interface":[{"name":"e1","mtu":9000}]}`}},
		"a leaf of all entries without keys": {gnmi.GetRequest_STATE, "/interface/oper-state",
			[]string{`/ {"test-interfaces:interface":[{"name":"e1","oper-state":"down"},{"name":"e2","oper-state":"up"},{"name":"mgmt0","oper-state":"up"}]}`}},
		"a wildcard in the middle": {gnmi.GetRequest_CONFIG, "/policy[name=p]/statement[name=*]/action",
			[]string{`/policy[name=p] {"test-policy:name":"p","test-policy:statement":[{"name":"a","action":"drop"}]}`}},
		"an ordered list in its order": {gnmi.GetRequest_CONFIG, "/policy[name=p]/statement",
			[]string{`/policy[name=p] {"test-policy:name":"p","test-policy:statement":[{"name":"z"},{"name":"a","action":"drop"}]}`}},
		"a leaf-list": {gnmi.GetRequest_CONFIG, "/policy[name=p]/tag", []string{`/policy[name=p]/tag ["a","b"]`}},
		"any name":    {gnmi.GetRequest_CONFIG, "/interface[name=e1]/*", []string{`/interface[name=e1] {"test-interfaces:name":"e1","test-interfaces:admin-state":"disable","test-interfaces:mtu":9000,"test-vlans:vlan-tagging":true}`}},
		"state":       {gnmi.GetRequest_STATE, "/system", []string{`/system {"test-system:information":{"version":"v25.3.1-1-g0000000"}}`}},
		"what the schema does not know": {gnmi.GetRequest_CONFIG, "/system",
			[]string{`/system {"test-system:name":{"host-name":"leaf1"}}`, `/system/grpc-server [{"name":"mgmt","admin-state":"enable"}]`}},
		"what the schema does not know, deep in a list": {gnmi.GetRequest_CONFIG, "/interface[name=mgmt0]",
			[]string{`/interface[name=mgmt0] ` + mgmt, `/interface[name=mgmt0]/subinterface[index=0]/ipv4/dhcp-client {}`}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := b.get(c.what, c.path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// bareNames drops the module names of the test schema.
func bareNames(s string) string {
	for _, m := range simtest.Schema().Modules {
		s = strings.ReplaceAll(s, m+":", "")
	}
	return s
}

// RFC 7951 §4: at the top of a value, where the module changes, and nowhere else.
func TestGetQualifiesNamesWhereTheModuleChanges(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(b.put("/interface[name=e1]/vlan-tagging", "true"))
	for path, want := range map[string]string{
		"/interface[name=e1]": `/interface[name=e1] {"test-interfaces:name":"e1","test-vlans:vlan-tagging":true}`,
		"/interface":          `/ {"test-interfaces:interface":[{"name":"e1","test-vlans:vlan-tagging":true},{"name":"mgmt0","subinterface":[{"index":0}]}]}`,
	} {
		got, err := b.get(gnmi.GetRequest_CONFIG, path)
		if err != nil {
			t.Fatal(err)
		}
		b.wants(got[:1], want)
	}
}

func TestGetHonoursThePrefix(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	resp, err := b.gnmi.Get(b.ctx, &gnmi.GetRequest{
		Prefix:   &gnmi.Path{Target: "leaf1", Origin: "native", Elem: b.path("/system").GNMI().GetElem()},
		Path:     []*gnmi.Path{b.path("/name/host-name").GNMI()},
		Encoding: gnmi.Encoding_JSON_IETF,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.wants(told(resp.GetNotification()[0]), `/system/name/host-name "leaf1"`)
	if got := resp.GetNotification()[0].GetPrefix().GetTarget(); got != "leaf1" {
		t.Errorf("target = %q", got)
	}
}

func TestReadsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	_, err := b.gnmi.Get(b.ctx, &gnmi.GetRequest{Path: []*gnmi.Path{{}}})
	b.refuses(err, codes.Unimplemented, "received encoding: 0")
	_, err = b.get(gnmi.GetRequest_ALL, "/interface[name=e1]/state")
	b.refuses(err, codes.InvalidArgument, "Path not valid - unknown element 'state'. Options are [name, description, admin-state, ")
	_, err = b.get(gnmi.GetRequest_ALL, "/interface[index=e1]")
	b.refuses(err, codes.InvalidArgument, "'index' is not a key of 'interface'")
	_, err = b.gnmi.Get(b.ctx, &gnmi.GetRequest{Path: []*gnmi.Path{{Origin: "openconfig"}}, Encoding: gnmi.Encoding_JSON_IETF})
	b.refuses(err, codes.Unimplemented, "openconfig")
	old := newBench(t, simtest.Old)
	_, err = old.get(gnmi.GetRequest_ALL, "/interface[name=e1]/ethernet/reload-delay")
	old.refuses(err, codes.InvalidArgument, "unknown element 'reload-delay'. Options are [aggregate-id]")
}

func TestStartRefusesWhatItCannotRun(t *testing.T) {
	t.Parallel()
	good := func() sim.Spec { return leaf1(nil) }
	for name, c := range map[string]struct {
		change func(*sim.Spec)
		want   string
	}{
		"the same name twice": {func(*sim.Spec) {}, "sim: leaf1: two devices have this name"},
		"no driver":           {func(s *sim.Spec) { s.Name, s.Driver = "x", nil }, "sim: x: no driver"},
		"an unknown release":  {func(s *sim.Spec) { s.Name, s.Release = "x", "19.6" }, `sim: x: release "19.6" is not one of [23.10 24.10 25.3]`},
		"a factory that is no configuration": {func(s *sim.Spec) {
			s.Name, s.Driver = "x", with(func(d *driver.Driver) {
				d.Factory = func(string, string, string) []byte { return []byte(`{"interface":1}`) }
			})
		}, "sim: x: factory configuration: "},
		"a factory that the device would refuse": {func(s *sim.Spec) {
			s.Name, s.Driver = "x", with(func(d *driver.Driver) {
				d.Factory = func(string, string, string) []byte {
					return []byte(`{"interface":[{"name":"e1","ethernet":{"aggregate-id":"lag1"}}]}`)
				}
			})
		}, "sim: x: factory configuration: "},
		"a driver that cannot read itself": {func(s *sim.Spec) {
			s.Name, s.Driver = "x", with(func(d *driver.Driver) { d.Identity.Release = func(string) string { return "" } })
		}, "sim: x: release: "},
		"an address that is none": {func(s *sim.Spec) { s.Name, s.Address = "x", "nonsense" }, "sim: x: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			second := good()
			c.change(&second)
			s, err := sim.Start(t.Context(), sim.Config{Devices: []sim.Spec{good(), second}})
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

// with returns the test driver, changed.
func with(change func(*driver.Driver)) *driver.Driver {
	d := simtest.Driver()
	change(d)
	return d
}

func TestDevicesListenOnAddressesOfTheirOwn(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	spec := func(name, addr string) sim.Spec {
		return sim.Spec{Name: name, Platform: simtest.Platform, Driver: simtest.Driver(), Address: addr}
	}
	s, err := sim.Start(t.Context(), sim.Config{Devices: []sim.Spec{spec("a", ""), spec("b", ""), spec("c", taken.Addr().String())}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	seen := map[string]bool{taken.Addr().String(): true}
	for _, e := range s.Inventory().Devices {
		if seen[e.Address] {
			t.Errorf("%s: %s is taken", e.Name, e.Address)
		}
		seen[e.Address] = true
		conn, err := net.Dial("tcp", e.Address)
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		conn.Close()
	}
}
