package main

import (
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/sros"
)

// A router whose startup configuration nobody can look at saves all the same: a change that is only running is lost with power.
func TestAGatewayOnSROSSavesWhatIsConfirmed(t *testing.T) {
	t.Parallel()
	const name = "bj-gateway1"
	f := fleetOf(t, "../../pkg/fabric/testdata/stitched.yaml", bgpComputed)
	inv := f.sim.Inventory()
	pool, err := inv.Pool()
	if err != nil {
		t.Fatal(err)
	}
	entry, _ := inv.Find(name)
	dev, err := device.New(device.Target{
		Name: name, Address: entry.Address, CA: pool, Fingerprint: entry.Fingerprint, Username: inv.Username, Password: inv.Password,
		Driver: drivers[sros.OS], Release: entry.Release,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	l, box := dialled(dev, f.design.Device(name), f.n.trees[name]), f.sim.Device(name)
	if !l.saved(config.EmptyTree(l.Target().Driver.Schema, entry.Release)) {
		t.Error("by default it does not save what it is told to")
	}
	val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: l.intended.AppendJSON(nil, false)}}
	before := box.Startup()
	if err := l.Set(t.Context(), &gnmi.SetRequest{Update: []*gnmi.Update{{Path: &gnmi.Path{}, Val: val}}}); err != nil {
		t.Fatal(err)
	}
	if !config.Equal(box.Startup(), before) || l.saved(box.Running()) {
		t.Fatal("what nobody has confirmed is saved")
	}
	if _, err := l.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !config.Equal(box.Startup(), box.Running()) || !l.saved(box.Running()) {
		t.Error("what is confirmed is not saved")
	}
}
