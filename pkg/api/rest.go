package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/loomfabric/loom/models/api"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// REST is loom.v1 as HTTP and JSON. Each request becomes a call of a gRPC server in the same process, which knows the caller by the
// certificate or the bearer token that the request came with, and by nothing else: no other header is passed on.
type REST struct {
	handler  http.Handler
	mostBody int64
	server   *grpc.Server
	conn     *grpc.ClientConn
}

// Patience with callers over HTTP.
const (
	bodyPatience  = time.Minute      // for a body to come
	writePatience = 30 * time.Second // for a caller to take what is written
)

// NewREST has a server of all services speak REST. server makes it from the options that are its own; whoever made REST closes it.
// Bodies have at most mostBody bytes.
func NewREST(mostBody int64, server func(...grpc.ServerOption) *grpc.Server) (*REST, error) {
	pipe := bufconn.Listen(1 << 20)
	g := server(
		grpc.ChainUnaryInterceptor(func(ctx context.Context, m any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			ctx, err := handedOver(ctx)
			if err != nil {
				return nil, err
			}
			return next(ctx, m)
		}),
		grpc.ChainStreamInterceptor(func(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			ctx, err := handedOver(s.Context())
			if err != nil {
				return err
			}
			return next(srv, &streamOf{s, ctx})
		}),
	)
	conn, err := grpc.NewClient("passthrough:rest",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()), // a pipe in this process
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(int(mostBody))),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, m, reply any, c *grpc.ClientConn, call grpc.UnaryInvoker, o ...grpc.CallOption) error {
			ctx, err := handOver(ctx, m)
			if err != nil {
				return err
			}
			return call(ctx, method, m, reply, c, o...)
		}),
		grpc.WithStreamInterceptor(func(ctx context.Context, d *grpc.StreamDesc, c *grpc.ClientConn, method string, call grpc.Streamer, o ...grpc.CallOption) (grpc.ClientStream, error) {
			ctx, err := handOver(ctx, nil)
			if err != nil {
				return nil, err
			}
			s, err := call(ctx, d, c, method, o...)
			return &askedStream{s, ctx}, err
		}),
	)
	if err != nil {
		return nil, err
	}
	r := &REST{mostBody: mostBody, server: g, conn: conn}
	if r.handler, err = routes(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	go func() { _ = g.Serve(pipe) }() // until Close
	return r, nil
}

// Close ends all calls.
func (r *REST) Close() error {
	err := r.conn.Close()
	r.server.Stop()
	return err
}

func routes(conn *grpc.ClientConn) (http.Handler, error) {
	none := func(string) (string, bool) { return "", false }
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, &runtime.HTTPBodyMarshaler{Marshaler: &runtime.JSONPb{
			MarshalOptions:   protojson.MarshalOptions{EmitDefaultValues: true},
			UnmarshalOptions: protojson.UnmarshalOptions{DiscardUnknown: false}, // a name with a mistake must not be passed over
		}}),
		runtime.WithIncomingHeaderMatcher(none), runtime.WithOutgoingHeaderMatcher(none), runtime.WithOutgoingTrailerMatcher(none),
		runtime.WithDisablePathLengthFallback(), runtime.WithDisableHTTPMethodOverride(), // a method is what it says
		runtime.WithHealthzEndpoint(grpc_health_v1.NewHealthClient(conn)),
		runtime.WithRoutingErrorHandler(lost),
	)
	for _, register := range []func(context.Context, *runtime.ServeMux, *grpc.ClientConn) error{
		api.RegisterIntentServiceHandler, api.RegisterPlanServiceHandler, api.RegisterTransactionServiceHandler, api.RegisterDeviceServiceHandler,
		api.RegisterEventServiceHandler, api.RegisterQueryServiceHandler, api.RegisterSourceServiceHandler, api.RegisterAuditServiceHandler, api.RegisterAccessServiceHandler,
	} {
		if err := register(context.Background(), mux, conn); err != nil {
			return nil, err
		}
	}
	err := mux.HandlePath(http.MethodGet, "/openapi.json", func(w http.ResponseWriter, _ *http.Request, _ map[string]string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(api.OpenAPI)
	})
	return mux, err
}

// lost answers where no path or method is the one of the request.
func lost(ctx context.Context, mux *runtime.ServeMux, m runtime.Marshaler, w http.ResponseWriter, r *http.Request, code int) {
	err := status.Errorf(codes.NotFound, "%s %s: there is no such call; /openapi.json has all of them", r.Method, r.URL.Path)
	switch code {
	case http.StatusMethodNotAllowed:
		err = status.Errorf(codes.Unimplemented, "%s %s: not with this method; /openapi.json has those that there are", r.Method, r.URL.Path)
	case http.StatusBadRequest:
		err = status.Errorf(codes.InvalidArgument, "%s: is no path", r.URL.Path)
	}
	runtime.DefaultHTTPErrorHandler(ctx, mux, m, w, r, &runtime.HTTPStatusError{HTTPStatus: code, Err: err})
}

// ServeHTTP answers one request, which has come over TLS.
func (r *REST) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	p := &patient{w, http.NewResponseController(w)}
	body, code, err := r.bodyOf(p, q)
	if err != nil {
		refuse(p, code, err)
		return
	}
	q.Body = io.NopCloser(bytes.NewReader(body))
	r.handler.ServeHTTP(p, q.WithContext(context.WithValue(q.Context(), requestKey{}, q)))
}

// bodyOf reads the whole body: nothing of a call is done before all of it is there.
func (r *REST) bodyOf(w *patient, q *http.Request) (body []byte, code int, err error) {
	// A browser that has a certificate must not be made to call by a page of somebody else.
	if err := http.NewCrossOriginProtection().Check(q); err != nil {
		return nil, http.StatusForbidden, status.Error(codes.PermissionDenied, err.Error())
	}
	if err := w.wait.SetReadDeadline(time.Now().Add(bodyPatience)); err != nil {
		return nil, http.StatusInternalServerError, err
	}
	body, err = io.ReadAll(http.MaxBytesReader(w.ResponseWriter, q.Body, r.mostBody))
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return nil, http.StatusRequestEntityTooLarge, status.Errorf(codes.ResourceExhausted, "the body has more than %d MiB", r.mostBody>>20)
	}
	if err != nil {
		return nil, http.StatusBadRequest, status.Errorf(codes.InvalidArgument, "the body: %v", err)
	}
	if q.Method != http.MethodGet && q.Method != http.MethodDelete && q.URL.RawQuery != "" {
		return nil, http.StatusBadRequest, invalid("?" + q.URL.RawQuery + ": a " + q.Method + " takes all that it asks for in its body")
	}
	kind, _, _ := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if len(body) > 0 && kind != "application/json" {
		return nil, http.StatusUnsupportedMediaType, invalid(fmt.Sprintf("Content-Type %q: use application/json", q.Header.Get("Content-Type")))
	}
	return body, 0, w.wait.SetReadDeadline(time.Time{}) // a stream has no end
}

// refuse answers as a call does that fails.
func refuse(w http.ResponseWriter, code int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	data, _ := protojson.Marshal(status.Convert(err).Proto())
	_, _ = w.Write(data)
}

// patient gives up on a caller who does not take what is written.
type patient struct {
	http.ResponseWriter
	wait *http.ResponseController
}

func (p *patient) Write(b []byte) (int, error) {
	_ = p.wait.SetWriteDeadline(time.Now().Add(writePatience))
	return p.ResponseWriter.Write(b)
}

func (p *patient) Flush() {
	_ = p.wait.SetWriteDeadline(time.Now().Add(writePatience))
	_ = p.wait.Flush()
	_ = p.wait.SetWriteDeadline(time.Time{}) // the next message may be hours away
}

// unknownIn names parameters of a query that a message has no field for: one with a mistake must not be passed over.
func unknownIn(q url.Values, m proto.Message) error {
	var unknown []string
	for name := range q {
		if !hasField(m.ProtoReflect().Descriptor(), strings.Split(name, ".")) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return invalid(fmt.Sprintf("?%s: %s has no such field; /openapi.json has those that there are", strings.Join(unknown, ", ?"), m.ProtoReflect().Descriptor().Name()))
}

func hasField(m protoreflect.MessageDescriptor, path []string) bool {
	for i, name := range path {
		if m == nil {
			return false
		}
		f := m.Fields().ByJSONName(name)
		if f == nil {
			f = m.Fields().ByTextName(name)
		}
		if f == nil {
			return false
		}
		if i+1 < len(path) {
			m = f.Message()
		}
	}
	return true
}
