// Package sim simulates devices: each is a real gNMI and gNOI server over TLS on its own loopback
// address, with the schema, the commits and the manners of its operating system.
//
// The rule that matters most: a simulated device judges a request by itself. It shares with the
// client the schema and the semantics of package config, and no opinion of what should be configured.
//
// What it does not do yet:
//   - It forwards nothing: no BGP, LLDP, EVPN, no neighbours and no counters. Its state is who it is, and the
//     oper-state of the interfaces that are configured, which follows their admin-state.
//   - It checks types, ranges, references and mandatory leaves, as far as the schema knows them; not
//     must and when expressions, nor what a commit would find out in hardware.
//   - It knows the nodes of the driver's profile. What the factory configuration has beside them is
//     kept, served and saved, and goes with what holds it; it cannot be set, nor asked for by its own path.
//   - Encodings: JSON_IETF only. Origins: its own only. No union_replace, no depth extension, no
//     heartbeats; SAMPLE sends all leaves at each interval.
//   - Telemetry shows the leaves that are set, not the defaults of those that are not; changes that
//     follow each other faster than a stream is read are shown as one.
//   - No rate limit, no session limit, no faults on demand.
package sim
