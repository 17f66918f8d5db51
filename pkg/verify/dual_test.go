package verify_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/verify"
)

// An underlay that is to carry IPv6 is not content with IPv4, and one that is not asks for none.
func TestTheUnderlayHasToCarryTheFamiliesOfLoopbacks(t *testing.T) {
	t.Parallel()
	dual := strings.Replace(small, "underlay: {links: numbered, bfd: 3x300ms}", `underlay: {loopbacks6: "2001:db8::/48"}`, 1)
	for _, tt := range []struct {
		name, text string
		families   map[string]verify.Family
		want       string
	}{
		{"both agreed on", dual, map[string]verify.Family{"ipv4-unicast": {Negotiated: true}, "ipv6-unicast": {Negotiated: true}}, ""},
		{"IPv6 is not agreed on", dual, map[string]verify.Family{"ipv4-unicast": {Negotiated: true}, "ipv6-unicast": {}},
			"leaf1:ethernet-1/49 - spine1:ethernet-1/1 does not carry ipv6-unicast: leaf1 has not agreed on ipv6-unicast with its peer"},
		{"IPv6 is not enabled", dual, map[string]verify.Family{"ipv4-unicast": {Negotiated: true}},
			"leaf1:ethernet-1/49 - spine1:ethernet-1/1 does not carry ipv6-unicast: leaf1 has not enabled ipv6-unicast"},
		{"nobody asks for IPv6", strings.Replace(dual, `loopbacks6: "2001:db8::/48"`, "mtu: 9000", 1), map[string]verify.Family{"ipv4-unicast": {Negotiated: true}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tt.text)
			w.hang("leaf1", netip.MustParseAddr("fe80::1%ethernet-1/49.0"), func(s *verify.Session) { s.Families = tt.families })
			got := text(verify.Check(w.design, w.Observed))
			if got != "" && tt.want == "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
