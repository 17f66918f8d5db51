package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
)

// Set is one transaction on the running configuration: all of it, or nothing (gNMI spec §3.4.3).
func (s *server) Set(ctx context.Context, req *gnmi.SetRequest) (*gnmi.SetResponse, error) {
	return s.faulty(ctx, req, s.set)
}

// set does what a request asks for.
func (s *server) set(req *gnmi.SetRequest) (*gnmi.SetResponse, error) {
	if err := checkOrigins(req); err != nil {
		return nil, err
	}
	if len(req.GetUnionReplace()) > 0 {
		return nil, status.Error(codes.Unimplemented, "union_replace is not supported")
	}
	s.mu.Lock()
	err := s.transact(req)
	s.mu.Unlock()
	if err != nil {
		s.log.Info("set refused", "error", err)
		return nil, err
	}
	return &gnmi.SetResponse{Prefix: req.GetPrefix(), Response: results(req), Timestamp: s.sim.config.Clock.Now().UnixNano()}, nil
}

// results returns one result per operation, in the order in which they were done (§3.4.2).
func results(req *gnmi.SetRequest) []*gnmi.UpdateResult {
	var out []*gnmi.UpdateResult
	for _, p := range req.GetDelete() {
		out = append(out, &gnmi.UpdateResult{Path: p, Op: gnmi.UpdateResult_DELETE})
	}
	for _, u := range req.GetReplace() {
		out = append(out, &gnmi.UpdateResult{Path: u.GetPath(), Op: gnmi.UpdateResult_REPLACE})
	}
	for _, u := range req.GetUpdate() {
		out = append(out, &gnmi.UpdateResult{Path: u.GetPath(), Op: gnmi.UpdateResult_UPDATE})
	}
	return out
}

// checkOrigins refuses the schemas that a simulated device does not have. SR Linux takes an origin
// that it does not know for its own.
func checkOrigins(req *gnmi.SetRequest) error {
	paths := append([]*gnmi.Path{req.GetPrefix()}, req.GetDelete()...)
	for _, u := range slices.Concat(req.GetReplace(), req.GetUpdate()) {
		paths = append(paths, u.GetPath())
	}
	for _, p := range paths {
		if err := checkOrigin(p); err != nil {
			return err
		}
	}
	return nil
}

// checkOrigin refuses a path of another schema.
func checkOrigin(p *gnmi.Path) error {
	switch o := p.GetOrigin(); o {
	case "openconfig", "cli":
		return status.Errorf(codes.Unimplemented, "origin '%s' is not supported", o)
	}
	return nil
}

// apply returns the configuration after a request.
func (c configuration) apply(req *gnmi.SetRequest) (configuration, error) {
	effective, err := withoutBareArrays(c.tree.Schema(), req)
	if err != nil {
		return configuration{}, err
	}
	tree, err := config.Apply(c.tree, effective)
	if err != nil {
		return configuration{}, err
	}
	unknown, err := survivors(c.unknown, effective)
	return configuration{tree, unknown}, err
}

// withoutBareArrays leaves out the operations that SR Linux accepts and does not do: those that have
// a JSON array at the path of a list.
func withoutBareArrays(s *config.Schema, req *gnmi.SetRequest) (*gnmi.SetRequest, error) {
	out := &gnmi.SetRequest{Prefix: req.GetPrefix(), Delete: req.GetDelete(), UnionReplace: req.GetUnionReplace()}
	var err error
	if out.Replace, err = effective(s, req.GetPrefix(), req.GetReplace()); err != nil {
		return nil, err
	}
	out.Update, err = effective(s, req.GetPrefix(), req.GetUpdate())
	return out, err
}

func effective(s *config.Schema, prefix *gnmi.Path, updates []*gnmi.Update) ([]*gnmi.Update, error) {
	var out []*gnmi.Update
	for _, u := range updates {
		path, err := config.FromGNMI(prefix, u.GetPath())
		if err != nil {
			return nil, err
		}
		if !isArray(u.GetVal()) || !isList(s, path) {
			out = append(out, u)
		}
	}
	return out, nil
}

// isArray tells whether a value is a JSON array.
func isArray(v *gnmi.TypedValue) bool {
	data := v.GetJsonIetfVal()
	if data == nil {
		data = v.GetJsonVal()
	}
	return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte{'['})
}

// isList tells whether a path ends in a list, without keys.
func isList(s *config.Schema, p config.Path) bool {
	n, ok := nodeAt(s, p)
	return ok && len(p) > 0 && n.Kind == config.List && len(p[len(p)-1].Keys) == 0
}

// nodeAt returns the schema node that a path leads to.
func nodeAt(s *config.Schema, p config.Path) (config.Node, bool) {
	id, ok := config.Root, true
	for _, e := range p {
		if id, ok = s.Child(id, e.Name); !ok {
			return config.Node{}, false
		}
	}
	return s.Nodes[id], true
}

// survivors returns what is left of the unknown parts of a configuration: what is deleted or
// replaced takes the unknown parts below it along.
func survivors(unknown []config.Unknown, req *gnmi.SetRequest) ([]config.Unknown, error) {
	if len(unknown) == 0 {
		return nil, nil
	}
	gone := slices.Clone(req.GetDelete())
	for _, u := range req.GetReplace() {
		gone = append(gone, u.GetPath())
	}
	for _, g := range gone {
		path, err := config.FromGNMI(req.GetPrefix(), g)
		if err != nil {
			return nil, err
		}
		unknown = slices.DeleteFunc(slices.Clone(unknown), func(u config.Unknown) bool { return below(u.Path, path) })
	}
	return unknown, nil
}

// setStatus words a refusal as SR Linux does: a line for the place and one for the cause of each mistake.
func setStatus(s *config.Schema, err error) error {
	if errors.Is(err, config.ErrUnimplemented) {
		return status.Error(codes.Unimplemented, err.Error())
	}
	mistakes := valueErrors(err)
	if len(mistakes) == 0 {
		return pathStatus(err)
	}
	var lines []string
	for _, m := range mistakes {
		code, text := judge(s, m)
		lines = append(lines, fmt.Sprintf("Error in path: %s\n[%s] %s", dotted(m.Path), code, text))
	}
	code, _ := judge(s, mistakes[0])
	return status.Error(code, strings.Join(lines, "\n"))
}

// valueErrors returns the mistakes that an error is made of, none where it is about something else.
func valueErrors(err error) []*config.ValueError {
	var one *config.ValueError
	var many interface{ Unwrap() []error }
	switch {
	case errors.As(err, &many):
		var all []*config.ValueError
		for _, e := range many.Unwrap() {
			all = append(all, valueErrors(e)...)
		}
		return all
	case errors.As(err, &one):
		return []*config.ValueError{one}
	}
	return nil
}

// judge tells a bad value from one that only the configuration as a whole forbids.
func judge(s *config.Schema, m *config.ValueError) (codes.Code, string) {
	n, ok := nodeAt(s, m.Path)
	isLeaf := n.Kind == config.Leaf || n.Kind == config.LeafList
	switch {
	case ok && n.Mandatory && m.Value == "":
		return codes.FailedPrecondition, fmt.Sprintf("Mandatory node '%s': %v", n.Name, m.Err)
	case ok && isLeaf && s.Types[n.Type].Base == config.Leafref:
		return codes.FailedPrecondition, fmt.Sprintf("Leafref destination is not set: %v", m.Err)
	}
	return codes.InvalidArgument, m.Err.Error()
}

// pathStatus words a bad path as SR Linux does.
func pathStatus(err error) error {
	var path *config.PathError
	switch {
	case status.Code(err) != codes.Unknown:
		return err
	case errors.As(err, &path) && path.Why == "":
		return status.Errorf(codes.InvalidArgument, "Path not valid - unknown element '%s'. Options are [%s]", path.Element, strings.Join(path.Options, ", "))
	}
	return status.Errorf(codes.InvalidArgument, "Path not valid - %v", err)
}

// dotted prints a path as SR Linux does in errors: .interface{.name=="lag1"}.mtu.
func dotted(p config.Path) string {
	var b strings.Builder
	for _, e := range p {
		b.WriteString("." + e.Name)
		for i, k := range e.Keys {
			open := "&&"
			if i == 0 {
				open = "{"
			}
			fmt.Fprintf(&b, "%s.%s==%q", open, k.Name, k.Value)
		}
		if len(e.Keys) > 0 {
			b.WriteByte('}')
		}
	}
	return b.String()
}
