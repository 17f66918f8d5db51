package sim

import (
	"errors"
	"slices"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
)

// union returns the configuration after a union_replace. What lies at its paths is replaced by the union of
// all values; at the root, that is the whole configuration (gNMI union_replace §5.3.2). The union may not
// depend on the order of the values: where it does, two of them conflict (§5.3.4).
func (c configuration) union(req *gnmi.SetRequest) (configuration, error) {
	if len(req.GetDelete())+len(req.GetReplace())+len(req.GetUpdate()) > 0 {
		return configuration{}, status.Error(codes.InvalidArgument, "union_replace does not go with delete, replace or update in one request")
	}
	parts, err := acceptor{c.tree(), req.GetPrefix()}.writes(req.GetUnionReplace(), true)
	if err != nil {
		return configuration{}, err
	}
	after, err := c.unite(parts)
	slices.Reverse(parts)
	other, otherErr := c.unite(parts)
	switch {
	case err != nil && otherErr != nil:
		return configuration{}, err
	case err != nil || otherErr != nil:
		return configuration{}, status.Errorf(codes.InvalidArgument, "union_replace gives values that conflict: %v", errors.Join(err, otherErr))
	}
	if conflicts := config.Diff(after.tree(), other.tree()); len(conflicts) > 0 {
		return configuration{}, status.Errorf(codes.InvalidArgument, "Error in path: %s\nunion_replace gives values that conflict", dotted(c.tree().Schema(), conflicts[0].At))
	}
	return after, nil
}

// unite replaces what lies at the paths of some updates by their values, one after the other.
func (c configuration) unite(parts []*gnmi.Update) (configuration, error) {
	req := &gnmi.SetRequest{Update: parts}
	for _, u := range parts {
		req.Delete = append(req.Delete, u.GetPath())
	}
	return c.put(req)
}

// unionStatus words the refusal of a union_replace: a union that cannot be put into effect is not the
// argument's fault (§5.2.2).
func unionStatus(err error) error {
	if status.Code(err) == codes.FailedPrecondition {
		return status.Error(codes.Internal, status.Convert(err).Message())
	}
	return err
}
