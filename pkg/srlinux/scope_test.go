package srlinux

import (
	"slices"
	"testing"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
)

// eachRendered visits every device of every topology of the repository, in every release.
func eachRendered(t *testing.T, visit func(t *testing.T, f fixture, d *fabric.Device, tree *config.Tree)) {
	t.Helper()
	for _, source := range topologies(t) {
		for _, release := range releases {
			t.Run(source+" "+release, func(t *testing.T) {
				t.Parallel()
				f := open(t, source, release)
				for _, d := range f.routers() {
					visit(t, f, d, render(t, d))
				}
			})
		}
	}
}

func TestRenderedTreesLieInsideTheScope(t *testing.T) {
	t.Parallel()
	eachRendered(t, func(t *testing.T, _ fixture, d *fabric.Device, tree *config.Tree) {
		if out := Scope(d).Outside(tree); len(out) > 0 {
			t.Errorf("%s: %v", d.Name, out)
		}
		if owned := Scope(d).Owned(tree, tree); !config.Equal(owned, tree) {
			t.Errorf("%s: %d of %d leaves are owned", d.Name, owned.Leaves(), tree.Leaves())
		}
	})
}

func TestNothingOfANewRouterIsOwned(t *testing.T) {
	t.Parallel()
	eachRendered(t, func(t *testing.T, _ fixture, d *fabric.Device, tree *config.Tree) {
		factory := parse(t, d.Release, Factory(d.Name, d.Platform.Name, d.Release))
		if owned := Scope(d).Owned(factory, tree); owned.Leaves() != 0 {
			t.Errorf("%s: owned:\n%s", d.Name, document(owned))
		}
	})
}

func TestManagementIsNeverTouched(t *testing.T) {
	t.Parallel()
	eachRendered(t, func(t *testing.T, _ fixture, d *fabric.Device, tree *config.Tree) {
		for _, path := range []string{"/interface[name=mgmt0]", "/network-instance[name=mgmt]", "/system/grpc-server", "/system/tls", "/system/aaa", "/system/ssh-server"} {
			if got := show(t, tree, path); got != "absent" {
				t.Errorf("%s: %s is rendered", d.Name, path)
			}
		}
	})
}

// running is what a router has where Loom may look: its own rendering and what else stands there.
func running(t *testing.T, d *fabric.Device, more string) *config.Tree {
	t.Helper()
	rendered, err := config.Apply(parse(t, d.Release, []byte(more)), config.SetRequest(config.EmptyTree(srl.Schema, d.Release), render(t, d), nil))
	if err != nil {
		t.Fatal(err)
	}
	return rendered
}

func parse(t *testing.T, release string, document []byte) *config.Tree {
	t.Helper()
	tree, _, err := config.Parse(srl.Schema, release, document, config.ParseOptions{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestScopeOfWhatStandsBeside(t *testing.T) {
	t.Parallel()
	const (
		port    = `{"interface": [{"name": "ethernet-1/20", "description": "by hand", "subinterface": [{"index": 0}]}]}`
		member  = `{"interface": [{"name": "ethernet-1/20", "description": "by hand", "ethernet": {"aggregate-id": "lag20"}}, {"name": "lag20"}]}`
		channel = `{"interface": [{"name": "ethernet-1/4/1", "description": "by hand"}]}`
		other   = `{"interface": [{"name": "ethernet-1/9/1", "description": "by hand"}]}`
		service = `{"network-instance": [{"name": "old", "type": "mac-vrf"}, {"name": "mgmt", "type": "ip-vrf"}]}`
		ntp     = `{"system": {"dns": {"network-instance": "mgmt"}}, "network-instance": [{"name": "mgmt"}]}`
	)
	for name, c := range map[string]struct {
		topology, device, beside string
		path, want               string // of what is owned
	}{
		"a port that the topology does not name is not ours":                     {"numbered", "leaf1", port, "/interface[name=ethernet-1/20]", "absent"},
		"unless unused ports are to be shut":                                     {"unnumbered", "leaf1", port, "/interface[name=ethernet-1/20]/description", "by hand"},
		"a LAG that is not intended is ours, so are the references of its ports": {"numbered", "leaf1", member, "/interface[name=ethernet-1/20]/ethernet/aggregate-id", "lag20"},
		"but nothing else of its ports":                                          {"numbered", "leaf1", member, "/interface[name=ethernet-1/20]/description", "absent"},
		"a channel of a port that is in use whole is ours":                       {"odd", "leaf1", channel, "/interface[name=ethernet-1/4/1]/description", "by hand"},
		"a channel of a port that is not in use is not":                          {"odd", "leaf1", other, "/interface[name=ethernet-1/9/1]", "absent"},
		"a network instance that is not intended is ours":                        {"odd", "leaf1", service, "/network-instance[name=old]/type", typeMACVRF},
		"but management is not":                                                  {"odd", "leaf1", service, "/network-instance[name=mgmt]", "absent"},
		"DNS is none of ours":                                                    {"odd", "leaf1", ntp, "/system/dns", "absent"},
		"a leaf that the topology sets by path is":                               {"odd", "leaf1", ntp, "/system/information/location", "row 3, rack 7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, c.topology, "25.3").device(t, c.device)
			owned := Scope(d).Owned(running(t, d, c.beside), render(t, d))
			if got := show(t, owned, c.path); got != c.want {
				t.Errorf("%s: got %s, want %s", c.path, got, c.want)
			}
		})
	}
}

func TestEveryRuleSaysWhy(t *testing.T) {
	t.Parallel()
	for _, rule := range Scope(open(t, "odd", "").device(t, "leaf1")) {
		if rule.Why == "" {
			t.Errorf("%s: no reason", rule.Path)
		}
	}
}

func TestWhatIsReadBackHoldsEveryScope(t *testing.T) {
	t.Parallel()
	eachRendered(t, func(t *testing.T, _ fixture, d *fabric.Device, _ *config.Tree) {
		for _, rule := range Scope(d) {
			if !isRead(t, rule.Path) {
				t.Errorf("%s: %s is owned and not read", d.Name, rule.Path)
			}
		}
	})
}

// isRead tells whether what a rule matches lies below one of the paths that are read.
func isRead(t *testing.T, p config.Path) bool {
	t.Helper()
	return slices.ContainsFunc(manners.ReadPaths, func(text string) bool {
		read, err := config.ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		within := len(p) >= len(read)
		for i := range min(len(p), len(read)) {
			within = within && p[i].Name == read[i].Name
		}
		return within
	})
}
