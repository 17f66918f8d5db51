package sim

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnoi/file"
	"github.com/openconfig/gnoi/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// maxMessage is the largest request that a device takes.
const maxMessage = 64 << 20

// server is the gNMI side of a device.
type server struct {
	gnmi.UnimplementedGNMIServer
	*Device
}

// fileServer is its gNOI side, as far as files go.
type fileServer struct {
	file.UnimplementedFileServer
	*Device
}

// serve answers until Stop. The caller holds power, or nobody else has the device yet.
func (d *Device) serve() {
	g := grpc.NewServer(d.options()...)
	gnmi.RegisterGNMIServer(g, &server{Device: d})
	file.RegisterFileServer(g, &fileServer{Device: d})
	door, served := d.gate.unlock(), make(chan struct{})
	d.server, d.served = g, served
	go func() {
		defer close(served)
		if err := g.Serve(door); err != nil {
			d.log.Error("server ended", "error", err)
		}
	}()
}

// options returns how a device serves. A thousand of them share a process: buffers that idle
// connections need not hold are not held, and the key exchange is the cheap one, since both ends are here.
func (d *Device) options() []grpc.ServerOption {
	creds := credentials.NewTLS(&tls.Config{
		MinVersion:             tls.VersionTLS12,
		Certificates:           []tls.Certificate{d.certificate},
		CurvePreferences:       []tls.CurveID{tls.X25519, tls.CurveP256},
		SessionTicketsDisabled: true,
	})
	return []grpc.ServerOption{
		grpc.Creds(creds),
		grpc.UnaryInterceptor(d.authUnary),
		grpc.StreamInterceptor(d.authStream),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxHeaderListSize(64 << 10),
		grpc.ReadBufferSize(0),
		grpc.WaitForHandlers(true),
	}
}

func (d *Device) authUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := d.authenticate(ctx); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

func (d *Device) authStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := d.authenticate(stream.Context()); err != nil {
		return err
	}
	return next(srv, stream)
}

// authenticate wants the user name and the password in the metadata of the RPC.
func (d *Device) authenticate(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if is(md, "username", d.sim.config.Username) && is(md, "password", d.sim.config.Password) {
		return nil
	}
	return status.Error(codes.Unauthenticated, "Invalid username or password")
}

// is tells whether metadata has exactly one value for a key, the wanted one.
func is(md metadata.MD, key, want string) bool {
	got := md.Get(key)
	return len(got) == 1 && subtle.ConstantTimeCompare([]byte(got[0]), []byte(want)) == 1
}

// Capabilities answers what the driver says about the operating system.
func (s *server) Capabilities(context.Context, *gnmi.CapabilityRequest) (*gnmi.CapabilityResponse, error) {
	m := s.spec.Driver.Manners
	resp := &gnmi.CapabilityResponse{
		SupportedEncodings: []gnmi.Encoding{gnmi.Encoding_JSON_IETF},
		GNMIVersion:        m.GNMIVersion,
	}
	for _, model := range m.Models {
		resp.SupportedModels = append(resp.SupportedModels, &gnmi.ModelData{Name: model.Name, Organization: m.Organization, Version: model.Version})
	}
	return resp, nil
}

// chunk is how much of a file one message carries (gNOI file.proto).
const chunk = 64 << 10

// Get answers the startup configuration.
func (s *fileServer) Get(req *file.GetRequest, stream file.File_GetServer) error {
	if name := s.spec.Driver.Manners.StartupFile; name == "" || req.GetRemoteFile() != name {
		return status.Errorf(codes.NotFound, "%s: no such file", req.GetRemoteFile())
	}
	data, err := s.startupFile()
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	sum := sha256.Sum256(data)
	for len(data) > 0 {
		n := min(len(data), chunk)
		if err := stream.Send(&file.GetResponse{Response: &file.GetResponse_Contents{Contents: data[:n]}}); err != nil {
			return err
		}
		data = data[n:]
	}
	hash := &types.HashType{Method: types.HashType_SHA256, Hash: sum[:]}
	return stream.Send(&file.GetResponse{Response: &file.GetResponse_Hash{Hash: hash}})
}
