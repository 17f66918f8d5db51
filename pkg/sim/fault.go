package sim

import (
	"context"

	"github.com/openconfig/gnmi/proto/gnmi"
)

// faulty is the way of every Set through the faults that are injected.
func (d *Device) faulty(ctx context.Context, req *gnmi.SetRequest, set func(*gnmi.SetRequest) (*gnmi.SetResponse, error)) (*gnmi.SetResponse, error) {
	return set(req)
}

// faultyStream is the way of everything that a Subscribe sends through the faults that are injected.
func (d *Device) faultyStream(stream gnmi.GNMI_SubscribeServer) gnmi.GNMI_SubscribeServer {
	return stream
}
