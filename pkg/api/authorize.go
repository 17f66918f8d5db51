package api

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/auth"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// errNobody is that nobody is known to call.
var errNobody = status.Error(codes.Unauthenticated, "nobody is known to call: show a certificate of the controller's authority, or a token where the controller takes any")

// errExpired is that what was shown is not good any more.
var errExpired = status.Error(codes.Unauthenticated, "what was shown to say who calls has expired; renew it, and call again")

// Authorize lets a call through where its rule and what its caller may do agree; behind Authenticate.
func (s *Server) Authorize() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, m any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			asked, _ := m.(proto.Message)
			if err := s.authorize(ctx, info.FullMethod, asked); err != nil {
				return nil, err
			}
			return next(ctx, m)
		}),
		grpc.ChainStreamInterceptor(func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			if open(info.FullMethod) {
				return next(srv, stream)
			}
			if err := s.begins(stream.Context(), info.FullMethod); err != nil {
				return err
			}
			ctx, cancel := context.WithCancelCause(stream.Context())
			guarded := &guardedStream{endingStream: endingStream{stream, ctx, info.IsClientStream}, server: s, method: info.FullMethod}
			var watch sync.WaitGroup
			watch.Go(func() { guarded.watch(ctx, cancel) })
			defer watch.Wait()
			defer cancel(nil)
			err := next(srv, guarded)
			if why, is := status.FromError(context.Cause(ctx)); is && err != nil && stream.Context().Err() == nil && why.Code() != codes.OK {
				return why.Err()
			}
			return err
		}),
	}
}

// begins tells whether a stream may begin, of which the request is to come yet.
func (s *Server) begins(ctx context.Context, method string) error {
	rule, who, err := known(ctx, method)
	if err != nil || rule.GetScope() == api.Scope_SCOPE_CALLER {
		return err
	}
	r, err := who.now()
	if err != nil {
		return err
	}
	if _, ok := r.MaySomewhere(auth.Permission(rule.GetPermission()), ""); !ok {
		return failure(&auth.DeniedError{Rights: r, Permission: auth.Permission(rule.GetPermission())})
	}
	return nil
}

// known is the rule of a method and who calls it.
func known(ctx context.Context, method string) (*api.Rule, *calling, error) {
	rule := Rules()[method]
	who, _ := ctx.Value(callerKey{}).(*calling)
	switch {
	case who == nil:
		return nil, nil, errNobody
	case rule == nil:
		return nil, nil, status.Errorf(codes.PermissionDenied, "%s has no rule that says who may call it, and so nobody may", method)
	}
	return rule, who, nil
}

// now are the rights of a caller, whose credential is good still.
func (c *calling) now() (auth.Rights, error) {
	if c.of == nil {
		return auth.ControllerRights(), nil
	}
	if !c.who.Until.IsZero() && time.Now().After(c.who.Until) {
		return auth.Rights{}, errExpired
	}
	r, err := c.of.Rights(c.who)
	return r, failure(err)
}

// authorize tells whether a call is allowed.
func (s *Server) authorize(ctx context.Context, method string, asked proto.Message) error {
	if open(method) {
		return nil
	}
	by, who, err := s.check(ctx, method, asked)
	if err == nil && by.Glass && who.of != nil {
		who.of.Used(who.who, by, method)
	}
	return err
}

// check is the binding that allows a call, and who makes it.
func (s *Server) check(ctx context.Context, method string, asked proto.Message) (auth.Binding, *calling, error) {
	rule, who, err := known(ctx, method)
	if err != nil {
		return auth.Binding{}, nil, err
	}
	r, err := who.now()
	if err != nil || rule.GetScope() == api.Scope_SCOPE_CALLER {
		return auth.Binding{}, who, err
	}
	by, err := s.decide(ctx, r, rule, asked)
	return by, who, failure(err)
}

// decide is the binding that allows a call.
func (s *Server) decide(ctx context.Context, r auth.Rights, rule *api.Rule, asked proto.Message) (auth.Binding, error) {
	p := auth.Permission(rule.GetPermission())
	topology := said(asked, cmp.Or(rule.GetTopology(), "topology"))
	somewhere := rule.GetScope() == api.Scope_SCOPE_ANSWER || rule.GetScope() == api.Scope_SCOPE_CHANGE ||
		rule.GetOwn() != "" && topology == "" && said(asked, rule.GetOwn()) != ""
	if somewhere {
		if by, ok := r.MaySomewhere(p, topology); ok {
			return by, nil
		}
		return auth.Binding{}, &auth.DeniedError{Rights: r, Permission: p, Object: auth.Object{Name: topology, Topology: topology}}
	}
	by, err := s.all(ctx, r, p, rule, topology, asked)
	if err == nil && rule.GetApproves() != "" && said(asked, rule.GetApproves()) != "" {
		by, err = s.all(ctx, r, auth.Approve, rule, topology, asked)
	}
	return by, err
}

// all tells whether something is allowed with all that a request is about. What is of a topology as a whole needs no look at it.
func (s *Server) all(ctx context.Context, r auth.Rights, p auth.Permission, rule *api.Rule, topology string, asked proto.Message) (auth.Binding, error) {
	whole := auth.Object{Name: topology, Topology: topology}
	if by, ok := r.May(p, whole); ok {
		return by, nil
	}
	if _, ok := r.MaySomewhere(p, topology); !ok || rule.GetScope() == api.Scope_SCOPE_WHOLE {
		return auth.Binding{}, &auth.DeniedError{Rights: r, Permission: p, Object: whole}
	}
	about, err := s.about(ctx, rule, topology, asked)
	if err != nil {
		return auth.Binding{}, err
	}
	return covered(r, p, about)
}

// covered tells whether something is allowed with all of some objects.
func covered(r auth.Rights, p auth.Permission, about []auth.Object) (last auth.Binding, err error) {
	for _, o := range about {
		by, ok := r.May(p, o)
		if !ok {
			return by, &auth.DeniedError{Rights: r, Permission: p, Object: o}
		}
		if !last.Glass {
			last = by
		}
	}
	return last, nil
}

// about are the objects of a request.
func (s *Server) about(ctx context.Context, rule *api.Rule, topology string, asked proto.Message) ([]auth.Object, error) {
	switch rule.GetScope() {
	case api.Scope_SCOPE_DEVICE:
		name := said(asked, cmp.Or(rule.GetName(), "device"))
		if name == "" {
			break
		}
		return s.devices(ctx, topology, []string{name})
	case api.Scope_SCOPE_DEVICES:
		return s.selected(ctx, topology, asked)
	case api.Scope_SCOPE_PLAN:
		p, err := s.Operations.Plan(ctx, said(asked, cmp.Or(rule.GetName(), "id")))
		if err != nil {
			return nil, err
		}
		return s.planAbout(ctx, p)
	case api.Scope_SCOPE_TRANSACTION:
		return s.transactionAbout(ctx, said(asked, cmp.Or(rule.GetName(), "id")))
	}
	return []auth.Object{{Name: topology, Topology: topology}}, nil
}

// guardedStream is a stream that is allowed for as long as its caller may.
type guardedStream struct {
	endingStream
	server *Server
	method string

	mu    sync.Mutex
	asked proto.Message // nil: it did not come yet
}

func (g *guardedStream) RecvMsg(m any) error {
	if err := g.endingStream.RecvMsg(m); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.asked != nil {
		return nil
	}
	asked, _ := m.(proto.Message)
	if err := g.server.authorize(g.ctx, g.method, asked); err != nil {
		return err
	}
	g.asked = asked
	return nil
}

// watch ends a stream whose caller may not any more, or whose credential expires.
func (g *guardedStream) watch(ctx context.Context, end context.CancelCauseFunc) {
	who, _ := ctx.Value(callerKey{}).(*calling)
	if who == nil || who.of == nil {
		return
	}
	for {
		changed := who.of.Changed()
		if err := g.still(ctx); err != nil {
			end(err)
			return
		}
		r, err := who.now()
		if err != nil {
			end(err)
			return
		}
		var over <-chan time.Time
		if !r.Until().IsZero() {
			over = time.After(max(0, time.Until(r.Until())) + time.Millisecond)
		}
		select {
		case <-over:
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// still tells whether the stream is allowed now.
func (g *guardedStream) still(ctx context.Context) error {
	g.mu.Lock()
	asked := g.asked
	g.mu.Unlock()
	if asked == nil {
		return g.server.begins(ctx, g.method)
	}
	_, _, err := g.server.check(ctx, g.method, asked)
	if ctx.Err() != nil {
		return nil
	}
	return err
}
