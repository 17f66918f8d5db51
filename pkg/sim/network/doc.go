// Package network says what a set of configured routers does together: which ports come up, who sees
// whom, which BGP sessions stand, which routes every router has, and what follows from them.
//
// Everything here is a pure function of values. The package knows neither YANG nor gNMI: the software
// of a simulated device turns its running configuration into a Router, and a State back into leaves.
//
//	Router, Wiring, Outages --Survey--> Plant --Compute, or real speakers--> Routing --Observe--> State
//
// A router that has two EVPN instances in one network instance announces on one side what it imports on the other (stitch.go):
// what it announces follows from a Routing, and is asked for again whenever that is another one (Announce).
//
// The rule that matters most: a Router holds what the device's committed configuration says, and
// nothing else. What two ends have to agree on is compared here, never assumed.
package network
