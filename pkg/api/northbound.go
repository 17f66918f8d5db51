package api

import (
	"context"
	"errors"
	"io"

	"github.com/loomfabric/loom/pkg/northbound"
	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Observed is what devices say of themselves, as a controller has it for collectors. by is the name of the collector.
type Observed interface {
	// Models are those of the devices that the controller has met, and the encodings that all of them speak.
	Models(ctx context.Context) ([]*gnmi.ModelData, []gnmi.Encoding, error)
	// Get asks the devices that a request is about.
	Get(ctx context.Context, by string, r *gnmi.GetRequest) (*gnmi.GetResponse, error)
	// Once asks the devices that a request is about what they have now, and hands it on device by device; req is r as it came.
	Once(ctx context.Context, by string, r *northbound.Request, req *gnmi.SubscribeRequest, send func(*gnmi.Notification) error) error
	// Stream has a reader told of the devices that a request is about, until end is called.
	Stream(ctx context.Context, by string, r *northbound.Request) (read *northbound.Reader, end func(), err error)
}

// Collectors is gnmi.gNMI towards collectors: the state of all devices at one place, prefix.target being the device.
type Collectors struct {
	gnmi.UnimplementedGNMIServer
	Observed Observed
}

// Register adds the service to a gRPC server.
func (c *Collectors) Register(to grpc.ServiceRegistrar) { gnmi.RegisterGNMIServer(to, c) }

// Capabilities implements gNMI (specification §3.2).
func (c *Collectors) Capabilities(ctx context.Context, _ *gnmi.CapabilityRequest) (*gnmi.CapabilityResponse, error) {
	models, encodings, err := c.Observed.Models(ctx)
	if err != nil {
		return nil, failure(err)
	}
	return &gnmi.CapabilityResponse{SupportedModels: models, SupportedEncodings: encodings, GNMIVersion: northbound.Version()}, nil
}

// Get implements gNMI (specification §3.3).
func (c *Collectors) Get(ctx context.Context, r *gnmi.GetRequest) (*gnmi.GetResponse, error) {
	resp, err := c.Observed.Get(ctx, nameOf(ctx), r)
	return resp, failure(err)
}

// Set is not for collectors.
func (c *Collectors) Set(context.Context, *gnmi.SetRequest) (*gnmi.SetResponse, error) {
	return nil, status.Error(codes.Unimplemented, "devices are not changed here: change what is intended (loom intent put), and apply it (loom intent apply)")
}

// Subscribe implements gNMI (specification §3.5).
func (c *Collectors) Subscribe(stream gnmi.GNMI_SubscribeServer) error {
	req, err := stream.Recv()
	if err == io.EOF {
		return nil
	}
	if err != nil {
		return err
	}
	r, err := northbound.ParseRequest(req.GetSubscribe())
	if err != nil {
		return failure(err)
	}
	switch r.Mode {
	case gnmi.SubscriptionList_ONCE:
		return failure(c.once(stream, r, req, r.UpdatesOnly))
	case gnmi.SubscriptionList_POLL:
		return failure(c.poll(stream, r, req))
	}
	return failure(c.stream(stream, r, req))
}

// once sends what there is, unless the collector wants updates only, and a sync_response.
func (c *Collectors) once(stream gnmi.GNMI_SubscribeServer, r *northbound.Request, req *gnmi.SubscribeRequest, none bool) error {
	if !none {
		err := c.Observed.Once(stream.Context(), nameOf(stream.Context()), r, req, func(n *gnmi.Notification) error {
			return stream.Send(&gnmi.SubscribeResponse{Response: &gnmi.SubscribeResponse_Update{Update: n}})
		})
		if err != nil {
			return err
		}
	}
	return stream.Send(&gnmi.SubscribeResponse{Response: &gnmi.SubscribeResponse_SyncResponse{SyncResponse: true}})
}

// poll sends what there is when it begins, and at each poll.
func (c *Collectors) poll(stream gnmi.GNMI_SubscribeServer, r *northbound.Request, req *gnmi.SubscribeRequest) error {
	none := r.UpdatesOnly // a poll is answered by all that there is (gNMI specification §3.5.1.5.3)
	for {
		if err := c.once(stream, r, req, none); err != nil {
			return err
		}
		none = false
		next, err := stream.Recv()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case next.GetPoll() == nil:
			return invalid("a subscription in mode POLL takes polls only")
		}
	}
}

// stream sends what there is and what becomes of it, until the collector goes.
func (c *Collectors) stream(stream gnmi.GNMI_SubscribeServer, r *northbound.Request, req *gnmi.SubscribeRequest) error {
	if len(req.GetExtension()) > 0 {
		return status.Error(codes.Unimplemented, "extensions do not go with STREAM, which is shared by collectors; use ONCE or POLL")
	}
	ctx := stream.Context()
	reader, end, err := c.Observed.Stream(ctx, nameOf(ctx), r)
	if err != nil {
		return err
	}
	defer end()
	go func() { // ends with the call
		if _, err := stream.Recv(); err == nil {
			reader.Fail(invalid("a subscription in mode STREAM cannot be changed; start another (gNMI specification §3.5.1.1)"))
		} else if !errors.Is(err, io.EOF) {
			reader.Fail(err)
		}
	}()
	for {
		resp, err := reader.Next(ctx)
		if err != nil {
			return err
		}
		if err := stream.Send(resp); err != nil {
			return err
		}
	}
}

func nameOf(ctx context.Context) string {
	who, _ := Caller(ctx)
	return who.Name
}
