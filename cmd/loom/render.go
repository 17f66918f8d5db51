package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/loomfabric/loom/pkg/controller"
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
		Example:           "  loom render topologies/demo.yaml -o out\n  loom render topologies/demo.yaml -o out --release srlinux=24.10\n  loom render --server --topology demo -o out",
		ValidArgsFunction: yamlFiles,
	}
	dir := c.Flags().StringP("output", "o", "", "`DIR` to write to; made if absent")
	limit := limitFlag(c)
	drained := c.Flags().String("drained", "", "render devices that match `SELECTOR` as loom drain would leave them")
	_ = c.Flags().MarkHidden("drained") // for the conformance of what nobody writes to files
	releases, q := releaseFlag(c), questionFlags(c)
	_ = c.MarkFlagDirname("output")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if *dir == "" {
			return errors.New("render: name the directory to write to with -o DIR")
		}
		there, err := q.there()
		switch {
		case err != nil:
			return err
		case there:
			return q.ask(cmd.Context(), args, *releases, func(x *client, of controller.Subject) error {
				of.Drained = *drained
				all, err := x.documents(cmd.Context(), of, *limit)
				if err != nil {
					return err
				}
				return all.into(t, *dir, *limit)
			})
		}
		n, err := compilePaths(t, args, *releases)
		if err != nil {
			return err
		}
		names, _, err := selectDevices(n.design, *limit)
		if err != nil {
			return err
		}
		if *drained != "" {
			if err := n.drainAll(*drained); err != nil {
				return err
			}
		}
		return n.documents(names).into(t, *dir, *limit)
	}
	return c
}

// renderings are the configurations of some devices of a design, one after another: all at once they may be too much for memory.
type renderings struct {
	topology string
	order    []string // all devices of the design
	each     func(do func(rendered, []byte) error) error
}

func (n *network) documents(names []string) *renderings {
	out := &renderings{topology: n.design.Name}
	for _, d := range n.design.Devices {
		out.order = append(out.order, d.Name)
	}
	out.each = func(do func(rendered, []byte) error) error {
		for _, name := range names {
			if err := do(renderedOf(n.design.Device(name), name+".json"), n.trees[name].AppendJSON(nil, true)); err != nil {
				return err
			}
		}
		return nil
	}
	return out
}

// into writes documents to a directory, and says so.
func (r *renderings) into(t *terminal, dir, limit string) error {
	n, err := r.write(dir, limit != "")
	if err != nil {
		return err
	}
	partial := ""
	if n < len(r.order) {
		partial = " (partial: only " + limit + ")"
	}
	t.printf("%s: %s in %s%s\n", r.topology, sizes(n, "document"), dir, partial)
	return nil
}

// write writes documents and, last, their list: until then the old list stands, by which the next render would remove what a crash
// left. It tells how many there are.
func (r *renderings) write(dir string, partial bool) (int, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	old, err := readInventory(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%w; this is no list of loom render: remove it, or name another directory", err)
	}
	list := []rendered{}
	err = r.each(func(x rendered, doc []byte) error {
		if filepath.Base(x.File) != x.File {
			return fmt.Errorf("%q: no name of a device", x.Name)
		}
		list = append(list, x)
		return writeFile(filepath.Join(dir, x.File), append(doc, '\n'))
	})
	if err != nil {
		return 0, err
	}
	n := len(list)
	if partial {
		list = merged(list, old, r.order)
	}
	if err := removeStale(dir, old, list); err != nil {
		return 0, err
	}
	data, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return 0, err
	}
	return n, writeFile(filepath.Join(dir, inventoryFile), append(data, '\n'))
}

// merged is an old list with the lines of some devices renewed: in the order of the design, and
// then what the design no longer has.
func merged(list, old []rendered, order []string) []rendered {
	renewed := map[string]bool{}
	for _, r := range list {
		renewed[r.Name] = true
	}
	for _, r := range old {
		if !renewed[r.Name] {
			list = append(list, r)
		}
	}
	place := make(map[string]int, len(order))
	for i, name := range order {
		place[name] = i - len(order) // below 0, which is the place of all others
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
