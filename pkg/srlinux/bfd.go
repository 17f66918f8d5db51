package srlinux

import srl "github.com/loomfabric/loom/models/srlinux"

// bfd runs on the fabric links whose far ends speak it. Intervals are in microseconds
// (/bfd/subinterface/desired-minimum-transmit-interval).
func (r renderer) bfd() {
	for i := range r.d.Links {
		if l := &r.d.Links[i]; l.BFD.Multiplier != 0 {
			r.because(r.d.Underlay.Ref+"#bfd", "bfd")
			r.bfdOn(l.Port + ".0")
		}
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
