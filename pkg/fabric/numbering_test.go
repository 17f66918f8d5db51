package fabric

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/pkg/topology"
)

func TestThePublishedExampleIsWhatCompileDecides(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/numbering.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```yaml\n")
	example, table, _ := strings.Cut(example, "```\n")
	design := compileFile(t, "numbering.md", []byte(example))
	facts := numbersOf(design, "bj-leaf3")
	for name, number := range map[string]any{
		"loopback of bj-spine2": design.Device("bj-spine2").Loopback, "AS number of bj-spine2": design.Device("bj-spine2").ASN,
		"management address of bj-spine2": design.Device("bj-spine2").Management, "LAG of bj-leaf4": design.Device("bj-leaf4").LAGs[0].Number,
		"LACP system id of bj-leaf4": design.Device("bj-leaf4").LAGs[0].SystemMAC, "ethernet segment of bj-leaf4": design.Device("bj-leaf4").LAGs[0].ESI,
	} {
		facts[name] = fmt.Sprint(number)
	}
	rows := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.TrimSpace(cells[1]) == "what" || strings.HasPrefix(cells[1], "-") {
			continue
		}
		rows++
		name, want := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		if got, ok := facts[name]; !ok || got != want {
			t.Errorf("%s: the page says %s, Compile %q", name, want, got)
		}
	}
	if rows != len(facts) {
		t.Errorf("%d rows on the page, %d facts", rows, len(facts))
	}
}

// numbersOf returns a leaf's numbers by the names that the page gives them.
func numbersOf(design *Design, leaf string) map[string]string {
	d, spine := design.Device(leaf), design.Device("bj-spine2")
	up, down := d.Links[1], spine.Links[2]
	web, red, lag := d.Segments[0], d.VRFs[0], d.LAGs[0]
	facts := map[string]string{}
	for name, number := range map[string]any{
		"loopback of " + leaf: d.Loopback, "AS number of " + leaf: d.ASN, "management address of " + leaf: d.Management,
		"port of " + leaf + " to " + up.PeerName: up.Port, "port of " + spine.Name + " to " + down.PeerName: down.Port,
		"address of " + leaf + " to " + up.PeerName: up.Addr, "address of " + spine.Name + " to " + down.PeerName: down.Addr,
		"VNI of red/web": web.VNI, "EVI of red/web": web.EVI, "route target of red/web": web.RT, "route distinguisher of red/web": web.RD,
		"VLAN id of red/web": lag.Subs[0].VLAN, "network instance of red/web": web.Name,
		"VNI of red": red.VNI, "EVI of red": red.EVI, "route target of red": red.RT, "route distinguisher of red": red.RD,
		"LAG of " + leaf: lag.Number,
	} {
		facts[name] = fmt.Sprint(number)
	}
	return facts
}

func TestThePublishedPortsAreThoseOfTheProfiles(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/numbering.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range hardware.Names() {
		p, _ := hardware.Lookup(name)
		if p.Kind != hardware.Router {
			continue
		}
		row := fmt.Sprintf("| %s | %s |", span(p.Uplinks), span(p.Downlinks))
		short := name[strings.LastIndexByte(name, '-')+1:]
		found := false
		for line := range strings.Lines(string(page)) {
			plain := strings.ReplaceAll(line, " (no leaf on 24.10 and 25.3)", "")
			found = found || strings.Contains(plain, short) && strings.Contains(plain, row)
		}
		if !found {
			t.Errorf("%s: the page has no row with %s", name, row)
		}
	}
}

// span writes a run of ports as the page does.
func span(ports []string) string {
	first, last := ports[0], ports[len(ports)-1]
	last = last[strings.LastIndexByte(last, '/')+1:]
	turns := ""
	if card := ports[0][:strings.LastIndexByte(ports[0], '/')]; !strings.HasPrefix(ports[len(ports)-1], card) {
		last, turns = ports[len(ports)-1], ", the cards in turn"
	}
	if trailing(ports[0]) > trailing(ports[len(ports)-1]) {
		return first + " down to " + last + turns
	}
	return first + ".." + last + turns
}

// compileFile compiles a topology file that must be without mistakes.
func compileFile(t *testing.T, name string, data []byte) *Design {
	t.Helper()
	in, diags := topology.Parse(topology.Source{Name: name, Data: data})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	design, diags := Compile(in)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return design
}
