package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/verify"
	"github.com/spf13/cobra"
)

func checkCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "check [PATH...]",
		Short: "Compare what the devices show with the design",
		Long: `Reads every device and says what is not as designed: devices that cannot be read, configurations that
drifted, ports that are down, cables that are plugged in wrong (LLDP), BGP sessions, tunnels, LAGs and
ethernet segments; what gateways between sites have of IS-IS, labels, services and routes; and of light what is cut, weak, noisy or tuned otherwise. What follows from something else is counted below it. Nothing is changed.

That nothing is plugged into a port is a notice where the topology lists no cable for it: the server may
come later. Notices are counted, --all shows them, and they are not findings for the exit code.

Exit code: 0 all is as designed, 2 findings, 1 error. With --limit only what the selected devices show
is judged.`,
		Example: `  loom check topologies/demo.yaml --inventory sim.json
  loom check topologies/demo.yaml --limit leaf1,spines --format json`,
		ValidArgsFunction: yamlFiles,
	}
	a := accessFlags(c)
	all := c.Flags().Bool("all", false, "show notices too, and every finding of many")
	limit := limitFlag(c)
	timeout := c.Flags().Duration("timeout", 10*time.Second, "how long one device may take before it counts as unreachable")
	drains := addStoreFlags(c)
	releases := releaseFlag(c)
	format := formatFlag(c, "text", "json")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if *timeout <= 0 {
			return errors.New("--timeout: no device answers in no time; use 10s")
		}
		srcs, err := sources(args)
		if err != nil {
			return err
		}
		n, err := compileNetwork(t, srcs, *releases)
		if err != nil {
			return err
		}
		names, skipped, err := selectDevices(n.design, *limit)
		if err != nil {
			return err
		}
		r, err := a.resolve(n)
		if err != nil {
			return err
		}
		if _, err := n.recall(cmd.Context(), t, drains, dataDir(srcs)); err != nil {
			return err
		}
		o := newObserver(n, r, *timeout)
		o.drift = true
		seen := o.observe(cmd.Context(), names)
		seen.Drained = n.drained()
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		return n.checked(seen, len(skipped)).print(t, *format, *all)
	}
	return c
}

// checkResult is what `loom check` has found.
type checkResult struct {
	Topology string        `json:"topology"`
	At       time.Time     `json:"observed"`
	Devices  int           `json:"devices"`           // that were looked at
	Skipped  int           `json:"skipped,omitempty"` // by --limit
	Drained  []plan.Out    `json:"drained,omitempty"` // whose ethernet segments are down on purpose
	Findings []findingView `json:"findings"`          // roots and what follows from them

	roots []verify.Group
	kinds map[string]verify.Kind
	place func(ref string) string
}

// findingView is a finding with its place in the topology.
type findingView struct {
	verify.Group
	At string `json:"at,omitempty"` // file:line:column
}

func (n *network) checked(o verify.Observed, skipped int) *checkResult {
	findings := verify.Check(n.design, o)
	r := &checkResult{
		Topology: n.design.Name, At: o.At, Devices: len(o.Devices), Skipped: skipped, Drained: n.out, Findings: []findingView{},
		roots: verify.Groups(findings), kinds: kindsOf(findings), place: n.at,
	}
	taken := map[string][]string{}
	for _, g := range r.roots {
		taken[g.ID] = g.Takes
	}
	for _, f := range findings {
		r.Findings = append(r.Findings, findingView{verify.Group{Finding: f, Takes: taken[f.ID]}, n.at(string(f.Ref))})
	}
	return r
}

func (r *checkResult) print(t *terminal, format string, all bool) error {
	if format == "json" {
		if err := t.json(r); err != nil {
			return err
		}
	} else {
		r.text(t, all)
	}
	for _, g := range r.roots {
		if g.Severity > verify.Notice {
			return exit{code: exitChanges}
		}
	}
	return nil
}

// maxRoots is how many findings a terminal gets without --all.
const maxRoots = 50

// text prints roots like the mistakes of a topology, and below each what it takes with it.
func (r *checkResult) text(t *terminal, all bool) {
	for _, o := range r.Drained {
		t.printf("%s\n", o)
	}
	shown, found, notices, follow := 0, 0, 0, map[string]bool{}
	for _, g := range r.roots {
		if g.Severity == verify.Notice {
			notices++
		} else {
			found++
			for _, id := range g.Takes {
				follow[id] = true
			}
		}
		if !all && (g.Severity == verify.Notice || shown == maxRoots) {
			continue
		}
		shown++
		if at := r.place(string(g.Ref)); at != "" {
			t.printf("%s: ", at)
		}
		t.printf("%s: %s\n", g.Severity, g.Message)
		if text := takes(g, r.kinds); text != "" {
			t.printf("   %s\n", strings.TrimPrefix(text, "; "))
		}
		for _, capacity := range r.capacities(g) {
			t.printf("   %s\n", capacity)
		}
	}
	if left := found - shown; !all && left > 0 {
		t.printf("… %d more; --all shows them\n", left)
	}
	r.summary(t, found, len(follow), notices)
}

func (r *checkResult) summary(t *terminal, found, follow, notices int) {
	line := fmt.Sprintf("%s: %s as designed", r.Topology, sizes(r.Devices, "device"))
	if found > 0 {
		line = fmt.Sprintf("%s: %s on %s", r.Topology, sizes(found, "finding"), sizes(r.Devices, "device"))
	}
	if follow > 0 {
		line += fmt.Sprintf(", %d more follow from %s", follow, map[bool]string{true: "it", false: "them"}[found == 1])
	}
	if notices > 0 {
		line += fmt.Sprintf("; %s", sizes(notices, "notice"))
	}
	if r.Skipped > 0 {
		line += fmt.Sprintf("; partial: %s not looked at", sizes(r.Skipped, "device"))
	}
	t.printf("%s\n", line)
}

// capacities say what is left of the DCIs that a root takes something from.
func (r *checkResult) capacities(g verify.Group) []string {
	var out []string
	for _, f := range r.Findings {
		if f.Kind == verify.CapacityLost && slices.Contains(g.Takes, f.ID) {
			out = append(out, f.Message)
		}
	}
	return out
}

// nouns are what findings are about, for people: one and many.
var nouns = []struct {
	kind      verify.Kind
	one, many string
}{
	{verify.DeviceUnreachable, "device", "devices"},
	{verify.Drifted, "configuration", "configurations"},
	{verify.FibreCut, "duct", "ducts"},
	{verify.AmplifierOff, "amplifier", "amplifiers"},
	{verify.FibreLoss, "fibre", "fibres"},
	{verify.NoiseAdded, "noisy line", "noisy lines"},
	{verify.ConnectorLoss, "connector", "connectors"},
	{verify.LaserOff, "laser", "lasers"},
	{verify.Mistuned, "transceiver", "transceivers"},
	{verify.SpectrumShut, "media channel", "media channels"},
	{verify.ChannelDown, "channel", "channels"},
	{verify.OffPlan, "arrival", "arrivals"},
	{verify.MarginLow, "margin", "margins"},
	{verify.MarginFalling, "margin that falls", "margins that fall"},
	{verify.InterfaceDown, "port", "ports"},
	{verify.CableWrong, "cable", "cables"},
	{verify.LAGDegraded, "LAG", "LAGs"},
	{verify.AdjacencyDown, "adjacency", "adjacencies"},
	{verify.SessionDown, "session", "sessions"},
	{verify.SessionFamily, "address family", "address families"},
	{verify.BFDDown, "BFD session", "BFD sessions"},
	{verify.ServiceDown, "service", "services"},
	{verify.TunnelMissing, "tunnel", "tunnels"},
	{verify.SegmentBroken, "ethernet segment", "ethernet segments"},
	{verify.RoutesMissing, "route table", "route tables"},
	{verify.CapacityLost, "DCI", "DCIs"},
}

// kindsOf are the kinds of findings as takes counts them, by ID.
func kindsOf(findings []verify.Finding) map[string]verify.Kind {
	kinds := make(map[string]verify.Kind, len(findings))
	for i := range findings {
		kinds[findings[i].ID] = findings[i].Kind
	}
	for id := range cords(findings) {
		delete(kinds, id)
	}
	return kinds
}

// cords are the findings of cables to transponders whose links are down with them: who counts the link has counted those.
func cords(findings []verify.Finding) map[string]bool {
	down, out := map[string]bool{}, map[string]bool{}
	for i := range findings {
		down[findings[i].ID] = findings[i].Kind == verify.InterfaceDown
	}
	for i := range findings {
		for _, cause := range findings[i].Causes {
			if down[findings[i].ID] && down[cause] {
				out[cause] = true
			}
		}
	}
	return out
}

// takes counts what a root takes with it: "; takes with it: 4 sessions, 2 tunnels".
func takes(g verify.Group, kinds map[string]verify.Kind) string {
	if len(g.Takes) == 0 {
		return ""
	}
	count := map[verify.Kind]int{}
	for _, id := range g.Takes {
		count[kinds[id]]++
	}
	var parts []string
	for _, noun := range nouns {
		switch n := count[noun.kind]; {
		case n == 1:
			parts = append(parts, "1 "+noun.one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, noun.many))
		}
	}
	return "; takes with it: " + strings.Join(parts, ", ")
}
