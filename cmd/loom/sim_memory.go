package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A simulation makes garbage whenever something changes, and then rests: at Go's default half of its memory would be
// garbage that stays. So the garbage collector of a process that only simulates runs more often, unless the environment says
// how often it should (GOGC), and what is free is given back to the system when the simulation has come to rest.
const (
	simGCPercent = 30
	restInterval = 500 * time.Millisecond
)

// saveMemory makes this process one that takes little memory, until ctx ends.
func saveMemory(ctx context.Context) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(simGCPercent)
	}
	go func() {
		var r rest
		tick := time.NewTicker(restInterval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if r.comes(allocated()) {
					debug.FreeOSMemory()
				}
			}
		}
	}()
}

// allocated is how many bytes this process has ever allocated on its heap.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// rest tells when a process comes to rest, by what it allocates: less than little in an interval, after more than much
// since the rest before.
type rest struct{ last, before uint64 }

const (
	little = 2 << 20
	much   = 32 << 20
)

// comes returns whether this is the interval in which rest comes. total is what was ever allocated.
func (r *rest) comes(total uint64) bool {
	quiet := total-r.last < little
	r.last = total
	if !quiet || total-r.before < much {
		return false
	}
	r.before = total
	return true
}
