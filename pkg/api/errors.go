package api

import (
	"context"
	"errors"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/northbound"
	"github.com/loomfabric/loom/pkg/topology"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
)

// codeOf is what a client may do about an error: gRPC's own words for it.
var codeOf = []struct {
	err  error
	code codes.Code
}{
	{controller.ErrMoved, codes.Aborted}, // read again, and try again
	{controller.ErrNoTopology, codes.NotFound},
	{controller.ErrNoRevision, codes.NotFound},
	{controller.ErrNoResource, codes.NotFound},
	{controller.ErrReused, codes.AlreadyExists},
	{controller.ErrNoPlan, codes.NotFound},
	{ErrNoRecord, codes.NotFound},
	{controller.ErrNoDevice, codes.NotFound},
	{controller.ErrNoTransaction, codes.NotFound},
	{controller.ErrNoSource, codes.NotFound},
	{controller.ErrStale, codes.FailedPrecondition},
	{controller.ErrNotNow, codes.FailedPrecondition},
	{controller.ErrInvalid, codes.InvalidArgument},
	{controller.ErrForgotten, codes.OutOfRange},
	{northbound.ErrInvalid, codes.InvalidArgument},
	{northbound.ErrNoTarget, codes.NotFound},
	{northbound.ErrLimit, codes.ResourceExhausted},
	{northbound.ErrUnsupported, codes.Unimplemented},
	{northbound.ErrUnavailable, codes.Unavailable},
	{controller.ErrNotYou, codes.PermissionDenied},
	{ErrNoEntry, codes.NotFound},
	{context.Canceled, codes.Canceled},
	{context.DeadlineExceeded, codes.DeadlineExceeded},
}

// failure is an error as a status with details.
func failure(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	if invalid := (*controller.InvalidError)(nil); errors.As(err, &invalid) {
		return detailed(codes.InvalidArgument, err, mistakes(invalid.Diagnostics)...)
	}
	if moved := (*controller.MovedError)(nil); errors.As(err, &moved) {
		return detailed(codes.Aborted, err, &api.Conflict{Topology: moved.Topology, Expected: moved.Expected, Actual: moved.Actual})
	}
	if denied := (*auth.DeniedError)(nil); errors.As(err, &denied) {
		return status.Error(codes.PermissionDenied, err.Error())
	}
	if revoked := (*auth.RevokedError)(nil); errors.As(err, &revoked) {
		return status.Error(codes.Unauthenticated, err.Error())
	}
	if where := (*controller.ElsewhereError)(nil); errors.As(err, &where) {
		return where // see Relay
	}
	if errors.Is(err, controller.ErrMoving) {
		return moving(err)
	}
	for _, c := range codeOf {
		if errors.Is(err, c.err) {
			return status.Error(c.code, err.Error())
		}
	}
	return status.Error(codes.Internal, err.Error())
}

func invalid(format string) error { return status.Error(codes.InvalidArgument, format) }

// detailed is a status with details. One that does not fit goes without.
func detailed[M protoadapt.MessageV1](code codes.Code, err error, details ...M) error {
	s := status.New(code, err.Error())
	var all []protoadapt.MessageV1
	for _, d := range details {
		all = append(all, d)
	}
	if with, err := s.WithDetails(all...); err == nil {
		s = with
	}
	return s.Err()
}

// mostMistakes is how many mistakes an answer carries: headers of a response, where details of a status go, have a limit.
const mostMistakes = 20

func mistakes(diags topology.Diagnostics) []*api.Mistake {
	var out []*api.Mistake
	for _, d := range diags {
		if len(out) == mostMistakes {
			break
		}
		out = append(out, mistake(d))
	}
	return out
}

func mistake(d topology.Diagnostic) *api.Mistake {
	m := &api.Mistake{Resource: controller.ResourceOf(d.Ref), Message: d.Message, Fix: d.Fix, Warning: d.Severity != topology.Error}
	if d.Pos.File != "" {
		m.At = d.Pos.String()
	}
	for _, n := range d.Also {
		m.Notes = append(m.Notes, &api.MistakeNote{At: n.Pos.String(), Message: n.Text})
	}
	return m
}
