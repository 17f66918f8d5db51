package api

import (
	"slices"
	"strings"
	"sync"

	"github.com/loomfabric/loom/models/api"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Rules are those of all calls of loom.v1, by their full method ("/loom.v1.DeviceService/GetDevice"), and of calls of other services
// that a controller speaks. A method that is not there is called by nobody.
var Rules = sync.OnceValue(func() map[string]*api.Rule {
	out := map[string]*api.Rule{
		// What a server tells of itself.
		"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo":      {Permission: "read", Scope: api.Scope_SCOPE_ANSWER},
		"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": {Permission: "read", Scope: api.Scope_SCOPE_ANSWER},
		// Collectors get what all devices say.
		"/gnmi.gNMI/Capabilities": {Permission: "read", Scope: api.Scope_SCOPE_WHOLE},
		"/gnmi.gNMI/Get":          {Permission: "read", Scope: api.Scope_SCOPE_WHOLE},
		"/gnmi.gNMI/Set":          {Permission: "read", Scope: api.Scope_SCOPE_WHOLE}, // which says what to do instead
		"/gnmi.gNMI/Subscribe":    {Permission: "read", Scope: api.Scope_SCOPE_WHOLE},
	}
	for _, m := range methods() {
		if rule, ok := proto.GetExtension(m.Options(), api.E_Rule).(*api.Rule); ok && rule.GetScope() != api.Scope_SCOPE_UNSPECIFIED {
			out[fullName(m)] = rule
		}
	}
	return out
})

// open are calls that need nobody to be known.
func open(method string) bool { return strings.HasPrefix(method, "/grpc.health.v1.Health/") }

// methods are all of loom.v1, sorted.
func methods() []protoreflect.MethodDescriptor {
	var out []protoreflect.MethodDescriptor
	protoregistry.GlobalFiles.RangeFilesByPackage("loom.v1", func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			for j := range s.Methods().Len() {
				out = append(out, s.Methods().Get(j))
			}
		}
		return true
	})
	slices.SortFunc(out, func(a, b protoreflect.MethodDescriptor) int { return strings.Compare(fullName(a), fullName(b)) })
	return out
}

func fullName(m protoreflect.MethodDescriptor) string {
	return "/" + string(m.Parent().FullName()) + "/" + string(m.Name())
}

// said is what a field of a request says as text; empty where there is no such field, or nothing in it.
func said(m proto.Message, name string) string {
	if m == nil {
		return ""
	}
	r := m.ProtoReflect()
	f := r.Descriptor().Fields().ByTextName(name)
	if f == nil || !r.Has(f) {
		return ""
	}
	if f.IsList() || f.Kind() != protoreflect.StringKind {
		return "yes"
	}
	return r.Get(f).String()
}
