package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/loomfabric/loom/pkg/sim"
)

// A simulation makes garbage whenever something changes, and then rests: at Go's default half of its memory would be
// garbage that stays. So the garbage collector of a process that only simulates runs more often, unless the environment says
// how often it should (GOGC), and what is free is given back to the system when the simulation has come to rest.
const (
	simGCPercent = 30
	restInterval = 500 * time.Millisecond
	putAwayAfter = 2 * time.Second // longer than a client takes between two looks at what it is about to change
)

// saveMemory makes this process one that makes little garbage.
func saveMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(simGCPercent)
	}
}

// keepSmall lets devices put away what nobody has looked at lately, and gives back what is free, until ctx ends.
func keepSmall(ctx context.Context, s *sim.Sim) {
	var r rest
	tick := time.NewTicker(restInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.PutAway(putAwayAfter)
			if r.comes(allocated()) {
				debug.FreeOSMemory()
			}
		}
	}
}

// allocated is how many bytes this process has ever allocated on its heap.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// rest tells when a process comes to rest, by what it allocates: less than little in each of some intervals, after more than
// much since the rest before.
type rest struct {
	last, before uint64
	quiet        int // intervals
}

const (
	little = 2 << 20
	much   = 32 << 20
	quiet  = 8
)

// comes returns whether this is the interval in which rest comes. total is what was ever allocated.
func (r *rest) comes(total uint64) bool {
	if r.quiet++; total-r.last >= little {
		r.quiet = 0
	}
	r.last = total
	if r.quiet < quiet || total-r.before < much {
		return false
	}
	r.before = total
	return true
}
