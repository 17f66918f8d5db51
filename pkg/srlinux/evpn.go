package srlinux

import (
	srl "github.com/loomfabric/loom/models/srlinux"
	"github.com/loomfabric/loom/pkg/fabric"
)

// vxlanTunnel is the tunnel interface of every VXLAN interface; each has its VNI as index.
const vxlanTunnel = "vxlan1"

// one is the id of the only EVPN and VPN instance that a network instance may have (max-elements 1).
const one = "1"

// Paths towards other VTEPs: a must of /network-instance/protocols/bgp-evpn/bgp-instance/ecmp allows a
// MAC-VRF fewer than the leaf's range says.
const (
	maxPathsMACVRF = 8
	maxPathsIPVRF  = 64
)

func vxlanName(vni uint32) string { return vxlanTunnel + "." + index(vni) }

// macVRFs are the segments: a bridge on this device, stretched by EVPN (RFC 7432, RFC 8365).
func (r renderer) macVRFs() {
	for i := range r.d.Segments {
		s := &r.d.Segments[i]
		r.because(s.Ref, "mac-vrf")
		r.In(srl.NetworkInstance, s.Name, func() {
			r.Str(srl.NetworkInstanceType, typeMACVRF)
			r.enable(srl.NetworkInstanceAdminState)
			r.Str(srl.NetworkInstanceDescription, s.Key)
			r.evpnInstance(s.VNI, s.EVI, min(r.d.Underlay.MaxPaths, maxPathsMACVRF))
			r.vpnInstance(s.RD, s.RT)
			if s.VRF != "" {
				r.In(srl.NetworkInstanceInterface, irbName(s), bare)
			}
		})
	}
	r.membership()
}

// membership puts ports and LAGs into their segments; the cause is the attachment, not the segment.
func (r renderer) membership() {
	names := map[string]string{}
	for i := range r.d.Segments {
		names[r.d.Segments[i].Key] = r.d.Segments[i].Name
	}
	join := func(port string, subs []fabric.SubPort) {
		for _, s := range subs {
			r.because(s.Ref, "access port")
			r.In(srl.NetworkInstance, names[s.Segment], func() {
				r.In(srl.NetworkInstanceInterface, port+"."+index(s.Index), bare)
			})
		}
	}
	for i := range r.d.Ports {
		join(r.d.Ports[i].Port, r.d.Ports[i].Subs)
	}
	for i := range r.d.LAGs {
		join(lagName(r.d.LAGs[i].Number), r.d.LAGs[i].Subs)
	}
}

// ipVRFs are the tenants: symmetric IRB over one L3 VNI each (RFC 9136 §4.4.1, interface-less).
func (r renderer) ipVRFs() {
	for i := range r.d.VRFs {
		v := &r.d.VRFs[i]
		r.because(v.Ref, "ip-vrf")
		r.In(srl.NetworkInstance, v.Name, func() {
			r.Str(srl.NetworkInstanceType, typeIPVRF)
			r.enable(srl.NetworkInstanceAdminState)
			r.Str(srl.NetworkInstanceDescription, v.Key)
			r.evpnInstance(v.VNI, v.EVI, min(v.ECMP, maxPathsIPVRF))
			r.vpnInstance(v.RD, v.RT)
			for j := range r.d.Segments {
				if s := &r.d.Segments[j]; s.VRF == v.Key {
					r.because(s.Ref+"#gateway", "gateway")
					r.In(srl.NetworkInstanceInterface, irbName(s), bare)
				}
			}
		})
	}
}

func (r renderer) evpnInstance(vni, evi, ecmp uint32) {
	r.In(srl.NetworkInstanceVxlanInterface, vxlanName(vni), bare)
	r.In(srl.NetworkInstanceProtocolsBgpEvpnBgpInstance, one, func() {
		r.enable(srl.NetworkInstanceProtocolsBgpEvpnBgpInstanceAdminState)
		r.Str(srl.NetworkInstanceProtocolsBgpEvpnBgpInstanceVxlanInterface, vxlanName(vni))
		r.Uint(srl.NetworkInstanceProtocolsBgpEvpnBgpInstanceEvi, uint64(evi))
		r.Uint(srl.NetworkInstanceProtocolsBgpEvpnBgpInstanceEcmp, uint64(ecmp))
	})
}

func (r renderer) vpnInstance(rd, rt string) {
	r.In(srl.NetworkInstanceProtocolsBgpVpnBgpInstance, one, func() {
		r.Str(srl.NetworkInstanceProtocolsBgpVpnBgpInstanceRouteDistinguisherRd, rd)
		r.Str(srl.NetworkInstanceProtocolsBgpVpnBgpInstanceRouteTargetExportRt, rt)
		r.Str(srl.NetworkInstanceProtocolsBgpVpnBgpInstanceRouteTargetImportRt, rt)
	})
}

// tunnels are the VXLAN interfaces, one per VNI.
func (r renderer) tunnels() {
	for i := range r.d.Segments {
		s := &r.d.Segments[i]
		r.because(s.Ref, "vni")
		r.vxlan(s.VNI, bridged)
	}
	for i := range r.d.VRFs {
		v := &r.d.VRFs[i]
		r.because(v.Ref, "vni")
		r.vxlan(v.VNI, routed)
	}
}

func (r renderer) vxlan(vni uint32, kind string) {
	r.In(srl.TunnelInterface, vxlanTunnel, func() {
		r.In(srl.TunnelInterfaceVxlanInterface, index(vni), func() {
			r.Str(srl.TunnelInterfaceVxlanInterfaceType, kind)
			r.Uint(srl.TunnelInterfaceVxlanInterfaceIngressVni, uint64(vni))
			r.Str(srl.TunnelInterfaceVxlanInterfaceEgressSourceIp, "use-system-ipv4-address")
		})
	})
}
