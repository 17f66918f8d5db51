package api

import (
	"context"
	"fmt"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Guard keeps a call that panics from taking the controller with it: its caller gets INTERNAL, and report the stack.
func Guard(report func(method, stack string)) []grpc.ServerOption {
	caught := func(method string, err *error) {
		if v := recover(); v != nil {
			report(method, fmt.Sprintf("%v\n%s", v, debug.Stack()))
			*err = status.Errorf(codes.Internal, "%s: a mistake of the controller; its log has more", method)
		}
	}
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (_ any, err error) {
			defer caught(info.FullMethod, &err)
			return next(ctx, req)
		}),
		grpc.ChainStreamInterceptor(func(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
			defer caught(info.FullMethod, &err)
			return next(srv, s)
		}),
	}
}
