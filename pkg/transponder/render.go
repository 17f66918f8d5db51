package transponder

import (
	"fmt"
	"math"
	"strconv"

	oc "github.com/loomfabric/loom/models/openconfig"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// renderer writes one device's configuration; each feature file adds methods to it.
type renderer struct {
	*config.Builder
	d *fabric.Device
}

// Render decides the intended configuration of a transponder or line system. Every leaf carries the object of the
// intent that caused it and the rule that made it. An error means that the design asks for what such a device
// cannot do.
func Render(d *fabric.Device) (*config.Tree, error) {
	if err := check(d); err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	b, err := config.NewBuilder(oc.Schema, d.Release)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	raw, err := rawPaths(d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	r := renderer{b, d}
	r.Beside(oc.ComponentsComponentName, chassisComponent, osComponent) // a raw leaf may refer to them
	r.names()
	r.clients()
	r.channels()
	r.spare()
	r.amplifiers()
	r.attenuators()
	r.mediaChannels()
	r.raw(raw)
	tree, err := r.Tree()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	if out := Scope(d).Outside(tree); len(out) > 0 {
		at := tree.Find(out[0])
		return nil, fmt.Errorf("%s: %w", d.Name, &config.CausedError{Cause: at.Cause(),
			Err: fmt.Errorf("%s: outside of what Loom owns on transponders and line systems; remove it from the topology", out[0])})
	}
	return tree, nil
}

// because notes what causes the leaves that follow.
func (r renderer) because(ref fabric.Ref, rule string) { r.Cause(string(ref), rule) }

// component enters a component, with its name where OpenConfig wants it.
func (r renderer) component(name string, body func()) {
	r.In(oc.ComponentsComponent, name, func() {
		r.Str(oc.ComponentsComponentConfigName, name)
		body()
	})
}

// bare is the body of an entry that has nothing but its name.
func bare() {}

// hundredths writes dB and dBm as decimal64 has them.
func (r renderer) hundredths(id config.ID, v float64) {
	r.Str(id, strconv.FormatFloat(math.Round(v*100)/100, 'f', 2, 64))
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

// raw sets the leaves that the operator gave by path.
func (r renderer) raw(paths []config.Path) {
	for i, leaf := range r.d.Raw {
		r.because(leaf.Ref, "raw")
		r.SetPath(paths[i], leaf.Value)
	}
}

func rawPaths(d *fabric.Device) ([]config.Path, error) {
	var out []config.Path
	for _, leaf := range d.Raw {
		p, err := config.ParsePath(leaf.Path)
		if err != nil {
			return nil, &config.CausedError{Cause: config.Cause{Ref: string(leaf.Ref), Rule: "raw"}, Err: fmt.Errorf("raw path %s: %w", leaf.Path, err)}
		}
		out = append(out, p)
	}
	return out, nil
}
