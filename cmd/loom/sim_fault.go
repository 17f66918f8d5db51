package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/sim"
	"github.com/loomfabric/loom/pkg/sim/simapi"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/status"
)

// simFaultCommand is `loom sim fault`: what goes wrong in a simulation that runs.
func simFaultCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "fault",
		Short: "Let things go wrong in a running simulation",
		Long: `Injects faults into a running simulation, lists them and clears them, one by one or by a scenario.
The simulation is found in the inventory that loom sim has written.`,
	}
	c.AddCommand(faultAddCommand(t), faultListCommand(t), faultClearCommand(t), faultRunCommand(t), faultKindsCommand(t))
	return c
}

func faultAddCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "add KIND TARGET",
		Short: "Inject a fault and print its id",
		Long: `Injects a fault into a running simulation and prints the id by which it is cleared. TARGET is a device
(leaf1), a port (leaf1:ethernet-1/1), a cable by one of its ends, a duct or a line by its name, a
line in one of its ducts (long:north2), or an amplifier (long-hut1:long-there). loom sim fault kinds
lists the kinds, and which of the flags each takes.`,
		Example: `  loom sim fault add cut leaf1:ethernet-1/49 --inventory sim.json
  loom sim fault add refuse leaf1 --code FAILED_PRECONDITION --times 3 --inventory sim.json
  loom sim fault add fibre-loss river --loss 3 --delay 1h --inventory sim.json
  loom sim fault add reboot leaf1 --on commit --form answered --boot previous --inventory sim.json`,
		Args: needs(2, "a kind and a target"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, k := range sim.Kinds() {
				names = append(names, k.Name)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
	a := inventoryFlag(c)
	for _, p := range sim.Parameters() {
		c.Flags().String(p.Name, "", p.Help)
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		// A cable's id has blanks: it need not be quoted.
		f := &simapi.Fault{Kind: args[0], Target: strings.Join(args[1:], " "), Parameters: map[string]string{}}
		for _, p := range sim.Parameters() {
			if flag := cmd.Flags().Lookup(p.Name); flag.Changed {
				f.Parameters[p.Name] = flag.Value.String()
			}
		}
		return a.control(func(s *simapi.Client) error {
			resp, err := s.Inject(cmd.Context(), &simapi.InjectRequest{Fault: f})
			if err == nil {
				t.printf("%s\n", resp.GetId())
			}
			return err
		})
	}
	return c
}

func faultListCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the faults that are active",
		Long:    "Lists the faults that are active in a running simulation, with how often each has struck.",
		Example: "  loom sim fault list --inventory sim.json",
		Args:    noArguments,
	}
	a := inventoryFlag(c)
	format := formatFlag(c, "text", "json", "csv")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.control(func(s *simapi.Client) error {
			resp, err := s.List(cmd.Context(), &simapi.ListRequest{})
			if err != nil {
				return err
			}
			return faultsTable(resp.GetFaults()).print(t, *format)
		})
	}
	return c
}

func faultsTable(faults []*simapi.Injected) table {
	out := table{header: []string{"id", "since", "struck", "fault"}}
	for _, f := range faults {
		text := strings.Join(faultWords(f.GetFault()), " ")
		out.rows = append(out.rows, []string{f.GetId(), f.GetSince().AsTime().Local().Format(time.TimeOnly), fmt.Sprint(f.GetStruck()), text})
	}
	return out
}

// faultWords is a fault as `add` takes it.
func faultWords(f *simapi.Fault) []string {
	words := []string{f.GetKind(), f.GetTarget()}
	for _, p := range sim.Parameters() {
		if value, ok := f.GetParameters()[p.Name]; ok {
			words = append(words, fmt.Sprintf("--%s=%s", p.Name, value))
		}
	}
	return words
}

func faultClearCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "clear ID...|all",
		Short: "End faults and mend what they broke",
		Long: `Ends faults by their ids, or all of them, and mends what they broke: cables, power,
connections. What a fault has changed in a configuration stays.`,
		Example: "  loom sim fault clear f1 f2 --inventory sim.json\n  loom sim fault clear all --inventory sim.json",
	}
	a := inventoryFlag(c)
	all := c.Flags().Bool("all", false, "every fault that is active, as the word all")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if slices.Equal(args, []string{"all"}) {
			*all, args = true, nil
		}
		if *all == (len(args) > 0) {
			return errors.New("clear needs ids of faults, as list prints them, or all")
		}
		return a.control(func(s *simapi.Client) error {
			resp, err := s.Clear(cmd.Context(), &simapi.ClearRequest{Ids: args})
			if err == nil {
				t.printf("%s cleared\n", sizes(len(resp.GetIds()), "fault"))
			}
			return err
		})
	}
	return c
}

func faultRunCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Run a scenario of faults",
		Long: `Runs a scenario, a YAML file of faults with the times and conditions at which they happen, and says
what happens. It ends with the last step; interrupted, it clears what it has injected.`,
		Example:           "  loom sim fault run scenario.yaml --inventory sim.json",
		Args:              needs(1, "a scenario"),
		ValidArgsFunction: yamlFiles,
	}
	a := inventoryFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		data, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		if _, err := sim.ParseScenario(args[0], data); err != nil {
			return err
		}
		return a.control(func(s *simapi.Client) error {
			return follow(cmd.Context(), t, s, &simapi.RunRequest{Name: args[0], Scenario: data})
		})
	}
	return c
}

// follow prints what happens in a scenario.
func follow(ctx context.Context, t *terminal, s *simapi.Client, req *simapi.RunRequest) error {
	stream, err := s.Run(ctx, req)
	if err != nil {
		return err
	}
	for {
		happened, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		t.printf("%8s  %s\n", happened.GetAt().AsDuration().Round(time.Millisecond), happened.GetText())
	}
}

func faultKindsCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "kinds [KIND]",
		Short: "List the kinds of faults, or all about one",
		Long:  "Lists the kinds of faults, or says all about one: what it does, what it takes, and which forms it has.",
		Example: `  loom sim fault kinds
  loom sim fault kinds reboot`,
		Args: cobra.MaximumNArgs(1),
	}
	format := formatFlag(c, "text", "json", "csv")
	c.RunE = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return kindsTable().print(t, *format)
		}
		i := slices.IndexFunc(sim.Kinds(), func(k *sim.Kind) bool { return k.Name == args[0] })
		if i < 0 {
			return fmt.Errorf("%s: no such kind; loom sim fault kinds lists them", args[0])
		}
		return kindTable(sim.Kinds()[i]).print(t, *format)
	}
	return c
}

func kindsTable() table {
	out := table{header: []string{"kind", "target", "what happens"}}
	for _, k := range sim.Kinds() {
		out.rows = append(out.rows, []string{k.Name, string(k.At), k.Help})
	}
	return out
}

// kindTable is all about one kind: its target, its parameters and its forms.
func kindTable(k *sim.Kind) table {
	out := table{header: []string{"word", "meaning"}, rows: [][]string{{k.Name, k.Help}, {strings.ToUpper(string(k.At)), "what it happens to"}}}
	for _, p := range sim.Parameters() {
		if slices.Contains(k.Parameters(), p.Name) {
			out.rows = append(out.rows, []string{"--" + p.Name, k.Explain(p)})
		}
	}
	for _, f := range k.Forms {
		out.rows = append(out.rows, []string{"--form " + f.Name, f.Help})
	}
	return out
}

// keepJournal begins the journal of a simulation, if there is a file for it, and returns how to end it.
func keepJournal(t *terminal, s *sim.Sim, file string) (end func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	s.Record(f, 0)
	return func() {
		if _, err := s.Journal(); err != nil {
			t.notef("%s: is not complete: %v\n", file, err)
		}
		f.Close()
	}, nil
}

// control does something with the simulation of the inventory.
func (a *access) control(do func(*simapi.Client) error) error {
	if a.inventory == "" {
		return errors.New("which simulation? name its inventory with --inventory, as in loom sim topologies/demo.yaml -o sim.json")
	}
	inv, err := a.read()
	if err != nil {
		return err
	}
	s, err := simapi.Dial(inv)
	if err != nil {
		return fmt.Errorf("%s: %w", a.inventory, err)
	}
	defer s.Close()
	if err := do(s); err != nil {
		return errors.New(status.Convert(err).Message())
	}
	return nil
}
