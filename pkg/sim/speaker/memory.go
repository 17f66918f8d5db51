package speaker

import (
	"os"
	"runtime/debug"
)

// A network of many routers makes garbage as fast as it has routes to exchange: 60 leaves with 4 reflectors take 800 MB
// at Go's default, for 340 MB that are in use. So while there is one the garbage collector runs more often, unless
// the environment says how often it should (GOGC).
const (
	many      = 32 // routers
	gcPercent = 45
)

// thrift counts the networks of many routers; pool.mu guards it.
var thrift struct{ networks, before int }

func saveMemory(routers int) {
	if routers < many || os.Getenv("GOGC") != "" {
		return
	}
	if thrift.networks++; thrift.networks == 1 {
		thrift.before = debug.SetGCPercent(gcPercent)
	}
}

func spendMemory(routers int) {
	if routers < many || os.Getenv("GOGC") != "" {
		return
	}
	if thrift.networks--; thrift.networks == 0 {
		debug.SetGCPercent(thrift.before)
	}
}
