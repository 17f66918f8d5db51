package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/loomfabric/loom/pkg/device"
	"github.com/spf13/cobra"
)

func trustCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "trust DEVICE [PATH...]",
		Short: "Show a device's certificate and pin it",
		Long: `Connects to a device, shows the SHA-256 fingerprint of the certificate it presents, and, once
you have compared it with what the device itself shows, prints the line to put into the
topology. Nothing is sent to the device, no credentials either.`,
		Example: "  loom trust leaf3 topologies/demo.yaml --inventory sim.json",
		Args:    needs(1, "a device"),
	}
	a := inventoryFlag(c)
	yes := c.Flags().Bool("yes", false, "do not ask")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		srcs, err := sources(args[1:])
		if err != nil {
			return err
		}
		n, err := compileNetwork(t, srcs, nil)
		if err != nil {
			return err
		}
		d := n.design.Device(args[0])
		if d == nil {
			return fmt.Errorf("%s: no such device in %s; `loom query devices` lists them", args[0], n.design.Name)
		}
		address, err := a.address(n, d.Name)
		if err != nil {
			return err
		}
		print, subject, err := device.FetchFingerprint(cmd.Context(), address)
		if err != nil {
			return prefixed(d.Name, err)
		}
		t.printf("%s at %s presents\n  subject      %s\n  fingerprint  %s\n", d.Name, address, subject, print)
		if d.Fingerprint == print {
			t.printf("It is the one that the topology pins.\n")
			return nil
		}
		if d.Fingerprint != "" {
			return fmt.Errorf("%s: the topology pins %s; the device was replaced, or somebody stands between", d.Name, d.Fingerprint)
		}
		if !*yes {
			if err := askTrust(cmd.Context(), t); err != nil {
				return err
			}
		}
		t.printf("\nPut this into the `override` of %s:\n  %d: {fingerprint: %q}\n", plurals[d.Role], d.Number, print)
		return nil
	}
	return c
}

func askTrust(ctx context.Context, t *terminal) error {
	if !t.ask {
		return errors.New("nobody to ask here; compare the fingerprint with the device's own and use --yes")
	}
	yes, err := t.confirm(ctx, "Is it the same on the device itself? Type yes: ", "yes")
	if err != nil || yes {
		return err
	}
	return errors.New("not trusted")
}

// address finds where a device is without needing a login.
func (a *access) address(n *network, name string) (string, error) {
	inv, err := a.read()
	if err != nil {
		return "", err
	}
	r := resolverOf(inv)
	t, err := r.target(n.design.Device(name))
	return t.Address, err
}
