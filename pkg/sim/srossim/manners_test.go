package srossim

import (
	"slices"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	driving "github.com/loomfabric/loom/pkg/sros"
)

// router is one that runs, as it comes from the factory, and how many clients of it there are to be.
func router(t *testing.T, clients int) (*sim.Device, []gnmi.GNMIClient) {
	t.Helper()
	h := chassis(t)
	s, err := sim.Start(t.Context(), sim.Config{
		Devices:  []sim.Spec{{Name: "gw1", Platform: h.Platform, Driver: driving.Driver(), Software: Software(), Ports: h.Ports}},
		Username: "admin", Password: "secret", Clock: sim.NewManualClock(now),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	inv := s.Inventory()
	pool, err := inv.Pool()
	if err != nil {
		t.Fatal(err)
	}
	var out []gnmi.GNMIClient
	for range clients {
		conn, err := grpc.NewClient("passthrough:///"+inv.Devices[0].Address, grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(pool, "gw1")))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		out = append(out, gnmi.NewGNMIClient(conn))
	}
	return s.Device("gw1"), out
}

func update(t *testing.T, path, value string) *gnmi.Update {
	t.Helper()
	p, err := config.ParsePath(path)
	if err != nil {
		t.Fatal(err)
	}
	return &gnmi.Update{Path: p.GNMI(), Val: &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(value)}}}
}

func TestRefusalsAreWordedAsTheRouterDoes(t *testing.T) {
	t.Parallel()
	device, clients := router(t, 1)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "username", "admin", "password", "secret")
	before := device.Running()
	for name, c := range map[string]struct{ path, value, want string }{
		"an element that there is not": {"/configure/router[router-name=Base]/bgp/groups", `{}`,
			`MINOR: MGMT_CORE #2201: /configure router "Base" bgp groups - Unknown element`},
		"a slot that there is not": {"/configure/card[slot-number=7]/card-type", `"xcm-1s"`,
			`MINOR: MGMT_CORE #2301: /configure card "7" - Invalid element value - 7750-SR-1s has no slot 7`},
	} {
		_, err := clients[0].Set(ctx, &gnmi.SetRequest{Update: []*gnmi.Update{update(t, c.path, c.value)}})
		if got := status.Convert(err); got.Code() != codes.InvalidArgument || got.Message() != c.want {
			t.Errorf("%s: got %v %q, want %q", name, got.Code(), got.Message(), c.want)
		}
	}
	if !config.Equal(device.Running(), before) {
		t.Error("something was changed")
	}
}

// What is accepted is saved (/configure/system/grpc/gnmi/auto-config-save), and the order is that of the specification: what is
// deleted may come again in the same request.
func TestASetDeletesThenReplacesThenUpdates(t *testing.T) {
	t.Parallel()
	device, clients := router(t, 1)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "username", "admin", "password", "secret")
	const contact = "/configure/system/contact"
	_, err := clients[0].Set(ctx, &gnmi.SetRequest{
		Update:  []*gnmi.Update{update(t, contact, `"last"`)},
		Replace: []*gnmi.Update{update(t, contact, `"second"`)},
		Delete:  []*gnmi.Path{update(t, contact, `""`).GetPath()},
	})
	if err != nil {
		t.Fatal(err)
	}
	shows(t, device.Startup(), map[string]string{contact: "last"})
}

// The ninth client is refused, and let in when another has gone (SR OS documentation, gRPC: eight sessions for all clients).
func TestEightClientsAreEnough(t *testing.T) {
	t.Parallel()
	_, clients := router(t, 9)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "username", "admin", "password", "secret")
	var got []codes.Code
	for _, c := range clients {
		_, err := c.Capabilities(ctx, &gnmi.CapabilityRequest{})
		got = append(got, status.Code(err))
	}
	want := append(slices.Repeat([]codes.Code{codes.OK}, 8), codes.ResourceExhausted)
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}
