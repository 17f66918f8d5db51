package main

import (
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
