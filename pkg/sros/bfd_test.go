package sros

import (
	"testing"

	"github.com/loomfabric/loom/pkg/fabric"
)

func TestBFDIsInMillisecondsAndNeverFasterThanAskedFor(t *testing.T) {
	t.Parallel()
	const link = linkPath + "[interface-name=fabric-1/1/c36/1]/ipv4/bfd"
	for interval, want := range map[uint32]string{300_000: "300", 299_001: "300", 10_000: "10"} {
		tree := render(t, gateway(t, watched(fabric.BFD{Multiplier: 3, Interval: interval})))
		for _, leaf := range []string{"transmit-interval", "receive"} {
			if got := tree.Find(pathOf(link + "/" + leaf)).Value(); got != want {
				t.Errorf("%s of %d µs: got %s, want %s", leaf, interval, got, want)
			}
		}
	}
	off := render(t, gateway(t, watched(fabric.BFD{})))
	for _, path := range []string{link, groupPath + "[group-name=underlay]/bfd-liveness"} {
		if off.Find(pathOf(path)).Valid() {
			t.Errorf("%s without BFD", path)
		}
	}
}

// watched gives a site's links other timers.
func watched(bfd fabric.BFD) func(*fabric.Device) {
	return func(d *fabric.Device) {
		d.Underlay.BFD = bfd
		for i := range d.Links {
			if d.Links[i].Trunk == "" {
				d.Links[i].BFD = bfd
			}
		}
	}
}
