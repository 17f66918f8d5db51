//go:build !race

package fabric

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/loomfabric/loom/models/intent"
	"github.com/loomfabric/loom/pkg/topology"
)

// TestNoFieldOfTheIntentIsForgotten changes every field of an intent in turn. A Compiler that knows the
// intent before must decide what one without memory decides.
func TestNoFieldOfTheIntentIsForgotten(t *testing.T) {
	t.Parallel()
	in := rich()
	compared := unforgotten(t, in, in.ProtoReflect())
	if compared < 300 {
		t.Errorf("only %d changes gave a valid intent", compared)
	}
}

// TestNoFieldOfLightIsForgotten is the same for what is said of light.
func TestNoFieldOfLightIsForgotten(t *testing.T) {
	t.Parallel()
	in := intentOf(t, "memory.yaml", read(t, "light.memory.yaml"))
	compared := 0
	for _, d := range in.Ducts {
		compared += unforgotten(t, in, d.ProtoReflect())
	}
	for _, l := range in.Lines {
		compared += unforgotten(t, in, l.ProtoReflect())
	}
	for _, d := range in.Dcis {
		compared += unforgotten(t, in, d.ProtoReflect())
	}
	transponder := device(in, "bj-transponder1")
	if compared += unforgotten(t, in, transponder.ProtoReflect()); compared < 150 {
		t.Errorf("only %d changes gave a valid intent", compared)
	}
}

// TestNoFieldOfWhatIsStitchedIsForgotten is the same for what gateways stitch, with channels as LAGs and VXLAN between sites.
func TestNoFieldOfWhatIsStitchedIsForgotten(t *testing.T) {
	t.Parallel()
	in := intentOf(t, "memory.yaml", []byte(edited(t, "service: vxlan-mpls", "service: vxlan-vxlan\n    bundle: lag", "leaves: {count: 4", "leaves: {count: 2",
		"count: 4, mode", "count: 2, mode", "over: [north, coast]", "over: north", "red:\n    number: 1\n", "red:\n    number: 1\n    wan-target: \"target:65000:7\"\n    wan-vni: 7\n")))
	compared := unforgotten(t, in, in.Tenants[0].Segments[0].ProtoReflect())
	in.Dcis[0].Service, in.Dcis[0].Bundle = intent.Service_SERVICE_VXLAN_MPLS, intent.Bundle_BUNDLE_ROUTED
	if compared += unforgotten(t, in, device(in, "bj-gateway2").ProtoReflect()); compared < 60 {
		t.Errorf("only %d changes gave a valid intent", compared)
	}
}

// unforgotten changes what is below a part of an intent, and tells how many changes were valid.
func unforgotten(t *testing.T, in *intent.Topology, part protoreflect.Message) int {
	t.Helper()
	var warm Compiler
	if _, diags := warm.Compile(topology.New(in)); diags.HasErrors() {
		t.Fatal(diags)
	}
	base, plans := warm.last, warm.planned
	compared := 0
	check := func(field string) {
		fresh, diags := Compile(topology.New(in))
		if diags.HasErrors() {
			return
		}
		compared++
		warm.last, warm.planned = base, plans
		got, _ := warm.Compile(topology.New(in))
		if text(t, fresh.Devices) != text(t, got.Devices) || text(t, fresh.Cables) != text(t, got.Cables) || lightText(fresh) != lightText(got) {
			t.Errorf("%s: changed, but a device that depends on it was taken over", field)
		}
	}
	eachField(part, check)
	return compared
}

// rich is an intent with something in every field.
func rich() *intent.Topology {
	in := small()
	in.Sites = append(in.Sites, newSite("sh", 2, 2, 2))
	in.Sites[0].Underlay.Bfd = &intent.Bfd{Multiplier: 3, IntervalMs: 300}
	in.Sites[1].Overlay.Routing = intent.Routing_ROUTING_EBGP
	device(in, "dc-leaf4").UnusedPorts = intent.UnusedPorts_UNUSED_PORTS_DISABLED
	device(in, "dc-leaf4").Platform = "7220-IXR-D3L"
	in.Attachments = append(in.Attachments, &intent.Attachment{Members: ends("dc-leaf4:ethernet-1/1/2"), Untagged: "red/db", Speed: "10G", Mtu: 9000, Description: "x"})
	subnet := cableBetween("dc-leaf3:ethernet-1/55", "dc-spine2:ethernet-1/30")
	subnet.Subnet = "192.168.0.0/31"
	in.Cables = append(in.Cables, subnet, cableBetween("server:web1:eth0", "dc-leaf1:ethernet-1/1"))
	in.Raw = append(in.Raw, &intent.Raw{Device: "dc-leaf1", Path: "/a", Value: "1"})
	in.Login = &intent.Login{Username: "env:USER"}
	return in
}

// eachField sets every scalar field below a message to some other values, calls check, and restores it.
func eachField(m protoreflect.Message, check func(field string)) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		switch {
		case f.IsList() && f.Message() != nil:
			for k := range m.Get(f).List().Len() {
				eachField(m.Get(f).List().Get(k).Message(), check)
			}
		case f.IsList():
			list := m.Mutable(f).List()
			list.Append(protoreflect.ValueOfString("dc"))
			check(string(f.FullName()))
			list.Truncate(list.Len() - 1)
			if list.Len() == 0 {
				m.Clear(f)
				continue
			}
			last := list.Get(list.Len() - 1)
			list.Truncate(list.Len() - 1)
			check(string(f.FullName()))
			list.Append(last)
		case f.Message() != nil:
			if m.Has(f) {
				eachField(m.Get(f).Message(), check)
			}
		default:
			before, had := m.Get(f), m.Has(f)
			for _, v := range otherValues(f, before) {
				m.Set(f, v)
				check(string(f.FullName()))
			}
			if m.Set(f, before); !had {
				m.Clear(f)
			}
		}
	}
}

func otherValues(f protoreflect.FieldDescriptor, v protoreflect.Value) []protoreflect.Value {
	var list []protoreflect.Value
	switch f.Kind() {
	case protoreflect.StringKind:
		for _, s := range []string{"", v.String() + "x", v.String() + "0", "192.0.2.9", "10.77.0.0/16", "7220-IXR-D3", "24.10", "192.168.9.0/31", "red/web", "25G", "dc-leaf3", "ethernet-1/20", "ethernet-1/56"} {
			list = append(list, protoreflect.ValueOfString(s))
		}
	case protoreflect.Uint32Kind:
		for _, n := range []uint32{0, uint32(v.Uint()) + 1, uint32(v.Uint()) + 37, 9000} {
			list = append(list, protoreflect.ValueOfUint32(n))
		}
	case protoreflect.BoolKind:
		list = append(list, protoreflect.ValueOfBool(!v.Bool()))
	case protoreflect.DoubleKind:
		for _, x := range []float64{0, v.Float() + 0.5, 75} {
			list = append(list, protoreflect.ValueOfFloat64(x))
		}
	case protoreflect.EnumKind:
		for n := range 3 {
			list = append(list, protoreflect.ValueOfEnum(protoreflect.EnumNumber(n)))
		}
	}
	return list
}
