package sim

import (
	"cmp"
	"context"
	"crypto/subtle"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnoi/file"
	"github.com/openconfig/gnoi/system"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
)

// maxMessage is the largest request that a device takes.
const maxMessage = 64 << 20

// server is the gNMI side of a device.
type server struct {
	gnmi.UnimplementedGNMIServer
	*Device
}

// serve answers at a door until the device is halted. The caller holds power, or nobody else has the device yet.
func (d *Device) serve(at Door) {
	d.door = at
	if at.Shut {
		return
	}
	g := grpc.NewServer(d.options()...)
	if !at.NoGNMI {
		gnmi.RegisterGNMIServer(g, &server{Device: d})
	}
	if !at.NoGNOI {
		file.RegisterFileServer(g, &fileServer{Device: d})
		system.RegisterSystemServer(g, &systemServer{Device: d})
	}
	// SR Linux has no switch for reflection: a user's role allows it (srl_nokia-aaa.yang, grpc-reflection).
	reflection.Register(g)
	way, served := d.gate.unlock(), make(chan struct{})
	d.server, d.served, d.entrance = g, served, d.faultyDoor(way)
	d.serving, d.cut = context.WithCancel(context.Background())
	entrance := reception{d.entrance, d}
	go func() {
		defer close(served)
		if err := g.Serve(entrance); err != nil {
			d.log.Error("server ended", "error", err)
		}
	}()
}

// options returns how a device serves. A thousand of them share a process: buffers that idle
// connections need not hold are not held.
func (d *Device) options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.Creds(d.credentials()),
		grpc.UnaryInterceptor(d.unary),
		grpc.StreamInterceptor(d.stream),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxHeaderListSize(64 << 10),
		grpc.ReadBufferSize(0),
		grpc.WaitForHandlers(true),
	}
}

func (d *Device) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	leave, err := d.admit(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return next(ctx, req)
}

func (d *Device) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	leave, err := d.admit(stream.Context())
	if err != nil {
		return err
	}
	defer leave()
	if info.FullMethod == gnmi.GNMI_Subscribe_FullMethodName {
		defer d.clients.add(stream.Context())()
	}
	s, release := sever(stream, d.serving)
	defer release()
	return next(srv, s)
}

// admit lets an RPC in, or refuses it, by the configuration of this moment. Every call counts for the
// rate, whoever makes it. What is let in calls leave at its end.
func (d *Device) admit(ctx context.Context) (leave func(), err error) {
	s := d.serverConfig()
	if err := d.limits.call(s.RateLimit, d.sim.config.Clock.Now()); err != nil {
		return nil, err
	}
	if !s.Anonymous {
		if err := d.authenticate(ctx); err != nil {
			return nil, err
		}
	}
	l := lineOf(ctx)
	if most := d.spec.Driver.Manners.Sessions; !l.seat(most) {
		return nil, status.Errorf(codes.ResourceExhausted, "Limit of %d sessions reached", most)
	}
	if err := d.limits.enter(cmp.Or(d.spec.Driver.Manners.Channels, s.Sessions)); err != nil {
		return nil, err
	}
	l.begin()
	return func() { l.finish(); d.limits.leave() }, nil
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
