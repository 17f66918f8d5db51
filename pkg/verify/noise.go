package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/fabric"
)

// noisy is a receiver that sees too little OSNR though no light was lost on the way to it: an amplifier adds more noise than planned.
type noisy struct {
	channel    *fabric.Channel
	at         *fabric.Terminal
	ways       []*way // amplified ones that its light passes
	seen, want float64
}

// noise names the lines that add more noise than planned. Light keeps its power there, so that no amplifier shows it, and it is told by what
// receivers see: a direction of a line is not it when light that passes it arrives well. Which of its amplifiers it is, nothing tells.
func (k *checker) noise() {
	var list []noisy
	quiet := map[wayKey]bool{}
	for i := range k.index.design.Channels {
		c := &k.index.design.Channels[i]
		for _, at := range []*fabric.Terminal{&c.A, &c.B} {
			n, known := k.heard(c, at)
			switch {
			case !known:
			case n.seen < n.want-osnrOff:
				list = append(list, n)
			case n.seen > n.want-osnrOff/2:
				for _, w := range n.ways {
					quiet[w.key] = true
				}
			}
		}
	}
	for len(list) > 0 {
		list = k.noisiest(list, quiet)
	}
}

// heard is the OSNR that a receiver sees and should see; false where that is not known, or where lost light or the sender explains it.
func (k *checker) heard(c *fabric.Channel, at *fabric.Terminal) (noisy, bool) {
	p, read := k.optical(at)
	e, planned := k.index.light().expected[c.Name]
	want := e.There
	if at == &c.A {
		want = e.Back
	}
	n := noisy{channel: c, at: at, want: float64(want.Verdict.OSNR)}
	if !read || !planned || p.OSNR == nil || n.want > osnrSeen || k.missetAt(c) {
		return n, false
	}
	n.seen = *p.OSNR
	from := otherEnd(c, at.Site)
	sender := terminalObject(from, c)
	lost := k.byID[id(LaserOff, sender)] != nil || k.byID[id(Mistuned, sender)] != nil || k.touched(wayKey{line: c.Name})
	for _, w := range k.index.path(c, from.Site) {
		if lost = lost || k.touched(w.key); len(w.points) > 2 {
			n.ways = append(n.ways, w)
		}
	}
	return n, !lost && len(n.ways) > 0
}

// touched tells whether something takes light of a line in one direction.
func (k *checker) touched(key wayKey) bool { return len(k.dark[key])+len(k.dim[key]) > 0 }

// path are the lines that light of a channel passes from a site, in their order and direction.
func (x *Index) path(c *fabric.Channel, from string) []*way {
	lines := slices.Clone(c.Lines)
	if from == c.B.Site {
		slices.Reverse(lines)
	}
	var out []*way
	for _, name := range lines {
		for i := range x.light().ways {
			if w := &x.light().ways[i]; w.line.Name == name && w.from == from {
				out, from = append(out, w), w.to
				break
			}
		}
	}
	return out
}

// noisiest drafts the finding of the line, or those of which it is one, that explains most, and returns the receivers that it does not explain.
func (k *checker) noisiest(list []noisy, quiet map[wayKey]bool) []noisy {
	explains := func(w *way, n *noisy) bool { return slices.Contains(n.ways, w) && !quiet[w.key] }
	count := func(w *way) (out int) {
		for i := range list {
			if explains(w, &list[i]) {
				out++
			}
		}
		return out
	}
	var best *way
	for i := range k.index.light().ways {
		if w := &k.index.light().ways[i]; count(w) > 0 && (best == nil || count(w) > count(best)) {
			best = w
		}
	}
	if best == nil {
		return nil // each passes lines alone that others find well: what their senders send
	}
	var mine, rest []noisy
	for i := range list {
		if explains(best, &list[i]) {
			mine = append(mine, list[i])
		} else {
			rest = append(rest, list[i])
		}
	}
	var culprits []*way
	for _, w := range mine[0].ways {
		if !quiet[w.key] && count(w) == count(best) && !slices.ContainsFunc(mine, func(n noisy) bool { return !slices.Contains(n.ways, w) }) {
			culprits = append(culprits, w)
		}
	}
	k.noiseOf(culprits, mine)
	return rest
}

// noiseOf drafts the finding of a line, or of several of which one adds noise.
func (k *checker) noiseOf(culprits []*way, heard []noisy) {
	var objects, amplifiers, devices []string
	for _, w := range culprits {
		objects = append(objects, w.line.Name+" from "+w.from+" to "+w.to)
		for _, p := range w.points[1 : len(w.points)-1] {
			amplifiers, devices = append(amplifiers, Far{p.device, w.key.way}.String()), append(devices, p.device)
		}
	}
	c := &Contract{Object: strings.Join(objects, " or "), Ref: culprits[0].line.Ref, Device: devices[0], Far: devices[1:]}
	f := k.draft(NoiseAdded, Warning, c, "adds more noise than planned")
	for i := range heard {
		f.says(heard[i].at.Device, "sees an OSNR of %.1f dB and not %.1f dB of %s", heard[i].seen, heard[i].want, heard[i].channel.Name)
	}
	f.evidence = append(f.evidence, fmt.Sprintf("powers are as planned; of %s nothing tells which", strings.Join(amplifiers, ", ")))
	if len(heard) == 1 {
		f.evidence = append(f.evidence, "one channel alone tells: its sender would look the same")
	}
	for _, w := range culprits {
		k.dim[w.key] = append(k.dim[w.key], f.ID)
	}
}
