package sros

import (
	"reflect"
	"slices"
	"testing"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/config"
)

func TestARouterSaysWhatItIs(t *testing.T) {
	t.Parallel()
	id := Driver().Identity
	for version, want := range map[string]string{"C-26.3.R1": "26.3", "B-25.10.R2-1": "25.10", "26.3": "26.3", "weekly": "weekly", "": ""} {
		if got := id.Release(version); got != want {
			t.Errorf("release of %q: got %q, want %q", version, got, want)
		}
	}
	if got := id.Platform(" 7750 SR-1s "); got != "7750-SR-1s" {
		t.Errorf("platform %q", got)
	}
}

// A path that the models do not have would be asked for in vain, or make a check blind.
func TestEveryPathIsInTheModels(t *testing.T) {
	t.Parallel()
	d := Driver()
	paths := slices.Concat([]string{d.Identity.Version, d.Identity.Chassis, manners.SaveOn}, manners.ReadPaths, observePaths, servicePaths, wanPaths, lightPaths, guards.Paths())
	for _, o := range ownership {
		paths = append(paths, o.path)
	}
	for _, x := range disruptive {
		paths = append(paths, x.Path)
	}
	for _, text := range paths {
		at := config.Root
		for _, e := range pathOf(text) {
			next, ok := sros.Schema.Child(at, e.Name)
			if !ok {
				t.Errorf("%s: there is no %s", text, e.Name)
				break
			}
			at = next
		}
	}
}

func TestTheMarkIsOfThisDeviceOfThisTopology(t *testing.T) {
	t.Parallel()
	d := gateway(t)
	tree := render(t, d)
	if !Mark(tree, d) || Owner(tree) != "twin/bj-gateway1" {
		t.Errorf("a rendered device does not know itself: %q", Owner(tree))
	}
	renamed := *d
	renamed.Topology = "other"
	if Mark(tree, &renamed) || Mark(parse(t, Factory(d.Name, d.Platform.Name, d.Release)), d) {
		t.Error("a device of another topology passes, or a new router")
	}
}

// What a router keeps for itself as startup, how a transaction is confirmed and who may write is for no client to read. And what is read
// is below /configure, where nothing changes all the time.
func TestTheDriverIsComplete(t *testing.T) {
	t.Parallel()
	d, unknown := Driver(), []string{"StartupFile", "Preamble", "Restless"}
	for _, v := range []reflect.Value{reflect.ValueOf(*d), reflect.ValueOf(d.Identity), reflect.ValueOf(d.Manners)} {
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; v.Field(i).IsZero() != slices.Contains(unknown, name) {
				t.Errorf("%s.%s: set: %v", v.Type(), name, !v.Field(i).IsZero())
			}
		}
	}
	if d.Manners.Confirm("26.3") || d.Manners.Arbitrate("26.3") {
		t.Error("something is counted on that nothing published says")
	}
}
