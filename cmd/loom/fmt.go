package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/loomfabric/loom/pkg/topology"
	"github.com/spf13/cobra"
)

func fmtCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "fmt PATH...",
		Short: "Format topology files",
		Long: `Rewrites topology files in the canonical layout: keys in their documented order, comments
kept. --check changes nothing and fails if a file is not formatted, for CI. --expand prints the
expanded intent: every device listed, every shorthand spelled out.`,
		Example:           "  loom fmt topologies/*.yaml\n  loom fmt --check .\n  loom fmt --expand topologies/tiny.yaml",
		Args:              namedFiles,
		ValidArgsFunction: yamlFiles,
	}
	check := c.Flags().Bool("check", false, "only say which files are not formatted, and fail if any is not")
	expand := c.Flags().Bool("expand", false, "print the expanded intent instead")
	c.MarkFlagsMutuallyExclusive("check", "expand")
	c.RunE = func(_ *cobra.Command, args []string) error {
		srcs, err := sources(args)
		if err != nil {
			return err
		}
		if *expand {
			return printExpanded(t, srcs)
		}
		return formatFiles(t, srcs, *check)
	}
	return c
}

func printExpanded(t *terminal, srcs []topology.Source) error {
	topo, diags := topology.Parse(srcs...)
	if diags.HasErrors() {
		return invalid(diags)
	}
	_, err := t.out.Write(topology.Expand(topo))
	return err
}

func formatFiles(t *terminal, srcs []topology.Source, check bool) error {
	changed := 0
	for _, src := range srcs {
		out, diags := topology.Format(src)
		if diags.HasErrors() {
			return invalid(diags)
		}
		if bytes.Equal(out, src.Data) {
			continue
		}
		changed++
		t.printf("%s\n", src.Name)
		if check {
			continue
		}
		if err := writeFile(src.Name, out); err != nil {
			return err
		}
	}
	if check && changed > 0 {
		return fmt.Errorf("%d %s not formatted; run loom fmt", changed, plural(changed, "file"))
	}
	return nil
}

// writeFile replaces a file in one step, so that a crash leaves the old one or the new one. A link
// stays a link: the file that it names is replaced. A file that was there keeps its mode.
func writeFile(name string, data []byte) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	// A directory of its own gives the file a name that nobody else uses, and what is new the mode
	// that the user's umask leaves.
	dir, err := os.MkdirTemp(filepath.Dir(name), ".loom-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tmp := filepath.Join(dir, filepath.Base(name))
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	if info, err := os.Stat(name); err == nil {
		if err := os.Chmod(tmp, info.Mode().Perm()); err != nil {
			return err
		}
	}
	return os.Rename(tmp, name)
}
