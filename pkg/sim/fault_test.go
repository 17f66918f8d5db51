package sim_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// stage is two devices with two cables between them, on which faults are shown to a client of leaf1.
type stage struct {
	*bench
	time *watchedClock
}

// watchedClock is a manual clock that says which timers are armed.
type watchedClock struct {
	*sim.ManualClock
	armed chan time.Duration
}

// AfterFunc arms a timer.
func (c *watchedClock) AfterFunc(d time.Duration, f func()) func() {
	stop := c.ManualClock.AfterFunc(d, f)
	c.armed <- d
	return stop
}

const cableOne, cableTwo = "leaf1:e1 - leaf2:e1", "leaf1:e2 - leaf2:e2"

func newStage(t *testing.T) *stage {
	t.Helper()
	return stageOf(t, func(*sim.Config) {})
}

// stageOf is a stage with something else about it.
func stageOf(t *testing.T, edit func(*sim.Config)) *stage {
	t.Helper()
	clock := &watchedClock{sim.NewManualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), make(chan time.Duration, 1<<16)}
	c := sim.Config{Username: "admin", Password: "secret", Clock: clock, Wiring: &network.Wiring{}}
	for _, name := range []string{"leaf1", "leaf2"} {
		c.Devices = append(c.Devices, sim.Spec{
			Name: name, Platform: simtest.Platform, Driver: simtest.Driver(),
			Software: &sim.Software{Read: allPorts, Observe: showPorts},
			Ports:    []network.Jack{{Name: "e1"}, {Name: "e2"}},
		})
	}
	for _, port := range []string{"e1", "e2"} {
		c.Wiring.Cables = append(c.Wiring.Cables, network.Cable{A: network.End{Device: "leaf1", Port: port}, B: network.End{Device: "leaf2", Port: port}})
	}
	edit(&c)
	s, err := sim.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	st := &stage{&bench{T: t, sim: s, device: s.Device("leaf1"), clock: clock.ManualClock}, clock}
	st.reconnect()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	st.ctx = metadata.AppendToOutgoingContext(ctx, "username", "admin", "password", "secret")
	return st
}

// allPorts reads every configuration as one with all ports enabled.
func allPorts(h network.Hardware, _ *config.Tree) *network.Router {
	r := &network.Router{}
	for _, j := range h.Ports {
		r.Ports = append(r.Ports, network.Port{Name: j.Name, Enabled: true})
	}
	return r
}

// showPorts shows whether ports are up, and in their descriptions what is at the other end.
func showPorts(b *config.Builder, o sim.Observation) {
	if o.State == nil {
		return
	}
	for name, p := range o.State.Ports {
		at := config.Path{{Name: "interface", Keys: []config.KeyValue{{Name: "name", Value: name}}}}
		b.SetPath(at.Child("oper-state"), map[bool]string{true: "up", false: "down"}[p.Up])
		b.SetPath(at.Child("description"), p.Peer.String())
	}
}

// reconnect makes a new connection, which knows nothing of the ones before.
func (s *stage) reconnect() { s.use(connect(s.T, s.sim, "leaf1")) }

// inject injects a fault from its text form: kind, target, and name=value.
func (s *stage) inject(kind, target string, parameters ...string) string {
	s.Helper()
	id, err := s.tryInject(kind, target, parameters...)
	if err != nil {
		s.Fatal(err)
	}
	return id
}

func (s *stage) tryInject(kind, target string, parameters ...string) (string, error) {
	text := map[string]string{}
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		text[name] = value
	}
	f, err := sim.ParseFault(kind, target, text)
	if err != nil {
		return "", err
	}
	return s.sim.Inject(f)
}

func (s *stage) clear(id string) {
	s.Helper()
	if err := s.sim.Clear(id); err != nil {
		s.Fatal(err)
	}
}

// armed waits until somebody waits for a time.
func (s *stage) armed(d time.Duration) {
	s.Helper()
	for {
		select {
		case got := <-s.time.armed:
			if got == d {
				return
			}
		case <-s.ctx.Done():
			s.Fatalf("nobody waits for %s", d)
		}
	}
}

// begin makes a Set in a goroutine, and returns where its error goes.
func (s *stage) begin(req *gnmi.SetRequest) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.set(req) }()
	return done
}

// shows waits until a leaf of a device's state has a value.
func (s *stage) shows(path, value string) {
	s.Helper()
	stream := s.subscribe(&gnmi.SubscriptionList{}, path)
	want := path + " " + quotedIfText(value)
	for {
		resp, err := stream.Recv()
		if err != nil {
			s.Fatalf("%s: never %s: %v", path, value, err)
		}
		if slices.Contains(told(resp.GetUpdate()), want) {
			return
		}
	}
}

func quotedIfText(value string) string { return `"` + value + `"` }

// mtu is a Set of one leaf.
func (s *stage) mtu(value string) *gnmi.SetRequest {
	s.Helper()
	return s.put("/interface[name=e1]/mtu", value)
}

// has fails unless a leaf of the running configuration, as a Get shows it, has a value; "" means absent.
func (s *stage) has(path, want string) {
	s.Helper()
	got, err := s.get(gnmi.GetRequest_CONFIG, path)
	if err != nil {
		s.Fatal(err)
	}
	switch {
	case want == "" && len(got) == 0:
	case len(got) != 1 || got[0] != path+" "+want:
		s.Errorf("%s: got %v, want %s", path, got, want)
	}
}

// Every kind and every form of it is shown as a client sees it.
func TestEveryFaultHappens(t *testing.T) {
	t.Parallel()
	shown := map[string]func(*stage){}
	for _, group := range []map[string]func(*stage){plantFaults, lightFaults, powerFaults, tlsFaults, wireFaults, setFaults, configFaults, streamFaults, garbageFaults} {
		for name, show := range group {
			shown[name] = show
		}
	}
	for _, kind := range sim.Kinds() {
		names := []string{kind.Name}
		for i, form := range kind.Forms {
			if i == 0 {
				names = nil
			}
			names = append(names, kind.Name+"/"+form.Name)
		}
		for _, name := range names {
			show := shown[name]
			if delete(shown, name); show == nil {
				t.Errorf("%s: no test shows it", name)
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				show(newStage(t))
			})
		}
	}
	for name := range shown {
		t.Errorf("%s: is shown, and there is no such kind", name)
	}
}

func TestEveryKindSaysWhatItIs(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, p := range sim.Parameters() {
		known[p.Name] = true
	}
	seen := map[string]bool{}
	for _, k := range sim.Kinds() {
		if seen[k.Name] || k.Help == "" || strings.HasSuffix(k.Help, ".") || k.At == "" {
			t.Errorf("%s: want a name of its own, a sentence without a full stop, and a place", k.Name)
		}
		seen[k.Name] = true
		for _, p := range slices.Concat(k.Needs, k.Takes) {
			if !known[p] {
				t.Errorf("%s: parameter %s is none", k.Name, p)
			}
		}
	}
}

func TestAFaultThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for name, c := range map[string]struct {
		kind, target string
		parameters   []string
		want         string
	}{
		"an unknown kind":           {"explode", "leaf1", nil, `fault "explode": no such kind; there is cut, `},
		"an unknown device":         {"stall", "leaf9", nil, `device "leaf9": there is none of this name`},
		"a port in place of device": {"stall", "leaf1:e1", nil, `"leaf1:e1" is not a device`},
		"a device in place of port": {"port-down", "leaf1", nil, `"leaf1" is not a port`},
		"an unknown port":           {"port-down", "leaf1:e9", nil, `no port "e9"`},
		"an unknown cable":          {"cut", "leaf1:e9", nil, `cable "leaf1:e9": there is none`},
		"a parameter too many":      {"stall", "leaf1", []string{"code=ABORTED"}, "stall takes no code; it takes times, for"},
		"one that is missing":       {"slow-set", "leaf1", nil, "slow-set needs delay"},
		"one that is unknown":       {"stall", "leaf1", []string{"color=red"}, "color: no such parameter; there is on, form, "},
		"a form that is none":       {"sync", "leaf1", []string{"form=never"}, `form "never": there is missing, early, twice`},
		"a code that is none":       {"refuse", "leaf1", []string{"code=OOPS"}, `code "OOPS": want a gRPC code`},
		"a time that is none":       {"slow-set", "leaf1", []string{"delay=soon"}, `delay "soon": want a time`},
		"a negative number":         {"stall", "leaf1", []string{"times=-1"}, "are not negative"},
		"a second blackhole":        {"blackhole", "leaf2", nil, "clear that fault first"},
		"a path that is none":       {"normalise", "leaf1", []string{"path=x[y"}, "path: "},
		"a path of no node":         {"leaf-ignored", "leaf1", []string{"path=/interface[name=e1]/mut"}, `leaf-ignored leaf1: path /interface[name=e1]/mut: release 25.3: /interface[name=e1]: unknown element "mut": options are [name, description, `},
		"a path without its key":    {"normalise", "leaf1", []string{"path=/interface/mtu"}, "/interface: has no key name; name one entry, as in [name=...]"},
		"a path of many leaves":     {"normalise", "leaf1", []string{"path=/interface[name=*]/mtu"}, "key name: * is many entries; name one"},
		"a path with another key":   {"normalise", "leaf1", []string{"path=/interface[id=e1]/mtu"}, `has other keys: "interface": options are [name]`},
		"a key of another type":     {"normalise", "leaf1", []string{"path=/interface[name=e1]/subinterface[index=x]/type"}, "key index: "},
		"a container for a leaf":    {"leaf-ignored", "leaf1", []string{"path=/system"}, "is no leaf; name one below it"},
		"a key for a leaf":          {"leaf-ignored", "leaf1", []string{"path=/interface[name=e1]/name"}, "is a key, which goes with its entry"},
		"state for a leaf":          {"normalise", "leaf1", []string{"path=/interface[name=e1]/in-octets"}, "is state, which no Set is about"},
		"a value that does not fit": {"normalise", "leaf1", []string{"path=" + mtuAt, "value=1"}, "value 1: want JSON that fits the node at path"},
		"text without quotes":       {"unasked", "leaf1", []string{"value=hello"}, `value hello: is not JSON; quote text`},
		"a value of the wrong type": {"unasked", "leaf1", []string{"path=" + mtuAt}, `cannot be "unasked", which is sent where no value is given; give one`},
		"numbers that do not fit":   {"firehose", "leaf1", []string{"path=" + mtuAt}, `cannot be "0", which is sent where no value is given; give one`},
		"names that do not fit":     {"firehose", "leaf1", []string{"path=/interface[name=e1]/subinterface[index=*]/type", `value="routed"`}, "key index: "},
		"a value without a path":    {"foreign-commit", "leaf1", []string{"value=1"}, "value: is given to the node at path; give a path too"},
		"a later change that fails": {"foreign-change", "leaf1", []string{"on=commit", "path=" + mtuAt, "value=1"}, "value 1: want JSON"},
		"now, without a Set":        {"slow-set", "leaf1", []string{"delay=1s", "on=now"}, `on "now": there is any, change, commit, confirm, cancel`},
		"a form of no Set":          {"reboot", "leaf1", []string{"form=answered"}, "form answered: says when at a Set the reboot happens; say at which ones with on"},
		"a swap with itself":        {"swap", cableOne, []string{"with=leaf2:e1"}, "with leaf2:e1: is the same cable; name another one"},
		"a swap with nothing":       {"swap", cableOne, []string{"with=leaf2:e9"}, `with: cable "leaf2:e9": there is none`},
		"a boot with a value only":  {"reboot", "leaf1", []string{"value={}"}, "value: is what a device boots with boot given; say so, or leave it out"},
		"a boot of nothing given":   {"other-chassis", "leaf1", []string{"boot=given"}, "boot given: the configuration is to be in value, as JSON"},
		"a boot of unknown nodes":   {"reboot", "leaf1", []string{"boot=given", `value={"interface":[{"name":"e1","mut":1}]}`}, `value: is not a configuration of release 25.3; correct it or leave it out: update 0: offset 33: /interface[name=e1]: unknown element "mut": options are [`},
		"a boot of state":           {"reboot", "leaf1", []string{"boot=given", `value={"interface":[{"name":"e1","oper-state":"up"}]}`}, "state cannot be written"},
		"a boot that is not valid":  {"reboot", "leaf1", []string{"boot=given", "on=commit", `value={"interface":[{"name":"e1","ethernet":{"aggregate-id":"lag1"}}]}`}, "/interface[name=e1]/ethernet/aggregate-id"},
		"a release that is none":    {"reboot", "leaf1", []string{"release=1.1"}, `release "1.1" is not one of [23.10 24.10 25.3]`},
		"a platform that is none":   {"other-chassis", "leaf1", []string{"platform=a b"}, "leaf1: "},
	} {
		if name == "a second blackhole" {
			s.inject("blackhole", "leaf2")
		}
		if _, err := s.tryInject(c.kind, c.target, c.parameters...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestAFaultIsReadAsItIsPrinted(t *testing.T) {
	t.Parallel()
	f := sim.Fault{
		Kind: "refuse", Target: "leaf1", Times: 3, For: time.Minute,
		On: sim.Commit, Form: "details", Code: codes.FailedPrecondition, Message: "not 'now'",
	}
	got, err := sim.ParseFault(f.Kind, f.Target, f.Text())
	if err != nil || got != f {
		t.Errorf("got %v, %v", got, err)
	}
	want := `refuse leaf1 --on=commit --form=details --code=FAILED_PRECONDITION --message='not '\''now'\''' --times=3 --for=1m0s`
	if f.String() != want {
		t.Errorf("got  %s\nwant %s", f, want)
	}
}

func TestAFaultEndsWhenItIsTold(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.inject("refuse", "leaf1", "times=2")
	s.inject("refuse", "leaf1", "for=1m", "code=UNAVAILABLE")
	cleared := s.inject("refuse", "leaf1", "code=INTERNAL")
	s.refuses(s.set(s.mtu("9000")), codes.Internal, "refused by an injected fault") // the last one is the outermost
	s.clear(cleared)
	if err := s.sim.Clear(cleared); err == nil {
		t.Error("a fault was cleared twice")
	}
	s.refuses(s.set(s.mtu("9000")), codes.Unavailable, "")
	s.clock.Advance(time.Minute)
	s.refuses(s.set(s.mtu("9000")), codes.Aborted, "")
	if got := s.sim.Faults(); len(got) != 1 || got[0].Struck != 1 || got[0].ID != "f1" {
		t.Errorf("active: %+v", got)
	}
	s.refuses(s.set(s.mtu("9000")), codes.Aborted, "")
	s.mustSet(s.mtu("9000"))
	if got := s.sim.Faults(); len(got) != 0 {
		t.Errorf("active: %+v", got)
	}
}

func TestTheSameSeedMakesTheSameFault(t *testing.T) {
	t.Parallel()
	ignored := func(seed string) string {
		s := newStage(t)
		s.inject("leaf-ignored", "leaf1", "seed="+seed)
		var req gnmi.SetRequest
		for _, name := range strings.Fields("a b c d e f g h i j k l m n o p") {
			req.Update = append(req.Update, s.update("/policy[name="+name+"]/statement[name=x]/action", `"y"`))
		}
		s.mustSet(&req)
		got, err := s.get(gnmi.GetRequest_CONFIG, "/policy")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(got, "\n")
	}
	one, other := ignored("1"), ignored("1")
	if one != other {
		t.Errorf("one seed, two outcomes:\n%s\n%s", one, other)
	}
	if one == ignored("2") && one == ignored("3") && one == ignored("4") {
		t.Error("the seed does not matter")
	}
}
