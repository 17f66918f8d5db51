package device

import (
	"context"
	"fmt"
	"slices"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/openconfig/gnmi/proto/gnmi"
)

// Identity is what a device says it is.
type Identity struct {
	Release  string // "25.3"
	Platform string // "7220-IXR-D3L"
	Version  string // as the device writes it: "v25.3.1-149-g..."
	Chassis  string // as the device writes it: "7220 IXR-D3L"
}

// Check compares what a device is with what it should be. An empty want is not compared.
func (i Identity) Check(release, platform string) error {
	if (release == "" || release == i.Release) && (platform == "" || platform == i.Platform) {
		return nil
	}
	return fmt.Errorf("is a %s with release %s (%s, %s), and should be a %s with release %s",
		i.Platform, i.Release, i.Chassis, i.Version, orAny(platform), orAny(release))
}

// orAny names an empty expectation.
func orAny(s string) string {
	if s == "" {
		return "(any)"
	}
	return s
}

// Identify asks a device what it is. A device of another operating system is refused.
func (d *Device) Identify(ctx context.Context) (Identity, error) {
	if err := d.checkCapabilities(ctx); err != nil {
		return Identity{}, err
	}
	id := d.target.Driver.Identity
	said, err := d.mustStates(ctx, id.Version, id.Chassis)
	if err != nil {
		return Identity{}, err
	}
	version, chassis := said[0], said[1]
	return Identity{Release: id.Release(version), Platform: id.Platform(chassis), Version: version, Chassis: chassis}, nil
}

// mustStates reads leaves that every device of the operating system has.
func (d *Device) mustStates(ctx context.Context, paths ...string) ([]string, error) {
	const op = "identify"
	parsed := make([]config.Path, len(paths))
	for i, path := range paths {
		var err error
		if parsed[i], err = config.ParsePath(path); err != nil {
			return nil, d.errorf(op, Refused, "driver: %w", err)
		}
	}
	tree, _, err := d.get(ctx, op, gnmi.GetRequest_ALL, parsed)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(paths))
	for i, p := range parsed {
		c := tree.Find(p)
		if !c.Valid() {
			return nil, d.errorf(op, Refused, "%s has no value", p)
		}
		out[i] = c.Value()
	}
	return out, nil
}

// checkCapabilities refuses a device that does not speak as the driver does.
func (d *Device) checkCapabilities(ctx context.Context) error {
	const op = "identify"
	resp, err := d.capabilities(ctx, op)
	if err != nil {
		return err
	}
	if !slices.Contains(resp.GetSupportedEncodings(), gnmi.Encoding_JSON_IETF) {
		return d.errorf(op, Refused, "gNMI server without encoding JSON_IETF")
	}
	if resp.GetGNMIVersion() == "" {
		return d.errorf(op, Refused, "gNMI server without a version")
	}
	return d.checkModels(resp.GetSupportedModels())
}

// checkModels wants the modules of what is read from every device. Their versions are not compared: they follow from
// the release, which is not known yet. The vendor has put different prefixes before the names of its models
// ("urn:srl_nokia/interfaces:srl_nokia-interfaces"), so the module decides.
func (d *Device) checkModels(models []*gnmi.ModelData) error {
	have := map[string]bool{}
	for _, m := range models {
		have[config.ModuleOf(m.GetName())] = true
	}
	drv := d.target.Driver
	for _, path := range append([]string{drv.Identity.Version, drv.Identity.Chassis}, drv.Manners.ReadPaths...) {
		module, err := moduleOf(drv.Schema, path)
		switch {
		case err != nil:
			return d.errorf("identify", Refused, "driver: %w", err)
		case !have[module]:
			return d.errorf("identify", Refused, "not a %s device: it has no model %s", drv.OS, module)
		}
	}
	return nil
}

// moduleOf returns the module of the node that a path names.
func moduleOf(s *config.Schema, path string) (string, error) {
	p, err := config.ParsePath(path)
	if err != nil {
		return "", err
	}
	at := config.Root
	for _, e := range p {
		next, ok := s.Child(at, e.Name)
		if !ok {
			return "", fmt.Errorf("%s: %s has no %s", path, s.Path(at), e.Name)
		}
		at = next
	}
	return s.Modules[s.Nodes[at].Module], nil
}
