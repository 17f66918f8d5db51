// Package sim simulates devices: each is a real gNMI and gNOI server over TLS on its own loopback
// address, with the schema, the commits and the manners of its operating system.
//
// The rule that matters most: a simulated device judges a request by itself. It shares with the
// client the schema and the semantics of package config, and no opinion of what should be configured.
//
// A device is a gNMI server (get.go, set.go, subscribe*.go, commit.go) with a running and a startup configuration
// (device.go, boot.go). What lies between devices is the world (world.go): it reads configurations by the
// Software of each device, asks package network what they come to, and shows every device its part
// (view.go). Faults (fault*.go) stand between a client and all of that.
//
// docs/simulator.md says what is simulated, and what is not.
package sim
