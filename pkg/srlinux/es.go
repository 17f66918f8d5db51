package srlinux

import srl "github.com/loomfabric/loom/models/srlinux"

// ethernetSegments make two LAGs one to the fabric (RFC 7432 §8). Their own routes need a VPN
// instance of the system: /system/network-instance/protocols/bgp-vpn/bgp-instance.
func (r renderer) ethernetSegments() {
	for i := range r.d.LAGs {
		l := &r.d.LAGs[i]
		if l.ESI == "" {
			continue
		}
		r.because(l.Ref, "ethernet segment")
		r.In(srl.SystemNetworkInstanceProtocolsBgpVpnBgpInstance, one, bare)
		r.In(srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstance, one, func() {
			r.In(srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegment, l.ESName, func() {
				r.enable(srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentAdminState)
				r.Str(srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentEsi, l.ESI)
				r.Str(srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentMultiHomingMode, "all-active")
				r.In(srl.SystemNetworkInstanceProtocolsEvpnEthernetSegmentsBgpInstanceEthernetSegmentInterface, lagName(l.Number), bare)
			})
		})
	}
}
