package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"
)

// requestKey is where the context of a call has the HTTP request that it comes from.
type requestKey struct{}

// certificateKey is where a call inside of the process has the certificate of who calls. The server that reads it is reached
// through a pipe of this process alone; elsewhere it means nothing.
const certificateKey = "loom-certificate-bin"

// addressKey is where it has the address of who calls.
const addressKey = "loom-address"

// handOver puts the certificate and the token of the HTTP request into the call that it becomes, instead of all that was there.
func handOver(ctx context.Context, asked any) (context.Context, error) {
	q, _ := ctx.Value(requestKey{}).(*http.Request)
	if q == nil || q.TLS == nil {
		return nil, errNobody
	}
	if err := knows(ctx, asked); err != nil {
		return nil, err
	}
	shown := metadata.MD{addressKey: {q.RemoteAddr}}
	if len(q.TLS.VerifiedChains) > 0 {
		shown[certificateKey] = []string{string(q.TLS.VerifiedChains[0][0].Raw)}
	}
	if tokens := q.Header.Values(authorizationKey); len(tokens) > 0 {
		shown[authorizationKey] = tokens
	}
	return metadata.NewOutgoingContext(ctx, shown), nil
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
	from, _ := peer.FromContext(ctx)
	as := &peer.Peer{}
	if from != nil {
		as.Addr, as.LocalAddr = from.Addr, from.LocalAddr
	}
	if at := md.Get(addressKey); len(at) == 1 {
		if a, err := netip.ParseAddrPort(at[0]); err == nil {
			as.Addr = net.TCPAddrFromAddrPort(a)
		}
	}
	raw := md.Get(certificateKey)
	if len(raw) == 0 {
		return peer.NewContext(ctx, as), nil
	}
	cert, err := x509.ParseCertificate([]byte(raw[0]))
	if err != nil {
		return nil, errNobody
	}
	as.AuthInfo = credentials.TLSInfo{
		State:          tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}, VerifiedChains: [][]*x509.Certificate{{cert}}},
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
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
