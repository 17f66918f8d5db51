// Package config holds device configuration as trees: immutable, compact, hashed per subtree,
// and typed by a schema. A tree is parsed from a device, or built by a renderer; two trees make a
// diff, and a diff makes the smallest gNMI SetRequest that turns one into the other.
//
// The rule that matters most: two trees are equal if a device could not tell them apart. A leaf
// that has its default value equals an absent leaf, and an empty container without presence
// equals no container (RFC 7950 §7.6.1, §7.5.1).
package config
