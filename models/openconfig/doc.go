// Package oc is what Loom knows of OpenConfig where light is concerned: transponders and line systems, as one schema.
//
// Schema is generated from the modules in yang/, which are written by hand from facts. They are parts of the
// modules that OpenConfig publishes: a node that is there says what the published one says (models/conform compares
// them), and what Loom neither sets nor looks at is left out.
//
// OpenConfig has no releases as an operating system has: each module has its own revision, and a device may have any
// mixture of them. The profile is one set, named by the year of its newest revision, 2026. What a device's software
// is called has nothing to do with it.
//
// Most lists have their key twice, as a leaf of its own that refers to the leaf of config that has its value. A
// renderer sets both.
//
// The constants are named as those of models/srlinux: /components/component/optical-channel/config/frequency is
// ComponentsComponentOpticalChannelConfigFrequency.
package oc

//go:generate go run ../gen -yang yang -os openconfig -releases 2026 -package oc -out schema_gen.go -structs ygotoc -names module
