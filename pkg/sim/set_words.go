package sim

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loomfabric/loom/pkg/config"
)

// mostShown is how many bytes of a value are shown in a refusal.
const mostShown = 80

// setStatus words a refusal as the operating system does, SR Linux by a line for the place and one for the cause of each mistake.
func (d *Device) setStatus(err error) error {
	if status.Code(err) != codes.Unknown {
		return err
	}
	mistakes := valueErrors(err)
	if len(mistakes) == 0 {
		return d.pathStatus(err)
	}
	var lines []string
	for _, m := range mistakes {
		code, text := d.verdict(m)
		lines = append(lines, fmt.Sprintf("Error in path: %s\n[%s] %s", dotted(d.spec.Driver.Schema, m.Path), code, text))
	}
	code, _ := d.verdict(mistakes[0])
	if sw := d.spec.Software; sw != nil && sw.Words != nil {
		return status.Error(code, sw.Words(d.spec.Driver.Schema, err))
	}
	return status.Error(code, strings.Join(lines, "\n"))
}

// verdict tells a bad value from one that only the configuration as a whole forbids.
func (d *Device) verdict(m *config.ValueError) (codes.Code, string) {
	s := d.spec.Driver.Schema
	id, ok := idAt(s, m.Path)
	n := s.Nodes[id]
	if !ok || n.Kind != config.Leaf && n.Kind != config.LeafList {
		return codes.InvalidArgument, m.Err.Error()
	}
	if n.Mandatory && m.Value == "" {
		return codes.FailedPrecondition, fmt.Sprintf("Mandatory node '%s': %v", n.Name, m.Err)
	}
	typ := s.Types[n.Type]
	switch _, err := s.Canonical(id, s.Release(d.spec.Release), m.Value); {
	case err == nil && typ.Base == config.Leafref:
		return codes.FailedPrecondition, fmt.Sprintf("Leafref destination is not set: %v", m.Err)
	case err == nil:
	case typ.Base != config.Leafref && isNumber(typ, m.Value):
		return codes.InvalidArgument, outOfRange(n.Name, m.Value, rangeOf(typ))
	case typ.Base == config.Union, len(typ.Patterns) > 0, typ.Base == config.Leafref:
		return codes.InvalidArgument, fmt.Sprintf("'%s' is not a valid value of '%s'", clipped(m.Value), n.Name)
	}
	return codes.InvalidArgument, m.Err.Error()
}

// clipped shortens a value that is shown.
func clipped(value string) string {
	if len(value) > mostShown {
		return value[:mostShown] + "..."
	}
	return value
}

// pathStatus words a bad path as the operating system does.
func (d *Device) pathStatus(err error) error {
	var path *config.PathError
	switch sw := d.spec.Software; {
	case sw != nil && sw.Words != nil:
		return status.Error(codes.InvalidArgument, sw.Words(d.spec.Driver.Schema, err))
	case !errors.As(err, &path):
		return status.Errorf(codes.InvalidArgument, "Path not valid - %v", err)
	case path.Why == "":
		return status.Errorf(codes.InvalidArgument, "Path not valid - unknown element '%s'. Options are [%s]", path.Element, strings.Join(path.Options, ", "))
	}
	return status.Errorf(codes.InvalidArgument, "Path not valid - %v", path)
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

// dotted prints a path as SR Linux does in errors: .interface{.name=="lag1"}.subinterface{.index==0}.ip-mtu.
func dotted(s *config.Schema, p config.Path) string {
	var b strings.Builder
	for i, e := range p {
		b.WriteString("." + e.Name)
		list, _ := idAt(s, p[:i+1])
		for k, key := range e.Keys {
			b.WriteString([]string{"{", "&&"}[min(k, 1)])
			fmt.Fprintf(&b, ".%s==%s", key.Name, keyText(s, list, key))
		}
		if len(e.Keys) > 0 {
			b.WriteByte('}')
		}
	}
	return b.String()
}

// keyText prints the value of a key: numbers as they are, all else in quotes.
func keyText(s *config.Schema, list config.ID, key config.KeyValue) string {
	if leaf, ok := s.Child(list, key.Name); ok {
		if _, number := bounded[s.Types[s.Nodes[leaf].Type].Base]; number {
			return key.Value
		}
	}
	return strconv.Quote(key.Value)
}
