package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"slices"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/sim"
	plant "github.com/loomfabric/loom/pkg/sim/network"
	"github.com/loomfabric/loom/pkg/sim/speaker"
	"github.com/loomfabric/loom/pkg/sim/srlsim"
	"github.com/spf13/cobra"
)

func simCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "sim [PATH...]",
		Short: "Simulate every device of a topology",
		Long: `Starts every device of a topology as a gNMI server with TLS on a loopback address of its own,
as it comes from the factory, and prints the inventory that plan, apply and backup take with
--inventory. It needs no rights and no images, and runs until interrupted.`,
		Example: `  loom sim topologies/demo.yaml -o sim.json &
  loom apply topologies/demo.yaml --inventory sim.json --yes`,
		ValidArgsFunction: yamlFiles,
	}
	out := c.Flags().StringP("output", "o", "", "write the inventory to `FILE` instead of standard output")
	var o simulation
	c.Flags().StringVar(&o.bgp, "bgp", bgpAuto, "how BGP is run: live speakers over TCP, computed, or auto: `live|computed|auto`, live up to 64 devices")
	c.Flags().IntVar(&o.hosts, "hosts", defaultHosts, "make up at most `N` servers for the access ports of a leaf")
	releases := releaseFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		srcs, err := sources(args)
		if err != nil {
			return err
		}
		n, err := compileNetwork(t, srcs, *releases)
		if err != nil {
			return err
		}
		if !slices.Contains([]string{bgpAuto, bgpLive, bgpComputed}, o.bgp) {
			return fmt.Errorf("--bgp %s: use live, computed or auto", o.bgp)
		}
		s, err := o.start(cmd.Context(), n.design)
		if err != nil {
			return err
		}
		defer s.Close()
		if err := writeInventory(t, s, *out); err != nil {
			return err
		}
		t.notef("%s: %s simulated; interrupt to end\n", n.design.Name, sizes(len(n.design.Devices), "device"))
		<-cmd.Context().Done()
		return nil
	}
	return c
}

// software is how each operating system behaves in the simulation.
var software = map[string]*sim.Software{"srlinux": srlsim.Software()}

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
	bgp   string
	hosts int // servers to make up for one leaf
}

// defaultHosts is how many servers are made up for one leaf.
const defaultHosts = 8

// start starts all devices of a design with a password made up for this run.
func (o simulation) start(ctx context.Context, design *fabric.Design) (*sim.Sim, error) {
	c := sim.Config{Username: "admin", Password: newPassword(), Wiring: wiring(design, o.hosts)}
	for _, d := range design.Devices {
		spec := sim.Spec{Name: d.Name, Platform: d.Platform.Name, Release: d.Release, Driver: drivers[d.OS], Software: software[d.OS]}
		for _, p := range d.Platform.Ports {
			spec.Ports = append(spec.Ports, plant.Jack{Name: p.Name, Speed: p.Speeds[0]})
		}
		c.Devices = append(c.Devices, spec)
	}
	if o.bgp == bgpLive || o.bgp == bgpAuto && len(c.Devices) <= liveLimit {
		c.Speakers = func(devices []string, log *slog.Logger) (sim.Engine, error) { return speaker.Start(devices, log) }
	}
	return sim.Start(ctx, c)
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
