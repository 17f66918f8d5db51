package device

import "github.com/loomfabric/loom/pkg/crash"

// leaving are where a test kills the process: a request that can change the device has been given to the
// transport, and nobody has seen an answer. Whether it has reached the device is open, as it is when a
// machine loses its power.
var leaving = func() map[string]*crash.Point {
	out := map[string]*crash.Point{}
	for _, op := range []string{"set", "extend", "confirm", "cancel", "save"} {
		out[op] = crash.New("device " + op + " sent")
	}
	return out
}()
