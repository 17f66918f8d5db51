package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// requestKey is where the context of a call has the HTTP request that it comes from.
type requestKey struct{}

// certificateKey is where a call inside of the process has the certificate of who calls. The server that reads it is reached
// through a pipe of this process alone; elsewhere it means nothing.
const certificateKey = "loom-certificate-bin"

var errNobody = status.Error(codes.Unauthenticated, "nobody calls without a certificate")

// handOver puts the certificate of the HTTP request into the call that it becomes, instead of all that was there.
func handOver(ctx context.Context, asked any) (context.Context, error) {
	q, _ := ctx.Value(requestKey{}).(*http.Request)
	if q == nil || q.TLS == nil || len(q.TLS.VerifiedChains) == 0 {
		return nil, errNobody
	}
	if err := knows(ctx, asked); err != nil {
		return nil, err
	}
	return metadata.NewOutgoingContext(ctx, metadata.Pairs(certificateKey, string(q.TLS.VerifiedChains[0][0].Raw))), nil
}

// knows tells whether a message has a field for each parameter of the query that it was made of.
func knows(ctx context.Context, asked any) error {
	m, ok := asked.(proto.Message)
	if q, _ := ctx.Value(requestKey{}).(*http.Request); ok && q != nil {
		return unknownIn(q.URL.Query(), m)
	}
	return nil
}

// handedOver is the context of a call whose caller came over HTTP: as if the connection were the caller's own.
func handedOver(ctx context.Context) (context.Context, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	raw := md.Get(certificateKey)
	if len(raw) != 1 {
		return nil, errNobody
	}
	cert, err := x509.ParseCertificate([]byte(raw[0]))
	if err != nil {
		return nil, errNobody
	}
	p, _ := peer.FromContext(ctx)
	as := &peer.Peer{AuthInfo: credentials.TLSInfo{
		State:          tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}, VerifiedChains: [][]*x509.Certificate{{cert}}},
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
	}}
	if p != nil {
		as.Addr, as.LocalAddr = p.Addr, p.LocalAddr
	}
	return peer.NewContext(ctx, as), nil
}

// streamOf is a stream with another context.
type streamOf struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *streamOf) Context() context.Context { return s.ctx }

// askedStream looks at what is asked before it is sent.
type askedStream struct {
	grpc.ClientStream
	ctx context.Context
}

func (s *askedStream) SendMsg(m any) error {
	if err := knows(s.ctx, m); err != nil {
		return err
	}
	return s.ClientStream.SendMsg(m)
}
