// Command check holds the records of a run against each other again, as the test did that has saved them:
//
//	go run ./pkg/evidence/check out/chaos/SEED
package main

import (
	"fmt"
	"os"

	"github.com/loomfabric/loom/pkg/evidence"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: check DIR, with the records of a run")
		os.Exit(2)
	}
	run, err := evidence.Load(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	report := evidence.Check(run)
	fmt.Println(report)
	if len(report.Findings) > 0 {
		os.Exit(1)
	}
}
