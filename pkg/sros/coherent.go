package sros

import (
	"strconv"

	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/fabric"
)

// coherentPorts are the connectors with coherent transceivers: the end of a channel of a line. The links that a channel carries are
// fabric links on the channels of the connector. The laser is on while the connector is (/configure/port/admin-state): there is no
// switch of its own. What happens when no light comes in (rx-los-reaction, rx-los-thresh) is left to the router: below -23 dBm
// the port goes down, which no mode receives.
func (r renderer) coherentPorts() {
	for i := range r.d.Light.Coherent {
		p := &r.d.Light.Coherent[i]
		r.because(p.Ref, "coherent port")
		r.In(sros.ConfigurePort, p.Port, func() {
			r.Str(sros.ConfigurePortDescription, p.PeerName+" "+p.PeerPort)
			r.enable(sros.ConfigurePortAdminState)
			r.Bool(sros.ConfigurePortTransceiverDigitalCoherentOptics, true)
			r.channel(p)
		})
	}
}

func (r renderer) channel(p *fabric.CoherentPort) {
	r.because(p.Ref+"#frequency", "frequency")
	r.Uint(sros.ConfigurePortDwdmFrequency, p.Frequency)
	r.because(p.Ref+"#mode", "mode")
	r.Str(sros.ConfigurePortDwdmCoherentCompatibility, p.Setting)
	r.because(p.Ref+"#power", "launch power")
	r.Str(sros.ConfigurePortDwdmCoherentTargetPower, strconv.FormatFloat(float64(p.Power), 'f', 2, 64))
	r.because(p.Ref, "coherent port")
}
