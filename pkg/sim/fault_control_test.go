package sim_test

import (
	"context"
	"io"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simapi"
)

// remote is a stage that is controlled over its service.
type remote struct {
	*stage
	calls     context.Context // without the login, which the client adds
	client    *simapi.Client
	inventory device.Inventory
}

func newRemote(t *testing.T) *remote {
	t.Helper()
	s := newStage(t)
	if _, err := simapi.Dial(s.sim.Inventory()); err == nil {
		t.Error("an inventory without a simulation was taken")
	}
	s.check(s.sim.ServeControl())
	r := &remote{stage: s, inventory: s.sim.Inventory()}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	r.calls = ctx
	r.client = r.dial(r.inventory)
	return r
}

func (r *remote) dial(inv device.Inventory) *simapi.Client {
	r.Helper()
	c, err := simapi.Dial(inv)
	r.check(err)
	r.Cleanup(func() { c.Close() })
	return c
}

func (r *remote) injectAs(kind, target string, parameters map[string]string) (string, error) {
	resp, err := r.client.Inject(r.calls, &simapi.InjectRequest{Fault: &simapi.Fault{Kind: kind, Target: target, Parameters: parameters}})
	return resp.GetId(), err
}

func TestTheServiceInjectsListsAndClears(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	id, err := r.injectAs("refuse", "leaf1", map[string]string{"code": "UNAVAILABLE"})
	r.check(err)
	_, err = r.injectAs("cut", cableOne, nil)
	r.check(err)
	r.refuses(r.set(r.mtu("9000")), codes.Unavailable, "")
	list, err := r.client.List(r.calls, &simapi.ListRequest{})
	r.check(err)
	if f := list.GetFaults(); len(f) != 2 || f[0].GetId() != id || f[0].GetStruck() != 1 || f[0].GetFault().GetParameters()["code"] != "UNAVAILABLE" || !f[0].GetSince().AsTime().Equal(r.clock.Now()) {
		t.Errorf("got %v", f)
	}
	_, err = r.client.Clear(r.calls, &simapi.ClearRequest{Ids: []string{id}})
	r.check(err)
	r.mustSet(r.mtu("9000"))
	cleared, err := r.client.Clear(r.calls, &simapi.ClearRequest{})
	r.check(err)
	if len(cleared.GetIds()) != 1 || len(r.sim.Faults()) != 0 {
		t.Errorf("cleared %v, active %v", cleared, r.sim.Faults())
	}
}

func TestTheServiceSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	_, err := r.injectAs("stall", "leaf9", nil)
	r.refuses(err, codes.InvalidArgument, `device "leaf9"`)
	_, err = r.injectAs("stall", "leaf1", map[string]string{"x": "1"})
	r.refuses(err, codes.InvalidArgument, "x: no such parameter")
	_, err = r.client.Clear(r.calls, &simapi.ClearRequest{Ids: []string{"f9"}})
	r.refuses(err, codes.NotFound, `fault "f9" is not active`)
	for text, want := range map[string]codes.Code{"steps: [1]": codes.InvalidArgument, "steps: [{inject: stall leaf9}]": codes.InvalidArgument, "steps: [{accept: leaf1}]": codes.FailedPrecondition} {
		stream, err := r.client.Run(r.calls, &simapi.RunRequest{Name: "a.yaml", Scenario: []byte(text)})
		r.check(err)
		_, err = stream.Recv()
		r.refuses(err, want, "a.yaml:")
	}
}

func TestTheServiceIsForThoseWithTheLogin(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	r.inventory.Password = "guess"
	other := r.dial(r.inventory)
	_, err := other.List(r.calls, &simapi.ListRequest{})
	r.refuses(err, codes.Unauthenticated, "wrong user name or password")
	stream, err := other.Run(r.calls, &simapi.RunRequest{})
	r.check(err)
	_, err = stream.Recv()
	r.refuses(err, codes.Unauthenticated, "")
}

func TestTheServiceTellsWhatThereIs(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	r.mustSet(open(r.mtu("9000"), "a", time.Minute))
	devices, err := r.client.ListDevices(r.calls, &simapi.ListDevicesRequest{})
	r.check(err)
	d := devices.GetDevices()
	if len(d) != 2 || d[0].GetName() != "leaf1" || d[0].GetAddress() != r.device.Address() || d[0].GetPendingCommit() != "a" || d[1].GetBoots() != 0 {
		t.Errorf("got %v", d)
	}
	r.wants(devices.GetCables(), cableOne, cableTwo)
	kinds, err := r.client.ListKinds(r.calls, &simapi.ListKindsRequest{})
	r.check(err)
	if len(kinds.GetKinds()) != len(sim.Kinds()) || len(kinds.GetParameters()) != len(sim.Parameters()) {
		t.Errorf("got %v", kinds)
	}
}

func TestTheServiceSavesAndAccepts(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	save := func(device string) error {
		_, err := r.client.Save(r.calls, &simapi.SaveRequest{Device: device})
		return err
	}
	r.mustSet(open(r.mtu("9000"), "a", time.Minute))
	r.refuses(save("leaf1"), codes.FailedPrecondition, `commit "a" waits for its confirmation`)
	resp, err := r.client.Accept(r.calls, &simapi.AcceptRequest{Device: "leaf1"})
	if err != nil || resp.GetCommit() != "a" {
		t.Errorf("got %v, %v", resp, err)
	}
	_, err = r.client.Accept(r.calls, &simapi.AcceptRequest{Device: "leaf1"})
	r.refuses(err, codes.FailedPrecondition, "no commit is waiting")
	r.clock.Advance(time.Minute)
	r.has(mtuAt, "9000")
	if got := r.saved(mtuAt); got != "" {
		t.Errorf("accepting has saved %q", got)
	}
	r.check(save("leaf1"))
	if got := r.saved(mtuAt); got != "9000" {
		t.Errorf("saved %q", got)
	}
	r.refuses(save("leaf9"), codes.NotFound, `device "leaf9": there is none of this name; there is leaf1, leaf2`)
	_, err = r.client.Accept(r.calls, &simapi.AcceptRequest{Device: "leaf9"})
	r.refuses(err, codes.NotFound, "leaf9")
}

func TestTheServiceRunsScenarios(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	stream, err := r.client.Run(r.calls, &simapi.RunRequest{Name: "a.yaml", Scenario: []byte("steps: [{inject: stall leaf1}, {at: 10s, note: done}]")})
	r.check(err)
	first, err := stream.Recv()
	r.check(err)
	r.armed(10 * time.Second)
	r.clock.Advance(10 * time.Second)
	second, err := stream.Recv()
	r.check(err)
	if first.GetText() != "inject stall leaf1" || second.GetText() != "done" || second.GetStep() != 2 || second.GetAt().AsDuration() != 10*time.Second {
		t.Errorf("got %v, %v", first, second)
	}
	if _, err := stream.Recv(); err != io.EOF {
		t.Errorf("ended with %v", err)
	}
}
