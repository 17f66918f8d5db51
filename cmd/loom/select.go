package main

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/spf13/cobra"
)

// limitFlag is --limit: the devices that a command looks at.
func limitFlag(c *cobra.Command) *string {
	f := c.Flags().String("limit", "", "only devices that match `SELECTOR`: names, globs, roles, sites or label:NAME, comma-separated (leaf1,spine*,label:gpu)")
	words := slices.Sorted(maps.Values(plurals))
	_ = c.RegisterFlagCompletionFunc("limit", cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	return f
}

// selectDevices returns the names of the devices that a selector matches, in the design's order,
// and those that it leaves out. An empty selector matches all.
func selectDevices(d *fabric.Design, selector string) (in, out []string, err error) {
	return selectBy(d, "--limit", selector)
}

// selectBy is selectDevices for another flag than --limit.
func selectBy(d *fabric.Design, flag, selector string) (in, out []string, err error) {
	if selector == "" {
		for _, dev := range d.Devices {
			in = append(in, dev.Name)
		}
		return in, nil, nil
	}
	terms := strings.Split(selector, ",")
	used := make([]bool, len(terms))
	for _, dev := range d.Devices {
		hit := false
		for i, term := range terms {
			ok, err := matches(dev, strings.TrimSpace(term))
			if err != nil {
				return nil, nil, fmt.Errorf("%s %s: %w", flag, term, err)
			}
			used[i] = used[i] || ok
			hit = hit || ok
		}
		if hit {
			in = append(in, dev.Name)
		} else {
			out = append(out, dev.Name)
		}
	}
	if i := slices.Index(used, false); i >= 0 {
		return nil, nil, fmt.Errorf("%s %s: matches no device; `loom query devices` lists them", flag, terms[i])
	}
	return in, out, nil
}

func matches(d *fabric.Device, term string) (bool, error) {
	if label, ok := strings.CutPrefix(term, "label:"); ok {
		return slices.Contains(d.Labels, label), nil
	}
	if term == string(d.Role) || term == plurals[d.Role] || term == d.Site {
		return true, nil
	}
	ok, err := path.Match(term, d.Name)
	if err != nil {
		return false, errors.New("a [ that is never closed, or nothing in it; write names, or globs such as leaf*")
	}
	return ok, nil
}

var plurals = map[fabric.Role]string{
	fabric.Leaf: "leaves", fabric.Spine: "spines", fabric.Gateway: "gateways", fabric.Transponder: "transponders", fabric.LineSystem: "lines",
}
