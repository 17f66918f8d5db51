package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"slices"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/sim"
	plant "github.com/loomfabric/loom/pkg/sim/network"
	"github.com/loomfabric/loom/pkg/sim/ocsim"
	"github.com/loomfabric/loom/pkg/sim/speaker"
	"github.com/loomfabric/loom/pkg/sim/srlsim"
	"github.com/loomfabric/loom/pkg/sim/srossim"
	"github.com/loomfabric/loom/pkg/srlinux"
	"github.com/loomfabric/loom/pkg/sros"
	"github.com/loomfabric/loom/pkg/transponder"
	"github.com/spf13/cobra"
)

func simCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "sim [PATH...]",
		Short: "Simulate every device of a topology",
		Long: `Starts every device of a topology as a gNMI server with TLS on a loopback address of its own,
as it comes from the factory, cabled as the topology says and with servers at its access ports, and
prints the inventory that plan, apply, backup and sim fault take with --inventory. It needs no
rights and no images, and runs until interrupted.

What the devices show follows from what they are configured to do: links, LLDP, BGP by real speakers,
EVPN routes, MAC and route tables. docs/simulator.md says what they do and what they do not.`,
		Example: `  loom sim topologies/demo.yaml -o sim.json &
  loom sim wait --inventory sim.json
  loom apply topologies/demo.yaml --inventory sim.json --yes
  loom sim fault add cut leaf1:ethernet-1/49 --inventory sim.json`,
		ValidArgsFunction: yamlFiles,
	}
	out := c.Flags().StringP("output", "o", "", "write the inventory to `FILE` instead of standard output")
	journal := c.Flags().String("journal", "", "write every Set that a device gets, and every fault, to `FILE` as lines of JSON")
	o := simulationFlags(c)
	releases := releaseFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		srcs, err := sources(args)
		if err != nil {
			return err
		}
		saveMemory()
		o.releases = *releases
		n, err := designNetwork(t, srcs, o.releases)
		if err != nil {
			return err
		}
		log := slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
		s, err := o.startLogged(cmd.Context(), n.design, log)
		if err != nil {
			return err
		}
		end, err := keepJournal(t, s, *journal)
		if err != nil {
			s.Close()
			return err
		}
		defer end()
		defer s.Close()
		if err := writeInventory(t, s, *out); err != nil {
			return err
		}
		t.notef("%s: %s simulated, BGP %s; interrupt to end\n", n.design.Name, sizes(len(n.design.Devices), "device"), o.way(n.design))
		keepSmall(cmd.Context(), s)
		return nil
	}
	c.AddCommand(simWaitCommand(t), simFaultCommand(t), simSaveCommand(t), simAcceptCommand(t), simCableCommand(t))
	return c
}

// software is how each operating system behaves in the simulation.
var software = map[string]*sim.Software{srlinux.OS: srlsim.Software(), sros.OS: srossim.Software(), transponder.OS: ocsim.Software()}

// How the BGP of a simulation is run: by speakers over TCP, or computed.
const (
	bgpAuto     = "auto" // live up to liveLimit devices
	bgpLive     = "live"
	bgpComputed = "computed"
)

// liveLimit is how many devices run BGP for real unless the user asks for more.
const liveLimit = 64

// simulation says how to simulate a design.
type simulation struct {
	bgp      string
	hosts    int // servers to make up for one leaf
	noise    uint64
	releases map[string]string // that override those of topologies
	commits  string            // what devices make of the commit-confirmed extension that may have it or not
}

// commits are the words for what a device makes of the commit-confirmed extension.
var commits = map[string]sim.Extension{"refused": sim.AsReleased, "honoured": sim.Honoured, "ignored": sim.Ignored}

// simulationFlags are the flags of commands that simulate.
func simulationFlags(c *cobra.Command) *simulation {
	o := &simulation{}
	c.Flags().StringVar(&o.bgp, "bgp", bgpAuto, "how BGP is run, `live|computed|auto`: by speakers over TCP, or computed; auto is live up to 64 devices")
	c.Flags().Uint64Var(&o.noise, "noise", 0, "let what is measured of light scatter, by the seed `N`; 0: it does not")
	c.Flags().StringVar(&o.commits, "commit-confirmed", "refused", "what SR OS makes of confirm timers, which nothing published tells, `refused|honoured|ignored`")
	c.Flags().IntVar(&o.hosts, "hosts", defaultHosts, "make up at most `N` servers for the access ports of a leaf")
	return o
}

// defaultHosts is how many servers are made up for one leaf.
const defaultHosts = 8

// start starts all devices of a design with a password made up for this run.
func (o simulation) start(ctx context.Context, design *fabric.Design) (*sim.Sim, error) {
	return o.startLogged(ctx, design, nil)
}

// startLogged is start, with a log of what is not as the devices have it configured.
func (o simulation) startLogged(ctx context.Context, design *fabric.Design, log *slog.Logger) (*sim.Sim, error) {
	if !slices.Contains([]string{bgpAuto, bgpLive, bgpComputed}, o.bgp) {
		return nil, fmt.Errorf("--bgp %s: use live, computed or auto", o.bgp)
	}
	if _, ok := commits[o.commits]; o.commits != "" && !ok {
		return nil, fmt.Errorf("--commit-confirmed %s: use refused, honoured or ignored", o.commits)
	}
	s, err := sim.Start(ctx, o.config(design, log))
	if err != nil {
		return nil, err
	}
	if err := s.ServeControl(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// config says what to simulate of a design.
func (o simulation) config(design *fabric.Design, log *slog.Logger) sim.Config {
	plugged := o.cabling(design)
	c := sim.Config{Log: log, Username: "admin", Password: newPassword(), Wiring: plugged.Wiring, Light: plugged.Light, Noise: o.noise, Cabling: o.read, Routers: externals(design), Platforms: map[string][]plant.Jack{}}
	for _, name := range hardware.Names() {
		if p, ok := hardware.Lookup(name); ok {
			c.Platforms[name] = jacks(p)
		}
	}
	for _, d := range design.Devices {
		spec := sim.Spec{
			Name: d.Name, Platform: d.Platform.Name, Release: d.Release, Driver: drivers[d.OS], Software: software[d.OS], Ports: c.Platforms[d.Platform.Name], // shared
		}
		if spec.Driver.Manners.Ask {
			spec.Commits = commits[o.commits]
		}
		c.Devices = append(c.Devices, spec)
	}
	if o.way(design) == bgpLive {
		c.Speakers = func(devices []string, log *slog.Logger) (sim.Engine, error) { return speaker.Start(devices, log) }
	}
	return c
}

// jacks returns the ports of a platform as the simulation has them.
func jacks(p *hardware.Platform) []plant.Jack {
	out := make([]plant.Jack, len(p.Ports))
	for i, port := range p.Ports {
		out[i] = plant.Jack{Name: port.Name, Speed: port.Speeds[0]}
	}
	return out
}

// way returns how BGP is run for a design.
func (o simulation) way(design *fabric.Design) string {
	if o.bgp == bgpAuto && len(design.Devices) <= liveLimit {
		return bgpLive
	} else if o.bgp == bgpAuto {
		return bgpComputed
	}
	return o.bgp
}

func newPassword() string {
	var b [12]byte
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func writeInventory(t *terminal, s *sim.Sim, file string) error {
	data := append(s.Inventory().JSON(), '\n')
	if file != "" {
		return writePrivate(file, data)
	}
	_, err := t.out.Write(data)
	return err
}
