package srossim

import (
	"errors"
	"fmt"
	"slices"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/network"
)

// wellKnownPort is where clients look for the server (/configure/system/grpc/listening-port).
const wellKnownPort = 57400

// server says how the gRPC server is to be. How many clients it takes is not configured: see the manners of its driver.
func server(running *config.Tree) sim.Server {
	grpc := func(id config.ID) bool { return enabled(running.Root(), id) }
	root := running.Root()
	return sim.Server{
		Door: sim.Door{
			Shut:   !grpc(sros.ConfigureSystemGrpcAdminState) || number(root, sros.ConfigureSystemGrpcListeningPort) != wellKnownPort,
			Plain:  has(root, sros.ConfigureSystemGrpcAllowUnsecureConnection),
			NoGNMI: !grpc(sros.ConfigureSystemGrpcGnmiAdminState),
			NoGNOI: !grpc(sros.ConfigureSystemGrpcGnoiSystemAdminState) && !grpc(sros.ConfigureSystemGrpcGnoiFileAdminState),
		},
	}
}

// limits are the values of leaves that a platform has, where these are fewer than the models'.
func limits(h network.Hardware, leaf config.Cursor) (r config.Range, ok bool) {
	if box, known := hardware.Lookup(h.Platform); known && leaf.ID() == sros.ConfigurePortEthernetMtu {
		return config.Range{Min: 512, Max: int64(box.PortMTU)}, true
	}
	return r, false
}

// refuses is what the router does not take of a configuration that fits the models: cards that no slot has, and channels of connectors
// that are not broken out into so many.
func refuses(h network.Hardware, running *config.Tree) error {
	box, known := hardware.Lookup(h.Platform)
	if !known {
		return nil
	}
	var errs []error
	say := func(at config.Cursor, format string, args ...any) {
		errs = append(errs, &config.ValueError{Path: at.Path(), Value: at.Value(), Err: fmt.Errorf(format, args...)})
	}
	for card := range entries(running.Root(), sros.ConfigureCard) {
		if !slices.ContainsFunc(box.Cards, func(c hardware.Card) bool { return decimal(c.Slot) == key(card) }) {
			say(card, "%s has no slot %s", box.Name, key(card))
		}
	}
	list := at(running.Root(), sros.ConfigurePort)
	for port := range list.Children() {
		connector, n, channel := split(key(port))
		if !channel {
			if coherent := at(port, isCoherent); yes(port, isCoherent) && (box.Coherent == nil || !slices.Contains(box.Coherent.Ports, key(port))) {
				say(coherent, "%s takes no digital coherent optics at %s", box.Name, key(port))
			}
			continue
		}
		if made, _ := breakout(text(list.Entry(connector), sros.ConfigurePortConnectorBreakout)); n > made {
			say(port, "%s is broken out into %d channels", connector, made)
		}
	}
	return errors.Join(errs...)
}
