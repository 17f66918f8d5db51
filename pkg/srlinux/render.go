package srlinux

import (
	"fmt"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// renderer writes one device's configuration; each feature file adds methods to it.
type renderer struct {
	*config.Builder
	d *fabric.Device
}

// Render decides the intended configuration of one device. Every leaf carries the object of the
// intent that caused it and the rule that made it. An error means that the design asks for
// something that the release cannot express.
func Render(d *fabric.Device) (*config.Tree, error) {
	b, err := config.NewBuilder(srl.Schema, d.Release)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	raw, err := rawPaths(d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	r := renderer{b, d}
	if err := r.canLight(); err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	r.beside()
	r.system()
	r.loopback()
	r.breakouts()
	r.fabricPorts()
	r.coherentPorts()
	r.accessPorts()
	r.lags()
	r.unusedPorts()
	r.bfd()
	r.policies()
	r.defaultInstance()
	r.underlay()
	r.overlay()
	r.gateways()
	r.macVRFs()
	r.ipVRFs()
	r.tunnels()
	r.ethernetSegments()
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

// beside names what a router has outside of the scope, so that a raw leaf may refer to it.
func (r renderer) beside() {
	r.Beside(srl.NetworkInstanceName, "mgmt")
	r.Beside(srl.InterfaceName, "mgmt0")
	r.Beside(srl.SystemTlsServerProfileName)
}

// because notes what causes the leaves that follow.
func (r renderer) because(ref fabric.Ref, rule string) { r.Cause(string(ref), rule) }

// enable sets an admin-state leaf. It is rendered even where it is the default, so that a reader of
// the document need not know the default.
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

// bare is the body of an entry that has nothing but its keys.
func bare() {}
