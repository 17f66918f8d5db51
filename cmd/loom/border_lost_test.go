//go:build !race

package main

import (
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/sim"
)

// One gateway of a site, or one cable, is enough for all that crosses. A router between sites joins whichever gateways are left,
// a cable those at its ends.
func TestOneBorderLeafOrOneCableIsEnough(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		edit  *strings.Replacer
		apart bool // when gateways at the ends of different cables are down
	}{{"cables", strings.NewReplacer(), true}, {"a router", overProvider, false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := borderOf(t, tt.edit, bgpComputed)
			f.configure(t)
			f.waits(t, f.incomplete)
			lose := func(kind, target string) (id string) {
				t.Helper()
				id, err := f.sim.Inject(sim.Fault{Kind: kind, Target: target})
				if err == nil {
					err = f.sim.Settle(t.Context())
				}
				if err != nil {
					t.Fatal(err)
				}
				return id
			}
			cut := lose("cut", "bj-gateway1:ethernet-1/1")
			f.waits(t, f.hears("sh-leaf1", "bj-leaf1", true))
			if err := f.sim.Clear(cut); err != nil {
				t.Fatal(err)
			}
			f.waits(t, f.incomplete)
			lose("device-down", "bj-gateway1")
			f.waits(t, f.hears("sh-leaf1", "bj-leaf1", true))
			lose("device-down", "sh-gateway2")
			f.waits(t, f.hears("sh-leaf1", "bj-leaf1", !tt.apart))
			lose("device-down", "bj-gateway2")
			f.waits(t, f.hears("sh-leaf1", "bj-leaf1", false))
		})
	}
}
