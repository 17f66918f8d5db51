package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/topology"
)

// A wavelength more between gateways on SR OS changes their port, its light, and what it adds to, and the ends of its line; nothing
// of sessions or services, and nobody else.
func TestAWavelengthMoreBetweenStitchedSitesTouchesWhatItShould(t *testing.T) {
	t.Parallel()
	four, err := os.ReadFile(filepath.Join(root, "pkg", "fabric", "testdata", "stitched.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	five := strings.Replace(string(four), "count: 4, mode", "count: 5, mode", 1)
	const asLAG = "service: vxlan-mpls\n    bundle: lag"
	for name, tt := range map[string]struct {
		edit string
		want []string
	}{
		"as a routed link": {"service: vxlan-mpls", []string{
			"port[port-id=1/1/c3]", "port[port-id=1/1/c3/1]", "router[router-name=Base]/interface[interface-name=wan-1/1/c3/1]",
			"router[router-name=Base]/isis[isis-instance=0]/interface[interface-name=wan-1/1/c3/1]",
		}},
		"as a member of the LAG": {asLAG, []string{"port[port-id=1/1/c3]", "port[port-id=1/1/c3/1]", "lag[lag-name=lag-11]/port[port-id=1/1/c3/1]"}},
	} {
		before, after := networkOf(t, string(four), tt.edit), networkOf(t, five, tt.edit)
		var changed []string
		for _, device := range sortedKeys(after.trees) {
			changes := config.Diff(before.trees[device], after.trees[device])
			if len(changes) == 0 {
				continue
			}
			changed = append(changed, device)
			if !strings.Contains(device, "gateway") {
				continue
			}
			var got []string
			for _, c := range changes {
				if c.Op != config.Create {
					t.Errorf("%s: %s: %v %s", name, device, c.Op, c.At)
				}
				got = append(got, strings.TrimPrefix(c.At.String(), "/configure/"))
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(tt.want))
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s: changes\n%s\nwant\n%s", name, device, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
		if want := []string{"bj-gateway1", "north-bj", "north-sh", "sh-gateway1"}; !slices.Equal(changed, want) {
			t.Errorf("%s: changed %v, want %v", name, changed, want)
		}
	}
}

// networkOf compiles a text in which the service of its DCI is replaced.
func networkOf(t *testing.T, text, service string) *network {
	t.Helper()
	text = strings.Replace(text, "service: vxlan-mpls", service, 1)
	n, err := compileNetwork(&terminal{out: io.Discard, err: io.Discard}, []topology.Source{{Name: "x.yaml", Data: []byte(text)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
