package fabric

import (
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/topology"
)

// One word misspelt where sites are joined is one error: what spans the sites, and the cables of their gateways, are not complained of.
func TestAMisspeltWordOfADCIIsTheOnlyError(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		old, new string
		want     string
	}{
		"the platform of its gateways": {"platform: 7750-SR-1s", "platform: 7750-SR1s", "no platform 7750-SR1s; write 7750-SR-1s"},
		"the release of its gateways":  {"platform: 7750-SR-1s", `platform: 7750-SR-1s, release: "25.3"`, "no release 25.3 for 7750-SR-1s; use one of 26.3"},
		"the mode of its wavelengths":  {"mode: OpenZR+ 400G", "mode: OpenZR 400G", "no mode OpenZR 400G; write OpenZR+ 400G"},
	} {
		_, diags := Compile(topology.New(intentOf(t, "stitched.yaml", []byte(edited(t, tt.old, tt.new)))))
		if len(diags) == 0 {
			t.Errorf("%s: no error", name)
		}
		for _, d := range diags { // one for each gateway or channel, as the fixture has no lines to tell them once
			if got := d.Message + "; " + d.Fix; !strings.HasSuffix(got, tt.want) {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
}

// Gateways that bridge need a way to each other: one that is cut off from other sites would go on flooding into the void.
func TestGatewaysThatBridgeAreWarnedOfBeingApart(t *testing.T) {
	t.Parallel()
	cable := "  - bj/gateway1:1/1/c16/1 - bj/gateway2:1/1/c16/1\n"
	for name, tt := range map[string]struct {
		edits []string
		want  []string
	}{
		"joined by a cable": {nil, nil},
		"apart at one site": {[]string{cable, ""}, []string{"bj-gateway1 and bj-gateway2: bridge segments between sites, and no cable joins them: should one lose its ways to other sites, what it floods gets nowhere"}},
	} {
		_, diags := Compile(topology.New(intentOf(t, "stitched.yaml", []byte(edited(t, tt.edits...)))))
		var got []string
		for _, d := range diags {
			if strings.Contains(d.Message, "no cable joins them") {
				got = append(got, d.Message)
			}
		}
		if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
			t.Errorf("%s: warned of %q, want %q", name, got, tt.want)
		}
	}
}
