package srlinux

import srl "github.com/loomfabric/loom/models/srlinux"

// bfd runs on the fabric links. Intervals are in microseconds
// (/bfd/subinterface/desired-minimum-transmit-interval).
func (r renderer) bfd() {
	b := r.d.Underlay.BFD
	if b.Multiplier == 0 {
		return
	}
	for i := range r.d.Links {
		r.because(r.d.Underlay.Ref+"#bfd", "bfd")
		r.bfdOn(r.d.Links[i].Port + ".0")
	}
}

func (r renderer) bfdOn(subinterface string) {
	b := r.d.Underlay.BFD
	r.In(srl.BfdSubinterface, subinterface, func() {
		r.enable(srl.BfdSubinterfaceAdminState)
		r.Uint(srl.BfdSubinterfaceDesiredMinimumTransmitInterval, uint64(b.Interval))
		r.Uint(srl.BfdSubinterfaceRequiredMinimumReceive, uint64(b.Interval))
		r.Uint(srl.BfdSubinterfaceDetectionMultiplier, uint64(b.Multiplier))
	})
}
