package main

import (
	"github.com/loomfabric/loom/pkg/sim/simapi"
	"github.com/spf13/cobra"
)

// simSaveCommand is `loom sim save`: an operator at the box saves.
func simSaveCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "save DEVICE...",
		Short: "Save the running configuration of simulated devices",
		Long: `Makes the running configuration of devices the one that they boot, as "tools system configuration save"
does on SR Linux. It is refused while a commit waits for its confirmation.`,
		Example: "  loom sim save leaf1 --inventory sim.json",
		Args:    needs(1, "a device"),
	}
	a := inventoryFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.control(func(s *simapi.Client) error {
			for _, device := range args {
				if _, err := s.Save(cmd.Context(), &simapi.SaveRequest{Device: device}); err != nil {
					return err
				}
				t.printf("%s saved\n", device)
			}
			return nil
		})
	}
	return c
}

// simAcceptCommand is `loom sim accept`: an operator at the box confirms a commit.
func simAcceptCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "accept DEVICE...",
		Short: "Confirm the open commits of simulated devices at the box",
		Long: `Confirms the commit that waits for its confirmation on each of some devices, whoever opened it, as
"tools system configuration confirmed-accept" does on SR Linux.`,
		Example: "  loom sim accept leaf1 --inventory sim.json",
		Args:    needs(1, "a device"),
	}
	a := inventoryFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.control(func(s *simapi.Client) error {
			for _, device := range args {
				resp, err := s.Accept(cmd.Context(), &simapi.AcceptRequest{Device: device})
				if err != nil {
					return err
				}
				t.printf("%s: commit %s accepted\n", device, resp.GetCommit())
			}
			return nil
		})
	}
	return c
}
