package verify_test

import (
	"os"
	"strings"
	"testing"

	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/verify"
)

// Between sites that a router joins which Loom does not manage: of its ports nothing is asked, and it is a way as long as the cables to
// it are up.
func TestSessionsOverAnExternalRouterAreHeldAgainstItsCables(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../topologies/basic-dci-lab.yaml")
	if err != nil {
		t.Fatal(err)
	}
	out := func(l *fabric.Link) bool { return l.External }
	var got strings.Builder
	for _, f := range []struct {
		name string
		do   func(*world)
	}{
		{"nothing is broken", func(*world) {}},
		{"a gateway's cable to the router is cut", func(w *world) {
			for n := range w.design.Device("dc1-gateway1").Links {
				if l := &w.design.Device("dc1-gateway1").Links[n]; out(l) {
					w.port("dc1-gateway1", l.Port, func(i *verify.Interface) { i.Up, i.Reason, i.Far = false, "no-signal", nil })
				}
			}
			for _, far := range []string{"dc2-gateway1", "dc2-gateway2"} {
				w.hang("dc1-gateway1", w.design.Device(far).Loopback, idle)
				w.hang(far, w.design.Device("dc1-gateway1").Loopback, idle)
			}
		}},
		{"a session is down though the cables are up", func(w *world) {
			w.hang("dc1-gateway2", w.design.Device("dc2-gateway1").Loopback, idle)
		}},
	} {
		w := newWorld(t, string(source))
		f.do(w)
		got.WriteString("-- " + f.name + " --\n" + text(verify.Check(w.design, w.Observed)))
	}
	golden(t, "external.golden", got.String())
}
