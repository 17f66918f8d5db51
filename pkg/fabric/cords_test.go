package fabric

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/topology"
)

// coloured is a line with a multiplexer that has a port for every slot, and colourless one with ROADMs.
const coloured = `
loom: v1
name: cords
defaults:
  underlay: {links: unnumbered}
  spines: {count: 1, platform: 7220-IXR-H3}
  gateways: {count: 2, platform: 7250-IXR-X3b}
sites: {bj: {number: 1}, sh: {number: 2}}
ducts:
  north: {from: bj, to: sh, km: 80}
  south: {from: bj, to: sh, km: 95}
lines:
  fixed: {from: bj, to: sh, via: [north], amplifiers: EDFA, mux: 5 dB, grid: 75 GHz}
  free:  {from: bj, to: sh, via: [south], amplifiers: EDFA, ends: roadm}
dci:
  one: {number: 1, wavelengths: {numbers: 1..3, mode: OpenZR+ 400G, over: free, spectrum: 191.325..193.725 THz}}
  two: {number: 2, wavelengths: {numbers: 4..6, mode: OpenZR+ 400G, over: free, spectrum: 193.725..196.125 THz}}
  mux: {number: 3, wavelengths: {numbers: 7..8, mode: OpenZR+ 400G, over: fixed}}
`

// cords are the ports that channels are plugged into, by "CHANNEL at DEVICE".
func cords(d *Design) map[string]string {
	out := map[string]string{}
	for _, dev := range d.Devices {
		for _, m := range dev.Light.Media {
			out[m.Channel+" at "+dev.Name] = m.Port
		}
	}
	return out
}

func cordsIntent(t *testing.T) *intent.Topology {
	t.Helper()
	topo, diags := topology.Parse(topology.Source{Name: "cords.yaml", Data: []byte(coloured)})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return topo.Intent
}

// On a ROADM no cord follows from a frequency, nor from what other channels there are.
func TestAChannelKeepsItsPortOfAROADMWhateverIsTunedAnew(t *testing.T) {
	t.Parallel()
	in := cordsIntent(t)
	first := cords(compile(t, in))
	if got := first["one/2 at free-bj"]; got != "add-drop-1-2" {
		t.Fatalf("one/2 is plugged into %q", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		next := proto.CloneOf(in)
		slots := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7}).Draw(t, "slots")
		for _, x := range next.Dcis[:2] {
			var left []*intent.Channel
			for _, c := range x.Channels {
				if c.Frequency, slots = uint32(191_500_000+75_000*slots[0]), slots[1:]; rapid.Bool().Draw(t, "stays") {
					left = append(left, c)
				}
			}
			x.Channels = left
		}
		design, diags := Compile(topology.New(next))
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for who, port := range cords(design) {
			if port != first[who] {
				t.Fatalf("%s moves from %s to %s", who, first[who], port)
			}
		}
	})
}

// On a multiplexer with a fixed grid the port is the slot.
func TestAChannelOfAFixedMultiplexerIsPluggedWhereItsSlotIs(t *testing.T) {
	t.Parallel()
	in := cordsIntent(t)
	before := cords(compile(t, in))
	next := proto.CloneOf(in)
	channelsOf(next, "mux").Channels[0].Slot = 40
	after := cords(compile(t, next))
	for _, end := range []string{"bj", "sh"} {
		moved, still := "mux/7 at fixed-"+end, "mux/8 at fixed-"+end
		if before[moved] != "add-drop-7" || after[moved] != "add-drop-40" || before[still] != "add-drop-8" || after[still] != before[still] {
			t.Errorf("from %v to %v", before, after)
		}
	}
}

// A longer way that leaves by the line that a channel is plugged into comes before a shorter one for which somebody has to travel to
// both sites.
func TestAChannelIsLedWhereFewerCordsHaveToBeMoved(t *testing.T) {
	t.Parallel()
	const square = `
loom: v1
name: square
defaults:
  underlay: {links: unnumbered}
  spines: {count: 1, platform: 7220-IXR-H3}
  gateways: {count: 1, platform: 7250-IXR-X3b}
sites: {a: {number: 1}, b: {number: 2}, c: {number: 3}}
ducts: {ab1: {from: a, to: b, km: 40}, bc1: {from: b, to: c, km: 40}, bc2: {from: b, to: c, km: 60}, ac1: {from: a, to: c, km: 50}}
lines:
  ab: {from: a, to: b, via: [ab1], amplifiers: EDFA, ends: roadm}
  bc: {from: b, to: c, via: [bc1], amplifiers: EDFA, ends: roadm}
  bc-far: {from: b, to: c, via: [bc2], amplifiers: EDFA, ends: roadm}
  ac: {from: a, to: c, via: [ac1], amplifiers: EDFA, ends: roadm}
dci: {x: {number: 1, wavelengths: {count: 2, mode: OpenZR+ 400G, over: ab + bc, margin: 0.1 dB}}}
`
	topo, diags := topology.Parse(topology.Source{Name: "square.yaml", Data: []byte(square)})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	r, err := Restore(topo, []string{"bc1"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range r.Moves {
		got = append(got, fmt.Sprint(m.Channel, " over ", strings.Join(m.To, " + "), " ", m.Plugs))
	}
	want := "x/1 over ab + bc-far [a c-gateway1:ethernet-1/1 into add-drop-1-1 of bc-far-c]; "
	want = strings.Replace(want, "[a ", "[", 1) + "x/2 over ab + bc-far [c-gateway1:ethernet-1/2 into add-drop-1-2 of bc-far-c]"
	if strings.Join(got, "; ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "; "), want)
	}
}
