package sros

import (
	"fmt"
	"strconv"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// renderer writes one gateway's configuration; each feature file adds methods to it.
type renderer struct {
	*config.Builder
	d *fabric.Device
}

// Render decides the intended configuration of one gateway. Every leaf carries the object of the intent that caused it and the
// rule that made it. An error means that the design asks for something that the driver or the release cannot express.
func Render(d *fabric.Device) (*config.Tree, error) {
	b, err := config.NewBuilder(sros.Schema, d.Release)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	raw, err := rawPaths(d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	r := renderer{b, d}
	if err := r.canRender(); err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	r.system()
	r.cards()
	r.connectors()
	r.coherentPorts()
	r.fabricPorts()
	r.unusedPorts()
	r.lags()
	r.policies()
	r.sides()
	r.inRouter(func() {
		r.router()
		r.systemInterface()
		r.linkInterfaces()
		r.trunkInterfaces()
		r.advertisements()
		r.labels()
		r.bgp()
		r.isis()
	})
	r.services()
	r.raw(raw)
	tree, err := r.Tree()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	if err := check(tree, d); err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	return tree, nil
}

// base is the router that is always there.
const base = "Base"

// inRouter writes below /configure/router[router-name=Base].
func (r renderer) inRouter(body func()) { r.In(sros.ConfigureRouter, base, body) }

// because notes what causes the leaves that follow.
func (r renderer) because(ref fabric.Ref, rule string) { r.Cause(string(ref), rule) }

// enable sets an admin-state leaf. It is rendered even where it is the default, so that a reader of the document need not know
// the default.
func (r renderer) enable(id config.ID) { r.Str(id, "enable") }

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

func decimal[N uint32 | uint64 | int](n N) string { return strconv.FormatUint(uint64(n), 10) }

// bare is the body of an entry that has nothing but its keys.
func bare() {}
