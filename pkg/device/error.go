package device

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Class is what a caller may do about an error.
type Class uint8

// The classes of errors.
const (
	// Retry means that nothing happened on the device and that a later attempt may succeed.
	Retry Class = iota + 1
	// Refused means that nothing happened on the device and that the same request will be refused again.
	Refused
	// Unknown means that a Set may or may not have taken effect: read back, never repeat it blindly.
	Unknown
	// Fenced means that another writer has taken the device over: nothing happened, and nothing is ours to do.
	Fenced
)

// Sentinels for errors.Is, one per class.
var (
	ErrRetry   = errors.New("not now")
	ErrRefused = errors.New("refused")
	ErrUnknown = errors.New("outcome unknown")
	ErrFenced  = errors.New("another writer has taken the device over")
)

// sentinel returns the error that stands for the class.
func (c Class) sentinel() error {
	switch c {
	case Retry:
		return ErrRetry
	case Refused:
		return ErrRefused
	case Fenced:
		return ErrFenced
	}
	return ErrUnknown
}

// String returns the words that messages use for the class.
func (c Class) String() string { return c.sentinel().Error() }

// Error is every error of this package that concerns one device.
type Error struct {
	Device string // name of the device
	Op     string // "connect", "get", "set", "confirm", ...
	Class  Class
	Err    error // the cause; status.FromError finds the gRPC status in it, where there is one
}

// Error returns the device, what was tried, what is known, and the cause, in one line.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s: %s: %s", e.Device, e.Op, e.Class, cause(e.Err))
}

// About names the device, so that who wraps the error need not say it again.
func (e *Error) About() string { return e.Device }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is tells whether target is the sentinel of the error's class.
func (e *Error) Is(target error) bool { return target == e.Class.sentinel() }

// cause returns the text of an error without the words that gRPC puts around a status, in one line:
// SR Linux writes several lines into a status, which would break lists of errors.
func cause(err error) string {
	text := err.Error()
	if s, ok := status.FromError(err); ok && s.Code() != codes.OK {
		text = s.Message()
		if text == "" {
			text = s.Code().String()
		}
	}
	return strings.Join(strings.Fields(text), " ")
}

// errorf makes an Error of a class without a gRPC status.
func (d *Device) errorf(op string, c Class, format string, args ...any) error {
	return &Error{Device: d.target.Name, Op: op, Class: c, Err: fmt.Errorf(format, args...)}
}

// rpcError classifies the error of a call that connect has let through. write tells a call that can
// change the device; sent tells whether its headers left for the device.
func (d *Device) rpcError(op string, err error, write, sent bool) error {
	if err == nil {
		return nil
	}
	class := classOf(err, write && sent)
	if write && d.arbitrates() && status.Code(err) == codes.PermissionDenied {
		class = Fenced // gNMI master arbitration §3.1
	}
	return &Error{Device: d.target.Name, Op: op, Class: class, Err: err}
}

// classOf classifies an error; doubt tells that the request may have taken effect before it failed.
func classOf(err error, doubt bool) Class {
	switch code := status.Code(err); code {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.PermissionDenied,
		codes.FailedPrecondition, codes.Aborted, codes.OutOfRange, codes.Unimplemented, codes.Unauthenticated:
		// gNMI spec §3.4.7: the device has judged the request and did not do it.
		return Refused
	case codes.ResourceExhausted:
		return exhausted(err, doubt)
	default:
		if doubt {
			return Unknown
		}
		return Retry
	}
}

// exhausted tells a device's rate limit, before which nothing happened, from our own limit on the
// size of a message, which strikes when the answer arrives (or before a too large request leaves).
func exhausted(err error, doubt bool) Class {
	local := strings.HasPrefix(status.Convert(err).Message(), "grpc: ")
	switch {
	case !local:
		return Retry
	case doubt:
		return Unknown
	}
	return Refused
}

// connectError classifies the error of an attempt to connect. Nothing was sent, so it is never Unknown.
func (d *Device) connectError(op string, err error) error {
	var trust *trustError
	if errors.As(err, &trust) {
		return &Error{Device: d.target.Name, Op: op, Class: Refused, Err: err}
	}
	if errors.Is(err, errClosed) {
		return &Error{Device: d.target.Name, Op: op, Class: Refused, Err: err}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer from %s in time: %w", d.target.Address, err)
	}
	return &Error{Device: d.target.Name, Op: op, Class: Retry, Err: err}
}
