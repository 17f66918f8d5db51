package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/loomfabric/loom/"
)

// rule is about the packages that match a pattern: a package, or a folder with all below it
// ("models/gen/...").
type rule struct {
	pkg, why string
	may      []string // patterns: of layers what they may import, of guests who may import them
}

// layers say what each package of ours may import of ours, outside of its tests.
// A package that no layer names fails the test: deciding where it belongs is part of adding it.
var layers = []rule{
	{"models/intent", "the one definition of what can be asked for; everything else is built on it", nil},
	{"models/api", "what the controller speaks; generated, and of intents it knows the one definition", []string{"models/intent"}},
	{"models/hardware", "data about boxes, true whatever runs on them", nil},
	{"models/optics", "data about transceivers, fibres and amplifiers", []string{"pkg/optics"}},
	{"models/srlinux", "tables that drive the tree", []string{"pkg/config"}},
	{"models/srlinux/ygotsrl", "an oracle that shares nothing with what it judges", nil},
	{"models/openconfig", "as models/srlinux", []string{"pkg/config"}},
	{"models/openconfig/ygotoc", "as models/srlinux/ygotsrl", nil},
	{"models/sros", "as models/srlinux", []string{"pkg/config"}},
	{"models/sros/ygotsros", "as models/srlinux/ygotsrl", nil},
	{"models/gen/...", "makes the tables; nothing of ours is needed for it but their types", []string{"models/gen/...", "pkg/config"}},
	{"models/conform", "compares the tables with the vendor's models", []string{"models/gen/profile", "pkg/config", "models/srlinux"}},

	{"pkg/topology", "the language: what can be asked for, not what it comes to; it knows no hardware and no router", []string{"models/intent"}},
	{"pkg/optics", "physics", nil},
	{"pkg/optics/draw", "pictures of it", []string{"pkg/optics"}},
	{"pkg/config", "trees of any schema: it must not know what is configured", nil},
	{"pkg/fabric", "decides for every operating system alike, so it knows no driver", []string{"models/hardware", "models/intent", "models/optics", "pkg/topology", "pkg/optics"}},
	{"pkg/driver", "what a kind of device is, as a value", []string{"pkg/config", "pkg/fabric", "pkg/verify"}},

	{"pkg/srlinux", "a pure function of a device of the design; adding a driver touches no other package", driverMay},
	{"pkg/sros", "as srlinux", driverMay},
	{"pkg/transponder", "as srlinux", driverMay},

	{"pkg/plan", "a value made of trees; preview and apply share it, so it cannot reach a device", []string{"pkg/config", "pkg/driver", "pkg/fabric"}},
	{"pkg/verify", "the design against what was observed, however it was observed", []string{"pkg/config", "pkg/fabric", "pkg/optics"}},
	{"pkg/transaction", "knows no driver, socket or store: cmd/loom hands them in, and so can a test", []string{"pkg/config", "pkg/crash", "pkg/plan", "pkg/verify"}},
	{"pkg/audit", "a log and its proofs; where it is kept is its caller's business", nil},
	{"pkg/auth", "who is who; where keys are kept is its caller's business", nil},
	{"pkg/api", "translates between the wire and the controller, and decides nothing", []string{"models/api", "models/intent", "pkg/audit", "pkg/auth", "pkg/controller", "pkg/config", "pkg/northbound", "pkg/plan", "pkg/topology", "pkg/transaction"}},
	{"pkg/northbound", "passes on what devices say, and does not know what that means", nil},
	{"pkg/controller", "as transaction", []string{"models/intent", "pkg/config", "pkg/fabric", "pkg/topology", "pkg/plan", "pkg/verify", "pkg/transaction"}},

	{"examples/...", "a program of somebody else: it has the API, and nothing besides", []string{"models/api"}},

	{"pkg/evidence/...", "judges the controller, so it shares no code with it: of a transaction it knows the records", []string{"pkg/evidence", "pkg/transaction"}},
	{"pkg/replica", "who does what among processes: arithmetic over names", nil},
	{"pkg/crash", "where a test may kill the process; any effect can have such a point", nil},
	{"pkg/store", "keeps records under keys; what they mean is its caller's business", []string{"pkg/crash"}},
	{"pkg/device", "speaks to one device; what for is its caller's business", []string{"pkg/config", "pkg/crash", "pkg/driver"}},
	{"pkg/sim/network", "what configured routers do together; it knows no operating system and no schema", nil},
	{"pkg/sim/light", "what becomes of light between devices; as network", []string{"pkg/optics", "pkg/sim/network"}},
	{"pkg/sim/speaker", "BGP for real, of whatever routers it is given", []string{"pkg/sim/network"}},
	{"pkg/sim/srlsim", "SR Linux in the simulation: its tree, and what the network makes of it", []string{"models/srlinux", "models/hardware", "models/optics", "pkg/config", "pkg/optics", "pkg/sim", "pkg/sim/light", "pkg/sim/network"}},
	{"pkg/sim/srossim", "SR OS in the simulation, as srlsim", []string{"models/sros", "models/hardware", "models/optics", "pkg/config", "pkg/optics", "pkg/sim", "pkg/sim/light", "pkg/sim/network"}},
	{"pkg/sim/ocsim", "OpenConfig transponders and line systems in the simulation, as srlsim", []string{"models/openconfig", "models/hardware", "models/optics", "pkg/config", "pkg/optics", "pkg/sim", "pkg/sim/light", "pkg/sim/network"}},
	{"pkg/sim/...", "is a device, of whatever driver it is given", []string{"pkg/config", "pkg/driver", "pkg/device", "pkg/optics", "pkg/sim", "pkg/sim/light", "pkg/sim/network", "pkg/sim/simapi"}},
	{"cmd/loom", "the only assembler", []string{"pkg/...", "models/api", "models/hardware", "models/intent", "models/optics"}},
}

var driverMay = []string{"models/srlinux", "models/sros", "models/openconfig", "models/hardware", "pkg/config", "pkg/driver", "pkg/fabric", "pkg/verify"}

// guests are packages of others that only some of ours may import.
var guests = []rule{
	{"google.golang.org/grpc/...", "sockets live at the rim", []string{"models/api", "pkg/api", "pkg/device", "pkg/sim/...", "pkg/store", "cmd/loom", "examples/..."}},
	{"go.etcd.io/...", "what is durable, and what a conflict is, is decided in one place", []string{"pkg/store"}},
	{"github.com/osrg/gobgp/...", "a whole routing daemon: for simulated routers only", []string{"pkg/sim/speaker"}},
	{"github.com/openconfig/ygot/...", "seconds and hundreds of megabytes: at build time and in tests only", []string{"models/gen", "models/srlinux/ygotsrl", "models/openconfig/ygotoc", "models/sros/ygotsros"}},
	{"github.com/openconfig/goyang/...", "as ygot", []string{"models/gen/...", "models/conform", "models/srlinux/ygotsrl", "models/openconfig/ygotoc", "models/sros/ygotsros"}},
	{"golang.org/x/mod/...", "a tree of hashes is made and checked in one place", []string{"pkg/audit", "pkg/api", "cmd/loom"}},
	{"go.yaml.in/yaml/v3", "one strict reader of each file that people write, topologies and scenarios of faults, and data of our own", []string{"pkg/topology", "pkg/sim", "models/hardware", "models/optics"}},
	{"github.com/prometheus/...", "what is measured is measured where effects are", []string{"cmd/loom"}},
	{"github.com/spf13/cobra", "commands are in one place", []string{"cmd/loom"}},
}

// core are the packages that only take values and return values: no file, socket, clock, chance or
// log. net/netip is values.
var core = []string{
	"pkg/topology", "pkg/optics", "pkg/fabric", "pkg/config", "pkg/plan", "pkg/verify",
	"pkg/driver", "pkg/audit", "pkg/srlinux", "pkg/sros", "pkg/transponder", "models/srlinux", "models/sros", "models/openconfig",
	"pkg/sim/network", "pkg/sim/light", "pkg/sim/srlsim", "pkg/sim/srossim", "pkg/sim/ocsim",
}

// world is what the core does not touch, with what to do instead.
var world = map[string]string{
	"os/...":                 "take bytes",
	"net":                    "net/netip has addresses",
	"net/http":               "belongs into api",
	"log/...":                "return an error; the edge logs",
	"math/rand/...":          "take a seed",
	"crypto/rand":            "take bytes",
	"syscall":                "belongs into cmd/loom",
	"io/ioutil":              "take bytes",
	"runtime/...":            "the caller decides what runs where",
	"embed":                  "data lives under models",
	"context":                "nothing here takes long enough to be given up",
	"database/sql":           "belongs into store",
	"text/tabwriter":         "the edge prints",
	"github.com/spf13/cobra": "belongs into cmd/loom",
}

// clocks are what the core does not call of package time: durations are values, now is not.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}

func TestImportsRunDown(t *testing.T) {
	t.Parallel()
	for _, f := range sourceFiles(t) {
		layer := slices.IndexFunc(layers, func(r rule) bool { return covers(r.pkg, f.pkg) })
		if layer < 0 {
			t.Errorf("%s: package %s is in no layer; say in arch_test.go what it may import, and why", f.name, f.pkg)
			continue
		}
		for _, imported := range f.imports() {
			if ours, ok := strings.CutPrefix(imported, module); ok && ours != f.pkg && !f.test && !coveredBy(layers[layer].may, ours) {
				t.Errorf("%s imports %s; %s: %s", f.name, ours, f.pkg, layers[layer].why)
			}
		}
	}
}

func TestNobodyImportsTheAssembler(t *testing.T) {
	t.Parallel()
	for _, f := range sourceFiles(t) {
		for _, imported := range f.imports() {
			if strings.HasPrefix(imported, module+"cmd/") {
				t.Errorf("%s imports %s", f.name, imported)
			}
		}
	}
}

func TestTheOracleIsForTests(t *testing.T) {
	t.Parallel()
	for _, f := range sourceFiles(t) {
		for _, oracle := range []string{"models/srlinux/ygotsrl", "models/openconfig/ygotoc", "models/sros/ygotsros"} {
			if !f.test && slices.Contains(f.imports(), module+oracle) {
				t.Errorf("%s imports %s: it adds seconds to the start and half the binary", f.name, oracle)
			}
		}
	}
}

func TestGuestsAreInTheirPlace(t *testing.T) {
	t.Parallel()
	for _, f := range sourceFiles(t) {
		for _, g := range guests {
			for _, imported := range f.imports() {
				if covers(g.pkg, imported) && !f.test && !coveredBy(g.may, f.pkg) {
					t.Errorf("%s imports %s: %s", f.name, imported, g.why)
				}
			}
		}
	}
}

func TestTheCoreTouchesNoWorld(t *testing.T) {
	t.Parallel()
	for _, f := range sourceFiles(t) {
		if f.test || !slices.Contains(core, f.pkg) {
			continue
		}
		for _, imported := range f.imports() {
			for pattern, instead := range world {
				if covers(pattern, imported) {
					t.Errorf("%s imports %s: %s", f.name, imported, instead)
				}
			}
		}
		for _, call := range f.uses("time", clocks) {
			t.Errorf("%s: time.%s in the core: pass time in", f.tree.Position(call.Pos()), call.Sel.Name)
		}
	}
}

// A rule about a package that does not exist, as after a rename, would hold for nothing.
func TestRulesAreAboutPackages(t *testing.T) {
	t.Parallel()
	planned := []string{"pkg/optics", "pkg/sros", "pkg/transponder", "pkg/controller"}
	var have []string
	for _, f := range sourceFiles(t) {
		have = append(have, f.pkg)
	}
	exists := func(pattern string) bool {
		return slices.ContainsFunc(have, func(pkg string) bool { return covers(pattern, pkg) })
	}
	patterns := slices.Clone(core)
	for _, l := range layers {
		patterns = append(patterns, l.pkg)
	}
	for _, g := range guests {
		patterns = append(patterns, g.may...)
	}
	for _, p := range patterns {
		if !exists(p) && !slices.Contains(planned, p) {
			t.Errorf("there is no package %s", p)
		}
	}
}

func TestPackagesAreNamedForWhatTheyHold(t *testing.T) {
	t.Parallel()
	for _, f := range sourceFiles(t) {
		for _, name := range []string{"util", "utils", "common", "types", "helpers", "base", "internal", "misc"} {
			if slices.Contains(strings.Split(f.pkg, "/"), name) {
				t.Errorf("%s: a package %q says nothing of what it holds", f.name, name)
			}
		}
	}
}

// covers tells whether a pattern names a package.
func covers(pattern, pkg string) bool {
	if folder, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == folder || strings.HasPrefix(pkg, folder+"/")
	}
	return pkg == pattern
}

func coveredBy(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return covers(p, pkg) })
}

// sourceFile is one Go file of the repository.
type sourceFile struct {
	name string // from the root
	pkg  string // its folder from the root
	test bool
	tree *token.FileSet
	ast  *ast.File
}

// parsed is every Go file of the repository, read once.
var parsed = sync.OnceValues(readSources)

func sourceFiles(t *testing.T) []sourceFile {
	t.Helper()
	files, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func readSources() ([]sourceFile, error) {
	var out []sourceFile
	set := token.NewFileSet()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != root || slices.Contains([]string{"testdata", "out", "bin"}, d.Name())) {
			return filepath.SkipDir
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		tree, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		short := strings.TrimPrefix(filepath.ToSlash(name), root+"/")
		out = append(out, sourceFile{short, path.Dir(short), strings.HasSuffix(short, "_test.go"), set, tree})
		return nil
	})
	return out, err
}

func (f sourceFile) imports() []string {
	var out []string
	for _, i := range f.ast.Imports {
		out = append(out, strings.Trim(i.Path.Value, `"`))
	}
	return out
}

// uses are the places that name something of a package.
func (f sourceFile) uses(pkg string, names []string) []*ast.SelectorExpr {
	var out []*ast.SelectorExpr
	if !slices.Contains(f.imports(), pkg) {
		return nil
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains(names, s.Sel.Name) {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == path.Base(pkg) {
				out = append(out, s)
			}
		}
		return true
	})
	return out
}
