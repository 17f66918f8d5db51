package transponder

import (
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

const channel = "/terminal-device/logical-channels/channel"

func TestClientsComeToTheLineThroughTwoLayers(t *testing.T) {
	t.Parallel()
	hold(t, render(t, muxponder(t)), map[string]string{
		channel: "10001 10002 10003 20001 20002",
		channel + "[index=10002]/config/logical-channel-type":                                                             "openconfig-transport-types:PROT_ETHERNET",
		channel + "[index=10002]/config/trib-protocol":                                                                    "openconfig-transport-types:PROT_400GE",
		channel + "[index=10002]/config/description":                                                                      "client-2 to bj-gateway2 ethernet-1/1",
		channel + "[index=10002]/ingress/config/transceiver":                                                              "transceiver-client-2",
		channel + "[index=10002]/logical-channel-assignments/assignment[index=1]/config/logical-channel":                  "20001",
		channel + "[index=10002]/logical-channel-assignments/assignment[index=1]/config/allocation":                       "400.0",
		channel + "[index=20001]/config/rate-class":                                                                       "openconfig-transport-types:TRIB_RATE_800G",
		channel + "[index=20001]/config/trib-protocol":                                                                    "openconfig-transport-types:PROT_OTUCN",
		channel + "[index=20001]/otn/config/tti-msg-expected":                                                             "bj-sh/1",
		channel + "[index=20001]/ethernet":                                                                                "absent",
		channel + "[index=20001]/logical-channel-assignments/assignment[index=1]/config/optical-channel":                  "och-line-1",
		channel + "[index=20001]/logical-channel-assignments/assignment[index=1]/config/allocation":                       "800.0",
		"/components/component[name=och-line-1]/optical-channel/config/frequency":                                         "193700000",
		"/components/component[name=och-line-1]/optical-channel/config/target-output-power":                               "-2.0",
		"/components/component[name=och-line-1]/optical-channel/config/operational-mode":                                  "8",
		"/components/component[name=och-line-1]/optical-channel/config/line-port":                                         "line-1",
		"/components/component[name=transceiver-line-1]/transceiver/physical-channels/channel[index=0]/config/tx-laser":   "true",
		"/components/component[name=transceiver-line-1]/transceiver/config/module-functional-type":                        "openconfig-transport-types:TYPE_DIGITAL_COHERENT_OPTIC",
		"/components/component[name=transceiver-client-4]/transceiver/config/enabled":                                     "false",
		"/components/component[name=transceiver-client-1]/transceiver/physical-channels/channel[index=0]/config/tx-laser": "absent",
	})
}

func TestRoutersSeeEachOtherAndLoomSeesThem(t *testing.T) {
	t.Parallel()
	hold(t, render(t, muxponder(t)), map[string]string{
		channel + "[index=10001]/ethernet/lldp/config/enabled":  "true",
		channel + "[index=10001]/ethernet/lldp/config/snooping": "true", // what it says itself would hide the far router
	})
}

func TestALineAmplifiesAndPassesBothWays(t *testing.T) {
	t.Parallel()
	const amplifiers, media = "/optical-amplifier/amplifiers/amplifier", "/wavelength-router/media-channels/channel"
	hold(t, render(t, terminal(t)), map[string]string{
		amplifiers: "long-back long-there",
		amplifiers + "[name=long-back]/config/target-gain":                                   "17.35",
		amplifiers + "[name=long-back]/config/amp-mode":                                      "openconfig-optical-amplifier:CONSTANT_GAIN",
		amplifiers + "[name=long-back]/config/enabled":                                       "true",
		"/optical-attenuator/attenuators/attenuator[name=long-there-voa]/config/attenuation": "1.5",
		media: "375 387 10375 10387",
		media + "[index=375]/config/lower-frequency":    "193662500",
		media + "[index=375]/config/upper-frequency":    "193737500",
		media + "[index=375]/source/config/port-name":   "add-drop-1",
		media + "[index=375]/dest/config/port-name":     "line",
		media + "[index=10375]/source/config/port-name": "line",
		media + "[index=10375]/dest/config/port-name":   "add-drop-1",
		"/components/component":                         "add-drop-1 add-drop-2 line",
	})
	hold(t, render(t, hut(t)), map[string]string{media: "absent", "/components": "absent", amplifiers: "long-back long-there"})
}

func TestEveryLeafHasACause(t *testing.T) {
	t.Parallel()
	for kind, d := range devices(t) {
		refs := map[string]bool{string(d.Ref): true}
		for _, p := range d.Light.Coherent {
			refs[string(p.Ref)] = true
		}
		for _, c := range d.Light.Clients {
			refs[string(c.Ref)] = true
		}
		for _, a := range d.Light.Amplifiers {
			refs[string(a.Ref)] = true
		}
		for _, m := range d.Light.Media {
			refs[string(m.Ref)] = true
		}
		for c := range render(t, d).All() {
			if cause := c.Cause(); (c.IsLeaf() || c.IsValue()) && (cause.Rule == "" || !refs[cause.Ref]) {
				t.Errorf("%s: %s: cause %+v", kind, c.Path(), cause)
			}
		}
	}
	tree := render(t, muxponder(t))
	for path, want := range map[string]config.Cause{
		"/components/component[name=och-line-2]/optical-channel/config/frequency": {Ref: "dci/bj-sh/wavelengths", Rule: "channel"},
		channel + "[index=10003]/config/admin-state":                              {Ref: "dci/bj-sh/wavelengths#transponders", Rule: "client port"},
		"/lldp/config/system-description":                                         {Ref: "devices/bj-transponder1", Rule: "mark"},
	} {
		p, err := config.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := tree.Find(p).Cause(); got != want {
			t.Errorf("%s: got %+v, want %+v", path, got, want)
		}
	}
}

func TestNumbersStayWhenOthersComeOrGo(t *testing.T) {
	t.Parallel()
	all := render(t, muxponder(t))
	one := render(t, edited(muxponder(t), func(l *fabric.Light) { l.Coherent, l.Clients = l.Coherent[1:], l.Clients[2:] }))
	for _, c := range config.Diff(all, one) {
		if c.Op != config.Delete {
			t.Errorf("%c %s", c.Op, c.At)
		}
	}
}

func TestWhatNoDeviceCanDoIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		d    *fabric.Device
		want string
	}{
		{"a client without a channel", edited(muxponder(t), func(l *fabric.Light) { l.Clients[2].Line = "line-3" }), "no channel at line-3"},
		{"more clients than a channel carries", edited(muxponder(t), func(l *fabric.Light) { l.Clients[1].Line = "line-2" }), "400 Gb/s do not fit into what is left of line-2, 0 Gb/s"},
		{"a rate that OpenConfig has no name for", edited(muxponder(t), func(l *fabric.Light) { l.Clients[2].Rate = 25 }), `"TRIB_RATE_25G" is not one of`},
		{"a port without a number", edited(muxponder(t), func(l *fabric.Light) { l.Coherent[0].Port = "west" }), "a line port is called line-N"},
		{"no mode", edited(muxponder(t), func(l *fabric.Light) { l.Coherent[0].Mode = nil }), "line-1: no mode for bj-sh/1"},
		{"channels that overlap", edited(terminal(t), func(l *fabric.Light) { l.Media[1].Low -= 6250 }), "overlaps another channel"},
		{"a number that the other direction has", edited(terminal(t), func(l *fabric.Light) { l.Media[1].Index = 10375 }), "the number is between 0 and 10000"},
		{"a gain below nothing", edited(hut(t), func(l *fabric.Light) { l.Amplifiers[0].Gain = -1 }), "is out of range"},
		{"a leaf", func() *fabric.Device { d := *hut(t); d.Role = fabric.Leaf; return &d }(), "a leaf cannot run openconfig"},
	} {
		_, err := Render(c.d)
		if err == nil || !strings.HasPrefix(err.Error(), c.d.Name+": ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func TestARawLeafIsSetAndOwned(t *testing.T) {
	t.Parallel()
	d := *terminal(t)
	d.Raw = []fabric.RawLeaf{{Path: "/optical-amplifier/amplifiers/amplifier[name=long-there]/config/max-output-power", Value: "20.5", Ref: "raw"}}
	tree := render(t, &d)
	hold(t, tree, map[string]string{"/optical-amplifier/amplifiers/amplifier[name=long-there]/config/max-output-power": "20.5"})
	if owned := Scope(&d).Owned(tree, tree); !config.Equal(owned, tree) {
		t.Error("not all of it is owned")
	}
}
