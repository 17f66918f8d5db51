package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/loomfabric/loom/pkg/auth"
	"github.com/loomfabric/loom/pkg/controller"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Others are the other replicas of a controller.
type Others interface {
	// Reach is how one of them is reached. The connection shows the certificate of a replica, which others believe who calls.
	Reach(replica string) (grpc.ClientConnInterface, error)
	// Whole is nil while the store answers, and otherwise says since when it does not.
	Whole() error
}

// statedKey is in the context of a call that a replica passes on.
type statedKey struct{}

// callerHeader has who calls, as a replica states it to another one: an auth.Identity as JSON. From anybody else it means nothing.
const callerHeader = "loom-caller-bin"

// believe is who calls by the word of a replica, and the context of a call that it passes on; the replica itself where it says nothing.
func believe(ctx context.Context, by auth.Identity) (context.Context, auth.Identity, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	said := md.Get(callerHeader)
	if len(said) == 0 {
		return ctx, by, nil
	}
	var who auth.Identity
	if len(said) > 1 || json.Unmarshal([]byte(said[0]), &who) != nil || who.Name == "" || who.Has(auth.Replica) || who.Kind == auth.Itself {
		return nil, who, status.Error(codes.Unauthenticated, "a replica passes a call on without saying whose it is; have all replicas run the same release")
	}
	return context.WithValue(ctx, statedKey{}, true), who, nil
}

// Relay passes calls on to the replica that can do them, as often as once: where a call was passed on and cannot be done there either,
// replicas are about to agree. What is not about the controller, as health, is not touched. It goes behind Authenticate, and before
// what asks the controller.
func Relay(o Others) []grpc.ServerOption {
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(relayCalls(o)), grpc.ChainStreamInterceptor(relayStreams(o))}
}

func relayCalls(o Others) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, m any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		if !ours(info.FullMethod) {
			return next(ctx, m)
		}
		if err := o.Whole(); err != nil {
			return nil, failure(err)
		}
		answer, err := next(ctx, m)
		to, err := passTo(ctx, o, err)
		if to == nil {
			return answer, err
		}
		reply, err := replyOf(info.FullMethod)
		if err != nil {
			return nil, err
		}
		return reply, passed(ctx, to.Invoke(stating(ctx), info.FullMethod, m, reply))
	}
}

func relayStreams(o Others) grpc.StreamServerInterceptor {
	return func(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		if !ours(info.FullMethod) {
			return next(srv, s)
		}
		if err := o.Whole(); err != nil {
			return failure(err)
		}
		asked := &askedOnce{ServerStream: s}
		to, err := passTo(s.Context(), o, next(srv, asked))
		if to == nil {
			return err
		}
		return asked.relay(to, info.FullMethod)
	}
}

// ours tells whether a method is the controller's.
func ours(method string) bool { return strings.HasPrefix(method, "/loom.v1.") }

// passTo is the replica that can do what an error says can be done elsewhere; nil: there is none, and the error is the answer.
func passTo(ctx context.Context, o Others, err error) (grpc.ClientConnInterface, error) {
	where := (*controller.ElsewhereError)(nil)
	if !errors.As(err, &where) {
		return nil, err
	}
	if ctx.Value(statedKey{}) != nil {
		return nil, moving(where)
	}
	to, err := o.Reach(where.Replica)
	if err != nil {
		return nil, moving(fmt.Errorf("%w: %w", where, err))
	}
	return to, nil
}

// moving is the answer to a call that can be made again in a moment, as nothing was done.
func moving(err error) error {
	if !errors.Is(err, controller.ErrMoving) {
		err = fmt.Errorf("%w; %w", err, controller.ErrMoving)
	}
	return detailed(codes.Unavailable, err, &errdetails.RetryInfo{RetryDelay: retryDelay})
}

// passed is an error of another replica as one of this one. One that cannot be reached, or with which the connection is given up as it is
// not there any more, is as good as moving: who asks for something to be done says so with a key, and asks again.
func passed(ctx context.Context, err error) error {
	s, ok := status.FromError(err)
	lost := s.Code() == codes.Unavailable || s.Code() == codes.Canceled && ctx.Err() == nil
	if ok && lost && len(s.Details()) == 0 {
		return detailed(codes.Unavailable, errors.New(s.Message()), &errdetails.RetryInfo{RetryDelay: retryDelay})
	}
	return err
}

// stating is the context of a call to another replica, with who calls.
func stating(ctx context.Context) context.Context {
	who, _ := Caller(ctx)
	text, _ := json.Marshal(who) // of strings and times
	return metadata.NewOutgoingContext(ctx, metadata.Pairs(callerHeader, string(text)))
}

// replyOf is an empty answer of a method.
func replyOf(method string) (proto.Message, error) {
	name := protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(method, "/"), "/", "."))
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	m, ok := d.(protoreflect.MethodDescriptor)
	if err != nil || !ok {
		return nil, status.Errorf(codes.Unimplemented, "%s: there is no such call", method)
	}
	kind, err := protoregistry.GlobalTypes.FindMessageByName(m.Output().FullName())
	if err != nil {
		return nil, err
	}
	return kind.New().Interface(), nil
}

// askedOnce is a stream that remembers what it was asked for.
type askedOnce struct {
	grpc.ServerStream
	asked any
}

func (a *askedOnce) RecvMsg(m any) error {
	err := a.ServerStream.RecvMsg(m)
	if err == nil && a.asked == nil {
		a.asked = m
	}
	return err
}

// relay asks another replica the same, and passes on what it answers.
func (a *askedOnce) relay(to grpc.ClientConnInterface, method string) error {
	ctx, cancel := context.WithCancel(stating(a.Context()))
	defer cancel()
	there, err := to.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method)
	if err == nil {
		err = there.SendMsg(a.asked)
	}
	if err == nil {
		err = there.CloseSend()
	}
	for err == nil {
		var reply proto.Message
		if reply, err = replyOf(method); err == nil {
			if err = there.RecvMsg(reply); err == nil {
				err = a.SendMsg(reply)
			}
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return passed(a.Context(), err)
}

// retryDelay is how long who is told to call again waits before that.
var retryDelay = durationpb.New(500 * time.Millisecond)
