package main

import (
	"errors"
	"flag"
	"os/exec"
	"sync"
)

var update = flag.Bool("update", false, "rewrite the golden files and the expected output of the scripts")

// sims holds the running simulation of each scenario, by its work directory.
var sims sync.Map

// exitStatus is the exit code of a process that ended with one other than 0.
func exitStatus(err error) (int, bool) {
	if e := (*exec.ExitError)(nil); errors.As(err, &e) {
		return e.ExitCode(), true
	}
	return 0, false
}
