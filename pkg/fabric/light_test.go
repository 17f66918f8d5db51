package fabric

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"google.golang.org/protobuf/proto"

	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/optics"
	"github.com/loomfabric/loom/pkg/topology"
)

// intentOf parses a file of testdata.
func intentOf(t testing.TB, name string, data []byte) *intent.Topology {
	t.Helper()
	in, diags := topology.Parse(topology.Source{Name: name, Data: data})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return in.Intent
}

func TestLightIsThatOfTheGoldenFile(t *testing.T) {
	t.Parallel()
	golden(t, "light.golden.txt", []byte(lightText(compile(t, intentOf(t, "light.yaml", read(t, "light.yaml"))))))
}

// lightText is what a design says of light, as people read it.
func lightText(d *Design) string {
	var b strings.Builder
	for _, l := range d.Lines {
		fmt.Fprintf(&b, "line %s: %s to %s over %s; risks %s\n", l.Name, l.A, l.B, strings.Join(l.Ducts, ", "), strings.Join(l.Risks, ", "))
		for _, way := range []struct {
			name string
			r    *optics.Report
		}{{"there", l.There}, {"back", l.Back}} {
			if way.r == nil {
				continue
			}
			fmt.Fprintf(&b, "  %s: launched with %v\n", way.name, way.r.Launch)
			for _, s := range way.r.States {
				fmt.Fprintf(&b, "    %s: %.1f dB, the least that of %s, received with %.1f dBm\n", s.Name, float64(s.Margin), s.Worst.Name, float64(s.Worst.Light.Power))
			}
		}
	}
	for _, c := range d.Channels {
		fmt.Fprintf(&b, "channel %s: %v, %s, %v over %s; %s - %s\n", c.Name, c.Slot, c.Mode.Name, c.Power, strings.Join(c.Lines, " + "), terminalText(c.A), terminalText(c.B))
	}
	for _, c := range d.Cables {
		if far := d.Device(c.B.Device); c.Channel != "" || far != nil && far.Role == Transponder {
			fmt.Fprintf(&b, "cable %s:%s - %s:%s at %s, channel %q\n", c.A.Device, c.A.Port, c.B.Device, c.B.Port, c.Speed, c.Channel)
		}
	}
	for _, dev := range d.Devices {
		if dev.Role == Spine || dev.Role == Leaf {
			continue
		}
		fmt.Fprintf(&b, "%s %s: number %d, release %s, loopback %v, AS %d, management %v, group %s, labels %v\n", dev.Role, dev.Name, dev.Number, dev.Release, dev.Loopback, dev.ASN, dev.Management, dev.Group, dev.Labels)
		for _, l := range dev.Links {
			fmt.Fprintf(&b, "  link %s to %s:%s AS %d, channel %q, by %q\n", l.Port, l.PeerName, l.PeerPort, l.PeerASN, l.Channel, l.Via)
		}
		for _, x := range dev.Breakouts {
			fmt.Fprintf(&b, "  breakout %s: %d of %s\n", x.Port, x.Channels, x.Speed)
		}
		for _, p := range dev.Light.Coherent {
			fmt.Fprintf(&b, "  coherent %s: %s at %d MHz, %v, mode %s with %d lanes, clients %v, far end %s:%s\n", p.Port, p.Channel, p.Frequency, p.Power, p.Setting, p.Lanes, p.Clients, p.PeerName, p.PeerPort)
		}
		for _, p := range dev.Light.Clients {
			fmt.Fprintf(&b, "  client %s: %d Gb/s on %s from %s:%s\n", p.Port, p.Rate, p.Line, p.PeerName, p.PeerPort)
		}
		for _, a := range dev.Light.Amplifiers {
			fmt.Fprintf(&b, "  amplifier %s: %v, then less %v; %.1f dBm\n", a.Name, a.Gain, a.VOA, float64(a.Output))
		}
		for _, m := range dev.Light.Media {
			fmt.Fprintf(&b, "  media %d: %d..%d MHz for %s at %s\n", m.Index, m.Low, m.High, m.Channel, m.Port)
		}
	}
	return b.String()
}

func terminalText(t Terminal) string {
	return fmt.Sprintf("%s:%s of %s %s", t.Device, t.Port, t.Router, strings.Join(t.Ports, ","))
}

// Each case of testdata/light is a sentence, what is added to the file at the top, and after "=>" all that is printed.
func TestMistakesWithLightAreShownWhereTheyWereMade(t *testing.T) {
	t.Parallel()
	name := filepath.Join("testdata", "light.mistakes.txt")
	ar, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	out.Write(ar.Comment)
	base := ""
	for _, f := range ar.Files {
		source, _, _ := strings.Cut(string(f.Data), "=>\n")
		if f.Name == "base" {
			base = source
			fmt.Fprintf(&out, "-- base --\n%s", source)
			continue
		}
		in, diags := topology.Parse(topology.Source{Name: "f.yaml", Data: []byte(base + source)})
		if in != nil {
			_, diags = Compile(in)
		}
		if len(diags) == 0 {
			t.Errorf("%s: no mistake", f.Name)
		}
		fmt.Fprintf(&out, "-- %s --\n%s=>\n%s\n", f.Name, source, diags.Error())
	}
	if *update {
		if err := os.WriteFile(name, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, "light.mistakes.txt")), out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// changed are the devices that two designs do not share.
func changed(before, after *Design) []string {
	var out []string
	for _, d := range after.Devices {
		if before.Device(d.Name) != d {
			out = append(out, d.Name)
		}
	}
	return out
}

func channelsOf(in *intent.Topology, name string) *intent.Dci {
	return in.Dcis[slices.IndexFunc(in.Dcis, func(d *intent.Dci) bool { return d.Name == name })]
}

func TestAWavelengthMoreChangesItsEndsAndItsLineAlone(t *testing.T) {
	t.Parallel()
	in := intentOf(t, "light.yaml", read(t, "light.yaml"))
	var c Compiler
	before, diags := c.Compile(topology.New(in))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	next := proto.CloneOf(in)
	d := channelsOf(next, "sh-sz")
	more := proto.CloneOf(d.Channels[1])
	more.Number, more.Slot = 11, 11
	d.Channels = append(d.Channels, more)
	after, diags := c.Compile(topology.New(next))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if diff := cmp.Diff([]string{"sh-gateway1", "sz-gateway1", "bc-sz", "bc-sh"}, changed(before, after)); diff != "" {
		t.Errorf("decided anew (-want +got):\n%s", diff)
	}
	for i, a := range before.Device("bc-sz").Light.Amplifiers {
		b := after.Device("bc-sz").Light.Amplifiers[i]
		if a.Gain != b.Gain || a.VOA != b.VOA || a.Output >= b.Output {
			t.Errorf("%s: %v giving %v, and then %v giving %v: the gain is that of the full line", a.Name, a.Gain, a.Output, b.Gain, b.Output)
		}
	}
	for i, ch := range before.Channels {
		if got := after.Channels[i]; got.Name != ch.Name || got.Slot != ch.Slot || got.A.Port != ch.A.Port || got.B.Port != ch.B.Port {
			t.Errorf("%s moved: %v %v, and then %v %v", ch.Name, ch.Slot, ch.A, got.Slot, got.A)
		}
	}
	if before.Lines[0].There != after.Lines[0].There || before.Lines[1].There == after.Lines[1].There {
		t.Error("a line that is lit as before is not planned again, and another is")
	}
	if fresh := compile(t, next); lightText(fresh) != lightText(after) || text(t, fresh.Devices) != text(t, after.Devices) {
		t.Error("the design differs from one without memory")
	}
}

func TestTheOrderInWhichLightIsListedHasNoMeaning(t *testing.T) {
	t.Parallel()
	in := intentOf(t, "light.yaml", read(t, "light.yaml"))
	want := lightText(compile(t, in))
	r := rand.New(rand.NewPCG(3, 4))
	for range 3 {
		shuffle(in, r)
		mix(in.Ducts, r)
		mix(in.Lines, r)
		mix(in.Dcis, r)
		for _, d := range in.Dcis {
			mix(d.Channels, r)
		}
		if diff := cmp.Diff(want, lightText(compile(t, in))); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestBothSitesOfADCIKnowEachOthersLoopbacks(t *testing.T) {
	t.Parallel()
	in := intentOf(t, "light.yaml", read(t, "light.yaml"))
	for _, d := range compile(t, in).Devices {
		if want := map[string]string{"bj": "[10.2.0.0/17 10.3.0.0/17]", "sh": "[10.1.0.0/17 10.3.0.0/17]", "sz": "[10.1.0.0/17 10.2.0.0/17]"}[d.Site]; d.Role == Gateway && fmt.Sprint(d.Underlay.Abroad) != want {
			t.Errorf("%s: abroad are %v, want %s", d.Name, d.Underlay.Abroad, want)
		}
		if d.Role != Transponder && d.Role != LineSystem && fmt.Sprint(d.Underlay.Advertise) != "[10.1.0.0/17 10.2.0.0/17 10.3.0.0/17]" {
			t.Errorf("%s: %v", d.Name, d.Underlay.Advertise)
		}
	}
	in.Dcis = in.Dcis[:1] // bj-sh alone
	for name, want := range map[string]string{"bj-leaf1": "[10.1.0.0/17 10.2.0.0/17]", "sz-leaf1": "[10.3.0.0/17]"} {
		if got := fmt.Sprint(compile(t, in).Device(name).Underlay.Advertise); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestNumberedChannelsHaveSubnetsOfTheirGateways(t *testing.T) {
	t.Parallel()
	in := intentOf(t, "light.yaml", read(t, "light.yaml"))
	for _, s := range in.Sites {
		s.Underlay.Links = intent.Links_LINKS_NUMBERED
	}
	seen := map[string]string{}
	for _, d := range compile(t, in).Devices {
		for _, l := range d.Links {
			if other, twice := seen[l.Addr.Addr().String()]; twice || !l.Addr.IsValid() {
				t.Errorf("%s:%s: address %v is also that of %s", d.Name, l.Port, l.Addr, other)
			}
			seen[l.Addr.Addr().String()] = d.Name + ":" + l.Port
		}
	}
	// gateway 1 has the last 64 of the 16384 subnets in the upper half of 10.1.0.0/16
	if got := seen["10.1.255.130"]; got != "bj-gateway1:ethernet-1/1" {
		t.Errorf("10.1.255.130 is that of %q", got)
	}
}

func TestACutTakesWhatPassesThere(t *testing.T) {
	t.Parallel()
	d := compile(t, intentOf(t, "light.yaml", read(t, "light.yaml")))
	var b strings.Builder
	for _, o := range d.Outages() {
		fmt.Fprintf(&b, "%s: ducts %v, lines %v, channels %v, %d Gb/s, %v, islands %v\n", o.Risk, o.Ducts, o.Lines, o.Channels, o.Capacity, o.DCIs, o.Islands)
	}
	golden(t, "light.outages.txt", []byte(b.String()))
	if _, ok := d.Cut("duct nowhere"); ok {
		t.Error("a cut of nothing")
	}
	if o, ok := d.Cut("bridge-7"); !ok || o.Capacity != 2000 || len(o.Islands) != 2 {
		t.Errorf("%v %+v", ok, o)
	}
}

// modesIn are the modes of the channels of a DCI, each once.
func modesIn(d *Design, dci string) []string {
	var out []string
	for _, c := range d.Channels {
		if c.DCI == dci && !slices.Contains(out, c.Mode.Name) {
			out = append(out, c.Mode.Name)
		}
	}
	return out
}

func TestTheFastestModeClosesBesideWhatElseTheLineCarries(t *testing.T) {
	t.Parallel()
	in := intentOf(t, "twin.yaml", read(t, "twin.yaml"))
	fast := compile(t, in)
	if got := modesIn(fast, "carried"); len(got) != 1 || !strings.Contains(got[0], "800G") {
		t.Errorf("modes %v, want 800G", got)
	}
	for _, c := range channelsOf(in, "carried").Channels {
		c.Margin = 1 // which 800G keeps on the line alone, and not beside the other channels
	}
	slow := compile(t, in)
	if got := modesIn(slow, "carried"); len(got) != 1 || !strings.Contains(got[0], "400G") {
		t.Errorf("modes %v, want 400G", got)
	}
	if a, b := len(fast.Device("bj-gateway1").Links), len(slow.Device("bj-gateway1").Links); a != b+1 {
		t.Errorf("%d links with 800G, and %d with 400G", a, b)
	}
}

func TestLinesApartFromEachOtherShareNothing(t *testing.T) {
	t.Parallel()
	d := compile(t, intentOf(t, "ring.yaml", read(t, "ring.yaml")))
	for i, a := range d.Lines {
		for _, b := range d.Lines[:i] {
			for _, risk := range a.Risks {
				if slices.Contains(b.Risks, risk) {
					t.Errorf("%s and %s share %s", a.Name, b.Name, risk)
				}
			}
		}
	}
	if south := d.Lines[slices.IndexFunc(d.Lines, func(l Line) bool { return l.Name == "south" })]; fmt.Sprint(south.Ducts) != "[sh-hut hut-gz]" {
		t.Errorf("south goes over %v", south.Ducts)
	}
	for _, o := range d.Outages() {
		if o.Islands != nil {
			t.Errorf("%s parts %v: a ring has two ways", o.Risk, o.Islands)
		}
	}
}

// ring is n sites of which each has a line of three spans to the next, and every fifth one across.
func ring(n int) *intent.Topology {
	in := &intent.Topology{Name: "ring", OverlayAs: 65000}
	for i := 1; i <= n; i++ {
		s := newSite(fmt.Sprintf("s%d", i), uint32(i), 1, 1)
		s.Devices = append(s.Devices,
			&intent.Device{Name: s.Prefix + "gateway1", Role: intent.Role_ROLE_GATEWAY, Number: 1, Platform: "7250-IXR-X3b", Release: "25.3"},
			&intent.Device{Name: s.Prefix + "gateway2", Role: intent.Role_ROLE_GATEWAY, Number: 2, Platform: "7250-IXR-X3b", Release: "25.3"})
		in.Sites = append(in.Sites, s)
	}
	for i := range 2 * n {
		a, b := i%n, (i+1)%n
		if i >= n {
			b = (i + 5) % n
		}
		name := fmt.Sprintf("l%d", i+1)
		line := &intent.Line{
			Name: name, From: in.Sites[a].Name, To: in.Sites[b].Name, Amplifiers: &intent.Amplifiers{Kind: "EDFA"}, Ends: intent.LineEnds_LINE_ENDS_MUX,
			Mux: proto.Float64(6), Low: 191_325_000, High: 196_125_000, Ageing: &intent.LineAgeing{Span: 1, Nf: 0.5, System: 0.5}, Platform: "openconfig-line-system",
		}
		at := line.From
		for k := range 3 {
			to := fmt.Sprintf("%sh%d", name, k+1)
			if k == 2 {
				to = line.To
			}
			d := &intent.Duct{Name: fmt.Sprintf("%sd%d", name, k), From: at, To: to, Km: float64(60 + i%20), Fibre: "SSMF", Connectors: 0.5, Shares: []string{fmt.Sprintf("trench-%d", i/3)}}
			in.Ducts, line.Via, at = append(in.Ducts, d), append(line.Via, d.Name), to
		}
		in.Lines = append(in.Lines, line)
		d := &intent.Dci{Name: "d" + name, Number: uint32(i + 1)}
		// numbers that no other DCI of its sites has: the ring takes odd and even ones in turn, those across the rest
		first := uint32(1 + 4*(i%2))
		if i >= n {
			first = uint32(9 + 4*((i/5)%2))
		}
		for k := range uint32(4) {
			d.Channels = append(d.Channels, &intent.Channel{Number: first + k, Mode: "OpenZR+ 400G", Lines: []string{name}, Slot: first + k})
		}
		in.Dcis = append(in.Dcis, d)
	}
	return in
}

func BenchmarkPlan100Lines(b *testing.B) {
	in := topology.New(ring(50))
	design, diags := Compile(in)
	if diags.HasErrors() || len(design.Lines) != 100 {
		b.Fatal(diags)
	}
	b.Run("anew", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Compile(in)
		}
	})
	b.Run("again", func(b *testing.B) {
		var c Compiler
		c.Compile(in)
		b.ReportAllocs()
		for b.Loop() {
			c.Compile(in)
		}
	})
}

func BenchmarkOutages50Sites(b *testing.B) {
	design, diags := Compile(topology.New(ring(50)))
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	b.ReportAllocs()
	for b.Loop() {
		if got := len(design.Outages()); got < 300 {
			b.Fatal(got)
		}
	}
}
