package sim

import (
	"context"
	"math"
	"time"

	"github.com/openconfig/gnoi/system"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// systemServer is the gNOI side of a device, as far as the whole box goes (gNOI system.proto).
type systemServer struct {
	system.UnimplementedSystemServer
	*Device
}

// Time answers what the device's clock shows.
func (s *systemServer) Time(context.Context, *system.TimeRequest) (*system.TimeResponse, error) {
	return &system.TimeResponse{Time: uint64(s.sim.config.Clock.Now().UnixNano())}, nil
}

// Reboot boots the startup configuration, after a delay if there is one. Without one the RPC has no
// answer: the connection breaks, as the proto has it for the processor that answers.
func (s *systemServer) Reboot(ctx context.Context, req *system.RebootRequest) (*system.RebootResponse, error) {
	if req.GetMethod() != system.RebootMethod_COLD {
		return nil, status.Errorf(codes.InvalidArgument, "reboot method %s is not supported, use COLD", req.GetMethod())
	}
	if len(req.GetSubcomponents()) > 0 {
		return nil, status.Error(codes.InvalidArgument, "subcomponents cannot be rebooted, leave them out to reboot the device")
	}
	if err := s.planReboot(req); err != nil {
		return nil, err
	}
	if req.GetDelay() > 0 {
		return &system.RebootResponse{}, nil
	}
	<-ctx.Done()
	return nil, status.FromContextError(ctx.Err()).Err()
}

// CancelReboot takes back a reboot that waits for its time.
func (s *systemServer) CancelReboot(context.Context, *system.CancelRebootRequest) (*system.CancelRebootResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropReboot()
	return &system.CancelRebootResponse{}, nil
}

// RebootStatus tells of the reboot that waits for its time, and how many there were.
func (s *systemServer) RebootStatus(context.Context, *system.RebootStatusRequest) (*system.RebootStatusResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	resp := &system.RebootStatusResponse{Count: uint32(s.boots)}
	if p := s.planned; p != nil {
		resp.Active, resp.Reason, resp.Method = true, p.reason, system.RebootMethod_COLD
		resp.When = uint64(p.when.UnixNano())
		resp.Wait = uint64(max(0, p.when.Sub(s.sim.config.Clock.Now())))
	}
	return resp, nil
}

// plannedReboot is a reboot that waits for its time. There is at most one (gNOI system.proto).
type plannedReboot struct {
	when   time.Time
	reason string
	stop   func() // of the timer
}

// planReboot arms the timer of a reboot.
func (d *Device) planReboot(req *system.RebootRequest) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.planned != nil:
		return status.Error(codes.FailedPrecondition, "another reboot is pending, cancel it first")
	case d.pending != nil && !req.GetForce():
		return status.Errorf(codes.FailedPrecondition, "commit %q is waiting for its confirmation, decide it or use force", d.pending.id)
	}
	delay, clock := time.Duration(min(req.GetDelay(), math.MaxInt64)), d.sim.config.Clock
	d.planned = &plannedReboot{when: clock.Now().Add(delay), reason: req.GetMessage(), stop: func() {}}
	if delay == 0 {
		go d.Reboot() // it waits for this RPC to end
	} else {
		d.planned.stop = clock.AfterFunc(delay, d.Reboot)
	}
	return nil
}

// dropReboot forgets the planned reboot. The caller holds mu.
func (d *Device) dropReboot() {
	if d.planned != nil {
		d.planned.stop()
		d.planned = nil
	}
}
