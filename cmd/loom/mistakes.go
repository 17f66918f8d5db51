package main

import (
	"errors"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/fabric"
	"github.com/loomfabric/loom/pkg/topology"
)

// renderError is everything that is wrong with one device; the driver names it in each message.
type renderError struct {
	device *fabric.Device
	err    error
}

func (e *renderError) Error() string { return e.err.Error() }

func (e *renderError) Unwrap() error { return e.err }

// mistakes turns a tree of errors into diagnostics, each at the line that caused it: that of the
// leaf where it is known, otherwise that of the device.
func (n *network) mistakes(err error, d *fabric.Device) topology.Diagnostics {
	if e, ok := err.(*renderError); ok {
		return n.mistakes(e.err, e.device)
	}
	if e, ok := err.(*config.CausedError); ok {
		return topology.Diagnostics{n.mistake(e.Cause.Ref, d.Name+": "+e.Error())}
	}
	if e, ok := err.(interface{ Unwrap() []error }); ok {
		var out topology.Diagnostics
		for _, x := range e.Unwrap() {
			out = append(out, n.mistakes(x, d)...)
		}
		return out
	}
	if e := (*config.CausedError)(nil); errors.As(err, &e) {
		return n.mistakes(errors.Unwrap(err), d)
	}
	return topology.Diagnostics{n.mistake(string(d.Ref), err.Error())}
}

func (n *network) mistake(ref, message string) topology.Diagnostic {
	return topology.Diagnostic{Pos: n.places.At(ref), Ref: ref, Severity: topology.Error, Message: message}
}
