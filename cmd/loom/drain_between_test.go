package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestADrainOfGatewaysSaysWhatIsLeftBetweenSites(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "pkg", "fabric", "testdata", "stitched.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	n := networkOf(t, string(text), "service: vxlan-mpls")
	for out, want := range map[string]string{
		"bj-gateway1": "bj-gateway1: 800 of 1600 Gbit/s of bj-sh are left",
		"bj-gateway1 bj-gateway2": `bj-gateway1: 0 of 1600 Gbit/s of bj-sh are left
bj-gateway1: tenant red passes over drained gateways between bj and sh: there is no other way
bj-gateway1: tenant blue passes over drained gateways between bj and sh: there is no other way
bj-gateway2: 0 of 1600 Gbit/s of bj-sh are left
bj-gateway2: tenant red passes over drained gateways between bj and sh: there is no other way
bj-gateway2: tenant blue passes over drained gateways between bj and sh: there is no other way`,
	} {
		drained := map[string]bool{}
		for _, name := range strings.Fields(out) {
			drained[name] = true
		}
		if got := strings.Join(newOutage(n.design, drained, strings.Fields(out)).forecast(), "\n"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", out, got, want)
		}
	}
}
