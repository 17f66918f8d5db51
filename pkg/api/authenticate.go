package api

import (
	"context"
	"strings"

	"github.com/loomfabric/loom/pkg/auth"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Admission is what a controller knows of those who call.
type Admission interface {
	// Token is who a bearer token is of. Errors: it is not accepted, and why.
	Token(ctx context.Context, token string) (auth.Identity, error)
	// Rights are what somebody may do now. Errors: *auth.RevokedError.
	Rights(who auth.Identity) (auth.Rights, error)
	// Changed is closed when rights may have become others.
	Changed() <-chan struct{}
	// Used is told of a call that only a broken glass allows.
	Used(who auth.Identity, by auth.Binding, method string)
}

// callerKey is where the context of a call has who calls.
type callerKey struct{}

// calling is who calls.
type calling struct {
	who auth.Identity
	of  Admission // nil: the controller itself
}

// Itself is the context of what the controller does by itself, asked by nobody: it may do everything.
func Itself(ctx context.Context) context.Context {
	return context.WithValue(ctx, callerKey{}, &calling{who: auth.Controller})
}

// rights are what the caller may do now: nothing where nobody is known.
func rights(ctx context.Context) auth.Rights {
	c, _ := ctx.Value(callerKey{}).(*calling)
	switch {
	case c == nil:
		return auth.Rights{}
	case c.of == nil:
		return auth.ControllerRights()
	}
	r, err := c.of.Rights(c.who)
	if err != nil {
		return auth.Rights{Who: c.who}
	}
	return r
}

// mostToken is how long a bearer token may be, in bytes.
const mostToken = 16 << 10

// identify is the context of a call with who calls, by a certificate or by a token. One without either has nobody.
func identify(ctx context.Context, a Admission) (context.Context, error) {
	who, certified := certified(ctx)
	token, err := bearer(ctx)
	switch {
	case err != nil:
		return nil, err
	case certified && token != "":
		return nil, status.Error(codes.Unauthenticated, "both a certificate and a token were shown; use one of them, as they may be of two people")
	case token != "":
		if who, err = a.Token(ctx, token); err != nil {
			return nil, status.Error(codes.Unauthenticated, "the token is not accepted: "+err.Error())
		}
	case !certified:
		return ctx, nil
	case who.Has(auth.Replica):
		if ctx, who, err = believe(ctx, who); err != nil {
			return nil, err
		}
	}
	return context.WithValue(ctx, callerKey{}, &calling{who, a}), nil
}

// bearer is the token of a call (RFC 6750 §2.1); empty: there is none.
func bearer(ctx context.Context) (string, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	all := md.Get(authorizationKey)
	if len(all) == 0 {
		return "", nil
	}
	scheme, token, _ := strings.Cut(all[0], " ")
	if len(all) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > mostToken {
		return "", status.Error(codes.Unauthenticated, "authorization: is no bearer token; send one, as \"Bearer TOKEN\"")
	}
	return token, nil
}

const authorizationKey = "authorization"

// Authenticate finds out who calls, before anything else looks at a call.
func Authenticate(a Admission) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, m any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			ctx, err := identify(ctx, a)
			if err != nil {
				return nil, err
			}
			return next(ctx, m)
		}),
		grpc.ChainStreamInterceptor(func(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			ctx, err := identify(s.Context(), a)
			if err != nil {
				return err
			}
			return next(srv, &streamOf{s, ctx})
		}),
	}
}
