package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/loomfabric/loom/pkg/plan"
	"pgregory.net/rapid"
)

// member is a device of the tables below: its role follows from its name.
func member(name string, groups ...string) plan.Device {
	return plan.Device{Name: name, Role: strings.TrimRight(name, "0123456789"), Groups: groups}
}

// rack is two pairs of leaves, the spines of their site, and a gateway.
var rack = []plan.Device{
	member("spine1", "spines"), member("spine2", "spines"), member("gateway1", "gateways"),
	member("leaf10"), member("leaf1", "1+2"), member("leaf2", "1+2"), member("leaf3", "3+4"), member("leaf4", "3+4"),
}

func TestPlansAreCutIntoWaves(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		devices []plan.Device
		options plan.WaveOptions
		want    string // waves apart by |, those after which changes are confirmed marked *
	}{
		{"a canary leaf, the leaves, then what more depends on", rack, plan.WaveOptions{}, "leaf1|leaf2 leaf3 leaf10|leaf4|spine1|spine2|gateway1"},
		{"few devices need no canary", rack[4:], plan.WaveOptions{}, "leaf1 leaf3|leaf2 leaf4"},
		{"no canary", rack, plan.WaveOptions{Canaries: plan.NoCanary}, "leaf1 leaf3 leaf10|leaf2 leaf4|spine1|spine2|gateway1"},
		{"two canaries of one pair are two waves", rack, plan.WaveOptions{Canaries: 2}, "leaf1|leaf2|leaf3 leaf10|leaf4|spine1|spine2|gateway1"},
		{"more canaries than there are leaves are all leaves", rack[:4], plan.WaveOptions{Canaries: 9}, "leaf10|spine1|spine2|gateway1"},
		{"canaries by name, of any role", rack, plan.WaveOptions{Canary: []string{"spine2", "leaf10"}}, "leaf10|spine2|leaf1 leaf3|leaf2 leaf4|spine1|gateway1"},
		{"canaries of which none changes leave it to the default", rack, plan.WaveOptions{Canary: []string{"leaf99"}}, "leaf1|leaf2 leaf3 leaf10|leaf4|spine1|spine2|gateway1"},
		{"at most two at a time", rack, plan.WaveOptions{Size: 2}, "leaf1|leaf2 leaf3|leaf4 leaf10|spine1|spine2|gateway1"},
		{"spines first; roles that are not named follow", rack, plan.WaveOptions{Order: []string{"spine"}, Canaries: plan.NoCanary}, "spine1|spine2|leaf1 leaf3 leaf10|leaf2 leaf4|gateway1"},
		{"no more than three unconfirmed", rack, plan.WaveOptions{Armed: 3, Canaries: plan.NoCanary}, "leaf1 leaf3 leaf10*|leaf2 leaf4|spine1*|spine2|gateway1"},
		{"groups that overlap", []plan.Device{member("leaf1", "a"), member("leaf2", "a", "b"), member("leaf3", "b", "c"), member("leaf4", "c")}, plan.WaveOptions{}, "leaf1 leaf3|leaf2 leaf4"},
		{"a line before what sends into it, and that before gateways", dci, plan.WaveOptions{Canaries: plan.NoCanary}, "line1|transponder1 transponder3|transponder2|gateway1"},
		{"what only makes less light goes before what amplifies", dimmed, plan.WaveOptions{Canaries: plan.NoCanary}, "leaf1|transponder2|line1|transponder1 transponder3|gateway1"},
		{"both ends of a channel that is tuned anew share a wave", tunedPairs(0), plan.WaveOptions{Canaries: plan.NoCanary}, "transponder1|transponder2 transponder4|transponder3"},
		{"a canary takes the far end of its channels along", tunedPairs(0), plan.WaveOptions{Canary: []string{"transponder4"}}, "transponder2 transponder4|transponder1|transponder3"},
		{"what is asked for one by one stays apart", tunedPairs(0), plan.WaveOptions{Size: 1, Canaries: plan.NoCanary}, "transponder1|transponder2|transponder4|transponder3"},
		{"ends whose light stays go as others do", tunedPairs(1), plan.WaveOptions{Canaries: plan.NoCanary}, "transponder1 transponder4|transponder2|transponder3"},
		{"nothing", nil, plan.WaveOptions{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &plan.Plan{Devices: slices.Clone(tt.devices)}
			p.Cut(tt.options)
			if got := wavesText(p); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// tunedPairs are transponders of which 1, 2 and 3 are at one site; 2 and 4 are the ends of a channel that is tuned anew, but for so many
// of them.
func tunedPairs(stay int) []plan.Device {
	out := []plan.Device{member("transponder1", "x"), member("transponder2", "x"), member("transponder3", "x"), member("transponder4", "y")}
	out[1].Together, out[3].Together = []string{"transponder4"}, []string{"transponder2"}
	for _, i := range []int{1, 3}[stay:] {
		out[i].Steps = []plan.Step{{Name: "dark"}, {Name: "change"}}
	}
	return out
}

// dci is two ends of a line, and what it joins.
var dci = []plan.Device{member("gateway1"), member("transponder1", "x"), member("transponder2", "x"), member("transponder3"), member("line1")}

var dimmed = func() []plan.Device {
	out := append(slices.Clone(dci), member("leaf1"))
	out[2].Dims = true
	return out
}()

func wavesText(p *plan.Plan) string {
	var waves []string
	for i, w := range p.Waves {
		text := strings.Join(w, " ")
		if p.Rollout.Stages[i].Checkpoint {
			text += "*"
		}
		waves = append(waves, text)
	}
	return strings.Join(waves, "|")
}

func TestWavesSayWhyDevicesAreApart(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Devices: slices.Clone(rack)}
	p.Cut(plan.WaveOptions{Canaries: plan.NoCanary})
	want := []plan.Apart{{Device: "leaf2", Wave: 1, From: "leaf1", Group: "1+2"}, {Device: "leaf4", Wave: 1, From: "leaf3", Group: "3+4"}}
	if diff := cmp.Diff(want, p.Rollout.Stages[1].Apart); diff != "" {
		t.Error(diff)
	}
}

// anyDevices draws devices of three roles, each in up to three of a few groups.
func anyDevices(t *rapid.T) []plan.Device {
	n := rapid.IntRange(0, 40).Draw(t, "devices")
	var out []plan.Device
	for i := range n {
		d := member(rapid.SampledFrom(plan.DefaultOrder).Draw(t, "role") + fmt.Sprint(i))
		for _, g := range rapid.SliceOfNDistinct(rapid.IntRange(1, 8), 0, 3, rapid.ID).Draw(t, "groups") {
			d.Groups = append(d.Groups, fmt.Sprintf("%s/%d", d.Role, g))
		}
		out = append(out, d)
	}
	return out
}

func anyOptions(t *rapid.T, devices []plan.Device) plan.WaveOptions {
	o := plan.WaveOptions{
		Canaries: rapid.IntRange(plan.NoCanary, 3).Draw(t, "canaries"),
		Size:     rapid.IntRange(0, 5).Draw(t, "size"),
		Order:    rapid.Permutation(plan.DefaultOrder).Draw(t, "order")[:rapid.IntRange(0, 3).Draw(t, "roles")],
	}
	for _, d := range devices {
		if rapid.IntRange(0, 9).Draw(t, "canary") == 0 {
			o.Canary = append(o.Canary, d.Name)
		}
	}
	return o
}

func TestWavesHoldWhatTheyPromise(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		devices := anyDevices(t)
		o := anyOptions(t, devices)
		p := &plan.Plan{Devices: slices.Clone(devices)}
		p.Cut(o)
		again := &plan.Plan{Devices: rapid.Permutation(devices).Draw(t, "again")}
		again.Cut(o)
		if diff := cmp.Diff(p.Waves, again.Waves); diff != "" {
			t.Fatalf("in another order, other waves: %s", diff)
		}
		everyDeviceOnce(t, p, devices)
		noTwoOfAGroup(t, p, o)
		canaryFirst(t, p, o)
		notMoreThanNeeded(t, p, o)
	})
}

func everyDeviceOnce(t *rapid.T, p *plan.Plan, devices []plan.Device) {
	var want []string
	for _, d := range devices {
		want = append(want, d.Name)
	}
	got := slices.Concat(p.Waves...)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("waves hold %v, want %v", got, want)
	}
}

func noTwoOfAGroup(t *rapid.T, p *plan.Plan, o plan.WaveOptions) {
	for _, wave := range p.Waves {
		seen := map[string]string{}
		for _, name := range wave {
			for _, g := range p.Device(name).Groups {
				if seen[g] != "" {
					t.Fatalf("%s and %s of %s share a wave", seen[g], name, g)
				}
				seen[g] = name
			}
		}
		if o.Size > 0 && len(wave) > o.Size {
			t.Fatalf("%d devices in a wave of at most %d", len(wave), o.Size)
		}
	}
}

// canaryFirst: canaries before all others, and among each of the two, roles in order.
func canaryFirst(t *rapid.T, p *plan.Plan, o plan.WaveOptions) {
	key := func(s plan.Stage) int {
		k := slices.Index(p.Rollout.Order, s.Role)
		if !s.Canary {
			k += 10
		}
		return k
	}
	if !slices.IsSortedFunc(p.Rollout.Stages, func(a, b plan.Stage) int { return key(a) - key(b) }) {
		t.Fatalf("stages are %+v", p.Rollout.Stages)
	}
	for i, wave := range p.Waves {
		for _, name := range wave {
			if p.Rollout.Stages[i].Canary != slices.Contains(p.Rollout.Canary, name) {
				t.Fatalf("%s is not where it belongs", name)
			}
			if slices.Contains(o.Canary, name) && !p.Rollout.Stages[i].Canary {
				t.Fatalf("%s was asked for as a canary", name)
			}
		}
	}
	if len(p.Devices) > plan.CanaryFrom && o.Canaries != plan.NoCanary && len(p.Rollout.Canary) == 0 {
		t.Fatal("no canary")
	}
}

// notMoreThanNeeded: the bound of Cut, per role and canaries apart.
func notMoreThanNeeded(t *rapid.T, p *plan.Plan, o plan.WaveOptions) {
	type phase struct {
		role   string
		canary bool
	}
	waves, members := map[phase]int{}, map[phase][]*plan.Device{}
	for i, s := range p.Rollout.Stages {
		k := phase{s.Role, s.Canary}
		waves[k]++
		for _, name := range p.Waves[i] {
			members[k] = append(members[k], p.Device(name))
		}
	}
	for k := range maps.Keys(waves) {
		degree := 0
		for _, d := range members[k] {
			shared := func(x *plan.Device) bool {
				return x != d && slices.ContainsFunc(x.Groups, func(g string) bool { return slices.Contains(d.Groups, g) })
			}
			n := 0
			for _, x := range members[k] {
				if shared(x) {
					n++
				}
			}
			degree = max(degree, n)
		}
		most := 1 + degree
		if o.Size > 0 {
			most += (len(members[k]) - 1) / o.Size
		}
		if waves[k] > most {
			t.Fatalf("%d waves of %+v, at most %d", waves[k], k, most)
		}
	}
}

func TestAHashNamesEverythingThatWillBeDone(t *testing.T) {
	t.Parallel()
	first := example(t)
	same := map[string]func(p *plan.Plan){
		"nothing":                     func(*plan.Plan) {},
		"what it was compared with":   func(p *plan.Plan) { p.Against = "git:main" },
		"that it was printed already": func(p *plan.Plan) { _ = p.Text(&strings.Builder{}, plan.Style{}) },
	}
	for name, change := range same {
		if p := example(t); !hashStays(first, p, change) {
			t.Errorf("%s: another hash", name)
		}
	}
	other := map[string]func(p *plan.Plan){
		"the topology's name":      func(p *plan.Plan) { p.Topology = "other" },
		"a device's base":          func(p *plan.Plan) { p.Devices[0].Base = "0" },
		"a device's target":        func(p *plan.Plan) { p.Devices[0].Target = "0" },
		"a request":                func(p *plan.Plan) { p.Devices[0].Sent = "0" },
		"the waves":                func(p *plan.Plan) { p.Cut(plan.WaveOptions{Size: 1, Canaries: 1}) },
		"the time between waves":   func(p *plan.Plan) { p.Cut(plan.WaveOptions{Soak: time.Hour}) },
		"a device to save":         func(p *plan.Plan) { p.Unsaved = []string{"leaf3"} },
		"how many devices may be":  func(p *plan.Plan) { p.MaxDevices = 7 },
		"a device that is no more": func(p *plan.Plan) { p.Devices = p.Devices[:1] },
	}
	for name, change := range other {
		if p := example(t); hashStays(first, p, change) {
			t.Errorf("%s: the same hash", name)
		}
	}
}

func hashStays(first, p *plan.Plan, change func(*plan.Plan)) bool {
	change(p)
	return p.Hash() == first.Hash()
}

func TestEqualRequestsAreEqualBytes(t *testing.T) {
	t.Parallel()
	const more = "/routing-policy/prefix-set[name=s]/prefix[ip-prefix=10.2.0.0/16][mask-length-range=32..32]/ip-prefix 10.2.0.0/16"
	one := judged(t, router.with(more), router).Devices[0]
	if len(one.Request.Delete) != 1 {
		t.Fatal("no path with two keys is deleted")
	}
	for range 20 { // of map orders
		if again := judged(t, router.with(more), router).Devices[0]; again.Sent != one.Sent {
			t.Fatal("another request")
		}
	}
}
