//go:build !race

package transponder

import (
	"testing"

	"github.com/loomfabric/loom/models/openconfig/ygotoc"
	"github.com/loomfabric/loom/pkg/fabric"
)

func TestYgotReadsAndValidatesEveryDocument(t *testing.T) {
	t.Parallel()
	_, design, _ := compiled(t)
	all := []*fabric.Device{muxponder(t), terminal(t), hut(t)}
	for _, d := range design.Devices {
		if d.OS == OS {
			all = append(all, d)
		}
	}
	for _, d := range all {
		got := &ygotoc.Device{}
		if err := ygotoc.Unmarshal(document(render(t, d)), got); err != nil {
			t.Fatalf("%s: %v", d.Name, err)
		}
		if err := got.Validate(); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
	}
}
