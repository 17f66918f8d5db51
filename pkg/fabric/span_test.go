package fabric

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/pkg/topology"
)

func TestReflectorsMeetThoseOfSitesWithWhichTheyShareATenant(t *testing.T) {
	t.Parallel()
	design := compileFile(t, "stretched.yaml", read(t, "stretched.yaml"))
	for device, want := range map[string]string{
		"bj-spine1":   "bj-leaf1 sh-spine1@sh(tenants/blue/segments/backup) sh-spine2@sh(tenants/blue/segments/backup) sz-spine1@sz(tenants/red) sz-spine2@sz(tenants/red)",
		"sh-spine2":   "bj-spine1@bj(tenants/blue/segments/backup) bj-spine2@bj(tenants/blue/segments/backup) sh-leaf1", // and nobody of sz, with which it shares nothing
		"sz-spine1":   "bj-spine1@bj(tenants/red) bj-spine2@bj(tenants/red) sz-leaf1",
		"bj-leaf1":    "bj-spine1 bj-spine2",
		"sh-gateway1": "",
	} {
		var got []string
		for _, n := range design.Device(device).Overlay.Neighbors {
			text := n.Name
			if n.Site != "" {
				text += fmt.Sprintf("@%s(%s)", n.Site, n.Ref)
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", device, diff)
		}
	}
}

func TestWhatSpansSitesIsKnown(t *testing.T) {
	t.Parallel()
	design := compileFile(t, "stretched.yaml", read(t, "stretched.yaml"))
	want := []Span{
		{"red", "red", []string{"bj", "sz"}, LeafToLeaf, "tenants/red"},
		{"red/web", "red", []string{"bj", "sz"}, LeafToLeaf, "tenants/red/segments/web"},
		{"blue/backup", "blue", []string{"bj", "sh"}, LeafToLeaf, "tenants/blue/segments/backup"},
	}
	if diff := cmp.Diff(want, design.Spans); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, x := range design.DCIs {
		if x.Service != LeafToLeaf || x.Why != "bj-gateway1 runs srlinux 25.3, which stitches no tenants" {
			t.Errorf("%s: service %q, because %q", x.Name, x.Service, x.Why)
		}
	}
	if far, own := design.Device("bj-leaf1").Segments[0], design.Device("sz-leaf1").Segments[0]; far.Key != "red/web" || far.RT != own.RT || far.VNI != own.VNI || far.RD == own.RD {
		t.Errorf("one segment on leaves of two sites is %+v and %+v", far, own)
	}
}

// A tenant that comes to another site changes the leaf that it comes to and the reflectors that now meet, and nothing else.
func TestATenantMoreThatSpansSitesChangesItsEnds(t *testing.T) {
	t.Parallel()
	before := string(read(t, "stretched.yaml"))
	after := strings.Replace(before, "segments: [web, db]", "segments: [web, db, app]", 1)
	var c Compiler
	one, _ := c.Compile(topology.New(intentOf(t, "x.yaml", []byte(before))))
	two, diags := c.Compile(topology.New(intentOf(t, "x.yaml", []byte(after))))
	if two == nil {
		t.Fatal(diags)
	}
	var changed []string
	for _, d := range two.Devices {
		if one.Device(d.Name) != d {
			changed = append(changed, d.Name)
		}
	}
	if want := []string{"sh-spine1", "sh-spine2", "sz-spine1", "sz-spine2", "sz-leaf1"}; !slices.Equal(changed, want) {
		t.Errorf("changed %v, want %v", changed, want)
	}
}

func TestMistakesOfTenantsThatSpanSites(t *testing.T) {
	t.Parallel()
	const east = "sh-sz: {number: 2, wavelengths: {numbers: \"2\", mode: 400ZR unamplified, over: coast, margin: 1 dB}}"
	var out strings.Builder
	for _, tt := range []struct {
		name string
		edit []string // old, new, ...
	}{
		{"nothing leads to the site of a segment", []string{east, ""}},
		{"nothing leads to the site of a routed tenant", []string{east, "", "segments: [web, db]", "segments: [db]"}},
		{"sites forbid it", []string{"red: {number: 1,", "red: {number: 1, sites: [bj, sh],"}},
		{"gateways that cannot stitch", []string{"bj-sh: {number: 1,", "bj-sh: {number: 1, service: vxlan-mpls,"}},
		{"two services in one WAN", []string{"bj-sh: {number: 1,", "bj-sh: {number: 1, service: vxlan,", "sh-sz: {number: 2,", "sh-sz: {number: 2, service: vxlan-vxlan,"}},
		{"channels as a LAG", []string{"bj-sh: {number: 1,", "bj-sh: {number: 1, bundle: lag,"}},
		{"one cluster at several sites", []string{"defaults:\n", "defaults:\n  overlay: {cluster-id: 10.10.10.10}\n"}},
		{"different overlays", []string{"sz: {number: 3}", "sz: {number: 3, overlay: {routing: ebgp}}"}},
		{"a segment whose packets do not fit", []string{"web: {number: 10,", "web: {number: 10, mtu: 9200,"}},
		{"a bridged segment whose packets do not fit", []string{"{links: unnumbered}", "{links: unnumbered, mtu: 1520}"}},
		{"numbers for gateways that stitch nothing", []string{"red: {number: 1,", "red: {number: 1, wan-vni: 7,", "bj: {number: 1}", "bj: {number: 1, domain: \"65000:9\"}"}},
	} {
		source := topology.Source{Name: "x.yaml", Data: []byte(strings.NewReplacer(tt.edit...).Replace(string(read(t, "stretched.yaml"))))}
		in, diags := topology.Parse(source)
		if !diags.HasErrors() {
			_, diags = Compile(in)
		}
		fmt.Fprintf(&out, "-- %s --\n%s\n", tt.name, diags.Error())
	}
	golden(t, "stretched.mistakes.txt", []byte(out.String()))
}

// The designs of light_test.go have no tenants; this one has a ring of DCIs.
func TestACutSaysWhatTenantsThatSpanSitesHaveLeft(t *testing.T) {
	t.Parallel()
	ring := string(read(t, "stretched.yaml")) + "  bj-sz: {number: 3, wavelengths: {numbers: \"5..6\", mode: 400ZR unamplified, over: south, margin: 1 dB}}\n"
	ring = strings.NewReplacer("lines:\n", "  south1: {from: bj, to: sz, km: 10, shares: [bridge]}\nlines:\n  south: {from: bj, to: sz, mux: 3 dB, via: [south1]}\n",
		"river: {from: bj, to: sh, km: 38}", "river: {from: bj, to: sh, km: 38, shares: [bridge]}").Replace(ring)
	row := compileFile(t, "stretched.yaml", read(t, "stretched.yaml"))
	for _, tt := range []struct {
		name, risk string
		design     *Design
		want       []string
	}{
		{"in a row what is in between takes both ends", "duct east", row, []string{"tenant red is separated between bj and sz"}},
		{"and what is at one end takes all that is there", "duct river", row, []string{"tenant red is separated between bj and sz", "tenant blue is separated between bj and sh"}},
		{"in a ring there is another way", "duct south1", compileFile(t, "ring.yaml", []byte(ring)), []string{"tenant red goes over bj-sh, sh-sz between bj and sz, with 400 Gb/s"}},
		{"unless both ways share something", "bridge", compileFile(t, "ring.yaml", []byte(ring)), []string{"tenant red is separated between bj and sz", "tenant blue is separated between bj and sh"}},
	} {
		o, _ := tt.design.Cut(tt.risk)
		var got []string
		for _, r := range o.Tenants {
			got = append(got, r.String())
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if got := row.Reaches(map[string]int{"bj-sh": 100})[0]; got.String() != "tenant red has 300 of 400 Gb/s between bj and sz" {
		t.Error(got)
	}
}

func TestEveryHopOfASegmentCountsWithWhatItAdds(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]map[string]string{
		"stretched.yaml": {
			"red/web":     "VXLAN 50 at site bj, VXLAN 50 at site sz, VXLAN 50 on the channels of bj-sh, VXLAN 50 on the channels of sh-sz",
			"blue/backup": "VXLAN 50 at site bj, VXLAN 50 at site sh, VXLAN 50 on the channels of bj-sh, VXLAN 50 on the channels of sh-sz",
			"red/db":      "VXLAN 50 at site sz, VXLAN 50 at site bj, VXLAN 50 on the channels of bj-sh, VXLAN 50 on the channels of sh-sz", // its routes get where the tenant is
			"green/app":   "VXLAN 50 at site sh",
		},
		"stitched.yaml": {"red/web": "VXLAN 50 at site bj, VXLAN 50 at site sh, MPLS 22 on the channels of bj-sh"},
	} {
		d := newDraft(topology.New(intentOf(t, file, read(t, file))))
		d.number()
		d.readDCIs()
		d.joinSites()
		d.tenantsAndSegments()
		d.attach()
		d.place()
		for _, s := range d.segments {
			var got []string
			for _, h := range s.hops() {
				if text := fmt.Sprintf("%s %d %s", h.into, h.adds, h.name); !slices.Contains(got, text) {
					got = append(got, text)
				}
			}
			if want := want[s.key]; want != "" && strings.Join(got, ", ") != want {
				t.Errorf("%s: %s: %s, want %s", file, s.key, strings.Join(got, ", "), want)
			}
		}
	}
}
