package topology

import (
	"strings"
	"testing"
)

func TestAReleaseIsThatOfTheOperatingSystem(t *testing.T) {
	t.Parallel()
	const base = "loom: v1\nname: x\n%DEFAULTS%\nspines: {count: 1, platform: 7220-IXR-D3L}\ngateways: {count: 1, platform: 7750-SR-1s%OWN%}\n"
	for name, tt := range map[string]struct{ defaults, own, spine, gateway string }{
		"none is given":                        {"", "", "25.3", "26.3"},
		"one text is that of SR Linux":         {`defaults: {release: "24.10"}`, "", "24.10", "26.3"},
		"one text is that of SR OS":            {`defaults: {release: "26.3"}`, "", "25.3", "26.3"},
		"both are given":                       {`release: {srlinux: "24.10", sros: "26.3"}`, "", "24.10", "26.3"},
		"the nearest counts":                   {`release: {srlinux: "24.10"}`, `, release: {sros: "26.3"}`, "24.10", "26.3"},
		"one that is meant for a device stays": {"", `, release: "25.3"`, "25.3", "25.3"}, // and is refused with the platform
	} {
		in, diags := Parse(Source{Name: "x.yaml", Data: []byte(strings.NewReplacer("%DEFAULTS%", tt.defaults, "%OWN%", tt.own).Replace(base))})
		if diags.HasErrors() {
			t.Fatalf("%s: %v", name, diags)
		}
		for _, d := range in.Intent.GetSites()[0].GetDevices() {
			if want := map[string]string{"spine1": tt.spine, "gateway1": tt.gateway}[d.GetName()]; d.GetRelease() != want {
				t.Errorf("%s: %s has release %s, want %s", name, d.GetName(), d.GetRelease(), want)
			}
		}
	}
}
