package srlsim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/sim/network"
)

// lit is a port with a coherent transceiver; rest are members of the interface, others those of its transceiver.
func lit(mode, rest, others string) string {
	return fmt.Sprintf(`{"interface":[{"name":"ethernet-1/1"%s,"transceiver":{"functional-type":"srl_nokia-interfaces:digital-coherent-optics"%s,
		"optical-channel":[{"index":1,"frequency":193100000,"operational-mode":"%s"}]}}]}`, rest, others, mode)
}

func TestWhatARouterDoesNotTakeOfCoherentOptics(t *testing.T) {
	t.Parallel()
	const split, channel = `,"breakout-mode":{"num-breakout-ports":"2","breakout-port-speed":"100G"}`, "/interface[name=ethernet-1/1]/transceiver/optical-channel[index=1]"
	for name, c := range map[string]struct{ platform, document, want string }{
		"a whole port at 400G":       {"7250-IXR-X3b", lit("1085", "", ""), ""},
		"a whole port that says so":  {"7250-IXR-X3b", lit("1083", `,"ethernet":{"port-speed":"400G"}`, `,"tx-laser":true`), ""},
		"plain optics of any router": {"7220-IXR-D2L", `{"interface":[{"name":"ethernet-1/1","transceiver":{"tx-laser":false}}]}`, ""},
		"a chassis without coherent optics": {"7220-IXR-D2L", lit("1085", "", ""),
			"/interface[name=ethernet-1/1]/transceiver/functional-type: 7220 IXR-D2L has no digital-coherent-optics"},
		"a channel of plain optics": {"7250-IXR-X3b", strings.Replace(lit("1085", "", ""), `"functional-type":"srl_nokia-interfaces:digital-coherent-optics",`, "", 1),
			channel + ": optical channel information is only valid for digital coherent optics"},
		"a mode of a whole port on one that is broken out": {"7250-IXR-X3b", lit("1085", split, ""),
			channel + "/operational-mode: breakout-mode must be unset for operational-mode 1085"},
		"another speed": {"7250-IXR-X3b", lit("1088", `,"ethernet":{"port-speed":"100G"}`, ""),
			"/interface[name=ethernet-1/1]/ethernet/port-speed: port-speed must be unset or 400G for operational-mode 1088"},
		"a laser of a port that is broken out": {"7250-IXR-X3b", `{"interface":[{"name":"ethernet-1/1"` + split + `,"transceiver":{"tx-laser":true}}]}`,
			"/interface[name=ethernet-1/1]/transceiver/tx-laser: tx-laser not configurable when breakout-mode is enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := refuses(network.Hardware{Platform: c.platform}, parse(t, "25.3", c.document)); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
