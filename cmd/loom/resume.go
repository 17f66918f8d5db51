package main

import (
	"errors"

	"github.com/loomfabric/loom/pkg/transaction"
	"github.com/spf13/cobra"
)

func transactionsResume(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "resume PATH...",
		Short: "End the transaction that an interrupted loom apply has left open",
		Long: `Goes on with what the journal says was promised, whatever the topology says today: with a decision in
the journal every device gets the change, without one every device goes back. Of a change in parts all
go back unless the last is decided: no part is begun now. Nothing is planned, and nothing else is changed. loom apply does the same before it plans.

With --server name the topology: its controller ends by itself what it has left open, and tries again each minute; this has it try now.

Exit code: 0 done or nothing to do, 1 error before any change, 3 rolled back, 4 ended in a named mixed state.`,
		Example: `  loom transactions resume topologies/demo.yaml --inventory sim.json
  loom transactions resume demo --server`,
		Args:              namedFiles,
		ValidArgsFunction: yamlFiles,
	}
	access, f, format := accessFlags(c), addStoreFlags(c), formatFlag(c, "text", "json")
	server := serverFlag(c)
	parallel := c.Flags().Int("parallel", 16, "devices that are spoken to at the same time")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if *server != "" {
			if len(args) != 1 {
				return errors.New("resume: with --server name one topology, as loom intent list shows it")
			}
			return resumeThere(cmd.Context(), t, *server, args[0], *format == "json")
		}
		srcs, err := sources(args)
		if err != nil {
			return err
		}
		n, err := designNetwork(t, srcs, nil)
		if err != nil {
			return err
		}
		r, err := access.resolve(n)
		if err != nil {
			return err
		}
		k, err := f.keep(cmd.Context(), t, dataDir(srcs), n.design.Name)
		if err != nil {
			return err
		}
		defer k.close()
		r.election, r.sets = uint64(k.lease.Epoch), k.sets
		quiet := *format == "json"
		shown, stop := newProgress(t, quiet)
		defer stop()
		res, err := newJournal(k).resume(cmd.Context(), t, r, *parallel, shown)
		if err != nil {
			return err
		}
		return told(t, n.design.Name, res, quiet)
	}
	return c
}

// told says how a resumed transaction ended; nil means that there was none.
func told(t *terminal, topology string, res *transaction.Result, asJSON bool) error {
	switch {
	case asJSON && res == nil:
		return t.json(struct{}{})
	case asJSON:
		if err := t.json(res); err != nil {
			return err
		}
	case res == nil:
		t.printf("%s: no transaction is open\n", topology)
	default:
		t.printf("%s: transaction %s: %s\n%s", topology, res.ID, res.Outcome, stateText(*res))
	}
	if res == nil || res.Outcome == transaction.Unchanged {
		return nil
	}
	return outcomeError(*res)
}
