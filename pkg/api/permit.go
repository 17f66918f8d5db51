package api

import (
	"context"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/loomfabric/loom/pkg/auth"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Permit serves a page that is no call of the API to those who have a permission for all that there is. They say who they are as callers
// of the API do.
func Permit(a Admission, p auth.Permission, page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if err := permitted(q, a, p); err != nil {
			refuse(w, runtime.HTTPStatusFromCode(status.Code(err)), err)
			return
		}
		page.ServeHTTP(w, q)
	})
}

// permitted tells whether who has sent a request has a permission for all that there is.
func permitted(q *http.Request, a Admission, p auth.Permission) error {
	ctx, err := handOver(context.WithValue(q.Context(), requestKey{}, q), nil)
	if err != nil {
		return err
	}
	shown, _ := metadata.FromOutgoingContext(ctx)
	if ctx, err = handedOver(metadata.NewIncomingContext(q.Context(), shown)); err == nil {
		ctx, err = identify(ctx, a)
	}
	if err != nil {
		return err
	}
	who, _ := ctx.Value(callerKey{}).(*calling)
	if who == nil {
		return errNobody
	}
	r, err := who.now()
	if err != nil {
		return err
	}
	by, ok := r.May(p, auth.Object{Name: q.URL.Path})
	if !ok {
		return failure(&auth.DeniedError{Rights: r, Permission: p, Object: auth.Object{Name: q.URL.Path}})
	}
	if by.Glass {
		a.Used(who.who, by, q.URL.Path)
	}
	return nil
}
