package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// scriptSettles is the command `settles FILE N COMMAND...` of scenarios: it runs loom, whenever a simulated
// device shows something new, until it prints what is in the file, where … is anything in a line, and ends with
// the exit code.
func scriptSettles(ts *testscript.TestScript, _ bool, args []string) {
	want := ts.ReadFile(args[0])
	pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*") + "$")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	w := watched{sim: simOf(ts)}
	ts.Check(w.until(ctx, time.Minute, func() string {
		code := 0
		if err := ts.Exec("loom", args[2:]...); err != nil {
			code, _ = exitStatus(err)
		}
		if got := fmt.Sprint(code); got != args[1] {
			return "exit code " + got + ", want " + args[1] + "\n" + ts.ReadFile("stdout")
		}
		if got := ts.ReadFile("stdout"); !pattern.MatchString(got) {
			return cmp.Diff(want, got)
		}
		return ""
	}))
}
