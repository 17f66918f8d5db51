package transponder

import (
	"testing"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/config"
)

func TestRenderedTreesLieInsideTheScope(t *testing.T) {
	t.Parallel()
	for kind, d := range devices(t) {
		tree := render(t, d)
		if out := Scope(d).Outside(tree); len(out) > 0 {
			t.Errorf("%s: %v", kind, out)
		}
		if owned := Scope(d).Owned(tree, tree); !config.Equal(owned, tree) {
			t.Errorf("%s: %d of %d leaves are owned", kind, owned.Leaves(), tree.Leaves())
		}
	}
}

func TestNothingOfANewDeviceIsOwned(t *testing.T) {
	t.Parallel()
	for kind, d := range devices(t) {
		factory := parse(t, string(Factory(d.Name, "", release)))
		if owned := Scope(d).Owned(factory, render(t, d)); owned.Leaves() != 0 {
			t.Errorf("%s: owned:\n%s", kind, document(owned))
		}
	}
}

func TestEveryRuleSaysWhyAndIsReadBack(t *testing.T) {
	t.Parallel()
	read := map[string]bool{}
	for _, path := range manners.ReadPaths {
		p, err := config.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		read[p[0].Name] = true
	}
	for _, rule := range Scope(muxponder(t)) {
		if rule.Why == "" || !read[rule.Path[0].Name] {
			t.Errorf("%s: why %q, read %v", rule.Path, rule.Why, read[rule.Path[0].Name])
		}
	}
}

func TestScopeOfWhatStandsBeside(t *testing.T) {
	t.Parallel()
	const (
		laserPath = "/components/component[name=transceiver-line-9]/transceiver/physical-channels/channel[index=0]/config/tx-laser"
		ochPath   = "/components/component[name=och-line-9]/optical-channel/config/frequency"
		logPath   = "/terminal-device/logical-channels/channel[index=77]/config/index"
		fanPath   = "/components/component[name=fan-1]"
		chassisID = "/lldp/config/chassis-id"
		lldpPath  = "/lldp/config/system-name"
		medPath   = "/wavelength-router/media-channels/channel[index=9]/config/index"
		ampPath   = "/optical-amplifier/amplifiers/amplifier[name=other]"
	)
	d := muxponder(t)
	beside := parse(t, `{"openconfig-platform:components": {"component": [
		{"name": "fan-1", "config": {"name": "fan-1"}},
		{"name": "transceiver-line-9", "config": {"name": "transceiver-line-9"}, "openconfig-platform-transceiver:transceiver": {
			"physical-channels": {"channel": [{"index": 0, "config": {"index": 0, "tx-laser": true}}]}}},
		{"name": "och-line-9", "config": {"name": "och-line-9"}, "openconfig-terminal-device:optical-channel": {"config": {"frequency": "191300000"}}}]},
		"openconfig-terminal-device:terminal-device": {"logical-channels": {"channel": [{"index": 77, "config": {"index": 77}}]}},
		"openconfig-wavelength-router:wavelength-router": {"media-channels": {"channel": [{"index": 9, "config": {"index": 9}}]}},
		"openconfig-optical-amplifier:optical-amplifier": {"amplifiers": {"amplifier": [{"name": "other", "config": {"name": "other"}}]}},
		"openconfig-lldp:lldp": {"config": {"system-name": "old", "chassis-id": "1"}}}`)
	owned := Scope(d).Owned(beside, render(t, d))
	hold(t, owned, map[string]string{
		laserPath: "true",      // it sends into a line
		ochPath:   "191300000", // it is made by configuration
		logPath:   "77",
		medPath:   "9",
		lldpPath:  "old",
		fanPath:   "absent", // hardware
		ampPath:   "absent",
		chassisID: "absent",
	})
}

func TestTheMarkNamesTopologyAndDevice(t *testing.T) {
	t.Parallel()
	d := hut(t)
	tree := render(t, d)
	if got := Owner(tree); got != "dci/long-hut1" || !Mark(tree, d) {
		t.Errorf("owner %q, marked %v", got, Mark(tree, d))
	}
	if Mark(tree, terminal(t)) {
		t.Error("another device's mark passes")
	}
	for _, other := range []string{``, `"system-description": "a box"`} {
		if got := Owner(parse(t, `{"openconfig-lldp:lldp": {"config": {`+other+`}}}`)); got != "" {
			t.Errorf("%s: owner %q", other, got)
		}
	}
}

func TestADeviceSaysWhatItIs(t *testing.T) {
	t.Parallel()
	id := Driver().Identity
	if got := id.Platform(" OpenConfig transponder "); got != "openconfig-transponder" {
		t.Errorf("platform %q", got)
	}
	if got := id.Release("Vendor OS 12.3"); got != oc.Schema.Releases[0] || id.Release("") != "" {
		t.Errorf("release %q", got)
	}
}

// A path that the models do not have would be asked for in vain, or make a check blind.
func TestEveryPathIsInTheModels(t *testing.T) {
	t.Parallel()
	paths := append(append([]string{Driver().Identity.Version, Driver().Identity.Chassis}, manners.ReadPaths...), observePaths...)
	for _, o := range ownership {
		paths = append(paths, o.path)
	}
	for _, text := range append(paths, guards.Paths()...) {
		p, err := config.ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		at := config.Root
		for _, e := range p {
			next, ok := oc.Schema.Child(at, e.Name)
			if !ok {
				t.Errorf("%s: there is no %s", text, e.Name)
				break
			}
			at = next
		}
	}
}
