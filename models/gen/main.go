// Command gen turns a YANG profile into the schema tables that the rest of Loom works with.
//
// It reads every *.yang file of a directory, and writes schema_gen.go: one config.Schema and one constant for
// each schema node. The same profile always gives the same bytes. Run it with go generate ./models/...
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"os"
	"strings"

	"github.com/loomfabric/loom/models/gen/profile"
)

func main() {
	var o options
	flag.StringVar(&o.yang, "yang", "yang", "directory of the profile's modules")
	flag.StringVar(&o.os, "os", "", "name of the operating system")
	flag.StringVar(&o.releases, "releases", "", "releases, oldest first, separated by commas")
	flag.StringVar(&o.pkg, "package", "", "package of the schema tables")
	flag.StringVar(&o.out, "out", "schema_gen.go", "file of the schema tables")
	flag.StringVar(&o.structs, "structs", "", "directory (and package) of ygot structs for tests; none if empty")
	flag.StringVar(&o.names, "names", "namespace", "how Capabilities calls a model: by its module, with the `namespace` before it or by the \"module\" alone")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

type options struct{ yang, os, releases, pkg, out, structs, names string }

func run(o options) error {
	modules, err := profile.ReadDir(os.DirFS(o.yang), func(string) bool { return true })
	if err != nil {
		return err
	}
	source := profile.Source{Modules: modules, Releases: strings.Split(o.releases, ",")}
	root, err := profile.Load(source)
	if err != nil {
		return err
	}
	tables, err := build(root, o.os, source.Releases)
	if err != nil {
		return err
	}
	published, err := profile.Modules(source)
	if err != nil {
		return err
	}
	if tables.Models, err = models(published, o.names); err != nil {
		return err
	}
	if err := write(o.out, tables.emit(o.pkg)); err != nil {
		return err
	}
	if o.structs == "" {
		return nil
	}
	return writeStructs(o.structs, modules)
}

func write(file string, source *bytes.Buffer) error {
	text, err := format.Source(source.Bytes())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, text, 0o644)
}
