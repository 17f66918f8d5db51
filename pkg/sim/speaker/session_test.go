package speaker

import (
	"testing"
	"time"

	"github.com/loomfabric/loom/pkg/sim/network"
)

func TestTwoRoutersExchangeTheirLoopbacksOverEBGP(t *testing.T) {
	t.Parallel()
	l := newLab(t, "a", "b")
	l.join("a", "b")
	start := time.Now()
	l.until("sessions stand", established("a", "b"))
	l.until("b has a's loopback", has("b", "10.0.0.1/32"))
	t.Log(time.Since(start))
	r := l.network.Routing()
	p := path(r, "b", "10.0.0.1/32")
	if p.NextHop.String() != "10.1.0.0" || len(p.ASPath) != 1 || p.ASPath[0] != 65001 {
		t.Errorf("path %+v", p)
	}
	_ = network.Established
}
