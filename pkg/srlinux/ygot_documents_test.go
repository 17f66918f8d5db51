//go:build !race

package srlinux

import (
	"os"
	"slices"
	"testing"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

func TestYgotReadsAndValidatesEveryDocument(t *testing.T) {
	t.Parallel()
	eachRendered(t, func(t *testing.T, f fixture, d *fabric.Device, tree *config.Tree) {
		if !first(f.design, d) && os.Getenv("LOOM_SOAK") == "" {
			return // a document costs ygot a quarter of a second
		}
		if err := unmarshal(t, tree).Validate(); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
	})
}

func TestYgotReadsAndValidatesAGateway(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]*fabric.Device{"whole": gateway(t), "broken out": gateway(t, brokenTo(4, "1021"))} {
		if err := unmarshal(t, render(t, d)).Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// first tells whether a device is the first of its role: the models know no platforms.
func first(design *fabric.Design, d *fabric.Device) bool {
	return d == design.Devices[slices.IndexFunc(design.Devices, func(o *fabric.Device) bool { return o.Role == d.Role })]
}
