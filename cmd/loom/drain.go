package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func drainCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "drain DEVICE... PATH...",
		Short: "Move traffic away from devices before somebody works on them",
		Long: `Makes all that a device announces the last choice of its neighbors (a longer AS path, inside an AS
local preference 0, and GRACEFUL_SHUTDOWN, RFC 8326), and takes its ports of ethernet segments down, so that servers
use their other leaf. What hangs on the device alone stays connected. Nothing else on it changes, whatever
the topology asks for by now.

It is a transaction like that of loom apply: shown, asked for, and taken back where something goes wrong.
Shown is also what is left: the uplinks of leaves, the other ends of ethernet segments, and what has no other way.
To drain the last way of something has to be approved by its class of risks.

The drain is kept in the store and part of the intent: loom plan, loom apply and loom check expect it until
loom undrain, or until the time of --for has passed; from then on the next loom apply or loom undrain ends it.

A DEVICE is a name or a selector as --limit takes it; whatever is a file or a directory is a PATH. With --server the
controller does it, and what comes last is the name of a topology that it takes care of.

Exit code: 0 done, 1 error before any change, 3 rolled back, 4 ended in a named mixed state.`,
		Example: `  loom drain spine1 topologies/demo.yaml --inventory sim.json --for 2h --why "new line card"
  loom drain leaf3 topologies/demo.yaml --yes
  loom drain spine1 demo --server --for 2h`,
		ValidArgsFunction: yamlFiles,
	}
	o := pushFlags(c)
	o.releases = releaseFlag(c)
	server := serverFlag(c)
	span := c.Flags().Duration("for", 0, "`TIME` after which the drain is over (default: until loom undrain)")
	why := c.Flags().String("why", "", "`TEXT` that plans show with the drain")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if *span < 0 {
			return fmt.Errorf("--for %s: use a time such as 2h", *span)
		}
		return o.drain(cmd, t, args, *server, &drainRequest{span: *span, why: *why})
	}
	return c
}

func undrainCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "undrain DEVICE... PATH...",
		Short: "Let drained devices carry traffic again",
		Long: `Ends the drain of devices, by a transaction like that of loom apply: it is taken back where they do not
come back. Nothing else on them changes; what the topology asks for by now is named, and waits for loom apply.
With --server the controller does it, and what comes last is the name of a topology that it takes care of.

Exit code: 0 done, 1 error before any change, 3 rolled back, 4 ended in a named mixed state.`,
		Example:           `  loom undrain spine1 topologies/demo.yaml --inventory sim.json`,
		ValidArgsFunction: yamlFiles,
	}
	o := pushFlags(c)
	o.releases = releaseFlag(c)
	server := serverFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return o.drain(cmd, t, args, *server, &drainRequest{undrain: true})
	}
	return c
}

// drain carries a request out.
func (o *applyOptions) drain(cmd *cobra.Command, t *terminal, args []string, server string, q *drainRequest) error {
	if err := errors.Join(o.check(), o.how.check(), o.gates.validate(), o.checkApproval(t)); err != nil {
		return err
	}
	if server != "" {
		return o.drainThere(cmd, t, server, args, q)
	}
	selectors, paths := apart(args)
	if len(selectors) == 0 || len(paths) == 0 {
		return fmt.Errorf("%s: name devices and topology files; . means this directory", cmd.Name())
	}
	srcs, err := sources(paths)
	if err != nil {
		return err
	}
	n, err := compileNetwork(t, srcs, *o.releases)
	if err != nil {
		return err
	}
	if q.devices, _, err = selectBy(n.design, cmd.Name(), strings.Join(selectors, ",")); err != nil {
		return err
	}
	limit := strings.Join(q.devices, ",")
	o.limit, o.drains = &limit, q
	q.by, _, _ = strings.Cut(whoAmI(), " ")
	return n.apply(cmd.Context(), t, o, dataDir(srcs))
}

// apart tells devices from topology files.
func apart(args []string) (devices, paths []string) {
	for _, arg := range args {
		_, err := os.Stat(arg)
		if err == nil || strings.ContainsRune(arg, filepath.Separator) || filepath.Ext(arg) != "" {
			paths = append(paths, arg)
		} else {
			devices = append(devices, arg)
		}
	}
	return devices, paths
}
