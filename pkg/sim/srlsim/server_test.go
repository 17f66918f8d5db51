package srlsim

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/srlinux"
)

func TestTheServerIsAsConfigured(t *testing.T) {
	t.Parallel()
	defaults := sim.Server{Door: sim.Door{Plain: true, NoGNOI: true}, Name: "mgmt", RateLimit: 60, Sessions: 20, Streams: 36, Idle: 2 * time.Hour}
	with := func(change func(*sim.Server)) sim.Server {
		s := defaults
		change(&s)
		return s
	}
	tls := func(s *sim.Server) { s.Plain = false }
	mgmt := func(rest string) string {
		return managedBy(`{"name":"a"},` + serving("mgmt", rest) + `,` + serving("z", `,"port":57401`))
	}
	for _, c := range []struct {
		name, document string
		want           sim.Server
	}{
		{"what is absent has its default", mgmt(``), defaults},
		{"limits", mgmt(`,"rate-limit":65000,"session-limit":5,"timeout":0`), with(func(s *sim.Server) { s.RateLimit, s.Sessions, s.Idle = 65000, 5, 0 })},
		{"nobody has to log in", mgmt(`,"metadata-authentication":false`), with(func(s *sim.Server) { s.Anonymous = true })},
		{"commits", mgmt(`,"gnmi":{"commit-save":true,"commit-confirmed-timeout":30,"include-defaults-in-config-only-responses":true}`),
			with(func(s *sim.Server) { s.CommitSave, s.Confirm, s.Defaults = true, 30*time.Second, true })},
		{"paths without an origin mean OpenConfig", mgmt(`,"yang-models":"openconfig"`), with(func(s *sim.Server) { s.Origin = "openconfig" })},
		{"paths in a subscription", strings.Replace(mgmt(``), `"system":{`, `"system":{"configuration":{"max-paths-per-subscription-request":100},`, 1),
			with(func(s *sim.Server) { s.Streams = 100 })},
		{"clients have to show a certificate", strings.Replace(mgmt(`,"tls-profile":"p"`), `"system":{`, `"system":{"tls":{"server-profile":[{"name":"p","authenticate-client":true,"trust-anchor":"PEM"}]},`, 1),
			with(func(s *sim.Server) { tls(s); s.ClientCA = []byte("PEM") })},
		{"a trust anchor alone asks for no certificate", strings.Replace(mgmt(`,"tls-profile":"p"`), `"system":{`, `"system":{"tls":{"server-profile":[{"name":"p","trust-anchor":"PEM"}]},`, 1), with(tls)},
		{"a certificate that the router makes is one too", mgmt(`,"default-tls-profile":true`), with(tls)},
		{"gNOI may be served in parts", mgmt(`,"services":["gnmi","gnoi.file"]`), with(func(s *sim.Server) { s.NoGNOI = false })},
		{"gNMI may be left out", mgmt(`,"services":["gnoi","gribi"]`), with(func(s *sim.Server) { s.NoGNMI, s.NoGNOI = true, false })},
		{"the first that is reached serves where mgmt does not", managedBy(`{"name":"a"},` + serving("b", ``) + `,{"name":"mgmt"}`),
			with(func(s *sim.Server) { s.Name = "b" })},
		{"one that is reached comes before mgmt at another port", managedBy(serving("b", ``) + `,` + serving("mgmt", `,"port":50052`)),
			with(func(s *sim.Server) { s.Name = "b" })},
		{"without a server nobody is served", `{}`, sim.Server{Door: sim.Door{Shut: true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, release := range releases {
				if got := server(parse(t, release, c.document)); !reflect.DeepEqual(got, c.want) {
					t.Errorf("%s: got %+v, want %+v", release, got, c.want)
				}
			}
		})
	}
}

// serving is a server that clients get in to, for which the rest may say something else.
func serving(name, rest string) string {
	all := map[string]any{"name": name, "admin-state": "enable", "network-instance": "mgmt", "services": []string{"gnmi"}}
	if err := json.Unmarshal([]byte(`{`+strings.TrimPrefix(rest, ",")+`}`), &all); err != nil {
		panic(err)
	}
	text, _ := json.Marshal(all)
	return string(text)
}

// managedBy is a document with servers, and the management network that they are reached over.
func managedBy(servers string) string {
	return `{"interface":[{"name":"mgmt0","subinterface":[{"index":0,"ipv4":{"admin-state":"enable","dhcp-client":{}}}]}],` +
		`"network-instance":[{"name":"mgmt","interface":[{"name":"mgmt0.0"}]}],"system":{"grpc-server":[` + servers + `]}}`
}

func TestADoorIsShutByWhatAClientNeedsOnItsWay(t *testing.T) {
	t.Parallel()
	plain := sim.Door{Plain: true, NoGNOI: true}
	shut := sim.Door{Shut: true}
	document := managedBy(serving("mgmt", ``))
	for _, c := range []struct {
		name, old, new string
		want           sim.Door
	}{
		{"nothing is missing", ``, ``, plain},
		{"the server is disabled", `"admin-state":"enable","name":"mgmt"`, `"admin-state":"disable","name":"mgmt"`, shut},
		{"it serves nothing", `["gnmi"]`, `[]`, shut},
		{"it listens at another port", `"services"`, `"port":50052,"services"`, shut},
		{"it has no instance", `"network-instance":"mgmt",`, ``, shut},
		{"its instance is another one", `"network-instance":"mgmt"`, `"network-instance":"default"`, shut},
		{"its instance is disabled", `{"name":"mgmt","interface"`, `{"name":"mgmt","admin-state":"disable","interface"`, shut},
		{"its instance has no interface", `[{"name":"mgmt0.0"}]`, `[]`, shut},
		{"its instance has another interface", `"mgmt0.0"`, `"ethernet-1/1.0"`, shut},
		{"its TLS profile is not there", `"services"`, `"tls-profile":"gone","services"`, shut},
		{"mgmt0 is disabled", `{"name":"mgmt0"`, `{"name":"mgmt0","admin-state":"disable"`, shut},
		{"the subinterface is disabled", `{"index":0`, `{"index":0,"admin-state":"disable"`, shut},
		{"IPv4 is disabled", `"admin-state":"enable","dhcp-client"`, `"admin-state":"disable","dhcp-client"`, shut},
		{"it has no address", `"dhcp-client":{}`, `"unnumbered":{}`, shut},
		{"it has an address of its own", `"dhcp-client":{}`, `"address":[{"ip-prefix":"192.0.2.1/24"}]`, plain},
		{"it has IPv6 only", `"ipv4"`, `"ipv6"`, plain},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(document, c.old, c.new, 1)
			if c.old != "" && changed == document {
				t.Fatalf("%s is not in %s", c.old, document)
			}
			for _, release := range releases {
				if got := server(parse(t, release, changed)).Door; got != c.want {
					t.Errorf("%s: got %+v, want %+v", release, got, c.want)
				}
			}
		})
	}
}

// A device as it leaves the factory has to bear the pace of a controller.
func TestTheFactoryConfigurationLiftsTheRateLimit(t *testing.T) {
	t.Parallel()
	for _, release := range releases {
		got := server(parse(t, release, string(srlinux.Factory("leaf1", "7220-IXR-D2L", release))))
		if got.RateLimit < 10000 || got.Name != "mgmt" || got.ClientCA != nil || got.Anonymous || got.Door != (sim.Door{}) {
			t.Errorf("%s: %+v", release, got)
		}
	}
}

func TestOnlyCountersAreSampled(t *testing.T) {
	t.Parallel()
	for id, want := range map[config.ID]bool{
		srl.InterfaceStatisticsInOctets: true, srl.InterfaceStatistics: true, srl.InterfaceOperState: false, srl.InterfaceTrafficRateInBps: false,
		srl.NetworkInstanceBridgeTableStatisticsActiveEntries: false, config.Root: false,
	} {
		if got := sampled(srl.Schema, id); got != want {
			t.Errorf("%s: %t", srl.Schema.Path(id), got)
		}
	}
}
