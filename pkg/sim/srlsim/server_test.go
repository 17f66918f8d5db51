package srlsim

import (
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
	defaults := sim.Server{Name: "mgmt", RateLimit: 60, Sessions: 20, Streams: 36, Idle: 2 * time.Hour}
	with := func(change func(*sim.Server)) sim.Server {
		s := defaults
		change(&s)
		return s
	}
	mgmt := func(rest string) string {
		return `{"system":{"grpc-server":[{"name":"a"},{"name":"mgmt","admin-state":"enable"` + rest + `},{"name":"z","admin-state":"enable"}]}}`
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
		{"paths in a subscription", `{"system":{"grpc-server":[{"name":"mgmt","admin-state":"enable"}],"configuration":{"max-paths-per-subscription-request":100}}}`,
			with(func(s *sim.Server) { s.Streams = 100 })},
		{"clients have to show a certificate", strings.Replace(mgmt(`,"tls-profile":"p"`), `"system":{`, `"system":{"tls":{"server-profile":[{"name":"p","authenticate-client":true,"trust-anchor":"PEM"}]},`, 1),
			with(func(s *sim.Server) { s.ClientCA = []byte("PEM") })},
		{"a trust anchor alone asks for no certificate", strings.Replace(mgmt(`,"tls-profile":"p"`), `"system":{`, `"system":{"tls":{"server-profile":[{"name":"p","trust-anchor":"PEM"}]},`, 1), defaults},
		{"the first that is enabled serves where mgmt does not", `{"system":{"grpc-server":[{"name":"a"},{"name":"b","admin-state":"enable"},{"name":"mgmt"}]}}`,
			with(func(s *sim.Server) { s.Name = "b" })},
		{"without a server there are no limits", `{}`, sim.Server{}},
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

// A device as it leaves the factory has to bear the pace of a controller.
func TestTheFactoryConfigurationLiftsTheRateLimit(t *testing.T) {
	t.Parallel()
	for _, release := range releases {
		got := server(parse(t, release, string(srlinux.Factory("leaf1", "7220-IXR-D2L", release))))
		if got.RateLimit < 10000 || got.Name != "mgmt" || got.ClientCA != nil || got.Anonymous {
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
