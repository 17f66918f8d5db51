package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"github.com/spf13/cobra"
)

func backupCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "backup [PATH...]",
		Short: "Save the whole running configuration of every device",
		Long: `Reads the whole running configuration of every device, inside and outside of what Loom owns,
and writes it to DIR/<device>-<time>.json. Files are readable by their owner only: a
configuration holds secrets. Devices that cannot be read are named at the end; the others are saved.`,
		Example:           "  loom backup topologies/demo.yaml --inventory sim.json -o backups",
		ValidArgsFunction: yamlFiles,
	}
	dir := c.Flags().StringP("output", "o", filepath.Join(".loom", "backup"), "`DIR` to write to; made if absent")
	limit := limitFlag(c)
	a := accessFlags(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		srcs, err := sources(args)
		if err != nil {
			return err
		}
		n, err := compileNetwork(t, srcs, nil)
		if err != nil {
			return err
		}
		names, _, err := selectDevices(n.design, *limit)
		if err != nil {
			return err
		}
		r, err := a.resolve(n)
		if err != nil {
			return err
		}
		return n.backup(cmd.Context(), t, r, names, *dir)
	}
	return c
}

// backup saves every device that answers. Those that do not are in the error.
func (n *network) backup(ctx context.Context, t *terminal, r *resolver, names []string, dir string) error {
	var mu sync.Mutex
	files := map[string]string{}
	err := sideBySide(n.watch.meter("saved", len(names)), names, func(name string) error {
		l, err := dial(ctx, n, r, name)
		if err != nil {
			return err
		}
		defer l.Close()
		file, err := backup(ctx, l, dir)
		if err != nil {
			return prefixed(name, err)
		}
		mu.Lock()
		defer mu.Unlock()
		files[name] = file
		return nil
	})
	for _, file := range slices.Sorted(maps.Values(files)) {
		t.printf("%s\n", file)
	}
	if err != nil {
		return fmt.Errorf("%d of %d devices not saved:\n%w", len(names)-len(files), len(names), err)
	}
	return nil
}
