package sim_test

import (
	"strings"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

const (
	versionAt = "/system/information/version"
	chassisAt = "/platform/chassis/type"
	delayAt   = "/interface[name=e1]/ethernet/reload-delay" // of the newest release only
)

// is fails unless the device says what it is and what it runs.
func (s *stage) is(platform, release string) {
	s.Helper()
	s.reconnect()
	got, err := s.get(gnmi.GetRequest_STATE, versionAt, chassisAt)
	s.check(err)
	said := strings.Join(got, " ")
	if !strings.Contains(said, `"`+platform+`"`) || !strings.Contains(said, `"v`+release+`.`) {
		s.Errorf("it says %s, want %s with %s", said, platform, release)
	}
}

func TestAnotherPlatformAndReleaseTakeTheDevicesPlace(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	r.mustSet(r.put("/interface[name=e1]", `{"mtu":9000,"ethernet":{"reload-delay":7}}`))
	_, err := r.injectAs("other-chassis", "leaf1", map[string]string{"platform": "7220-IXR-D5", "release": simtest.Middle, "boot": "running"})
	r.check(err)
	r.is("7220-IXR-D5", simtest.Middle)
	r.has(mtuAt, "9000")
	devices, err := r.client.ListDevices(r.calls, nil)
	r.check(err)
	if d := devices.GetDevices()[0]; d.GetPlatform() != "7220-IXR-D5" || d.GetRelease() != simtest.Middle {
		t.Errorf("the simulation says %v", d)
	}
	if err := r.set(r.put(delayAt, "8")); err == nil {
		t.Error("the older release has a node of the newer one")
	}
	r.mustSet(r.mtu("9001")) // what it does not know it has kept
	r.check(r.device.Save())

	_, ended := r.play(r.ctx, "steps: [{inject: reboot leaf1, release: '"+simtest.New+"'}]")
	r.check(<-ended)
	r.is("7220-IXR-D5", simtest.New)
	r.has(mtuAt, "9001")
	r.has(delayAt, "7")
}

func TestOnlyKnownPlatformsTakeADevicesPlace(t *testing.T) {
	t.Parallel()
	s, err := sim.Start(t.Context(), sim.Config{
		Devices:   []sim.Spec{leaf1(nil)},
		Platforms: map[string][]network.Jack{"7220-IXR-D5": {{Name: "ethernet-1/1", Speed: "400G"}}, "7220-IXR-D4": nil},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	other := sim.Fault{Kind: "other-chassis", Target: "leaf1", Platform: "7220-IXR-D9"}
	if _, err := s.Inject(other); err == nil || !strings.Contains(err.Error(), `platform "7220-IXR-D9": there is 7220-IXR-D4, 7220-IXR-D5`) {
		t.Errorf("got %v", err)
	}
	other.Platform = "7220-IXR-D5"
	if _, err := s.Inject(other); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Inject(sim.Fault{Kind: "port-down", Target: "leaf1:ethernet-1/1"}); err != nil {
		t.Errorf("the ports are not those of the new box: %v", err)
	}
}
