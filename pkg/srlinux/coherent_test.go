package srlinux

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/loomfabric/loom/models/hardware"
	modes "github.com/loomfabric/loom/models/optics"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/optics"
)

// gateway is bj-gateway1: a link to each of two spines, a channel of its own light to another site, and a grey link to a
// transponder that carries a second one.
func gateway(t testing.TB, change ...func(*fabric.Device)) *fabric.Device {
	t.Helper()
	platform, ok := hardware.Lookup("7250-IXR-X3b")
	if !ok {
		t.Fatal("no platform")
	}
	d := &fabric.Device{
		Name: "bj-gateway1", Topology: "twin", Site: "bj", Role: fabric.Gateway, Number: 1, Platform: platform, Release: "25.3", OS: OS,
		ASN: 4200010050, Loopback: netip.MustParseAddr("10.1.16.1"), Ref: "sites/bj/devices/bj-gateway1",
		Underlay: fabric.Underlay{
			Unnumbered: true, MTU: 9214, MaxPaths: 64, Ref: "sites/bj/underlay",
			Advertise: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/17"), netip.MustParsePrefix("10.2.0.0/17")},
			Abroad:    []netip.Prefix{netip.MustParsePrefix("10.2.0.0/17")},
		},
		Links: []fabric.Link{
			{Port: "ethernet-1/1", PortMTU: 9228, PeerName: "sh-gateway1", PeerPort: "ethernet-1/1", PeerASN: 4200020050, DCI: "bj-sh", Channel: "bj-sh/1", Ref: "dci/bj-sh/channels/1"},
			{Port: "ethernet-1/2", PortMTU: 9228, PeerName: "sh-gateway1", PeerPort: "ethernet-1/2", PeerASN: 4200020050, DCI: "bj-sh", Channel: "bj-sh/3", Via: "bj-transponder1:client-1", Ref: "dci/bj-sh/channels/3"},
			{Port: "ethernet-1/35", Speed: "100G", PortMTU: 9228, PeerName: "bj-spine2", PeerPort: "ethernet-1/32", PeerASN: 4200010000, Ref: "sites/bj/devices/bj-gateway1"},
			{Port: "ethernet-1/36", Speed: "100G", PortMTU: 9228, PeerName: "bj-spine1", PeerPort: "ethernet-1/32", PeerASN: 4200010000, Ref: "sites/bj/devices/bj-gateway1"},
		},
		Light: fabric.Light{Coherent: []fabric.CoherentPort{{
			Port: "ethernet-1/1", Channel: "bj-sh/1", Frequency: 193_175_000, Power: -10, Mode: mode(t, "OpenZR+ 400G"), Setting: "1085",
			PeerName: "sh-gateway1", PeerPort: "ethernet-1/1", Ref: "dci/bj-sh/channels/1",
		}}},
	}
	for _, c := range change {
		c(d)
	}
	return d
}

func mode(t testing.TB, name string) *optics.Mode {
	t.Helper()
	m, ok := modes.Mode(name)
	if !ok {
		t.Fatalf("no mode %s", name)
	}
	return m
}

func TestAGatewayIsThatOfTheGoldenFile(t *testing.T) {
	t.Parallel()
	golden(t, "gateway.25.3.json", document(render(t, gateway(t))))
}

const coherentPort = "/interface[name=ethernet-1/1]"

func TestCoherentPorts(t *testing.T) {
	t.Parallel()
	tree := render(t, gateway(t))
	for path, want := range map[string]string{
		coherentPort + "/transceiver/functional-type":                           coherent,
		coherentPort + "/transceiver/optical-channel":                           "1",
		coherentPort + "/transceiver/optical-channel[index=1]/frequency":        "193175000", // MHz
		coherentPort + "/transceiver/optical-channel[index=1]/operational-mode": "1085",
		coherentPort + "/transceiver/optical-channel[index=1]/target-power":     "-10.0",
		coherentPort + "/transceiver/tx-laser":                                  "absent", // on
		coherentPort + "/breakout-mode":                                         "absent",
		coherentPort + "/num-physical-channels":                                 "absent",
		coherentPort + "/ethernet/port-speed":                                   "400G",
		coherentPort + "/description":                                           "sh-gateway1 ethernet-1/1",
		"/interface[name=ethernet-1/2]/transceiver":                             "absent", // grey
		"/interface[name=ethernet-1/2]/description":                             "sh-gateway1 ethernet-1/2 via bj-transponder1:client-1",
		bgp + "/group": "dci,underlay",
		bgp + "/dynamic-neighbors/interface[interface-name=ethernet-1/1.0]/peer-group":  groupDCI,
		bgp + "/dynamic-neighbors/interface[interface-name=ethernet-1/2.0]/peer-group":  groupDCI,
		bgp + "/dynamic-neighbors/interface[interface-name=ethernet-1/36.0]/peer-group": groupUnderlay,
		bgp + "/afi-safi":   afiIPv4, // no EVPN
		"/tunnel-interface": "absent",
		"/network-instance": "default",
	} {
		if got := show(t, tree, path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

// Spines hear from a gateway of itself and of other sites, which hear of this one and of those behind it; nobody hears of his own
// site from outside.
func TestAGatewayIsNoWayFromItsSiteToItself(t *testing.T) {
	t.Parallel()
	tree := render(t, gateway(t))
	const policies, sets = "/routing-policy/policy", "/routing-policy/prefix-set"
	for path, want := range map[string]string{
		policies: policyOutDCI + "," + policyInDCI + "," + policyExport + "," + policyImport,
		sets:     setAbroad + "," + setLoopbacks + "," + setPassage,
		bgp + "/group[group-name=underlay]/export-policy": policyExport,
		bgp + "/group[group-name=underlay]/import-policy": policyImport,
		bgp + "/group[group-name=dci]/export-policy":      policyOutDCI,
		bgp + "/group[group-name=dci]/import-policy":      policyInDCI,

		policies + "[name=" + policyExport + "]/statement[name=10]/match/prefix/prefix-set": setPassage,
		policies + "[name=" + policyImport + "]/statement[name=10]/match/prefix/prefix-set": setLoopbacks,
		policies + "[name=" + policyOutDCI + "]/statement[name=10]/match/prefix/prefix-set": setLoopbacks,
		policies + "[name=" + policyInDCI + "]/statement[name=10]/match/prefix/prefix-set":  setAbroad,

		sets + "[name=" + setPassage + "]/prefix":   "10.1.16.1/32 exact,10.2.0.0/17 32..32",
		sets + "[name=" + setAbroad + "]/prefix":    "10.2.0.0/17 32..32",
		sets + "[name=" + setLoopbacks + "]/prefix": "10.1.0.0/17 32..32,10.2.0.0/17 32..32",
	} {
		if got := show(t, tree, path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestADrainedGatewayIsTheLastChoiceOfBothSites(t *testing.T) {
	t.Parallel()
	d := gateway(t)
	tree := drainedOf(t, render(t, d), d)
	for group, policy := range map[string]string{groupUnderlay: policyExport, groupDCI: policyOutDCI} {
		path := bgp + "/group[group-name=" + group + "]/export-policy"
		if got, want := show(t, tree, path), policyDrain+","+policy; got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	if got := show(t, tree, coherentPort+"/admin-state"); got != "enable" {
		t.Errorf("its light is %s", got) // the channel is the far gateway's way back
	}
}

func TestLeavesOfLightAreExplainedByWhatDecidedThem(t *testing.T) {
	t.Parallel()
	tree := render(t, gateway(t))
	for path, want := range map[string]config.Cause{
		coherentPort + "/transceiver/functional-type":                           {Ref: "dci/bj-sh/channels/1", Rule: "coherent port"},
		coherentPort + "/transceiver/optical-channel[index=1]/frequency":        {Ref: "dci/bj-sh/channels/1#frequency", Rule: "frequency"},
		coherentPort + "/transceiver/optical-channel[index=1]/operational-mode": {Ref: "dci/bj-sh/channels/1#mode", Rule: "mode"},
		coherentPort + "/transceiver/optical-channel[index=1]/target-power":     {Ref: "dci/bj-sh/channels/1#power", Rule: "launch power"},
		coherentPort + "/ethernet/port-speed":                                   {Ref: "dci/bj-sh/channels/1#mode", Rule: "mode"},
		coherentPort + "/description":                                           {Ref: "dci/bj-sh/channels/1", Rule: "channel link"},
		"/interface[name=ethernet-1/36]/description":                            {Ref: "sites/bj/devices/bj-gateway1", Rule: "fabric link"},
	} {
		p, err := config.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := tree.Find(p).Cause(); got != want {
			t.Errorf("%s: got %+v, want %+v", path, got, want)
		}
	}
	for c := range tree.All() {
		if (c.IsLeaf() || c.IsValue()) && (c.Cause().Rule == "" || c.Cause().Ref == "") {
			t.Errorf("%s: cause %+v", c.Path(), c.Cause())
		}
	}
}

func TestCoherentPortsLieInsideTheScope(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]*fabric.Device{"whole": gateway(t), "broken out": gateway(t, brokenTo(4, "1021"))} {
		tree := render(t, d)
		if out := Scope(d).Outside(tree); len(out) > 0 {
			t.Errorf("%s: %v", name, out)
		}
		if owned := Scope(d).Owned(tree, tree); !config.Equal(owned, tree) {
			t.Errorf("%s: %d of %d leaves are owned", name, owned.Leaves(), tree.Leaves())
		}
	}
}

// Whatever somebody sets of the light of a port that Loom has is drift; of another port it is none of Loom's.
func TestWhatSomebodySetsOfTheLightIsOwnedWithThePort(t *testing.T) {
	t.Parallel()
	const dark = `{"interface": [{"name": "ethernet-1/%s", "transceiver": {"tx-laser": false}}]}`
	d := gateway(t)
	for port, want := range map[string]string{"1": "false", "9": "absent"} {
		owned := Scope(d).Owned(running(t, d, fmt.Sprintf(dark, port)), render(t, d))
		if got := show(t, owned, "/interface[name=ethernet-1/"+port+"]/transceiver/tx-laser"); got != want {
			t.Errorf("ethernet-1/%s: got %s, want %s", port, got, want)
		}
	}
}

// retunedTo has the channel somewhere else.
func retunedTo(frequency uint64, power optics.DBm) func(*fabric.Device) {
	return func(d *fabric.Device) {
		d.Light.Coherent = slices.Clone(d.Light.Coherent)
		d.Light.Coherent[0].Frequency, d.Light.Coherent[0].Power = frequency, power
	}
}

// brokenTo breaks the coherent port out, with a link on each part.
func brokenTo(parts uint32, setting string) func(*fabric.Device) {
	return func(d *fabric.Device) {
		d.Breakouts = []fabric.Breakout{{Port: "ethernet-1/1", Channels: parts, Speed: "100G", Ref: "dci/bj-sh/channels/1"}}
		whole := d.Links[0]
		d.Links = slices.Clone(d.Links[1:])
		for i := range parts {
			part := whole
			part.Port, part.PeerPort = fmt.Sprintf("ethernet-1/1/%d", i+1), fmt.Sprintf("ethernet-1/1/%d", i+1)
			d.Links = slices.Insert(d.Links, int(i), part)
		}
		d.Light.Coherent = slices.Clone(d.Light.Coherent)
		d.Light.Coherent[0].Setting = setting
	}
}

func TestACoherentPortThatIsBrokenOut(t *testing.T) {
	t.Parallel()
	tree := render(t, gateway(t, brokenTo(4, "1021")))
	for path, want := range map[string]string{
		coherentPort + "/description":                                           "sh-gateway1 ethernet-1/1",
		coherentPort + "/breakout-mode/num-breakout-ports":                      "4",
		coherentPort + "/transceiver/optical-channel[index=1]/operational-mode": "1021",
		coherentPort + "/ethernet":                                              "absent",
		coherentPort + "/subinterface":                                          "absent",
		"/interface[name=ethernet-1/1/4]/description":                           "sh-gateway1 ethernet-1/1/4",
		"/interface[name=ethernet-1/1/4]/transceiver":                           "absent",
	} {
		if got := show(t, tree, path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestALightThatARouterWouldRefuseIsRefused(t *testing.T) {
	t.Parallel()
	port := func(change func(*fabric.CoherentPort)) func(*fabric.Device) {
		return func(d *fabric.Device) {
			d.Light.Coherent = slices.Clone(d.Light.Coherent)
			change(&d.Light.Coherent[0])
		}
	}
	raw := func(d *fabric.Device, path, value string) {
		d.Raw = append(d.Raw, fabric.RawLeaf{Path: path, Value: value, Ref: "raw/0"})
	}
	for name, c := range map[string]struct {
		change func(*fabric.Device)
		want   string
	}{
		"a frequency that no laser of the platform reaches": {
			port(func(p *fabric.CoherentPort) { p.Frequency = 196_175_000 }),
			`/interface[name=ethernet-1/1]/transceiver/optical-channel[index=1]/frequency: 196175000 is out of range 191100000..196150000`,
		},
		"a power that no laser of the platform has": {
			port(func(p *fabric.CoherentPort) { p.Power = 4.5 }),
			`/interface[name=ethernet-1/1]/transceiver/optical-channel[index=1]/target-power: 4.50 is out of range -22..4`,
		},
		"a number that is no mode of the platform": {
			port(func(p *fabric.CoherentPort) { p.Setting = "85" }),
			`/interface[name=ethernet-1/1]/transceiver/optical-channel[index=1]/operational-mode: "85"`,
		},
		"a release whose platforms have no coherent optics": {
			func(d *fabric.Device) { d.Release = "24.10" },
			`bj-gateway1: ethernet-1/1: SR Linux 24.10 has no coherent optics; use release 25.3, or transponders`,
		},
		"a mode for parts of a port on a whole one": {
			port(func(p *fabric.CoherentPort) { p.Setting = "1022" }),
			`/interface[name=ethernet-1/1]/transceiver/optical-channel[index=1]/operational-mode: mode 1022 needs the port broken out into 4x100G`,
		},
		"a mode for a whole port on parts of one": {
			brokenTo(4, "1083"),
			`/interface[name=ethernet-1/1]/transceiver/optical-channel[index=1]/operational-mode: mode 1083 needs the port whole, without breakout-mode`,
		},
		"parts that the platform does not have": {
			brokenTo(2, "1051"),
			`/interface[name=ethernet-1/1]/breakout-mode: a 7250-IXR-X3b does not break ethernet-1/1 out into 2x100G; it knows 4x100G, 4x25G, 4x10G`,
		},
		"lanes that the mode does not have": {
			brokenTo(2, "1043"),
			`/interface[name=ethernet-1/1]/transceiver/optical-channel[index=1]/operational-mode: mode 1043 has 4 lanes (num-physical-channels)`,
		},
		"a channel on a port with plain optics": {
			func(d *fabric.Device) {
				raw(d, `/interface[name=ethernet-1/9]/transceiver/optical-channel[index=1]/frequency`, "193100000")
				raw(d, `/interface[name=ethernet-1/9]/transceiver/optical-channel[index=1]/operational-mode`, "1085")
			},
			`/interface[name=ethernet-1/9]/transceiver/optical-channel[index=1]: an optical channel on a port whose functional-type is not digital-coherent-optics`,
		},
		"a laser of a port that is broken out": {
			func(d *fabric.Device) {
				brokenTo(4, "1021")(d)
				raw(d, `/interface[name=ethernet-1/1]/transceiver/tx-laser`, "true")
			},
			`/interface[name=ethernet-1/1]/transceiver/tx-laser: a port that is broken out has no laser of its own to switch`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Render(gateway(t, c.change))
			if got := text(err); !strings.Contains(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
