package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/fabric"
)

// Check compares a design with what was observed of some of its devices, or all.
func Check(design *fabric.Design, o Observed) []Finding { return NewIndex(design).Check(o) }

// Check returns what differs, roots and what follows from them, by kind and then in the order of the design.
// It judges the devices that were observed, by their own contracts; it looks at no others.
func (x *Index) Check(o Observed) []Finding {
	k := &checker{
		index: x, observed: o, byID: map[string]*draft{}, alive: map[string]bool{}, elected: map[electionKey]vote{},
		dark: map[wayKey][]string{}, dim: map[wayKey][]string{},
	}
	names := make([]string, 0, len(o.Devices))
	for name := range o.Devices {
		if x.design.Device(name) != nil {
			names = append(names, name)
		}
	}
	x.sort(names)
	for _, name := range names {
		k.device(name)
	}
	k.light()
	return k.findings()
}

// checker collects findings. One that is seen from several ends is one draft.
type checker struct {
	index    *Index
	observed Observed
	drafts   []*draft
	byID     map[string]*draft
	alive    map[string]bool // LAGs of which some member was seen up, by object
	elected  map[electionKey]vote
	dark     map[wayKey][]string // IDs of what takes the light of a line in one direction
	dim      map[wayKey][]string // and of what takes some of it
}

// draft is a finding that grows with each end that it is seen from.
type draft struct {
	Finding
	contract *Contract // as first seen
	verb     string    // what is wrong, in a word: "down"
	evidence []string  // what each end says
	missed   []miss    // tunnel: what each end lacks
	absentAt []string  // devices that do not have the object
	suspects []string  // devices whose configuration does not ask for the object as the design does
	farther  []string  // IDs of causes that were found with the evidence
	alone    bool      // what is wrong is wrong whatever else is, but for the configurations
}

// device judges one device.
func (k *checker) device(name string) {
	d := k.observed.Devices[name]
	design := k.index.design.Device(name)
	switch {
	case d.Unreachable != "":
		f := k.draft(DeviceUnreachable, Error, &Contract{Device: name, Object: name, Ref: design.Ref}, "cannot be read")
		f.evidence = append(f.evidence, d.Unreachable+k.age(d))
		return
	case d.Drift != nil && (d.Drift.Changes > 0 || d.Drift.Foreign):
		k.drift(name, design, d.Drift)
	}
	s := newShown(&d)
	for _, c := range k.index.Contracts(name) {
		if k.despite(&c) {
			k.judge(&c, s)
		}
	}
}

// despite takes out of a contract what a drain suspends: a drained device is no end of an ethernet segment. It
// tells whether anything is left.
func (k *checker) despite(c *Contract) bool {
	if c.ESI == "" || len(k.observed.Drained) == 0 {
		return true
	}
	c.Ends = slices.DeleteFunc(slices.Clone(c.Ends), func(e VTEP) bool { return k.observed.Drained[e.Device] })
	return !k.observed.Drained[c.Device]
}

// age says how old the last observation of a device is.
func (k *checker) age(d Device) string {
	if d.Seen.IsZero() {
		return ""
	}
	return fmt.Sprintf("; last read %s ago", k.observed.At.Sub(d.Seen).Round(1e9))
}

func (k *checker) drift(name string, design *fabric.Device, drift *Drift) {
	f := k.draft(Drifted, Warning, &Contract{Device: name, Object: name, Ref: design.Ref}, "is not configured as intended")
	if drift.Foreign {
		f.verb = "is not configured by Loom yet"
		f.lacks(name)
		return
	}
	text := fmt.Sprintf("%d differences, the first at %s", drift.Changes, drift.First)
	if drift.Changes == 1 {
		text = drift.First + " differs"
	}
	f.evidence = append(f.evidence, text)
}

// judge holds a device to one contract.
func (k *checker) judge(c *Contract, d *shown) {
	switch c.Asks {
	case Up:
		k.up(c, d)
	case Neighbor:
		k.neighbor(c, d)
	case Bundled:
		k.bundled(c, d)
	case Speaking:
		k.speaking(c, d)
	case Adjacent:
		k.adjacent(c, d)
	case Watched:
		k.watched(c, d)
	case Serving:
		k.serving(c, d)
	case Labelled:
		k.labelled(c, d)
	case Routed:
		k.routed(c, d)
	case Stretched:
		k.stretched(c, d)
	case Joined:
		k.joined(c, d)
	case Lit:
		k.lit(c, d)
	case Amplified:
		k.amplified(c, d)
	case Passed:
		k.passed(c, d)
	}
}

// draft returns the draft of a finding, a new one unless another end has seen it. The worst severity counts.
func (k *checker) draft(kind Kind, s Severity, c *Contract, verb string) *draft {
	known := id(kind, c.Object)
	f := k.byID[known]
	if f == nil {
		own := *c
		f = &draft{Finding: Finding{ID: known, Kind: kind, Severity: s, Object: c.Object, Ref: c.Ref}, contract: &own, verb: verb}
		k.byID[known] = f
		k.drafts = append(k.drafts, f)
	}
	f.Severity = max(f.Severity, s)
	f.Perhaps = c.Perhaps
	for _, name := range append([]string{c.Device}, c.Far...) {
		if !slices.Contains(f.Devices, name) {
			f.Devices = append(f.Devices, name)
		}
	}
	return f
}

// says adds what one device shows, once.
func (f *draft) says(device, format string, args ...any) {
	if text := device + " " + fmt.Sprintf(format, args...); !slices.Contains(f.evidence, text) {
		f.evidence = append(f.evidence, text)
	}
}

// absent notes that a device does not have the object at all.
func (f *draft) absent(device, format string, args ...any) {
	f.says(device, format, args...)
	f.lacks(device)
	f.suspects = append(f.suspects, device)
}

// lacks notes that a device does not have the object.
func (f *draft) lacks(device string) { f.absentAt = append(f.absentAt, device) }

// rank is the order in which kinds are worth reading.
var rank = map[Kind]int{
	DeviceUnreachable: 0, Drifted: 1, FibreCut: 2, AmplifierOff: 3, FibreLoss: 4, NoiseAdded: 5, ConnectorLoss: 6, LaserOff: 7,
	Mistuned: 8, SpectrumShut: 9, ChannelDown: 10, OffPlan: 11, MarginLow: 12, MarginFalling: 13, InterfaceDown: 14, CableWrong: 15,
	LAGDegraded: 16, AdjacencyDown: 17, SessionDown: 18, SessionFamily: 19, BFDDown: 20, ServiceDown: 21, TunnelMissing: 22,
	SegmentBroken: 23, RoutesMissing: 24, CapacityLost: 25,
}

// Rank is the place of a kind in the order in which they are worth reading: causes come before what they explain.
func (k Kind) Rank() int { return rank[k] }

// findings finishes the drafts.
func (k *checker) findings() []Finding {
	k.weigh()
	slices.SortStableFunc(k.drafts, func(a, b *draft) int { return cmp.Compare(rank[a.Kind], rank[b.Kind]) })
	out := make([]Finding, len(k.drafts))
	for i, f := range k.drafts {
		f.Absent = len(f.absentAt) > 0 && k.index.changes(f.absentAt)
		if f.Withdrawn = k.index.withdrawn[f.ID]; !f.Withdrawn { // on purpose, whatever else is wrong
			f.Causes = k.causes(f)
		}
		k.index.sort(f.Devices)
		for _, m := range f.missed {
			f.evidence = append(f.evidence, m.String())
		}
		f.Message = f.Object + " " + f.verb
		if len(f.evidence) > 0 {
			f.Message += ": " + strings.Join(f.evidence, ", ")
		}
		out[i] = f.Finding
	}
	worsen(out)
	return out
}

// worsen makes what takes light as bad as what it takes: a fibre that loses so much that a channel is down carries no traffic of it.
func worsen(all []Finding) {
	down := map[string]bool{}
	for i := range all {
		if all[i].Kind == ChannelDown && !all[i].Withdrawn {
			for _, cause := range all[i].Causes {
				down[cause] = true
			}
		}
	}
	for i := range all {
		if r := rank[all[i].Kind]; down[all[i].ID] && rank[FibreCut] <= r && r < rank[ChannelDown] {
			all[i].Severity = Error
		}
	}
}
