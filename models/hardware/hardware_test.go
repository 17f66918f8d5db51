package hardware

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/loomfabric/loom/models/optics"
)

func TestPlatformsHaveThePortsOfTheirBoxes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                  string
		ports                 int
		first, last           string // port and its own speed
		firstUplink, lastDown string
		vtep                  bool // on its newest release
	}{
		{"7220-IXR-D2", 56, "ethernet-1/1 25G", "ethernet-1/56 100G", "ethernet-1/49", "ethernet-1/56", true},
		{"7220-IXR-D2L", 58, "ethernet-1/1 25G", "ethernet-1/58 10G", "ethernet-1/49", "ethernet-1/56", true},
		{"7220-IXR-D3", 34, "ethernet-1/1 10G", "ethernet-1/34 100G", "ethernet-1/34", "ethernet-1/34", true},
		{"7220-IXR-D3L", 34, "ethernet-1/1 100G", "ethernet-1/34 10G", "ethernet-1/32", "ethernet-1/32", true},
		{"7220-IXR-D4", 36, "ethernet-1/1 100G", "ethernet-1/36 400G", "ethernet-1/29", "ethernet-1/28", true},
		{"7220-IXR-D5", 34, "ethernet-1/1 400G", "ethernet-1/34 10G", "ethernet-1/32", "ethernet-1/32", true},
		{"7220-IXR-H3", 34, "ethernet-1/1 10G", "ethernet-1/34 400G", "ethernet-1/34", "ethernet-1/34", false},
		{"7220-IXR-H4", 66, "ethernet-1/1 400G", "ethernet-1/66 10G", "ethernet-1/64", "ethernet-1/64", false},
		{"7250-IXR-X1b", 36, "ethernet-1/1 100G", "ethernet-1/36 400G", "ethernet-1/36", "ethernet-1/24", false},
		{"7250-IXR-X3b", 36, "ethernet-1/1 400G", "ethernet-1/36 400G", "ethernet-1/36", "ethernet-1/36", false},
		{"7750-SR-1", 15, "1/1/c1 100G", "1/2/c3 400G", "1/1/c12", "1/1/c12", true},
		{"7750-SR-1s", 36, "1/1/c1 400G", "1/1/c36 400G", "1/1/c36", "1/1/c36", true},
		{"7750-SR-2s", 72, "1/1/c1 400G", "2/1/c36 400G", "1/1/c36", "2/1/c36", true},
	}
	var names []string
	for _, tt := range tests {
		names = append(names, tt.name)
		p, ok := Lookup(tt.name)
		if !ok {
			t.Errorf("%s: no profile", tt.name)
			continue
		}
		own := func(port Port) string { return port.Name + " " + port.Speeds[0] }
		got := []string{own(p.Ports[0]), own(p.Ports[len(p.Ports)-1]), p.Uplinks[0], p.Downlinks[len(p.Downlinks)-1]}
		if want := []string{tt.first, tt.last, tt.firstUplink, tt.lastDown}; !slices.Equal(got, want) || len(p.Ports) != tt.ports {
			t.Errorf("%s: %d ports, %v; want %d, %v", tt.name, len(p.Ports), got, tt.ports, want)
		}
		if vtep := p.Releases[p.Newest()].EVPN && p.Releases[p.Newest()].VXLAN; vtep != tt.vtep {
			t.Errorf("%s: VTEP %v, want %v", tt.name, vtep, tt.vtep)
		}
	}
	if got := routers(); !slices.Equal(got, names) {
		t.Errorf("names: got %v, want %v", got, names)
	}
}

// routers are the names of the platforms that carry packets.
func routers() []string {
	return slices.DeleteFunc(Names(), func(name string) bool { p, _ := Lookup(name); return p.Kind != Router })
}

func TestEveryModeOfAPlatformIsOne(t *testing.T) {
	t.Parallel()
	coherent := 0
	for _, name := range Names() {
		p, _ := Lookup(name)
		if p.Coherent == nil {
			continue
		}
		coherent++
		settings := map[string]bool{}
		for _, m := range p.Coherent.Modes {
			mode, ok := optics.Mode(m.Name)
			if !ok || mode.Name != m.Name || settings[m.Setting] || m.Setting == "" {
				t.Errorf("%s: %+v: no such mode, or its number is that of another", name, m)
			}
			settings[m.Setting] = true
			if count, speed, ok := strings.Cut(m.Breakout, "x"); ok {
				n, _ := strconv.Atoi(count)
				if each, _ := strconv.Atoi(strings.TrimSuffix(speed, "G")); n*each != mode.Rate {
					t.Errorf("%s: %s carries %d Gb/s, its ports %s", name, m.Name, mode.Rate, m.Breakout)
				}
			}
		}
		if p.Coherent.Source == "" || len(p.Coherent.Ports) == 0 {
			t.Errorf("%s: coherent optics without ports or source", name)
		}
	}
	if x3b, _ := Lookup("7250-IXR-X3b"); coherent != 6 || len(x3b.Coherent.Ports) != 36 {
		t.Errorf("%d platforms with coherent optics, want 6", coherent)
	}
}

func TestATransponderHasAsMuchLineAsClients(t *testing.T) {
	t.Parallel()
	p, _ := Lookup("openconfig-transponder")
	if p.Kind != Transponder || len(p.Clients) != 4 || len(p.Coherent.Ports) != 2 || p.PortIndex("line-2") != 5 || p.Newest() != "2026" {
		t.Errorf("%+v", p)
	}
	if p, _ := Lookup("openconfig-muxponder"); p.Kind != Transponder || len(p.Clients) != 8 || len(p.Coherent.Ports) != 2 || p.Ports[p.PortIndex("client-8")].Speeds[0] != "100G" {
		t.Errorf("%+v", p)
	}
	if box, _ := Lookup("openconfig-line-system"); box.Kind != LineSystem || box.Source == "" {
		t.Errorf("%+v", box)
	}
}

func TestEveryProfileIsComplete(t *testing.T) {
	t.Parallel()
	for _, name := range routers() {
		p, _ := Lookup(name)
		releases, known := map[string][]string{"srlinux": {"24.10", "25.3"}, "sros": {"26.3"}}[p.OS]
		if !known || p.Type != strings.Replace(name, "-", " ", 1) || p.Source == "" {
			t.Errorf("%s: os %q, type %q, source %q", name, p.OS, p.Type, p.Source)
		}
		if p.PortMTU < p.IPMTU+14 || p.IPMTU == 0 {
			t.Errorf("%s: port mtu %d, ip mtu %d", name, p.PortMTU, p.IPMTU)
		}
		for _, release := range releases {
			if _, ok := p.Releases[release]; !ok {
				t.Errorf("%s: no release %s", name, release)
			}
		}
		for i, port := range p.Ports {
			if len(port.Speeds) == 0 || p.PortIndex(port.Name) != i {
				t.Errorf("%s: port %+v: index %d, want %d", name, port, p.PortIndex(port.Name), i)
			}
		}
	}
}

func TestConnectorsAreOnConfiguredCards(t *testing.T) {
	t.Parallel()
	for _, name := range routers() {
		p, _ := Lookup(name)
		adapters := map[string]bool{} // "1/2"
		for _, card := range p.Cards {
			for _, mda := range card.MDAs {
				adapters[fmt.Sprintf("%d/%d", card.Slot, mda.Slot)] = card.Type != "" && mda.Type != ""
			}
		}
		if p.Connectors != (p.OS == "sros") || p.Connectors != (len(p.Cards) > 0) {
			t.Errorf("%s: connectors %v, %d cards", name, p.Connectors, len(p.Cards))
		}
		for _, port := range p.Ports {
			if at := strings.LastIndex(port.Name, "/c"); p.Connectors && (at < 0 || !adapters[port.Name[:at]]) {
				t.Errorf("%s: %s is on no card", name, port.Name)
			}
		}
	}
}

func TestUplinksAndCoherentPortsOfTwoCardsTakeTurns(t *testing.T) {
	t.Parallel()
	p, _ := Lookup("7750-SR-2s")
	for _, order := range [][]string{p.Uplinks, p.Downlinks, p.Coherent.Ports} {
		if len(order) != len(p.Ports) {
			t.Errorf("%d of %d connectors", len(order), len(p.Ports))
		}
		for i, name := range order {
			if want := strconv.Itoa(i%2+1) + "/1/c"; !strings.HasPrefix(name, want) {
				t.Errorf("%d: %s, want %sN", i, name, want)
			}
		}
	}
}

func TestABadProfileIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"unknown key":     "name: x\nports: []\ncolour: red\n",
		"bad range":       "ports: [{range: ethernet-1/1-4, speeds: [10G]}]\n",
		"missing uplinks": "ports: [{range: ethernet-1/1..4, speeds: [10G]}]\n",
		"foreign uplink":  "ports: [{range: ethernet-1/1..4, speeds: [10G]}]\nuplinks: ethernet-1/4..5\n",
		"a coherent mode whose breakout the ports lack": "kind: transponder\nports: [{range: line-1..2, speeds: [400G], breakouts: [4x100G]}]\n" +
			"coherent: {ports: line-1..2, modes: [{mode: OpenZR+ 300G, setting: 1, breakout: 3x100G}]}\n",
	} {
		if _, err := load([]byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAPortThatIsNotThereHasNoIndex(t *testing.T) {
	t.Parallel()
	p, _ := Lookup("7220-IXR-D3L")
	for _, name := range []string{"", "ethernet-1/35", "ethernet-1/01", "ethernet-1/1/1", "1/1/c1", "lag1", "ethernet-1/99999999999999999999"} {
		if got := p.PortIndex(name); got != -1 {
			t.Errorf("%q: index %d", name, got)
		}
	}
}
