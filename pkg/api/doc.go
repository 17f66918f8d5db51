// Package api is loom.v1 as a server: what comes over the wire becomes calls of the controller, and what it says becomes messages.
//
// The rule that matters most: nothing is decided here. An error of the controller becomes a code that a client can act on, with
// details that say where and what to do; everything else is translation.
package api
