package api

import (
	"context"
	"slices"
	"time"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/audit"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Auditor is told of calls.
type Auditor interface {
	// ID is one that no other entry has.
	ID() string
	// Durable returns when an entry is on the disk.
	Durable(ctx context.Context, e audit.Entry) error
	// Gather has an entry written soon. It waits where too many do.
	Gather(ctx context.Context, e audit.Entry) error
}

// auditKey is where the context of a call has whether it was told of.
type auditKey struct{}

// audited is a call that is told of.
type audited struct{ begun bool }

// Audit has an auditor told of each call, behind whoever finds out who calls: of one that changes something before it begins, and of
// what came of it before its answer goes out; of one that reads when it is over; of a stream when it begins and when it is over.
// Unknown tells of calls of nobody, and goes in front of whoever finds out who calls.
//
// Whether a call is healthy is asked for every second, and tells of nothing: it is not told of.
func Audit(to Auditor) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, m any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (_ any, err error) {
			begins(ctx)
			if unaudited(info.FullMethod) {
				return next(ctx, m)
			}
			e := entryOf(ctx, info.FullMethod, m)
			if reads(info.FullMethod) || nobody(ctx) {
				answer, err := next(ctx, m)
				return answer, settle(err, to.Gather(ctx, ended(e, audit.Whole, err)))
			}
			e.ID = to.ID()
			if err := to.Durable(ctx, e); err != nil {
				return nil, settle(nil, err)
			}
			answer, err := next(ctx, m)
			return answer, settle(err, to.Durable(context.WithoutCancel(ctx), ended(e, audit.After, err)))
		}),
		grpc.ChainStreamInterceptor(func(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			begins(s.Context())
			if unaudited(info.FullMethod) {
				return next(srv, s)
			}
			write := to.Durable
			if reads(info.FullMethod) || nobody(s.Context()) {
				write = to.Gather
			}
			t := &auditedStream{ServerStream: s, write: write, id: to.ID(), method: info.FullMethod, asks: info.IsClientStream}
			if t.asks { // what is asked comes while it is answered
				if err := t.begin(nil); err != nil {
					return err
				}
			}
			err := next(srv, t)
			if t.entry == nil { // it has ended before anything was asked
				if fail := t.begin(nil); fail != nil {
					return settle(err, fail)
				}
			}
			return settle(err, write(context.WithoutCancel(s.Context()), ended(*t.entry, audit.After, err)))
		}),
	}
}

// Unknown has an auditor told of calls that did not come as far as Audit.
func Unknown(to Auditor) []grpc.ServerOption {
	tell := func(ctx context.Context, a *audited, method string, m any, err error) error {
		if a.begun || unaudited(method) {
			return err
		}
		return settle(err, to.Gather(context.WithoutCancel(ctx), ended(entryOf(ctx, method, m), audit.Whole, err)))
	}
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, m any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			a := &audited{}
			answer, err := next(context.WithValue(ctx, auditKey{}, a), m)
			return answer, tell(ctx, a, info.FullMethod, m, err)
		}),
		grpc.ChainStreamInterceptor(func(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			a := &audited{}
			err := next(srv, &streamOf{s, context.WithValue(s.Context(), auditKey{}, a)})
			return tell(s.Context(), a, info.FullMethod, nil, err)
		}),
	}
}

func begins(ctx context.Context) {
	if a, ok := ctx.Value(auditKey{}).(*audited); ok {
		a.begun = true
	}
}

// auditedStream is a stream of which it is told what it is asked first.
type auditedStream struct {
	grpc.ServerStream
	write  func(context.Context, audit.Entry) error
	id     string
	method string
	asks   bool
	entry  *audit.Entry
}

func (s *auditedStream) begin(m any) error {
	e := entryOf(s.Context(), s.method, m)
	e.ID = s.id
	s.entry = &e
	return settle(nil, s.write(s.Context(), e))
}

// RecvMsg tells of the request of a stream of answers before anything is done about it.
func (s *auditedStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil || s.entry != nil {
		return err
	}
	return s.begin(m)
}

// settle is the error of a call, or else that of its audit.
func settle(err, audit error) error {
	if err == nil && audit != nil {
		return status.Error(codes.Unavailable, audit.Error())
	}
	return err
}

// unaudited tells whether calls of a method are not told of.
func unaudited(method string) bool {
	return method == grpc_health_v1.Health_Check_FullMethodName || method == grpc_health_v1.Health_Watch_FullMethodName
}

// reads tells whether a call of a method changes nothing. One that has no rule is taken for one that does.
func reads(method string) bool {
	return slices.Contains(readingPermissions, auth.Permission(Rules()[method].GetPermission())) || slices.Contains(readingMethods, method)
}

// nobody tells whether it is not known who calls. Whoever that is changes nothing, and must not have anything written at once.
func nobody(ctx context.Context) bool {
	_, known := Caller(ctx)
	return !known
}

// readingMethods are those of others.
var readingMethods = []string{
	gnmi.GNMI_Get_FullMethodName, gnmi.GNMI_Capabilities_FullMethodName, gnmi.GNMI_Subscribe_FullMethodName,
	"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
}

var readingPermissions = []auth.Permission{auth.Read, auth.ReadAudit, auth.ReadAccess}

// entryOf is the entry of a call that begins.
func entryOf(ctx context.Context, method string, m any) audit.Entry {
	e := audit.Entry{At: time.Now().UTC(), What: method, Stage: audit.Before}
	if who, ok := Caller(ctx); ok {
		e.Who.Name, e.Who.Credential = who.Name, string(who.Kind)
	}
	if p, ok := peer.FromContext(ctx); ok && p.Addr != nil {
		e.Who.Address = p.Addr.String()
	}
	asked, ok := m.(proto.Message)
	if !ok {
		return e
	}
	if data, err := (proto.MarshalOptions{Deterministic: true}).Marshal(asked); err == nil {
		e.Digest = audit.DigestOf(data)
	}
	said := func(name string) string {
		r := asked.ProtoReflect()
		f := r.Descriptor().Fields().ByName(protoreflect.Name(name))
		if f == nil || f.Kind() != protoreflect.StringKind || f.IsList() || f.IsMap() {
			return ""
		}
		return r.Get(f).String()
	}
	e.Subject.Topology, e.Subject.Device, e.Subject.PlanHash = said("topology"), said("device"), said("hash")
	switch rule := Rules()[method]; rule.GetScope() {
	case api.Scope_SCOPE_DEVICE:
		if name := rule.GetName(); name != "" {
			e.Subject.Device = said(name)
		}
	case api.Scope_SCOPE_PLAN:
		e.Subject.Plan = said("id")
	case api.Scope_SCOPE_TRANSACTION:
		e.Subject.Transaction = said("id")
	}
	return e
}

// ended is what came of a call: its code, and no words, as they may have values in them.
func ended(e audit.Entry, stage audit.Stage, err error) audit.Entry {
	e.At, e.Stage = time.Now().UTC(), stage
	e.Outcome = audit.Outcome{Code: status.Code(failure(err)).String()}
	if stage == audit.After {
		e.Digest = ""
	}
	return e
}
