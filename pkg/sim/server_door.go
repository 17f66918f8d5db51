package sim

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// farewell is how long a server that ends waits for the answers that it owes. Streams end at once.
const farewell = time.Second

// start lets clients in, as far as the running configuration does. The caller holds power, or nobody else has the
// device yet.
func (d *Device) start() {
	d.on = true
	d.serve(d.serverConfig().Door)
}

// halt ends the server, if there is one, and waits for its RPCs. The caller holds power.
func (d *Device) halt() {
	d.on = false
	d.end(func(g *grpc.Server) { g.Stop() })
}

// end ends the server, if there is one, in the given way. The caller holds power.
func (d *Device) end(stop func(*grpc.Server)) {
	if d.server == nil {
		return
	}
	d.gate.shut()
	d.cut()
	stop(d.server)
	<-d.served
	d.server = nil
}

// follow makes the server what the running configuration wants, if that is something else than before. It may be
// the end of the very RPC that committed the change, so it happens when the caller, who holds mu, is gone.
func (d *Device) follow() {
	want := d.serverOf(d.running.tree()).Door
	if want == d.wanted || d.parked {
		return
	}
	d.wanted = want
	d.moves.Go(func() {
		d.power.Lock()
		defer d.power.Unlock()
		if at := d.serverConfig().Door; d.on && at != d.door {
			d.log.Info("server changes, all connections end", "door", at)
			d.end(d.leave)
			d.serve(at)
		}
	})
}

// leave ends a server that still owes answers, one of them to who committed its end: they are sent, if the client
// reads them.
func (d *Device) leave(g *grpc.Server) {
	d.entrance.spare.Store(true)
	impatient := time.AfterFunc(farewell, func() {
		d.entrance.hangUp()
		g.Stop()
	})
	defer impatient.Stop()
	g.GracefulStop()
}

// errMoved is what ends the streams of a server that ends.
var errMoved = status.Error(codes.Unavailable, "the gRPC server is configured anew")

// severed is a stream that ends with its server, whatever its client does.
type severed struct {
	grpc.ServerStream
	ctx    context.Context
	server context.Context
}

// sever makes a stream end when its server does. Its handler calls release.
func sever(stream grpc.ServerStream, server context.Context) (s grpc.ServerStream, release func()) {
	ctx, cancel := context.WithCancelCause(stream.Context())
	stop := context.AfterFunc(server, func() { cancel(errMoved) })
	return &severed{stream, ctx, server}, func() { stop(); cancel(nil) }
}

// Context ends with the stream or with the server.
func (s *severed) Context() context.Context { return s.ctx }

// RecvMsg waits for the client, or for the end of the server.
func (s *severed) RecvMsg(m any) error {
	heard := make(chan error, 1)
	go func() { heard <- s.ServerStream.RecvMsg(m) }()
	select {
	case err := <-heard:
		return err
	case <-s.server.Done():
		return errMoved
	}
}

// ended returns why the context of a stream has ended.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); cause == errMoved {
		return cause
	}
	return status.FromContextError(ctx.Err()).Err()
}
