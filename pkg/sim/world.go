package sim

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loomfabric/loom/pkg/sim/light"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// world is what lies between the devices. One goroutine reads what has changed, finds out what the
// network comes to, and shows every device its part. It is level-triggered: whatever changes while it
// thinks is looked at in the next round, and rounds in between are never missed by anybody.
type world struct {
	log      *slog.Logger
	clock    Clock
	speakers func([]string, *slog.Logger) (Engine, error)
	engine   Engine // nil: computed
	kick     chan struct{}
	hurry    chan struct{} // somebody waits
	done     chan struct{} // closed to end
	ended    chan struct{} // closed when it has

	mu      sync.Mutex // guards what follows
	wiring  *network.Wiring
	lines   *light.Plant // nil: nothing is joined by light
	outages network.Outages
	harms   map[string]func(*light.Damage) // by fault
	damage  light.Damage                   // what they come to
	touched map[*Device]bool               // whose configuration or power has changed since the last round
	altered bool                           // wiring, lines, outages or damage have
	busy    bool                           // a round is under way
	waiting []chan struct{}                // to be closed when nothing is left to do

	// The last round's. Only the goroutine has them.
	devices []*Device
	routers map[string]*network.Router // replaced, never changed
	beside  []*network.Router          // that nobody manages, of routers
	looked  map[string]*shelf          // configurations that they are of, by device
	plant   *network.Plant
	optical *optical // of the lines; nil: nothing is joined by light
	shown   map[string]part
	unsaid  map[string][]string // what the engine cannot be told, by device
}

// part is what a device was shown last.
type part struct {
	router  *network.Router
	links   *network.Links
	light   *Light
	version uint64
}

func newWorld(c Config) *world {
	w := &world{
		log: c.Log, clock: c.Clock, speakers: c.Speakers, wiring: c.Wiring, lines: c.Light,
		kick: make(chan struct{}, 1), hurry: make(chan struct{}, 1), done: make(chan struct{}), ended: make(chan struct{}),
		touched: map[*Device]bool{}, harms: map[string]func(*light.Damage){}, routers: map[string]*network.Router{}, looked: map[string]*shelf{}, shown: map[string]part{}, unsaid: map[string][]string{},
		outages: network.Outages{Cables: map[string]bool{}, Ports: map[network.End]bool{}, Devices: map[string]bool{}},
	}
	w.beside = c.Routers
	for _, r := range c.Routers {
		w.routers[r.Name] = r
	}
	if w.wiring == nil {
		w.wiring = &network.Wiring{}
	}
	w.optical = w.optical.built(c.Light, c.Clock.Now())
	return w
}

// begin lets the world turn, if any of the devices has something to say about its state.
func (w *world) begin(devices []*Device) (err error) {
	w.devices = slices.DeleteFunc(slices.Clone(devices), func(d *Device) bool { return !d.matters() })
	if len(w.devices) == 0 {
		return nil
	}
	if w.speakers != nil {
		var names []string
		for _, d := range w.devices {
			if d.spec.Software.Read != nil {
				names = append(names, d.spec.Name)
			}
		}
		for _, r := range w.beside {
			if slices.ContainsFunc(r.Instances, func(i network.Instance) bool { return i.BGP != nil }) {
				names = append(names, r.Name)
			}
		}
		if w.engine, err = w.speakers(names, w.log); err != nil {
			return fmt.Errorf("BGP speakers: %w", err)
		}
	}
	go w.turn()
	for _, d := range w.devices {
		w.touch(d)
	}
	return nil
}

// end stops the world. Nothing is shown to a device afterwards.
func (w *world) end() {
	if len(w.devices) == 0 {
		return
	}
	close(w.done)
	<-w.ended
	if w.engine != nil {
		w.engine.Close()
	}
	w.devices = nil
}

// touch tells that the configuration of a device is another one, or that it has booted.
func (w *world) touch(d *Device) {
	if !d.matters() {
		return
	}
	w.mu.Lock()
	w.touched[d] = true
	w.mu.Unlock()
	w.wake()
}

// alter changes what is plugged in or what works.
func (w *world) alter(change func(*network.Wiring, *network.Outages) error) error {
	w.mu.Lock()
	// Rounds read both without the lock, so what they have is never changed.
	wiring := &network.Wiring{Cables: slices.Clone(w.wiring.Cables), Hosts: w.wiring.Hosts}
	outages := network.Outages{Cables: maps.Clone(w.outages.Cables), Ports: maps.Clone(w.outages.Ports), Devices: maps.Clone(w.outages.Devices)}
	err := change(wiring, &outages)
	if err == nil {
		w.wiring, w.outages, w.altered = wiring, outages, true
	}
	w.mu.Unlock()
	w.wake()
	return err
}

// matters tells whether anything of the world follows from what a device has configured.
func (d *Device) matters() bool {
	sw := d.spec.Software
	return sw != nil && (sw.Read != nil || sw.Light != nil)
}

func (w *world) wake() { signal(w.kick) }

// signal leaves word in a channel, unless there is word already that nobody has taken yet.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// turn makes rounds until end.
func (w *world) turn() {
	defer close(w.ended)
	var changed <-chan struct{}
	if w.engine != nil {
		changed = w.engine.Changed()
	}
	for {
		select {
		case <-w.done:
			return
		case <-w.kick:
		case <-changed:
		}
		begun := time.Now()
		w.round()
		w.pause(time.Since(begun))
	}
}

// pause lets others have the processor for as long as the last round took, unless somebody waits: a round costs
// more the more devices there are, and while a thousand are configured one after the other there is always another
// to make. What changes is seen a round later at most.
func (w *world) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.hurry:
	case <-w.done:
	}
}

// round looks at everything once.
func (w *world) round() {
	w.mu.Lock()
	touched, altered, wiring, lines, outages, damage := w.touched, w.altered, w.wiring, w.lines, w.outages, w.damage
	w.touched, w.altered, w.busy = map[*Device]bool{}, false, true
	w.mu.Unlock()

	w.optical = w.optical.built(lines, w.clock.Now())
	if w.read(touched) || altered || w.plant == nil {
		if w.optical != nil {
			wiring, outages = w.optical.round(w.routers, wiring, outages, damage, w.clock.Now())
		}
		w.plant = network.Survey(w.routers, wiring, outages)
	}
	routing := w.route()
	for _, d := range w.devices {
		w.show(d, routing)
	}
	w.rest()
}

// read reads the configurations of devices anew; it tells whether there were any.
func (w *world) read(touched map[*Device]bool) bool {
	if len(touched) == 0 {
		return false
	}
	w.routers = maps.Clone(w.routers)
	for d := range touched {
		hardware, configuration, boots := d.configured()
		running, sw := configuration.tree(), d.spec.Software
		w.looked[d.spec.Name] = configuration.shelf
		if w.optical != nil && sw.Light != nil {
			w.optical.settings[d.spec.Name] = sw.Light(hardware, running)
		}
		if sw.Read == nil {
			continue
		}
		r := sw.Read(hardware, running)
		r.Name, r.Boots = d.spec.Name, boots
		w.routers[r.Name] = r
		w.listen(r)
	}
	return true
}

// listen finds out whether the engine can be told what a router has configured.
func (w *world) listen(r *network.Router) {
	if w.engine == nil {
		return
	}
	before, now := w.unsaid[r.Name], w.engine.Unsayable(r)
	if delete(w.unsaid, r.Name); len(now) > 0 {
		w.unsaid[r.Name] = now
	}
	switch {
	case slices.Equal(before, now):
	case len(now) > 0:
		w.log.Warn("live BGP speakers cannot do what a device has configured: BGP of the whole network is computed until that changes", "device", r.Name, "cannot", strings.Join(now, "; "))
	case len(w.unsaid) == 0:
		w.log.Warn("BGP is run by live speakers again", "device", r.Name)
	}
}

// route returns what BGP comes to on the plant.
func (w *world) route() network.Routing {
	if w.engine == nil || len(w.unsaid) > 0 {
		return network.Compute(w.plant)
	}
	sessions := network.Meet(w.plant, w.engine.Routing())
	announced := make(map[string][]network.Route, len(w.plant.Names))
	for _, name := range w.plant.Names {
		announced[name] = network.Announce(w.plant, w.engine.Routing(), name)
	}
	w.engine.Update(w.plant, sessions, announced)
	return w.engine.Routing()
}

// show lets a device see its part. If that is as before nobody is told; the device leaves what it has for what is
// the same by now, as otherwise the network of every round would stay for those that have not changed since.
func (w *world) show(d *Device, routing network.Routing) {
	name := d.spec.Name
	now := part{w.plant.Routers[name], w.plant.Links[name], w.optical.seenBy(name), 0}
	if routing != nil && now.router != nil {
		now.version = routing.Version(name)
	}
	before, seen := w.shown[name]
	w.shown[name] = now
	if seen && before.router == now.router && before.version == now.version && reflect.DeepEqual(before.links, now.links) && reflect.DeepEqual(before.light, now.light) {
		d.renew(sighting{plant: w.plant, routing: routing, light: now.light, of: w.looked[name]})
		return
	}
	d.see(&sighting{plant: w.plant, routing: routing, light: now.light, of: w.looked[name]})
}

// rest ends a round, and tells those who wait for it if there is nothing left to do.
func (w *world) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = false
	if len(w.touched) > 0 || w.altered {
		return
	}
	for _, c := range w.waiting {
		close(c)
	}
	w.waiting = nil
}

// settled returns a channel that is closed when all that has changed until now has been looked at.
func (w *world) settled() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := make(chan struct{})
	if len(w.devices) == 0 || len(w.touched) == 0 && !w.altered && !w.busy {
		close(c)
	} else {
		w.waiting = append(w.waiting, c)
		signal(w.hurry)
	}
	return c
}

// Settle waits until every device sees the state that follows from all configurations and outages as
// they are now. With live speakers this is not the end: sessions and routes take the time that they take.
func (s *Sim) Settle(ctx context.Context) error {
	select {
	case <-s.world.settled():
		return nil
	case <-s.world.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("sim: network has not settled: %w", ctx.Err())
	}
}
