package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/loomfabric/loom/models/hardware"
	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/driver"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/plan"
	"github.com/loomfabric/loom/pkg/srlinux"
	"github.com/loomfabric/loom/pkg/sros"
	"github.com/loomfabric/loom/pkg/topology"
	"github.com/loomfabric/loom/pkg/transponder"
	"github.com/spf13/cobra"
)

// drivers are the operating systems that Loom speaks.
var drivers = map[string]*driver.Driver{srlinux.OS: srlinux.Driver(), sros.OS: sros.Driver(), transponder.OS: transponder.Driver()}

// network is a topology from file to intended configuration.
type network struct {
	topo    *topology.Topology
	places  *topology.Topology // knows where things are declared; mostly topo itself
	design  *fabric.Design
	trees   map[string]*config.Tree // intended configuration by device
	out     []plan.Out              // devices that somebody has drained: their trees are
	carried map[string]*config.Tree // what those would have otherwise
	over    []plan.Out              // devices whose drain is over
	asIs    map[string]bool         // devices that keep what they have, but for their drain
	timers  map[string]heard        // what devices have answered who were asked for confirm timers
	watch   *terminal               // where long work shows how far it is; nil: nowhere
}

// at turns an intent reference into "file:line:column", or "" where it has none.
func (n *network) at(ref string) string {
	p := n.places.At(ref)
	if p.File == "" {
		return ""
	}
	return p.String()
}

// sources reads the topology files that the arguments name. A directory means its *.yaml, sorted,
// without what lies below it.
func sources(paths []string) ([]topology.Source, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var out []topology.Source
	for _, p := range paths {
		files, err := expandPath(p)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			src, err := readSource(f)
			if err != nil {
				return nil, err
			}
			out = append(out, src)
		}
	}
	return out, nil
}

// namedFiles demands that a command which changes things is told on which files.
func namedFiles(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%s: name the topology files; . means this directory", c.Name())
	}
	return nil
}

// maxFile bounds what is read of one file; the parser refuses what is longer by name.
const maxFile = 32<<20 + 1

func readSource(name string) (topology.Source, error) {
	f, err := os.Open(name)
	if err != nil {
		return topology.Source{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return topology.Source{}, err
	}
	return topology.Source{Name: name, Data: data}, nil
}

func expandPath(p string) ([]string, error) {
	info, err := os.Stat(p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; name a topology file or a directory with some", p, errors.Unwrap(err))
	}
	if !info.IsDir() {
		return []string{p}, nil
	}
	files, err := filepath.Glob(filepath.Join(p, "*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no *.yaml files in this directory; %s", p, instead(p))
	}
	slices.Sort(files)
	return files, nil
}

// instead says what to do about a directory without *.yaml files.
func instead(dir string) string {
	for _, ext := range []string{"*.yml", "*.json"} {
		if files, err := filepath.Glob(filepath.Join(dir, ext)); err == nil && len(files) > 0 {
			return fmt.Sprintf("of a directory only *.yaml is read; name the %s files", ext)
		}
	}
	return "name a topology file"
}

// compileNetwork takes sources all the way to intended configuration. releases overrides the
// release of all devices of an operating system.
func compileNetwork(t *terminal, srcs []topology.Source, releases map[string]string) (*network, error) {
	n, err := designNetwork(t, srcs, releases)
	if err != nil {
		return nil, err
	}
	return n, n.render()
}

// compilePaths takes topology files all the way to intended configuration.
func compilePaths(t *terminal, paths []string, releases map[string]string) (*network, error) {
	srcs, err := sources(paths)
	if err != nil {
		return nil, err
	}
	return compileNetwork(t, srcs, releases)
}

// designNetwork takes sources to a design, without the configuration of any device.
func designNetwork(t *terminal, srcs []topology.Source, releases map[string]string) (*network, error) {
	topo, diags := topology.Parse(srcs...)
	if diags.HasErrors() {
		return nil, invalid(diags)
	}
	if err := overrideReleases(topo.Intent, releases); err != nil {
		return nil, err
	}
	n, more := buildNetwork(topo, topo)
	if diags = append(diags, more...); diags.HasErrors() {
		return nil, invalid(diags)
	}
	for _, d := range diags {
		t.notef("%s\n", d)
	}
	n.watch = t
	return n, nil
}

// compileIntent takes an intent that comes from no file all the way to intended configuration;
// places knows the file that most of it came from.
func compileIntent(topo, places *topology.Topology) (*network, error) {
	n, diags := buildNetwork(topo, places)
	if diags.HasErrors() {
		return nil, invalid(diags)
	}
	return n, n.render()
}

func buildNetwork(topo, places *topology.Topology) (*network, topology.Diagnostics) {
	design, diags := fabric.Compile(topo)
	return &network{topo: topo, places: places, design: design}, diags
}

// render decides the configuration of every device. What cannot be rendered is a mistake of the
// topology, shown at the line that asks for it.
func (n *network) render() (err error) {
	if n.trees, err = renderAll(n.design); err == nil {
		return nil
	}
	return invalid(n.mistakes(err, nil))
}

// invalid sorts diagnostics by place and makes them the error of a command.
func invalid(diags topology.Diagnostics) error {
	diags.Sort()
	return invalidError{diags}
}

// invalidError prints each diagnostic on its own line, and then how many there are.
type invalidError struct{ diags topology.Diagnostics }

func (e invalidError) Error() string {
	var b strings.Builder
	errs := 0
	for _, d := range e.diags {
		fmt.Fprintf(&b, "\n%s", d)
		if d.Severity == topology.Error {
			errs++
		}
	}
	return fmt.Sprintf("%d %s in the topology:%s", errs, plural(errs, "error"), b.String())
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// overrideReleases sets the release of every device whose platform runs the given system.
func overrideReleases(in *intent.Topology, releases map[string]string) error {
	for os, rel := range releases {
		drv, ok := drivers[os]
		if !ok {
			return fmt.Errorf("--release %s=%s: no driver %q; there is %s", os, rel, os, strings.Join(driverNames(), ", "))
		}
		if drv.Schema.Release(rel) < 0 {
			return fmt.Errorf("--release %s=%s: %s knows %s", os, rel, os, strings.Join(drv.Schema.Releases, ", "))
		}
		for _, site := range in.Sites {
			for _, d := range site.Devices {
				if p, ok := hardware.Lookup(d.Platform); ok && p.OS == os {
					d.Release = rel
				}
			}
		}
	}
	return nil
}

func driverNames() []string {
	var out []string
	for name := range drivers {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// renderAll renders every device, as many at a time as there are processors.
func renderAll(design *fabric.Design) (map[string]*config.Tree, error) {
	return new(renderer).render(design)
}

// renderer renders one design after another. A device that both have, the same by pointer (see
// fabric.Compiler), keeps its tree. It is not safe for concurrent use.
type renderer struct {
	last map[*fabric.Device]*config.Tree
	work int // devices that were rendered, in all
}

func (r *renderer) render(design *fabric.Design) (map[string]*config.Tree, error) {
	trees := make([]*config.Tree, len(design.Devices))
	errs := make([]error, len(design.Devices))
	var wg sync.WaitGroup
	work := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range work {
				d := design.Devices[i]
				if trees[i], errs[i] = drivers[d.OS].Render(d); errs[i] != nil {
					errs[i] = &renderError{d, errs[i]}
				}
			}
		})
	}
	for i, d := range design.Devices {
		if trees[i] = r.last[d]; trees[i] == nil {
			r.work++
			work <- i
		}
	}
	close(work)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	out := make(map[string]*config.Tree, len(trees))
	r.last = make(map[*fabric.Device]*config.Tree, len(trees))
	for i, d := range design.Devices {
		out[d.Name], r.last[d] = trees[i], trees[i]
	}
	return out, nil
}

// releaseFlag is --release OS=REL, repeatable.
func releaseFlag(c *cobra.Command) *map[string]string {
	return c.Flags().StringToString("release", nil, "render for another `OS=RELEASE` than the topology says (srlinux=24.10)")
}

// formatFlag is --format with the formats a command knows, the first one being the default.
func formatFlag(c *cobra.Command, formats ...string) *string {
	f := c.Flags().String("format", formats[0], "output format: "+strings.Join(formats, ", "))
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	pre := c.PreRunE
	c.PreRunE = func(cmd *cobra.Command, args []string) error {
		if !slices.Contains(formats, *f) {
			return fmt.Errorf("--format %s: unknown; use %s", *f, strings.Join(formats, ", "))
		}
		if pre != nil {
			return pre(cmd, args)
		}
		return nil
	}
	return f
}

// yamlFiles completes PATH arguments.
func yamlFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml", "json"}, cobra.ShellCompDirectiveFilterFileExt
}
