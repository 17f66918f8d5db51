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
