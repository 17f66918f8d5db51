package sim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/loomfabric/loom/pkg/sim/simapi"
)

// control serves loom.sim.v1.Simulation.
type control struct {
	simapi.UnimplementedSimulationServer
	*Sim
}

// ServeControl serves the service loom.sim.v1.Simulation on a loopback address, over TLS with a certificate of the
// simulation's authority, to those who have the devices' login. The inventory has its address. It is called once,
// and Close ends it.
func (s *Sim) ServeControl() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("sim: control: %w", err)
	}
	address := listener.Addr().String()
	cert, err := s.authority.certify(Certificate{}, simapi.ServerName, address)
	if err != nil {
		listener.Close()
		return fmt.Errorf("sim: control: %w", err)
	}
	creds := credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}})
	server := grpc.NewServer(grpc.Creds(creds), grpc.UnaryInterceptor(s.askUnary), grpc.StreamInterceptor(s.askStream), grpc.WaitForHandlers(true))
	simapi.RegisterSimulationServer(server, &control{Sim: s})
	reflection.Register(server)
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := server.Serve(listener); err != nil {
			s.config.Log.Error("control ended", "error", err)
		}
	}()
	s.faults.serve(address, func() { server.Stop(); <-served })
	return nil
}

// serve notes where the control is served, and how that ends.
func (b *book) serve(address string, stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.address, b.stop = address, stop
}

// control returns where the control is served.
func (b *book) control() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.address
}

func (s *Sim) askUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := s.ask(ctx); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

func (s *Sim) askStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := s.ask(stream.Context()); err != nil {
		return err
	}
	return next(srv, stream)
}

// ask wants the devices' login.
func (s *Sim) ask(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if is(md, "username", s.config.Username) && is(md, "password", s.config.Password) {
		return nil
	}
	return status.Error(codes.Unauthenticated, "wrong user name or password; they are in the inventory that the simulation has written")
}

// ListDevices returns the devices in the order of the specs.
func (c *control) ListDevices(context.Context, *simapi.ListDevicesRequest) (*simapi.ListDevicesResponse, error) {
	out := &simapi.ListDevicesResponse{Cables: c.Cables()}
	for _, d := range c.devices {
		out.Devices = append(out.Devices, &simapi.Device{
			Name: d.Name(), Address: d.Address(), Platform: d.Hardware().Platform, Release: d.release(),
			Boots: d.Boots(), PendingCommit: d.Pending(),
		})
	}
	return out, nil
}

// ListKinds returns the table of kinds.
func (c *control) ListKinds(context.Context, *simapi.ListKindsRequest) (*simapi.ListKindsResponse, error) {
	out := &simapi.ListKindsResponse{}
	for _, k := range Kinds() {
		kind := &simapi.Kind{Name: k.Name, Help: k.Help, Target: string(k.At), Needs: k.Needs, Takes: k.Parameters(), Defaults: k.Defaults()}
		for _, f := range k.Forms {
			kind.Forms = append(kind.Forms, &simapi.Form{Name: f.Name, Help: f.Help})
		}
		out.Kinds = append(out.Kinds, kind)
	}
	for _, p := range Parameters() {
		out.Parameters = append(out.Parameters, &simapi.Parameter{Name: p.Name, Help: p.Help})
	}
	return out, nil
}

// Inject injects a fault.
func (c *control) Inject(_ context.Context, req *simapi.InjectRequest) (*simapi.InjectResponse, error) {
	f, err := ParseFault(req.GetFault().GetKind(), req.GetFault().GetTarget(), req.GetFault().GetParameters())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	id, err := c.Sim.Inject(f)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &simapi.InjectResponse{Id: id}, nil
}

// Clear clears faults, or all.
func (c *control) Clear(_ context.Context, req *simapi.ClearRequest) (*simapi.ClearResponse, error) {
	ids := req.GetIds()
	if len(ids) == 0 {
		for _, f := range c.Faults() {
			ids = append(ids, f.ID)
		}
	}
	out := &simapi.ClearResponse{}
	for _, id := range ids {
		if err := c.Sim.Clear(id); err != nil {
			return nil, status.Error(codes.NotFound, err.Error())
		}
		out.Ids = append(out.Ids, id)
	}
	return out, nil
}

// List returns the active faults.
func (c *control) List(context.Context, *simapi.ListRequest) (*simapi.ListResponse, error) {
	out := &simapi.ListResponse{}
	for _, f := range c.Faults() {
		out.Faults = append(out.Faults, &simapi.Injected{
			Id: f.ID, Since: timestamppb.New(f.Since), Struck: uint64(f.Struck),
			Fault: &simapi.Fault{Kind: f.Kind, Target: f.Target, Parameters: f.Text()},
		})
	}
	return out, nil
}

// Save saves a configuration.
func (c *control) Save(_ context.Context, req *simapi.SaveRequest) (*simapi.SaveResponse, error) {
	if err := c.Sim.Save(req.GetDevice()); err != nil {
		return nil, atTheBox(err)
	}
	return &simapi.SaveResponse{}, nil
}

// Accept confirms a commit.
func (c *control) Accept(_ context.Context, req *simapi.AcceptRequest) (*simapi.AcceptResponse, error) {
	id, err := c.Sim.Accept(req.GetDevice())
	if err != nil {
		return nil, atTheBox(err)
	}
	return &simapi.AcceptResponse{Commit: id}, nil
}

// Cable plugs everything as a topology says.
func (c *control) Cable(_ context.Context, req *simapi.CableRequest) (*simapi.CableResponse, error) {
	var files []File
	for _, f := range req.GetFiles() {
		files = append(files, File{f.GetName(), f.GetContent()})
	}
	done, err := c.Sim.CableFiles(files)
	switch {
	case errors.Is(err, errSwapped):
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	case err != nil:
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &simapi.CableResponse{Plugged: done.Plugged, Pulled: done.Pulled, Built: done.Built, Removed: done.Removed, Absent: done.Absent, Idle: done.Idle}, nil
}

// atTheBox tells a device that is not there from one that refuses.
func atTheBox(err error) error {
	if errors.Is(err, errNoSuchDevice) {
		return status.Error(codes.NotFound, err.Error())
	}
	return status.Error(codes.FailedPrecondition, err.Error())
}

// Run runs a scenario for as long as the client listens.
func (c *control) Run(req *simapi.RunRequest, stream simapi.Simulation_RunServer) error {
	sc, err := ParseScenario(req.GetName(), req.GetScenario())
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	if err := c.Check(sc); err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	err = c.Sim.Run(stream.Context(), sc, func(h Happened) error {
		return stream.Send(&simapi.RunResponse{At: durationpb.New(h.At), Step: uint32(h.Step), Text: h.Text})
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(stream.Context().Err()).Err()
	}
	return status.Error(codes.FailedPrecondition, err.Error())
}
