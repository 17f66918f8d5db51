// Package crash names the points at which a test may kill the process, so that "what if it dies
// just here" is a list that tests walk through and not a guess with timers.
//
// A point costs nothing in a normal build: Here is empty and nothing reads the environment. With the
// build tag crashpoints the environment says what happens:
//
//	LOOM_CRASH=NAME          the process kills itself with SIGKILL when it passes NAME
//	LOOM_CRASH=NAME#3        ... when it passes NAME for the third time
//	LOOM_CRASH_FILE=FILE     ... as FILE says, NAME or NAME#3, from when it is there: passes count from then on
//	LOOM_CRASH_HOOK=COMMAND  instead of dying there, COMMAND runs to its end with NAME as its argument
//	LOOM_CRASH_LOG=FILE      each pass of each point appends its name as a line
package crash

import (
	"maps"
	"slices"
	"sync"
)

var registry = struct {
	sync.Mutex
	points map[string]*Point
}{points: map[string]*Point{}}

// New registers a point. Names read from the whole to the detail: "transaction.decided.after".
// It is for variables of packages: a name that is taken, or none, is the programmer's error and panics.
func New(name string) *Point {
	registry.Lock()
	defer registry.Unlock()
	if name == "" {
		panic("crash: a point without a name")
	}
	if registry.points[name] != nil {
		panic("crash: two points are called " + name)
	}
	p := &Point{name: name}
	registry.points[name] = p
	return p
}

// Names lists every registered point, sorted.
func Names() []string {
	registry.Lock()
	defer registry.Unlock()
	return slices.Sorted(maps.Keys(registry.points))
}
