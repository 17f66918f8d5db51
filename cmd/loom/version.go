package main

import (
	"runtime"
	"runtime/debug"

	"github.com/loomfabric/loom/pkg/topology"
	"github.com/spf13/cobra"
)

// version is set by the linker in release builds.
var version = "dev"

func versionCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of loom",
		Args:  cobra.NoArgs,
		Run: func(*cobra.Command, []string) {
			revision := "unknown revision"
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						revision = s.Value
					}
				}
			}
			t.printf("loom %s (%s, %s)\n", version, revision, runtime.Version())
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
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := t.out.Write(topology.JSONSchema())
			return err
		},
	}
}
