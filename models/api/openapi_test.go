package api_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/loomfabric/loom/models/api"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

type operation struct {
	Summary     string
	OperationID string
	Parameters  []struct {
		Name, In, Type string
		Required       bool
	}
	Responses map[string]any
}

// The document says of every RPC how it is called and what it does, and refers to nothing that is not there.
func TestOpenAPIHasEveryCall(t *testing.T) {
	t.Parallel()
	var doc struct {
		Swagger     string
		Info        struct{ Title, Version string }
		Schemes     []string
		Paths       map[string]map[string]operation
		Definitions map[string]struct{ Type string }
	}
	if err := json.Unmarshal(api.OpenAPI, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Swagger != "2.0" || doc.Info.Title != "Loom" || doc.Info.Version != "v1" || strings.Join(doc.Schemes, " ") != "https" {
		t.Errorf("openapi.yaml has to name the first proto in the order of their names: %s, %+v, %s", doc.Swagger, doc.Info, doc.Schemes)
	}
	calls := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if calls[op.OperationID] {
				t.Errorf("%s: two operations have this id", op.OperationID)
			}
			calls[op.OperationID] = true
			_, name, _ := strings.Cut(op.OperationID, "_")
			if !strings.HasPrefix(op.Summary, name+" ") {
				t.Errorf("%s %s: summary %q does not begin with %s", method, path, op.Summary, name)
			}
			if op.Responses["200"] == nil || op.Responses["default"] == nil {
				t.Errorf("%s %s: it does not say what comes back", method, path)
			}
			inPath := 0
			for _, p := range op.Parameters {
				if p.In != "path" {
					continue
				}
				inPath++
				if !p.Required || !strings.Contains(path, "{"+p.Name+"}") {
					t.Errorf("%s %s: parameter %s is not in its path", method, path, p.Name)
				}
			}
			if n := strings.Count(path, "{"); n != inPath {
				t.Errorf("%s %s: %d of %d parameters are explained", method, path, inPath, n)
			}
		}
	}
	rpcs := 0
	protoregistry.GlobalFiles.RangeFilesByPackage("loom.v1", func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			for j := range s.Methods().Len() {
				rpcs++
				if id := string(s.Name()) + "_" + string(s.Methods().Get(j).Name()); !calls[id] {
					t.Errorf("%s is not there; rest.yaml has to say how it is called", id)
				}
			}
		}
		return true
	})
	if rpcs == 0 || rpcs != len(calls) {
		t.Errorf("%d calls are documented, %d are there", len(calls), rpcs)
	}
	for _, ref := range regexp.MustCompile(`"\$ref": "#/definitions/([^"]*)"`).FindAllSubmatch(api.OpenAPI, -1) {
		if _, ok := doc.Definitions[string(ref[1])]; !ok {
			t.Errorf("nothing says what %s is", ref[1])
		}
	}
}
