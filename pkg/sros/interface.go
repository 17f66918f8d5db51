package sros

import (
	"github.com/loomfabric/loom/models/sros"
	"github.com/loomfabric/loom/pkg/fabric"
)

// router is what the base router is as a whole.
func (r renderer) router() {
	r.because(r.d.Ref, "router")
	r.Uint(sros.ConfigureRouterAutonomousSystem, uint64(r.ownAS()))
	r.Str(sros.ConfigureRouterRouterId, r.d.Loopback.String())
	r.because(r.d.Underlay.Ref+"#max-paths", "ecmp")
	r.Uint(sros.ConfigureRouterEcmp, uint64(r.d.Underlay.MaxPaths))
}

// linkName is what the interface of a link is called: by its port, so that a far end that is renamed moves nothing.
func linkName(port string) string { return linkPrefix + port }

const linkPrefix = "fabric-"

// underlay tells whether BGP of the underlay runs over a link: not over what the WAN has.
func underlay(l *fabric.Link) bool { return l.Trunk == "" }

// linkInterfaces are the routed links that the underlay speaks BGP over.
func (r renderer) linkInterfaces() {
	for i := range r.d.Links {
		l := &r.d.Links[i]
		if !underlay(l) {
			continue
		}
		r.because(l.Ref, kindOf(l))
		r.In(sros.ConfigureRouterInterface, linkName(l.Port), func() {
			r.Str(sros.ConfigureRouterInterfaceDescription, farEnd(l))
			r.enable(sros.ConfigureRouterInterfaceAdminState)
			r.Str(sros.ConfigureRouterInterfacePort, l.Port)
			r.because(r.d.Underlay.Ref+"#mtu", "fabric mtu")
			r.Uint(sros.ConfigureRouterInterfaceIpMtu, uint64(r.d.Underlay.MTU))
			r.because(l.Ref, kindOf(l))
			if !l.Addr.IsValid() {
				r.unnumbered()
				r.because(r.d.Underlay.Ref+"#bfd", "bfd")
				r.bfd6(l.BFD)
				return
			}
			r.Str(sros.ConfigureRouterInterfaceIpv4PrimaryAddress, l.Addr.Addr().String())
			r.Uint(sros.ConfigureRouterInterfaceIpv4PrimaryPrefixLength, uint64(l.Addr.Bits()))
			r.because(r.d.Underlay.Ref+"#bfd", "bfd")
			r.bfd4(l.BFD)
		})
	}
}

// unnumbered is an interface with a link-local address only, over which IPv4 packets pass all the same (RFC 8950).
func (r renderer) unnumbered() {
	r.because(r.d.Underlay.Ref+"#links", "unnumbered")
	r.Presence(sros.ConfigureRouterInterfaceIpv6)
	r.Bool(sros.ConfigureRouterInterfaceIpv6ForwardIpv4Packets, true)
}

// advertisements are how the far ends of unnumbered links are found (RFC 4861 §4.2), and their BGP sessions with them: often.
func (r renderer) advertisements() {
	if !r.d.Underlay.Unnumbered {
		return
	}
	r.because(r.d.Underlay.Ref+"#links", "unnumbered")
	for i := range r.d.Links {
		if l := &r.d.Links[i]; underlay(l) && !l.Addr.IsValid() {
			r.In(sros.ConfigureRouterIpv6RouterAdvertisementInterface, linkName(l.Port), func() {
				r.enable(sros.ConfigureRouterIpv6RouterAdvertisementInterfaceAdminState)
				r.Uint(sros.ConfigureRouterIpv6RouterAdvertisementInterfaceMaxAdvertisementInterval, 10)
				r.Uint(sros.ConfigureRouterIpv6RouterAdvertisementInterfaceMinAdvertisementInterval, 4)
			})
		}
	}
}

// trunkInterfaces are the routed links to gateways of other sites that IS-IS runs over.
func (r renderer) trunkInterfaces() {
	for i := range r.d.WAN.Trunks {
		t := &r.d.WAN.Trunks[i]
		r.because(t.Ref, "trunk")
		r.In(sros.ConfigureRouterInterface, t.Name, func() {
			r.Str(sros.ConfigureRouterInterfaceDescription, t.PeerName)
			r.enable(sros.ConfigureRouterInterfaceAdminState)
			r.Str(sros.ConfigureRouterInterfacePort, portOf(t))
			r.Uint(sros.ConfigureRouterInterfaceIpMtu, uint64(t.MTU))
			r.Str(sros.ConfigureRouterInterfaceIpv4PrimaryAddress, t.Addr.Addr().String())
			r.Uint(sros.ConfigureRouterInterfaceIpv4PrimaryPrefixLength, uint64(t.Addr.Bits()))
			r.bfd4(t.BFD)
			r.trunk6()
		})
	}
}

// portOf is what a trunk's interface is on: a port, or a LAG.
func portOf(t *fabric.Trunk) string {
	if t.LAG != 0 {
		return lagName(t.LAG)
	}
	return t.Ports[0]
}
