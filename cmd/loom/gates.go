package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/verify"
	"github.com/spf13/cobra"
)

// gating is what has to hold behind every wave, as flags say it.
type gating struct {
	within   time.Duration // 0: the network is not looked at
	rest     time.Duration
	moving   time.Duration // after a drain, before the change
	settling time.Duration // behind each stage of a change of light
	checks   []string      // commands of the user

	tell func(gateWait) // what is waited for; may be nil
}

// Defaults of the gate: a network that needs longer than the first is not at rest, and one that is at
// rest for the second has noticed what was done to it (BFD and a closed TCP connection take less).
const (
	defaultGate = time.Minute
	defaultRest = time.Second
	// Routes take a few seconds through a fabric: BGP speakers pace what they announce (RFC 4271 §9.2.1.1).
	defaultMoving = 5 * time.Second
	// defaultSettling is enough for a laser that is warm and for amplifiers; the gate waits for what takes longer.
	defaultSettling = 5 * time.Second
)

func gateFlags(c *cobra.Command) *gating {
	g := &gating{}
	c.Flags().DurationVar(&g.within, "gate", defaultGate, "`TIME` in which the network has to come to rest behind a wave, without findings that were not there before; 0 does not look")
	c.Flags().DurationVar(&g.rest, "rest", defaultRest, "`TIME` for which it has to stay at rest")
	c.Flags().DurationVar(&g.settling, "light-wait", defaultSettling, "`TIME` for lasers to tune and amplifiers to settle behind each stage of a change of light")
	c.Flags().DurationVar(&g.moving, "drain-wait", defaultMoving, "`TIME` for traffic to move away from a drained device before it changes")
	c.Flags().StringArrayVar(&g.checks, "check", nil, "`COMMAND` to run behind every wave; if it fails, everything is taken back (may be given more than once)")
	return g
}

func (g *gating) validate() error {
	if g == nil {
		return nil
	}
	if g.within < 0 || g.rest < 0 || g.moving < 0 || g.settling < 0 {
		return errors.New("--gate, --rest, --drain-wait and --light-wait: use times such as 30s, or 0")
	}
	return nil
}

// between looks at the devices of a plan before anything is changed, and returns what has to hold behind
// each wave: the devices that have changed, and their neighbors, show nothing wrong that was not
// wrong before, and the user's commands agree.
//
// The second gate is behind the undrain of devices for which others wait: they are whole again. Between drain
// and undrain their ends of ethernet segments are down on purpose.
func (g *gating) between(ctx context.Context, n *network, r *resolver, p *plan.Plan, id string) (pass, back func(context.Context, []string) error) {
	if g == nil || g.within == 0 && len(g.checks) == 0 {
		return nil, nil
	}
	waiting, names := map[string]bool{}, []string{}
	for _, name := range p.Skipped {
		waiting[name] = true
	}
	for _, o := range p.LeftOut {
		waiting[o.Device] = true
	}
	for i := range p.Devices {
		waiting[p.Devices[i].Name] = true
		names = append(names, p.Devices[i].Name)
	}
	var network *gate
	if g.within > 0 {
		network = n.gate(ctx, newObserver(n, r, min(g.within, lookAtOne)), names, asked(p))
		network.within, network.soak, network.tell = g.within, g.rest, g.tell
	}
	pass = func(ctx context.Context, devices []string) error {
		wave := waveOf(p, devices) // passed once more after a soak
		for _, name := range devices {
			delete(waiting, name)
			if d := p.Device(name); network != nil && d != nil && d.Drain != nil {
				network.drained[name] = true
			}
		}
		if network != nil {
			if err := network.pass(ctx, devices, func(name string) bool { return waiting[name] }); err != nil {
				return fmt.Errorf("after wave %d: %w", wave, err)
			}
		}
		for _, command := range g.checks {
			if err := g.run(ctx, command, id, wave, devices); err != nil {
				return fmt.Errorf("after wave %d: check %q: %w", wave, command, err)
			}
		}
		return nil
	}
	back = func(ctx context.Context, devices []string) error {
		if network == nil {
			return nil
		}
		network.drained = n.drained()
		if err := network.pass(ctx, devices, func(name string) bool { return waiting[name] }); err != nil {
			return fmt.Errorf("with traffic back behind wave %d: %w", waveOf(p, devices), err)
		}
		return nil
	}
	return pass, back
}

// asked is what the devices of a plan are to show when it is carried out.
func asked(p *plan.Plan) map[string]verify.Device {
	out := map[string]verify.Device{}
	for _, d := range slices.Concat(p.Devices, p.Steady) {
		out[d.Name] = drivers[d.OS].Asks(d.After)
	}
	return out
}

// waveOf is which wave of a plan some devices are, from 1.
func waveOf(p *plan.Plan, devices []string) int {
	return 1 + slices.IndexFunc(p.Waves, func(wave []string) bool { return slices.Equal(wave, devices) })
}

// moves is how long traffic may take to leave a drained device.
func (g *gating) moves() time.Duration {
	if g == nil {
		return defaultMoving
	}
	return g.moving
}

// settles is how long light may take to settle behind a stage.
func (g *gating) settles() time.Duration {
	if g == nil {
		return defaultSettling
	}
	return g.settling
}

// lookAtOne is how long one device may take to show what it has.
const lookAtOne = 10 * time.Second

// run runs a user's command behind a wave.
func (g *gating) run(ctx context.Context, command, id string, wave int, devices []string) error {
	if g.tell != nil {
		g.tell(gateWait{check: command})
	}
	limit := g.within
	if limit == 0 {
		limit = defaultGate
	}
	u := userCheck{command: command, limit: limit, moment: checkMoment, env: []string{
		"LOOM_TRANSACTION=" + id, fmt.Sprintf("LOOM_WAVE=%d", wave), "LOOM_DEVICES=" + strings.Join(devices, " ")}}
	return u.run(ctx)
}
