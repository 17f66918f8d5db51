// Package sros is what Loom knows of SR OS's configuration and state, release 26.3, as one schema.
//
// Schema is generated from the modules in yang/, which are written by hand from facts. They are parts of the modules that
// Nokia publishes, and cut as these are: nokia-conf and nokia-state are one module each, of submodules for each feature. A
// node that is there says what the published one says (models/conform compares them), and what Loom neither sets nor looks at
// is left out. Choices are left out as well: that of several ways to say a thing only one may be taken (the labels of
// segment routing: global, or a range), the renderer has to know.
//
// Everything is below /configure or /state. The constants are named as those of models/srlinux:
// /configure/router/bgp/group/peer-as is ConfigureRouterBgpGroupPeerAs.
//
// Integers of 64 bits are text in JSON (RFC 7951 §6.1): /configure/router/isis/interface/ipv4-node-sid/index is one.
// Powers and ratios below /state/port/dwdm/coherent are whole numbers of hundredths.
package sros

//go:generate go run ../gen -yang yang -os sros -releases 26.3 -package sros -out schema_gen.go -structs ygotsros
