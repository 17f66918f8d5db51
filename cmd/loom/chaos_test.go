//go:build !race

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/evidence"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
)

// Changes go back and forth on a small fabric, made by real processes that are killed, stopped and started
// twice, while the devices fail in every way, all at random. What each of four witnesses has written is then
// held against what the others have, by rules that know nothing of how the controller works (pkg/evidence).
//
// LOOM_SEED=N runs one seed, LOOM_SOAK=1 many and longer ones. A run with findings is saved under out/chaos/SEED, to be
// checked again by go run ./pkg/evidence/check out/chaos/SEED.
func TestNothingIsLostWhateverHappens(t *testing.T) {
	t.Parallel()
	seeds, calls := []uint64{1, 2, 3, 4}, 7
	if os.Getenv("LOOM_SOAK") != "" {
		seeds, calls = nil, 40
		for seed := range uint64(24) {
			seeds = append(seeds, 100+seed)
		}
	}
	if n, err := strconv.ParseUint(os.Getenv("LOOM_SEED"), 10, 64); err == nil {
		seeds = []uint64{n}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			c := newChaos(t, seed)
			for range calls {
				c.disturbed()
			}
			c.calm()
			c.judge()
		})
	}
}

// chaos is one run.
type chaos struct {
	*testing.T
	seed      uint64
	rng       *rand.Rand
	dir, loom string
	sim       *sim.Sim
	files     [2]string
	next      int    // of the files
	last      string // transaction that was done
	devices   []string
	run       evidence.Run
}

// fabrics are what goes back and forth: every device changes. The ports of a router are the fabric's, used or not, so that
// what Loom owns is the same in both.
var fabrics = [2]string{`loom: v1
name: chaos
unused-ports: disabled
spines: {count: 2, platform: 7220-IXR-D3L}
leaves: {count: 4, platform: 7220-IXR-D2L}
`, `loom: v1
name: chaos
unused-ports: disabled
underlay: {bfd: 3x300ms}
spines: {count: 2, platform: 7220-IXR-D3L}
leaves: {count: 4, platform: 7220-IXR-D2L}
tenants:
  red: {number: 1, segments: {web: {number: 10, gateway: 10.10.0.1/24}}}
ports:
  - {on: leaves, range: ethernet-1/1..2, segments: [web]}
`}

func newChaos(t *testing.T, seed uint64) *chaos {
	c := &chaos{T: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 9)), dir: t.TempDir()}
	t.Logf("seed %d", seed)
	self, err := os.Executable()
	c.check(err)
	c.loom = filepath.Join(c.dir, "loom") // by this name the test binary is loom: see TestMain
	c.check(os.Symlink(self, c.loom))
	for i, text := range fabrics {
		c.files[i] = filepath.Join(c.dir, fmt.Sprintf("fabric%d.yaml", i))
		c.check(os.WriteFile(c.files[i], []byte(text), 0o600))
	}
	srcs, err := sources(c.files[:1])
	c.check(err)
	n, err := compileNetwork(&terminal{out: io.Discard, err: io.Discard}, srcs, nil)
	c.check(err)
	c.sim, err = (simulation{bgp: bgpComputed}).start(t.Context(), n.design)
	c.check(err)
	t.Cleanup(c.sim.Close)
	c.sim.Record(nil, 1<<20)
	scopes := map[string]config.Scope{}
	for _, d := range n.design.Devices {
		c.devices = append(c.devices, d.Name)
		scopes[d.Name] = drivers[d.OS].Scope(d)
	}
	c.sim.Digest(func(device string, tree *config.Tree) string {
		return meaning(scopes[device].Owned(tree, n.trees[device]))
	})
	c.check(os.WriteFile(filepath.Join(c.dir, "sim.json"), c.sim.Inventory().JSON(), 0o600))
	c.sim.Attest()
	return c
}

func (c *chaos) check(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// meaning is a digest of what a configuration says, whether defaults are written out or not.
func meaning(t *config.Tree) string {
	h := sha256.New()
	t.Walk(func(at config.Cursor) bool {
		if at.IsDefault() {
			return false
		}
		if at.IsLeaf() || at.IsValue() || at.IsEntry() || at.Node().Kind == config.Presence {
			fmt.Fprintf(h, "%s = %s\n", at.Path(), at.Value())
		}
		return true
	})
	return hex.EncodeToString(h.Sum(nil))
}

// event is something that happens to a command while it runs.
type event struct {
	after time.Duration
	do    func(*exec.Cmd)
}

// disturbed runs a command while everything goes wrong.
func (c *chaos) disturbed() {
	var events []event
	var hold []string
	at := func(most int, do func(*exec.Cmd)) {
		events = append(events, event{time.Duration(c.rng.IntN(most)) * time.Millisecond, do})
	}
	for range 1 + c.rng.IntN(4) {
		f := c.fault()
		at(300, func(*exec.Cmd) { c.inject(f) })
	}
	switch c.rng.IntN(10) {
	case 0, 1, 2:
		at(500, func(cmd *exec.Cmd) { _ = cmd.Process.Kill() }) // it may be over
	case 3:
		at(500, func(cmd *exec.Cmd) { _ = cmd.Process.Signal(os.Interrupt) })
	case 4: // it stands still, as a machine that is moved does
		begin := c.rng.IntN(400)
		events = append(events,
			event{time.Duration(begin) * time.Millisecond, func(cmd *exec.Cmd) { _ = cmd.Process.Signal(syscall.SIGSTOP) }},
			event{time.Duration(begin+200+c.rng.IntN(1000)) * time.Millisecond, func(cmd *exec.Cmd) { _ = cmd.Process.Signal(syscall.SIGCONT) }})
	case 5: // there are two of it
		at(300, func(*exec.Cmd) { c.apply(nil) })
	case 6, 7: // somebody is to say that all is well, and does, or not
		hold = []string{"--hold", "2s"}
		if word := []string{"confirm", "cancel", ""}[c.rng.IntN(3)]; word != "" {
			events = append(events, event{time.Second, func(*exec.Cmd) { c.ask(word) }})
		}
	}
	slices.SortFunc(events, func(a, b event) int { return int(a.after - b.after) })
	if c.rng.IntN(6) > 0 {
		c.next = 1 - c.next
	}
	if c.last != "" && c.rng.IntN(6) == 0 {
		c.call(append([]string{"rollback", c.last, c.files[c.next], "--overwrite"}, hold...), events)
	} else {
		c.apply(events, hold...)
	}
	c.sim.Attest()
}

// ask tells the transaction that is under way, if there is one, what somebody thinks of it.
func (c *chaos) ask(word string) {
	out, err := exec.CommandContext(c.Context(), c.loom, "transactions", "list", "--format", "json", "--data", filepath.Join(c.dir, "data")).Output()
	var all []account
	if err != nil || json.Unmarshal(out, &all) != nil || len(all) == 0 || all[0].Outcome != "" {
		return // it has ended meanwhile
	}
	c.perform([]string{"transactions", word, all[0].ID, "--data", filepath.Join(c.dir, "data")}, nil)
}

func (c *chaos) apply(events []event, more ...string) evidence.Call {
	return c.call(append([]string{"apply", c.files[c.next], "--gate", "0", "--take-over", "--backup", filepath.Join(c.dir, "backup")}, more...), events)
}

// call runs a command that changes devices.
func (c *chaos) call(args []string, events []event) evidence.Call {
	return c.perform(append(args, "--inventory", filepath.Join(c.dir, "sim.json"), "--data", filepath.Join(c.dir, "data"),
		"--yes", "--rollback", "10s", "--max-devices", "10", "--format", "json"), events)
}

// perform runs a command, and notes what a client sees of it.
func (c *chaos) perform(args []string, events []event) evidence.Call {
	ctx, cancel := context.WithTimeout(c.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.loom, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &errs, time.Second
	call := evidence.Call{Number: len(c.run.Calls), Command: cmd.Args, Invoked: time.Now(), Result: evidence.OK}
	c.run.Calls = append(c.run.Calls, call)
	c.check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		var soon <-chan time.Time
		if len(events) > 0 {
			soon = time.After(time.Until(call.Invoked.Add(events[0].after)))
		}
		select {
		case <-soon:
			events[0].do(cmd)
			events = events[1:]
			continue
		case err := <-ended:
			c.note(&call, err, out.Bytes(), errs.String())
		}
		return call
	}
}

// note keeps what a client saw of a command that has ended.
func (c *chaos) note(call *evidence.Call, err error, out []byte, errs string) {
	call.Returned = time.Now()
	if err != nil {
		call.Result = evidence.Failed
		var gone *exec.ExitError
		if !errors.As(err, &gone) {
			c.Fatal(err)
		}
		if call.Exit = gone.ExitCode(); call.Exit < 0 {
			call.Result = evidence.Unknown
		}
	}
	var said applied
	if call.Result != evidence.Unknown && json.Unmarshal(out, &said) == nil && said.Result != nil {
		call.Transaction, call.Outcome = said.Result.ID, said.Result.Outcome
		if call.Outcome == transaction.Done {
			c.last = call.Transaction
		}
	}
	c.Logf("%s %s %s: exit %d, %s after %s: %s", call.Command[1], filepath.Base(call.Command[2]), call.Result, call.Exit, call.Outcome, call.Returned.Sub(call.Invoked).Round(time.Millisecond), errs)
	c.run.Calls[call.Number] = *call
}

// fault draws one.
func (c *chaos) fault() sim.Fault {
	device := c.devices[c.rng.IntN(len(c.devices))]
	on := []string{sim.AnySet, sim.Change, sim.Commit, sim.Confirm, sim.Cancel}[c.rng.IntN(5)]
	delay := time.Duration(100+c.rng.IntN(500)) * time.Millisecond
	f := sim.Fault{Target: device, For: time.Duration(500+c.rng.IntN(2000)) * time.Millisecond}
	pick := func(words ...string) string { return words[c.rng.IntN(len(words))] }
	switch f.Kind = pick("slow-set", "slow-answer", "refuse", "disconnect", "malformed-result", "half-applied", "leaf-ignored", "nothing-applied",
		"unreachable", "device-down", "blackhole", "half-open", "reboot", "foreign-change", "foreign-commit", "expire-commit", "revert"); f.Kind {
	case "slow-set", "slow-answer":
		f.On, f.Delay = on, delay
	case "refuse", "disconnect":
		f.On, f.Times = on, 1+c.rng.IntN(3)
		if f.Kind == "disconnect" {
			f.Form = pick("before", "after")
		}
	case "malformed-result":
		f.Form = pick("missing", "extra", "reversed", "paths", "operations")
	case "half-applied", "leaf-ignored", "nothing-applied":
		f.Times = 1
		if f.Kind == "leaf-ignored" {
			f.Seed = c.rng.Uint64()
		}
	case "reboot":
		f.For, f.Boot, f.Delay = 0, pick("startup", "startup", "running"), delay
		if f.On = pick(sim.Now, sim.Commit, sim.Confirm); f.On != sim.Now {
			f.Form, f.Times, f.For = pick("before", "unanswered", "answered"), 1, 3*time.Second
		}
	case "foreign-change":
		f.For, f.On, f.Path, f.Value = 0, sim.Now, "/system/name/host-name", `"somebody"`
	case "foreign-commit":
		f.For, f.Delay = 0, delay
	case "expire-commit":
		f.On, f.For = sim.Now, 0
	case "revert":
		f.Times, f.Delay = 1, delay
	}
	return f
}

func (c *chaos) inject(f sim.Fault) {
	at := time.Now()
	id, err := c.sim.Inject(f)
	if err != nil { // such as a device that is in a blackhole already
		c.Logf("%s: %v", f, err)
	}
	if id == "" {
		return
	}
	c.run.Faults = append(c.run.Faults, evidence.Fault{At: at, ID: id, Device: f.Target, Kind: f.Kind})
}

// calm ends what goes wrong. Now everything has to come to what was asked for.
func (c *chaos) calm() {
	for _, f := range c.sim.Faults() {
		_ = c.sim.Clear(f.ID) // it may be over
	}
	for range 4 { // what an earlier call has left is ended first
		if call := c.apply(nil); call.Result == evidence.OK {
			break
		}
	}
	c.sim.Attest()
	for range c.files {
		c.next = 1 - c.next
		if call := c.apply(nil); call.Result != evidence.OK || call.Outcome != transaction.Done {
			c.Errorf("nothing goes wrong any more, and a change is %q, exit code %d", call.Outcome, call.Exit)
		}
		c.sim.Attest()
	}
}

// judge holds the four records against each other.
func (c *chaos) judge() {
	entries, err := c.sim.Journal()
	c.check(err)
	for _, e := range entries {
		data, err := json.Marshal(e)
		c.check(err)
		var as evidence.Entry
		c.check(json.Unmarshal(data, &as))
		c.run.Devices = append(c.run.Devices, as)
	}
	c.run.Journal = c.books()
	c.audited()
	dir := filepath.Join("..", "..", "out", "chaos", fmt.Sprint(c.seed))
	report := evidence.Check(&c.run)
	c.Logf("%s", report)
	if len(report.Findings) > 0 || c.Failed() {
		c.Errorf("seed %d: %d findings; the records are in %s", c.seed, len(report.Findings), dir)
		c.check(c.run.Save(dir))
	}
}

// books reads the controller's journal from its store.
func (c *chaos) books() (out []evidence.Line) {
	s, err := store.Open(c.Context(), store.Options{Dir: filepath.Join(c.dir, "data", "store"), Owner: "test"})
	c.check(err)
	defer s.Close()
	j := newJournal(&keeper{store: s})
	ids, err := transactionIDs(c.Context(), s)
	c.check(err)
	known := map[string]bool{}
	for _, id := range ids {
		members, err := j.participants(c.Context(), id)
		c.check(err)
		for i := range members {
			for _, hash := range members[i].Places {
				if known[hash] {
					continue
				}
				tree, err := j.configuration(c.Context(), &members[i], hash)
				c.check(err)
				known[hash] = true
				out = append(out, evidence.Line{Configuration: hash, Digest: meaning(tree)})
			}
		}
		records, err := j.records(c.Context(), id)
		c.check(err)
		for n := range records {
			out = append(out, evidence.Line{Transaction: id, Number: n, Record: &records[n]})
		}
	}
	return out
}
