package sim

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Boot says what a device comes back with. The zero value is its startup configuration in the same chassis.
type Boot struct {
	Source      Source
	Tree        *config.Tree // with Given: of the device's schema and release
	Release     string       // that it runs from then on, its configuration translated; "": the same
	Chassis     *Chassis     // another one, put in its place; nil: the same
	Certificate *Certificate // another one; nil: the same, whatever the chassis
}

// Source is which configuration a device boots. It is its startup configuration afterwards.
type Source uint8

// The sources.
const (
	Saved   Source = iota // startup
	Kept                  // the running one, as if it had been saved in time
	Former                // the startup configuration before the last one
	Factory               // none: what a new device has
	Given                 // Boot.Tree
)

// Chassis is a box that is put in place of another. What is empty follows from the device's name and the
// number of boots: labels that no other box has, of the same platform.
type Chassis struct {
	Platform string // that the driver knows
	Serial   string
	MAC      network.MAC
	Ports    []network.Jack // nil: the ones of the chassis before
}

// Reboot breaks all connections and boots the startup configuration. An open commit is gone.
func (d *Device) Reboot() {
	if err := d.RebootWith(Boot{}); err != nil {
		d.log.Error("reboot", "error", err)
	}
}

// RebootWith breaks all connections and boots something else. An open commit is gone. On an error the
// device goes on as it is.
func (d *Device) RebootWith(b Boot) error {
	d.power.Lock()
	defer d.power.Unlock()
	if d.retired {
		return nil
	}
	next, err := d.prepare(b)
	if err != nil {
		return fmt.Errorf("%s: boot: %w", d.spec.Name, err)
	}
	d.halt()
	d.boot(next)
	d.log.Info("rebooted")
	d.start()
	return nil
}

// incarnation is what a device is after a boot.
type incarnation struct {
	body        network.Hardware
	chassis     string
	image       *image
	certificate tls.Certificate
	source      Source
	given       configuration // with Factory and Given
}

// prepare finds out what a device will be, and whether it can. The caller holds power.
func (d *Device) prepare(b Boot) (incarnation, error) {
	next, err := d.rehouse(b.Chassis)
	if err != nil {
		return next, err
	}
	if next.certificate, err = d.recertify(b.Certificate); err != nil {
		return next, err
	}
	if next.image, err = d.imageOf(cmp.Or(b.Release, d.release())); err != nil {
		return next, err
	}
	next.source = b.Source
	switch b.Source {
	case Saved, Kept, Former:
		_, err = d.translate(d.chosen(b.Source), next.image.release)
	case Factory:
		next.given, err = d.factory(next.body.Platform, next.image.release)
	case Given:
		next.given, err = d.taken(b.Tree, next.image.release)
	default:
		err = fmt.Errorf("source %d is none of the known ones", b.Source)
	}
	return next, err
}

// taken returns a given configuration, if it is one for this device.
func (d *Device) taken(t *config.Tree, release string) (configuration, error) {
	if t == nil {
		return configuration{}, errors.New("no tree is given")
	}
	if t.Schema() != d.spec.Driver.Schema || t.Release() != release {
		return configuration{}, fmt.Errorf("the tree is for release %s, the device runs %s", t.Release(), release)
	}
	return configured(t, nil), nil
}

// chosen returns one of the configurations that the device has.
func (d *Device) chosen(from Source) configuration {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch from {
	case Kept:
		return d.running
	case Former:
		return d.former
	}
	return d.startup
}

// translate returns a configuration as another release reads it. What that does not know is kept as the factory
// configuration's is: served and saved, and without effect.
func (d *Device) translate(c configuration, release string) (configuration, error) {
	if c.tree().Release() == release {
		return c, nil
	}
	data, err := c.file()
	if err == nil {
		c, err = d.read(release, data)
	}
	if err != nil {
		return c, fmt.Errorf("release %s cannot read the configuration; boot factory, or another one: %w", release, err)
	}
	return c, nil
}

// rehouse returns the device in another chassis, or in the same where that is nil.
func (d *Device) rehouse(c *Chassis) (next incarnation, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	next.body, next.chassis = d.body, d.chassis
	if c == nil {
		return next, nil
	}
	if c.Platform != "" {
		next.body.Platform = c.Platform
		next.chassis, err = d.chassisType(c.Platform)
	}
	next.body.Serial, next.body.MAC = labels(d.spec.Name, int(d.boots)+1)
	if c.Serial != "" {
		next.body.Serial = c.Serial
	}
	if c.MAC != (network.MAC{}) {
		next.body.MAC = c.MAC
	}
	if c.Ports != nil {
		next.body.Ports = c.Ports
	}
	return next, err
}

// recertify returns the certificate that the device will show.
func (d *Device) recertify(c *Certificate) (tls.Certificate, error) {
	if c == nil {
		return *d.certificate.Load(), nil
	}
	cert, err := d.sim.authority.certify(*c, d.spec.Name, d.address)
	if err != nil {
		return cert, fmt.Errorf("certificate: %w", err)
	}
	return cert, nil
}

// boot makes the device another incarnation of itself. The caller holds power; nothing is served.
func (d *Device) boot(next incarnation) {
	d.certificate.Store(&next.certificate)
	d.limits.reset()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dropCommit()
	d.dropReboot()
	d.body, d.chassis = next.body, next.chassis
	d.image.Store(next.image)
	switch next.source {
	case Kept:
		d.keep(d.running)
	case Former:
		d.keep(d.former)
	case Factory, Given:
		d.keep(next.given)
	}
	if c, err := d.translate(d.startup, next.image.release); err == nil { // as it was a moment ago
		d.startup = c
	} else {
		d.log.Error("boot", "error", err)
		d.startup = configured(config.EmptyTree(d.spec.Driver.Schema, next.image.release), nil)
	}
	d.boots++
	d.bootedAt, d.shown = d.sim.config.Clock.Now(), nil
	d.run(d.startup)
}

// booted returns when the device booted last. The caller holds mu.
func (d *Device) booted() time.Time { return d.bootedAt }

// Boots returns how often the device has booted since the simulation started, its first boot left out.
func (d *Device) Boots() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.boots
}
