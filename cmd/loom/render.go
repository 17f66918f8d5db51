package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

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
		Use:   "render [PATH...] -o DIR",
		Short: "Write the intended configuration of every device",
		Long: `Writes DIR/<device>.json, the intended configuration of each device as canonical RFC 7951
JSON, and DIR/inventory.json, which lists them. The same topology always gives the same bytes.

Documents that an earlier render listed there, of devices that the topology no longer has, are
removed. With --limit the other documents and their lines of the list stay.`,
		Example:           "  loom render topologies/demo.yaml -o out\n  loom render topologies/demo.yaml -o out --release srlinux=24.10",
		ValidArgsFunction: yamlFiles,
	}
	dir := c.Flags().StringP("output", "o", "", "`DIR` to write to; made if absent")
	limit := limitFlag(c)
	drained := c.Flags().String("drained", "", "render devices that match `SELECTOR` as loom drain would leave them")
	_ = c.Flags().MarkHidden("drained") // for the conformance of what nobody writes to files
	releases := releaseFlag(c)
	_ = c.MarkFlagDirname("output")
	c.RunE = func(_ *cobra.Command, args []string) error {
		if *dir == "" {
			return errors.New("render: name the directory to write to with -o DIR")
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
		if *drained != "" {
			if err := n.drainAll(*drained); err != nil {
				return err
			}
		}
		if err := writeRendered(*dir, n, names, *limit != ""); err != nil {
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

// writeRendered writes documents and, last, their list: until then the old list stands, by which
// the next render would remove what a crash left.
func writeRendered(dir string, n *network, names []string, partial bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := readInventory(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; this is no list of loom render: remove it, or name another directory", err)
	}
	list := []rendered{}
	for _, name := range names {
		r := renderedOf(n.design.Device(name), name+".json")
		doc := append(n.trees[name].AppendJSON(nil, true), '\n')
		if err := writeFile(filepath.Join(dir, r.File), doc); err != nil {
			return err
		}
		list = append(list, r)
	}
	if partial {
		list = n.merged(list, old)
	}
	if err := removeStale(dir, old, list); err != nil {
		return err
	}
	data, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, inventoryFile), append(data, '\n'))
}

// merged is an old list with the lines of some devices renewed: in the order of the design, and
// then what the design no longer has.
func (n *network) merged(list, old []rendered) []rendered {
	renewed := map[string]bool{}
	for _, r := range list {
		renewed[r.Name] = true
	}
	for _, r := range old {
		if !renewed[r.Name] {
			list = append(list, r)
		}
	}
	place := make(map[string]int, len(n.design.Devices))
	for i, d := range n.design.Devices {
		place[d.Name] = i - len(n.design.Devices) // below 0, which is the place of all others
	}
	slices.SortStableFunc(list, func(a, b rendered) int { return place[a.Name] - place[b.Name] })
	return list
}

// removeStale removes the documents that the old list names and the new one does not. A list may
// have been edited by hand: nothing goes but files in dir whose names render would have given them.
func removeStale(dir string, old, list []rendered) error {
	keep := map[string]bool{inventoryFile: true}
	for _, r := range list {
		keep[r.File] = true
	}
	for _, r := range old {
		name := filepath.Join(dir, r.File)
		if keep[r.File] || r.File != r.Name+".json" || filepath.Base(r.File) != r.File {
			continue
		}
		if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// readInventory reads the list of a rendered directory.
func readInventory(dir string) ([]rendered, error) {
	name := filepath.Join(dir, inventoryFile)
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var list []rendered
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}

// inventoryFile lists the documents of a rendered directory.
const inventoryFile = "inventory.json"

func renderedOf(d *fabric.Device, file string) rendered {
	return rendered{d.Name, d.OS, d.Release, d.Platform.Name, d.Site, string(d.Role), file}
}
