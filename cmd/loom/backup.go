package main

import (
	"path/filepath"

	"github.com/spf13/cobra"
)

func backupCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "backup PATH...",
		Short: "Save the whole running configuration of every device",
		Long: `Reads the whole running configuration of every device, inside and outside of what Loom owns,
and writes it to DIR/<device>-<time>.json. Files are readable by their owner only: a
configuration holds secrets.`,
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
		devices, err := connect(cmd.Context(), n, r, names)
		if err != nil {
			return err
		}
		defer closeAll(devices)
		for _, name := range names {
			file, err := backup(cmd.Context(), devices[name], *dir)
			if err != nil {
				return prefixed(name, err)
			}
			t.printf("%s\n", file)
		}
		return nil
	}
	return c
}
