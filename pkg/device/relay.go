package device

import (
	"context"
	"errors"
	"io"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc"
)

// Relay sends a subscription of somebody else, and hands on each answer, until the device ends the stream (which is no error where
// the mode is ONCE), ctx ends, or on returns an error, which Relay then returns.
func (d *Device) Relay(ctx context.Context, req *gnmi.SubscribeRequest, on func(*gnmi.SubscribeResponse) error) error {
	const op = "subscribe"
	l, err := d.connect(ctx, op)
	if err != nil {
		return err
	}
	defer l.release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := gnmi.NewGNMIClient(l.conn).Subscribe(ctx)
	if err == nil {
		err = stream.Send(req)
	}
	if err == io.EOF { // Recv tells why
		err = nil
	}
	for err == nil {
		var resp *gnmi.SubscribeResponse
		if resp, err = stream.Recv(); err == nil {
			if err := on(resp); err != nil {
				return err
			}
		}
	}
	if err == io.EOF {
		if req.GetSubscribe().GetMode() == gnmi.SubscriptionList_ONCE {
			return nil
		}
		err = errors.New("the device ended the stream")
	}
	return d.rpcError(op, err, false, true)
}

// RelayGet sends a Get of somebody else.
func (d *Device) RelayGet(ctx context.Context, req *gnmi.GetRequest) (resp *gnmi.GetResponse, err error) {
	err = d.call(ctx, "get", false, d.target.Timeout, func(ctx context.Context, conn *grpc.ClientConn) (err error) {
		resp, err = gnmi.NewGNMIClient(conn).Get(ctx, req)
		return err
	})
	return resp, err
}

// Capabilities is what the device says it can.
func (d *Device) Capabilities(ctx context.Context) (*gnmi.CapabilityResponse, error) {
	return d.capabilities(ctx, "capabilities")
}

func (d *Device) capabilities(ctx context.Context, op string) (resp *gnmi.CapabilityResponse, err error) {
	err = d.call(ctx, op, false, d.target.Timeout, func(ctx context.Context, conn *grpc.ClientConn) (err error) {
		resp, err = gnmi.NewGNMIClient(conn).Capabilities(ctx, &gnmi.CapabilityRequest{})
		return err
	})
	return resp, err
}
