package device_test

import (
	"errors"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"

	"github.com/loomfabric/loom/pkg/device"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

func TestAWriterThatHasLostItsTurnIsRefused(t *testing.T) {
	t.Parallel()
	_, first, _ := simulate(t, simtest.New)
	as := func(election uint64) *device.Device {
		to := first.Target()
		to.Election = election
		return dial(t, to)
	}
	set := func(d *device.Device, mtu string) error {
		val := &gnmi.TypedValue{Value: &gnmi.TypedValue_JsonIetfVal{JsonIetfVal: []byte(mtu)}}
		return d.Set(t.Context(), &gnmi.SetRequest{Update: []*gnmi.Update{{Path: path(t, mtuPath).GNMI(), Val: val}}}, nil)
	}
	old, young := as(4), as(5)
	if err := set(old, "1501"); err != nil {
		t.Fatal(err)
	}
	if err := set(young, "1502"); err != nil {
		t.Fatal(err)
	}
	if err := set(old, "1503"); !errors.Is(err, device.ErrFenced) {
		t.Errorf("got %v, want %v", err, device.ErrFenced)
	}
	if got := mtu(t, young); got != "1502" {
		t.Errorf("mtu is %s", got)
	}
}
