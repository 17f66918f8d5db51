package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/topology"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

func TestEachErrorHasACodeThatSaysWhatToDo(t *testing.T) {
	t.Parallel()
	mistaken := topology.Diagnostic{
		Pos: topology.Pos{File: "lab.yaml", Line: 12, Column: 9}, Ref: "tenants/red/segments/web#mtu", Severity: topology.Error, Message: "mtu 7: too small", Fix: "use 1280 to 9412",
		Also: []topology.Note{{Pos: topology.Pos{File: "lab.yaml", Line: 3, Column: 1}, Text: "the fabric's"}},
	}
	asDetail := &api.Mistake{
		At: "lab.yaml:12:9", Resource: "tenants/red/segments/web", Message: "mtu 7: too small", Fix: "use 1280 to 9412", Notes: []*api.MistakeNote{{At: "lab.yaml:3:1", Message: "the fabric's"}},
	}
	about := func(err error) error { return fmt.Errorf("lab: %w", err) }
	for _, c := range []struct {
		name    string
		err     error
		code    codes.Code
		details []proto.Message
	}{
		{"a mistake", &controller.InvalidError{Diagnostics: topology.Diagnostics{mistaken}}, codes.InvalidArgument, []proto.Message{asDetail}},
		{"a mistake of what is said elsewhere", about(&controller.InvalidError{Diagnostics: topology.Diagnostics{{Severity: topology.Error, Message: "no"}}}), codes.InvalidArgument,
			[]proto.Message{&api.Mistake{Message: "no"}}},
		{"somebody was faster", &controller.MovedError{Topology: "lab", Expected: 1, Actual: 2}, codes.Aborted, []proto.Message{&api.Conflict{Topology: "lab", Expected: 1, Actual: 2}}},
		{"somebody was faster, it is not known who", about(controller.ErrMoved), codes.Aborted, nil},
		{"no topology", about(controller.ErrNoTopology), codes.NotFound, nil},
		{"no revision", about(controller.ErrNoRevision), codes.NotFound, nil},
		{"no resource", about(controller.ErrNoResource), codes.NotFound, nil},
		{"no plan", about(controller.ErrNoPlan), codes.NotFound, nil},
		{"no device", about(controller.ErrNoDevice), codes.NotFound, nil},
		{"no transaction", about(controller.ErrNoTransaction), codes.NotFound, nil},
		{"no source", about(controller.ErrNoSource), codes.NotFound, nil},
		{"a key that was used", about(controller.ErrReused), codes.AlreadyExists, nil},
		{"a plan that is out of date", about(controller.ErrStale), codes.FailedPrecondition, nil},
		{"something has to come first", about(controller.ErrNotNow), codes.FailedPrecondition, nil},
		{"it makes no sense", about(controller.ErrInvalid), codes.InvalidArgument, nil},
		{"it makes no sense, in other words", controller.Kind(controller.ErrInvalid, errors.New("lab")), codes.InvalidArgument, nil},
		{"too long ago", about(controller.ErrForgotten), codes.OutOfRange, nil},
		{"the caller went away", about(context.Canceled), codes.Canceled, nil},
		{"it took too long", about(context.DeadlineExceeded), codes.DeadlineExceeded, nil},
		{"what nobody has thought of", about(errors.New("the disk is full")), codes.Internal, nil},
		{"what has a code has it still", status.Error(codes.DataLoss, "gone"), codes.DataLoss, nil},
	} {
		s := status.Convert(failure(c.err))
		if s.Code() != c.code || len(s.Details()) != len(c.details) {
			t.Errorf("%s: %v with %d details, want %v with %d", c.name, s.Code(), len(s.Details()), c.code, len(c.details))
			continue
		}
		for i, d := range s.Details() {
			if !proto.Equal(d.(proto.Message), c.details[i]) {
				t.Errorf("%s: %v, want %v", c.name, d, c.details[i])
			}
		}
		if c.code != codes.DataLoss && s.Message() != c.err.Error() {
			t.Errorf("%s: says %q, want %q", c.name, s.Message(), c.err)
		}
	}
	if failure(nil) != nil {
		t.Error("no error became one")
	}
}

// An answer with very many mistakes fits headers all the same, and says how many there are.
func TestManyMistakesFit(t *testing.T) {
	t.Parallel()
	var diags topology.Diagnostics
	for range 500 {
		diags = append(diags, topology.Diagnostic{Severity: topology.Error, Message: strings.Repeat("m", 200)})
	}
	s := status.Convert(failure(&controller.InvalidError{Diagnostics: diags}))
	if n := len(s.Details()); n != mostMistakes || !strings.Contains(s.Message(), "(and 499 more)") {
		t.Errorf("%d mistakes, %q", n, s.Message())
	}
}
