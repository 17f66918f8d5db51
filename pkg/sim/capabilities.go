package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
)

// Capabilities answers what the schema and the driver say about the release that runs (gNMI spec §3.2.2).
func (s *server) Capabilities(_ context.Context, req *gnmi.CapabilityRequest) (*gnmi.CapabilityResponse, error) {
	if err := s.refuseDepth(req.GetExtension()); err != nil {
		return nil, err
	}
	return &gnmi.CapabilityResponse{
		SupportedModels: s.published(), SupportedEncodings: encodings, GNMIVersion: s.spec.Driver.Manners.GNMIVersion,
	}, nil
}

// published returns the models of the release.
func (d *Device) published() (out []*gnmi.ModelData) {
	schema := d.spec.Driver.Schema
	release := schema.Release(d.release())
	for _, m := range schema.Models {
		if version := m.Versions[release]; version != "" {
			out = append(out, &gnmi.ModelData{Name: m.Name, Organization: m.Organization, Version: version})
		}
	}
	return out
}

// models returns which nodes the models of a request cover (gNMI spec §2.6): all where it names none.
func (d *Device) models(wanted []*gnmi.ModelData) (covers func(*config.Node) bool, err error) {
	if len(wanted) == 0 {
		return func(*config.Node) bool { return true }, nil
	}
	schema, published := d.spec.Driver.Schema, d.published()
	modules := map[int]bool{} // a module of types alone has no nodes, and none of these
	for _, m := range wanted {
		module, err := supported(m, published)
		if err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "model %q %v (gNMI specification 2.6.1)", m.GetName(), err)
		}
		modules[slices.Index(schema.Modules, module)] = true
	}
	return func(n *config.Node) bool { return modules[int(n.Module)] }, nil
}

// supported returns the module of a model that a request names as Capabilities does, or by its module alone. Name,
// organization and version identify a model together (§2.6.1); a request may leave the last two open.
func supported(want *gnmi.ModelData, published []*gnmi.ModelData) (module string, err error) {
	i := slices.IndexFunc(published, func(m *gnmi.ModelData) bool {
		return want.GetName() == m.GetName() || want.GetName() == config.ModuleOf(m.GetName())
	})
	if i < 0 {
		return "", errors.New("is not supported; Capabilities lists those that are")
	}
	have := published[i]
	switch o, v := want.GetOrganization(), want.GetVersion(); {
	case o != "" && o != have.GetOrganization():
		return "", fmt.Errorf("of organization %q is not supported; it is of %q", o, have.GetOrganization())
	case v != "" && v != have.GetVersion():
		return "", fmt.Errorf("of version %q is not supported; this release has %q", v, have.GetVersion())
	}
	return config.ModuleOf(have.GetName()), nil
}
