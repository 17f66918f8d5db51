//go:build crashpoints

package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/sim"
	"google.golang.org/grpc/codes"
)

// scene is a change and the situation in which the program dies in the middle of it.
//
// Not every scene dies at every point. Those of a plain change (good, mixed, rebooted, refused) do. One that is about a
// shape of transaction dies at the points at which it differs from the plain one, by what is done or by what the
// devices have had before, and around the decision.
type scene struct {
	name    string
	prior   []state        // what the devices were brought to before, in this order; nil: they come from the factory
	to      state          // what they are brought to
	about   state          // the topology of the command. Default: to
	plant   state          // the topology of which the devices and cables are. Default: that of the command
	command string         // that does it. Default: apply
	args    []string       // of it, beside the usual ones
	limits  string         // of the transaction, as $LOOM_LIMITS has them
	env     []string       // more of the environment
	parts   int            // decisions that it takes. Default: 1
	word    string         // what somebody says when the program waits for it: confirm, cancel
	etcd    bool           // the store is a cluster
	before  func(*routers) // what is special about the devices
	between func(*routers) // what happens to them while nobody controls them
	mended  func(*routers) // what ends that; then the same command brings every device to the target. nil: not tried
	lost    []string       // devices that may be exceptions, by name
	commits string         // what gateways on SR OS make of confirm timers. Default: they refuse them
	risky   bool           // somebody has to approve the change
	joins   bool           // two sites: what tenants have at both is looked at when all is over
	only    []string       // points that the scene is about, by a part of their name; nil: all that it passes
	ends    bool           // only the first and the last pass of a point: another scene has its routers die in between
	ways    []way          // what is tried at each point
	nested  []killing      // after which the recovery is killed too, at every point that it passes, twice
}

// state is what the devices have: what a topology file asks for, or what is left of it.
type state string

const (
	factory state = ""              // nothing
	plain   state = "pair.yaml"     // a file of testdata
	bfd     state = "pair-bfd.yaml" // another one; every device differs
	drained state = "leaf2 drained" // of the first
)

// from is what the devices have before the change.
func (s *scene) from() state {
	if len(s.prior) == 0 {
		return factory
	}
	return s.prior[len(s.prior)-1]
}

// topology is that of the command.
func (s *scene) topology() state { return cmp.Or(s.about, s.to) }

// hardware is the topology that the devices are cabled by.
func (s *scene) hardware() state { return cmp.Or(s.plant, s.topology()) }

// way is how the program dies at a point, and what follows.
type way string

const (
	atOnce     way = "at once"     // killed, and restarted at once
	timersOver way = "timers over" // killed, and restarted when the devices' confirm timers have run out
	answered   way = "answered"    // killed when the device has answered, and before anybody has seen it
	powerLoss  way = "power loss"  // what was not synced is lost too
	torn       way = "torn write"  // the power is lost while the last record is written: any part of it is on the disk
	confirmed  way = "confirmed"   // killed when somebody has confirmed, and before the program has heard of it
	cancelled  way = "cancelled"   // the same with cancel
	paused     way = "paused"      // stands still for longer than its lease, another takes over, and it goes on
	away       way = "away"        // lives: the cluster is gone, and back while it waits
	noCluster  way = "no cluster"  // lives: the cluster is gone until it has given up
)

// lives tells whether the program ends by itself.
func (w way) lives() bool { return w == paused || w == away || w == noCluster }

// hooked tells whether it stands at its point while something is done to it.
func (w way) hooked() bool { return w != atOnce && w != timersOver }

// fits tells whether a way is tried at a point.
func (w way) fits(point string) bool {
	switch w {
	case answered:
		return strings.HasPrefix(point, "device ")
	case torn: // what is written, and not yet acted upon
		return strings.HasPrefix(point, "transaction write ") && strings.HasSuffix(point, " after")
	case confirmed, cancelled:
		return point == "transaction hold"
	}
	return true
}

const (
	patient   = `{"rollback": 60000000000, "settle": 500000000, "patience": 20000000000}`
	impatient = `{"rollback": 60000000000, "settle": 500000000, "patience": 2500000000}`
	hasty     = `{"rollback": 2000000000, "settle": 500000000, "patience": 20000000000}`
)

// atRest has no gate wait for a network that is simulated.
var atRest = []string{"--rest", "0s"}

func with(args ...string) []string { return slices.Concat(atRest, args) }

// decision are the points around it.
var decision = []string{"write commit", "write abort"}

var scenes = slices.Concat(plainScenes, joinedScenes)

var plainScenes = []*scene{
	{
		name: "good", to: plain, limits: patient, ways: []way{atOnce, timersOver, powerLoss, torn, answered},
		nested: []killing{killed("transaction send after", 3, atOnce), killed("transaction confirm after", 1, timersOver)},
	},
	{
		// One router has no timers, one boots its old startup, one cannot be reached; it comes back later.
		name: "mixed", to: plain, ends: true, limits: impatient, ways: []way{atOnce}, lost: []string{"spine1"},
		before:  func(f *routers) { f.inject("extension-ignored", "leaf1") },
		between: func(f *routers) { f.sim.Device("leaf2").Reboot(); f.sim.Device("spine1").Stop() },
		mended:  func(f *routers) { f.sim.Device("spine1").Restart(); f.clock.leap(time.Hour) },
	},
	{
		// One router has no timers; it and another boot their old startup.
		name: "rebooted", to: plain, ends: true, limits: patient, ways: []way{atOnce},
		before:  func(f *routers) { f.inject("extension-ignored", "leaf1") },
		between: func(f *routers) { f.sim.Device("leaf1").Reboot(); f.sim.Device("leaf2").Reboot() },
		nested:  []killing{killed("transaction write commit after", 1, atOnce)},
	},
	{
		// The last router refuses, so that the others go back: one by its timer, one by the inverse.
		name: "refused", to: plain, ends: true, limits: patient, ways: []way{timersOver, powerLoss, answered},
		before: func(f *routers) {
			f.inject("extension-ignored", "leaf1")
			refuse(f, "spine1")
		},
		nested: []killing{killed("transaction write abort after", 1, atOnce)},
	},
	{
		// Between two waves so much time goes by that timers are started again.
		name: "slow", to: plain, limits: hasty, args: []string{"--soak", "1100ms"}, ways: []way{atOnce, answered}, only: []string{"extend", "check"},
	},
	{
		// Each router is decided on its own. Differs in what is announced and confirmed while others are at the target.
		name: "parts", to: plain, limits: patient, args: with("--window", "1"), parts: 3, ways: []way{timersOver, torn},
		only:   slices.Concat(decision, []string{"write sending", "transaction confirm", "transaction save"}),
		nested: []killing{killed("transaction write commit after", 2, atOnce)},
	},
	{
		// The last of them refuses, and what the others have saved is taken back by the inverse.
		name: "parts refused", to: plain, limits: patient, args: with("--window", "1"), parts: 3, ways: []way{atOnce},
		before: func(f *routers) { refuse(f, "spine1") },
		only:   slices.Concat(decision, []string{"mend", "transaction save"}),
	},
	{
		// The program waits for somebody to say that all is well, who does. Differs in that wait.
		name: "held", to: plain, limits: patient, args: with("--hold", "10m"), word: "confirm",
		ways: []way{atOnce, timersOver, confirmed, cancelled}, only: slices.Concat(decision, []string{"transaction hold"}),
	},
	{
		// Somebody says that it is not.
		name: "cancelled", to: plain, limits: patient, args: with("--hold", "10m"), word: "cancel",
		ways: []way{atOnce, torn}, only: decision,
	},
	{
		// A word for each part.
		name: "held in parts", to: plain, limits: patient, args: with("--hold", "10m", "--window", "2", "--waves", "2"), word: "confirm", parts: 2,
		ways: []way{atOnce}, only: slices.Concat(decision, []string{"transaction hold"}),
	},
	{
		// A router is drained by hand. Differs in what the store has beside the journal, and in the base.
		name: "drain", prior: []state{plain}, to: drained, about: plain, command: "drain", args: atRest, limits: patient, ways: []way{atOnce, timersOver},
		only:   slices.Concat(decision, []string{"journal", "write planned", "write sending"}),
		mended: func(*routers) {},
	},
	{
		// Each router is drained for its change, and undrained after it: three requests each, a decision each.
		name: "drained", prior: []state{plain}, to: bfd, args: with("--drain", "always", "--drain-wait", "1ms"), parts: 3, limits: patient,
		ways:   []way{atOnce, answered},
		only:   slices.Concat(decision, []string{"transaction send", "mend", "device set"}),
		mended: func(*routers) {},
	},
	{
		// What is kept beside the journal takes several writes.
		name: "batch", prior: []state{plain}, to: bfd, args: atRest, limits: patient, env: []string{"LOOM_OPERATIONS=6"},
		ways: []way{atOnce, powerLoss}, only: slices.Concat(decision, []string{"journal", "store", "write planned"}),
	},
	{
		name: "rollback", prior: []state{plain, bfd}, to: plain, about: bfd, command: "rollback", limits: patient,
		ways: []way{atOnce}, only: slices.Concat(decision, []string{"journal", "transaction send", "transaction save"}),
	},
	{
		// The store is a cluster. Differs in the lock, which is free when the lease has ended.
		name: "etcd", to: plain, etcd: true, args: atRest, limits: patient, env: []string{`LOOM_BOUNDS={"Lease": 3000000000}`},
		ways: []way{atOnce}, only: slices.Concat(decision, []string{"write planned"}),
	},
	{
		// Somebody else can take it from a process that lives. Differs wherever that one would change something next.
		name: "etcd, paused", to: plain, etcd: true, args: atRest, limits: patient, env: []string{`LOOM_BOUNDS={"Lease": 3000000000}`},
		ways: []way{paused},
		only: slices.Concat(decision, []string{"write planned", "write sending", "transaction send", "transaction confirm", "device set"}),
	},
	{
		// The cluster is gone, and comes back. Differs where the next thing to do is a write, or a change of a device.
		name: "etcd, away", to: plain, etcd: true, args: atRest, limits: patient, env: []string{`LOOM_BOUNDS={"Patience": 20000000000}`},
		ways: []way{away}, only: slices.Concat(decision, []string{"write sending"}),
	},
	{
		name: "etcd, gone", to: plain, etcd: true, args: atRest, limits: patient, env: []string{`LOOM_BOUNDS={"Lease": 2000000000, "Patience": 3000000000}`},
		ways: []way{noCluster}, only: slices.Concat(decision, []string{"write sending", "transaction send"}),
	},
}

func refuse(f *routers, name string) {
	f.inject("refuse", name, func(x *sim.Fault) { x.On, x.Code = sim.Commit, codes.InvalidArgument })
}
