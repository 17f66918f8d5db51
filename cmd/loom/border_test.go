package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// overProvider are edits of border.yaml: its cables lead to a router of a provider, which Loom does not manage.
var overProvider = strings.NewReplacer(
	"bj/gateway1:ethernet-1/1 - sh/gateway1:ethernet-1/1", "bj/gateway1:ethernet-1/1 - external:p1:et-0/0/1\n  - sh/gateway1:ethernet-1/1 - external:p1:et-0/0/3",
	"bj/gateway2:ethernet-1/1 - sh/gateway2:ethernet-1/1", "bj/gateway2:ethernet-1/1 - external:p1:et-0/0/2\n  - sh/gateway2:ethernet-1/1 - external:p1:et-0/0/4",
	"joins: [bj, sh]", "joins: [bj, sh], over: p1, over-asn: 64999",
)

// overLight are edits of border.yaml: transponders with clients of 100 Gb/s make light of what ports of border leaves send.
var overLight = strings.NewReplacer(
	"cables:\n", "ducts: {river: {from: bj, to: sh, km: 38}}\nlines: {dark: {from: bj, to: sh, via: [river], ends: roadm, amplifiers: EDFA}}\n",
	"  - bj/gateway1:ethernet-1/1 - sh/gateway1:ethernet-1/1\n", "", "  - bj/gateway2:ethernet-1/1 - sh/gateway2:ethernet-1/1\n", "",
	"joins: [bj, sh]", "wavelengths: {count: 2, mode: OpenZR+ 400G, over: dark, transponders: true}",
	"sites:\n", "  transponders: {count: 1, platform: openconfig-muxponder}\nsites:\n",
)

func borderOf(t *testing.T, edit *strings.Replacer, bgp string) *fleet {
	t.Helper()
	text, err := os.ReadFile("../../topologies/border.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "border.yaml")
	if err := os.WriteFile(file, []byte(edit.Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	return fleetOf(t, file, bgp)
}

// What leaves of one site announce, leaves of the other have over border leaves and cables, numbered or not, over a router of a
// provider, or over light of transponders: by real speakers, and as computed.
func TestBorderLeavesCarryWhatLeavesSend(t *testing.T) {
	for name, edit := range map[string]*strings.Replacer{
		"numbered": strings.NewReplacer(), "unnumbered": strings.NewReplacer("links: numbered", "links: unnumbered"),
		"over a router": overProvider, "over light": overLight,
	} {
		t.Run(name, func(t *testing.T) {
			live, computed := borderOf(t, edit, bgpLive), borderOf(t, edit, bgpComputed)
			for _, f := range []*fleet{live, computed} {
				f.configure(t)
				f.waits(t, f.incomplete)
				f.waits(t, f.hears("sh-leaf1", "bj-leaf1", true))
				f.waits(t, f.hears("bj-leaf1", "sh-leaf1", true))
			}
			live.agrees(t, computed)
		})
	}
}
