package hardware

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed platforms/*.yaml
var files embed.FS

// Lookup returns the profile of the platform with the given name.
func Lookup(name string) (*Platform, bool) {
	p, ok := platforms()[name]
	return p, ok
}

// Names returns the names of all platforms, sorted.
func Names() []string {
	var names []string
	for name := range platforms() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// platforms loads every profile once. The data is part of the program, so an error in it is the
// programmer's.
var platforms = sync.OnceValue(func() map[string]*Platform {
	all, err := loadAll(files)
	if err != nil {
		panic(err)
	}
	return all
})

func loadAll(dir fs.FS) (map[string]*Platform, error) {
	names, err := fs.Glob(dir, "platforms/*.yaml")
	if err != nil {
		return nil, err
	}
	all := make(map[string]*Platform, len(names))
	for _, name := range names {
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		p, err := load(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all[p.Name] = p
	}
	return all, nil
}

// profile is the form of a platform in its file: ports as ranges.
type profile struct {
	Name  string `yaml:"name"`
	Kind  Kind   `yaml:"kind"`
	OS    string `yaml:"os"`
	Type  string `yaml:"type"`
	Ports []struct {
		Range     string   `yaml:"range"`
		Speeds    []string `yaml:"speeds"`
		Breakouts []string `yaml:"breakouts"`
	} `yaml:"ports"`
	Cards      []Card              `yaml:"cards"`
	Fabrics    []string            `yaml:"fabrics"`
	Connectors bool                `yaml:"connectors"`
	Uplinks    string              `yaml:"uplinks"`
	Downlinks  string              `yaml:"downlinks"`
	Releases   map[string]Features `yaml:"releases"`
	PortMTU    uint32              `yaml:"port-mtu"`
	IPMTU      uint32              `yaml:"ip-mtu"`
	LAGs       uint32              `yaml:"lags"`
	Groups     [][]int             `yaml:"speed-groups"` // numbers of ethernet-1/N
	Clients    string              `yaml:"clients"`
	Grey       string              `yaml:"grey"`
	Coherent   *struct {
		Ports  string         `yaml:"ports"`
		Modes  []CoherentMode `yaml:"modes"`
		Source string         `yaml:"source"`
	} `yaml:"coherent"`
	Source string `yaml:"source"`
}

func load(data []byte) (*Platform, error) {
	var in profile
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&in); err != nil {
		return nil, err
	}
	p := &Platform{
		Name: in.Name, Kind: cmp.Or(in.Kind, Router), OS: in.OS, Type: in.Type, Releases: in.Releases,
		PortMTU: in.PortMTU, IPMTU: in.IPMTU, LAGs: in.LAGs, Source: in.Source,
		Cards: in.Cards, Fabrics: in.Fabrics, Connectors: in.Connectors,
	}
	for _, group := range in.Ports {
		names, err := expand(group.Range)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			p.Ports = append(p.Ports, Port{Name: name, Speeds: group.Speeds, Breakouts: group.Breakouts})
		}
	}
	var err error
	if err := p.optics(&in); err != nil {
		return nil, err
	}
	if p.Kind != Router {
		return p, nil
	}
	if p.Uplinks, err = p.order(in.Uplinks); err != nil {
		return nil, fmt.Errorf("uplinks: %w", err)
	}
	if p.Downlinks, err = p.order(in.Downlinks); err != nil {
		return nil, fmt.Errorf("downlinks: %w", err)
	}
	return p, p.group(in.Groups)
}

// optics spells out what takes light.
func (p *Platform) optics(in *profile) (err error) {
	if in.Clients != "" {
		if p.Clients, err = p.order(in.Clients); err != nil {
			return fmt.Errorf("clients: %w", err)
		}
	}
	if in.Grey != "" {
		if p.Grey, err = p.order(in.Grey); err != nil {
			return fmt.Errorf("grey: %w", err)
		}
	}
	if in.Coherent == nil {
		return nil
	}
	p.Coherent = &Coherent{Modes: in.Coherent.Modes, Source: in.Coherent.Source}
	if p.Coherent.Ports, err = p.order(in.Coherent.Ports); err != nil {
		return fmt.Errorf("coherent: %w", err)
	}
	return p.breaksOut()
}

// breaksOut holds every coherent mode to what its ports can be broken out into: a mode that the box would refuse must not be offered.
func (p *Platform) breaksOut() error {
	for _, m := range p.Coherent.Modes {
		for _, name := range p.Coherent.Ports {
			if port := &p.Ports[p.PortIndex(name)]; m.Breakout != "" && !slices.Contains(port.Breakouts, m.Breakout) {
				return fmt.Errorf("coherent: %s: %s is not broken out into %s; take the mode out, or give its ports that breakout", m.Name, name, m.Breakout)
			}
		}
	}
	return nil
}

// group spells out the speed groups, whose ports must exist.
func (p *Platform) group(numbers [][]int) error {
	for _, group := range numbers {
		var names []string
		for _, n := range group {
			name := "ethernet-1/" + strconv.Itoa(n)
			if p.PortIndex(name) < 0 {
				return fmt.Errorf("speed-groups: %s: no such port", name)
			}
			names = append(names, name)
		}
		p.SpeedGroups = append(p.SpeedGroups, names)
	}
	return nil
}

// order expands a range whose ports must exist.
func (p *Platform) order(text string) ([]string, error) {
	names, err := expand(text)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if p.PortIndex(name) < 0 {
			return nil, fmt.Errorf("%s: no such port", name)
		}
	}
	return names, nil
}

// expand spells out "ethernet-1/1..3", downwards "1/1/c3..1", "line-1..2", one port alone, and several of these with commas between.
func expand(text string) ([]string, error) {
	var names []string
	for _, part := range strings.Split(text, ",") {
		some, err := span(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		names = append(names, some...)
	}
	return names, nil
}

func span(text string) ([]string, error) {
	first, last, ranged := strings.Cut(text, "..")
	stem := strings.TrimRight(first, "0123456789")
	if !ranged {
		last = first[len(stem):]
	}
	from, err1 := strconv.Atoi(first[len(stem):])
	to, err2 := strconv.Atoi(last)
	if stem == "" || err1 != nil || err2 != nil {
		return nil, fmt.Errorf("range %q: want ethernet-1/1..32", text)
	}
	step := 1
	if to < from {
		step = -1
	}
	var names []string
	for n := from; n != to+step; n += step {
		names = append(names, stem+strconv.Itoa(n))
	}
	return names, nil
}
