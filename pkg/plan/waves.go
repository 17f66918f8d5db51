package plan

import "slices"

// wave sorts the devices into waves. Two members of one redundancy group (the leaves of an
// ethernet segment, the spines of a site) never share a wave, so that a bad change can take away
// one side only. Devices without a group go with the first wave.
func (p *Plan) wave() {
	seen := map[string]int{}
	waves := [][]string{}
	number := map[string]int{}
	for _, d := range p.Devices {
		w := 0
		if d.Group != "" {
			w = seen[d.Group]
			seen[d.Group]++
		}
		for len(waves) <= w {
			waves = append(waves, nil)
		}
		waves[w] = append(waves[w], d.Name)
		number[d.Name] = w
	}
	p.Waves = waves
	slices.SortStableFunc(p.Devices, func(a, b Device) int { return number[a.Name] - number[b.Name] })
}
