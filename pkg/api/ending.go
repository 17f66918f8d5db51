package api

import (
	"context"
	"errors"

	"github.com/loomfabric/loom/models/api"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// errEnding is how a stream ends that would go on for ever. A client that has a token goes on behind it.
var errEnding = detailed(codes.Unavailable, errors.New("the controller is being stopped; call again when it is back"), &errdetails.RetryInfo{RetryDelay: retryDelay})

// Ending ends streams with UNAVAILABLE once a context is done, as those who watch have no end of their own. A stream that carries
// something out is left to its end.
func Ending(stop context.Context) grpc.ServerOption {
	return grpc.ChainStreamInterceptor(func(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		if info.FullMethod == api.PlanService_ApplyPlan_FullMethodName {
			return next(srv, s)
		}
		ctx, cancel := context.WithCancel(s.Context())
		defer cancel()
		defer context.AfterFunc(stop, cancel)()
		err := next(srv, &endingStream{s, ctx, info.IsClientStream})
		if stop.Err() != nil && err != nil && s.Context().Err() == nil {
			return errEnding
		}
		return err
	})
}

// endingStream is a stream that ends with a context of its own.
type endingStream struct {
	grpc.ServerStream
	ctx   context.Context
	waits bool // for messages of the caller, who may have none any more
}

func (s *endingStream) Context() context.Context { return s.ctx }

func (s *endingStream) RecvMsg(m any) error {
	if !s.waits {
		return s.ServerStream.RecvMsg(m)
	}
	got := make(chan error, 1)
	go func() { got <- s.ServerStream.RecvMsg(m) }() // ends with the call
	select {
	case err := <-got:
		return err
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}
