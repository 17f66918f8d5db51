// Command loom turns a topology file into the configuration of a whole datacenter fabric, pushes it
// over gNMI as one safe change, and keeps the network as intended. It is one binary: command line
// and simulator; a file per command, and the only place where the packages meet.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes that scripts and CI rely on.
const (
	exitOK         = 0
	exitError      = 1 // nothing was changed
	exitChanges    = 2 // plan: there are changes
	exitRolledBack = 3 // apply: undone, every device as before
	exitMixed      = 4 // apply: ended in a named state that is neither
)

// exit is an error that decides the process's exit code. A nil Err prints nothing.
type exit struct {
	code int
	err  error
}

func (e exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e exit) Unwrap() error { return e.err }

func main() {
	// A reader that goes away must not end a transaction half way: writes fail instead.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(run(interruptible(), os.Args[1:], newTerminal(os.Stdin, os.Stdout, os.Stderr)))
}

// interruptible ends at the first signal, which asks to end. The second one ends the program: what the signals do by themselves is
// back before anybody hears of the first, so that none is lost.
func interruptible() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		s := <-signals
		signal.Stop(signals)
		cancel(fmt.Errorf("%v signal received", s))
	}()
	return ctx
}

// run is the whole program but for the process around it, so that tests can call it.
func run(ctx context.Context, args []string, t *terminal) int {
	root := newRoot(t)
	root.SetArgs(args)
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitError
	if e := (exit{}); errors.As(err, &e) {
		code = e.code
		err = e.err
	}
	if err != nil && !errors.Is(err, syscall.EPIPE) { // whoever reads has had enough
		fmt.Fprintf(t.err, "loom: %v\n", err)
	}
	return code
}

func newRoot(t *terminal) *cobra.Command {
	root := &cobra.Command{
		Use:   "loom",
		Short: "Datacenter fabrics from one topology file",
		Long: `Loom turns a short topology file into the exact configuration of every device of
leaf-spine fabrics, of the gateways between them and of the light that joins them, shows
what would change, and pushes it over gNMI as one change that is all or nothing.

Start here:
  loom init fabric.yaml            write a small topology to begin with
  loom validate fabric.yaml        check it; every mistake with file:line:column
  loom render fabric.yaml -o out   the configuration of every device, as JSON
  loom demo                        a guided tour on simulated devices
  loom demo topologies/stitched.yaml
                                   the same for two sites: gateways with SR OS, and light

PATH... are topology files, merged; a directory means its *.yaml files.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		initCommand(t), validateCommand(t), fmtCommand(t), renderCommand(t), planCommand(t), applyCommand(t), transactionsCommand(t), rollbackCommand(t), checkCommand(t),
		explainCommand(t), queryCommand(t), opticsCommand(t), drainCommand(t), undrainCommand(t), backupCommand(t), storeCommand(t), exportCommand(t), simCommand(t), demoCommand(t),
		trustCommand(t), serveCommand(t), contextCommand(t), intentCommand(t), devicesCommand(t), driftCommand(t), findingsCommand(t), maintenanceCommand(t), sourceCommand(t), eventsCommand(t), auditCommand(t), versionCommand(t), schemaCommand(t),
	)
	root.AddCommand(roleCommand(t), certificateCommand(t), breakGlassCommand(t), plansCommand(t))
	root.AddCommand(testCommands(t)...)
	return root
}
