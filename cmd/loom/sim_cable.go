package main

import (
	"io"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simapi"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/spf13/cobra"
)

// simCableCommand is `loom sim cable`: a technician plugs what a changed topology says.
func simCableCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "cable PATH...",
		Short: "Plug a running simulation as a topology says",
		Long: `Builds lines, pulls and plugs cables, patch cords and servers of a running simulation until they are as
topology files say, as a technician does, and says each thing that it did. Devices keep their
configurations. Those that are new in the files need a restart of the simulation, which is said; so do
those that are another platform there. Those that the files do not have run on with nothing plugged in.`,
		Example:           "  loom sim cable topologies/twin.yaml --inventory sim.json",
		Args:              needs(1, "topology files"),
		ValidArgsFunction: yamlFiles,
	}
	a := inventoryFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		srcs, err := sources(args)
		if err != nil {
			return err
		}
		req := &simapi.CableRequest{}
		for _, s := range srcs {
			req.Files = append(req.Files, &simapi.File{Name: s.Name, Content: s.Data})
		}
		return a.control(func(s *simapi.Client) error {
			done, err := s.Cable(cmd.Context(), req)
			if err == nil {
				printCabled(t, done)
			}
			return err
		})
	}
	return c
}

func printCabled(t *terminal, done *simapi.CableResponse) {
	changes := 0
	for _, part := range []struct {
		verb  string
		names []string
	}{{"pulled", done.GetPulled()}, {"removed", done.GetRemoved()}, {"built", done.GetBuilt()}, {"plugged", done.GetPlugged()}} {
		for _, name := range part.names {
			t.printf("%-8s %s\n", part.verb, name)
			changes++
		}
	}
	if changes == 0 {
		t.printf("everything is plugged as the topology says\n")
	}
	for _, name := range done.GetAbsent() {
		t.notef("%s: is not simulated; start the simulation again to have it\n", name)
	}
	for _, name := range done.GetIdle() {
		t.notef("%s: is not in the topology; it runs on, with nothing plugged in\n", name)
	}
}

// cabling is what is plugged in by a design. A simulation that runs is plugged so by sim.Cable.
func (o simulation) cabling(design *fabric.Design) sim.Cabling {
	c := sim.Cabling{Wiring: wiring(design, o.hosts), Light: lightPlant(design), Platforms: map[string]string{}}
	for _, d := range design.Devices {
		c.Platforms[d.Name] = d.Platform.Name
	}
	return c
}

// read reads a cabling from topology files.
func (o simulation) read(files []sim.File) (sim.Cabling, error) {
	var srcs []topology.Source
	for _, f := range files {
		srcs = append(srcs, topology.Source{Name: f.Name, Data: f.Content})
	}
	n, err := designNetwork(&terminal{out: io.Discard, err: io.Discard}, srcs, o.releases)
	if err != nil {
		return sim.Cabling{}, err
	}
	return o.cabling(n.design), nil
}
