package sim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"

	"github.com/loomfabric/loom/pkg/sim"
)

const story = `
# A router that is slow, and dies while a commit is open.
seed: 7
steps:
  - inject: refuse leaf1
    as: no
    code: UNAVAILABLE
  - when: leaf1 got 1 set
    clear: no
  - when: leaf1 has a pending commit
    after: 5s
    note: now it dies
    inject: reboot leaf1
    boot: running
  - when: leaf1 shows /interface[name=e1]/mtu = 9000
    inject: cut leaf1:e1 - leaf2:e1
    as: cable
  - when: leaf1 has no pending commit
    clear: [cable]
  - when: leaf1 does not show /interface[name=e1]/mtu
    at: 1m
    inject: stall leaf2
  - clear: all
`

// play runs a scenario, and returns what happens and how it ends.
func (s *stage) play(ctx context.Context, text string) (<-chan string, <-chan error) {
	s.Helper()
	sc, err := sim.ParseScenario("story.yaml", []byte(text))
	s.check(err)
	said, ended := make(chan string, 100), make(chan error, 1)
	go func() {
		ended <- s.sim.Run(ctx, sc, func(h sim.Happened) error {
			said <- fmt.Sprintf("%s %d %s", h.At, h.Step, h.Text)
			return nil
		})
	}()
	return said, ended
}

func TestAScenarioWaitsForItsConditions(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	said, ended := s.play(s.ctx, story)
	says := func(want ...string) {
		t.Helper()
		for _, w := range want {
			if got := <-said; got != w {
				t.Errorf("got %q, want %q", got, w)
			}
		}
	}
	says("0s 1 inject refuse leaf1 --code=UNAVAILABLE")
	s.refuses(s.set(s.mtu("9000")), codes.Unavailable, "")
	says("0s 2 clear no")
	s.mustSet(open(s.mtu("9000"), "a", time.Minute))
	s.armed(5 * time.Second)
	s.clock.Advance(5 * time.Second)
	says("5s 3 now it dies", "5s 3 inject reboot leaf1 --boot=running")
	says("5s 4 inject cut 'leaf1:e1 - leaf2:e1'", "5s 5 clear cable")
	s.armed(55 * time.Second)
	s.clock.Advance(55 * time.Second)
	s.reconnect()
	s.mustSet(assignNothing(s))
	says("1m0s 6 inject stall leaf2", "1m0s 7 clear no", "1m0s 7 clear f2", "1m0s 7 clear cable", "1m0s 7 clear f4")
	s.check(<-ended)
	if got := s.sim.Faults(); len(got) != 0 {
		t.Errorf("active: %+v", got)
	}
}

// assignNothing deletes the leaf that the story looks at.
func assignNothing(s *stage) *gnmi.SetRequest {
	return &gnmi.SetRequest{Delete: []*gnmi.Path{s.path(mtuAt).GNMI()}}
}

func TestAScenarioThatIsGivenUpClearsItsFaults(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	kept := s.inject("stall", "leaf2")
	ctx, cancel := context.WithCancel(s.ctx)
	said, ended := s.play(ctx, "steps: [{inject: stall leaf1}, {at: 1h, note: never}]")
	<-said
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "story.yaml: step 2: ") {
		t.Errorf("ended with %v", err)
	}
	if got := s.sim.Faults(); len(got) != 1 || got[0].ID != kept {
		t.Errorf("active: %+v", got)
	}
}

func TestAScenarioLeavesWhatItDoesNotClear(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	_, ended := s.play(s.ctx, "seed: 40\nsteps: [{inject: atomic leaf1}, {inject: atomic leaf2, seed: 3}, {inject: stall leaf1}]")
	s.check(<-ended)
	var seeds []uint64
	for _, f := range s.sim.Faults() {
		seeds = append(seeds, f.Seed)
	}
	if !slices.Equal(seeds, []uint64{40, 3, 0}) {
		t.Errorf("seeds %d", seeds)
	}
}

// Nothing of a scenario happens that has a mistake somewhere.
func TestAScenarioIsJudgedBeforeItBegins(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for text, want := range map[string]string{
		"inject: stall leaf9":                                           `story.yaml:3:13: stall: device "leaf9": there is none of this name; there is leaf1, leaf2`,
		"inject: cut leaf1:e9":                                          `story.yaml:3:13: cut: cable "leaf1:e9": there is none`,
		"{inject: normalise leaf1, path: /x}":                           `story.yaml:3:14: normalise leaf1: path /x: release 25.3: /: unknown element "x"`,
		"{when: leaf9 got 1 set, note: x}":                              `story.yaml:3:12: device "leaf9": there is none`,
		"{when: leaf1 shows /x = 1, note: x}":                           `story.yaml:3:12: leaf1: /: unknown element "x": options are [interface, `,
		"{when: leaf1 shows /system = 1, note: x}":                      `story.yaml:3:12: leaf1: /system: is no leaf, so it has no value to wait for`,
		"{when: 'leaf1 shows /interface[name=*]/mtu = 9000', note: x}":  `story.yaml:3:12: leaf1: /interface[name=*]: key name: * is many entries; name one`,
		"{when: 'leaf1 does not show /interface/mtu', note: x}":         `story.yaml:3:12: leaf1: /interface: has no key name`,
		"{when: 'leaf1 shows /interface[name=e1]/mtu = many', note: x}": `story.yaml:3:12: leaf1: /interface[name=e1]/mtu: `,
		"save: leaf9":   `story.yaml:3:11: device "leaf9": there is none`,
		"accept: leaf9": `story.yaml:3:13: device "leaf9": there is none`,
	} {
		said, ended := s.play(s.ctx, "steps:\n  - note: begun\n  - "+text)
		if err := <-ended; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
		if len(said) > 0 {
			t.Errorf("%s: it began: %s", text, <-said)
		}
	}
	nameless := sim.Scenario{Name: "made", Steps: []sim.Step{{Save: "leaf9"}}}
	if err := s.sim.Check(nameless); err == nil || !strings.Contains(err.Error(), "made: step 1: device") {
		t.Errorf("got %v", err)
	}
}

func TestAScenarioDoesNotWaitForever(t *testing.T) {
	t.Parallel()
	for text, within := range map[string]time.Duration{
		"steps: [{inject: stall leaf1}, {when: leaf1 has a pending commit, note: never}]":                           sim.Patience,
		"within: 1m\nsteps: [{inject: stall leaf1}, {when: leaf1 got 1 set, note: never}]":                          time.Minute,
		"steps: [{inject: stall leaf1}, {when: 'leaf1 shows /interface[name=e1]/mtu = 1500', within: 5s, note: x}]": 5 * time.Second,
	} {
		s := newStage(t)
		_, ended := s.play(s.ctx, text)
		s.armed(within)
		s.clock.Advance(within)
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "story.yaml: step 2: leaf1 ") || !strings.Contains(err.Error(), "was not so within "+within.String()) {
			t.Errorf("%s: ended with %v", text, err)
		}
		if got := s.sim.Faults(); len(got) != 0 {
			t.Errorf("active: %+v", got)
		}
	}
}

func TestAScenarioActsAtTheBox(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	said, ended := s.play(s.ctx, "steps: [{when: leaf1 has a pending commit, accept: leaf1}, {save: leaf1}, {accept: leaf1}]")
	s.mustSet(open(s.mtu("9000"), "a", time.Minute))
	if first, second := <-said, <-said; first != "0s 1 accept leaf1: commit a" || second != "0s 2 save leaf1" {
		t.Errorf("said %q, %q", first, second)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "step 3: leaf1: no commit is waiting for its confirmation") {
		t.Errorf("ended with %v", err)
	}
	s.refuses(s.set(confirm("a")), codes.FailedPrecondition, "no commit")
	if got := s.saved(mtuAt); got != "9000" {
		t.Errorf("saved %q", got)
	}
}

func TestAScenarioIsReadStrictly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                  {"# only words", "f.yaml:1:1: is empty; a scenario has steps, as in "},
		"no YAML":                  {"steps:\n  - at: [", "f.yaml:2:1: did not find"},
		"a list":                   {"[1]", "f.yaml:1:1: a scenario is a mapping"},
		"two documents":            {"steps: []\n---\nsteps: []", "f.yaml:2:1: a scenario is one document"},
		"an unknown member":        {"setps: []", "f.yaml:1:1: setps: no such member; there is seed, within, steps"},
		"a member twice":           {"seed: 1\nseed: 2", "f.yaml:2:1: seed: is here twice"},
		"a seed that is none":      {"seed: x", `f.yaml:1:7: seed "x": want a number`},
		"steps that are no list":   {"steps: {}", "f.yaml:1:8: steps are a list"},
		"a step that is none":      {"steps: [1]", "f.yaml:1:9: a step is a mapping"},
		"a step that does nothing": {"steps: [{at: 1s}]", "f.yaml:1:9: a step does something"},
		"a step with a typo":       {"steps:\n  - inject: stall leaf1\n    dealy: 1s", "f.yaml:3:5: dealy: no such member; there is at, when, "},
		"an unknown kind":          {"steps: [{inject: stal leaf1}]", `f.yaml:1:18: fault "stal": no such kind`},
		"no target":                {"steps: [{inject: stall}]", "f.yaml:1:18: names no target"},
		"a parameter too many":     {"steps: [{inject: stall leaf1, path: /x}]", "f.yaml:1:18: stall takes no path"},
		"parameters of nothing":    {"steps: [{clear: all, delay: 1s}]", "f.yaml:1:9: a step with parameters"},
		"a list for a word":        {"steps: [{note: [a]}]", "f.yaml:1:16: note is one word or text"},
		"a time that is none":      {"steps: [{at: soon, note: x}]", `f.yaml:1:14: "soon": want a time`},
		"a condition that is none": {"steps: [{when: leaf1 sleeps, note: x}]", "f.yaml:1:16: \"leaf1 sleeps\": want `DEVICE has"},
		"no sets":                  {"steps: [{when: leaf1 got 0 sets, note: x}]", "f.yaml:1:16: "},
		"a path that is none":      {"steps: [{when: 'leaf1 shows /x[ = 1', note: x}]", "f.yaml:1:16: "},
		"a fault nobody injected":  {"steps: [{clear: slow}]", "f.yaml:1:17: clear slow: no step before this one"},
		"nothing but a dash":       {"---\n", "f.yaml:1:1: is empty"},
		"no steps":                 {"seed: 1", "f.yaml:1:1: has no steps, so nothing would happen"},
		"a list of no steps":       {"steps: []", "f.yaml:1:8: steps: there are none, so nothing would happen"},
		"a name twice":             {"steps:\n- {inject: stall leaf1, as: a}\n- {inject: stall leaf2, as: a}", "f.yaml:3:29: as a: line 2 injects a fault of this name"},
		"a name that is a word":    {"steps: [{inject: stall leaf1, as: all}]", "f.yaml:1:35: as all: clear takes this word for all faults"},
		"a name that is an id":     {"steps: [{inject: stall leaf1, as: f1}]", "f.yaml:1:35: as f1: faults without a name are called like this"},
		"an empty name":            {"steps: [{inject: stall leaf1, as: ''}]", "f.yaml:1:35: as: a name is one word"},
		"no patience":              {"within: 0s\nsteps: [{note: x}]", `f.yaml:1:9: within "0s": want a time longer than nothing`},
		"patience for nothing":     {"steps: [{within: 1s, note: x}]", "f.yaml:1:9: within: is how long `when` is waited for, and there is none"},
		"a box without a name":     {"steps: [{save: ''}]", "f.yaml:1:16: names no device"},
		"an alias":                 {"steps: [&a {note: x}, *a]", "f.yaml:1:23: a step is a mapping"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := sim.ParseScenario("f.yaml", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func FuzzScenario(f *testing.F) {
	f.Add([]byte(story))
	f.Add([]byte("steps: [&a {note: x}, *a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := sim.ParseScenario("f.yaml", data); err != nil && !strings.HasPrefix(err.Error(), "f.yaml:") {
			t.Errorf("a mistake without its place: %v", err)
		}
	})
}
