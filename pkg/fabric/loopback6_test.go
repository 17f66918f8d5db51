package fabric

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/topology"
)

// dual is three sites in a row (stretched.yaml) with IPv6 loopbacks of one pool, and edits: old, new, ...
func dual(t *testing.T, edits ...string) *topology.Topology {
	t.Helper()
	source := string(read(t, "stretched.yaml"))
	edits = append([]string{"underlay: {links: unnumbered}", `underlay: {loopbacks6: "2001:db8::/48"}`}, edits...)
	for i := 0; i+1 < len(edits); i += 2 {
		if !strings.Contains(source, edits[i]) {
			t.Fatalf("stretched.yaml has no %q", edits[i])
		}
		source = strings.ReplaceAll(source, edits[i], edits[i+1])
	}
	in, diags := topology.Parse(topology.Source{Name: "dual.yaml", Data: []byte(source)})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return in
}

func TestIPv6LoopbacksFollowFromTheNumbersOfSiteRoleAndDevice(t *testing.T) {
	t.Parallel()
	const shGateways = "sh: {number: 2, gateways: {count: 2, platform: 7250-IXR-X3b}}"
	for _, tt := range []struct {
		name  string
		edits []string
		want  map[string]string
	}{
		{"a site, a role and a device are a group of 16 bits each", nil, map[string]string{
			"bj-spine2": "2001:db8::1:0:2", "bj-leaf1": "2001:db8::1:1:1", "bj-gateway1": "2001:db8::1:2:1", "sh-gateway2": "2001:db8::2:2:2", "sz-leaf1": "2001:db8::3:1:1",
		}},
		{"others that come and go change nothing", []string{"leaves: {count: 1,", `leaves: {numbers: "1,4",`, "sz: {number: 3}", "sz: {number: 250}", "spines: {count: 2,", `spines: {numbers: "2",`}, map[string]string{
			"bj-spine2": "2001:db8::1:0:2", "bj-leaf1": "2001:db8::1:1:1", "bj-leaf4": "2001:db8::1:1:4", "sh-gateway2": "2001:db8::2:2:2", "sz-leaf1": "2001:db8::fa:1:1",
		}},
		{"an explicit one wins", []string{shGateways, `sh: {number: 2, gateways: {count: 2, platform: 7250-IXR-X3b, override: {2: {loopback6: "2001:db8:ffff::7"}}}}`}, map[string]string{
			"sh-gateway1": "2001:db8::2:2:1", "sh-gateway2": "2001:db8:ffff::7",
		}},
		{"a site may have a pool of its own, as long as a pool can be", []string{shGateways, `sh: {number: 2, underlay: {loopbacks6: "fd00:1:2:3:4:5500::/88"}}`}, map[string]string{
			"bj-leaf1": "2001:db8::1:1:1", "sh-leaf1": "fd00:1:2:3:4:5502:1:1",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			design := compile(t, dual(t, tt.edits...).Intent)
			for name, want := range tt.want {
				if d := design.Device(name); d == nil || d.Loopback6 != netip.MustParseAddr(want) {
					t.Errorf("%s: %v, want %s", name, d, want)
				}
			}
		})
	}
}

// What a device may know of IPv6 is what it may know of IPv4.
func TestIPv6LoopbacksAreAnnouncedLikeThoseOfIPv4(t *testing.T) {
	t.Parallel()
	const outside = `sh: {number: 2, gateways: {count: 2, platform: 7250-IXR-X3b, override: {2: {loopback6: "2001:db8:ffff::7"}}}}`
	design := compile(t, dual(t, "sh: {number: 2, gateways: {count: 2, platform: 7250-IXR-X3b}}", outside).Intent)
	bj, sh, sz := "2001:db8::1:0:0/96", "2001:db8::2:0:0/96 2001:db8:ffff::7/128", "2001:db8::3:0:0/96"
	u := design.Device("sh-gateway1").Underlay
	if got, want := fmt.Sprint(u.Advertise), "[10.1.0.0/17 10.2.0.0/17 10.3.0.0/17 "+bj+" "+strings.Replace(sh, " ", " "+sz+" ", 1)+"]"; got != want {
		t.Errorf("sh-gateway1 knows %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(u.Abroad), "[10.1.0.0/17 10.3.0.0/17 "+bj+" "+sz+"]"; got != want {
		t.Errorf("abroad of sh-gateway1 are %s, want %s", got, want)
	}
	near := compile(t, intentOf(t, "stitched.yaml", []byte(edited(t, "underlay: {links", `underlay: {loopbacks6: "2001:db8::/48", links`))))
	for _, name := range []string{"bj-leaf1", "bj-spine1", "bj-gateway1"} {
		if got, want := fmt.Sprint(near.Device(name).Underlay.Advertise), "[10.1.0.0/17 "+bj+"]"; got != want {
			t.Errorf("%s, whose gateways stitch, knows %s, want %s", name, got, want)
		}
	}
}

// Between sites IPv6 goes as far as gateways of any site need it, also by those of a site that has none.
func TestGatewaysThatStitchCarryIPv6WhereAnySiteHasIt(t *testing.T) {
	t.Parallel()
	for want, edits := range map[bool][]string{false: nil, true: {"sh: {number: 2,", `sh: {number: 2, underlay: {loopbacks6: "2001:db8::/48"},`}} {
		design := stitched(t, edits...)
		for _, name := range []string{"bj-gateway1", "sh-gateway2"} {
			if got := design.Device(name).WAN.IPv6; got != want {
				t.Errorf("%s with %q: carries IPv6: %t, want %t", name, edits, got, want)
			}
		}
	}
}

func TestMistakesWithIPv6LoopbacksAreNamedWithTheirCause(t *testing.T) {
	t.Parallel()
	const shGateways = "sh: {number: 2, gateways: {count: 2, platform: 7250-IXR-X3b}}"
	for _, tt := range []struct {
		name  string
		edits []string
		want  []string
	}{
		{"two devices with one address, one of them derived", []string{shGateways, `sh: {number: 2, leaves: {override: {1: {loopback6: "2001:db8::1:0:2"}}}}`},
			[]string{"dual.yaml:12:54: sh-leaf1: IPv6 loopback 2001:db8::1:0:2 is also that of bj-spine2; give one of them another loopback6"}},
		{"numbered links", []string{"underlay: {loopbacks6", "underlay: {links: numbered, loopbacks6"},
			[]string{"underlay of site bj: loopbacks6 with numbered links", "underlay of site sh: loopbacks6 with numbered links", "underlay of site sz: loopbacks6 with numbered links"}},
		{"an address at a site without a pool", []string{`underlay: {loopbacks6: "2001:db8::/48"}`, "underlay: {mtu: 9000}", shGateways, `sh: {number: 2, leaves: {override: {1: {loopback6: "2001:db8::7"}}}}`},
			[]string{"sh-leaf1: loopback6 2001:db8::7: the underlay of site sh carries no IPv6; give the underlay loopbacks6, or take it out"}},
		{"a site on the way without a pool", []string{`underlay: {loopbacks6: "2001:db8::/48"}`, "underlay: {mtu: 9000}", "bj: {number: 1}", `bj: {number: 1, underlay: {loopbacks6: "2001:db8::/48"}}`},
			[]string{"bj-sh: sites bj and sh: bj has IPv6 loopbacks and sh has none, and the underlay passes from one to the other; give both loopbacks6, or say it once in defaults"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, diags := Compile(dual(t, tt.edits...))
			var got []string
			for _, diag := range diags {
				if diag.Severity == topology.Error {
					got = append(got, topology.Diagnostics{diag}.Error())
				}
			}
			if !slices.EqualFunc(got, tt.want, strings.Contains) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
