package device_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

const mtuPath = "/interface[name=e1]/mtu"

// mtu reads the one leaf that these tests change.
func mtu(t *testing.T, d *device.Device) string {
	t.Helper()
	tree, _, err := d.Get(t.Context(), []config.Path{path(t, "/interface")})
	if err != nil {
		t.Fatal(err)
	}
	return tree.Find(path(t, mtuPath)).Value()
}

func TestIdentifyReadsWhoADeviceIs(t *testing.T) {
	t.Parallel()
	_, d, _ := simulate(t, simtest.Middle)
	id, err := d.Identify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := id.Check(simtest.Middle, simtest.Platform); err != nil {
		t.Error(err)
	}
	if id.Chassis != "7220 IXR-D3L" && id.Chassis != simtest.Platform || !strings.Contains(id.Version, "24.10") {
		t.Errorf("got %+v", id)
	}
}

func TestGetReadsWhatADeviceRunsAndWhatIsForeign(t *testing.T) {
	t.Parallel()
	simulated, d, _ := simulate(t, simtest.New)
	tree, unknown, err := d.Get(t.Context(), []config.Path{path(t, "/interface"), path(t, "/policy"), path(t, "/system")})
	if err != nil {
		t.Fatal(err)
	}
	if !config.Equal(tree, simulated.Running()) {
		t.Errorf("got %s, want %s", tree.AppendJSON(nil, true), simulated.Running().AppendJSON(nil, true))
	}
	var foreign []string
	for _, u := range unknown {
		foreign = append(foreign, u.Path.String())
	}
	if got, want := strings.Join(foreign, " "), "/interface[name=mgmt0]/subinterface[index=0]/ipv4/dhcp-client /system/grpc-server"; got != want {
		t.Errorf("unknown: got %s, want %s", got, want)
	}
}

func TestSetIsJudgedByTheDevice(t *testing.T) {
	t.Parallel()
	_, d, _ := simulate(t, simtest.New)
	if err := d.Set(t.Context(), put(t, mtuPath, "9000"), nil); err != nil {
		t.Fatal(err)
	}
	if got := mtu(t, d); got != "9000" {
		t.Errorf("mtu = %q, want 9000", got)
	}
	err := d.Set(t.Context(), put(t, mtuPath, "9600"), nil)
	if !errors.Is(err, device.ErrRefused) || !strings.Contains(err.Error(), "9600") {
		t.Errorf("got %v", err)
	}
}

func TestCommitIsTakenBackUnlessItIsConfirmed(t *testing.T) {
	t.Parallel()
	_, d, clock := simulate(t, simtest.New)
	ctx := t.Context()
	set := func(id string, rollback time.Duration) {
		t.Helper()
		if err := d.Set(ctx, put(t, mtuPath, "9000"), &device.Commit{ID: id, Rollback: rollback}); err != nil {
			t.Fatal(err)
		}
		if got := mtu(t, d); got != "9000" {
			t.Fatalf("mtu = %q while the commit is open, want 9000", got)
		}
	}
	gone := func(why string) {
		t.Helper()
		if got := mtu(t, d); got != "" {
			t.Fatalf("mtu = %q %s, want none", got, why)
		}
	}

	set("a", time.Minute)
	clock.Advance(time.Minute)
	gone("after its time")

	set("b", time.Minute)
	if err := d.Cancel(ctx, "b"); err != nil {
		t.Fatal(err)
	}
	gone("after cancel")

	set("c", time.Minute)
	clock.Advance(59 * time.Second)
	if err := d.Extend(ctx, "c", time.Minute); err != nil {
		t.Fatal(err)
	}
	clock.Advance(59 * time.Second)
	if got := mtu(t, d); got != "9000" {
		t.Fatalf("mtu = %q after extend, want 9000", got)
	}
	clock.Advance(time.Second)
	gone("after the extended time")

	set("d", 0)
	clock.Advance(10*time.Minute - time.Second)
	if err := d.Confirm(ctx, "d"); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	if got := mtu(t, d); got != "9000" {
		t.Errorf("mtu = %q after confirm, want 9000", got)
	}
}

func TestCommitsAreRefusedWhereTheyCannotBe(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	_, old, _ := simulate(t, simtest.Old)
	_, d, _ := simulate(t, simtest.New)
	commit := &device.Commit{ID: "a", Rollback: time.Minute}
	for name, c := range map[string]struct {
		do   func() error
		want string
	}{
		"a release without the extension": {func() error { return old.Set(ctx, put(t, mtuPath, "9000"), commit) }, "testos 23.10 has no commit-confirmed extension"},
		"no id":                           {func() error { return d.Set(ctx, put(t, mtuPath, "9000"), &device.Commit{}) }, "needs an id"},
		"nothing to confirm":              {func() error { return d.Confirm(ctx, "a") }, "leaf3: confirm: refused: no commit is waiting"},
		"nothing to cancel":               {func() error { return d.Cancel(ctx, "a") }, "leaf3: cancel: refused: no commit is waiting"},
		"nothing to extend":               {func() error { return d.Extend(ctx, "a", time.Minute) }, "leaf3: extend: refused: no commit is waiting"},
	} {
		if err := c.do(); !errors.Is(err, device.ErrRefused) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want ErrRefused with %q", name, err, c.want)
		}
	}
	if got := mtu(t, old); got != "" {
		t.Errorf("the old release has mtu %q", got)
	}
}

func TestSaveMakesStartupFollowRunning(t *testing.T) {
	t.Parallel()
	_, d, _ := simulate(t, simtest.New)
	ctx := t.Context()
	saved := func() string {
		t.Helper()
		tree, _, err := d.Startup(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return tree.Find(path(t, mtuPath)).Value()
	}
	if err := d.Set(ctx, put(t, mtuPath, "9000"), nil); err != nil {
		t.Fatal(err)
	}
	if got := saved(); got != "" {
		t.Errorf("startup has mtu %q before it is saved", got)
	}
	if err := d.Save(ctx); err != nil {
		t.Fatal(err)
	}
	if got := saved(); got != "9000" {
		t.Errorf("startup has mtu %q after it is saved, want 9000", got)
	}
}

func TestStartupKeepsWhatIsForeign(t *testing.T) {
	t.Parallel()
	_, d, _ := simulate(t, simtest.New)
	tree, unknown, err := d.Startup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := tree.Find(path(t, "/system/name/host-name")).Value(); got != "leaf3" {
		t.Errorf("host-name = %q", got)
	}
	if len(unknown) != 2 {
		t.Errorf("unknown = %v", unknown)
	}
}

func TestADeviceThatComesBackIsReachedAtOnce(t *testing.T) {
	t.Parallel()
	simulated, d, _ := simulate(t, simtest.New)
	for range 3 {
		simulated.Stop()
		for range 2 {
			if _, _, err := d.Get(t.Context(), []config.Path{path(t, "/system")}); !errors.Is(err, device.ErrRetry) {
				t.Fatalf("while it is away: got %v, want ErrRetry", err)
			}
		}
		simulated.Restart()
		if _, _, err := d.Get(t.Context(), []config.Path{path(t, "/system")}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSubscribeOnceEndsByItself(t *testing.T) {
	t.Parallel()
	_, d, _ := simulate(t, simtest.New)
	var got []string
	err := d.Subscribe(t.Context(), []config.Path{path(t, "/interface[name=*]/oper-state")}, gnmi.SubscriptionList_ONCE, func(n *gnmi.Notification) {
		if n == nil {
			got = append(got, "sync")
		}
		for _, u := range n.GetUpdate() {
			got = append(got, string(u.GetVal().GetJsonIetfVal()))
		}
	})
	if err != nil || strings.Join(got, " ") != `"up" sync` {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestSubscribeFollowsChangesUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	simulated, d, _ := simulate(t, simtest.New)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	synced, seen := false, ""
	err := d.Subscribe(ctx, []config.Path{path(t, "/interface")}, gnmi.SubscriptionList_STREAM, func(n *gnmi.Notification) {
		if n == nil {
			synced = true
			if err := simulated.Apply(put(t, mtuPath, "9000")); err != nil {
				t.Error(err)
			}
			return
		}
		for _, u := range n.GetUpdate() {
			if p, _ := config.FromGNMI(n.GetPrefix(), u.GetPath()); synced && p.String() == mtuPath {
				seen = string(u.GetVal().GetJsonIetfVal())
				cancel()
			}
		}
	})
	if err != nil || seen != "9000" {
		t.Errorf("got %v, saw %q", err, seen)
	}
}

func TestFollowHearsOnlyOfWhatChanges(t *testing.T) {
	t.Parallel()
	simulated, d, _ := simulate(t, simtest.New)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []string
	err := d.Follow(ctx, []config.Path{path(t, "/interface[name=mgmt0]"), path(t, "/interface[name=*]/mtu")}, func(n *gnmi.Notification) {
		if n == nil {
			got = append(got, "listening")
			if err := simulated.Apply(put(t, mtuPath, "9000")); err != nil {
				t.Error(err)
			}
		}
		for _, u := range n.GetUpdate() {
			p, _ := config.FromGNMI(n.GetPrefix(), u.GetPath())
			got = append(got, p.String())
			cancel()
		}
	})
	if err != nil || strings.Join(got, " ") != "listening "+mtuPath {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestSubscribeTellsWhenTheDeviceGoes(t *testing.T) {
	t.Parallel()
	simulated, d, _ := simulate(t, simtest.New)
	err := d.Subscribe(t.Context(), []config.Path{path(t, "/system")}, gnmi.SubscriptionList_STREAM, func(n *gnmi.Notification) {
		if n == nil {
			go simulated.Stop()
		}
	})
	if !errors.Is(err, device.ErrRetry) {
		t.Errorf("got %v, want ErrRetry", err)
	}
	err = d.Subscribe(t.Context(), nil, gnmi.SubscriptionList_POLL, nil)
	if !errors.Is(err, device.ErrRefused) {
		t.Errorf("POLL: got %v, want ErrRefused", err)
	}
}

func TestASetRequestTurnsWhatADeviceRunsIntoWhatItShould(t *testing.T) {
	t.Parallel()
	_, d, _ := simulate(t, simtest.New)
	ctx := t.Context()
	paths := []config.Path{path(t, "/interface"), path(t, "/policy"), path(t, "/system")}
	ours := func(c config.Cursor) bool { return len(c.Path()) > 0 && c.Path()[0].Name != "system" }
	for _, want := range []string{
		`{"interface":[{"name":"mgmt0","subinterface":[{"index":0}]},{"name":"e1","mtu":9000,"vlan-tagging":true},{"name":"e2","ethernet":{"aggregate-id":"e1"}}],
		  "policy":[{"name":"p","tag":["a","b"],"statement":[{"name":"z","action":"drop"},{"name":"a"}]}],"system":{"name":{"host-name":"leaf3"}}}`,
		`{"interface":[{"name":"mgmt0","subinterface":[{"index":0}]},{"name":"e2","breakout-mode":{"breakout-port-speed":"25G"},"subinterface":[{"index":1,"type":"routed"}]}],
		  "policy":[{"name":"p","tag":["b","c"],"statement":[{"name":"a"},{"name":"z","action":"pass"}]}],"system":{"name":{"host-name":"other"}}}`,
		`{"interface":[{"name":"mgmt0","subinterface":[{"index":0}]}],"system":{"name":{"host-name":"leaf3"}}}`,
	} {
		to, _, err := config.Parse(simtest.Schema(), simtest.New, []byte(want), config.ParseOptions{Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		from, _, err := d.Get(ctx, paths)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Set(ctx, config.SetRequest(from, to, ours), nil); err != nil {
			t.Fatal(err)
		}
		after, _, err := d.Get(ctx, paths)
		if err != nil {
			t.Fatal(err)
		}
		if !config.Equal(after, to) {
			t.Errorf("got %s, want %s", after.AppendJSON(nil, true), to.AppendJSON(nil, true))
		}
	}
}

func TestDocumentHoldsWhatTheSchemaDoesNotKnow(t *testing.T) {
	t.Parallel()
	_, d, _ := simulate(t, simtest.New)
	data, err := d.Document(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"host-name", "grpc-server", "dhcp-client"} {
		if !strings.Contains(string(data), want) {
			t.Errorf("%s is missing in %s", want, data)
		}
	}
}
