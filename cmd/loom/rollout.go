package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/spf13/cobra"
)

// rollout is how a plan is to be carried out, and how much it may take at once, as flags say it.
// `plan` and `apply` have the same, so that a plan that was looked at can be applied by its hash.
type rollout struct {
	canary     string
	waves      int
	soak       time.Duration
	order      string
	maxDevices int
	window     int
	drain      string
}

// defaultWindow is how many devices may be armed at a time. Each of them needs its timer started again
// now and then.
const defaultWindow = 1024

func rolloutFlags(c *cobra.Command) *rollout {
	r := &rollout{}
	c.Flags().StringVar(&r.canary, "canary", "", fmt.Sprintf("devices that go first: a `SELECTOR`, how many, or none (default one leaf, of more than %d devices)", plan.CanaryFrom))
	c.Flags().IntVar(&r.waves, "waves", 0, "at most `N` devices per wave (default as many as redundancy groups allow)")
	c.Flags().DurationVar(&r.soak, "soak", 0, "`TIME` to wait after a wave before looking at it again and beginning the next")
	c.Flags().StringVar(&r.order, "order", "", fmt.Sprintf("`ROLES` in the order in which they change (default %s)", strings.Join(plan.DefaultOrder, ",")))
	c.Flags().IntVar(&r.window, "window", defaultWindow, "at most `N` devices hold a change unconfirmed; with more it is decided in parts")
	c.Flags().IntVar(&r.maxDevices, "max-devices", plan.DefaultMaxDevices, "more devices in service than `K` are a risk to approve")
	c.Flags().StringVar(&r.drain, "drain", string(plan.DrainAuto), "devices whose traffic is moved away for their change: auto (where it interrupts traffic), never or always")
	return r
}

// onto cuts a plan into waves as asked, and looks for its risks.
func (r *rollout) onto(n *network, p *plan.Plan, reach map[string]netip.Addr) error {
	o, err := r.options(n.design)
	if err != nil {
		return err
	}
	if err := p.Drain(o.Drain, n.drainer); err != nil {
		return err
	}
	p.Cut(o)
	p.MaxDevices = r.maxDevices
	p.Risks = plan.Risks(p, guardsOf, plan.RiskOptions{MaxDevices: r.maxDevices, Reach: reach, Drained: names(n.out)})
	n.foresee(p)
	return nil
}

func guardsOf(os string) *driver.Guards { return &drivers[os].Guards }

// check tells of flags that are wrong whatever the topology.
func (r *rollout) check() error {
	switch {
	case r.waves < 0:
		return fmt.Errorf("--waves %d: use 1 or more, or leave it out", r.waves)
	case r.soak < 0:
		return fmt.Errorf("--soak %s: use a time such as 30s", r.soak)
	case r.window < 0:
		return fmt.Errorf("--window %d: use 1 or more, or 0 for no limit", r.window)
	case r.maxDevices < 1:
		return fmt.Errorf("--max-devices %d: use 1 or more", r.maxDevices)
	}
	if _, err := r.mode(); err != nil {
		return err
	}
	_, err := r.roles()
	return err
}

func (r *rollout) options(d *fabric.Design) (plan.WaveOptions, error) {
	roles, err := r.roles()
	if err != nil {
		return plan.WaveOptions{}, err
	}
	mode, err := r.mode()
	if err != nil {
		return plan.WaveOptions{}, err
	}
	o := plan.WaveOptions{Size: r.waves, Soak: r.soak, Order: roles, Armed: r.window, Drain: mode}
	switch n, err := strconv.Atoi(r.canary); {
	case r.canary == "":
	case r.canary == "none" || err == nil && n == 0:
		o.Canaries = plan.NoCanary
	case err == nil && n < 0:
		return o, fmt.Errorf("--canary %d: use a selector, 1 or more, or none", n)
	case err == nil:
		o.Canaries = n
	default:
		if o.Canary, _, err = selectBy(d, "--canary", r.canary); err != nil {
			return o, err
		}
	}
	return o, nil
}

// mode is which devices are drained; "" by default.
func (r *rollout) mode() (plan.DrainMode, error) {
	switch m := plan.DrainMode(r.drain); m {
	case "", plan.DrainAuto:
		return "", nil
	case plan.DrainNever, plan.DrainAlways:
		return m, nil
	}
	return "", fmt.Errorf("--drain %s: use %s, %s or %s", r.drain, plan.DrainAuto, plan.DrainNever, plan.DrainAlways)
}

// roles are those of --order, in singular or plural.
func (r *rollout) roles() ([]string, error) {
	if r.order == "" {
		return nil, nil
	}
	var out []string
	for role := range strings.SplitSeq(r.order, ",") {
		role = strings.TrimSpace(role)
		for one, many := range plurals {
			if role == many {
				role = string(one)
			}
		}
		if !slices.Contains(plan.DefaultOrder, role) {
			return nil, fmt.Errorf("--order %s: %q is no role; roles are %s", r.order, role, strings.Join(plan.DefaultOrder, ", "))
		}
		out = append(out, role)
	}
	return out, nil
}

// groups are the redundancy groups of every device: the pair or the spines that it is one of, and the
// leaves that share an ethernet segment with it. Those are named like pairs, so that a segment of
// a pair adds no group; segments over other leaves overlap.
func groups(d *fabric.Design) map[string][]string {
	out := map[string][]string{}
	segments := map[string][]*fabric.Device{}
	for _, dev := range d.Devices {
		if dev.Group != "" {
			out[dev.Name] = append(out[dev.Name], dev.Group)
		}
		for i := range dev.LAGs {
			if esi := dev.LAGs[i].ESI; esi != "" && !slices.Contains(segments[esi], dev) {
				segments[esi] = append(segments[esi], dev)
			}
		}
	}
	for _, esi := range sortedKeys(segments) {
		name := groupName(segments[esi])
		for _, dev := range segments[esi] {
			if len(segments[esi]) > 1 && !slices.Contains(out[dev.Name], name) {
				out[dev.Name] = append(out[dev.Name], name)
			}
		}
	}
	return out
}

// farEnds are the devices with the other ends of the channels of a device, each once.
func farEnds(d *fabric.Design) map[string][]string {
	out := map[string][]string{}
	add := func(device, far string) {
		if !slices.Contains(out[device], far) {
			out[device] = append(out[device], far)
		}
	}
	for i := range d.Channels {
		c := &d.Channels[i]
		add(c.A.Device, c.B.Device)
		add(c.B.Device, c.A.Device)
	}
	return out
}

// groupName is "site/leaf1+leaf2".
func groupName(members []*fabric.Device) string {
	var names []string
	for _, m := range members {
		names = append(names, string(m.Role)+strconv.FormatUint(uint64(m.Number), 10))
	}
	return members[0].Site + "/" + strings.Join(names, "+")
}

// reach is where Loom reaches each device: as the inventory says, else as the topology does.
func (n *network) reach(r *resolver) map[string]netip.Addr {
	out := map[string]netip.Addr{}
	for _, d := range n.design.Devices {
		out[d.Name] = d.Management
		if r == nil {
			continue
		}
		if e, listed := r.entries[d.Name]; listed {
			at, _ := netip.ParseAddrPort(e.Address) // a name, not an address, is none of the device's own
			out[d.Name] = at.Addr()
		}
	}
	return out
}
