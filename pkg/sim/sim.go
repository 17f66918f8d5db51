package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"

	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/sim/light"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// Config says what to simulate.
type Config struct {
	Devices            []Spec
	Username, Password string          // that every RPC has to carry
	Log                *slog.Logger    // nil means none
	Clock              Clock           // nil means the host's
	Wiring             *network.Wiring // what is plugged into the devices; nil means nothing
	// Light is what joins coherent ports. A cable between two of them stands for a channel: it is up while both ends
	// understand each other.
	Light *light.Plant
	Noise uint64 // seed of the scatter in what is measured of light; 0: none
	// Routers stand in the network beside the devices. Nobody manages them: they have no configuration, and take no calls.
	Routers []*network.Router
	// Cabling reads what is to be plugged in from files that come later; nil: it stays as it is.
	Cabling func(files []File) (Cabling, error)
	// Platforms are the boxes that can take the place of a device, with their ports. Where nil, it is every one that the
	// device's driver knows, with the ports of the device before.
	Platforms map[string][]network.Jack
	// Speakers starts an engine for the devices of these names. Without it what BGP comes to is computed.
	Speakers func(devices []string, log *slog.Logger) (Engine, error)
}

// Spec is one device to simulate.
type Spec struct {
	Name, Platform string
	Release        string // "" means the newest of the driver's schema
	Driver         *driver.Driver
	Software       *Software      // nil: no state follows from its configuration
	Ports          []network.Jack // of its chassis
	Commits        Extension      // what it makes of the commit-confirmed extension
	// Address is where it listens. "" means the next free address of 127.47.0.0/16, on the driver's
	// port. Where the address is taken the device listens on another port; the inventory tells.
	Address string
}

// Sim is a set of running devices.
type Sim struct {
	config    Config
	authority *authority
	devices   []*Device
	byName    map[string]*Device
	next      int // number of the next loopback address to try
	world     *world
	faults    *book
}

// Start starts all devices, or none. They run until Close; ctx bounds only the start.
func Start(ctx context.Context, c Config) (*Sim, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = wallClock{}
	}
	a, err := newAuthority()
	if err != nil {
		return nil, fmt.Errorf("sim: authority: %w", err)
	}
	s := &Sim{config: c, authority: a, byName: map[string]*Device{}, world: newWorld(c), faults: newBook(c.Clock)}
	for _, spec := range c.Devices {
		err := ctx.Err()
		if err == nil {
			err = s.add(spec)
		}
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("sim: %s: %w", spec.Name, err)
		}
	}
	if err := s.world.begin(s.devices); err != nil {
		s.Close()
		return nil, fmt.Errorf("sim: %w", err)
	}
	return s, nil
}

// add boots one device.
func (s *Sim) add(spec Spec) error {
	if s.byName[spec.Name] != nil {
		return errors.New("two devices have this name")
	}
	d, err := newDevice(s, spec)
	if err != nil {
		return err
	}
	listener, err := s.listen(spec)
	if err != nil {
		return err
	}
	d.address = listener.Addr().String()
	certificate, err := s.authority.certify(Certificate{}, spec.Name, d.address)
	if err != nil {
		listener.Close()
		return err
	}
	d.certificate.Store(&certificate)
	d.fingerprint = fingerprint(certificate)
	d.gate = newGate(listener)
	d.start()
	s.devices, s.byName[spec.Name] = append(s.devices, d), d
	return nil
}

// Loopback addresses are taken from 127.47.0.1 up: Linux answers on all of 127.0.0.0/8.
const loopbacks = 256 * 254

// loopback returns the n-th address of 127.47.0.0/16, leaving out .0 and .255.
func loopback(n int) string { return fmt.Sprintf("127.47.%d.%d", n/254, n%254+1) }

// listen opens the socket of a device.
func (s *Sim) listen(spec Spec) (net.Listener, error) {
	if spec.Address != "" {
		return listenNear(spec.Address)
	}
	port := strconv.Itoa(spec.Driver.Manners.Port)
	for s.next < loopbacks {
		addr := loopback(s.next)
		s.next++
		l, err := net.Listen("tcp", net.JoinHostPort(addr, port))
		if err == nil {
			return l, nil
		}
		if l, err = net.Listen("tcp", net.JoinHostPort(addr, "0")); err != nil {
			break // no such address on this host: only Linux has the whole block
		}
		l.Close()
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// listenNear listens on an address, or on another port of its host where it is taken.
func listenNear(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l, nil
	}
	host, _, splitErr := net.SplitHostPort(address)
	if splitErr != nil {
		return nil, err
	}
	return net.Listen("tcp", net.JoinHostPort(host, "0"))
}

// Inventory returns where the devices are and how they are trusted, in the order of the specs.
func (s *Sim) Inventory() device.Inventory {
	inv := device.Inventory{CA: s.authority.pem(), Username: s.config.Username, Password: s.config.Password, Simulation: s.faults.control()}
	for _, d := range s.devices {
		inv.Devices = append(inv.Devices, device.InventoryEntry{
			Name: d.spec.Name, Address: d.address, Fingerprint: d.fingerprint,
			OS: d.spec.Driver.OS, Release: d.spec.Release, Platform: d.spec.Platform,
		})
	}
	return inv
}

// Device returns a device by its name, nil where there is none.
func (s *Sim) Device(name string) *Device { return s.byName[name] }

// Devices returns all devices in the order of the specs.
func (s *Sim) Devices() []*Device { return s.devices }

// Close ends all devices and waits until their servers are gone.
func (s *Sim) Close() {
	s.endFaults()
	s.world.end()
	for _, d := range s.devices {
		d.retire()
	}
}
