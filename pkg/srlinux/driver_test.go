package srlinux

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/config"
)

func TestADeviceSaysWhatItIs(t *testing.T) {
	t.Parallel()
	id := Driver().Identity
	for version, want := range map[string]string{"v25.3.1-149-g1234": "25.3", "v24.10.3-201-gaa": "24.10", "24.10.1": "24.10", "weekly": "weekly", "": ""} {
		if got := id.Release(version); got != want {
			t.Errorf("release of %q: got %q, want %q", version, got, want)
		}
	}
	for chassis, want := range map[string]string{"7220 IXR-D3L": "7220-IXR-D3L", " 7250 IXR-X1b ": "7250-IXR-X1b"} {
		if got := id.Platform(chassis); got != want {
			t.Errorf("platform of %q: got %q, want %q", chassis, got, want)
		}
	}
}

func TestPathsOfTheDriverAreInTheSchema(t *testing.T) {
	t.Parallel()
	d := Driver()
	paths := append([]string{d.Identity.Version, d.Identity.Chassis, d.Manners.SaveOn}, d.Manners.ReadPaths...)
	for _, text := range paths {
		p, err := config.ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		at := config.Root
		for _, elem := range p {
			next, ok := srl.Schema.Child(at, elem.Name)
			if !ok {
				t.Fatalf("%s: %s has no %s", text, srl.Schema.Path(at), elem.Name)
			}
			at = next
		}
	}
}

// Who follows the configuration of a router hears of each leaf that Loom reads, and of no route and no counter.
func TestAllConfigurationIsFollowedAndNothingRestless(t *testing.T) {
	t.Parallel()
	d := Driver()
	for _, release := range srl.Schema.Releases {
		paths := d.Followed(release)
		if len(paths) > 36 {
			t.Errorf("%s: %d paths, and a router takes 36 in one subscription", release, len(paths))
		}
		covered := func(of string) bool {
			return slices.ContainsFunc(paths, func(p string) bool { return of == plain(p) || strings.HasPrefix(of, plain(p)+"/") })
		}
		var look func(id config.ID)
		look = func(id config.ID) {
			n := srl.Schema.Nodes[id]
			if !n.In.Has(srl.Schema.Release(release)) {
				return
			}
			for _, child := range n.Children {
				look(child)
			}
			path := srl.Schema.Path(id)
			if leaf := n.Kind == config.Leaf || n.Kind == config.LeafList; leaf && !n.State && !covered(path) {
				t.Errorf("%s: nobody follows %s", release, path)
			}
			if slices.Contains(manners.Restless, path) && covered(path) {
				t.Errorf("%s: %s is followed", release, path)
			}
		}
		for _, root := range manners.ReadPaths {
			id, _ := srl.Schema.Child(config.Root, root[1:])
			look(id)
		}
		for _, p := range paths {
			if id, err := nodeAt(p); err != nil || !srl.Schema.Nodes[id].In.Has(srl.Schema.Release(release)) {
				t.Errorf("%s has no %s: %v", release, p, err)
			}
		}
	}
}

// plain is a path without keys.
func plain(path string) string { return regexp.MustCompile(`\[[^]]*\]`).ReplaceAllString(path, "") }

func nodeAt(path string) (config.ID, error) {
	p, err := config.ParsePath(path)
	at := config.Root
	for _, e := range p {
		next, ok := srl.Schema.Child(at, e.Name)
		if !ok {
			return at, fmt.Errorf("no %s", e.Name)
		}
		at = next
	}
	return at, err
}

func TestTheMarkIsOfThisDeviceOfThisTopology(t *testing.T) {
	t.Parallel()
	f := open(t, "unnumbered", "")
	d := f.device(t, "leaf1")
	tree := render(t, d)
	if !Mark(tree, d) {
		t.Error("a rendered device does not know itself")
	}
	if Mark(tree, f.device(t, "leaf2")) {
		t.Error("leaf1 passes for leaf2")
	}
	renamed := *d
	renamed.Topology = "other"
	if Mark(tree, &renamed) {
		t.Error("a device of another topology passes")
	}
	if Mark(parse(t, "25.3", Factory("leaf1", "7220-IXR-D2L", "25.3")), d) {
		t.Error("a new router passes")
	}
}

func TestConfirmedCommitsCameWith24(t *testing.T) {
	t.Parallel()
	confirm := Driver().Manners.Confirm
	if confirm("23.10") || !confirm("24.10") || !confirm("25.3") {
		t.Errorf("23.10 %v, 24.10 %v, 25.3 %v", confirm("23.10"), confirm("24.10"), confirm("25.3"))
	}
}

func TestDriversAreEqualValues(t *testing.T) {
	t.Parallel()
	a, b := Driver(), Driver()
	if a == b || a.OS != b.OS || a.Schema != b.Schema || a.Manners.Port != b.Manners.Port {
		t.Error("two calls share a pointer, or differ")
	}
}

func TestTheDriverIsComplete(t *testing.T) {
	t.Parallel()
	d := Driver()
	for _, v := range []reflect.Value{reflect.ValueOf(*d), reflect.ValueOf(d.Identity), reflect.ValueOf(d.Manners)} {
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			unneeded := name == "Sessions" || name == "Channels" || name == "Ask" // nothing published bounds them; who has timers is published
			if !unneeded && v.Field(i).IsZero() {
				t.Errorf("%s.%s is not set", v.Type(), name)
			}
		}
	}
}
