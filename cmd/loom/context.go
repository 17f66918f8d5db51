package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// callContext is how to call one controller.
type callContext struct {
	Name   string `json:"name"`
	Server string `json:"server"`          // host:port
	REST   string `json:"rest,omitempty"`  // host:port; empty: not known
	CA     string `json:"ca"`              // file
	Cert   string `json:"cert,omitempty"`  // file
	Key    string `json:"key,omitempty"`   // file
	Token  string `json:"token,omitempty"` // file with a bearer token, instead of a certificate; read at each call
}

// contexts are the controllers that the command line knows: $LOOM_CONTEXTS, or loom/contexts.json in the user's directory for settings.
type contexts struct {
	file    string
	Current string        `json:"current,omitempty"`
	List    []callContext `json:"contexts"`
}

func contextsFile() (string, error) {
	if name := os.Getenv("LOOM_CONTEXTS"); name != "" {
		return name, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("contexts: %w; set LOOM_CONTEXTS to a file for them", err)
	}
	return filepath.Join(dir, "loom", "contexts.json"), nil
}

func readContexts() (*contexts, error) {
	name, err := contextsFile()
	if err != nil {
		return nil, err
	}
	out := &contexts{file: name}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err == nil {
		err = json.Unmarshal(data, out)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; mend it, or take it away", name, err)
	}
	return out, nil
}

// put adds a context or replaces the one of its name. The first one is the current one.
func (c *contexts) put(one callContext) error {
	i := slices.IndexFunc(c.List, func(o callContext) bool { return o.Name == one.Name })
	if i < 0 {
		c.List = append(c.List, one)
	} else {
		c.List[i] = one
	}
	if c.Current == "" {
		c.Current = one.Name
	}
	return c.save()
}

func (c *contexts) save() error {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.file), 0o700); err != nil {
		return err
	}
	return replaceFile(c.file, append(data, '\n'))
}

// find is the context of a name, or the current one. Errors name those that there are.
func (c *contexts) find(name string) (callContext, error) {
	if name == "" {
		name = c.Current
	}
	for _, o := range c.List {
		if o.Name == name {
			return o, nil
		}
	}
	switch {
	case len(c.List) == 0:
		return callContext{}, fmt.Errorf("%s: no context: no controller is known here; the first start of loom serve makes one, or use loom context add", c.file)
	case name == "":
		return callContext{}, fmt.Errorf("no current context; choose one with loom context use: %s", strings.Join(c.names(), ", "))
	}
	return callContext{}, fmt.Errorf("%s: no such context; use one of %s, or make it with loom context add", name, strings.Join(c.names(), ", "))
}

func (c *contexts) names() []string {
	var out []string
	for _, o := range c.List {
		out = append(out, o.Name)
	}
	slices.Sort(out)
	return out
}

func contextCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "context",
		Short: "Controllers that commands call with --server",
		Long: `A context is the address of a controller, and the certificates by which it and you know each other. loom serve
makes one for its administrator. They are kept in $LOOM_CONTEXTS, or in loom/contexts.json in your directory for settings.`,
		Example: `  loom context list
  loom context use lab
  loom context add lab --address loom.example.net:9559 --ca ca.pem --cert ann.pem --key ann.key`,
	}
	list := &cobra.Command{Use: "list", Short: "The contexts that there are", Args: cobra.NoArgs}
	format := formatFlag(list, "text", "json")
	list.RunE = func(*cobra.Command, []string) error {
		all, err := readContexts()
		if err != nil {
			return err
		}
		if *format == "json" {
			return t.json(all)
		}
		w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "\tNAME\tSERVER\tCERTIFICATE")
		for _, o := range all.List {
			mark := ""
			if o.Name == all.Current {
				mark = "*"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", mark, o.Name, o.Server, cmp.Or(o.Cert, o.Token))
		}
		return w.Flush()
	}
	complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		all, err := readContexts()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return all.names(), cobra.ShellCompDirectiveNoFileComp
	}
	use := &cobra.Command{
		Use: "use NAME", Short: "Choose the context that commands use", Args: one("a context"), ValidArgsFunction: complete,
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := readContexts()
			if err != nil {
				return err
			}
			if _, err := all.find(args[0]); err != nil {
				return err
			}
			all.Current = args[0]
			return all.save()
		},
	}
	var given callContext
	add := &cobra.Command{
		Use: "add NAME", Short: "Add a context, or replace the one of this name", Args: one("a name"),
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := readContexts()
			if err != nil {
				return err
			}
			given.Name = args[0]
			if (given.Token == "") == (given.Cert == "") || (given.Cert == "") != (given.Key == "") {
				return errors.New("--cert and --key, or --token-file: say who you are with one of them")
			}
			for _, file := range []*string{&given.CA, &given.Cert, &given.Key, &given.Token} {
				if *file == "" {
					continue
				}
				if _, err := os.Stat(*file); err != nil {
					return err
				}
				if *file, err = filepath.Abs(*file); err != nil {
					return err
				}
			}
			return all.put(given)
		},
	}
	add.Flags().StringVar(&given.Server, "address", "", "`HOST:PORT` of the controller")
	add.Flags().StringVar(&given.REST, "rest", "", "`HOST:PORT` where it speaks REST, for other programs")
	add.Flags().StringVar(&given.CA, "ca", "", "`FILE` with its authority (PEM)")
	add.Flags().StringVar(&given.Cert, "cert", "", "`FILE` with your certificate (PEM)")
	add.Flags().StringVar(&given.Key, "key", "", "`FILE` with its key")
	add.Flags().StringVar(&given.Token, "token-file", "", "`FILE` with a bearer token, instead of a certificate; it is read at each call")
	for _, name := range []string{"address", "ca"} {
		_ = add.MarkFlagRequired(name)
	}
	remove := &cobra.Command{
		Use: "remove NAME", Short: "Forget a context; its files stay", Args: one("a context"), ValidArgsFunction: complete,
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := readContexts()
			if err != nil {
				return err
			}
			if _, err := all.find(args[0]); err != nil {
				return err
			}
			all.List = slices.DeleteFunc(all.List, func(o callContext) bool { return o.Name == args[0] })
			if all.Current == args[0] {
				all.Current = ""
			}
			return all.save()
		},
	}
	c.AddCommand(list, use, add, remove, contextWait(t))
	return group(c)
}
