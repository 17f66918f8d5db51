package sim

import (
	"context"
	"slices"
	"strings"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
)

// Capabilities answers what the driver says about the operating system (gNMI spec §3.2.2).
func (s *server) Capabilities(_ context.Context, req *gnmi.CapabilityRequest) (*gnmi.CapabilityResponse, error) {
	if err := s.refuseDepth(req.GetExtension()); err != nil {
		return nil, err
	}
	m := s.spec.Driver.Manners
	resp := &gnmi.CapabilityResponse{SupportedEncodings: encodings, GNMIVersion: m.GNMIVersion}
	for _, model := range m.Models {
		resp.SupportedModels = append(resp.SupportedModels, &gnmi.ModelData{Name: model.Name, Organization: m.Organization, Version: model.Version})
	}
	return resp, nil
}

// models returns which nodes the models of a request cover (gNMI spec §2.6): all where it names none. A
// model is named as Capabilities does, or by its module alone.
func (d *Device) models(wanted []*gnmi.ModelData) (covers func(*config.Node) bool, err error) {
	if len(wanted) == 0 {
		return func(*config.Node) bool { return true }, nil
	}
	modules := map[uint8]bool{}
	for _, m := range wanted {
		name := m.GetName()[strings.LastIndexByte(m.GetName(), ':')+1:]
		i := slices.Index(d.spec.Driver.Schema.Modules, name)
		if i < 0 {
			return nil, status.Errorf(codes.InvalidArgument, "model %q is not supported", m.GetName())
		}
		modules[uint8(i)] = true
	}
	return func(n *config.Node) bool { return modules[n.Module] }, nil
}
