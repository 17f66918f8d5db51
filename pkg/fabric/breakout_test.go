package fabric

import (
	"testing"

	"github.com/loomfabric/loom/models/hardware"
	kinds "github.com/loomfabric/loom/models/optics"
)

// No platform of today has a mode that needs its port broken out; the mechanism is held with one that is made up.
func TestAModeForPartsOfAPortHasALinkForEach(t *testing.T) {
	t.Parallel()
	p := &hardware.Platform{Name: "made-up", Coherent: &hardware.Coherent{Modes: []hardware.CoherentMode{
		{Name: "OpenZR+ 400G"}, {Name: "OpenZR+ 300G", Breakout: "3x100G"},
	}}}
	e := side{platform: p}
	for name, want := range map[string]int{"OpenZR+ 400G": 1, "OpenZR+ 300G": 3} {
		m, ok := kinds.Mode(name)
		if !ok {
			t.Fatal("no mode " + name)
		}
		if n, full := e.links(m); n != want || !full {
			t.Errorf("%s: %d links, %v; want %d", name, n, full, want)
		}
		c := &channel{mode: m}
		if got := c.links(&terminal{gateway: &node{platform: p}, port: portID{index: 4}}); len(got) != want || want > 1 && got[2] != (portID{index: 4, channel: 3}) {
			t.Errorf("%s: links %v", name, got)
		}
	}
	if got := modesOf(e, e); len(got) != 2 {
		t.Errorf("%d modes, want both", len(got))
	}
}
