package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/spf13/cobra"
)

// rendered is one line of DIR/inventory.json.
type rendered struct {
	Name     string `json:"name"`
	Driver   string `json:"driver"`
	Release  string `json:"release"`
	Platform string `json:"platform"` // as Nokia writes it, with hyphens
	Site     string `json:"site"`
	Role     string `json:"role"`
	File     string `json:"file"`
}

func renderCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "render PATH... -o DIR",
		Short: "Write the intended configuration of every device",
		Long: `Writes DIR/<device>.json, the intended configuration of each device as canonical RFC 7951
JSON, and DIR/inventory.json, which lists them. The same topology always gives the same bytes.`,
		Example:           "  loom render topologies/demo.yaml -o out\n  loom render topologies/demo.yaml -o out --release srlinux=24.10",
		ValidArgsFunction: yamlFiles,
	}
	dir := c.Flags().StringP("output", "o", "", "`DIR` to write to; made if absent")
	limit := limitFlag(c)
	releases := releaseFlag(c)
	_ = c.MarkFlagRequired("output")
	_ = c.MarkFlagDirname("output")
	c.RunE = func(_ *cobra.Command, args []string) error {
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
		if err := writeRendered(*dir, n, names); err != nil {
			return err
		}
		partial := ""
		if len(skipped) > 0 {
			partial = " (partial: only " + *limit + ")"
		}
		t.printf("%s: %s in %s%s\n", n.design.Name, sizes(len(names), "document"), *dir, partial)
		return nil
	}
	return c
}

func writeRendered(dir string, n *network, names []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	list := []rendered{}
	for _, name := range names {
		d := n.design.Device(name)
		file := name + ".json"
		doc := append(n.trees[name].AppendJSON(nil, true), '\n')
		if err := writeFile(filepath.Join(dir, file), doc); err != nil {
			return err
		}
		list = append(list, renderedOf(d, file))
	}
	data, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, inventoryFile), append(data, '\n'))
}

// inventoryFile lists the documents of a rendered directory.
const inventoryFile = "inventory.json"

func renderedOf(d *fabric.Device, file string) rendered {
	return rendered{d.Name, d.OS, d.Release, d.Platform.Name, d.Site, string(d.Role), file}
}
