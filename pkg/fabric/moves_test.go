//go:build !race

package fabric

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/topology"
)

// A DCI is drawn, and one of its channels; numbers are added and taken away at random, and no other channel moves.
func TestChannelsNeverMoveWhenOthersComeAndGo(t *testing.T) {
	t.Parallel()
	in := intentOf(t, "ring.yaml", read(t, "ring.yaml"))
	base := compile(t, in)
	rapid.Check(t, func(t *rapid.T) {
		next := proto.CloneOf(in)
		x := rapid.SampledFrom(next.Dcis[:2]).Draw(t, "dci")
		if rapid.Bool().Draw(t, "remove") {
			gone := rapid.IntRange(0, len(x.Channels)-1).Draw(t, "gone")
			x.Channels = slices.Delete(x.Channels, gone, gone+1)
		}
		for _, n := range rapid.SliceOfNDistinct(rapid.Uint32Range(7, 30), 1, 3, rapid.ID).Draw(t, "numbers") {
			x.Channels = append(x.Channels, &intent.Channel{Number: n, Slot: n, Mode: "OpenZR+ 400G", Lines: x.Channels[0].Lines})
		}
		after, diags := Compile(topology.New(next))
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, c := range after.Channels {
			i := slices.IndexFunc(base.Channels, func(o Channel) bool { return o.Name == c.Name })
			if i >= 0 && (base.Channels[i].Slot != c.Slot || terminalText(base.Channels[i].A) != terminalText(c.A) || terminalText(base.Channels[i].B) != terminalText(c.B)) {
				t.Fatalf("%s moved: %v, and now %v", c.Name, base.Channels[i], c)
			}
		}
		for _, d := range after.Devices {
			old := base.Device(d.Name)
			if d.Role == Leaf || d.Role == Spine {
				if text(t, old) != text(t, d) {
					t.Fatalf("%s moved", d.Name)
				}
			}
		}
	})
}
