package sim_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc/codes"

	"github.com/loomfabric/loom/pkg/config"
	"github.com/loomfabric/loom/pkg/sim/simtest"
)

// §3.2.2: the version of the service, the encodings.
func TestCapabilitiesTellVersionAndEncodings(t *testing.T) {
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
}

// §2.6.1: the models of the release that runs, with organization and version. One that the release lacks is not there.
func TestCapabilitiesTellTheModelsOfTheRelease(t *testing.T) {
	t.Parallel()
	for release, want := range map[string]string{
		simtest.Old: "interfaces 2023-10-31, vlans 2023-10-31, policy 2023-10-31, system 2023-10-31, platform 2021-03-31, types 2021-03-31",
		simtest.New: "interfaces 2025-03-31, vlans 2024-10-31, policy 2025-03-31, system 2023-10-31, platform 2021-03-31, types 2021-03-31, new-types 2025-03-31",
	} {
		b := newBench(t, release)
		var got []string
		for _, m := range b.models() {
			name, _ := strings.CutPrefix(config.ModuleOf(m.GetName()), "test-")
			if m.GetName() != "urn:test/"+name+":test-"+name || m.GetOrganization() != "Test" {
				t.Errorf("model %v", m)
			}
			got = append(got, name+" "+m.GetVersion())
		}
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("%s: got %s, want %s", release, got, want)
		}
	}
}

// models returns what Capabilities lists.
func (b *bench) models() []*gnmi.ModelData {
	b.Helper()
	resp, err := b.gnmi.Capabilities(b.ctx, &gnmi.CapabilityRequest{})
	if err != nil {
		b.Fatal(err)
	}
	return resp.GetSupportedModels()
}

// §2.6.1: name, organization and version identify a model together; the last two may be left open.
func TestModelsAreIdentifiedByNameOrganizationAndVersion(t *testing.T) {
	t.Parallel()
	b := newBench(t, simtest.Middle)
	for name, c := range map[string]struct {
		model *gnmi.ModelData
		want  string // "": it is there
	}{
		"the name":                     {&gnmi.ModelData{Name: "urn:test/interfaces:test-interfaces"}, ""},
		"the module":                   {&gnmi.ModelData{Name: "test-interfaces", Organization: "Test", Version: "2024-10-31"}, ""},
		"as listed":                    {b.models()[1], ""},
		"another name":                 {&gnmi.ModelData{Name: "openconfig-interfaces"}, `model "openconfig-interfaces" is not supported`},
		"another namespace":            {&gnmi.ModelData{Name: "urn:test/vlans:test-interfaces"}, `model "urn:test/vlans:test-interfaces" is not supported`},
		"no name":                      {&gnmi.ModelData{Organization: "Test"}, `model "" is not supported`},
		"another organization":         {&gnmi.ModelData{Name: "test-vlans", Organization: "OpenConfig"}, `model "test-vlans" of organization "OpenConfig" is not supported; it is of "Test"`},
		"the version of a newer one":   {&gnmi.ModelData{Name: "test-interfaces", Version: "2025-03-31"}, `model "test-interfaces" of version "2025-03-31" is not supported; this release has "2024-10-31"`},
		"a model of a later release":   {&gnmi.ModelData{Name: "test-new-types"}, `model "test-new-types" is not supported`},
		"organizations are spelled so": {&gnmi.ModelData{Name: "test-vlans", Organization: "test"}, `of organization "test" is not supported`},
	} {
		code := codes.OK
		if c.want != "" {
			code = codes.InvalidArgument
		}
		t.Run(name, func(t *testing.T) {
			use := []*gnmi.ModelData{c.model}
			_, err := b.gnmi.Get(b.ctx, &gnmi.GetRequest{UseModels: use, Encoding: gnmi.Encoding_JSON_IETF, Path: []*gnmi.Path{b.gnmiPath("/system")}})
			b.refuses(err, code, c.want)
			_, err = b.subscribe(&gnmi.SubscriptionList{Mode: gnmi.SubscriptionList_ONCE, UseModels: use}, "/system").Recv()
			b.refuses(err, code, c.want)
		})
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
