package main

import (
	"runtime"
	"runtime/debug"

	"github.com/loomfabric/loom/pkg/topology"
	"github.com/spf13/cobra"
)

// version is set by the linker: what `git describe` says of the tree that `make build` built.
var version = "dev"

// versionText is the version and, where only the Go tool knows it (go install), the revision.
func versionText() string {
	info, ok := debug.ReadBuildInfo()
	if version != "dev" || !ok {
		return version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return version + " " + s.Value
		}
	}
	return version
}

func versionCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of loom",
		Args:  noArguments,
		Run: func(*cobra.Command, []string) {
			t.printf("loom %s (%s)\n", versionText(), runtime.Version())
		},
	}
}

func schemaCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of topology files, for editors",
		Long: `Prints the JSON Schema of topology files. Editors that speak the YAML language server use it
after a first line of the file such as
  # yaml-language-server: $schema=loom.schema.json`,
		Example: "  loom schema > loom.schema.json",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := t.out.Write(topology.JSONSchema())
			return err
		},
	}
}
