package sim_test

import (
	"slices"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc/codes"

	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// §3.2.2: the version of the service, the models with organization and version, the encodings.
func TestCapabilitiesTellVersionModelsAndEncodings(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	resp, err := b.gnmi.Capabilities(b.ctx, &gnmi.CapabilityRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := resp.GetGNMIVersion(), "0.10.0"; got != want {
		t.Errorf("gNMI version = %q, want %q", got, want)
	}
	if got, want := resp.GetSupportedEncodings(), []gnmi.Encoding{gnmi.Encoding_JSON_IETF, gnmi.Encoding_PROTO}; !slices.Equal(got, want) {
		t.Errorf("encodings = %v, want %v", got, want)
	}
	m := resp.GetSupportedModels()
	if len(m) != 1 || m[0].GetName() != "urn:test/interfaces:test-interfaces" || m[0].GetOrganization() != "Test" || m[0].GetVersion() != "2025-03-31" {
		t.Errorf("models = %v", m)
	}
}

// §3.3.1: an encoding is served if Capabilities lists it, and else UNIMPLEMENTED.
func TestEncodingsAreServedAsListed(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.New)
	resp, err := b.gnmi.Capabilities(b.ctx, &gnmi.CapabilityRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for number, name := range gnmi.Encoding_name {
		enc := gnmi.Encoding(number)
		_, err := b.gnmi.Get(b.ctx, &gnmi.GetRequest{Path: []*gnmi.Path{b.path("/system/name/host-name").GNMI()}, Encoding: enc})
		if slices.Contains(resp.GetSupportedEncodings(), enc) {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		b.refuses(err, codes.Unimplemented, "Unsupported encoding")
	}
}

// Depth extension §3.3: only Get and Subscribe take it. A release without it does not see it.
func TestDepthIsRefusedInCapabilitiesAndSet(t *testing.T) {
	t.Parallel()
	depth := []*gnmi_ext.Extension{{Ext: &gnmi_ext.Extension_Depth{Depth: &gnmi_ext.Depth{Level: 1}}}}
	for release, want := range map[string]codes.Code{simtest.New: codes.InvalidArgument, simtest.Old: codes.OK} {
		b := newBench(t, release)
		_, err := b.gnmi.Capabilities(b.ctx, &gnmi.CapabilityRequest{Extension: depth})
		b.refuses(err, want, "")
		b.refuses(b.set(&gnmi.SetRequest{Extension: depth}), want, "")
	}
}
