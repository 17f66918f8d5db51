// Package srl is what Loom knows of SR Linux's configuration and state, releases 24.10 and 25.3, as one schema.
//
// Schema is generated from the modules in yang/, which are written by hand from facts. The rule that matters
// most: a node, enum value or identity says itself which releases have it (config.Node.In, config.Enum.In), so
// a renderer asks for the node and never for the release.
//
// There is one constant for each node. Its name is the schema path without keys, every name in camel case
// with a capital first letter and everything else as it is: /interface/subinterface/ipv4/address/ip-prefix is
// InterfaceSubinterfaceIpv4AddressIpPrefix, /network-instance/protocols/bgp/afi-safi/multipath/ebgp/maximum-paths
// is NetworkInstanceProtocolsBgpAfiSafiMultipathEbgpMaximumPaths, l2-mtu is L2Mtu. Numbers change when nodes are
// added; only names are to be relied on.
//
// A node counts as absent from a release where no platform that Loom knows has the features that the vendor's
// model asks for, even if the model has the node. Where the types of the two releases differ (names of ports
// with a connector letter, for one) the schema accepts what either accepts. A leaf-list with several defaults
// has them in Default with a blank between.
package srl

//go:generate go run ../gen -yang yang -os srlinux -releases 24.10,25.3 -package srl -out schema_gen.go -structs ygotsrl
