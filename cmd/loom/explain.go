package main

import (
	"fmt"
	"strings"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/spf13/cobra"
)

// explanation is one leaf with what caused it.
type explanation struct {
	Device string `json:"device"`
	Path   string `json:"path"`
	Value  string `json:"value"`
	Ref    string `json:"ref"`
	Rule   string `json:"rule"`
	At     string `json:"at,omitempty"`
}

func explainCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "explain DEVICE PATH-ON-DEVICE [PATH...]",
		Short: "Say why a leaf has its value",
		Long: `Prints a leaf of a device's intended configuration, or every leaf below a path, with the
object of the topology that caused it, its file:line:column, and the rule that made it.
A * stands for any key.`,
		Example: `  loom explain leaf3 /interface[name=ethernet-1/49]/mtu topologies/demo.yaml
  loom explain spine1 /bfd topologies/demo.yaml --format json
  loom explain spine1 /bfd --server --topology demo`,
		Args: needs(2, "a device and a path on it"),
		ValidArgsFunction: func(c *cobra.Command, args []string, s string) ([]string, cobra.ShellCompDirective) {
			if len(args) < 2 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return yamlFiles(c, args, s)
		},
	}
	format := formatFlag(c, "text", "json")
	releases, q := releaseFlag(c), questionFlags(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		var found []explanation
		there, err := q.there()
		switch {
		case err != nil:
		case there:
			err = q.ask(cmd.Context(), args[2:], *releases, func(x *client, of controller.Subject) (err error) {
				found, err = x.explain(cmd.Context(), of, args[0], args[1])
				return err
			})
		default:
			var n *network
			if n, err = compilePaths(t, args[2:], *releases); err == nil {
				found, err = n.explain(args[0], args[1])
			}
		}
		if err != nil {
			return err
		}
		if *format == "json" {
			return t.json(found)
		}
		if len(found) == 1 {
			found[0].print(t)
			return nil
		}
		return explanations(args[1], found).print(t, "text")
	}
	return c
}

// print shows one leaf with all there is to know of it.
func (e explanation) print(t *terminal) {
	t.printf("%s %s = %s\n  because of  %s\n", e.Device, e.Path, e.Value, e.Ref)
	if e.At != "" {
		t.printf("  at          %s\n", e.At)
	}
	t.printf("  rule        %s\n", e.Rule)
}

// explanations is a table with a leaf a line, paths shown from the one that was asked for.
func explanations(asked string, found []explanation) table {
	out := table{header: []string{"below " + asked, "value", "rule", "because of", "at"}}
	for _, e := range found {
		out.rows = append(out.rows, []string{strings.TrimPrefix(e.Path, asked), e.Value, e.Rule, e.Ref, e.At})
	}
	return out
}

// explain finds the leaves at and below a path.
func (n *network) explain(name, path string) ([]explanation, error) {
	tree, ok := n.trees[name]
	if !ok {
		return nil, fmt.Errorf("%s: no such device in %s; `loom query devices` lists them", name, n.design.Name)
	}
	p, err := config.ParsePath(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := n.known([]string{name}, p); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var out []explanation
	leaves(tree.Root(), func(c config.Cursor) {
		if at := c.Path(); matchesPath(at, p) {
			k := c.Cause()
			out = append(out, explanation{name, at.String(), c.Shown(), k.Ref, k.Rule, n.at(k.Ref)})
		}
	})
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: %s: not in the intended configuration", name, path)
	}
	return out, nil
}

// leaves visits every value at and below a cursor.
func leaves(c config.Cursor, visit func(config.Cursor)) {
	n := 0
	for child := range c.Children() {
		leaves(child, visit)
		n++
	}
	if k := c.Node().Kind; n == 0 && (k == config.Leaf || k == config.LeafList || k == config.Presence) {
		visit(c)
	}
}
