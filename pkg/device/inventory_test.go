package device_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loomfabric/loom/pkg/device"
)

func TestInventoryReadsWhatItPrints(t *testing.T) {
	t.Parallel()
	want := device.Inventory{Username: "admin", Password: "secret", Devices: []device.InventoryEntry{
		{Name: "leaf1", Address: "127.47.0.1:57400", Fingerprint: strings.Repeat("ab", 32), OS: "srlinux", Release: "25.3", Platform: "7220-IXR-D3L"},
		{Name: "leaf2", Address: "[::1]:57400"},
	}}
	got, err := device.ParseInventory(want.JSON())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if e, ok := got.Find("leaf2"); !ok || e.Address != "[::1]:57400" {
		t.Errorf("Find(leaf2) = %v, %v", e, ok)
	}
	if _, ok := got.Find("leaf3"); ok {
		t.Error("found a device that is not there")
	}
}

func TestParseInventoryNamesTheMistake(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ data, want string }{
		"an unknown member":          {`{"devices":[],"x":1}`, `"x"`},
		"a second document":          {`{"devices":[]}{}`, "more than one document"},
		"a device without name":      {`{"devices":[{"address":"a:1"}]}`, "device 0: no name"},
		"an address without port":    {`{"devices":[{"name":"leaf1","address":"10.0.0.1"}]}`, `leaf1: address "10.0.0.1"`},
		"a name listed twice":        {`{"devices":[{"name":"a","address":"h:1"},{"name":"a","address":"h:2"}]}`, "a: listed twice"},
		"a fingerprint that is none": {`{"devices":[{"name":"a","address":"h:1","fingerprint":"xyz"}]}`, "a: fingerprint"},
		"an authority that is none":  {`{"ca":"hello","devices":[]}`, "inventory: ca"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := device.ParseInventory([]byte(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
