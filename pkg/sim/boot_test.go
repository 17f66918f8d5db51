package sim_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// rebootWith reboots, and connects anew.
func (b *bench) rebootWith(boot sim.Boot) {
	b.Helper()
	if err := b.device.RebootWith(boot); err != nil {
		b.Fatal(err)
	}
	b.use(connect(b.T, b.sim, "leaf1"))
}

// save makes startup equal running.
func (b *bench) save() {
	b.Helper()
	if err := b.device.Save(); err != nil {
		b.Fatal(err)
	}
}

// gNMI §3.4: a Set is about the running configuration; what a device boots with is another matter.
func TestADeviceBootsTheConfigurationThatItIsToldTo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		source sim.Source
		given  string // mtu of the tree
		want   string // mtu afterwards
	}{
		"what was saved last":     {source: sim.Saved, want: "2000"},
		"what was running":        {source: sim.Kept, want: "3000"},
		"what was saved before":   {source: sim.Former, want: "1500"},
		"nothing: it is new":      {source: sim.Factory, want: ""},
		"what somebody put there": {source: sim.Given, given: "4000", want: "4000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, simtest.New)
			b.mustSet(b.put(mtu, "1500"))
			b.save()
			b.mustSet(b.put(mtu, "2000"))
			b.save()
			b.mustSet(b.put(mtu, "3000"))
			boot := sim.Boot{Source: c.source}
			if c.given != "" {
				boot.Tree = b.tree(mtu, c.given)
			}
			b.rebootWith(boot)
			want := []string{mtu + " " + c.want}
			if c.want == "" {
				want = nil
			}
			got, err := b.get(gnmi.GetRequest_CONFIG, mtu)
			if err != nil {
				t.Fatal(err)
			}
			b.wants(got, want...)
			if diff := config.Diff(b.device.Startup(), b.device.Running()); len(diff) > 0 {
				t.Errorf("startup is another one: %v", diff)
			}
		})
	}
}

// tree returns a configuration with one leaf.
func (b *bench) tree(at, value string) *config.Tree {
	b.Helper()
	t, err := config.Apply(config.EmptyTree(simtest.Schema(), simtest.New), b.put(at, value))
	if err != nil {
		b.Fatal(err)
	}
	return t
}

// Commit-confirmed extension §2: what was not confirmed does not outlive the device.
func TestWhatIsNotConfirmedIsNotSaved(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(open(b.put(mtu, "9000"), "a", time.Minute))
	if err := b.device.Save(); err == nil || !strings.Contains(err.Error(), `commit "a" waits for its confirmation`) {
		t.Errorf("Save: got %v", err)
	}
	b.rebootWith(sim.Boot{})
	if got := b.running(mtu); got != "" || b.device.Pending() != "" {
		t.Errorf("mtu = %q, pending = %q", got, b.device.Pending())
	}
}

// srl_nokia-gnmi.yang, commit-save: every accepted Set reaches startup.
func TestASetIsSavedWhereTheServerIsConfiguredSo(t *testing.T) {
	t.Parallel()
	b := configured(t, sim.Server{})
	saved := func() string { return b.device.Startup().Find(b.path(mtu)).Value() }
	b.mustSet(b.put(mtu, "9000"))
	if got := saved(); got != "" {
		t.Errorf("startup has mtu %q before the commit that asks for it", got)
	}
	b.configure(sim.Server{CommitSave: true})
	b.mustSet(b.put(mtu, "9100"))
	if got := saved(); got != "9100" {
		t.Errorf("startup has mtu %q", got)
	}
}

func TestABootEndsWhatWasCounted(t *testing.T) {
	t.Parallel()
	b := configured(t, sim.Server{RateLimit: 1})
	b.save()
	b.mustAsk("before")
	b.refuses(b.ask(), codes.ResourceExhausted, "")
	b.clock.Advance(time.Second)
	b.rebootWith(sim.Boot{})
	b.mustAsk("after the boot")
	if got := b.device.Boots(); got != 1 {
		t.Errorf("it has booted %d times", got)
	}
}

func TestAnotherChassisSaysSo(t *testing.T) {
	t.Parallel()
	const other = "7220-IXR-D5"
	b := newBench(t, simtest.New)
	before, inventory := b.device.Hardware(), b.sim.Inventory()
	chassis := func() string {
		t.Helper()
		got, err := b.get(gnmi.GetRequest_STATE, "/platform/chassis/type")
		if err != nil || len(got) != 1 {
			t.Fatalf("got %v, %v", got, err)
		}
		return got[0]
	}

	b.rebootWith(sim.Boot{})
	if diff := cmp.Diff(before, b.device.Hardware()); diff != "" {
		t.Errorf("a reboot changed the chassis: %s", diff)
	}
	b.rebootWith(sim.Boot{Chassis: &sim.Chassis{}})
	second := b.device.Hardware()
	if second.Serial == before.Serial || second.MAC == before.MAC || second.Platform != before.Platform {
		t.Errorf("got %v in place of %v, want other labels on the same platform", second, before)
	}
	ports := []network.Jack{{Name: "ethernet-1/1", Speed: "400G"}}
	b.rebootWith(sim.Boot{Chassis: &sim.Chassis{Platform: other, Serial: "NS1", MAC: network.MAC{2}, Ports: ports}})
	want := network.Hardware{Name: "leaf1", Platform: other, Serial: "NS1", MAC: network.MAC{2}, Ports: ports}
	if diff := cmp.Diff(want, b.device.Hardware()); diff != "" {
		t.Error(diff)
	}
	b.wants([]string{chassis()}, `/platform/chassis/type "7220-IXR-D5"`)
	if diff := cmp.Diff(inventory, b.sim.Inventory()); diff != "" {
		t.Errorf("the inventory says what was planned; it changed: %s", diff)
	}
}

func TestAnotherCertificateIsNoticed(t *testing.T) {
	t.Parallel()
	yesterday := time.Now().Add(-24 * time.Hour)
	for name, c := range map[string]struct {
		certificate sim.Certificate
		want        string
	}{
		"another device's":    {sim.Certificate{Name: "leaf2"}, "valid for leaf2, not leaf1"},
		"one that has ended":  {sim.Certificate{From: yesterday.Add(-time.Hour), Until: yesterday}, "expired or is not yet valid"},
		"one of the future":   {sim.Certificate{From: time.Now().Add(24 * time.Hour)}, "expired or is not yet valid"},
		"a stranger's":        {sim.Certificate{Stranger: true}, "unknown authority"},
		"a new one as it was": {sim.Certificate{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, simtest.New)
			b.rebootWith(sim.Boot{Certificate: &c.certificate})
			if c.want == "" {
				b.mustAsk("with a good certificate")
			} else {
				b.refuses(b.ask(), codes.Unavailable, c.want)
			}
			b.rebootWith(sim.Boot{Certificate: &sim.Certificate{}})
			b.mustAsk("with a good certificate again")
		})
	}
}

func TestABootThatCannotBeIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	b.mustSet(b.put(mtu, "9000"))
	old, err := config.Apply(config.EmptyTree(simtest.Schema(), simtest.Old), b.put(mtu, "9000"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		boot sim.Boot
		want string
	}{
		"no tree":                   {sim.Boot{Source: sim.Given}, "leaf1: boot: no tree is given"},
		"a tree of another release": {sim.Boot{Source: sim.Given, Tree: old}, "leaf1: boot: the tree is for release 23.10, the device runs 25.3"},
		"a source that is none":     {sim.Boot{Source: 99}, "leaf1: boot: source 99"},
		"a platform that is none":   {sim.Boot{Chassis: &sim.Chassis{Platform: "a b"}}, "leaf1: boot: platform: "},
	} {
		if err := b.device.RebootWith(c.boot); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
	if got := b.running(mtu); got != "9000" || b.device.Boots() != 0 {
		t.Errorf("mtu = %q after %d boots", got, b.device.Boots())
	}
	b.mustAsk("on the connection from before")
}

func TestNoTwoDevicesHaveTheSameLabels(t *testing.T) {
	t.Parallel()
	fleet := func(n int) *sim.Sim {
		t.Helper()
		var c sim.Config
		for i := range n {
			spec := leaf1(nil)
			spec.Name = fmt.Sprintf("leaf%d", i)
			c.Devices = append(c.Devices, spec)
		}
		s, err := sim.Start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	serial := regexp.MustCompile(`^NS2[0-4](0[1-9]|[1-4][0-9]|5[0-2])[0-9A-Z]{4}$`)
	serials, macs := map[string]bool{}, map[network.MAC]bool{}
	for _, d := range fleet(200).Devices() {
		h := d.Hardware()
		if !serial.MatchString(h.Serial) || h.MAC[0] != 2 || h.MAC[5] != 0 || h.MAC[4]&15 != 0 {
			t.Errorf("%s: labels %s, %s", h.Name, h.Serial, h.MAC)
		}
		if serials[h.Serial] || macs[h.MAC] {
			t.Errorf("%s: %s, %s are another's", h.Name, h.Serial, h.MAC)
		}
		serials[h.Serial], macs[h.MAC] = true, true
	}
	// They are the same in every run.
	if h := fleet(1).Device("leaf0").Hardware(); !serials[h.Serial] || !macs[h.MAC] {
		t.Errorf("leaf0 has %s, %s in another run", h.Serial, h.MAC)
	}
}
