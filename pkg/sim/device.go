package sim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Device is one simulated device. Its methods may be called from any goroutine.
type Device struct {
	sim         *Sim
	spec        Spec
	image       atomic.Pointer[image] // of the operating system that it runs
	versionAt   config.Path
	chassisAt   config.Path
	address     string      // where it listens: the same after every restart
	fingerprint string      // of the first certificate
	saveOn      config.Path // leaf that makes commits reach startup; empty: none
	log         *slog.Logger

	gate    *gate
	limits  limits
	clients clients

	power       sync.Mutex                      // held while the server starts or stops; taken before mu; guards up to cut
	retired     bool                            // stopped for good
	on          bool                            // has power and a network to be reached over
	certificate atomic.Pointer[tls.Certificate] // read at every handshake, without power
	speech      speech                          // how it secures connections, where a fault has its say
	door        Door                            // how it serves
	server      *grpc.Server                    // nil while nothing is served
	served      chan struct{}                   // closed when the server has ended
	entrance    *wiredListener                  // that it serves at
	serving     context.Context                 // of its streams
	cut         context.CancelFunc              // ends them
	moves       sync.WaitGroup                  // those who are about to follow a commit

	mu        sync.Mutex // guards what follows
	body      network.Hardware
	chassis   string         // its platform, as the device writes it
	former    configuration  // startup before the last save
	planned   *plannedReboot // nil: none
	wanted    Door           // of the running configuration
	parked    bool           // no commit is followed any more
	running   configuration
	startup   configuration
	pending   *pending        // the open commit
	committed *commit         // the last commit, open or not
	masters   masters         // among its clients
	sight     *sighting       // nil until the network was looked at
	changed   chan struct{}   // closed when running or sight changes
	stirred   time.Time       // when that was last
	view      [2]*config.Tree // running with the state that follows, without and with large tables; nil until somebody asks
	full      [2]*config.Tree // views with the defaults that are in use; nil until somebody asks
	viewed    time.Time       // when the views were last thrown away
	shown     *shelf          // the last view; nil since the last boot
	asked     time.Time       // when somebody last asked for a view or a configuration

	bootedAt time.Time
	boots    uint64 // how often it has booted
}

// configuration is a tree, and what the factory configuration had that the schema does not know.
// Both are never changed, only replaced.
type configuration struct {
	*shelf
	unknown []config.Unknown
}

func configured(t *config.Tree, unknown []config.Unknown) configuration {
	return configuration{&shelf{whole: t}, unknown}
}

// newDevice returns a device that has booted with its factory configuration and does not listen yet.
func newDevice(s *Sim, spec Spec) (*Device, error) {
	if spec.Driver == nil {
		return nil, errors.New("no driver")
	}
	schema := spec.Driver.Schema
	if spec.Release == "" {
		spec.Release = schema.Releases[len(schema.Releases)-1]
	}
	if schema.Release(spec.Release) < 0 {
		return nil, unknownRelease(schema, spec.Release)
	}
	d := &Device{sim: s, spec: spec, body: s.assemble(spec), log: s.config.Log.With("device", spec.Name), changed: make(chan struct{})}
	if err := d.nameItself(); err != nil {
		return nil, err
	}
	factory, err := d.factory(spec.Platform, spec.Release)
	if err != nil {
		return nil, fmt.Errorf("factory configuration: %w", err)
	}
	d.running, d.startup, d.former = factory, factory, factory
	d.wanted = d.serverOf(factory.tree()).Door
	d.record()
	d.bootedAt = s.config.Clock.Now()
	d.stirred = d.bootedAt
	return d, nil
}

// nameItself finds the words by which the device says what it is, so that its driver reads them back.
func (d *Device) nameItself() (err error) {
	id, spec := d.spec.Driver.Identity, d.spec
	i, err := d.imageOf(spec.Release)
	if err != nil {
		return err
	}
	d.image.Store(i)
	if d.chassis, err = d.chassisType(spec.Platform); err != nil {
		return err
	}
	if d.versionAt, err = config.ParsePath(id.Version); err != nil {
		return err
	}
	if d.chassisAt, err = config.ParsePath(id.Chassis); err != nil {
		return err
	}
	if save := spec.Driver.Manners.SaveOn; save != "" {
		d.saveOn, err = config.ParsePath(save)
	}
	return err
}

// image is a release of an operating system, as people and as the device itself write it.
type image struct{ release, version string }

// imageOf returns the image of a release.
func (d *Device) imageOf(release string) (*image, error) {
	if schema := d.spec.Driver.Schema; schema.Release(release) < 0 {
		return nil, unknownRelease(schema, release)
	}
	version, err := spell(release, d.spec.Driver.Identity.Release, release, "v"+release+".1-1-g0000000")
	if err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	return &image{release, version}, nil
}

// unknownRelease refuses a release that the driver has no schema for.
func unknownRelease(s *config.Schema, release string) error {
	return fmt.Errorf("release %q is not one of %v", release, s.Releases)
}

// release returns the release that the device runs.
func (d *Device) release() string { return d.image.Load().release }

// chassisType returns how the device writes its platform.
func (d *Device) chassisType(platform string) (string, error) {
	// Chassis types have a space after the family: "7220 IXR-D3L".
	word, err := spell(platform, d.spec.Driver.Identity.Platform, strings.Replace(platform, "-", " ", 1), platform)
	if err != nil {
		return "", fmt.Errorf("platform: %w", err)
	}
	return word, nil
}

// spell returns the last of some words that read turns into want.
func spell(want string, read func(string) string, words ...string) (string, error) {
	found := ""
	for _, w := range words {
		if read(w) == want {
			found = w
		}
	}
	if found == "" {
		return "", fmt.Errorf("the driver reads %q from none of %q", want, words)
	}
	return found, nil
}

// factory returns the configuration that the device has when new, as a box of a platform with a release.
func (d *Device) factory(platform, release string) (configuration, error) {
	data := []byte("{}")
	if f := d.spec.Driver.Factory; f != nil {
		data = f(d.spec.Name, platform, release)
	}
	return d.read(release, data)
}

// read returns the configuration of a file, as a release reads it.
func (d *Device) read(release string, data []byte) (configuration, error) {
	schema := d.spec.Driver.Schema
	tree, unknown, err := config.Parse(schema, release, data, config.ParseOptions{})
	if err != nil {
		return configuration{}, err
	}
	// Judged like any other change, so that mandatory leaves and references hold.
	all := &gnmi.SetRequest{Update: []*gnmi.Update{update(nil, tree.AppendJSON(nil, false))}}
	tree, err = config.Apply(config.EmptyTree(schema, release), all)
	return configured(tree, unknown), err
}

// Name returns the name of the device.
func (d *Device) Name() string { return d.spec.Name }

// Address returns where the device listens, or did before Stop.
func (d *Device) Address() string { return d.address }

// Running returns the running configuration.
func (d *Device) Running() *config.Tree {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = d.sim.config.Clock.Now()
	return d.running.tree()
}

// Startup returns the configuration that the device would boot with.
func (d *Device) Startup() *config.Tree {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.startup.tree()
}

// Pending returns the id of the open commit, "" where there is none.
func (d *Device) Pending() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pending == nil {
		return ""
	}
	return d.pending.id
}

// Apply changes the running configuration as an operator at the box would: beside gNMI, and also
// while a commit is open. If that commit is taken back, so is this change.
func (d *Device) Apply(req *gnmi.SetRequest) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	after, err := d.change(req)
	if err != nil {
		return fmt.Errorf("%s: %w", d.spec.Name, err)
	}
	d.run(after)
	if d.pending == nil {
		d.save()
	}
	return nil
}

// run makes a configuration the running one. The caller holds mu.
func (d *Device) run(c configuration) {
	d.running = c
	d.record()
	d.stir()
	d.sim.world.touch(d)
	d.follow()
}

// save makes startup equal running, if the running configuration wants that. The caller holds mu
// and has no open commit: what may yet be taken back must not survive a reboot.
func (d *Device) save() {
	if d.saves() {
		d.keep(d.running)
	}
}

// saves tells whether the running configuration wants to be saved after every change. The caller holds mu.
func (d *Device) saves() bool {
	running := d.running.tree()
	return len(d.saveOn) > 0 && leafOf(running, d.saveOn) == "true" || d.serverOf(running).CommitSave
}

// leafOf is the value of a leaf, its default where it is absent.
func leafOf(t *config.Tree, p config.Path) string {
	if c := t.Find(p); c.Valid() {
		return c.Value()
	}
	n, _ := nodeAt(t.Schema(), p)
	return n.Default
}

// keep makes a configuration the startup one. The caller holds mu.
func (d *Device) keep(c configuration) {
	if d.startup.shelf != c.shelf {
		d.startup, d.former = c, d.startup
	}
}

// Save makes startup equal running, as an operator at the box would. While a commit is open it is refused.
func (d *Device) Save() error {
	err := d.saveNow()
	if err == nil {
		d.sim.faults.journal.write(Entry{Event: "save", Device: d.spec.Name})
	}
	return err
}

func (d *Device) saveNow() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pending != nil {
		return fmt.Errorf("%s: commit %q waits for its confirmation; decide it before saving", d.spec.Name, d.pending.id)
	}
	d.keep(d.running)
	return nil
}

// dropCommit ends the open commit without confirming it or taking it back. The caller holds mu.
func (d *Device) dropCommit() {
	if d.pending != nil {
		d.pending.stop()
		d.pending = nil
	}
}

// Stop makes the device unreachable: connections break, new ones are reset. Its configuration and
// the timer of an open commit live on.
func (d *Device) Stop() {
	d.power.Lock()
	defer d.power.Unlock()
	d.halt()
}

// Restart makes the device reachable again, at the same address, as far as its running configuration lets it
// be. On a device that is reachable it does nothing.
func (d *Device) Restart() {
	d.power.Lock()
	defer d.power.Unlock()
	if !d.on && !d.retired {
		d.start()
	}
}

// retire ends the device for good and gives its address back.
func (d *Device) retire() {
	d.power.Lock()
	d.halt()
	d.retired = true
	d.power.Unlock()
	d.mu.Lock()
	d.dropCommit()
	d.dropReboot()
	d.parked = true
	d.mu.Unlock()
	d.moves.Wait()
	d.gate.demolish()
}
