package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/verify"
)

// lightSteps are the steps of a network that has lines between its sites.
func (d *demo) lightSteps() []demoStep {
	return []demoStep{
		{"Every channel is lit, and has the margin that was planned", d.seeLight},
		{"A duct is cut: one cause, and all that goes with it", d.cutDuct},
		{"How to get around, as an ordinary plan", d.getAround},
		{"Cords are moved, and the plan is applied: the channels are lit again", d.goAround},
		{"The fibres are mended: back to what was designed", d.mendDuct},
	}
}

// seeLight waits until no device shows anything that is not as designed, and compares margins with the plan.
func (d *demo) seeLight(ctx context.Context) error {
	var seen verify.Observed
	if err := d.looking(ctx, func(o verify.Observed, roots []verify.Group) string {
		seen = o
		if len(roots) > 0 {
			return roots[0].Message
		}
		return ""
	}); err != nil {
		return err
	}
	margins := verify.NewIndex(d.after.design).Margins(seen)
	rows := d.table()
	for i := range d.after.design.Channels {
		c := &d.after.design.Channels[i]
		planned, err := d.after.design.Margins(c)
		if err != nil {
			return err
		}
		has, ok := margins[c.Name]
		if !ok {
			return fmt.Errorf("%s shows no margin", c.Name)
		}
		asSet := planned[0].Arrival.AsSet()
		fmt.Fprintf(rows, "   %s\t%s\t%.5f THz\t%s\tmargin %5.2f dB, planned %5.2f dB\n", c.Name, strings.Join(c.Lines, " + "), float64(c.Slot.Frequency()),
			c.Mode.Name, float64(has), float64(asSet))
		if off := has - asSet; off < -1 {
			return fmt.Errorf("%s has %v less than planned", c.Name, -off)
		}
	}
	rows.Flush()
	d.holds("%s lit, and nothing to complain of", sizes(len(d.after.design.Channels), "channel"))
	return nil
}

// cutDuct cuts the duct that takes most with it, and waits until that is told as one finding with all that follows.
func (d *demo) cutDuct(ctx context.Context) error {
	d.cut = worstCut(d.after.design)
	f, err := sim.ParseFault("fibre-cut", d.cut.Ducts[0], nil)
	if err != nil {
		return err
	}
	if d.cutID, err = d.sim.Inject(f); err != nil {
		return err
	}
	d.t.printf("   %s is cut\n", d.cut.Risk)
	if err := d.noticed(ctx); err != nil { // what is told once tells of the sessions, too
		return err
	}
	want := len(d.cut.Channels)
	if err := d.looking(ctx, func(o verify.Observed, roots []verify.Group) string {
		switch {
		case len(roots) == 0:
			return "nobody has noticed"
		case len(roots) > 1:
			return fmt.Sprintf("%s and %d more, and not one cause", roots[0].Message, len(roots)-1)
		case roots[0].Kind != verify.FibreCut || !slices.Contains(roots[0].Ducts, d.cut.Ducts[0]):
			return roots[0].Message
		}
		found := d.after.checked(o, 0)
		down := 0
		for _, f := range found.Findings {
			if f.Kind == verify.ChannelDown && slices.Contains(roots[0].Takes, f.ID) {
				down++
			}
		}
		if down != want {
			return fmt.Sprintf("it takes %d channels of %d", down, want)
		}
		d.t.printf("   %s\n", roots[0].Message)
		d.t.printf("      %s\n", strings.TrimPrefix(takes(roots[0], found.kinds), "; "))
		for _, capacity := range found.capacities(roots[0]) {
			d.t.printf("      %s\n", capacity)
		}
		return ""
	}); err != nil {
		return err
	}
	d.holds("told once, with its %s", sizes(want, "channel"))
	return nil
}

// worstCut is the duct that takes the most capacity with it; of several the first by name.
func worstCut(design *fabric.Design) fabric.Outage {
	var worst fabric.Outage
	for _, o := range design.Outages() {
		if strings.HasPrefix(o.Risk, "duct ") && o.Capacity > worst.Capacity {
			worst = o
		}
	}
	return worst
}

// getAround proposes other ways for what is lost, and plans them against the devices as they are.
func (d *demo) getAround(ctx context.Context) error {
	r, err := fabric.Restore(d.after.topo, []string{d.cut.Ducts[0]})
	if err != nil {
		return err
	}
	d.moves = r.Moves
	for _, line := range restoration(r) {
		d.t.printf("   %s\n", line)
	}
	if len(r.Moves) == 0 {
		d.holds("no other line has room, and that is said")
		return nil
	}
	if d.around, err = compileIntent(r.Topology, d.after.places); err != nil {
		return err
	}
	p, err := d.plan(ctx, d.around)
	if err != nil {
		return err
	}
	d.t.printf("\n")
	if err := p.Text(d.t.out, plan.Style{Color: d.t.color, Lines: 4}); err != nil {
		return err
	}
	if p.Empty() {
		return fmt.Errorf("%s have other ways, and the plan is empty", sizes(len(r.Moves), "channel"))
	}
	d.holds("%s of %d can go over other lines", sizes(len(r.Moves), "channel"), len(d.cut.Channels))
	return nil
}

// goAround moves the cords, as a technician does, applies the plan around the cut, and waits until what was moved is lit.
func (d *demo) goAround(ctx context.Context) error {
	if len(d.moves) == 0 {
		d.holds("nothing to apply")
		return nil
	}
	if err := d.cable(d.around); err != nil {
		return err
	}
	if err := d.noticed(ctx); err != nil {
		return err
	}
	if err := d.apply(ctx, d.around); err != nil {
		return err
	}
	if err := d.lookingAt(ctx, d.around, func(o verify.Observed, _ []verify.Group) string {
		for _, f := range verify.Check(d.around.design, o) {
			if f.Kind == verify.ChannelDown && slices.ContainsFunc(d.moves, func(m fabric.Move) bool { return m.Channel == f.Object }) {
				return f.Message
			}
		}
		return ""
	}); err != nil {
		return err
	}
	d.holds("%s lit again, while the fibres are still cut", sizes(len(d.moves), "channel"))
	return nil
}

// cable moves cords until all are where a network wants them.
func (d *demo) cable(n *network) error {
	done, err := d.sim.Cable(d.how.cabling(n.design))
	if err != nil {
		return err
	}
	for _, cord := range done.Plugged {
		d.t.printf("   plugged %s\n", cord)
	}
	return d.sim.Settle(context.Background())
}

// noticed waits until sessions over links whose ports have gone down are down too: who looks before does not see them go, and a change that
// begins before has to answer for them.
func (d *demo) noticed(ctx context.Context) error {
	return d.looking(ctx, func(o verify.Observed, _ []verify.Group) string {
		found := map[string]bool{}
		all := verify.Check(d.after.design, o)
		for i := range all {
			found[all[i].ID] = true
		}
		for _, x := range d.after.design.Devices {
			for _, l := range x.Links {
				a, b := x.Name+":"+l.Port, l.PeerName+":"+l.PeerPort
				object := min(a, b) + " - " + max(a, b)
				if l.Trunk == "" && found[string(verify.InterfaceDown)+"/"+object] && !found[string(verify.SessionDown)+"/"+object] {
					return object + " is down, and its session is not yet"
				}
			}
		}
		return ""
	})
}

// mendDuct mends what was cut, leads channels back, and waits until everything is as designed again.
func (d *demo) mendDuct(ctx context.Context) error {
	if err := d.sim.Clear(d.cutID); err != nil {
		return err
	}
	if len(d.moves) > 0 {
		if err := d.cable(d.after); err != nil {
			return err
		}
		if err := d.noticed(ctx); err != nil {
			return err
		}
		if err := d.apply(ctx, d.after); err != nil {
			return err
		}
	}
	if err := d.looking(ctx, func(_ verify.Observed, roots []verify.Group) string {
		if len(roots) > 0 {
			return roots[0].Message
		}
		return ""
	}); err != nil {
		return err
	}
	d.holds("no finding is left")
	return nil
}

// looking observes every device, as loom check does, until a check of the findings that nothing else explains has nothing to complain of.
func (d *demo) looking(ctx context.Context, check func(verify.Observed, []verify.Group) string) error {
	return d.lookingAt(ctx, d.after, check)
}

// lookingAt is looking for what a network wants.
func (d *demo) lookingAt(ctx context.Context, n *network, check func(verify.Observed, []verify.Group) string) error {
	r, err := newResolver(fabric.Login{}, d.sim.Inventory())
	if err != nil {
		return err
	}
	names, _, err := selectDevices(n.design, "")
	if err != nil {
		return err
	}
	o := newObserver(n, r, 10*time.Second)
	return d.watch(n).until(ctx, comingUp, func() string {
		seen := o.observe(ctx, names)
		roots := verify.Groups(verify.Check(n.design, seen))
		return check(seen, slices.DeleteFunc(roots, func(g verify.Group) bool { return g.Severity == verify.Notice }))
	})
}
