package transaction

import "github.com/loomfabric/loom/pkg/crash"

// point is where a test kills the process: just before an effect that outlives it, and just after.
type point struct{ before, after *crash.Point }

// points are all of them: each call to a device, and each kind of record.
var points = func() map[string]point {
	out := map[string]point{}
	for _, name := range []string{
		string(Read), string(Send), string(Extend), string(Confirm), string(Cancel), string(Mend), string(Save), string(Check),
		"write " + string(Planned), "write " + string(Sending), "write " + string(Noted), "write " + string(Ended),
		"write " + string(Commit), "write " + string(Abort),
	} {
		out[name] = point{crash.New("transaction " + name + " before"), crash.New("transaction " + name + " after")}
	}
	return out
}()

// holding is where a test kills the process that waits for somebody to say that all is well.
var holding = crash.New("transaction hold")

// point names the record among the points.
func (r Record) point() string {
	if r.Kind == Decided {
		return "write " + string(r.Decision)
	}
	return "write " + string(r.Kind)
}
