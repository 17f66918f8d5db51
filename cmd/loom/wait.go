package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/sim/simapi"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// waitEvery is the time between two looks of a command that waits.
const waitEvery = 100 * time.Millisecond

// waitFlag is how long a command waits for what it shows to be so; 0: not at all.
func waitFlag(c *cobra.Command, forWhat string) *time.Duration {
	return c.Flags().Duration("wait", 0, "wait so long for "+forWhat+"; exit code 1 if that does not come")
}

// notYet is why something that is waited for is not there.
type notYet struct{ error }

// Unwrap returns the reason.
func (n notYet) Unwrap() error { return n.error }

// within tries until it is there, or something else is wrong. When the time is over it says what was wanting.
func within(ctx context.Context, limit time.Duration, try func(context.Context) error) error {
	attempt, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(waitEvery)
	defer tick.Stop()
	var wanting error
	for {
		err := try(attempt)
		switch {
		case errors.As(err, new(notYet)):
			wanting = err
		case !errors.Is(err, context.DeadlineExceeded): // the time was over while it was tried
			return err
		}
		select {
		case <-tick.C:
		case <-attempt.Done():
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case attempt.Err() != nil:
			return fmt.Errorf("not within %s: %w", limit, cmp.Or(wanting, err))
		}
	}
}

// waited reads until it is enough, or once where there is no limit.
func (c *client) waited(ctx context.Context, limit time.Duration, read func(context.Context) error, enough func() error) error {
	if limit == 0 {
		return read(ctx)
	}
	return within(ctx, limit, func(ctx context.Context) error {
		if err := read(ctx); err != nil {
			return c.soonThere(err)
		}
		return enough()
	})
}

// soonThere marks what a controller says of a topology that it has not taken into care yet.
func (c *client) soonThere(err error) error {
	switch status.Code(err) {
	case codes.FailedPrecondition:
		return notYet{c.failed(err)}
	case codes.DeadlineExceeded:
		return context.DeadlineExceeded
	}
	return c.failed(err)
}

// inSync says which device is not in sync.
func inSync(all []*api.ManagedDevice) error {
	var not []string
	for _, d := range all {
		if d.GetStatus() != api.DeviceStatus_DEVICE_STATUS_IN_SYNC {
			not = append(not, d.GetName()+" is "+statusWord(d.GetStatus()))
		}
	}
	switch {
	case len(all) == 0:
		return notYet{errors.New("the controller has no device; put a topology with loom intent put")}
	case len(not) > 0:
		return notYet{fmt.Errorf("%s; loom devices says why", list(not))}
	}
	return nil
}

// atMostFlag is how long a command waits that is there to wait.
func atMostFlag(c *cobra.Command) *time.Duration {
	return c.Flags().Duration("for", time.Minute, "wait so long, and then end with exit code 1")
}

func contextWait(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "wait [NAME]", Short: "Wait until a controller answers", Args: cobra.MaximumNArgs(1),
		Long: `Waits until the controller of a context answers: after loom serve was started in the background, or on another machine.
Without a name it is the current context, which the first start of loom serve makes.`,
		Example: "  loom serve --data state &\n  loom context wait",
	}
	limit := atMostFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		name := currentContext
		if len(args) == 1 {
			name = args[0]
		}
		var at string
		err := within(cmd.Context(), *limit, func(ctx context.Context) error {
			there, err := reach(name) // anew each time: a start of the controller may write another address
			if err != nil {
				return notYet{err}
			}
			defer there.Close()
			if _, err := grpc_health_v1.NewHealthClient(there).Check(ctx, &grpc_health_v1.HealthCheckRequest{}); err != nil {
				return notYet{there.failed(err)}
			}
			at = fmt.Sprintf("context %s: the controller at %s answers", there.context.Name, there.context.Server)
			return nil
		})
		if err == nil {
			t.printf("%s\n", at)
		}
		return err
	}
	return c
}

// simWaitCommand is `loom sim wait`: for a simulation in the background.
func simWaitCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "wait", Short: "Wait until a simulation has started", Args: noArguments,
		Long: `Waits until the inventory that loom sim writes with -o is there, and the simulation that it is of answers: after loom sim was
started in the background.`,
		Example: "  loom sim topologies/demo.yaml -o sim.json &\n  loom sim wait --inventory sim.json",
	}
	a, limit := inventoryFlag(c), atMostFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if a.inventory == "" {
			return errors.New("which simulation? name with --inventory the file that loom sim writes with -o")
		}
		return within(cmd.Context(), *limit, func(ctx context.Context) error {
			err := a.control(func(s *simapi.Client) error {
				m, err := s.ListDevices(ctx, &simapi.ListDevicesRequest{})
				if err == nil {
					t.printf("%s: %s simulated\n", a.inventory, sizes(len(m.GetDevices()), "device"))
				}
				return err
			})
			if err != nil {
				return notYet{err}
			}
			return nil
		})
	}
	return c
}
