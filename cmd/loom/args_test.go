package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestAbsentArgumentsAreNamed(t *testing.T) {
	for _, c := range []struct {
		name string
		args cobra.PositionalArgs
		use  string
		have []string
		want string
	}{
		{"one of two is absent", needs(2, "a device and a path on it"), "explain DEVICE PATH-ON-DEVICE [PATH...]", []string{"leaf1"},
			"explain needs a device and a path on it: explain DEVICE PATH-ON-DEVICE [PATH...]"},
		{"all are there", needs(1, "a device"), "trust DEVICE", []string{"leaf1"}, ""},
		{"more than there may be", noArguments, "version", []string{"x"}, "x: version takes no arguments: version"},
		{"one, and one more", one("a transaction"), "show TRANSACTION", []string{"a", "b"}, "b: show takes a transaction and nothing more: show TRANSACTION"},
		{"none of one", one("a transaction"), "show TRANSACTION", nil, "show needs a transaction: show TRANSACTION"},
		{"no file is named", namedFiles, "fmt PATH...", nil, "fmt: name the topology files; . means this directory"},
		{"a file is named", namedFiles, "fmt PATH...", []string{"."}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if err := c.args(&cobra.Command{Use: c.use, Run: func(*cobra.Command, []string) {}}, c.have); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAMistypedCommandIsAMistake(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"transactions shwo x": "loom transactions has no command shwo; did you mean show",
		"store save":          "loom store has no command save; there is backup, check, restore",
	} {
		root := newRoot(&terminal{out: io.Discard, err: io.Discard})
		root.SetArgs(strings.Fields(args))
		if err := root.Execute(); err == nil || err.Error() != want {
			t.Errorf("loom %s ends with %v, want %q", args, err, want)
		}
	}
}
