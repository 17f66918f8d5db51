package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/spf13/cobra"
)

func applyCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "apply PATH...",
		Short: "Make the devices as intended",
		Long: `Plans, asks, and pushes: wave by wave every device gets its change in one gNMI Set that it
takes back by itself unless confirmed, and is read back. Only when all have it is it confirmed,
saved to startup, and verified. The first failure undoes everything.

A device that Loom meets for the first time and that holds configuration of somebody else where
Loom writes is not touched without --take-over; its whole configuration is saved first.

Exit code: 0 done, 1 error before any change, 3 rolled back, 4 ended in a named mixed state.`,
		Example: `  loom apply topologies/demo.yaml --inventory sim.json
  loom apply topologies/demo.yaml --limit leaf3 --yes`,
		ValidArgsFunction: yamlFiles,
	}
	o := applyOptions{access: accessFlags(c)}
	c.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&o.takeOver, "take-over", false, "overwrite foreign configuration on devices met for the first time")
	c.Flags().StringVar(&o.backupDir, "backup", filepath.Join(".loom", "backup"), "`DIR` for the backup before a take-over")
	c.Flags().DurationVar(&o.rollback, "rollback", 5*time.Minute, "time after which a device takes back an unconfirmed change")
	c.Flags().IntVar(&o.parallel, "parallel", 16, "devices of a wave that are changed at the same time")
	o.limit = limitFlag(c)
	o.releases = releaseFlag(c)
	o.format = formatFlag(c, "text", "json")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		srcs, err := sources(args)
		if err != nil {
			return err
		}
		n, err := compileNetwork(t, srcs, *o.releases)
		if err != nil {
			return err
		}
		return n.apply(cmd.Context(), t, &o)
	}
	return c
}

type applyOptions struct {
	access    *access
	yes       bool
	takeOver  bool
	backupDir string
	rollback  time.Duration
	parallel  int
	limit     *string
	releases  *map[string]string
	format    *string
}

// apply is the whole of `loom apply` on a compiled network.
func (n *network) apply(ctx context.Context, t *terminal, o *applyOptions) error {
	names, skipped, err := selectDevices(n.design, *o.limit)
	if err != nil {
		return err
	}
	r, err := o.access.resolve(n)
	if err != nil {
		return err
	}
	devices, err := connect(ctx, n, r, names)
	if err != nil {
		return err
	}
	defer closeAll(devices)
	p, err := n.planDevices(ctx, names, devices)
	if err != nil {
		return err
	}
	p.Limit, p.Skipped = *o.limit, skipped
	if err := o.show(t, p); err != nil || p.Empty() {
		return err
	}
	if err := o.contact(ctx, t, p, devices); err != nil {
		return err
	}
	if err := o.approve(t, p); err != nil {
		return err
	}
	return o.push(ctx, t, p, devices)
}

func (o *applyOptions) show(t *terminal, p *plan.Plan) error {
	if *o.format == "json" {
		return nil
	}
	return printPlan(t, p, "text", false)
}

// contact stops at devices that hold somebody else's configuration, or backs them up.
func (o *applyOptions) contact(ctx context.Context, t *terminal, p *plan.Plan, devices map[string]*live) error {
	foreign := foreignDevices(p)
	if len(foreign) == 0 {
		return nil
	}
	if !o.takeOver {
		return foreignError(foreign)
	}
	for _, d := range foreign {
		file, err := backup(ctx, devices[d.Name], o.backupDir)
		if err != nil {
			return fmt.Errorf("%s: backup before take-over: %w", d.Name, err)
		}
		t.notef("%s: backed up to %s\n", d.Name, file)
	}
	return nil
}

func foreignDevices(p *plan.Plan) []*plan.Device {
	var out []*plan.Device
	for i := range p.Devices {
		if len(p.Devices[i].Foreign) > 0 {
			out = append(out, &p.Devices[i])
		}
	}
	return out
}

// maxForeign is how many foreign leaves of a device an error lists.
const maxForeign = 10

func foreignError(devices []*plan.Device) error {
	var b strings.Builder
	for _, d := range devices {
		fmt.Fprintf(&b, "\n%s: met for the first time, and %d of its settings would go or change:", d.Name, len(d.Foreign))
		for i, c := range d.Foreign {
			if i == maxForeign {
				fmt.Fprintf(&b, "\n  … %d more", len(d.Foreign)-i)
				break
			}
			fmt.Fprintf(&b, "\n  %s %s", c.Path, c.Old)
		}
	}
	return fmt.Errorf("foreign configuration where Loom writes; look at it, then use --take-over (a backup is made first):%s", b.String())
}

// approve asks unless told not to. Without a terminal there is nobody to ask.
func (o *applyOptions) approve(t *terminal, p *plan.Plan) error {
	if o.yes {
		return nil
	}
	if !t.ask {
		return errors.New("nobody to ask here; look at the plan and use --yes")
	}
	t.printf("\nChange %s? Type yes: ", sizes(len(p.Devices), "device"))
	answer, _ := bufio.NewReader(t.in).ReadString('\n')
	if strings.TrimSpace(answer) != "yes" {
		return errors.New("not approved; nothing was changed")
	}
	return nil
}

// push runs the transaction and turns its outcome into an exit code.
func (o *applyOptions) push(ctx context.Context, t *terminal, p *plan.Plan, devices map[string]*live) error {
	all := make(map[string]transaction.Device, len(devices))
	for name, l := range devices {
		all[name] = l
	}
	progress := newProgress(t, p, *o.format == "json")
	start := time.Now()
	res := transaction.Run(ctx, p, all, transaction.Options{
		ID: newID(), Rollback: o.rollback, Parallel: o.parallel, Progress: progress.event, Now: time.Now,
	})
	if *o.format == "json" {
		if err := t.json(res); err != nil {
			return err
		}
	} else {
		t.printf("\n%s: %s in %s\n", p.Topology, outcomeText(res, len(p.Devices)), time.Since(start).Round(time.Millisecond))
	}
	switch res.Outcome {
	case transaction.Done:
		return nil
	case transaction.RolledBack:
		return exit{exitRolledBack, fmt.Errorf("rolled back: %w", res.Err)}
	case transaction.Mixed:
		return exit{exitMixed, fmt.Errorf("mixed state: %w", res.Err)}
	}
	return res.Err
}

func outcomeText(res transaction.Result, devices int) string {
	switch res.Outcome {
	case transaction.Done:
		return fmt.Sprintf("%s changed, confirmed and saved", sizes(devices, "device"))
	case transaction.RolledBack:
		return "rolled back, every device as before"
	case transaction.Mixed:
		var b strings.Builder
		b.WriteString("mixed state:")
		for _, name := range sortedKeys(res.Devices) {
			fmt.Fprintf(&b, " %s %s", name, res.Devices[name])
		}
		return b.String()
	}
	return "nothing was changed"
}

// newID names a transaction on devices and in logs: the time it began, and four random bytes.
func newID() string {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return "loom-" + time.Now().UTC().Format("20060102-150405") + "-" + hex.EncodeToString(b[:])
}

// backup saves the whole running configuration of a device and returns the file's name.
func backup(ctx context.Context, l *live, dir string) (string, error) {
	doc, err := l.Document(ctx)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	name := filepath.Join(dir, fmt.Sprintf("%s-%s.json", l.design.Name, time.Now().UTC().Format("20060102T150405Z")))
	return name, writePrivate(name, doc)
}

// writePrivate writes a file that may hold secrets: only its owner reads it.
func writePrivate(name string, data []byte) error { return os.WriteFile(name, data, 0o600) }
